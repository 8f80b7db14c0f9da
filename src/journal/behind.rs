//! Applies records behind a copy of the database: those that a backup holds beside it. They have the positions that they had,
//! and do what they did then, so the outcome is what the database was.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::apply::{AppliedBatch, Apply};
use super::beside;
use super::entry::{Entry, Kind};
use super::fault::{Spoilt, StoreError};
use super::head::last_seq;
use super::payload::Payload;
use super::record::Record;
use super::records::StoredRecord;
use super::replace_error::{ReplaceError, database_error, store_error};
use super::retain::ROWS_MAX;
use super::rows;
use super::schema;
use super::store::SqliteStore;
use crate::domain::Seq;

/// Page cache while records are applied, in KiB. With SQLite's own 2 MiB each record read 120 pages again.
const CACHE_KIB: i64 = 64 * 1_024;

/// A copy to which records are applied. Nothing else may use it meanwhile.
pub struct Behind {
    apply: Apply,
    path: PathBuf,
    newest: Seq,
    /// How many updates are kept.
    retained: i64,
}

impl Behind {
    /// Opens a copy, and brings it to the present schema.
    pub fn open(path: &Path, retained: u32) -> Result<Self, ReplaceError> {
        let failed = database_error(path);
        let mut connection = Connection::open(path).map_err(&failed)?;
        // It is synced once, when it is complete.
        for (pragma, value) in [("journal_mode", "MEMORY"), ("synchronous", "OFF"), ("temp_store", "MEMORY")]
        {
            connection.pragma_update(None, pragma, value).map_err(&failed)?;
        }
        connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(&failed)?;
        // What is erased again must not stay in unused parts of pages.
        connection.pragma_update(None, "secure_delete", true).map_err(&failed)?;
        connection.set_prepared_statement_cache_capacity(128);
        schema::migrate(&mut connection, path)?;
        let newest = last_seq(&connection).map_err(&failed)?;
        let apply = Apply::new(SqliteStore::new(connection).map_err(&failed)?);
        Ok(Self { apply, path: path.into(), newest, retained: i64::from(retained) })
    }

    pub fn newest(&self) -> Seq {
        self.newest
    }

    /// Applies records in the order of their positions, all of them or none. Those that the copy knows change nothing; those
    /// without a position have position 0. What is too old is deleted behind them, in steps of their own.
    pub fn take(&mut self, records: Vec<StoredRecord>) -> Result<(), ReplaceError> {
        let (steps, records): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|stored| stored.entry.kind == Kind::Retention);
        self.take_at_once(records)?;
        // The steps of a run are the same, and the last one finds fewer rows.
        for step in steps {
            while self.take_at_once(vec![step.clone()])? >= ROWS_MAX {}
        }
        Ok(())
    }

    /// Applies records in one transaction. Returns how many rows steps of retention have handled.
    fn take_at_once(&mut self, records: Vec<StoredRecord>) -> Result<usize, ReplaceError> {
        let path = self.path.clone();
        let failed = store_error(&path);
        self.execute("BEGIN").map_err(&failed)?;
        let mut written = AppliedBatch::default();
        self.apply.forget_spoilt();
        for stored in records {
            self.apply_one(stored, &mut written)?;
        }
        self.apply.flush(&written.delta).map_err(&failed)?;
        let dropped = Seq(self.newest.0 - self.retained);
        rows::prune(self.apply.store.connection(), dropped).map_err(&failed)?;
        self.execute("COMMIT").map_err(&failed)?;
        Ok(written.acks.iter().filter_map(|ack| ack.rows).sum())
    }

    fn apply_one(&mut self, stored: StoredRecord, written: &mut AppliedBatch) -> Result<(), ReplaceError> {
        let StoredRecord { seq, entry, reason } = stored;
        let is_event = seq > Seq(0);
        if is_event && seq <= self.newest {
            return Ok(());
        }
        if !is_event && entry.kind == Kind::Delivery {
            return self.keep_ignored(entry, written);
        }
        if entry.kind == Kind::Delivery && is_erased(&entry.body) {
            log::info!("the delivery at {seq} was erased before it was sent, and leaves a hole");
            self.newest = seq;
            return Ok(());
        }
        let id = entry.id.clone();
        let record = self.read(entry, seq)?;
        // What was kept raw although it was understood stays so, because that is part of the history.
        if let (Some(id), Some(spoilt)) = (id, reason.as_deref().and_then(Spoilt::from_reason)) {
            self.apply.keep_raw(id, spoilt);
        }
        self.apply.apply(&record, self.newest, seq, written).map_err(store_error(&self.path))?;
        if is_event {
            self.newest = seq;
        }
        Ok(())
    }

    /// Keeps an object that is no event, unless the copy has it.
    fn keep_ignored(&mut self, entry: Entry, written: &mut AppliedBatch) -> Result<(), ReplaceError> {
        let known = beside::is_kept(self.apply.store.connection(), &entry);
        if known.map_err(database_error(&self.path))? {
            return Ok(());
        }
        let record = self.read(entry, Seq(0))?;
        // A later release may understand it; then it still has no position.
        if matches!(record.payload, Payload::Ignored { .. }) {
            self.apply.apply(&record, self.newest, Seq(0), written).map_err(store_error(&self.path))?;
        }
        Ok(())
    }

    fn read(&self, entry: Entry, seq: Seq) -> Result<Record, ReplaceError> {
        Record::read(entry).map_err(|source| ReplaceError::Record { path: self.path.clone(), seq, source })
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.apply.store.connection().execute(sql, [])?;
        Ok(())
    }
}

/// True for a content of no bytes, which no delivery has.
fn is_erased(body: &[u8]) -> bool {
    zstd::stream::decode_all(body).is_ok_and(|content| content.is_empty())
}
