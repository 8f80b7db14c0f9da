//! What the hub does by the clock: heartbeats, counters at most four times a second, and sessions that fell behind.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;

use super::UmblerHub;
use super::flow::Flow;
use super::messages::SessionId;
use super::sessions::Session;
use crate::archive::{ArchiveError, Ask, ScopedStats};
use crate::auth::Scope;
use crate::domain::stats::day_of;
use crate::protocol::event::{ServerEvent, encode};
use crate::protocol::{Channel, CloseCode, HEARTBEAT_SECONDS, StatsShape};
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
    pub(super) ticks: u64,
    /// A change of presence was sent a moment ago.
    pub(super) presence_resting: bool,
    /// The counters were sent less than [`STATS_INTERVAL`] ago.
    stats_resting: bool,
    /// They changed since.
    stats_changed: bool,
    /// Limited scopes whose counters have changed, in the order in which they are counted.
    to_count: VecDeque<Arc<Scope>>,
    /// A scope's counters are being counted, or were a moment ago.
    counting: bool,
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
        self.presence.expire(self.pulse.ticks);
        self.note_presence(ctx);
        if self.pulse.ticks.is_multiple_of(FORGET_TICKS) {
            self.users.forget_idle();
        }
    }

    /// Each session gets its heartbeat in its own second of the round.
    fn beat(&mut self) {
        let turn = self.pulse.ticks % HEARTBEAT_SECONDS;
        let seq = self.stats.as_of;
        for session in self.sessions.iter_mut().filter(|session| session.beat == turn) {
            session.beat(seq);
        }
    }

    /// A session that has read what it had goes on from its position; one that reads nothing for long is closed.
    /// Usually the session itself says that it has read all; here those are found whose word got lost.
    fn help_those_behind(&mut self, ctx: &mut Context<Self>) {
        let mut drained = Vec::new();
        for session in self.sessions.iter_mut() {
            if !session.behind && !matches!(session.flow, Flow::CatchingUp { .. }) {
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
        for id in self.sessions.followers(&Channel::Stats) {
            let Some(session) = self.sessions.get_mut(&id) else { continue };
            match session.scope().map(|(_, scope)| Arc::clone(scope)) {
                Some(scope) if scope.is_unlimited() => session.notify(frame.clone()),
                Some(scope) => self.count_soon(scope),
                None => {}
            }
        }
        self.count_next(ctx);
        ctx.run_later(STATS_INTERVAL, |hub, ctx| {
            hub.pulse.stats_resting = false;
            if hub.pulse.stats_changed {
                hub.note_new_stats(ctx);
            }
        });
    }

    /// Sends a session that begins to follow the counters their present state.
    pub(super) fn greet_with_stats(&mut self, id: &SessionId, ctx: &mut Context<Self>) {
        let Some((_, scope)) = self.sessions.get(id).and_then(Session::scope) else { return };
        let scope = Arc::clone(scope);
        if scope.is_unlimited() {
            let frame = encode(ServerEvent::UmblerStats, None, clock::now(), &self.stats_shape());
            return self.answer(id, frame);
        }
        self.count_soon(scope);
        self.count_next(ctx);
    }

    fn count_soon(&mut self, scope: Arc<Scope>) {
        if !self.pulse.to_count.contains(&scope) {
            self.pulse.to_count.push_back(scope);
        }
    }

    /// A limited scope's counters are counted by the archive: one count at a time, and a rest as long after it, so
    /// that many scopes wait for each other and not everybody else for them.
    fn count_next(&mut self, ctx: &mut Context<Self>) {
        if self.pulse.counting {
            return;
        }
        let Some(scope) = self.pulse.to_count.pop_front() else { return };
        self.pulse.counting = true;
        let begun = Instant::now();
        let ask =
            ScopedStats { now: clock::now(), zone: self.settings.zone.clone(), scope: Arc::clone(&scope) };
        let answer = self.archive.send(Ask(ask)).into_actor(self);
        ctx.spawn(answer.map(move |answer, hub, ctx| {
            match answer.unwrap_or(Err(ArchiveError::Busy)) {
                Ok(stats) => hub.hand_out_limited_stats(scope.hash(), &stats),
                Err(error) => log::warn!("a scope's counters were not counted: {error}"),
            }
            ctx.run_later(begun.elapsed(), |hub, ctx| {
                hub.pulse.counting = false;
                hub.count_next(ctx);
            });
        }));
    }

    fn hand_out_limited_stats(&mut self, scope: &str, stats: &StatsShape) {
        let frame = encode(ServerEvent::UmblerStats, None, clock::now(), stats);
        for id in self.sessions.followers(&Channel::Stats) {
            if let Some(session) = self.sessions.get_mut(&id)
                && session.scope().is_some_and(|(_, its)| its.hash() == scope)
            {
                session.notify(frame.clone());
            }
        }
    }
}
