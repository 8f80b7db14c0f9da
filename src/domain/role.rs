//! What a message means for direction, waits and silence.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the customer.
    In,
    /// To the customer: by an agent, a bot or a system outside Talk.
    Out,
}

/// What a message means for the waiting clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The customer said something: starts the clock.
    Customer,
    /// A human, non-private reply: stops it.
    Reply,
    /// A private note: the customer never sees it, and it moves no clock.
    Note,
    /// What we wrote and nobody received, because sending it failed: it moves no clock.
    Undelivered,
    /// Bots, reactions, campaigns, systems outside Talk: neither.
    Other,
}

impl Role {
    /// True where the message ends the silence in its chat: whatever reached both sides. Reactions are not asked.
    pub fn ends_silence(self) -> bool {
        !matches!(self, Self::Note | Self::Undelivered)
    }

    /// True where the message opens the 24 hours in which WhatsApp lets a team answer freely.
    pub fn opens_window(self) -> bool {
        self == Self::Customer
    }
}
