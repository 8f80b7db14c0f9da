//! Values of the database by key: its epoch, the rules that made it, the position up to which alerts were
//! posted.

use rusqlite::{Connection, OptionalExtension};

/// The value of a key; `None` if there is none.
pub fn get(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    let mut select = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    select.query_row([key], |row| row.get(0)).optional()
}

/// Stores a value, replacing an earlier one.
pub(super) fn put(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
    )?;
    upsert.execute([key, value])?;
    Ok(())
}
