//! What a record asks for, as plain data. What it does is decided in `kinds`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::outbox::{OutboxAttempt, OutboxRequest, OutboxResult};
use crate::auth::Revocation;
use crate::domain::register::to_nanos;
use crate::domain::{AlertKind, ChatId, ContactId, Delivery, EventId, GivenName, Member, Seq};
use crate::protocol::SettingsShape;
use crate::protocol::daily_report::DailyReportShape;
use crate::protocol::link::LinkAlert;
use crate::protocol::shapes::NamedShape;

/// What a record asks for.
#[derive(Debug)]
pub enum Payload {
    /// A delivery with an id and a type.
    Delivery(Box<Delivery>),
    /// A posted JSON object without an id or a type. It is kept raw, and makes no event.
    Ignored { reason: String, event_id: Option<EventId> },
    /// A notice to the screens of one user, from the company's own backend.
    Notice(Notice),
    /// Entries of the directory to set, or to remove if they have no name. All of them are changed or
    /// none.
    Members(Vec<Member>),
    /// Names of sectors, lines and tags: from a list of the provider, or from an admin, whose names win.
    Names(Vec<GivenName>),
    /// New settings, from an admin.
    Settings(Box<SettingsChange>),
    /// A change of one alert.
    Alert(AlertRequest),
    /// A revocation of a user's tokens.
    Revocation(Revocation),
    /// Alerts were posted to the alert webhook up to this position.
    AlertsPosted(Seq),
    /// Up to when the hub knows everything that the provider knows.
    Link(LinkProgress),
    /// All alerts of the link to the provider's API.
    LinkAlerts(Vec<LinkAlert>),
    /// A message that is to go out, to be sent again, or to be dropped.
    Outbox(Box<OutboxRequest>),
    /// A message is handed to the provider next.
    OutboxAttempt(OutboxAttempt),
    /// What became of a message that was handed to the provider.
    OutboxResult(OutboxResult),
    /// What was on one day.
    DailyReport(Box<DailyReportShape>),
    /// Daily reports were mailed up to this position.
    ReportsMailed(Seq),
    /// The erasure of a person's data, from an admin.
    Erasure(ErasureRequest),
    /// A step of deleting what is older than the operator wants to keep.
    Retention(RetentionStep),
    /// How many deliveries were repeated or ignored so far. Only a backup holds such records: the deliveries themselves are not
    /// recorded, or make no event.
    DeliveryCounts(Vec<OutcomeCount>),
    /// A hub of a cluster has taken the duties that only one has.
    Duty(DutyTaking),
    /// Other rules of applying records are in force in a cluster.
    Rules(RulesRaise),
}

/// The rules by which all hubs of a cluster apply records from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RulesRaise {
    pub number: u32,
}

/// A hub takes the duties of its cluster. What it proposes from now on carries the position of this record, and what was proposed
/// by the hub before it does nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DutyTaking {
    /// The hub, and its run.
    pub by: String,
    /// Where they were taken before, as far as this hub knows; 0: never. If another hub was faster, this one has not taken them.
    pub after: Seq,
    /// Where they were taken. Only a backup says so, because there the record has no position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Seq>,
}

/// How many deliveries of a type had one outcome so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeCount {
    #[serde(rename = "type")]
    pub event_type: String,
    pub outcome: String,
    pub count: i64,
    /// When the newest was received.
    pub last_at: Timestamp,
}

/// The erasure of a person's data. It holds ids only, because it stays when the data is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErasureRequest {
    pub contact: ContactId,
    /// Chats that were held with the contact once and no longer are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_chats: Vec<ChatId>,
    /// Why, in the words of the admin.
    pub reason: String,
    /// Deliveries of the contact that come later are taken without what tells who it is, and without content.
    #[serde(default)]
    pub block: bool,
}

/// A step of deleting what is older than the operator wants to keep. It is bounded: a run consists of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetentionStep {
    pub what: Retained,
    /// What is older than this is deleted.
    pub before: Timestamp,
}

/// What is deleted once it is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retained {
    /// Deliveries as they came. What was read of them stays.
    Raw,
    /// The content of messages: texts, files, places, cards.
    Texts,
}

impl Retained {
    /// The name under which its progress is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Texts => "texts",
        }
    }
}

/// Up to when the hub knows everything that the provider knows, as comparisons with its API have shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkProgress {
    /// Every message until this moment is known. `None`: no comparison has finished yet.
    pub complete_until: Option<Timestamp>,
    /// The provider's plan hides messages before this moment. `None`: nothing hidden was noticed.
    pub available_from: Option<Timestamp>,
    /// The newest reading of what happened before the hub was linked; `None`: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill: Option<BackfillProgress>,
}

/// How far a backfill has come. A hub that starts again goes on from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackfillProgress {
    /// How many days before its beginning it reaches back.
    pub days: u32,
    /// The provider's clock when it began.
    pub begun_at: Timestamp,
    /// When it came to its end; `None`: it has not yet.
    pub ended_at: Option<Timestamp>,
    /// The part that is being read: 0 is the open chats that are older than the period, then comes each day, the newest first.
    pub part: u32,
    /// The last chat of this part that was read. The chats of a part are read in the order of their ids.
    pub after: Option<ChatId>,
    pub done: u64,
    /// Chats there are to read; `None` until they are counted.
    pub total: Option<u64>,
    /// Messages that were not known before.
    pub messages: u64,
    /// Chats that could not be read to their end.
    pub skipped: u64,
    /// Days of the longer one that was ordered while this one runs, and comes after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_days: Option<u32>,
}

/// A notice to the screens of one user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notice {
    /// The `sub` of the user's tokens.
    pub user: String,
    /// Any JSON, passed on unchanged.
    pub data: Box<RawValue>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingsChange {
    /// All settings, with the hub's time zone.
    pub settings: SettingsShape,
    /// Save only if the settings in force were saved at one of these positions, 0 standing for the
    /// defaults. `None` to save in any case.
    pub only_after: Option<Vec<Seq>>,
    pub by: NamedShape,
}

/// A change of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AlertRequest {
    #[serde(rename_all = "camelCase")]
    Raise { alert: AlertKey, due_at: Timestamp },
    /// The reason of the alert is gone.
    Clear(AlertKey),
    /// Somebody has taken note of the alert.
    Acknowledge { id: String, by: NamedShape },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AlertKey {
    pub kind: AlertKind,
    pub chat: ChatId,
    /// The time from which the deadline counts.
    pub since: Timestamp,
}

impl AlertKey {
    /// The same for the same deadline, however often the hub is restarted.
    pub fn id(&self) -> String {
        format!("{}:{}:{}", self.kind.as_str(), self.chat, to_nanos(self.since))
    }
}
