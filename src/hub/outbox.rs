//! Sending to one session without ever waiting for it.

use bytestring::ByteString;

use super::flow::Flow;
use super::messages::{Deliver, Dispatch, Outbox, Outgoing};
use super::sessions::Session;
use crate::domain::Seq;
use crate::protocol::CloseCode;

/// Places beyond the backlog's bound, for closes: they must reach a session that is full.
pub const CLOSES_WAITING_MAX: usize = 8;

/// Messages that may wait for a session that is shown a state; with more it is slow, and the newest state is enough for it.
pub const STATES_WAITING_MAX: usize = 16;

/// What a heartbeat adds to a backlog, in bytes.
const HEARTBEAT_BYTES: usize = 128;

impl Session {
    /// Queues something; false where it did not fit.
    pub fn queue(&self, frames: Outgoing) -> bool {
        let bytes = weight(&frames);
        if !self.backlog.try_add(bytes) {
            return false;
        }
        let sent = self.send(Deliver { frames, bytes });
        if !sent {
            // The actor is gone, and its `Disconnected` is on its way, or its mailbox is fuller than counted.
            self.backlog.subtract(bytes);
        }
        sent
    }

    fn send(&self, deliver: Deliver) -> bool {
        let sent = match &self.outbox {
            Outbox::Actor(actor) => actor.try_send(deliver).map_err(|error| error.to_string()),
            Outbox::Line { worker, line } => {
                worker.try_send(Dispatch { deliver, lines: vec![*line] }).map_err(|error| error.to_string())
            }
        };
        if let Err(error) = &sent {
            log::debug!("a session takes no frames: {error}");
        }
        sent.is_ok()
    }

    /// Queues an encoded answer or notice; a session that misses one is told to ask again once it has read the rest.
    pub fn notify(&mut self, frame: ByteString) {
        self.tell(Outgoing::Notice(frame));
    }

    /// The same for an answer of another kind.
    pub fn tell(&mut self, answer: Outgoing) {
        if self.behind || !self.queue(answer) {
            self.lost_answer = true;
            self.fall_behind();
        }
    }

    /// Queues a state of which only the newest counts; false where the session has too much to read already, and then it
    /// says when it has read that.
    pub fn show(&self, frame: ByteString) -> bool {
        if self.behind || self.awaits_answer() {
            return false;
        }
        if self.backlog.messages() < STATES_WAITING_MAX && self.queue(Outgoing::Notice(frame)) {
            return true;
        }
        self.backlog.await_empty();
        false
    }

    /// It can be shown something.
    pub fn has_read_all(&self) -> bool {
        !self.behind && !self.awaits_answer() && self.backlog.is_empty()
    }

    /// Its first channels are not confirmed yet.
    fn awaits_answer(&self) -> bool {
        matches!(self.flow, Flow::AwaitingDisk { answer: Some(_), .. })
    }

    /// Queues a heartbeat; one that does not fit is not missed.
    pub fn beat(&mut self, seq: Seq) {
        if !self.behind && !self.queue(Outgoing::Heartbeat(seq)) {
            self.fall_behind();
        }
    }

    /// Nothing more is queued until it has read what it has.
    pub fn fall_behind(&mut self) {
        self.behind = true;
        // Where it is empty already, the next tick finds that.
        self.backlog.await_empty();
    }

    /// Asks to be told when all is read; true where it is already.
    pub fn await_empty(&self) -> bool {
        self.backlog.await_empty()
    }

    /// Asks the session to end; reaches it past its queue's bound.
    pub fn close(&self, code: CloseCode) {
        self.send(Deliver { frames: Outgoing::Close(code), bytes: 0 });
    }
}

fn weight(frames: &Outgoing) -> usize {
    match frames {
        Outgoing::Updates(batch) => batch.bytes(),
        Outgoing::Notice(frame) | Outgoing::Subscribed { frame, .. } => frame.len(),
        Outgoing::Heartbeat(_) => HEARTBEAT_BYTES,
        Outgoing::Close(_) => 0,
    }
}
