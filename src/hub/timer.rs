//! A timer of the hub, set to the earliest time that is asked for.

use std::time::{Duration, Instant};

use actix::prelude::*;

use super::UmblerHub;

/// The longest that a timer runs. Deadlines are times of the wall clock, which may be set meanwhile; that is
/// noticed within this time.
const RUNS_MAX: Duration = Duration::from_secs(30);
/// A timer that would fire at most this much later than asked is not set again. actix counts milliseconds.
const LATE_MAX: Duration = Duration::from_millis(1);

/// A timer for the earliest time that it was set to.
#[derive(Default)]
pub struct Timer(Option<(Instant, SpawnHandle)>);

impl Timer {
    /// Runs `fire` at `at`, unless the timer fires earlier anyway. `fire` must call [`Timer::fired`]
    /// first.
    pub fn set(
        &mut self,
        at: Instant,
        ctx: &mut Context<UmblerHub>,
        fire: fn(&mut UmblerHub, &mut Context<UmblerHub>),
    ) {
        if let Some((set_to, handle)) = self.0 {
            if set_to <= at + LATE_MAX {
                return;
            }
            ctx.cancel_future(handle);
        }
        let wait = at.saturating_duration_since(Instant::now()).min(RUNS_MAX);
        self.0 = Some((at, ctx.run_later(wait, fire)));
    }

    /// Notes that the timer has fired.
    pub fn fired(&mut self) {
        self.0 = None;
    }
}
