//! The list of erasures beside the database. A database that is restored from an older backup does not know of
//! erasures that came after the backup; the list does, so they are applied again.
//!
//! # Contract
//!
//! 1. It holds ids, times and reasons, one erasure a line, in JSON. It is private like the database.
//! 2. An erasure is added when it is durable in the database. One that is missing in either of the two is added there when the
//!    database is opened, so neither a crash nor a lost list loses any.
//! 3. It is replaced as a whole, synced, so it is never half written. What a killed process left of it is removed at the
//!    next start.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::apply::{AppliedBatch, Apply};
use super::entry::Origin;
use super::erasures::{Erasure, erasures_of};
use super::fault::StoreError;
use super::head::last_seq;
use super::lineage;
use super::payload::{ErasureRequest, Payload};
use super::record::Record;
use super::store::SqliteStore;
use crate::domain::register::to_nanos;
use crate::domain::{ContactId, EventId, Seq};
use crate::sqlite::files::beside;
use crate::sqlite::private::{self, InMaking};

/// Why the list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error("cannot read or write the list of erasures {path}")]
    Io { path: PathBuf, source: io::Error },
    #[error("line {line} of the list of erasures {path} is not an erasure")]
    Line { path: PathBuf, line: usize, source: serde_json::Error },
    #[error("the erasures of the list cannot be applied")]
    Apply(#[from] StoreError),
}

/// An erasure, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedErasure {
    pub contact: ContactId,
    pub at: Timestamp,
    #[serde(default)]
    pub block: bool,
    #[serde(default)]
    pub by: String,
    #[serde(default)]
    pub reason: String,
}

impl From<Erasure> for ListedErasure {
    fn from(erasure: Erasure) -> Self {
        let Erasure { contact, at, by, reason, block, .. } = erasure;
        Self { contact, at, block, by, reason }
    }
}

impl ListedErasure {
    /// The same for the same erasure, so that it is applied once.
    fn key(&self) -> (ContactId, Timestamp) {
        (self.contact.clone(), self.at)
    }

    /// What is listed of a record; `None` if it asks for no erasure.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let Payload::Erasure(ErasureRequest { contact, reason, block, .. }) = &record.payload else {
            return None;
        };
        let by = record.entry.origin.to_text().unwrap_or_default();
        let by = by.strip_prefix("user:").unwrap_or(&by).to_owned();
        Some(Self {
            contact: contact.clone(),
            at: record.entry.at,
            block: *block,
            by,
            reason: reason.clone(),
        })
    }

    /// The record that asks for it.
    pub fn record(&self) -> io::Result<Record> {
        let Self { contact, at, block, by, reason } = self.clone();
        let id = event_id(&contact, at);
        let origin = if by == "hub" { Origin::Hub } else { Origin::User(by) };
        let request = ErasureRequest { contact, former_chats: Vec::new(), reason, block };
        Record::new(Payload::Erasure(request), Some(id), origin, at)
    }
}

/// The id of the event of an erasure.
pub fn event_id(contact: &ContactId, at: Timestamp) -> EventId {
    EventId::from(format!("erasure:{contact}:{}", to_nanos(at)))
}

/// Path of the list of a database.
pub fn path_of(database: &Path) -> PathBuf {
    beside(database, ".erasures")
}

/// Reads a list; empty where there is no file.
pub fn read(path: &Path) -> Result<Vec<ListedErasure>, ListError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(ListError::Io { path: path.into(), source }),
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|source| ListError::Line {
            path: path.into(),
            line: number + 1,
            source,
        })
    };
    lines.map(parse).collect()
}

/// Adds erasures to a list. Those that it holds already stay as they are.
pub fn add(path: &Path, more: impl IntoIterator<Item = ListedErasure>) -> Result<(), ListError> {
    let known = read(path)?;
    let count = known.len();
    let all: BTreeMap<_, _> = more.into_iter().chain(known).map(|listed| (listed.key(), listed)).collect();
    if all.len() == count {
        return Ok(());
    }
    let mut all: Vec<ListedErasure> = all.into_values().collect();
    all.sort_by_key(|listed| listed.at);
    write(path, &all).map_err(|source| ListError::Io { path: path.into(), source })
}

fn write(path: &Path, all: &[ListedErasure]) -> io::Result<()> {
    let making = InMaking::begin(path)?;
    let mut file = File::options().write(true).open(making.path())?;
    for listed in all {
        let line = serde_json::to_string(listed)?;
        writeln!(file, "{line}")?;
    }
    file.sync_all()?;
    making.move_to(path)?;
    lineage::sync_folder(path)
}

/// Removes what an older release left, if it was killed while it wrote the list.
fn remove_unfinished(path: &Path) {
    let unfinished = beside(path, ".new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            log::warn!("{} is an unfinished list and cannot be removed: {error}", unfinished.display());
        }
        Ok(()) | Err(_) => {}
    }
}

/// Applies the erasures of a list that a database does not know, and adds those of the database to the list. The database must have
/// the present schema.
pub fn settle(connection: Connection, list: &Path) -> Result<Connection, ListError> {
    private::tighten(list);
    remove_unfinished(list);
    let stored = erasures_of(&connection, None).map_err(StoreError::from)?;
    let stored: Vec<ListedErasure> = stored.into_iter().map(ListedErasure::from).collect();
    let missing: Vec<ListedErasure> = read(list)?
        .into_iter()
        .filter(|listed| !stored.iter().any(|known| known.key() == listed.key()))
        .collect();
    add(list, stored)?;
    if missing.is_empty() {
        return Ok(connection);
    }
    log::info!("{} erasures that this database does not know of are applied", missing.len());
    Ok(apply(connection, &missing)?)
}

fn apply(connection: Connection, missing: &[ListedErasure]) -> Result<Connection, StoreError> {
    let mut newest = last_seq(&connection)?;
    let mut apply = Apply::new(SqliteStore::new(connection)?);
    apply.store.connection().execute_batch("BEGIN IMMEDIATE")?;
    let mut written = AppliedBatch::default();
    for listed in missing {
        let record = listed.record().map_err(StoreError::compress)?;
        if let Some(taken) = apply.apply(&record, newest, Seq(newest.0 + 1), &mut written)? {
            newest = taken;
        }
    }
    apply.flush(&written.delta)?;
    apply.store.connection().execute_batch("COMMIT")?;
    let connection = apply.store.into_connection();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(connection)
}
