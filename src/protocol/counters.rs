//! The hub's counters as clients see them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Stats;

/// The hub's counters at one position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Stats)]
pub struct StatsShape {
    /// Stored contacts of every kind.
    pub total_contacts: i64,
    /// Stored messages, including private notes.
    pub total_messages: i64,
    /// Stored chats of every kind.
    pub total_chats: i64,
    /// Open direct chats, including waiting ones.
    pub open_chats: i64,
    /// Direct chats in the waiting list.
    pub waiting_chats: i64,
    /// Messages of direct chats since midnight in the hub's time zone.
    pub messages_today: i64,
    /// The position up to which events are counted.
    pub as_of_seq: i64,
}

impl StatsShape {
    /// The counters as they are sent. `today` was counted in the hub's time zone.
    pub fn new(stats: &Stats, today: i64) -> Self {
        Self {
            total_contacts: stats.total_contacts,
            total_messages: stats.total_messages,
            total_chats: stats.total_chats,
            open_chats: stats.open_chats,
            waiting_chats: stats.waiting_chats,
            messages_today: today,
            as_of_seq: stats.as_of.0,
        }
    }
}
