//! A session that is behind is sent what it missed in pieces, from the ring or from what was read from disk.

use std::sync::Arc;

use bytestring::ByteString;

use super::batch::Batch;
use super::{Needs, Updates};
use crate::domain::Seq;
use crate::hub::messages::Outgoing;
use crate::hub::sessions::Session;
use crate::hub::sessions::flow::Flow;
use crate::hub::sessions::outbox::CHUNK_BYTES;
use crate::journal::Recorded;

/// The next updates for a session, and the position up to which there are no others.
struct Chunk {
    frames: Vec<ByteString>,
    until: Seq,
}

impl Updates {
    /// The updates after a position that are in memory; `None` if they must be read from disk first.
    pub(super) fn known_after(&self, after: Seq) -> Option<Box<dyn Iterator<Item = &Arc<Recorded>> + '_>> {
        if self.ring.reaches_back_to(after) {
            return Some(Box::new(self.ring.after(after)));
        }
        let stretch = self.older.holding(after)?;
        let from = stretch.events.partition_point(|event| event.seq <= after);
        // The disk may be ahead of the hub. Updates that the hub has not published yet are sent live.
        let newest = self.newest;
        Some(Box::new(stretch.events[from..].iter().take_while(move |event| event.seq <= newest)))
    }

    /// The position up to which [`known_after`](Self::known_after) is complete.
    fn known_until(&self, after: Seq) -> Option<Seq> {
        if self.ring.reaches_back_to(after) {
            return Some(self.newest);
        }
        self.older.holding(after).map(|stretch| stretch.until.min(self.newest))
    }

    /// How many updates a session has missed since a position; `None` if they must be read from disk to
    /// tell.
    pub(super) fn count_missed(&self, session: &Session, since: Seq) -> Option<usize> {
        let mut after = since;
        let mut missed = 0;
        while after < self.newest {
            let mut until = after;
            for event in self.known_after(after)? {
                missed += usize::from(session.would_get(event).is_some());
                until = event.seq;
            }
            after = self.known_until(after).unwrap_or(until);
        }
        Some(missed)
    }

    /// Sends the next updates to a session that catches up.
    pub fn advance(&self, session: &mut Session) -> Needs {
        while let Flow::CatchingUp { after } = session.flow {
            let Some(chunk) = self.next_chunk(session, after) else {
                session.flow = Flow::AwaitingDisk { after, answer: None };
                return Needs::OlderUpdates;
            };
            if !self.send(session, chunk.frames) {
                // If the queue is full, the session reports when it has read that. If the
                // session has ended, trying again would never stop.
                session.await_empty();
                break;
            }
            let caught_up = chunk.until >= self.newest;
            session.flow = if caught_up { Flow::Live } else { Flow::CatchingUp { after: chunk.until } };
            // The rest follows when the session has read this.
            if caught_up || !session.await_empty() {
                break;
            }
        }
        Needs::Nothing
    }

    /// Returns false if the updates did not fit.
    fn send(&self, session: &Session, frames: Vec<ByteString>) -> bool {
        let count = frames.len() as u64;
        let sent = count == 0 || session.queue(Outgoing::Updates(Arc::new(Batch::new(frames.into()))));
        self.metrics.updates_delivered(if sent { count } else { 0 });
        sent
    }

    fn next_chunk(&self, session: &Session, after: Seq) -> Option<Chunk> {
        let mut chunk = Chunk { frames: Vec::new(), until: after };
        let mut bytes = 0;
        for event in self.known_after(after)? {
            chunk.until = event.seq;
            if let Some(frame) = session.would_get(event) {
                bytes += frame.len();
                chunk.frames.push(frame);
            }
            if bytes >= CHUNK_BYTES {
                return Some(chunk);
            }
        }
        chunk.until = self.known_until(after).unwrap_or(chunk.until);
        Some(chunk)
    }
}
