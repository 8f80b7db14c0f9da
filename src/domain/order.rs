//! The order of messages: one rule for every list, for the newest message of a chat and for waits.
//!
//! # Contract
//!
//! 1. Messages are ordered by when they happened (`EventAtUTC`). WhatsApp gives whole seconds for what a
//!    customer writes: within such a second the message is placed at the time when the provider created it.
//! 2. Then by when the provider created them (`CreatedAtUTC`). Where no delivery said so, the message counts as
//!    created when it happened.
//! 3. Then by the bytes of their ids, which are base64url. Characters outside its alphabet come after all
//!    others, by code point, so that any two ids have an order.
//!
//! The browser client sorts by the same rule (`static/client/lib/message-order.js`); a test compares the two.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::MessageId;
use super::register::to_nanos;

/// How much later than its stated time a message may be placed, in nanoseconds: the rest of a whole second.
pub const FINER_NANOS: i64 = 999_999_999;
/// Precedes a character outside the alphabet of ids, and sorts after every character inside it.
const FOREIGN: char = 'p';
/// Sorts after every [`OrderKey::tie`] of a message, which begins with a hexadecimal digit.
const AFTER_ALL: &str = "~";

/// What decides the place of a message among the messages of a chat, of a contact or of the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePosition {
    #[serde(with = "super::register::nanos")]
    pub at: Timestamp,
    /// When the provider created it; `None` where no delivery said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    pub id: MessageId,
}

/// A place in the order of messages, in the form that is stored and compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderKey {
    /// When the message happened, made more precise where that is a whole second.
    pub at: Timestamp,
    /// Orders messages of one moment, byte by byte: the creation time in hexadecimal, then the id with each
    /// character replaced by one that sorts like the six bits that it encodes.
    pub tie: String,
}

/// A close of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// When the chat was closed, as the provider says.
    pub at: Timestamp,
    /// When the first delivery that reports the close was emitted.
    pub told_at: Timestamp,
}

impl MessagePosition {
    /// The place in the order of messages.
    pub fn key(&self) -> OrderKey {
        let created_at = self.created_at.unwrap_or(self.at);
        // With the sign flipped, the bytes of negative numbers sort before those of positive ones.
        let created = to_nanos(created_at).cast_unsigned() ^ (1 << 63);
        let tie = format!("{created:016x}{}", sortable(self.id.as_str()));
        OrderKey { at: within_second(self.at, created_at), tie }
    }
}

impl Ord for MessagePosition {
    fn cmp(&self, other: &Self) -> Ordering {
        let rest = |position: &Self| (position.at, position.created_at);
        self.key().cmp(&other.key()).then_with(|| rest(self).cmp(&rest(other)))
    }
}

impl PartialOrd for MessagePosition {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl OrderKey {
    /// The place after every message of this moment.
    pub fn after_all_of(at: Timestamp) -> Self {
        Self { at, tie: AFTER_ALL.to_owned() }
    }
}

impl Close {
    /// The place of the close among messages. A close that is given as a whole second counts as happened when
    /// the first delivery reported it, if that was in the same second.
    pub fn moment(&self) -> Timestamp {
        within_second(self.at, self.told_at)
    }

    /// Takes a close that a delivery reports. The latest close stays, with the earliest delivery that reported
    /// it.
    pub fn keep_latest(known: &mut Option<Self>, told: Self) {
        match known {
            Some(known) if known.at > told.at => {}
            Some(known) if known.at == told.at => known.told_at = known.told_at.min(told.told_at),
            _ => *known = Some(told),
        }
    }
}

/// Makes a time of whole seconds more precise by another time, without leaving its second. Any other time stays
/// as it is.
fn within_second(at: Timestamp, finer: Timestamp) -> Timestamp {
    if at.subsec_nanosecond() != 0 {
        return at;
    }
    let last = at.checked_add(SignedDuration::from_nanos(FINER_NANOS)).unwrap_or(at);
    finer.max(at).min(last)
}

/// An id in characters that sort like the bytes that it encodes in base64url.
pub fn sortable(id: &str) -> String {
    let mut sortable = String::with_capacity(id.len());
    for character in id.chars() {
        if let Some(bits) = six_bits(character) {
            // '0' to 'o'.
            sortable.push(char::from(b'0' + bits));
        } else {
            sortable.push(FOREIGN);
            let digits = (0..6).rev().map(|digit| (u32::from(character) >> (4 * digit)) & 0xf);
            sortable.extend(digits.filter_map(|digit| char::from_digit(digit, 16)));
        }
    }
    sortable
}

/// The value of a character in base64url.
fn six_bits(character: char) -> Option<u8> {
    let byte = u8::try_from(character).ok()?;
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    fn moment(text: &str) -> Timestamp {
        format!("2026-03-02T13:02:{text}Z").parse().unwrap()
    }

    /// In their order. The browser client is tested with the same ones.
    const IN_ORDER: &str = include_str!("../../tests/fixtures/message-order.json");

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Placed {
        at: Timestamp,
        created_at: Option<Timestamp>,
        id: MessageId,
    }

    #[test]
    fn messages_of_one_second_stand_in_the_order_in_which_the_provider_made_them() {
        let placed: Vec<Placed> = serde_json::from_str(IN_ORDER).unwrap();
        let positions: Vec<_> = placed
            .into_iter()
            .map(|Placed { at, created_at, id }| MessagePosition { at, created_at, id })
            .collect();
        for pair in positions.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
    }

    #[test]
    fn the_latest_close_stays_with_the_first_delivery_that_told_of_it() {
        let close = |at: &str, told_at: &str| Close { at: moment(at), told_at: moment(told_at) };
        let mut known = None;
        for told in [close("40", "40.7"), close("30", "30.1"), close("40", "40.5"), close("40", "55")] {
            Close::keep_latest(&mut known, told);
        }
        assert_eq!(known, Some(close("40", "40.5")));
        assert_eq!(known.map(|close| close.moment()), Some(moment("40.5")));
        assert_eq!(close("40.25", "40.7").moment(), moment("40.25"));
    }

    proptest! {
        #[test]
        fn ids_sort_as_the_bytes_that_they_stand_for(one: [u8; 12], other: [u8; 12]) {
            let id = |bytes: [u8; 12]| sortable(&URL_SAFE_NO_PAD.encode(bytes));
            prop_assert_eq!(id(one).cmp(&id(other)), one.cmp(&other));
        }

        #[test]
        fn two_ids_are_never_in_one_place(one in ".{0,4}", other in ".{0,4}") {
            prop_assert_eq!(sortable(&one) == sortable(&other), one == other);
            prop_assert!(sortable(&one).as_str() < AFTER_ALL);
        }
    }
}
