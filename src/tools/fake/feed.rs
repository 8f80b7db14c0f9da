//! Posts deliveries as the provider does: three tries each, and after a hundred failures in a day the webhook is paused until somebody
//! lifts the pause. It can also lose a share of the deliveries.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const TRIES: u32 = 3;
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

    /// Sends a delivery with `post`, which gets the number of the try, from 1, and returns whether the answer was a success. Returns
    /// whether the delivery arrived.
    pub fn send(&mut self, mut post: impl FnMut(u32) -> bool) -> bool {
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

    #[cfg(test)]
    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Lifts the pause. Deliveries of the meantime are not sent again.
    #[cfg(test)]
    pub fn resume(&mut self) {
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
        assert!(feed.send(|number| {
            numbers.push(number);
            number == 3
        }));
        assert_eq!(numbers, [1, 2, 3]);
        for _ in 0..33 {
            assert!(!feed.send(|_| false));
        }
        assert!(feed.is_paused());
        assert!(!feed.send(|_| panic!("nothing is sent")));
        feed.resume();
        assert!(feed.send(|_| true));
    }

    #[test]
    fn the_given_share_of_deliveries_is_lost() {
        let mut feed = Feed::new(7, 20);
        let arrived = (0..1_000).filter(|_| feed.send(|_| true)).count();
        assert!((700..900).contains(&arrived), "{arrived}");
        let mut nothing = Feed::new(7, 100);
        assert!(!nothing.send(|_| true));
    }
}
