//! A timer of the hub, set to the earliest moment that something asks for.

use std::time::{Duration, Instant};

use actix::prelude::*;

use super::UmblerHub;

/// How long a timer runs at most. Deadlines are moments of the wall clock, which may be set meanwhile; that is noticed
/// within this.
const RUNS_MAX: Duration = Duration::from_secs(30);
/// A timer that fires at most this much later than asked is not set again: actix counts in milliseconds.
const LATE_MAX: Duration = Duration::from_millis(1);

/// One timer; it runs for the earliest moment it was set to.
#[derive(Default)]
pub struct Timer(Option<(Instant, SpawnHandle)>);

impl Timer {
    /// Runs `fire` at `at`, unless the timer fires before that anyway. `fire` calls [`Timer::fired`] first.
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

    /// The timer has fired, and runs no more.
    pub fn fired(&mut self) {
        self.0 = None;
    }
}
