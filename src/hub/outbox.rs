//! Sending to one session without ever waiting for it.

use bytestring::ByteString;

use super::messages::{Deliver, Outgoing};
use super::sessions::Session;
use crate::protocol::CloseCode;

/// Mailbox places beyond the backlog's bound, for closes: they must reach a session that is full.
pub const CLOSES_WAITING_MAX: usize = 8;

/// What a heartbeat adds to a backlog, in bytes.
const HEARTBEAT_BYTES: usize = 128;

impl Session {
    /// Queues something; a session that is behind, or whose queue is full, misses it and is marked.
    pub fn send(&self, frames: Outgoing) -> bool {
        let bytes = weight(&frames);
        if self.backlog.is_behind() {
            return false;
        }
        if !self.backlog.try_add(bytes) {
            self.backlog.set_behind(true);
            return false;
        }
        match self.outbox.try_send(Deliver { frames, bytes }) {
            Ok(()) => true,
            Err(error) => {
                // The actor is gone, and its `Disconnected` is on its way, or its mailbox is fuller than counted.
                log::debug!("a session takes no frames: {error}");
                self.backlog.subtract(bytes);
                self.backlog.set_behind(true);
                false
            }
        }
    }

    /// Queues an encoded answer or notice.
    pub fn notify(&self, frame: ByteString) -> bool {
        self.send(Outgoing::Notice(frame))
    }

    /// Asks the session to end; reaches it past its queue's bound.
    pub fn close(&self, code: CloseCode) {
        if let Err(error) = self.outbox.try_send(Deliver { frames: Outgoing::Close(code), bytes: 0 }) {
            log::debug!("a session could not be told to close: {error}");
        }
    }
}

fn weight(frames: &Outgoing) -> usize {
    match frames {
        Outgoing::Updates(frames) => frames.iter().map(|frame| frame.len()).sum(),
        Outgoing::Notice(frame) => frame.len(),
        Outgoing::Heartbeat(_) => HEARTBEAT_BYTES,
        Outgoing::Close(_) => 0,
    }
}
