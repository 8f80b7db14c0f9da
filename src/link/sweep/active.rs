//! Dates the state that a list of chats shows of each of them.

use jiff::{SignedDuration, Timestamp};

use crate::link::shifted;
use crate::umbler::api::ChatItem;

/// A chat's state is dated this far before the provider's clock, so that the next webhook counts as newer.
const STATE_BEHIND: SignedDuration = SignedDuration::from_secs(5);
/// Where the provider does not tell its clock, a chat's state is dated this far before the hub's own.
pub const UNTOLD_BEHIND: SignedDuration = SignedDuration::from_secs(30);

/// A chat of a list.
pub struct Active {
    pub item: ChatItem,
    /// The time that orders its state among its deliveries.
    pub at: Timestamp,
    pub received_at: Timestamp,
    /// How far the provider's clock is ahead of the hub's, as far as that is known.
    pub clock_ahead: SignedDuration,
}

impl Active {
    /// The chats of a page. `date` is the provider's clock when it answered.
    pub fn of_page(items: Vec<ChatItem>, date: Option<Timestamp>, received_at: Timestamp) -> Vec<Self> {
        let at = date
            .map_or_else(|| shifted(received_at, -UNTOLD_BEHIND), |date| shifted(date, -STATE_BEHIND))
            .min(received_at);
        let clock_ahead = date.map_or(SignedDuration::ZERO, |date| date.duration_since(received_at));
        let clock_ahead = clock_ahead.max(SignedDuration::ZERO);
        items.into_iter().map(|item| Self { item, at, received_at, clock_ahead }).collect()
    }
}
