//! Commits batches: the records of a batch are applied in one transaction, with one sync to disk.

use std::path::{Path, PathBuf};

use super::append::{Ack, AckStatus, Append};
use super::apply::{AppliedBatch, Apply};
use super::erasure_list::{self, ListedErasure};
use super::fault::{Spoilt, StoreError};
use super::lineage::Lineage;
use super::meta;
use super::order::LocalOrder;
use super::rows;
use super::schema::Opened;
use super::store::SqliteStore;
use crate::domain::Seq;
use crate::sqlite::DbError;
use crate::sqlite::checkpoint::Checkpoints;
use crate::sqlite::lock::DatabaseLock;
use crate::sqlite::watch::FileWatch;
use crate::telemetry::causes::chain;

/// The most deliveries of one batch that are kept raw because of damage. A batch with more is split by the
/// writer.
const SPOILT_MAX: usize = 8;
/// What is written to see whether writing works again. A delivery that is stored alone takes 110 KiB of the log. On a full disk less
/// than that may still fit, again and again, while no delivery does.
const PROBE_BYTES: usize = 256 * 1024;
const PROBE_KEY: &str = "probe";

/// Writes batches on the only connection that writes.
pub struct BatchWriter {
    apply: Apply,
    order: LocalOrder,
    retained: i64,
    lineage: Lineage,
    watch: FileWatch,
    path: PathBuf,
    /// What was erased is still in the write-ahead log.
    must_clear_log: bool,
    /// `None` once closed. Declared before the lock, because it writes to the database too.
    checkpoints: Option<Checkpoints>,
    _lock: DatabaseLock,
}

impl BatchWriter {
    /// Takes over the open database at `path`. The newest `retained` updates are kept.
    pub fn new(opened: Opened, path: &Path, retained: i64) -> Result<Self, DbError> {
        // This reads the database, which makes the write-ahead log if there was none.
        let mut apply = Apply::new(SqliteStore::new(opened.connection)?);
        if opened.place.is_some() {
            apply.follow_cluster();
        }
        let watch = FileWatch::begin(path).map_err(|source| DbError::Io { path: path.into(), source })?;
        let checkpoints = Some(Checkpoints::start(path, apply.store.connection())?);
        let (order, lineage) = (LocalOrder::after(opened.newest), opened.lineage);
        let path = path.to_path_buf();
        let must_clear_log = may_hold_erased(apply.store.connection())?;
        Ok(Self {
            apply,
            order,
            retained,
            lineage,
            watch,
            path,
            must_clear_log,
            checkpoints,
            _lock: opened.lock,
        })
    }

    /// Commits a batch, or changes nothing.
    ///
    /// A delivery that meets an unreadable stored state must not fail the others. A savepoint would not
    /// help: it copies every page that is written (a sixth of the work of a batch), and SQLite writes
    /// nothing more in a transaction that met damage. So the batch is started again, with that delivery
    /// kept raw.
    pub fn commit(&mut self, batch: &[Append]) -> Result<AppliedBatch, StoreError> {
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

    fn try_commit(&mut self, batch: &[Append]) -> Result<AppliedBatch, StoreError> {
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
        if let Ok(written) = &written
            && written.erases
        {
            self.must_clear_log = true;
            self.list_erasures(batch, &written.acks);
        }
        written
    }

    /// Adds the erasures of a batch to the list beside the database. If that fails, the next start does it.
    fn list_erasures(&self, batch: &[Append], acks: &[Ack]) {
        // One that was not accepted was known before, or was proposed by a hub that no longer has the duties.
        let done = batch.iter().zip(acks).filter(|(_, ack)| ack.status == AckStatus::Accepted);
        let listed = done.filter_map(|(append, _)| ListedErasure::of(&append.record));
        if let Err(error) = erasure_list::add(&erasure_list::path_of(&self.path), listed) {
            log::error!("an erasure is not in the list beside the database yet: {}", chain(&error));
        }
    }

    /// True if the write-ahead log still holds what was erased.
    pub fn must_clear_log(&self) -> bool {
        self.must_clear_log
    }

    /// Empties the write-ahead log, if it holds what was erased. Readers that are at work may hinder it; then it must be called
    /// again.
    pub fn clear_log(&mut self) {
        if self.must_clear_log
            && let Some(checkpoints) = &self.checkpoints
        {
            self.must_clear_log = !checkpoints.clear(self.connection());
            if !self.must_clear_log
                && let Err(error) = meta::put(self.connection(), meta::LOG_CLEAR_KEY, "1")
            {
                log::warn!("the log is emptied again at the next start: {}", chain(&error));
            }
        }
    }

    fn write(&mut self, batch: &[Append]) -> Result<AppliedBatch, StoreError> {
        self.begin()?;
        let damage = self.apply.kept_raw().values().find_map(Spoilt::damage);
        let mut written = AppliedBatch { damage, ..AppliedBatch::default() };
        for append in batch {
            let before = self.order.newest();
            let position = append.place.map_or_else(|| self.order.next(), |place| place.position);
            if let Some(taken) = self.apply.apply(&append.record, before, position, &mut written)? {
                self.order.take(taken);
            }
        }
        if let Some(place) = batch.iter().rev().find_map(|append| append.place) {
            place.store(self.connection())?;
        }
        self.apply.flush(&written.delta)?;
        if !written.events.is_empty() {
            let dropped = Seq(self.order.newest().0 - self.retained);
            rows::prune(self.connection(), dropped)?;
        }
        Ok(written)
    }

    /// Checks that as much can be written as a delivery takes, in transactions of its own.
    pub fn probe(&mut self) -> Result<(), StoreError> {
        let probed = self.check_files().and_then(|()| self.begin()).and_then(|()| {
            meta::put(self.connection(), PROBE_KEY, &" ".repeat(PROBE_BYTES))?;
            self.execute("COMMIT")?;
            self.begin()?;
            meta::remove(self.connection(), PROBE_KEY)?;
            self.execute("COMMIT")
        });
        if probed.is_err() {
            self.roll_back();
        }
        probed
    }

    /// Files that were moved away still accept writes, but a restart would not find them.
    fn check_files(&mut self) -> Result<(), StoreError> {
        if self.watch.is_intact() { Ok(()) } else { Err(StoreError::Moved) }
    }

    /// Begins a transaction. If an earlier one could not be rolled back, it is rolled back now, because
    /// the fault may have passed.
    fn begin(&self) -> Result<(), StoreError> {
        if !self.connection().is_autocommit() {
            self.execute("ROLLBACK")?;
        }
        self.execute("BEGIN IMMEDIATE")
    }

    /// Keeps the write-ahead log from growing without limit.
    pub fn tend_log(&self) {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.note_commit(self.connection());
        }
    }

    /// Checkpoints the write-ahead log and closes the database.
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
        // On some errors SQLite rolls back by itself. Then nothing is left to do.
        if !self.connection().is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            log::error!("the journal could not roll back: {error}");
        }
    }
}

/// True if the log may hold what was erased: the process may have been killed before it was emptied.
fn may_hold_erased(connection: &rusqlite::Connection) -> rusqlite::Result<bool> {
    if meta::get(connection, meta::LOG_CLEAR_KEY)?.is_some() {
        return Ok(false);
    }
    let erased = "SELECT EXISTS (SELECT 1 FROM erasures) OR EXISTS (SELECT 1 FROM retention)";
    connection.query_row(erased, [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::schema;
    use crate::protocol::FaultKind;

    #[test]
    fn a_probe_fails_where_a_little_fits_and_no_delivery() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        let mut writer = BatchWriter::new(schema::open(&path).unwrap(), &path, 1_000).unwrap();
        let pages: i64 =
            writer.connection().pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        let may_have = |writer: &BatchWriter, pages: i64| {
            writer.connection().pragma_update(None, "max_page_count", pages).unwrap();
        };
        may_have(&writer, pages + 2);
        meta::put(writer.connection(), "little", "fits").unwrap();
        assert_eq!(writer.probe().unwrap_err().kind(), FaultKind::DiskFull);
        may_have(&writer, pages * 2 + 100);
        writer.probe().unwrap();
        assert_eq!(meta::get(writer.connection(), PROBE_KEY).unwrap(), None);
    }
}
