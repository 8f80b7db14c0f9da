//! The output of one connection: what the hub sends is written to the socket from here, bypassing the
//! connection's own buffer.
//!
//! Two sides write to the socket. What the session's actor says (answers, pings, closes) goes through the
//! connection's buffer; what the hub sends goes through this queue. They take turns between frames: this queue
//! begins no frame while the buffer holds something, and the buffer waits until a frame that was begun here is
//! written completely.
//!
//! # Contract
//!
//! 1. What the hub sends goes out in its order, complete, and after everything that the actor said before the
//!    hub was asked.
//! 2. The actor hears of a close when everything before it has been given to the kernel.
//! 3. Only what has been given to the kernel is subtracted from the backlog.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use actix::Recipient;
use actix_web::rt::net::TcpStream;
use bytes::{Buf, Bytes};

use super::outgoing::{Ended, heartbeat_frame, text_frame, update_frames};
use crate::hub::sessions::backlog::Backlog;
use crate::hub::{Deliver, Drained, Outgoing, SessionId, UmblerHub};
use crate::protocol::CloseCode;

/// Most pieces given to the kernel in one call.
const PIECES_AT_ONCE: usize = 16;
/// Capacity kept by an empty queue, so that the next burst does not reallocate.
const PLACES_KEPT: usize = 16;

/// What waits to be written.
enum Piece {
    /// Frames, and their weight in the backlog.
    Frames { bytes: Bytes, weight: usize },
    /// The session ends after what comes before.
    Close(CloseCode),
}

/// The session that a connection belongs to.
pub struct Owner {
    pub id: SessionId,
    pub hub: actix::Addr<UmblerHub>,
    /// What the hub has queued for the session and the kernel has not got yet.
    pub backlog: Arc<Backlog>,
    /// Is told when the hub closes the session.
    pub actor: Recipient<Ended>,
}

/// The output of one connection.
#[derive(Default)]
pub struct SocketQueue {
    /// `None` once the connection is gone, even if somebody still holds this value.
    stream: RefCell<Option<TcpStream>>,
    /// The connection's task, which is woken when the socket has room again.
    task: RefCell<Option<Waker>>,
    queue: RefCell<VecDeque<Piece>>,
    owner: RefCell<Option<Owner>>,
    /// Number of updates that were queued, as heartbeats tell it.
    sent: Cell<u64>,
    /// True while the first piece is partly written.
    begun: Cell<bool>,
    /// True where the connection's buffer may hold something.
    buffered: Cell<bool>,
    /// True where the body still holds a part of what it is writing into the buffer.
    body_rests: Cell<bool>,
    /// True where the worker's fan-out is going to write it out.
    due: Cell<bool>,
    /// True where writing was left to the connection's task, because the socket was full.
    handed_on: Cell<bool>,
    broken: Cell<bool>,
    /// True once both close frames were exchanged: nothing more is read.
    finished: Cell<bool>,
}

impl SocketQueue {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream: RefCell::new(Some(stream)), ..Self::default() }
    }

    /// Assigns the output to a session. The answer to its handshake is on its way through the buffer.
    pub fn begin(&self, owner: Owner) {
        self.buffered.set(true);
        self.sent.set(0);
        *self.owner.borrow_mut() = Some(owner);
    }

    /// The session is over: pieces of which nothing was written are dropped.
    pub fn end(&self) {
        self.owner.borrow_mut().take();
        self.queue.borrow_mut().truncate(usize::from(self.begun.get()));
    }

    /// Both sides have sent their close frames. The connection ends as soon as its buffer is written.
    pub fn finish(&self) {
        self.finished.set(true);
    }

    /// True where nothing more is to be read.
    pub fn is_finished(&self) -> bool {
        self.finished.get()
    }

    /// To be called when the connection is gone.
    pub fn disconnect(&self) {
        self.stream.borrow_mut().take();
        self.task.borrow_mut().take();
        self.queue.borrow_mut().clear();
    }

    /// Calls `work` with the socket; an error where the connection is gone.
    pub fn with_stream<T>(&self, work: impl FnOnce(&mut TcpStream) -> io::Result<T>) -> io::Result<T> {
        let mut stream = self.stream.borrow_mut();
        work(stream.as_mut().ok_or(io::ErrorKind::NotConnected)?)
    }

    /// To be called when the body has put something into the connection's buffer; `rests` is true where it
    /// still holds more.
    pub fn note_body(&self, rests: bool) {
        self.buffered.set(true);
        self.body_rests.set(rests);
    }

    /// To be called when the connection's buffer has been given to the kernel.
    pub fn note_buffer_written(&self) {
        self.buffered.set(false);
    }

    /// Sets the task that is woken where the socket was full.
    pub fn note_task(&self, task: &Waker) {
        let mut known = self.task.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(task)) {
            *known = Some(task.clone());
        }
    }

    /// Queues what the hub sends. True where [`write_out`](Self::write_out) must be called.
    pub fn take(&self, deliver: &Deliver) -> bool {
        if self.broken.get() || self.owner.borrow().is_none() {
            return false;
        }
        let weight = deliver.bytes;
        let bytes = match &deliver.frames {
            Outgoing::Updates(batch) => {
                self.sent.set(self.sent.get() + batch.frames().len() as u64);
                batch.wire(update_frames)
            }
            Outgoing::Notice(frame) | Outgoing::Subscribed { frame, .. } => text_frame(frame),
            Outgoing::Heartbeat(seq) => heartbeat_frame(*seq, self.sent.get()),
            Outgoing::Close(_) => Bytes::new(),
        };
        self.queue.borrow_mut().push_back(match &deliver.frames {
            Outgoing::Close(code) => Piece::Close(*code),
            Outgoing::Updates(_)
            | Outgoing::Notice(_)
            | Outgoing::Subscribed { .. }
            | Outgoing::Heartbeat(_) => Piece::Frames { bytes, weight },
        });
        !self.handed_on.get() && !self.due.replace(true)
    }

    /// Writes what waits, as far as the socket accepts it. The rest is left to the connection's task.
    pub fn write_out(&self) {
        self.due.set(false);
        let done =
            self.is_clear() && self.write_pieces(usize::MAX).unwrap_or_else(|error| self.break_off(&error));
        if !done && !self.handed_on.replace(true) {
            self.wake();
        }
    }

    /// Writes everything that waits, called by the connection's task. Waits where the buffer comes first.
    pub fn poll_write_all(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.queue.borrow().is_empty() {
            // Everything that was left to this task has been written, so what comes next must be announced
            // again.
            self.handed_on.set(false);
            return self.unless_broken();
        }
        if !self.is_clear() {
            return self.unless_broken();
        }
        let written = self.poll_pieces(usize::MAX, cx);
        self.handed_on.set(written.is_pending());
        written
    }

    /// Writes the rest of a piece that was begun, so that the buffer may be written.
    pub fn poll_write_begun(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.begun.get() { self.poll_pieces(1, cx) } else { self.unless_broken() }
    }

    fn unless_broken(&self) -> Poll<io::Result<()>> {
        Poll::Ready(if self.broken.get() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) })
    }

    fn poll_pieces(&self, most: usize, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.unless_broken())?;
            if self.write_pieces(most)? {
                return Poll::Ready(Ok(()));
            }
            let stream = self.stream.borrow();
            ready!(stream.as_ref().ok_or(io::ErrorKind::NotConnected)?.poll_write_ready(cx))?;
        }
    }

    /// True where nothing that the actor said is between here and the kernel.
    fn is_clear(&self) -> bool {
        !self.buffered.get() && !self.body_rests.get()
    }

    fn break_off(&self, error: &io::Error) -> bool {
        log::debug!("a connection accepts nothing more: {error}");
        self.broken.set(true);
        self.begun.set(false);
        self.queue.borrow_mut().clear();
        // The connection's task ends it.
        false
    }

    fn wake(&self) {
        if let Some(task) = &*self.task.borrow() {
            task.wake_by_ref();
        }
    }

    /// Writes at most `most` pieces; false where the socket is full before that.
    fn write_pieces(&self, most: usize) -> io::Result<bool> {
        let mut left = most;
        loop {
            match self.write_some(left.min(PIECES_AT_ONCE)) {
                Ok(0) => return Ok(true),
                Ok(written) => left -= self.count_out(written).min(left),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Offers at most `most` pieces to the kernel in one call, and returns how many bytes it took: 0 if nothing waits. The caller
    /// removes what was taken. A close in front is handed to the session's actor instead.
    fn write_some(&self, most: usize) -> io::Result<usize> {
        let mut queue = self.queue.borrow_mut();
        while let Some(Piece::Close(code)) = queue.front() {
            self.tell(*code);
            queue.pop_front();
        }
        if queue.is_empty() && queue.capacity() > PLACES_KEPT {
            queue.shrink_to(PLACES_KEPT);
        }
        let mut pieces = queue.iter().take(most).map_while(|piece| match piece {
            Piece::Frames { bytes, .. } => Some(bytes),
            Piece::Close(_) => None,
        });
        let Some(first) = pieces.next() else { return Ok(0) };
        let stream = self.stream.borrow();
        let stream = stream.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let written = match pieces.next() {
            None => stream.try_write(first)?,
            Some(second) => {
                let mut slices = [IoSlice::new(&[]); PIECES_AT_ONCE];
                let mut count = 0;
                for (slice, bytes) in slices.iter_mut().zip([first, second].into_iter().chain(pieces)) {
                    *slice = IoSlice::new(bytes);
                    count += 1;
                }
                stream.try_write_vectored(&slices[..count])?
            }
        };
        if written == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(written) }
    }

    /// Removes written bytes from the queue and the backlog, and returns how many pieces were completed.
    fn count_out(&self, mut written: usize) -> usize {
        let mut queue = self.queue.borrow_mut();
        let mut out = 0;
        while let Some(Piece::Frames { bytes, weight }) = queue.front_mut() {
            if written < bytes.len() {
                bytes.advance(written);
                self.begun.set(written > 0 || out == 0 && self.begun.get());
                return out;
            }
            written -= bytes.len();
            out += 1;
            self.count_read(*weight);
            queue.pop_front();
        }
        self.begun.set(false);
        out
    }

    fn count_read(&self, weight: usize) {
        let owner = self.owner.borrow();
        let Some(owner) = &*owner else { return };
        if owner.backlog.subtract(weight)
            && owner.hub.try_send(Drained { session: Arc::clone(&owner.id) }).is_err()
        {
            // The hub looks for such sessions once a second.
            log::debug!(
                "the hub's mailbox is full: it was not told that session {} has read everything",
                owner.id
            );
        }
    }

    fn tell(&self, code: CloseCode) {
        let owner = self.owner.borrow();
        if let Some(owner) = &*owner
            && let Err(error) = owner.actor.try_send(Ended(code))
        {
            log::debug!("session {} ended before it was told to: {error}", owner.id);
        }
    }
}
