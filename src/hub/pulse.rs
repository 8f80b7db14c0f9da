//! What the hub does by the clock: heartbeats, help for sessions that fell behind, the turn of the day.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

use super::UmblerHub;
use super::flow::Flow;
use crate::domain::stats::day_of;
use crate::protocol::{CloseCode, HEARTBEAT_SECONDS};
use crate::telemetry::clock;

/// One tick of the hub.
const TICK: Duration = Duration::from_secs(1);
/// Ticks after which a session that has not read what it was sent is closed.
pub const BEHIND_TICKS_MAX: u32 = 20;
/// Ticks between two times that users who have not come for a while are forgotten.
const FORGET_TICKS: u64 = 60;

/// Where the clockwork stands.
#[derive(Default)]
pub struct Pulse {
    pub(super) ticks: u64,
    /// A change of presence was sent a moment ago.
    pub(super) presence_resting: bool,
    /// The local day of the last tick.
    today: Option<jiff::Timestamp>,
}

impl UmblerHub {
    /// Starts the ticks.
    pub(super) fn start_pulse(ctx: &mut Context<Self>) {
        ctx.run_interval(TICK, Self::tick);
    }

    fn tick(&mut self, ctx: &mut Context<Self>) {
        self.pulse.ticks += 1;
        self.beat();
        self.help_those_behind(ctx);
        self.turn_the_day(ctx);
        self.catch_up_all_metrics(ctx);
        self.tell_status();
        self.presence.expire(self.pulse.ticks);
        self.note_presence(ctx);
        if self.pulse.ticks.is_multiple_of(FORGET_TICKS) {
            self.users.forget_idle();
        }
    }

    /// Each session gets its heartbeat in its own second of the round. One that catches up is told how far it got: it
    /// takes a position whose count agrees for good, and begins there after the next disconnect.
    fn beat(&mut self) {
        let turn = self.pulse.ticks % HEARTBEAT_SECONDS;
        let newest = self.stats.as_of;
        for session in self.sessions.iter_mut().filter(|session| session.beat == turn) {
            session.beat(session.flow.reached(newest));
        }
    }

    /// A session that has read what it had goes on from its position; one that reads nothing for long is closed.
    /// Usually the session itself says that it has read all; here those are found whose word got lost.
    fn help_those_behind(&mut self, ctx: &mut Context<Self>) {
        let mut drained = Vec::new();
        for session in self.sessions.iter_mut() {
            if !session.behind && !session.flow.waits_for_the_screen() {
                continue;
            }
            session.behind_ticks += 1;
            if session.behind && session.behind_ticks == 1 {
                self.metrics.session_behind();
            }
            if session.backlog.is_empty() {
                drained.push(Arc::clone(&session.id));
            } else if session.behind_ticks == BEHIND_TICKS_MAX {
                session.close(CloseCode::TooSlow);
            }
        }
        for id in drained {
            self.note_drained(&id, ctx);
        }
        if !self.sessions.iter().any(|session| matches!(session.flow, Flow::CatchingUp { .. })) {
            self.stretches.forget();
        }
    }

    /// At midnight `messagesToday` changes without a delivery.
    fn turn_the_day(&mut self, ctx: &mut Context<Self>) {
        let (today, _) = day_of(clock::now(), &self.settings.zone);
        if self.pulse.today.replace(today).is_some_and(|known| known != today) {
            self.stats.forget_old();
            self.snapshots.forget();
            self.note_new_stats(ctx);
        }
    }
}
