//! Whether a backfill is to be read now, and which one comes after it.

use std::time::{Duration, Instant};

use super::{Backfill, BackfillStep, Reach};
use crate::journal::BackfillProgress;
use crate::link::fault::LinkError;
use crate::protocol::link::BackfillShape;
use crate::telemetry::clock;

/// How soon a backfill goes on that could not.
const AFTER_FAILURE: Duration = Duration::from_mins(1);
/// The same while the token is refused.
const NOT_ALLOWED_EVERY: Duration = Duration::from_hours(1);

#[derive(Default)]
pub struct BackfillTurn {
    running: Option<Backfill>,
    /// Days of the next one while none is running. A running one knows itself what comes after it.
    next: Option<u32>,
    /// When the running one goes on; `None`: at once.
    resumes_at: Option<Instant>,
}

impl BackfillTurn {
    /// Goes on with what an earlier run of the hub began. Where none was so long as the setting wants, another one begins.
    pub fn begin(&mut self, known: Option<&BackfillProgress>, days: u32) {
        if let Some(progress) = known.filter(|progress| progress.ended_at.is_none()) {
            log::info!("backfill: going on after {} chats", progress.done);
            self.running = Some(Backfill::resume(progress.clone()));
        }
        if self.running.is_none() {
            self.next = known.and_then(|progress| progress.next_days);
        }
        if days > known.map_or(0, |progress| progress.days) {
            self.order(days);
        }
    }

    /// Somebody wants one of so many days. It comes after the running one, unless that is as long.
    pub fn order(&mut self, days: u32) {
        let Some(running) = &mut self.running else {
            self.next = self.next.max(Some(days));
            return;
        };
        let BackfillShape { days: running_days, next_days, .. } = running.shape();
        if Some(days) > next_days.max(Some(running_days)) {
            running.precede(days);
            // That is recorded with its next step.
            self.resumes_at = None;
        }
    }

    /// Ends the rest of the running one: what held it up may be over.
    pub fn end_rest(&mut self) {
        self.resumes_at = None;
    }

    /// How long there is nothing to do for it; `None`: until somebody wants one.
    pub fn rest(&mut self, now: Instant) -> Option<Duration> {
        if self.running.is_none() {
            let days = self.next.take()?;
            log::info!("backfill: reading the chats of the last {days} days");
            self.running = Some(Backfill::begin(days, clock::now()));
            self.resumes_at = None;
        }
        Some(self.resumes_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now)))
    }

    pub fn step(&mut self, reach: &mut Reach<'_>) -> Result<BackfillStep, LinkError> {
        self.running.as_mut().map_or(Ok(BackfillStep::Ended), |running| running.step(reach))
    }

    /// Takes how a piece went. Returns how long it rests.
    pub fn note(&mut self, stepped: Result<BackfillStep, LinkError>, now: Instant) -> Duration {
        let Some(running) = &mut self.running else { return AFTER_FAILURE };
        let rest = match stepped {
            Ok(BackfillStep::Went | BackfillStep::Ended) => {
                running.hold_up(None);
                Duration::ZERO
            }
            Ok(BackfillStep::Wait(wait)) => wait,
            Err(error) => {
                log::warn!("backfill: {error}");
                let is_refused = matches!(error, LinkError::NotAllowed(_));
                running.hold_up(Some(error.to_string()));
                if is_refused { NOT_ALLOWED_EVERY } else { AFTER_FAILURE }
            }
        };
        self.resumes_at = Some(now + rest);
        rest
    }

    /// How far it has come; `None` where none is running.
    pub fn shape(&mut self) -> Option<BackfillShape> {
        let shape = self.running.as_ref()?.shape();
        if shape.ended_at.is_some() {
            self.running = None;
            self.next = shape.next_days;
        }
        Some(shape)
    }
}
