//! One commit, one message to each session: the frames are encoded already and only shared.

use std::sync::Arc;

use bytestring::ByteString;

use super::UmblerHub;
use super::flow::Flow;
use super::messages::Outgoing;
use super::sessions::Session;
use crate::auth::Scope;
use crate::domain::Seq;
use crate::journal::Recorded;

impl UmblerHub {
    /// Hands the updates of a commit to everybody who follows them and has caught up.
    pub(super) fn fan_out(&mut self, events: &[Arc<Recorded>]) {
        let Some(before) = events.first().map(|first| Seq(first.seq.0 - 1)) else { return };
        let selections = self.sessions.selections(events);
        // Sessions of one scope share one slice of frames.
        let mut slices: Vec<Option<Arc<[ByteString]>>> = vec![None; self.sessions.scope_count()];
        let all_public = events.iter().all(|event| event.is_public());
        let mut delivered = 0;
        for session in self.sessions.iter_mut().filter(|session| matches!(session.flow, Flow::Live)) {
            let Some((slot, scope)) = session.scope() else { continue };
            let selected = selections.contains(&session.id);
            let frames = if session.follows_all() && (all_public || !selected) {
                match slices.get_mut(slot) {
                    Some(slice) => Arc::clone(slice.get_or_insert_with(|| seen(events, scope))),
                    None => seen(events, scope),
                }
            } else if selected {
                events.iter().filter_map(|event| session.would_get(event)).collect()
            } else {
                continue;
            };
            delivered += hand_over(session, frames, before);
        }
        self.metrics.updates_delivered(delivered as u64);
    }
}

/// What a scope sees of a commit, for those who follow all of it.
fn seen(events: &[Arc<Recorded>], scope: &Scope) -> Arc<[ByteString]> {
    events.iter().filter(|event| event.is_public()).filter_map(|event| event.seen_by(scope)).collect()
}

/// Queues the frames of a commit; a session that cannot take them catches up from the position before them.
fn hand_over(session: &mut Session, frames: Arc<[ByteString]>, before: Seq) -> usize {
    if frames.is_empty() {
        return 0;
    }
    let count = frames.len();
    if !session.behind && session.queue(Outgoing::Updates(frames)) {
        return count;
    }
    session.flow = Flow::CatchingUp { after: before };
    session.fall_behind();
    0
}
