//! Sends the counters to their followers. An unlimited scope gets the hub's own counters; those of other
//! scopes are counted by the readers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Throttle;
use crate::auth::Scope;
use crate::hub::messages::SessionId;
use crate::hub::sessions::{Session, Sessions};
use crate::protocol::event::{ServerEvent, encode};
use crate::protocol::{Channel, StatsShape};
use crate::telemetry::clock;

/// Shortest time between two pushes of the counters.
const STATS_INTERVAL: Duration = Duration::from_millis(250);

/// What must still be sent.
pub struct StatsPush {
    throttle: Throttle,
    /// Limited scopes whose counters must be counted, in this order.
    to_count: VecDeque<Arc<Scope>>,
    /// A scope's counters are being counted, or the rest after that is not over. Only one is counted at a
    /// time, so scopes wait for each other, and nobody else waits for them.
    counting: bool,
}

impl Default for StatsPush {
    fn default() -> Self {
        Self { throttle: Throttle::new(STATS_INTERVAL), to_count: VecDeque::new(), counting: false }
    }
}

impl StatsPush {
    /// Notes that the counters have changed.
    pub fn change(&mut self) {
        self.throttle.change();
    }

    /// Sends the counters if they are due. Returns when they are due next.
    pub fn flush(
        &mut self,
        sessions: &mut Sessions,
        stats: impl FnOnce() -> StatsShape,
        now: Instant,
    ) -> Option<Instant> {
        if sessions.nobody_follows(&Channel::Stats) {
            // Who follows later is first sent the present counters.
            self.throttle.forget();
        } else if self.throttle.take(now) {
            let frame = encode(ServerEvent::UmblerStats, None, clock::now(), &stats());
            for id in sessions.followers(&Channel::Stats) {
                let Some(session) = sessions.get_mut(&id) else { continue };
                match session.scope().map(|(_, scope)| Arc::clone(scope)) {
                    Some(scope) if scope.is_unlimited() => session.notify(frame.clone()),
                    Some(scope) => self.count_soon(scope),
                    None => {}
                }
            }
        }
        self.throttle.due_at(now)
    }

    /// Sends the present counters to a session that begins to follow them.
    pub fn greet(&mut self, sessions: &mut Sessions, id: &SessionId, stats: impl FnOnce() -> StatsShape) {
        let Some((_, scope)) = sessions.get(id).and_then(Session::scope) else { return };
        let scope = Arc::clone(scope);
        if scope.is_unlimited() {
            sessions.answer(id, encode(ServerEvent::UmblerStats, None, clock::now(), &stats()));
        } else {
            self.count_soon(scope);
        }
    }

    fn count_soon(&mut self, scope: Arc<Scope>) {
        if !self.to_count.contains(&scope) {
            self.to_count.push_back(scope);
        }
    }

    /// The next scope to count; `None` if there is none, or one is being counted. Call
    /// [`StatsPush::end_count`] afterwards.
    pub fn begin_count(&mut self) -> Option<Arc<Scope>> {
        if self.counting {
            return None;
        }
        let scope = self.to_count.pop_front()?;
        self.counting = true;
        Some(scope)
    }

    /// Notes that the next scope may be counted.
    pub fn end_count(&mut self) {
        self.counting = false;
    }

    /// Sends a limited scope's counters to the sessions with this scope.
    pub fn hand_out(sessions: &mut Sessions, scope: &Scope, stats: &StatsShape) {
        let frame = encode(ServerEvent::UmblerStats, None, clock::now(), stats);
        for id in sessions.followers(&Channel::Stats) {
            if let Some(session) = sessions.get_mut(&id).filter(|session| session.is_seen_by(scope.hash())) {
                session.notify(frame.clone());
            }
        }
    }
}
