//! What the hub does by the clock: heartbeats, counters at most four times a second, and sessions that fell behind.

use std::time::Duration;

use actix::prelude::*;
use serde::Serialize;

use super::UmblerHub;
use super::messages::Outgoing;
use crate::domain::stats::day_of;
use crate::protocol::event::{ServerEvent, encode};
use crate::protocol::{Channel, CloseCode, HEARTBEAT_SECONDS};
use crate::telemetry::clock;

/// One tick of the hub.
const TICK: Duration = Duration::from_secs(1);
/// Counters are sent at most this often.
const STATS_INTERVAL: Duration = Duration::from_millis(250);
/// Ticks after which a session that has not read what it was sent is closed.
pub const BEHIND_TICKS_MAX: u32 = 60;
/// Ticks between two times that users who have not come for a while are forgotten.
const FORGET_TICKS: u64 = 60;

/// Where the clockwork stands.
#[derive(Default)]
pub struct Pulse {
    ticks: u64,
    /// The counters were sent less than [`STATS_INTERVAL`] ago.
    stats_resting: bool,
    /// They changed since.
    stats_changed: bool,
    /// The local day of the last tick.
    today: Option<jiff::Timestamp>,
}

#[derive(Serialize)]
struct ResyncRequired {
    reason: &'static str,
}

impl UmblerHub {
    /// Starts the ticks.
    pub(super) fn start_pulse(ctx: &mut Context<Self>) {
        ctx.run_interval(TICK, Self::tick);
    }

    fn tick(&mut self, ctx: &mut Context<Self>) {
        self.pulse.ticks += 1;
        self.beat();
        self.help_those_behind();
        self.turn_the_day(ctx);
        if self.pulse.ticks.is_multiple_of(FORGET_TICKS) {
            self.users.forget_idle();
        }
    }

    /// Each session gets its heartbeat in its own second of the round.
    fn beat(&self) {
        let turn = self.pulse.ticks % HEARTBEAT_SECONDS;
        for session in self.sessions.iter().filter(|session| session.beat == turn) {
            session.send(Outgoing::Heartbeat(self.stats.as_of));
        }
    }

    /// A session that has read what it had is told to ask again; one that reads nothing for long is closed.
    fn help_those_behind(&mut self) {
        let now = clock::now();
        for session in self.sessions.iter_mut().filter(|session| session.backlog.is_behind()) {
            session.behind_ticks += 1;
            if session.behind_ticks == 1 {
                self.metrics.session_behind();
            }
            if session.backlog.is_empty() {
                session.behind_ticks = 0;
                session.backlog.set_behind(false);
                session.notify(encode(
                    ServerEvent::ResyncRequired,
                    None,
                    now,
                    &ResyncRequired { reason: "too_slow" },
                ));
            } else if session.behind_ticks == BEHIND_TICKS_MAX {
                session.close(CloseCode::TooSlow);
            }
        }
    }

    /// At midnight `messagesToday` changes without a delivery.
    fn turn_the_day(&mut self, ctx: &mut Context<Self>) {
        let (today, _) = day_of(clock::now(), &self.settings.zone);
        if self.pulse.today.replace(today).is_some_and(|known| known != today) {
            self.stats.forget_before(today);
            self.snapshots.forget();
            self.note_new_stats(ctx);
        }
    }

    /// Sends the counters now, or when the interval is over.
    pub(super) fn note_new_stats(&mut self, ctx: &mut Context<Self>) {
        self.pulse.stats_changed = true;
        if self.pulse.stats_resting || self.sessions.nobody_follows(&Channel::Stats) {
            return;
        }
        self.send_stats(ctx);
    }

    fn send_stats(&mut self, ctx: &mut Context<Self>) {
        self.pulse.stats_changed = false;
        self.pulse.stats_resting = true;
        let frame = encode(ServerEvent::UmblerStats, None, clock::now(), &self.stats_shape());
        for session in self.sessions.followers(&Channel::Stats) {
            session.notify(frame.clone());
        }
        ctx.run_later(STATS_INTERVAL, |hub, ctx| {
            hub.pulse.stats_resting = false;
            if hub.pulse.stats_changed {
                hub.note_new_stats(ctx);
            }
        });
    }
}
