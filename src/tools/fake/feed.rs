//! Posts deliveries as the provider does: three tries each, and after a hundred failures in a day the webhook is paused until somebody
//! lifts the pause. It can also lose a share of the deliveries.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How often the provider posts a delivery that is not answered well.
pub const TRIES: u32 = 3;
/// Failures in a day after which the provider pauses a webhook.
const FAILURES_MAX: u32 = 100;

pub struct Feed {
    random: StdRng,
    drop_percent: u32,
    failures: u32,
    is_paused: bool,
}

impl Feed {
    /// Loses `drop_percent` of 100 deliveries. The same seed loses the same ones.
    pub fn new(seed: u64, drop_percent: u32) -> Self {
        Self { random: StdRng::seed_from_u64(seed), drop_percent, failures: 0, is_paused: false }
    }

    /// True where no webhook brings a delivery: it is lost by chance, or the webhook is paused.
    pub fn is_lost(&mut self) -> bool {
        self.is_paused || self.random.random_range(0..100) < self.drop_percent
    }

    /// A try was not answered well. True where that was one too many: the provider pauses the webhook.
    pub fn note_failure(&mut self) -> bool {
        self.failures += 1;
        let is_new = !self.is_paused && self.failures >= FAILURES_MAX;
        self.is_paused |= is_new;
        is_new
    }

    pub fn is_paused(&self) -> bool {
        self.is_paused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_that_fails_a_hundred_times_is_paused_and_nothing_is_sent_any_more() {
        let mut feed = Feed::new(1, 0);
        let paused = (0..200).filter(|_| feed.note_failure()).count();
        assert_eq!(paused, 1, "it is paused once");
        assert!(feed.is_paused() && feed.is_lost());
        let mut other = Feed::new(1, 0);
        assert!((1..FAILURES_MAX).all(|_| !other.note_failure()));
        assert!(!other.is_lost());
    }

    #[test]
    fn the_given_share_of_deliveries_is_lost() {
        let mut feed = Feed::new(7, 20);
        let arrived = (0..1_000).filter(|_| !feed.is_lost()).count();
        assert!((700..900).contains(&arrived), "{arrived}");
        assert!(Feed::new(7, 100).is_lost());
    }
}
