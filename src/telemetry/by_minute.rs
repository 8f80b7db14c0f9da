//! Deliveries by the minute in which they were answered, for the last hour.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// Minutes that are remembered, with the one that runs.
pub const MINUTES: i64 = 60;
const SECONDS: i64 = 60;

/// The deliveries of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct MinuteOfDeliveries {
    /// The first moment of the minute, in UTC.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Deliveries that were answered with 200.
    pub taken: u64,
    /// Deliveries that were answered with any other status, so that the provider posts them again or gives up.
    pub refused: u64,
}

/// Counts from the start of the hub on. In a cluster each hub counts its own deliveries.
#[derive(Debug)]
pub struct DeliveriesByMinute {
    /// When this hub started. What it answered before that is not known.
    pub since: Timestamp,
    /// The oldest first; minutes without a delivery are left out.
    minutes: Mutex<VecDeque<MinuteOfDeliveries>>,
}

impl DeliveriesByMinute {
    pub fn since(since: Timestamp) -> Self {
        Self { since, minutes: Mutex::default() }
    }

    /// Counts a delivery that is answered now. Where the clock was set back, it counts in the newest minute.
    pub fn note(&self, is_taken: bool, now: Timestamp) {
        let at = minute_of(now);
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        if minutes.back().is_none_or(|newest| newest.at < at) {
            minutes.push_back(MinuteOfDeliveries { at, taken: 0, refused: 0 });
            while minutes.front().is_some_and(|oldest| is_over(oldest, now)) {
                minutes.pop_front();
            }
        }
        if let Some(newest) = minutes.back_mut() {
            *(if is_taken { &mut newest.taken } else { &mut newest.refused }) += 1;
        }
    }

    /// The minutes of the last hour with a delivery, the oldest first.
    pub fn minutes(&self, now: Timestamp) -> Vec<MinuteOfDeliveries> {
        let minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        minutes.iter().filter(|minute| !is_over(minute, now)).copied().collect()
    }
}

fn is_over(minute: &MinuteOfDeliveries, now: Timestamp) -> bool {
    minute.at.as_second() <= minute_of(now).as_second() - MINUTES * SECONDS
}

/// When the minute began that `at` lies in.
fn minute_of(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(SECONDS)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn deliveries_count_in_their_minute_for_an_hour_and_never_before_a_newer_one() {
        let counted = DeliveriesByMinute::since(at("2026-03-02T12:59:30Z"));
        for (moment, is_taken) in [
            ("2026-03-02T13:00:00Z", true),
            ("2026-03-02T13:00:59.9Z", false),
            ("2026-03-02T13:02:00Z", true),
            ("2026-03-02T13:01:30Z", true),
        ] {
            counted.note(is_taken, at(moment));
        }
        let minute = |moment, taken, refused| MinuteOfDeliveries { at: at(moment), taken, refused };
        let [first, last] = [minute("2026-03-02T13:00:00Z", 1, 1), minute("2026-03-02T13:02:00Z", 2, 0)];
        assert_eq!(counted.minutes(at("2026-03-02T13:59:59Z")), [first, last]);
        assert_eq!(counted.minutes(at("2026-03-02T14:00:00Z")), [last]);
        // What is over is let go with the next delivery.
        counted.note(true, at("2026-03-02T15:00:00Z"));
        assert_eq!(counted.minutes.lock().unwrap().len(), 1);
    }
}
