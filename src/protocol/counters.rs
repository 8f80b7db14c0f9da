//! The hub's counters as clients see them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Stats;

/// The hub's counters at one position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Stats)]
pub struct StatsShape {
    /// Everything stored.
    pub total_contacts: i64,
    /// Everything stored, private notes included.
    pub total_messages: i64,
    /// Everything stored.
    pub total_chats: i64,
    /// Open direct chats, waiting ones included.
    pub open_chats: i64,
    /// Direct chats in the waiting list.
    pub waiting_chats: i64,
    /// Messages of direct chats since midnight in the hub's time zone.
    pub messages_today: i64,
    /// The position that the counters include.
    pub as_of_seq: i64,
}

impl StatsShape {
    /// The wire form of the counters; `today` was counted in the hub's time zone.
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
