//! How the provider posts: three tries with their number, some deliveries lost, and a pause for good after a hundred failures in a
//! day, after which nothing is sent again.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const TRIES: u32 = 3;
/// Failures in a day after which the provider pauses a webhook.
const FAILURES_MAX: u32 = 100;

/// The provider's way of posting.
pub struct Feed {
    random: StdRng,
    drop_percent: u32,
    failures: u32,
    is_paused: bool,
}

impl Feed {
    /// Loses so many deliveries in a hundred, the same ones for the same seed.
    pub fn new(seed: u64, drop_percent: u32) -> Self {
        Self { random: StdRng::seed_from_u64(seed), drop_percent, failures: 0, is_paused: false }
    }

    /// Posts a delivery with `post`, which is told the number of the try and tells whether it was answered well. Returns whether
    /// it arrived.
    pub fn sends(&mut self, mut post: impl FnMut(u32) -> bool) -> bool {
        if self.is_paused || self.random.random_range(0..100) < self.drop_percent {
            return false;
        }
        for number in 1..=TRIES {
            if post(number) {
                return true;
            }
            self.failures += 1;
        }
        self.is_paused = self.failures >= FAILURES_MAX;
        false
    }

    /// It posts nothing any more.
    #[cfg(test)]
    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Somebody lifts the pause, or another day begins. What was not sent meanwhile is not sent again.
    #[cfg(test)]
    pub fn resumes(&mut self) {
        (self.failures, self.is_paused) = (0, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_that_fails_a_hundred_times_is_paused_and_nothing_is_sent_again() {
        let mut feed = Feed::new(1, 0);
        let mut numbers = Vec::new();
        assert!(feed.sends(|number| {
            numbers.push(number);
            number == 3
        }));
        assert_eq!(numbers, [1, 2, 3]);
        for _ in 0..33 {
            assert!(!feed.sends(|_| false));
        }
        assert!(feed.is_paused());
        assert!(!feed.sends(|_| panic!("nothing is sent")));
        feed.resumes();
        assert!(feed.sends(|_| true));
    }

    #[test]
    fn so_many_in_a_hundred_are_lost() {
        let mut feed = Feed::new(7, 20);
        let arrived = (0..1_000).filter(|_| feed.sends(|_| true)).count();
        assert!((700..900).contains(&arrived), "{arrived}");
        let mut nothing = Feed::new(7, 100);
        assert!(!nothing.sends(|_| true));
    }
}
