//! Updates: a session is sent every one, once and in order.
//!
//! # Contract
//!
//! 1. Every update that a session follows and may see is sent once and in order, whatever happened in
//!    between: a full queue, a reconnect with a position, a restart.
//! 2. Nothing waits for a session. One that catches up is sent
//!    [`CHUNK_BYTES`](crate::hub::sessions::outbox::CHUNK_BYTES) at a time, and the next when it has read
//!    those.
//! 3. Updates older than the ring are read from disk once for all sessions that need them.

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

pub struct Updates {
    epoch: Arc<str>,
    newest: Seq,
    /// Publishes `newest` to questions that wait for it.
    publish_newest: watch::Sender<Seq>,
    ring: Ring,
    older: Older,
    /// The most missed updates that a session is sent. If it missed more, it needs a snapshot, which is
    /// smaller.
    replayed_max: u32,
    metrics: Metrics,
}

/// What must happen before a session can continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Needs {
    Nothing,
    /// Older updates must be read, see [`Updates::next_read`].
    OlderUpdates,
}

impl Updates {
    /// `ring` holds the last updates of a journal whose newest position is `newest`.
    pub fn new(epoch: &str, newest: Seq, ring: Ring, replayed_max: u32, metrics: Metrics) -> Self {
        let (publish_newest, _) = watch::channel(newest);
        let older = Older::default();
        Self { epoch: epoch.into(), newest, publish_newest, ring, older, replayed_max, metrics }
    }

    pub fn newest(&self) -> Seq {
        self.newest
    }

    /// Follows the newest published position.
    pub fn follow_newest(&self) -> watch::Receiver<Seq> {
        self.publish_newest.subscribe()
    }

    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Replaces updates in memory whose text has changed, because a message in them was deleted, or a person erased.
    pub fn blank(&mut self, blanked: &[Arc<Recorded>]) {
        self.ring.replace(blanked);
    }

    /// Publishes the updates of a commit.
    pub fn commit(&mut self, sessions: &mut Sessions, events: &[Arc<Recorded>], durable_at: Instant) {
        let Some(last) = events.last() else { return };
        self.newest = last.seq;
        self.ring.add(events);
        self.metrics.updates_delivered(fan_out::fan_out(sessions, events, durable_at));
        self.publish_newest.send_replace(last.seq);
    }

    /// Starts the updates of a session with its first subscription: after the position that it has, or
    /// from now on.
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

    /// The position after which a session continues, or why it cannot.
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
