//! Commits one batch: records are applied in one transaction, with one sync to the disk.

use std::path::Path;

use super::append::Append;
use super::apply::{Apply, Written};
use super::fault::{BeginError, Spoilt, StoreError};
use super::lineage::Lineage;
use super::meta;
use super::order::LocalOrder;
use super::rows;
use super::schema::Opened;
use super::store::SqliteStore;
use crate::domain::Seq;
use crate::sqlite::checkpoint::Checkpoints;
use crate::sqlite::lock::DatabaseLock;
use crate::sqlite::watch::FileWatch;

/// Deliveries of one batch that are kept raw because of damage; a batch with more is taken apart by the writer.
const SPOILT_MAX: usize = 8;

/// Writes batches on the one writing connection.
pub struct BatchWriter {
    apply: Apply,
    order: LocalOrder,
    retained: i64,
    lineage: Lineage,
    watch: FileWatch,
    /// `None` once it is closed. Before the lock: it writes to the database, too.
    checkpoints: Option<Checkpoints>,
    _lock: DatabaseLock,
}

impl BatchWriter {
    /// Takes over the open database at `path`; keeps the newest `retained` updates.
    pub fn new(opened: Opened, path: &Path, retained: i64) -> Result<Self, BeginError> {
        // It reads, which makes the write-ahead log where there was none.
        let apply = Apply::new(SqliteStore::new(opened.connection)?);
        let watch = FileWatch::begin(path)?;
        let checkpoints = Some(Checkpoints::start(path, apply.store.connection())?);
        let (order, lineage) = (LocalOrder::after(opened.newest), opened.lineage);
        Ok(Self { apply, order, retained, lineage, watch, checkpoints, _lock: opened.lock })
    }

    /// Commits a batch, or leaves everything as it was.
    ///
    /// A delivery that meets a stored state which cannot be read must not take the others with it. A savepoint would
    /// not keep it apart: it copies every page that is written (a sixth of a batch's work), and SQLite writes nothing
    /// more in a transaction that met damage. So the batch is begun anew, with that delivery kept raw.
    pub fn commit(&mut self, batch: &[Append]) -> Result<Written, StoreError> {
        self.apply.forget_spoilt();
        loop {
            let known = self.apply.kept_raw().len();
            let written = self.try_commit(batch);
            if written.is_err() && (known + 1..=SPOILT_MAX).contains(&self.apply.kept_raw().len()) {
                continue;
            }
            return written;
        }
    }

    fn try_commit(&mut self, batch: &[Append]) -> Result<Written, StoreError> {
        let written = self.write(batch).and_then(|written| {
            self.check_files()?;
            self.execute("COMMIT")?;
            Ok(written)
        });
        if written.is_err() {
            self.order.roll_back();
            self.roll_back();
        } else if let Some(newest) = self.order.commit() {
            self.lineage.note(newest);
        }
        written
    }

    fn write(&mut self, batch: &[Append]) -> Result<Written, StoreError> {
        self.begin()?;
        let damage = self.apply.kept_raw().values().find_map(Spoilt::damage);
        let mut written = Written { damage, ..Written::default() };
        for append in batch {
            let (before, position) = (self.order.newest(), self.order.next());
            if let Some(taken) = self.apply.apply(&append.record, before, position, &mut written)? {
                self.order.take(taken);
            }
        }
        self.apply.flush(&written.delta)?;
        if !written.events.is_empty() {
            let dropped = Seq(self.order.newest().0 - self.retained);
            rows::prune(self.connection(), dropped)?;
        }
        Ok(written)
    }

    /// Tries whether the database can be written, in a transaction of its own.
    pub fn probe(&mut self) -> Result<(), StoreError> {
        let probed = self.check_files().and_then(|()| self.begin()).and_then(|()| {
            meta::put(self.connection(), "probe", "")?;
            self.execute("COMMIT")
        });
        if probed.is_err() {
            self.roll_back();
        }
        probed
    }

    /// Files that were moved away take writes as before, and a restart would find none of them.
    fn check_files(&mut self) -> Result<(), StoreError> {
        if self.watch.is_intact() { Ok(()) } else { Err(StoreError::Moved) }
    }

    /// Begins a transaction. One that could not be rolled back before is rolled back now: its fault may be gone.
    fn begin(&self) -> Result<(), StoreError> {
        if !self.connection().is_autocommit() {
            self.execute("ROLLBACK")?;
        }
        self.execute("BEGIN IMMEDIATE")
    }

    /// Sees to it that the write-ahead log does not grow for ever.
    pub fn tend_log(&self) {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.note_commit(self.connection());
        }
    }

    /// Copies the write-ahead log back and closes the database.
    pub fn close(&mut self) -> Result<(), StoreError> {
        self.checkpoints.take();
        self.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn connection(&self) -> &rusqlite::Connection {
        self.apply.store.connection()
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.connection().prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    fn roll_back(&mut self) {
        self.apply.forget();
        // SQLite rolls back by itself on some errors; then there is nothing left to do.
        if !self.connection().is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            log::error!("the journal could not roll back: {error}");
        }
    }
}
