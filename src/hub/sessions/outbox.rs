//! Sending to a session without ever waiting for it.

use bytestring::ByteString;

use super::flow::Flow;
use super::{Session, Sessions};
use crate::domain::Seq;
use crate::hub::messages::{Deliver, Dispatch, Outbox, Outgoing, SessionId};
use crate::protocol::event::{ResyncRequired, ServerEvent, encode, encode_error};
use crate::protocol::{CloseCode, ErrorCode, ResyncReason};
use crate::telemetry::clock;

/// Room in a session's mailbox beyond the bound of its backlog, for closes: they must reach a session whose
/// queue is full.
pub const CLOSES_WAITING_MAX: usize = 8;

/// Messages that may wait for a session that is sent states. With more than this it is slow, and will be sent
/// only the newest state.
pub const STATES_WAITING_MAX: usize = 16;

/// Bytes of updates that are sent at a time to a session that catches up or plays the past.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// What a heartbeat adds to a backlog, in bytes.
const HEARTBEAT_BYTES: usize = 128;

impl Session {
    /// Queues frames. Returns false if they do not fit.
    pub fn queue(&self, frames: Outgoing) -> bool {
        let bytes = weight(&frames);
        if !self.backlog.try_add(bytes) {
            return false;
        }
        let sent = self.send(Deliver { frames, bytes });
        if !sent {
            // The actor has ended and its `Disconnected` will arrive, or its mailbox is fuller
            // than was counted.
            self.backlog.subtract(bytes);
        }
        sent
    }

    fn send(&self, deliver: Deliver) -> bool {
        let sent = match &self.outbox {
            Outbox::Actor(actor) => actor.try_send(deliver).map_err(|error| error.to_string()),
            Outbox::Worker { worker, slot } => {
                worker.try_send(Dispatch { deliver, slots: vec![*slot] }).map_err(|error| error.to_string())
            }
        };
        if let Err(error) = &sent {
            log::debug!("a session takes no frames: {error}");
        }
        sent.is_ok()
    }

    /// Queues an encoded answer or notice. If it does not fit, the session is told to resync once it has
    /// read the rest.
    pub fn notify(&mut self, frame: ByteString) {
        self.tell(Outgoing::Notice(frame));
    }

    /// The same for answers of other kinds.
    pub fn tell(&mut self, answer: Outgoing) {
        if self.behind || !self.queue(answer) {
            self.lost_answer = true;
            self.fall_behind();
        }
    }

    /// Queues a state of which only the newest matters. Returns false if the session has too much to
    /// read; it then reports when it has read that.
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

    /// True if a state can be sent to it.
    pub fn has_read_all(&self) -> bool {
        !self.behind && !self.awaits_answer() && self.backlog.is_empty()
    }

    /// True if its first subscription was not answered yet.
    fn awaits_answer(&self) -> bool {
        matches!(self.flow, Flow::AwaitingDisk { answer: Some(_), .. })
    }

    /// Queues a heartbeat. If it does not fit, the session is behind, but has not lost anything.
    pub fn beat(&mut self, seq: Seq) {
        if !self.behind && !self.queue(Outgoing::Heartbeat(seq)) {
            self.fall_behind();
        }
    }

    /// Queues nothing more until the session has read the rest.
    pub fn fall_behind(&mut self) {
        self.behind = true;
        // If the queue is already empty, the next tick notices.
        self.backlog.await_empty();
    }

    /// Asks to be told when everything was read. Returns true if it already was.
    pub fn await_empty(&self) -> bool {
        self.backlog.await_empty()
    }

    /// Tells the session that it has missed something for good.
    pub fn require_resync(&mut self, reason: ResyncReason) {
        let resync = ResyncRequired { reason: reason.as_str() };
        self.notify(encode(ServerEvent::ResyncRequired, None, clock::now(), &resync));
    }

    /// Stops the session's updates. If its first subscription still waits for the disk, it is refused
    /// because of a later request.
    pub fn stop_flow(&mut self) {
        let Flow::AwaitingDisk { answer: Some(unanswered), .. } = std::mem::take(&mut self.flow) else {
            return;
        };
        let message = "a later request came before it was known what was missed";
        let answered = unanswered.request_id.as_deref();
        self.notify(encode_error(answered, clock::now(), ErrorCode::BadRequest, message));
    }

    /// Asks the session to end. This is sent even if the queue is full.
    pub fn close(&self, code: CloseCode) {
        self.send(Deliver { frames: Outgoing::Close(code), bytes: 0 });
    }
}

impl Sessions {
    /// Queues an answer, if the session still exists.
    pub fn answer(&mut self, id: &SessionId, frame: ByteString) {
        if let Some(session) = self.get_mut(id) {
            session.notify(frame);
        }
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
