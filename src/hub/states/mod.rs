//! States: a screen is sent only the newest value of each and may miss earlier ones. These are the counters,
//! presence, the hub's status, and the boards of metrics.
//!
//! # Contract
//!
//! 1. The first change is sent at once, then at most one in each interval. The last change is always sent.
//! 2. A session that is too slow for a state is never sent an old one later.

pub mod stats;
pub mod elsewhere;
pub mod presence;
mod presence_push;
pub mod status;
pub mod boards;

pub use presence_push::{PresenceSet, tell_leaving};

use std::time::{Duration, Instant};

/// Decides when a change is sent: at once, or when the interval since the last time is over.
#[derive(Debug)]
pub struct Throttle {
    interval: Duration,
    changed: bool,
    rests_until: Option<Instant>,
}

impl Throttle {
    pub const fn new(interval: Duration) -> Self {
        Self { interval, changed: false, rests_until: None }
    }

    /// Notes that the state differs from what was sent.
    pub fn change(&mut self) {
        self.changed = true;
    }

    /// Notes that nothing needs to be sent: nobody follows, or the state is as it was sent.
    pub fn forget(&mut self) {
        self.changed = false;
    }

    /// Sends nothing before `at`.
    pub fn rest_until(&mut self, at: Instant) {
        self.rests_until = Some(at);
    }

    /// Allows the next change to be sent at once.
    pub fn wake(&mut self) {
        self.rests_until = None;
    }

    /// The earliest time at which anything may be sent; `None` for at once.
    pub fn rests_until(&self) -> Option<Instant> {
        self.rests_until
    }

    /// When the present change must be sent, which may be in the past; `None` if nothing has changed.
    pub fn due_at(&self, now: Instant) -> Option<Instant> {
        self.changed.then(|| self.rests_until.unwrap_or(now))
    }

    /// True if a change must be sent now. It then counts as sent, and the interval begins.
    pub fn take(&mut self, now: Instant) -> bool {
        let is_due = self.due_at(now).is_some_and(|at| at <= now);
        if is_due {
            self.changed = false;
            self.rests_until = Some(now + self.interval);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(250);

    #[test]
    fn the_first_change_is_told_at_once_and_the_last_one_when_the_interval_is_over() {
        let (mut throttle, start) = (Throttle::new(INTERVAL), Instant::now());
        assert!(!throttle.take(start), "nothing has changed");
        throttle.change();
        assert!(throttle.take(start));
        assert_eq!(throttle.due_at(start), None, "it was told");
        throttle.change();
        throttle.change();
        assert!(!throttle.take(start + INTERVAL / 2));
        assert_eq!(throttle.due_at(start), Some(start + INTERVAL));
        assert!(throttle.take(start + INTERVAL));
        assert!(!throttle.take(start + 2 * INTERVAL), "two changes are told as one");
    }

    #[test]
    fn what_nobody_hears_is_not_told_later() {
        let (mut throttle, start) = (Throttle::new(INTERVAL), Instant::now());
        throttle.change();
        throttle.forget();
        assert_eq!((throttle.due_at(start), throttle.take(start)), (None, false));
    }

    #[test]
    fn a_rest_can_be_made_longer_and_ended() {
        let (mut throttle, start) = (Throttle::new(INTERVAL), Instant::now());
        throttle.change();
        throttle.rest_until(start + 4 * INTERVAL);
        assert!(!throttle.take(start + 3 * INTERVAL));
        throttle.wake();
        assert!(throttle.take(start + 3 * INTERVAL));
    }
}
