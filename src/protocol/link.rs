//! What is told of the link to Umbler's API: whether it works, and up to when everything is known.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::EventId;

/// The type of an update that tells what is wrong with the link, or is no more.
pub const LINK_UPDATED: &str = "link_updated";

/// How the link is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// No `UMBLER_API_TOKEN` is set: nothing is asked.
    #[default]
    Off,
    /// It was not heard of yet.
    Starting,
    /// The provider answers, and what it answers is understood.
    Ok,
    /// The token is wrong or has expired, or the plan has no API.
    NotAllowed,
    /// The provider does not answer.
    Unreachable,
    /// The provider answers something else than was asked.
    Misled,
    /// The token belongs to several organizations, or to none.
    Undecided,
}

impl LinkState {
    /// The word of the wire.
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
    /// How it is.
    pub state: LinkState,
    /// What is wrong, for people.
    pub reason: Option<String>,
    /// Everything that happened up to here is known; null: it was never compared to its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub complete_until: Option<Timestamp>,
    /// The provider shows nothing that happened earlier; null: that was not met.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub available_from: Option<Timestamp>,
    /// Requests on one route within five seconds at most.
    pub requests_per_5_seconds: Option<usize>,
    /// The newest comparison of messages; null before the first.
    pub sweep: Option<SweepShape>,
    /// Whether webhooks come; null before the first comparison.
    pub silence: Option<SilenceShape>,
    /// The newest look at where the provider posts to; null before the first.
    pub webhook: Option<WebhookShape>,
    /// The newest look at the agents; null before the first.
    pub directory: Option<DirectoryShape>,
    /// What is wrong and somebody should look at.
    pub alerts: Vec<LinkAlert>,
}

/// Something that is wrong with the link or with what webhooks bring. It concerns no chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkAlert {
    /// What.
    pub kind: LinkAlertKind,
    /// Since when, as far as the hub knows.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// How many messages no webhook brought, with `deliveries_lost`.
    pub count: Option<usize>,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkAlertKind {
    /// Messages were found that no webhook brought.
    DeliveriesLost,
    /// No webhook came for a while, and the provider cannot be asked whether there was something to tell.
    SilentUnverified,
    /// The provider posts nothing any more.
    WebhookPaused,
    /// No webhook posts here.
    WebhookMissing,
    /// The token is refused.
    NotAllowed,
    /// The provider answers something else than was asked.
    Misled,
}

/// The update that tells it: one like the others, so that it is recovered and counted like them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkUpdated)]
pub struct LinkData<'a> {
    /// `link:` and an id of its own.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// `link_updated`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// All that is wrong now; empty where nothing is any more.
    link_alerts: &'a [LinkAlert],
}

impl<'a> LinkData<'a> {
    /// All that is wrong now.
    pub fn new(event_id: &'a EventId, link_alerts: &'a [LinkAlert]) -> Self {
        let (update_type, changes) = (LINK_UPDATED, [LINK_UPDATED]);
        Self { event_id, update_type, changes, chat: None, contact: None, link_alerts }
    }
}

/// A comparison of what the provider knows with what is known here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkSweep)]
pub struct SweepShape {
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// Chats that were looked at.
    pub chats: usize,
    /// Messages that no webhook had brought, or of which more was known.
    pub messages: usize,
    /// Chats whose state no webhook had told.
    pub states: usize,
    /// What was odd, or why it broke off; null: nothing.
    pub problem: Option<String>,
}

/// Whether webhooks come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkSilence)]
pub struct SilenceShape {
    /// What the comparison says of it.
    pub finding: Silence,
    /// Messages that should have come by webhook a minute ago, and did not; of the newest comparison.
    pub lost: usize,
}

/// What is known of a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// Webhooks came lately.
    Heard,
    /// None came, and there was nothing to tell.
    Quiet,
    /// Messages were found that no webhook brought.
    DeliveriesLost,
    /// None came, and the provider cannot be asked.
    SilentUnverified,
}

/// Where the provider posts to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkWebhook)]
pub struct WebhookShape {
    /// The gravest of what was found.
    pub finding: WebhookFinding,
    /// When it was looked at.
    #[schema(value_type = String, format = DateTime)]
    pub checked_at: Timestamp,
    /// Lines whose deliveries do not come here: their names, or ids. Empty for viewers and limited tokens.
    pub channels_missing: Vec<String>,
    /// Types of events that the hub understands and that are not posted.
    pub events_missing: Vec<String>,
    /// Other applications that lines are bound to. Empty for viewers and limited tokens.
    pub other_applications: Vec<String>,
}

/// What was found of the webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFinding {
    /// It posts everything here.
    Ok,
    /// `UMBLER_WEBHOOK_URL` is not set, so it is not known which one is ours.
    UnknownAddress,
    /// No webhook posts here.
    Missing,
    /// It posts nothing any more: somebody must lift the pause in the provider's panel.
    Paused,
    /// Some lines post elsewhere, or nowhere.
    ChannelsMissing,
    /// Some types of events are not posted.
    EventsMissing,
    /// The token's owner may not look at webhooks.
    NotAllowed,
}

/// The agents, as the provider names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkDirectory)]
pub struct DirectoryShape {
    /// When they were asked for last.
    #[schema(value_type = String, format = DateTime)]
    pub refreshed_at: Timestamp,
    /// How many have a name there.
    pub members: usize,
}

impl LinkShape {
    /// Without what tells of lines that not everybody sees.
    #[must_use]
    pub fn narrowed(mut self) -> Self {
        if let Some(webhook) = &mut self.webhook {
            webhook.channels_missing.clear();
            webhook.other_applications.clear();
        }
        self
    }
}
