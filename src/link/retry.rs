//! Decides what follows from a try: use the answer, try again after a pause, or give up. Pure.

use std::time::Duration;

/// Most tries of one request.
pub const TRIES_MAX: u32 = 7;
/// The pause after the first failure. Each further pause is twice as long, up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// The longest pause that is taken over from the provider's `Retry-After`.
const ADVISED_MAX: Duration = Duration::from_mins(5);

/// How a try of a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryOutcome {
    /// An answer came, with this status and the pause that its `Retry-After` asks for.
    Status(u16, Option<Duration>),
    /// No answer came in time, or only a part of one.
    NoAnswer,
    /// The status is 200, but the body is not what this route answers.
    Unreadable,
    /// The answer has more bytes than the client reads.
    TooLarge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Use,
    /// Try again after this pause.
    Retry(Duration),
    /// Another try would be answered alike, or all tries are used up.
    GiveUp,
}

/// What to do after a try. `tries` counts the failed tries before it; `jitter` is a random number from 0 to 1.
pub fn next(outcome: TryOutcome, tries: u32, jitter: f64) -> Next {
    let retry = |advised: Option<Duration>| {
        if tries + 1 >= TRIES_MAX {
            return Next::GiveUp;
        }
        let longest = PAUSE_MIN.saturating_mul(2_u32.saturating_pow(tries)).min(PAUSE_MAX);
        // A random half is added to a fixed half: many hubs do not retry together, and none of them retries at once.
        let pause = longest.mul_f64(jitter.clamp(0.0, 1.0).mul_add(0.5, 0.5));
        Next::Retry(advised.map_or(pause, |advised| advised.min(ADVISED_MAX)))
    };
    match outcome {
        TryOutcome::Status(200..=299, _) => Next::Use,
        TryOutcome::Status(status, advised) if is_temporary(status) => retry(advised),
        TryOutcome::NoAnswer | TryOutcome::Unreadable => retry(None),
        TryOutcome::Status(..) | TryOutcome::TooLarge => Next::GiveUp,
    }
}

/// True for a status of an HTTP answer that may be another one a moment later: a time-out, too many requests, or a fault of the
/// server.
pub fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(outcome: TryOutcome, tries: u32, jitter: f64) -> Option<Duration> {
        match next(outcome, tries, jitter) {
            Next::Retry(pause) => Some(pause),
            Next::Use | Next::GiveUp => None,
        }
    }

    #[test]
    fn pauses_grow_from_a_second_to_a_minute_and_end() {
        let busy = TryOutcome::Status(429, None);
        let pauses: Vec<_> = (0..TRIES_MAX).filter_map(|tries| pause(busy, tries, 1.0)).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32].map(Duration::from_secs));
        assert_eq!(pause(TryOutcome::NoAnswer, 1, 0.0), Some(Duration::from_secs(1)), "at least half of it");
        assert_eq!(next(busy, TRIES_MAX - 1, 1.0), Next::GiveUp);
    }

    #[test]
    fn the_provider_says_how_long_to_wait_but_not_for_ever() {
        let advised = |seconds| pause(TryOutcome::Status(429, Some(Duration::from_secs(seconds))), 0, 0.5);
        assert_eq!(advised(7), Some(Duration::from_secs(7)));
        assert_eq!(advised(86_400), Some(ADVISED_MAX));
    }

    #[test]
    fn a_request_that_would_be_answered_alike_is_not_tried_again() {
        for outcome in [401, 403, 404, 400, 302].map(|status| TryOutcome::Status(status, None)) {
            assert_eq!(next(outcome, 0, 0.5), Next::GiveUp, "{outcome:?}");
        }
        assert_eq!(next(TryOutcome::TooLarge, 0, 0.5), Next::GiveUp);
        for outcome in [
            TryOutcome::Status(500, None),
            TryOutcome::Status(502, None),
            TryOutcome::NoAnswer,
            TryOutcome::Unreadable,
        ] {
            assert!(pause(outcome, 0, 0.5).is_some(), "{outcome:?}");
        }
        assert_eq!(next(TryOutcome::Status(200, None), 3, 0.5), Next::Use);
    }
}
