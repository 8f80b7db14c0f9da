//! Updates that are older than the ring: read from disk once for everybody who waits for them.

use std::sync::Arc;

use super::{Needs, Updates};
use crate::domain::Seq;
use crate::hub::messages::SessionId;
use crate::hub::sessions::Sessions;
use crate::hub::sessions::flow::Flow;
use crate::protocol::{RecoveryReason, ResyncReason};
use crate::reads::{LoadStretch, ReadError, Stretch};
use crate::telemetry::causes::chain;

/// Updates that one read brings at most.
const READ_UPDATES_MAX: usize = 10_000;
/// Bytes that one read brings at most.
const READ_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Reads that are kept for whoever needs them too.
const KEPT_MAX: usize = 2;

/// Older updates, read from disk.
#[derive(Debug, Default)]
pub struct Older {
    kept: Vec<Stretch>,
    loading: bool,
}

/// Why older updates could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unreadable {
    /// They are not kept any more; newer ones may be.
    Expired,
    /// History did not answer.
    Fault,
}

impl Older {
    pub(super) fn holding(&self, after: Seq) -> Option<&Stretch> {
        self.kept.iter().find(|stretch| (stretch.after..stretch.until).contains(&after))
    }

    fn keep(&mut self, stretch: Stretch) {
        if self.kept.len() >= KEPT_MAX {
            self.kept.remove(0);
        }
        self.kept.push(stretch);
    }
}

impl Updates {
    /// What is to be read next for those who wait, where nothing is being read; [`Updates::take_read`] takes the answer.
    pub fn next_read(&mut self, sessions: &Sessions) -> Option<LoadStretch> {
        if self.older.loading {
            return None;
        }
        let after = sessions.iter().filter_map(|session| session.flow.awaits_disk_after()).min()?;
        self.older.loading = true;
        Some(LoadStretch { after, updates_max: READ_UPDATES_MAX, bytes_max: READ_BYTES_MAX })
    }

    /// Sends what was read after `asked` to those who waited for it, or tells them that it cannot be read. More may have
    /// to be read afterwards.
    pub fn take_read(&mut self, sessions: &mut Sessions, asked: Seq, answer: Result<Stretch, ReadError>) {
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
            // Where the asked position is too old, newer ones may still be kept: they get a read of their own.
            match failed.filter(|why| after <= asked || *why != Unreadable::Expired) {
                Some(_) => self.give_up(sessions, &id),
                None if self.known_after(after).is_some() => self.go_on(sessions, &id, after),
                None => {}
            }
        }
    }

    /// What a session waited for is in memory now.
    fn go_on(&self, sessions: &mut Sessions, id: &SessionId, after: Seq) {
        let Some(session) = sessions.get_mut(id) else { return };
        let Flow::AwaitingDisk { answer, .. } = std::mem::take(&mut session.flow) else { return };
        match answer {
            None => session.flow = Flow::CatchingUp { after },
            Some(unanswered) => {
                let Some(missed) = self.count_missed(session, after) else {
                    // The stretch ends before the ring begins: the bytes of all that was missed are too many.
                    return self.answer_unrecovered(session, &unanswered, RecoveryReason::TooMany);
                };
                self.answer_recovered(session, &unanswered, after, missed);
            }
        }
        // Whoever called asks for the next read when all have been served.
        let (Needs::OlderUpdates | Needs::Nothing) = self.advance(session);
    }

    /// What a session missed cannot be sent: it takes a snapshot and goes on live.
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

    /// Lets go of what was read, where nobody catches up any more.
    pub fn forget_unneeded(&mut self, sessions: &Sessions) {
        if !sessions.iter().any(|session| matches!(session.flow, Flow::CatchingUp { .. })) {
            self.older.kept.clear();
        }
    }
}
