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
        for session in self.sessions.iter().filter(|session| session.follows_all()) {
            session.send(Outgoing::Updates(Arc::clone(&all)));
        }
        if !self.sessions.any_selective() {
            return;
        }
        for (id, selection) in self.sessions.selections(events) {
            let Some(session) = self.sessions.get(&id).filter(|session| !session.follows_all()) else { continue };
            let chosen = selection.iter().filter_map(|at| all.get(*at)).cloned().collect();
            session.send(Outgoing::Updates(chosen));
        }
    }
}
