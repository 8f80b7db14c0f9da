//! Updates: what a session is told every one of, once and in order.
//!
//! # Contract
//!
//! 1. Every update that a session may see and follows comes once and in order, whatever happened in between: a
//!    queue that was full, a reconnect with a position, a restart.
//! 2. Nothing waits for a session. One that catches up gets [`CHUNK_BYTES`](crate::hub::sessions::outbox::CHUNK_BYTES) at a time, and the next when it has
//!    read those.
//! 3. What is older than the ring is read from disk once for everybody who needs it.

pub mod batch;
pub mod ring;
pub mod fan_out;
pub mod older;
pub mod catch_up;
pub mod subscribed;

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use crate::domain::Seq;
use crate::hub::messages::SessionId;
use crate::hub::sessions::flow::{Flow, Unanswered};
use crate::hub::sessions::{Session, Sessions};
use crate::journal::Recorded;
use crate::protocol::{RecoveryReason, SubscribeRequest};
use crate::telemetry::metrics::Metrics;
use older::Older;
use ring::Ring;

/// Updates on their way to sessions.
pub struct Updates {
    /// The life of the journal.
    epoch: Arc<str>,
    /// The last position that was handed out.
    newest: Seq,
    /// The same, for questions to history that wait for it.
    publish_newest: watch::Sender<Seq>,
    ring: Ring,
    older: Older,
    /// Missed updates that a session is sent at most; whoever missed more takes a snapshot, which is less.
    replayed_max: u32,
    metrics: Metrics,
}

/// What a session needs before it can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// Older updates, which [`Updates::next_read`] asks for.
    OlderUpdates,
}

impl Updates {
    /// Updates of a journal that stands at `newest`; `ring` holds the last of them.
    pub fn new(epoch: &str, newest: Seq, ring: Ring, replayed_max: u32, metrics: Metrics) -> Self {
        let (publish_newest, _) = watch::channel(newest);
        let older = Older::default();
        Self { epoch: epoch.into(), newest, publish_newest, ring, older, replayed_max, metrics }
    }

    /// The last position that was handed out.
    pub fn newest(&self) -> Seq {
        self.newest
    }

    /// The same as it grows.
    pub fn follow_newest(&self) -> watch::Receiver<Seq> {
        self.publish_newest.subscribe()
    }

    /// The life of the journal.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Puts updates that read otherwise now, because a message in them was deleted, into the places of what they were.
    pub fn blank(&mut self, blanked: &[Arc<Recorded>]) {
        self.ring.replace(blanked);
    }

    /// Hands the updates of a commit to everybody who follows them and has caught up.
    pub fn commit(&mut self, sessions: &mut Sessions, events: &[Arc<Recorded>], durable_at: Instant) {
        let Some(last) = events.last() else { return };
        self.newest = last.seq;
        self.ring.add(events);
        self.metrics.updates_delivered(fan_out::fan_out(sessions, events, durable_at));
        self.publish_newest.send_replace(last.seq);
    }

    /// The first subscription of a session: from its position, or from now on.
    pub fn begin(
        &self,
        sessions: &mut Sessions,
        id: &SessionId,
        request: &SubscribeRequest,
        unanswered: Unanswered,
    ) -> Needs {
        let Some(session) = sessions.get_mut(id) else { return Needs::Nothing };
        let since = match self.position(session, request) {
            Ok(since) => since,
            Err(reason) => {
                self.answer_unrecovered(session, &unanswered, reason);
                return Needs::Nothing;
            }
        };
        if let Some(missed) = self.count_missed(session, since) {
            self.answer_recovered(session, &unanswered, since, missed);
            return self.advance(session);
        }
        session.flow = Flow::AwaitingDisk { after: since, answer: Some(unanswered) };
        Needs::OlderUpdates
    }

    /// The position from which a session goes on, or why it cannot.
    fn position(&self, session: &Session, request: &SubscribeRequest) -> Result<Seq, RecoveryReason> {
        let since = request.since.ok_or(RecoveryReason::NoPosition)?;
        if request.epoch.as_deref() != Some(&*self.epoch) {
            return Err(RecoveryReason::EpochChanged);
        }
        let newest = self.newest.0;
        if since > newest {
            return Err(RecoveryReason::PositionAhead);
        }
        let scope = session.scope().map(|(_, scope)| scope.hash());
        if request.scope.as_deref().is_some_and(|known| Some(known) != scope) {
            return Err(RecoveryReason::ScopeChanged);
        }
        if newest - since > i64::from(self.replayed_max) {
            return Err(RecoveryReason::TooMany);
        }
        Ok(Seq(since))
    }
}
