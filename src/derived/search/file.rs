//! The search index's file: its tables, its position, and how words are added and removed.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::words::{indexed, indexed_phone};
use crate::journal::words::text_of_key;
use crate::sqlite::open::Writing;
use crate::sqlite::private;

/// Suffix that is appended to the path of the database.
pub(crate) const ENDING: &str = ".search";
/// Version of the index. A file of another version is built again.
const VERSION: i64 = 3;
/// A power cut may lose the newest words together with their position. They are then read again. Deleted
/// words are overwritten, because they were confidential.
const WRITING: Writing = Writing { cache_kib: 16 * 1_024, statements: 32, durable: false, erases: true };

/// Only words are stored, not the texts, so that what is erased in the database can be removed here too.
/// Letters are folded beforehand, so the tokenizer only splits at spaces. Numbers in one piece have a column
/// of their own, so that short numbers do not match parts of them. Short prefixes are indexed because people
/// who type ask for them first, and they match the most words.
const TABLES: &str = "
    DROP TABLE IF EXISTS position;
    DROP TABLE IF EXISTS message_words;
    DROP TABLE IF EXISTS contact_words;
    CREATE TABLE position (
        id          INTEGER PRIMARY KEY CHECK (id = 1),
        epoch       TEXT    NOT NULL,
        seq         INTEGER NOT NULL,
        message     INTEGER NOT NULL,
        message_id  TEXT    NOT NULL,
        contact     INTEGER NOT NULL,
        is_complete INTEGER NOT NULL
    );
    CREATE VIRTUAL TABLE message_words USING fts5(
        text, numbers, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '1 2 3 4');
    CREATE VIRTUAL TABLE contact_words USING fts5(
        name, phone, numbers, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '1 2 3 4');
";

/// How far the index has followed the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexPosition {
    pub(super) epoch: String,
    /// Changes of indexed rows are included up to this position.
    pub(super) seq: i64,
    /// The last row of `messages` that is included, with its id. If that row has another id, the rows
    /// were numbered again.
    pub(super) message: i64,
    pub(super) message_id: String,
    /// The last row of `contacts` that is included.
    pub(super) contact: i64,
    /// All rows were included at some time.
    pub(super) is_complete: bool,
}

/// What has to be forgotten. It is made in files of older releases too, which need not be built again for it.
const FORGOTTEN: &str = "
    CREATE TABLE IF NOT EXISTS forgotten (
        id         INTEGER PRIMARY KEY CHECK (id = 1),
        -- Words of messages up to this place in their order are removed by age.
        until      INTEGER NOT NULL,
        -- A number of Merging.
        is_merging INTEGER NOT NULL
    );
    INSERT OR IGNORE INTO forgotten VALUES (1, -9223372036854775808, 0);
";
/// Whether removed words are still in parts of the index that have not been merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Merging {
    /// There are none.
    Done,
    /// There are some, and more are about to be removed by age: one merge takes all of them.
    Later,
    Now,
}

impl Merging {
    fn number(self) -> i64 {
        match self {
            Self::Done => 0,
            Self::Now => 1,
            Self::Later => 2,
        }
    }

    fn from_number(number: i64) -> Self {
        [Self::Done, Self::Later].into_iter().find(|known| known.number() == number).unwrap_or(Self::Now)
    }
}

/// Pages of the index that one step of a merge writes.
const PAGES_PER_MERGE: i64 = 200;

/// Opens the file. It is made if it is missing.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    private::tighten(path);
    let connection = WRITING.open(path)?;
    connection.execute_batch(FORGOTTEN)?;
    Ok(connection)
}

/// Up to which place words of messages were removed by age, and whether removed words wait for a merge.
pub(super) fn forgotten(connection: &Connection) -> rusqlite::Result<(i64, Merging)> {
    let mut select = connection.prepare_cached("SELECT until, is_merging FROM forgotten")?;
    select.query_row([], |row| Ok((row.get(0)?, Merging::from_number(row.get(1)?))))
}

/// Stores that, in the transaction of the words.
pub(super) fn put_forgotten(connection: &Connection, until: i64, merging: Merging) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE forgotten SET until = ?1, is_merging = ?2")?
        .execute([until, merging.number()])?;
    Ok(())
}

/// Merges a part of the index. Removed words are only marked so at first; a merge leaves them out. Returns false
/// once nothing is left to merge.
pub(super) fn merge(tx: &Transaction<'_>) -> rusqlite::Result<bool> {
    let mut is_more = false;
    for table in ["message_words", "contact_words"] {
        let before = tx.total_changes();
        let sql = format!("INSERT INTO {table} ({table}, rank) VALUES ('merge', ?1)");
        tx.prepare_cached(&sql)?.execute([-PAGES_PER_MERGE])?;
        // The statement itself counts as one change (https://www.sqlite.org/fts5.html, section 6.8).
        is_more |= tx.total_changes() - before >= 2;
    }
    Ok(is_more)
}

/// Empties the write-ahead log, which held the words. Returns false where a reader hinders it.
pub(super) fn clear_log(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// How far the index has come; `None` if the file has no tables of this version.
pub(super) fn position(connection: &Connection) -> rusqlite::Result<Option<IndexPosition>> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != VERSION {
        return Ok(None);
    }
    let mut select = connection
        .prepare_cached("SELECT epoch, seq, message, message_id, contact, is_complete FROM position")?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(IndexPosition {
            epoch: row.get(0)?,
            seq: row.get(1)?,
            message: row.get(2)?,
            message_id: row.get(3)?,
            contact: row.get(4)?,
            is_complete: row.get(5)?,
        })
    };
    select.query_row([], read).optional()
}

pub(super) fn begin_anew(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute_batch(TABLES)?;
    tx.pragma_update(None, "user_version", VERSION)
}

/// Stores the position, in the transaction of the words.
pub(super) fn put_position(tx: &Transaction<'_>, position: &IndexPosition) -> rusqlite::Result<()> {
    let mut put = tx.prepare_cached("INSERT OR REPLACE INTO position VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)")?;
    put.execute(params![
        position.epoch,
        position.seq,
        position.message,
        position.message_id,
        position.contact,
        position.is_complete
    ])?;
    Ok(())
}

/// Replaces the words of a message. `key` is the message's search key.
pub(super) fn put_message(
    tx: &Transaction<'_>,
    row: i64,
    key: Option<&str>,
    is_known: bool,
) -> rusqlite::Result<()> {
    if is_known {
        tx.prepare_cached("DELETE FROM message_words WHERE rowid = ?1")?.execute([row])?;
    }
    let (words, numbers) = key.map(|key| indexed(text_of_key(key))).unwrap_or_default();
    if !words.is_empty() {
        let mut insert =
            tx.prepare_cached("INSERT INTO message_words (rowid, text, numbers) VALUES (?1, ?2, ?3)")?;
        insert.execute(params![row, words, numbers])?;
    }
    Ok(())
}

/// Replaces the words of a contact.
pub(super) fn put_contact(
    tx: &Transaction<'_>,
    row: i64,
    name: Option<&str>,
    phone: Option<&str>,
    is_known: bool,
) -> rusqlite::Result<()> {
    if is_known {
        tx.prepare_cached("DELETE FROM contact_words WHERE rowid = ?1")?.execute([row])?;
    }
    let (name, numbers) = name.map(indexed).unwrap_or_default();
    let phone = phone.map(indexed_phone).unwrap_or_default();
    if !name.is_empty() || !phone.is_empty() {
        let mut insert = tx.prepare_cached(
            "INSERT INTO contact_words (rowid, name, phone, numbers) VALUES (?1, ?2, ?3, ?4)",
        )?;
        insert.execute(params![row, name, phone, numbers])?;
    }
    Ok(())
}
