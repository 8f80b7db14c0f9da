//! What a message means for direction, waits and silence.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the customer to the team.
    In,
    /// To the customer: by an agent, a bot or a system outside Umbler Talk.
    Out,
}

/// What a message means for waits and silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageRole {
    /// The customer wrote: a wait may begin.
    Customer,
    /// A human, public reply: it ends a wait.
    Reply,
    /// A private note: the customer never sees it, and it changes no time.
    Note,
    /// A message of ours that could not be sent: nobody received it, and it changes no time.
    Undelivered,
    /// Bots, reactions, campaigns and systems outside Umbler Talk: they neither begin nor end a wait.
    Other,
}

impl MessageRole {
    /// True where the message ends the silence in its chat: whatever reached the other side. Not asked for
    /// reactions.
    pub fn ends_silence(self) -> bool {
        !matches!(self, Self::Note | Self::Undelivered)
    }

    /// True where the message begins the 24 hours in which WhatsApp lets the team write freely.
    pub fn opens_window(self) -> bool {
        self == Self::Customer
    }
}
