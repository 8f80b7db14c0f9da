//! The way out of one connection: what the hub sends is written to the socket from here, past the connection's own
//! buffer.
//!
//! Two write to the socket: the connection, what its actor says (answers, pings, closes) through its buffer, and the
//! line, what the hub sends. They take turns at frames' ends: the line begins nothing while the buffer holds something,
//! and the buffer waits until a frame that the line has begun is out.
//!
//! # Contract
//!
//! 1. What the hub sends goes out in its order, whole, and after everything that the actor said before the hub was asked.
//! 2. A close is heard by the actor when all before it is with the kernel.
//! 3. Only what is with the kernel is counted out of the backlog.

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

/// Pieces that are given to the kernel in one call.
const PIECES_AT_ONCE: usize = 16;
/// Places for pieces that an empty queue keeps.
const PLACES_KEPT: usize = 16;

/// What waits to be written.
enum Piece {
    /// Frames, and what they weigh in the backlog.
    Frames { bytes: Bytes, weight: usize },
    /// Then the session ends.
    Close(CloseCode),
}

/// Whose line it is.
pub struct Owner {
    /// The session.
    pub id: SessionId,
    /// The hub.
    pub hub: actix::Addr<UmblerHub>,
    /// What is queued for it.
    pub backlog: Arc<Backlog>,
    /// Told of a close.
    pub actor: Recipient<Ended>,
}

/// The way out of one connection.
#[derive(Default)]
pub struct Line {
    /// `None` once the connection is gone, whoever still holds its line.
    stream: RefCell<Option<TcpStream>>,
    /// The connection's task.
    task: RefCell<Option<Waker>>,
    queue: RefCell<VecDeque<Piece>>,
    owner: RefCell<Option<Owner>>,
    /// Updates that were queued, told in each heartbeat.
    sent: Cell<u64>,
    /// The first piece is partly written.
    begun: Cell<bool>,
    /// The connection's buffer may hold something.
    buffered: Cell<bool>,
    /// The body holds the rest of what it gave to the buffer.
    body_rests: Cell<bool>,
    /// The switchboard will write it out.
    due: Cell<bool>,
    /// The connection's task will, when it can.
    handed_on: Cell<bool>,
    broken: Cell<bool>,
    /// Both close frames are exchanged: nothing more is read.
    finished: Cell<bool>,
}

impl Line {
    /// The line of an accepted connection.
    pub fn new(stream: TcpStream) -> Self {
        Self { stream: RefCell::new(Some(stream)), ..Self::default() }
    }

    /// Gives the line to a session. The answer to its handshake is on the way through the buffer.
    pub fn begin(&self, owner: Owner) {
        self.buffered.set(true);
        self.sent.set(0);
        *self.owner.borrow_mut() = Some(owner);
    }

    /// The session is over: what has not begun is not written.
    pub fn end(&self) {
        self.owner.borrow_mut().take();
        self.queue.borrow_mut().truncate(usize::from(self.begun.get()));
    }

    /// Both sides have said that it is over. The connection ends as soon as its buffer is written.
    pub fn finish(&self) {
        self.finished.set(true);
    }

    /// True where nothing is to be read any more.
    pub fn is_finished(&self) -> bool {
        self.finished.get()
    }

    /// The connection is gone.
    pub fn disconnect(&self) {
        self.stream.borrow_mut().take();
        self.task.borrow_mut().take();
        self.queue.borrow_mut().clear();
    }

    /// Works with the socket.
    pub fn with_stream<T>(&self, work: impl FnOnce(&mut TcpStream) -> io::Result<T>) -> io::Result<T> {
        let mut stream = self.stream.borrow_mut();
        work(stream.as_mut().ok_or(io::ErrorKind::NotConnected)?)
    }

    /// The body has given something to the connection's buffer, and holds the rest of it or not.
    pub fn note_body(&self, rests: bool) {
        self.buffered.set(true);
        self.body_rests.set(rests);
    }

    /// The connection's buffer is with the kernel.
    pub fn note_buffer_written(&self) {
        self.buffered.set(false);
    }

    /// Who is woken where the socket is full.
    pub fn note_task(&self, task: &Waker) {
        let mut known = self.task.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(task)) {
            *known = Some(task.clone());
        }
    }

    /// Queues what the hub sends; true where [`write_out`](Self::write_out) is to be called.
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

    /// Writes what waits, as far as the socket takes it; the rest is left to the connection.
    pub fn write_out(&self) {
        self.due.set(false);
        let done =
            self.is_clear() && self.write_pieces(usize::MAX).unwrap_or_else(|error| self.break_off(&error));
        if !done && !self.handed_on.replace(true) {
            self.wake();
        }
    }

    /// Writes all that waits, for the connection's task, unless the buffer comes first.
    pub fn poll_write_all(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.queue.borrow().is_empty() {
            // Whatever was handed on was written before: what comes next is due anew.
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

    /// Writes the rest of what has begun, so that the buffer may be written.
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

    /// Nothing of the actor's is between here and the kernel.
    fn is_clear(&self) -> bool {
        !self.buffered.get() && !self.body_rests.get()
    }

    fn break_off(&self, error: &io::Error) -> bool {
        log::debug!("a connection takes no more: {error}");
        self.broken.set(true);
        self.begun.set(false);
        self.queue.borrow_mut().clear();
        // The connection ends it.
        false
    }

    fn wake(&self) {
        if let Some(task) = &*self.task.borrow() {
            task.wake_by_ref();
        }
    }

    /// Writes so many pieces at most; false where the socket is full before.
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

    /// One call of the kernel; 0 where nothing waits.
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

    /// Takes written bytes out of the queue and the backlog; tells how many pieces are out.
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
            log::debug!("the hub is too busy to hear that session {} has read all", owner.id);
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
