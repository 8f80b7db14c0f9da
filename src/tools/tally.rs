//! Counts the outcomes of posted deliveries.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ToolError;
use super::post::PostOutcome;

/// Times that are kept for the percentiles. The newest ones replace the oldest.
const TIMES_MAX: usize = 100_000;

/// The outcomes of all deliveries so far.
pub struct Tally {
    counts: Mutex<Counts>,
    begun: Instant,
}

#[derive(Default)]
struct Counts {
    accepted: u64,
    duplicate: u64,
    ignored: u64,
    refused: u64,
    stopped: u64,
    times: Vec<Duration>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { counts: Mutex::default(), begun: Instant::now() }
    }
}

impl Counts {
    fn answered(&self) -> u64 {
        self.accepted + self.duplicate + self.ignored + self.refused
    }
}

impl Tally {
    pub fn count(&self, outcome: PostOutcome, took: Duration) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            PostOutcome::Accepted => counts.accepted += 1,
            PostOutcome::Duplicate => counts.duplicate += 1,
            PostOutcome::Ignored => counts.ignored += 1,
            PostOutcome::Refused(_) => counts.refused += 1,
            PostOutcome::Stopped => {
                counts.stopped += 1;
                return;
            }
        }
        let answered = usize::try_from(counts.answered()).unwrap_or_default();
        if counts.times.len() < TIMES_MAX {
            counts.times.push(took);
        } else if let Some(oldest) = counts.times.get_mut(answered % TIMES_MAX) {
            *oldest = took;
        }
    }

    /// A summary in one line.
    pub fn summary(&self) -> String {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut times = counts.times.clone();
        times.sort_unstable();
        let percentile = |part: usize| {
            let at = times.len().saturating_sub(1) * part / 100;
            times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
        };
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = counts.answered() as f64 / self.begun.elapsed().as_secs_f64().max(0.001);
        format!(
            "{} accepted, {} duplicates, {} ignored, {} refused; {rate:.1}/s, acknowledged in p50 {:.1} ms, p99 {:.1} ms",
            counts.accepted,
            counts.duplicate,
            counts.ignored,
            counts.refused,
            percentile(50),
            percentile(99),
        )
    }

    /// How many posts have ended, whatever the answer was.
    pub fn ended(&self) -> u64 {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.answered() + counts.stopped
    }

    /// Fails where a delivery was refused, or was never answered.
    pub fn verdict(&self) -> Result<(), ToolError> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.refused > 0 {
            return Err(ToolError::Found(format!("{} deliveries were refused", counts.refused)));
        }
        if counts.stopped > 0 {
            return Err(ToolError::Found(format!(
                "{} deliveries were not acknowledged before the stop",
                counts.stopped
            )));
        }
        Ok(())
    }
}
