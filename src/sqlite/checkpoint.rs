//! Checkpoints the write-ahead log on a thread of its own, because the writer would have to wait for it.
//!
//! The thread copies the content of the log into the database and waits for the disk, while the writer goes on
//! committing. Little is added meanwhile; the writer copies that itself, and then starts the log again at its
//! beginning. Where the thread is too slow or has failed, the log grows to [`LOG_PAGES_MAX`], and the writer
//! copies all of it.

use std::cell::Cell;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::DbError;
use crate::telemetry::causes::chain;

/// Pages in the log after which the thread copies them (16 MiB).
const LOG_PAGES: i32 = 4_000;
/// Pages in the log after which the writer copies them itself (64 MiB).
const LOG_PAGES_MAX: i32 = 4 * LOG_PAGES;
/// Pages in the log from which on the thread copies them before the log is emptied (1 MiB).
const CLEARED_PAGES: i32 = 256;
/// How often the thread copies in a row: the second time takes what was added during the first, and leaves to
/// the writer what is added during the second.
const ROUNDS: usize = 2;

thread_local! {
    /// Pages in the log after the last commit of this thread. A thread-local, because SQLite's hook takes a
    /// function without state.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// How far the copying is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The thread waits for an order.
    Idle,
    /// The thread has an order.
    Ordered,
    /// The thread has copied, and the writer copies the rest.
    Copied,
}

/// What the thread and the writer share.
struct Shared {
    stage: Mutex<Stage>,
    /// Locked while either of the two copies, because SQLite refuses a second copy at the same time.
    copier: Mutex<Copier>,
}

impl Shared {
    fn copier(&self) -> MutexGuard<'_, Copier> {
        self.copier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer's handle of the thread. Dropping it ends the thread.
pub struct Checkpoints {
    order: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl Checkpoints {
    /// Starts the thread for the database at `path`, which `writer` has open.
    pub fn start(path: &Path, writer: &Connection) -> Result<Self, DbError> {
        writer.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
        let own = Connection::open(path)?;
        let shared = Arc::new(Shared { stage: Mutex::new(Stage::Idle), copier: Mutex::default() });
        let (order, orders) = sync_channel(1);
        let known = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("checkpoint".into());
        let thread = thread
            .spawn(move || keep_copying(&own, &orders, &known))
            .map_err(|source| DbError::Io { path: path.into(), source })?;
        Ok(Self { order: Some(order), thread: Some(thread), shared })
    }

    /// Empties the log, so that nothing of it can be read in the file. Returns false if that must be tried again: readers that are
    /// at work are not waited for, and of a long log the thread copies the most part first.
    pub fn clear(&self, writer: &Connection) -> bool {
        let stage = *self.shared.stage();
        if stage == Stage::Ordered {
            return false;
        }
        if stage == Stage::Idle && PAGES.get() >= CLEARED_PAGES && self.order_copy() {
            return false;
        }
        let _copier = self.shared.copier();
        *self.shared.stage() = Stage::Idle;
        match truncate_without_waiting(writer) {
            Ok(is_empty) => {
                if is_empty {
                    PAGES.set(0);
                }
                is_empty
            }
            Err(error) => {
                log::warn!("the write-ahead log could not be emptied: {}", chain(&error));
                false
            }
        }
    }

    /// To be called after a commit on `writer`, on its thread. It waits for the copying thread only where the
    /// log has become too long.
    pub fn note_commit(&self, writer: &Connection) {
        let pages = PAGES.get();
        let stage = *self.shared.stage();
        if stage == Stage::Copied || pages >= LOG_PAGES_MAX {
            self.shared.copier().copy(writer);
        }
        match stage {
            Stage::Copied => *self.shared.stage() = Stage::Idle,
            Stage::Idle if pages >= LOG_PAGES => {
                if !self.order_copy() {
                    log::trace!("the checkpoint thread has ended; the writer copies the log itself");
                }
            }
            Stage::Idle | Stage::Ordered => {}
        }
    }

    /// Has the thread copy the log. False if it has ended.
    fn order_copy(&self) -> bool {
        *self.shared.stage() = Stage::Ordered;
        let is_ordered = self.order.as_ref().is_some_and(|order| order.try_send(()).is_ok());
        if !is_ordered {
            *self.shared.stage() = Stage::Idle;
        }
        is_ordered
    }
}

/// Copies what is left of the log, and cuts it to nothing if nobody reads it.
fn truncate_without_waiting(writer: &Connection) -> rusqlite::Result<bool> {
    let waits_ms: u32 = writer.pragma_query_value(None, "busy_timeout", |row| row.get(0))?;
    writer.busy_timeout(Duration::ZERO)?;
    let busy = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    writer.busy_timeout(Duration::from_millis(waits_ms.into()))?;
    Ok(busy? == 0)
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.order.take();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            log::error!("the checkpoint thread has panicked");
        }
    }
}

fn keep_copying(own: &Connection, orders: &Receiver<()>, shared: &Shared) {
    while let Ok(()) = orders.recv() {
        let copied = (0..ROUNDS).all(|_| shared.copier().copy(own));
        *shared.stage() = if copied { Stage::Copied } else { Stage::Idle };
    }
}

/// Copies as much as is possible without waiting for anybody.
#[derive(Default)]
struct Copier {
    faulted: bool,
}

impl Copier {
    /// Returns false where nothing was copied. An error loses nothing: the log keeps what was not copied, and
    /// if the disk accepts nothing more, the next commit fails.
    fn copy(&mut self, connection: &Connection) -> bool {
        let copied = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = &copied {
            // Warned of once, however long a disk stays full.
            let level = if self.faulted { log::Level::Debug } else { log::Level::Warn };
            log::log!(level, "the write-ahead log could not be checkpointed: {}", chain(error));
        }
        self.faulted = copied.is_err();
        copied.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer, and what one commit of about 256 pages does to its log.
    struct Writing {
        writer: Connection,
        checkpoints: Checkpoints,
        log: std::path::PathBuf,
        rows: i64,
        _folder: tempfile::TempDir,
    }

    impl Writing {
        fn begin() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("test.db");
            let writer = Connection::open(&path).expect("a database");
            writer.pragma_update(None, "journal_mode", "WAL").expect("a log");
            writer.pragma_update(None, "synchronous", "OFF").expect("no power fails here");
            writer.execute_batch("CREATE TABLE t (bytes BLOB)").expect("a table");
            let checkpoints = Checkpoints::start(&path, &writer).expect("a thread");
            Self { writer, checkpoints, log: folder.path().join("test.db-wal"), rows: 0, _folder: folder }
        }

        /// Pages in the log before and after a commit.
        fn commits(&mut self) -> (i32, i32) {
            let before = PAGES.get();
            self.writer.execute("INSERT INTO t VALUES (randomblob(1000000))", []).expect("a commit");
            self.rows += 1;
            let after = PAGES.get();
            self.checkpoints.note_commit(&self.writer);
            (before, after)
        }

        /// Commits until the log begins anew; how long it was.
        fn commits_until_it_begins_anew(&mut self) -> i32 {
            loop {
                let (before, after) = self.commits();
                if after < before {
                    return before;
                }
                assert!(after < 2 * LOG_PAGES_MAX, "{after} pages and no end");
            }
        }

        fn holds_everything(&self) {
            let count = self.writer.query_row("SELECT count(*) FROM t", [], |row| row.get(0));
            assert_eq!(count, Ok(self.rows));
            let sound = self.writer.query_row("PRAGMA integrity_check", [], |row| row.get(0));
            assert_eq!(sound, Ok("ok".to_owned()));
        }
    }

    #[test]
    fn the_log_begins_anew_while_the_writer_goes_on() {
        let mut writing = Writing::begin();
        let mut lengths = Vec::new();
        for _ in 0..3 {
            lengths.push(writing.commits_until_it_begins_anew());
        }
        // A later one may be short: the writer ended the one before by itself, and the thread was still at it.
        assert!(lengths[0] >= LOG_PAGES, "{lengths:?}");
        assert!(lengths.iter().all(|pages| *pages < LOG_PAGES_MAX + 1_000), "{lengths:?}");
        let bytes = std::fs::metadata(&writing.log).expect("a log").len();
        assert!(bytes < 80 * 1024 * 1024, "{bytes}");
        writing.holds_everything();
    }

    #[test]
    fn a_writer_whose_thread_is_gone_copies_its_log_itself() {
        let mut writing = Writing::begin();
        writing.checkpoints.order.take();
        let length = writing.commits_until_it_begins_anew();
        assert!((LOG_PAGES_MAX..LOG_PAGES_MAX + 1_000).contains(&length), "{length}");
        writing.holds_everything();
    }

    thread_local! {
        static WAITED: Cell<u32> = const { Cell::new(0) };
    }

    #[test]
    fn a_log_that_somebody_reads_is_not_waited_for_and_is_emptied_once_nobody_does() {
        let mut writing = Writing::begin();
        writing.commits();
        let path = writing.log.with_file_name("test.db");
        let mut reading = Connection::open(&path).expect("a reader");
        let reads = reading.transaction().expect("a transaction");
        let rows: i64 = reads.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).expect("a count");
        assert_eq!(rows, 1);
        writing.commits();
        let waits = |_| {
            WAITED.set(WAITED.get() + 1);
            false
        };
        writing.writer.busy_handler(Some(waits)).expect("a handler");
        for _ in 0..2 {
            assert!(!writing.checkpoints.clear(&writing.writer));
            while *writing.checkpoints.shared.stage() == Stage::Ordered {
                std::thread::yield_now();
            }
        }
        assert_eq!(WAITED.get(), 0, "the writer waited for the reader");
        drop(reads);
        while !writing.checkpoints.clear(&writing.writer) {
            std::thread::yield_now();
        }
        assert_eq!(std::fs::metadata(&writing.log).expect("a log").len(), 0);
        writing.holds_everything();
    }
}
