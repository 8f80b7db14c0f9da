//! Sending to one session without ever waiting for it.

use bytestring::ByteString;

use super::flow::Flow;
use super::{Session, Sessions};
use crate::domain::Seq;
use crate::hub::messages::{Deliver, Dispatch, Outbox, Outgoing, SessionId};
use crate::protocol::event::{ResyncRequired, ServerEvent, encode, encode_error};
use crate::protocol::{CloseCode, ErrorCode, ResyncReason};
use crate::telemetry::clock;

/// Places beyond the backlog's bound, for closes: they must reach a session that is full.
pub const CLOSES_WAITING_MAX: usize = 8;

/// Messages that may wait for a session that is shown a state; with more it is slow, and the newest state is enough for it.
pub const STATES_WAITING_MAX: usize = 16;

/// Bytes of updates that a session which catches up, or has the past played to it, gets at a time.
pub const CHUNK_BYTES: usize = 256 * 1024;

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

    /// Tells it that it missed something for good.
    pub fn require_resync(&mut self, reason: ResyncReason) {
        let resync = ResyncRequired { reason: reason.as_str() };
        self.notify(encode(ServerEvent::ResyncRequired, None, clock::now(), &resync));
    }

    /// Stops its updates for a later request; a first subscription that still waits for the disk is told so.
    pub fn stop_flow(&mut self) {
        let Flow::AwaitingDisk { answer: Some(unanswered), .. } = std::mem::take(&mut self.flow) else {
            return;
        };
        let message = "a later request came before it was known what was missed";
        let answered = unanswered.request_id.as_deref();
        self.notify(encode_error(answered, clock::now(), ErrorCode::BadRequest, message));
    }

    /// Asks the session to end; reaches it past its queue's bound.
    pub fn close(&self, code: CloseCode) {
        self.send(Deliver { frames: Outgoing::Close(code), bytes: 0 });
    }
}

impl Sessions {
    /// Queues an answer for a session, if it is still there.
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
