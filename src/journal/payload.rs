//! What a record asks for, as plain data. What each of them does is said in `kinds`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::auth::Revocation;
use crate::domain::register::to_nanos;
use crate::domain::{AlertKind, ChatId, Delivery, EventId, Member, Seq};
use crate::protocol::SettingsShape;
use crate::protocol::link::LinkAlert;
use crate::protocol::shapes::NamedShape;

/// What a record asks for.
#[derive(Debug)]
pub enum Payload {
    /// A delivery with an id and a type.
    Delivery(Box<Delivery>),
    /// A posted JSON object without an id or a type: kept raw, no event.
    Ignored {
        /// Which part is missing.
        reason: String,
        /// Its id, where it has one.
        event_id: Option<EventId>,
    },
    /// A notice to the screens of one user, from the company's own backend.
    Notice(Notice),
    /// Entries of the directory to be set, or taken out where they have no name: all of them or none.
    Members(Vec<Member>),
    /// Other settings, from an admin.
    Settings(Box<SettingsChange>),
    /// What happens to one alert.
    Alert(AlertRequest),
    /// Tokens of a user that count no more.
    Revocation(Revocation),
    /// Alerts were posted to the alert webhook up to here.
    AlertsPosted(Seq),
    /// How far what the provider knows is known here.
    Link(LinkProgress),
    /// All that is wrong with the link to the provider's API.
    LinkAlerts(Vec<LinkAlert>),
}

/// How far what the provider knows is known here, by comparing with its API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkProgress {
    /// Everything that happened up to here is known; `None`: it was never compared to its end.
    pub complete_until: Option<Timestamp>,
    /// The provider shows nothing earlier; `None`: that was not met.
    pub available_from: Option<Timestamp>,
}

/// A notice to the screens of one user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notice {
    /// The user, as tokens name them in `sub`.
    pub user: String,
    /// Anything; handed on as it came.
    pub data: Box<RawValue>,
}

/// Settings to be in force from here on, all of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingsChange {
    /// All of them, with the hub's time zone.
    pub settings: SettingsShape,
    /// Only where the settings in force were saved at one of these positions, 0 standing for the defaults. `None`:
    /// whatever was saved.
    pub only_after: Option<Vec<Seq>>,
    /// Who saves them.
    pub by: NamedShape,
}

/// What is to happen to an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AlertRequest {
    /// A deadline passed.
    #[serde(rename_all = "camelCase")]
    Raise {
        /// The alert.
        alert: AlertKey,
        /// When its deadline passed.
        due_at: Timestamp,
    },
    /// Its reason is gone.
    Clear(AlertKey),
    /// Somebody takes note of it.
    Acknowledge {
        /// The alert's id.
        id: String,
        /// Who.
        by: NamedShape,
    },
}

/// What makes an alert this one and no other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AlertKey {
    /// Which deadline.
    pub kind: AlertKind,
    /// Of which chat.
    pub chat: ChatId,
    /// What it is counted from.
    pub since: Timestamp,
}

impl AlertKey {
    /// The same for the same wait, however often the hub is started.
    pub fn id(&self) -> String {
        format!("{}:{}:{}", self.kind.as_str(), self.chat, to_nanos(self.since))
    }
}
