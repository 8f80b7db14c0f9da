//! What follows from handing a message to the provider. Pure.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::domain::MessageId;
use crate::link::client::Posted;
use crate::link::retry::{self, Next, TryOutcome};
use crate::umbler::api::sending::{refusal, taken};

/// How long a message is tried that was not taken in: after that somebody else may have answered.
const TRIED_FOR: Duration = Duration::from_mins(10);
/// The failure from which on the pause grows no more.
const FAILURES_MAX: u32 = 6;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendVerdict {
    Sent(MessageId),
    /// The provider refused it, in its words.
    Refused(String),
    /// It was not taken in, and why. Another attempt follows after this pause.
    Again(Duration, String),
    /// It was not taken in for so long that it is given up.
    Unreachable(String),
    /// It may have been taken in or not.
    Unclear(String),
}

/// Judges the outcome of a try, the first of which was at `begun`; `share` is random, from 0 to 1.
pub fn judge(posted: &Posted, failures: u32, begun: Instant, now: Instant, share: f64) -> SendVerdict {
    let again = |advised: Option<Duration>, reason: &str| {
        if now.saturating_duration_since(begun) >= TRIED_FOR {
            return SendVerdict::Unreachable(reason.to_owned());
        }
        match retry::next(TryOutcome::Status(429, advised), failures.min(FAILURES_MAX - 1), share) {
            Next::Retry(pause) => SendVerdict::Again(pause, reason.to_owned()),
            Next::Use | Next::GiveUp => SendVerdict::Unreachable(reason.to_owned()),
        }
    };
    match posted {
        Posted::NotConnected(reason) => again(None, reason),
        Posted::Unanswered(reason) => SendVerdict::Unclear(reason.clone()),
        Posted::Answered { status: 200..=299, bytes, .. } => match taken(bytes, Timestamp::UNIX_EPOCH) {
            Some(id) => SendVerdict::Sent(id),
            None => SendVerdict::Unclear("the answer names no message".to_owned()),
        },
        Posted::Answered { status: 429, retry_after, .. } => again(*retry_after, "status 429"),
        Posted::Answered { status: status @ (408 | 500..), .. } => {
            SendVerdict::Unclear(format!("status {status}"))
        }
        Posted::Answered { status, bytes, .. } => SendVerdict::Refused(
            refusal(bytes, Timestamp::UNIX_EPOCH).unwrap_or_else(|| format!("status {status}")),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Posted {
        Posted::Answered { status, bytes: body.as_bytes().to_vec(), retry_after: None, date: None }
    }

    fn verdict(posted: &Posted) -> SendVerdict {
        let now = Instant::now();
        judge(posted, 0, now, now, 1.0)
    }

    #[test]
    fn only_what_cannot_have_arrived_is_sent_again() {
        for (posted, expected) in [
            (answered(200, r#"{"id":"m"}"#), SendVerdict::Sent("m".into())),
            (answered(200, "<html>"), SendVerdict::Unclear("the answer names no message".into())),
            (answered(400, r#"{"message":"Sem crédito"}"#), SendVerdict::Refused("Sem crédito".into())),
            (answered(403, ""), SendVerdict::Refused("status 403".into())),
            (answered(302, ""), SendVerdict::Refused("status 302".into())),
            (answered(408, ""), SendVerdict::Unclear("status 408".into())),
            (answered(502, "<html>"), SendVerdict::Unclear("status 502".into())),
            (answered(429, ""), SendVerdict::Again(Duration::from_secs(1), "status 429".into())),
            (
                Posted::NotConnected("refused".into()),
                SendVerdict::Again(Duration::from_secs(1), "refused".into()),
            ),
            (Posted::Unanswered("reset".into()), SendVerdict::Unclear("reset".into())),
        ] {
            assert_eq!(verdict(&posted), expected, "{posted:?}");
        }
    }

    #[test]
    fn a_provider_that_cannot_be_reached_is_tried_for_ten_minutes() {
        let (refused, begun) = (Posted::NotConnected("refused".into()), Instant::now());
        let after = |minutes: u64| judge(&refused, 400, begun, begun + Duration::from_mins(minutes), 1.0);
        assert!(matches!(after(9), SendVerdict::Again(pause, _) if pause <= Duration::from_mins(1)));
        assert_eq!(after(10), SendVerdict::Unreachable("refused".into()));
    }
}
