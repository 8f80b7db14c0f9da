//! The bounded queue before the writer: while one batch is being committed, the next one gathers here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::JoinHandle;

use super::append::{Append, IngestError};
use super::revocations::{PutRevocation, RevokeError};

/// Deliveries that may wait: about half a second of writing at the measured pace.
pub const WAITING_MAX: usize = 8_192;
/// Bytes that may wait, parsed and compressed; a single delivery may have 20 MiB.
pub const WAITING_BYTES_MAX: usize = 128 * 1024 * 1024;

/// The way into the journal.
///
/// Dropping the last handle ends the writer: it commits what waits and closes the database.
#[derive(Debug)]
pub struct Journal {
    pub(super) sender: SyncSender<Command>,
    pub(super) waiting: Arc<Waiting>,
    pub(super) writer: JoinHandle<()>,
}

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Command {
    /// A delivery: gathered into a batch with others.
    Append(Append),
    /// A revocation: written by itself, behind the deliveries that came before it.
    Revoke(PutRevocation),
}

/// What waits, counted.
#[derive(Debug, Default)]
pub struct Waiting {
    deliveries: AtomicUsize,
    bytes: AtomicUsize,
    closing: AtomicBool,
}

impl Waiting {
    /// Nothing more comes than what waits.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Deliveries that wait.
    pub fn deliveries(&self) -> usize {
        self.deliveries.load(Ordering::Relaxed)
    }

    fn enter(&self, bytes: usize) {
        self.deliveries.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn leave(&self, bytes: usize) {
        self.deliveries.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Journal {
    /// Queues a delivery. Where that is refused, the sender is told at once: nothing waits without a bound.
    pub fn append(&self, append: Append) {
        let bytes = append.submission.weight();
        if self.waiting.bytes.load(Ordering::Relaxed) + bytes > WAITING_BYTES_MAX {
            return refuse(append, IngestError::Full);
        }
        self.waiting.enter(bytes);
        let (command, error) = match self.sender.try_send(Command::Append(append)) {
            Ok(()) => return,
            Err(TrySendError::Full(command)) => (command, IngestError::Full),
            Err(TrySendError::Disconnected(command)) => (command, IngestError::Unwritable),
        };
        self.waiting.leave(bytes);
        if let Command::Append(append) = command {
            refuse(append, error);
        }
    }

    /// Queues a revocation; answered once it is durable.
    pub fn revoke(&self, put: PutRevocation) {
        let (command, error) = match self.sender.try_send(Command::Revoke(put)) {
            Ok(()) => return,
            Err(TrySendError::Full(command)) => (command, RevokeError::Busy),
            Err(TrySendError::Disconnected(command)) => (command, RevokeError::Unwritable),
        };
        if let Command::Revoke(put) = command {
            answer(put.reply, Err(error));
        }
    }

    /// What waits now.
    pub fn waiting(&self) -> usize {
        self.waiting.deliveries()
    }

    /// Ends the writer after what waits is committed; the handle tells when the database is closed.
    pub fn close(self) -> JoinHandle<()> {
        let Self { sender, waiting, writer } = self;
        waiting.closing.store(true, Ordering::Release);
        drop(sender);
        writer
    }
}

/// Whoever revoked and no longer waits sees in the list what came of it.
pub(super) fn answer<T>(reply: tokio::sync::oneshot::Sender<T>, outcome: T) {
    if reply.send(outcome).is_err() {
        log::debug!("whoever asked for a revocation had stopped waiting");
    }
}

/// A sender that no longer waits needs no answer.
pub(super) fn refuse(append: Append, error: IngestError) {
    if append.reply.send(Err(error)).is_err() {
        log::debug!("a refused delivery had stopped waiting");
    }
}
