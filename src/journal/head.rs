//! The head of the journal: its epoch and its newest position.

use rusqlite::Connection;

use super::meta;
use crate::domain::Seq;

/// Key of the epoch in `meta`.
pub const EPOCH_KEY: &str = "epoch";

/// The newest committed position; 0 in an empty journal.
pub fn last_seq(database: &Connection) -> rusqlite::Result<Seq> {
    let mut select = database.prepare_cached("SELECT coalesce(max(seq), 0) FROM journal")?;
    select.query_row([], |row| row.get(0)).map(Seq)
}

pub fn epoch(database: &Connection) -> rusqlite::Result<String> {
    meta::get(database, EPOCH_KEY)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}
