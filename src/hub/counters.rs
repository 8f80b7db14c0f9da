//! The counters for those who follow them: at most four times a second, the hub's own for whoever sees everything,
//! counted by the archive for whoever does not.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;

use super::UmblerHub;
use super::messages::SessionId;
use super::sessions::Session;
use crate::archive::{ArchiveError, Ask, ScopedStats};
use crate::auth::Scope;
use crate::protocol::event::{ServerEvent, encode};
use crate::protocol::{Channel, StatsShape};
use crate::telemetry::clock;

/// Counters are sent at most this often.
const STATS_INTERVAL: Duration = Duration::from_millis(250);

/// What of the counters is still to be told.
#[derive(Default)]
pub struct Counters {
    /// They were sent less than [`STATS_INTERVAL`] ago.
    resting: bool,
    /// They changed since.
    changed: bool,
    /// Limited scopes whose counters have changed, in the order in which they are counted.
    to_count: VecDeque<Arc<Scope>>,
    /// A scope's counters are being counted, or were a moment ago.
    counting: bool,
}

impl UmblerHub {
    /// Sends the counters now, or when the interval is over.
    pub(super) fn note_new_stats(&mut self, ctx: &mut Context<Self>) {
        self.counters.changed = true;
        if self.counters.resting || self.sessions.nobody_follows(&Channel::Stats) {
            return;
        }
        self.send_stats(ctx);
    }

    fn send_stats(&mut self, ctx: &mut Context<Self>) {
        self.counters.changed = false;
        self.counters.resting = true;
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
            hub.counters.resting = false;
            if hub.counters.changed {
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
        if !self.counters.to_count.contains(&scope) {
            self.counters.to_count.push_back(scope);
        }
    }

    /// A limited scope's counters are counted by the archive: one count at a time, and a rest as long after it, so
    /// that many scopes wait for each other and not everybody else for them.
    fn count_next(&mut self, ctx: &mut Context<Self>) {
        if self.counters.counting {
            return;
        }
        let Some(scope) = self.counters.to_count.pop_front() else { return };
        self.counters.counting = true;
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
                hub.counters.counting = false;
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
