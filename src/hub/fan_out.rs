//! One commit, one message to each session: the frames are encoded already and only shared.

use std::sync::Arc;

use bytestring::ByteString;

use super::UmblerHub;
use super::messages::Outgoing;
use crate::journal::Recorded;

impl UmblerHub {
    /// Hands the updates of a commit to everybody who follows them.
    pub(super) fn fan_out(&mut self, events: &[Recorded]) {
        let all: Arc<[ByteString]> = events.iter().map(|event| event.frame.clone()).collect();
        let mut delivered = 0;
        for session in self.sessions.iter().filter(|session| session.follows_all()) {
            if session.send(Outgoing::Updates(Arc::clone(&all))) {
                delivered += all.len();
            }
        }
        if self.sessions.any_selective() {
            delivered += self.fan_out_selected(events, &all);
        }
        self.metrics.updates_delivered(delivered as u64);
    }

    /// The same for sessions that follow single things.
    fn fan_out_selected(&self, events: &[Recorded], all: &[ByteString]) -> usize {
        let mut delivered = 0;
        for (id, selection) in self.sessions.selections(events) {
            let Some(session) = self.sessions.get(&id).filter(|session| !session.follows_all()) else {
                continue;
            };
            let chosen = selection.iter().filter_map(|at| all.get(*at)).cloned().collect();
            if session.send(Outgoing::Updates(chosen)) {
                delivered += selection.len();
            }
        }
        delivered
    }
}
