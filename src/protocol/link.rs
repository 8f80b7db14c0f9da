//! The status of the link to Umbler's API as clients receive it: whether it works, and up to when everything is known.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::EventId;

/// The type of the update that is sent when the link's alerts change.
pub const LINK_UPDATED: &str = "link_updated";

/// The longest backfill, in days: five years. It reads four chats a second at most, so that a longer one would take weeks.
pub const BACKFILL_DAYS_MAX: u32 = 1_825;

/// Whether the link works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// This hub does not use the API: no token is set, or another hub of the cluster has the link.
    #[default]
    Off,
    /// No answer has come yet since the hub started.
    Starting,
    /// The provider answers.
    Ok,
    /// The token is wrong or has expired, or the plan has no API.
    NotAllowed,
    /// The provider does not answer, or only with errors.
    Unreachable,
    /// An answer does not match the question, for example because a parameter was ignored.
    Misled,
    /// The token belongs to several organizations, or to none: set `UMBLER_ORGANIZATION_ID`.
    Undecided,
}

impl LinkState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Starting => "starting",
            Self::Ok => "ok",
            Self::NotAllowed => "not_allowed",
            Self::Unreachable => "unreachable",
            Self::Misled => "misled",
            Self::Undecided => "undecided",
        }
    }
}

/// The link to Umbler's API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Link)]
pub struct LinkShape {
    pub state: LinkState,
    /// Why the link does not work, for people. null: it works.
    pub reason: Option<String>,
    /// Every message until this moment is known. null: no comparison has finished yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub complete_until: Option<Timestamp>,
    /// Umbler's plan hides messages before this moment. null: nothing hidden was noticed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub available_from: Option<Timestamp>,
    /// Most requests that the hub sends to one route within five seconds. null: the link is off.
    pub requests_per_5_seconds: Option<usize>,
    /// The newest comparison with Umbler. null: none has ended yet.
    pub sweep: Option<SweepShape>,
    /// Whether webhooks arrive. null: no comparison has ended yet.
    pub silence: Option<SilenceShape>,
    /// The newest check of the webhook. null: none has been made yet.
    pub webhook: Option<WebhookShape>,
    /// The newest read of the agents. null: none has been made yet.
    pub directory: Option<DirectoryShape>,
    /// Who is online in Umbler Talk. null: not known at this hub, or the user does not see all chats and lines.
    pub online: Option<OnlineShape>,
    /// The newest reading of earlier history; null: there was none.
    pub backfill: Option<BackfillShape>,
    /// Problems that somebody should look at.
    pub alerts: Vec<LinkAlert>,
}

/// A reading of the chats and messages of days before now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkBackfill)]
pub struct BackfillShape {
    /// How many days before its beginning it reaches back.
    pub days: u32,
    /// When it began, by the hub's clock.
    #[schema(value_type = String, format = DateTime)]
    pub begun_at: Timestamp,
    /// When it came to its end; null: it has not yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Chats that were read so far.
    pub done: u64,
    /// Chats there are to read; null until they are counted.
    pub total: Option<u64>,
    /// Messages that the hub did not know before.
    pub messages: u64,
    /// Chats that could not be read to their end.
    pub skipped: u64,
    /// Days of the longer one that comes after it; null: none was ordered.
    pub next_days: Option<u32>,
    /// What was odd, or why it waits; null: nothing.
    pub problem: Option<String>,
}

/// A problem with the link or with the webhooks. It does not concern a single chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkAlert {
    pub kind: LinkAlertKind,
    /// When the hub first noticed it.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// With `deliveries_lost`: how many messages no webhook brought. Otherwise null.
    pub count: Option<usize>,
}

/// A kind of problem with the link or with the webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkAlertKind {
    /// The hub found messages that no webhook brought.
    DeliveriesLost,
    /// No webhook has come for 15 minutes, and the hub cannot ask Umbler whether there was anything to send.
    SilentUnverified,
    /// The webhook is paused: Umbler sends nothing until somebody lifts the pause.
    WebhookPaused,
    /// None of Umbler's webhooks posts to this hub.
    WebhookMissing,
    /// The token is refused.
    NotAllowed,
    /// An answer of the API does not match the question.
    Misled,
}

/// The content of a `link_updated` update. Like any other update it has a position and can be recovered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkUpdated)]
pub struct LinkData<'a> {
    /// `link:` followed by a random id.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// `link_updated`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// All problems that exist now. Empty: there are none any more.
    link_alerts: &'a [LinkAlert],
    /// How far the newest backfill has come; null: there was none.
    backfill: Option<&'a BackfillShape>,
}

impl<'a> LinkData<'a> {
    pub fn new(
        event_id: &'a EventId,
        link_alerts: &'a [LinkAlert],
        backfill: Option<&'a BackfillShape>,
    ) -> Self {
        let (update_type, changes) = (LINK_UPDATED, [LINK_UPDATED]);
        Self { event_id, update_type, changes, chat: None, contact: None, link_alerts, backfill }
    }
}

/// A comparison of Umbler's chats and messages with the hub's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkSweep)]
pub struct SweepShape {
    /// When it ended or broke off.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// Chats that were compared.
    pub chats: usize,
    /// Messages that were recorded because no webhook had brought them, or because Umbler knew more about them.
    pub messages: usize,
    /// Chats whose state was recorded because no webhook had brought it.
    pub states: usize,
    /// What was odd, or why the comparison broke off. null: it finished without a problem.
    pub problem: Option<String>,
}

/// Whether webhooks arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkSilence)]
pub struct SilenceShape {
    pub finding: Silence,
    /// Messages in the newest comparison that were at least a minute old and that no webhook had brought.
    pub lost: usize,
}

/// Whether webhooks arrive, as judged after a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// A webhook came in the last 15 minutes.
    Heard,
    /// None came in the last 15 minutes, and Umbler has nothing that is missing here.
    Quiet,
    /// The hub found messages that no webhook brought.
    DeliveriesLost,
    /// None came in the last 15 minutes, and the hub cannot ask Umbler whether there was anything to send.
    SilentUnverified,
}

/// A check of Umbler's webhooks: does one of them post everything to this hub?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkWebhook)]
pub struct WebhookShape {
    /// The most serious finding.
    pub finding: WebhookFinding,
    /// When the webhooks were checked.
    #[schema(value_type = String, format = DateTime)]
    pub checked_at: Timestamp,
    /// Names, or ids, of lines whose events are not posted to this hub. Always empty for viewers and for tokens with a limited scope.
    pub channels_missing: Vec<String>,
    /// Types of events that the hub understands and that are not posted to it.
    pub events_missing: Vec<String>,
    /// Names of webhooks that post to other addresses. Always empty for viewers and for tokens with a limited scope.
    pub other_applications: Vec<String>,
}

/// The result of a check of the webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFinding {
    /// A webhook posts everything to this hub.
    Ok,
    /// `UMBLER_WEBHOOK_URL` is not set, so the hub cannot tell which webhook posts to it.
    UnknownAddress,
    /// No webhook posts to this hub.
    Missing,
    /// The webhook is paused: somebody must lift the pause in Umbler's panel.
    Paused,
    /// Events of some lines are not posted to this hub.
    ChannelsMissing,
    /// Some types of events are not posted to this hub.
    EventsMissing,
    /// The token's owner may not see webhooks.
    NotAllowed,
}

/// A read of the agents' names and pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkDirectory)]
pub struct DirectoryShape {
    /// When they were last read.
    #[schema(value_type = String, format = DateTime)]
    pub refreshed_at: Timestamp,
    /// How many agents have a name in Umbler.
    pub members: usize,
    /// How many sectors, lines and tags have one.
    pub names: usize,
}

/// Who is online in Umbler Talk, as far as the hub was told a minute ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkOnline)]
pub struct OnlineShape {
    /// When it was read. It is read every minute, and is null again where it cannot be.
    #[schema(value_type = String, format = DateTime)]
    pub read_at: Timestamp,
    /// At most 2,000 agents, in the order of their ids, with the names that the directory has for them.
    pub agents: Vec<OnlineAgentShape>,
}

/// An agent who has Umbler Talk open, whether or not there are chats to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OnlineAgent)]
pub struct OnlineAgentShape {
    pub id: String,
    /// The name in the directory, else the one in Umbler. null: there is neither.
    pub name: Option<String>,
}

impl LinkShape {
    /// The status without names of lines, webhooks and agents, for callers who may not see all of them.
    #[must_use]
    pub fn narrowed(mut self) -> Self {
        if let Some(webhook) = &mut self.webhook {
            webhook.channels_missing.clear();
            webhook.other_applications.clear();
        }
        self.online = None;
        self
    }
}
