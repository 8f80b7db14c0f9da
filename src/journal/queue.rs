//! The bounded queue of the writer. While one batch is committed, the next gathers here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::append::{Append, IngestError};
use super::fault::Fault;
use super::order::SharedOrder;
use crate::protocol::FaultKind;

/// Records that may wait: about half a second of writing at the measured pace.
pub const WAITING_MAX: usize = 8_192;
/// Bytes that may wait, parsed and compressed. One delivery may have 20 MiB.
pub const WAITING_BYTES_MAX: usize = 128 * 1024 * 1024;
/// How long a feed waits each time before it looks whether the writer has room again.
const FULL_WAIT: Duration = Duration::from_millis(1);

/// Handle to the journal's writer.
///
/// When the last handle is dropped, the writer commits what waits and closes the database.
pub struct Journal {
    pub(super) door: Door,
    pub(super) waiting: Arc<Waiting>,
    pub(super) writer: JoinHandle<()>,
}

/// Where records are handed in.
pub(super) enum Door {
    /// At the writer, which counts positions.
    Writer(SyncSender<Append>),
    /// At an order that other hubs share.
    Shared(Arc<dyn SharedOrder>),
}

/// Feeds the writer with records from a shared order. The writer ends when it is dropped.
pub struct WriterFeed {
    pub(super) sender: SyncSender<Append>,
    pub(super) waiting: Arc<Waiting>,
}

#[derive(Debug, Default)]
pub struct Waiting {
    deliveries: AtomicUsize,
    bytes: AtomicUsize,
    closing: AtomicBool,
}

impl Waiting {
    /// True if nothing more will be queued.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub fn deliveries(&self) -> usize {
        self.deliveries.load(Ordering::Relaxed)
    }

    /// Bytes of the records that wait.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Nothing more will be queued.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    pub fn enter(&self, bytes: usize) {
        self.deliveries.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn leave(&self, bytes: usize) {
        self.deliveries.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Journal {
    /// Queues a record. If that is not possible, the sender is told at once.
    pub fn append(&self, append: Append) {
        let sender = match &self.door {
            Door::Writer(sender) => sender,
            Door::Shared(order) => return order.append(append),
        };
        let bytes = append.record.weight;
        if self.waiting.bytes.load(Ordering::Relaxed) + bytes > WAITING_BYTES_MAX {
            return refuse(append, IngestError::Full);
        }
        self.waiting.enter(bytes);
        let (append, error) = match sender.try_send(append) {
            Ok(()) => return,
            Err(TrySendError::Full(append)) => (append, IngestError::Full),
            Err(TrySendError::Disconnected(append)) => (append, IngestError::Unwritable),
        };
        self.waiting.leave(bytes);
        refuse(append, error);
    }

    /// Why nothing more can be stored although nobody closed the journal: its thread has panicked.
    pub fn fault(&self) -> Option<Fault> {
        let detail = "a mistake in the hub's code ended the journal's thread: restart the hub".to_owned();
        self.writer.is_finished().then_some(Fault { kind: FaultKind::Other, detail })
    }

    /// Number of records that wait.
    pub fn waiting(&self) -> usize {
        match &self.door {
            Door::Writer(_) => self.waiting.deliveries(),
            Door::Shared(order) => order.waiting(),
        }
    }

    /// Ends the writer once it has committed what waits. The database is closed when the thread ends.
    pub fn close(self) -> JoinHandle<()> {
        let Self { door, waiting, writer } = self;
        waiting.close();
        if let Door::Shared(order) = &door {
            order.close();
        }
        drop(door);
        writer
    }
}

impl WriterFeed {
    /// Hands a record to the writer, and waits while that has enough to do. Returns false once the writer has
    /// ended.
    pub fn put(&self, append: Append) -> bool {
        let bytes = append.record.weight;
        while self.waiting.bytes.load(Ordering::Relaxed) > WAITING_BYTES_MAX {
            std::thread::sleep(FULL_WAIT);
        }
        self.waiting.enter(bytes);
        self.sender.send(append).is_ok()
    }
}

/// Answers with an error. A sender that has stopped waiting needs none.
pub fn refuse(append: Append, error: IngestError) {
    if append.reply.send(Err(error)).is_err() {
        log::debug!("a refused delivery had stopped waiting");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn a_journal_whose_thread_has_panicked_says_so() {
        let (sender, receiver) = sync_channel(1);
        let (go_on, waits) = sync_channel::<()>(0);
        let writer = std::thread::spawn(move || {
            drop(receiver);
            waits.recv().expect("a mistake");
        });
        let journal = Journal { door: Door::Writer(sender), waiting: Arc::default(), writer };
        assert_eq!(journal.fault(), None, "it works");
        drop(go_on);
        while !journal.writer.is_finished() {
            std::thread::yield_now();
        }
        assert_eq!(journal.fault().map(|fault| fault.kind), Some(FaultKind::Other));
    }
}
