//! Values of the database by key: its epoch, the rules that made it, the position up to which alerts were
//! posted.

use rusqlite::{Connection, OptionalExtension};

use crate::domain::Seq;

/// Nothing was erased since the write-ahead log was last emptied. Removed with each erasure, in its transaction.
pub(super) const LOG_CLEAR_KEY: &str = "log_clear";

/// The value of a key; `None` if there is none.
pub fn get(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    let mut select = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    select.query_row([key], |row| row.get(0)).optional()
}

/// The position that is stored under a key.
pub fn position(connection: &Connection, key: &str) -> rusqlite::Result<Option<Seq>> {
    Ok(get(connection, key)?.and_then(|text| text.parse().ok()).map(Seq))
}

/// Stores a position, unless a later one is stored.
pub(super) fn put_position(connection: &Connection, key: &str, seq: Seq) -> rusqlite::Result<()> {
    if position(connection, key)? < Some(seq) {
        put(connection, key, &seq.to_string())?;
    }
    Ok(())
}

/// Stores a value, replacing an earlier one.
pub(super) fn put(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
    )?;
    upsert.execute([key, value])?;
    Ok(())
}

/// Removes the value of a key, if there is one.
pub(super) fn remove(connection: &Connection, key: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM meta WHERE key = ?1")?.execute([key])?;
    Ok(())
}
