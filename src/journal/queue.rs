//! The bounded queue before the writer: while one batch is being committed, the next one gathers here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::JoinHandle;

use super::append::{Append, IngestError};

/// Deliveries that may wait: about half a second of writing at the measured pace.
pub const WAITING_MAX: usize = 8_192;
/// Bytes that may wait, parsed and compressed; a single delivery may have 20 MiB.
pub const WAITING_BYTES_MAX: usize = 128 * 1024 * 1024;

/// The way into the journal.
///
/// Dropping the last handle ends the writer: it commits what waits and closes the database.
#[derive(Debug)]
pub struct Journal {
    pub(super) sender: SyncSender<Append>,
    pub(super) waiting: Arc<Waiting>,
    pub(super) writer: JoinHandle<()>,
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
    /// Queues a record. Where that is refused, the sender is told at once: nothing waits without a bound.
    pub fn append(&self, append: Append) {
        let bytes = append.record.weight;
        if self.waiting.bytes.load(Ordering::Relaxed) + bytes > WAITING_BYTES_MAX {
            return refuse(append, IngestError::Full);
        }
        self.waiting.enter(bytes);
        let (append, error) = match self.sender.try_send(append) {
            Ok(()) => return,
            Err(TrySendError::Full(append)) => (append, IngestError::Full),
            Err(TrySendError::Disconnected(append)) => (append, IngestError::Unwritable),
        };
        self.waiting.leave(bytes);
        refuse(append, error);
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

/// A sender that no longer waits needs no answer.
pub(super) fn refuse(append: Append, error: IngestError) {
    if append.reply.send(Err(error)).is_err() {
        log::debug!("a refused delivery had stopped waiting");
    }
}
