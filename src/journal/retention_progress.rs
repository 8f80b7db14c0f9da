//! How far what is older than the operator wants to keep is deleted: the table `retention`.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::meta;
use super::payload::{Retained, RetentionStep};
use crate::domain::register::from_nanos;

/// Key in `meta`: the database was begun by a release that deletes by age.
const BEGUN_KEY: &str = "retention";

/// Notes that a new database is begun by a release that deletes by age.
pub(super) fn note_begun(connection: &Connection) -> rusqlite::Result<()> {
    meta::put(connection, BEGUN_KEY, "1")
}

/// The steps that were begun last, with which what is too old is deleted again in a copy.
pub(super) fn begun_steps(connection: &Connection) -> rusqlite::Result<Vec<RetentionStep>> {
    let mut steps = Vec::new();
    for what in [Retained::Raw, Retained::Texts] {
        if let Some((before, _)) = progress(connection, what.as_str())? {
            // The texts of a moment go with those before it, so its own step was of the moment after it.
            let before = if what == Retained::Texts { before.saturating_add(1) } else { before };
            steps.push(RetentionStep { what, before: from_nanos(before) });
        }
    }
    Ok(steps)
}

/// True if the database was begun by such a release. The operator of an older one did not expect it.
pub fn begun_with_retention(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(meta::get(connection, BEGUN_KEY)?.is_some())
}

/// Messages whose content must not be stored: those that were written up to this moment; `None`: there are none.
pub(super) fn content_until(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    Ok(progress(connection, Retained::Texts.as_str())?.map(|(before, _)| from_nanos(before)))
}

/// The moment before which is deleted, and how far that is done; `None` where it was never begun.
pub(super) fn progress(connection: &Connection, what: &str) -> rusqlite::Result<Option<(i64, i64)>> {
    let mut select = connection.prepare_cached("SELECT before, done FROM retention WHERE what = ?1")?;
    select.query_row([what], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// Notes how far it is done. Neither moment goes back.
pub(super) fn put_progress(
    connection: &Connection,
    what: &str,
    before: i64,
    done: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO retention (what, before, done) VALUES (?1, ?2, ?3)
             ON CONFLICT (what) DO UPDATE SET before = max(before, ?2), done = max(done, ?3)",
        )?
        .execute(params![what, before, done])?;
    Ok(())
}
