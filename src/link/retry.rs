//! What follows from an answer: it counts, it is asked again after a pause, or it is given up.

use std::time::Duration;

/// Questions of one kind that are asked before it is given up for this time.
pub const TRIES_MAX: u32 = 7;
/// The pause after the first failure; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// The longest pause that the provider may ask for.
const ADVISED_MAX: Duration = Duration::from_mins(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// An answer with this status, and the pause that it asks for.
    Status(u16, Option<Duration>),
    /// No whole answer, or none in time.
    Nothing,
    /// An answer of 200 that is not what the route answers.
    Unreadable,
    /// More bytes than are taken.
    TooLarge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Use,
    /// Ask again after this pause.
    Again(Duration),
    /// Another question would be answered alike.
    GiveUp,
}

/// What to do after the `tries`-th failure, the first being 0; `share` is random, from 0 to 1.
pub fn next(came: Came, tries: u32, share: f64) -> Next {
    let again = |advised: Option<Duration>| {
        if tries + 1 >= TRIES_MAX {
            return Next::GiveUp;
        }
        let grown = PAUSE_MIN.saturating_mul(2_u32.saturating_pow(tries)).min(PAUSE_MAX);
        // At least half of it, so that many hubs do not come back together and none of them comes back at once.
        let pause = grown.mul_f64(share.clamp(0.0, 1.0).mul_add(0.5, 0.5));
        Next::Again(advised.map_or(pause, |advised| advised.min(ADVISED_MAX)))
    };
    match came {
        Came::Status(200..=299, _) => Next::Use,
        Came::Status(408 | 429 | 500..=599, advised) => again(advised),
        Came::Nothing | Came::Unreadable => again(None),
        Came::Status(..) | Came::TooLarge => Next::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(came: Came, tries: u32, share: f64) -> Option<Duration> {
        match next(came, tries, share) {
            Next::Again(pause) => Some(pause),
            Next::Use | Next::GiveUp => None,
        }
    }

    #[test]
    fn pauses_grow_from_a_second_to_a_minute_and_end() {
        let busy = Came::Status(429, None);
        let pauses: Vec<_> = (0..TRIES_MAX).filter_map(|tries| pause(busy, tries, 1.0)).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32].map(Duration::from_secs));
        assert_eq!(pause(Came::Nothing, 1, 0.0), Some(Duration::from_secs(1)), "half of it at least");
        assert_eq!(next(busy, TRIES_MAX - 1, 1.0), Next::GiveUp);
    }

    #[test]
    fn the_provider_says_how_long_to_wait_but_not_for_ever() {
        let advised = |seconds| pause(Came::Status(429, Some(Duration::from_secs(seconds))), 0, 0.5);
        assert_eq!(advised(7), Some(Duration::from_secs(7)));
        assert_eq!(advised(86_400), Some(ADVISED_MAX));
    }

    #[test]
    fn what_would_be_answered_alike_is_not_asked_again() {
        for came in [401, 403, 404, 400, 302].map(|status| Came::Status(status, None)) {
            assert_eq!(next(came, 0, 0.5), Next::GiveUp, "{came:?}");
        }
        assert_eq!(next(Came::TooLarge, 0, 0.5), Next::GiveUp);
        for came in [Came::Status(500, None), Came::Status(502, None), Came::Nothing, Came::Unreadable] {
            assert!(pause(came, 0, 0.5).is_some(), "{came:?}");
        }
        assert_eq!(next(Came::Status(200, None), 3, 0.5), Next::Use);
    }
}
