//! Fan-out of a commit: one message to each worker. The updates are encoded already, and sessions that see
//! the same share them.

use std::sync::Arc;
use std::time::Instant;

use actix::Recipient;

use super::batch::Batch;
use crate::auth::Scope;
use crate::domain::Seq;
use crate::hub::messages::{Deliver, Dispatch, Outbox, Outgoing, SlotId};
use crate::hub::sessions::flow::Flow;
use crate::hub::sessions::{Session, Sessions};
use crate::journal::Recorded;

/// What sessions with one scope get of a commit, and which sessions these are.
struct Share {
    batch: Arc<Batch>,
    /// There are few workers, so a linear search is fast enough.
    slots: Vec<(Arc<Recipient<Dispatch>>, Vec<SlotId>)>,
}

/// Sends the updates of a commit to all sessions that follow them and have caught up. Returns how many were
/// sent.
pub(super) fn fan_out(sessions: &mut Sessions, events: &[Arc<Recorded>], durable_at: Instant) -> u64 {
    let Some(before) = events.first().map(|first| Seq(first.seq.0 - 1)) else { return 0 };
    let selections = sessions.selections(events);
    let mut shares: Vec<Option<Share>> = Vec::new();
    shares.resize_with(sessions.scope_count(), || None);
    let all_public = events.iter().all(|event| event.is_public());
    let any_for_all = events.iter().any(|event| event.is_for_all());
    let mut delivered = 0;
    for session in sessions.iter_mut().filter(|session| matches!(session.flow, Flow::Live)) {
        let Some((slot, scope)) = session.scope() else { continue };
        let selected = selections.contains(&session.id);
        let (count, taken) = if session.follows_all() && (all_public || !selected) {
            let Some(share) = shares.get_mut(slot) else { continue };
            let share = share.get_or_insert_with(|| Share::new(events, scope, durable_at));
            (share.batch.frames().len(), share.add(session))
        } else if selected || any_for_all {
            let seen = events.iter().filter_map(|event| session.would_get(event));
            let batch = Batch::committed(seen.collect(), durable_at);
            let count = batch.frames().len();
            (count, count == 0 || !session.behind && session.queue(Outgoing::Updates(Arc::new(batch))))
        } else {
            continue;
        };
        if taken {
            delivered += count;
        } else {
            // The session will catch up from the position before this commit.
            session.flow = Flow::CatchingUp { after: before };
            session.fall_behind();
        }
    }
    for share in shares.into_iter().flatten() {
        share.send();
    }
    delivered as u64
}

impl Share {
    /// What a scope sees of a commit, for sessions that follow all updates.
    fn new(events: &[Arc<Recorded>], scope: &Scope, durable_at: Instant) -> Self {
        let public = events.iter().filter(|event| event.is_public());
        let seen = public.filter_map(|event| event.seen_by(scope)).collect();
        Self { batch: Arc::new(Batch::committed(seen, durable_at)), slots: Vec::new() }
    }

    /// Adds a session. Returns false if it cannot take more.
    fn add(&mut self, session: &Session) -> bool {
        if self.batch.frames().is_empty() {
            return true;
        }
        if session.behind {
            return false;
        }
        let Outbox::Worker { worker, slot } = &session.outbox else {
            return session.queue(Outgoing::Updates(Arc::clone(&self.batch)));
        };
        if !session.backlog.try_add(self.batch.bytes()) {
            return false;
        }
        match self.slots.iter_mut().find(|(known, _)| Arc::ptr_eq(known, worker)) {
            Some((_, slots)) => slots.push(*slot),
            None => self.slots.push((Arc::clone(worker), vec![*slot])),
        }
        true
    }

    fn send(self) {
        for (worker, slots) in self.slots {
            let frames = Outgoing::Updates(Arc::clone(&self.batch));
            let deliver = Deliver { frames, bytes: self.batch.bytes() };
            if let Err(error) = worker.try_send(Dispatch { deliver, slots }) {
                // The worker has ended, and its sessions with it.
                log::debug!("a worker takes no updates: {error}");
            }
        }
    }
}
