//! How fast a backfill writes: screens and disks have their own work.

use std::time::{Duration, Instant};

/// One delivery in this time at most: fifty a second.
pub const DELIVERY_EVERY: Duration = Duration::from_millis(20);

/// When the next delivery may go to the journal.
#[derive(Debug, Default)]
pub struct JournalPace {
    next: Option<Instant>,
}

impl JournalPace {
    /// Takes the next place, and tells how long to wait for it.
    pub fn next(&mut self, now: Instant) -> Duration {
        let at = self.next.map_or(now, |next| next.max(now));
        self.next = Some(at + DELIVERY_EVERY);
        at.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_sees_more_than_fifty_deliveries_and_a_pause_saves_none_up() {
        let begun = Instant::now();
        let (mut pace, mut now) = (JournalPace::default(), begun);
        for _ in 0..50 {
            now += pace.next(now);
        }
        assert_eq!(now - begun, 49 * DELIVERY_EVERY);
        let later = now + Duration::from_secs(5);
        assert_eq!((pace.next(later), pace.next(later)), (Duration::ZERO, DELIVERY_EVERY));
    }
}
