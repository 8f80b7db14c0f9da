//! Messages that go out through the hub, from the request to the provider's answer, and the update that tells of each step.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shapes::{MessageShape, NamedShape};
use crate::domain::EventId;

/// The type of an update that tells what became of a message that goes out.
pub const OUTBOX_UPDATED: &str = "outbox_updated";

/// What became of a message that goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// It waits for its turn.
    Queued,
    /// It is being handed to the provider.
    Sending,
    /// The provider may have it or not: its answer did not come. It is looked for.
    Unclear,
    /// The provider has it. How far it came is told by the message itself.
    Sent,
    /// The provider does not have it.
    Failed,
    /// It was looked for and not found. Whether it arrived is not known, so a person decides.
    Unconfirmed,
    /// A person dropped it after it failed.
    Discarded,
}

impl OutboxState {
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Sending,
        Self::Unclear,
        Self::Sent,
        Self::Failed,
        Self::Unconfirmed,
        Self::Discarded,
    ];

    /// The word of the wire and of the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Unclear => "unclear",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unconfirmed => "unconfirmed",
            Self::Discarded => "discarded",
        }
    }

    /// The state with this word; `None` if a newer hub wrote it.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// True where a person may have it sent again, or drop it.
    pub fn is_for_a_person(self) -> bool {
        matches!(self, Self::Failed | Self::Unconfirmed)
    }
}

/// Why a message did not go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutboxReason {
    /// The chat was closed before its turn came.
    ChatClosed,
    /// The 24 hours after the customer's last message were over.
    WindowClosed,
    /// The provider refused it. `detail` has its words.
    Refused,
    /// The provider could not be reached, or was too busy, for ten minutes.
    Unreachable,
    /// The provider took it and could not deliver it.
    Undelivered,
    /// The provider's answer did not come, and the message was not found.
    NotFound,
}

impl OutboxReason {
    pub const ALL: [Self; 6] = [
        Self::ChatClosed,
        Self::WindowClosed,
        Self::Refused,
        Self::Unreachable,
        Self::Undelivered,
        Self::NotFound,
    ];

    /// The word of the wire and of the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChatClosed => "chat_closed",
            Self::WindowClosed => "window_closed",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Undelivered => "undelivered",
            Self::NotFound => "not_found",
        }
    }

    /// The reason with this word; `None` if a newer hub wrote it.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// A message that goes out through the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OutboxEntry)]
pub struct OutboxShape {
    /// The hub's id of it: the same for the same `tempId`.
    pub id: String,
    /// The id that the sender chose, or one that the hub chose.
    pub temp_id: String,
    /// The chat that it goes to.
    pub chat_id: String,
    /// How far it got, as far as the hub knows.
    pub state: OutboxState,
    /// Its text; null for viewers, and where the message was deleted for everyone.
    pub text: Option<String>,
    /// True for a note that only the team sees.
    pub private: bool,
    /// What the customer sees before the text.
    pub prefix: Option<String>,
    /// The user who wrote it.
    pub sent_by: NamedShape,
    /// When the hub took the request to send it.
    #[schema(value_type = String, format = DateTime)]
    pub queued_at: Timestamp,
    /// How often it was handed to the provider.
    pub attempts: u32,
    /// When it was handed to the provider last; null where it was not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub attempted_at: Option<Timestamp>,
    /// When its state changed last.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
    /// The provider's id of the message; null until the provider has it.
    pub message_id: Option<String>,
    /// Why it did not go out; null where it did, or may.
    pub reason: Option<OutboxReason>,
    /// The provider's own words, where it gave any; or what went wrong.
    pub detail: Option<String>,
}

/// The update that tells it: one like the others, so that it is recovered and counted like them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OutboxUpdated)]
pub struct OutboxData<'a> {
    /// `outbox:` and an id of its own.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// The type of the update: `outbox_updated`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// The entry as it is now.
    outbox: &'a OutboxShape,
    /// The message, where it was known before it was known who sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageShape>,
}

impl<'a> OutboxData<'a> {
    /// The entry as it is now.
    pub fn new(event_id: &'a EventId, outbox: &'a OutboxShape, message: Option<MessageShape>) -> Self {
        let (update_type, changes) = (OUTBOX_UPDATED, [OUTBOX_UPDATED]);
        Self { event_id, update_type, changes, chat: None, contact: None, outbox, message }
    }
}
