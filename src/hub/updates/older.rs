//! Updates that are older than the ring. They are read from disk once for all sessions that wait for them.

use std::sync::Arc;

use super::{Needs, Updates};
use crate::domain::Seq;
use crate::hub::messages::SessionId;
use crate::hub::sessions::Sessions;
use crate::hub::sessions::flow::Flow;
use crate::protocol::{RecoveryReason, ResyncReason};
use crate::reads::{LoadUpdates, ReadError, UpdateRange};
use crate::telemetry::causes::chain;

/// The most updates that one read returns.
const READ_UPDATES_MAX: usize = 10_000;
/// The most bytes that one read returns.
const READ_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Reads that are kept for other sessions that need them.
const KEPT_MAX: usize = 2;

/// Older updates that were read from disk.
#[derive(Debug, Default)]
pub struct Older {
    kept: Vec<UpdateRange>,
    loading: bool,
}

/// Why older updates could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unreadable {
    /// They are no longer kept. Newer ones may be.
    Expired,
    Fault,
}

impl Older {
    pub(super) fn holding(&self, after: Seq) -> Option<&UpdateRange> {
        self.kept.iter().find(|stretch| (stretch.after..stretch.until).contains(&after))
    }

    fn keep(&mut self, stretch: UpdateRange) {
        if self.kept.len() >= KEPT_MAX {
            self.kept.remove(0);
        }
        self.kept.push(stretch);
    }
}

impl Updates {
    /// The next read for the sessions that wait, unless one is under way. [`Updates::take_read`] takes
    /// its answer.
    pub fn next_read(&mut self, sessions: &Sessions) -> Option<LoadUpdates> {
        if self.older.loading {
            return None;
        }
        let after = sessions.iter().filter_map(|session| session.flow.awaits_disk_after()).min()?;
        self.older.loading = true;
        Some(LoadUpdates { after, updates_max: READ_UPDATES_MAX, bytes_max: READ_BYTES_MAX })
    }

    /// Sends what was read after `asked` to the sessions that waited for it, or tells them that it cannot
    /// be read. Afterwards another read may be needed.
    pub fn take_read(&mut self, sessions: &mut Sessions, asked: Seq, answer: Result<UpdateRange, ReadError>) {
        self.older.loading = false;
        let failed = match answer {
            Ok(stretch) => {
                self.older.keep(stretch);
                None
            }
            Err(ReadError::Expired) => Some(Unreadable::Expired),
            Err(error) => {
                log::error!("missed updates cannot be read: {}", chain(&error));
                Some(Unreadable::Fault)
            }
        };
        let waiting: Vec<(SessionId, Seq)> = sessions
            .iter()
            .filter_map(|session| Some((Arc::clone(&session.id), session.flow.awaits_disk_after()?)))
            .collect();
        for (id, after) in waiting {
            // If the position is too old, updates after a newer one may still be kept. Sessions
            // that need those get a read of their own.
            match failed.filter(|why| after <= asked || *why != Unreadable::Expired) {
                Some(_) => self.give_up(sessions, &id),
                None if self.known_after(after).is_some() => self.go_on(sessions, &id, after),
                None => {}
            }
        }
    }

    /// Continues with a session whose updates are in memory now.
    fn go_on(&self, sessions: &mut Sessions, id: &SessionId, after: Seq) {
        let Some(session) = sessions.get_mut(id) else { return };
        let Flow::AwaitingDisk { answer, .. } = std::mem::take(&mut session.flow) else { return };
        match answer {
            None => session.flow = Flow::CatchingUp { after },
            Some(unanswered) => {
                let Some(missed) = self.count_missed(session, after) else {
                    // What was read ends before the ring begins: the missed updates are
                    // too many bytes.
                    return self.answer_unrecovered(session, &unanswered, RecoveryReason::TooMany);
                };
                self.answer_recovered(session, &unanswered, after, missed);
            }
        }
        // The caller asks for the next read when all sessions have been served.
        let (Needs::OlderUpdates | Needs::Nothing) = self.advance(session);
    }

    /// Gives up what a session has missed. It must take a snapshot, and is sent live updates again.
    fn give_up(&self, sessions: &mut Sessions, id: &SessionId) {
        let Some(session) = sessions.get_mut(id) else { return };
        let Flow::AwaitingDisk { answer, .. } = std::mem::replace(&mut session.flow, Flow::Live) else {
            return;
        };
        match answer {
            Some(unanswered) => self.answer_unrecovered(session, &unanswered, RecoveryReason::TooOld),
            None => session.require_resync(ResyncReason::TooSlow),
        }
    }

    /// Drops what was read if no session catches up any more.
    pub fn forget_unneeded(&mut self, sessions: &Sessions) {
        if !sessions.iter().any(|session| matches!(session.flow, Flow::CatchingUp { .. })) {
            self.older.kept.clear();
        }
    }
}
