//! The bounded queue of the writer. While one batch is committed, the next gathers here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::JoinHandle;

use super::append::{Append, IngestError};

/// Records that may wait: about half a second of writing at the measured pace.
pub const WAITING_MAX: usize = 8_192;
/// Bytes that may wait, parsed and compressed. One delivery may have 20 MiB.
pub const WAITING_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Handle to the journal's writer.
///
/// When the last handle is dropped, the writer commits what waits and closes the database.
#[derive(Debug)]
pub struct Journal {
    pub(super) sender: SyncSender<Append>,
    pub(super) waiting: Arc<Waiting>,
    pub(super) writer: JoinHandle<()>,
}

#[derive(Debug, Default)]
pub struct Waiting {
    deliveries: AtomicUsize,
    bytes: AtomicUsize,
    closing: AtomicBool,
}

impl Waiting {
    /// True if nothing more will be queued.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

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
    /// Queues a record. If that is not possible, the sender is told at once.
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

    /// Number of records that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.deliveries()
    }

    /// Ends the writer once it has committed what waits. The database is closed when the thread ends.
    pub fn close(self) -> JoinHandle<()> {
        let Self { sender, waiting, writer } = self;
        waiting.closing.store(true, Ordering::Release);
        drop(sender);
        writer
    }
}

/// Answers with an error. A sender that has stopped waiting needs none.
pub(super) fn refuse(append: Append, error: IngestError) {
    if append.reply.send(Err(error)).is_err() {
        log::debug!("a refused delivery had stopped waiting");
    }
}
