//! The metrics file: its tables, and when it is built again.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::spans;
use crate::domain::Seq;
use crate::sqlite::files::{self, beside};
use crate::sqlite::open::Writing;
use crate::sqlite::{DbError, private};

/// Suffix that is appended to the path of the database.
pub const ENDING: &str = ".metrics";
const SCHEMA: u32 = 3;
/// Page cache of the projector in KiB, for each of its two files. It reads each chat once, and memory is for
/// deliveries.
pub const CACHE_KIB: i64 = 4 * 1_024;
/// A power cut may lose the last facts together with their position. They are then computed again.
const WRITING: Writing = Writing { cache_kib: CACHE_KIB, statements: 64, durable: false, erases: false };

const TABLES: &str = "
CREATE TABLE state (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    definition TEXT    NOT NULL,
    epoch      TEXT    NOT NULL,
    -- Every delivery up to here is in the rows.
    position   INTEGER NOT NULL,
    -- While built anew: the last chat that is done, how many are, of how many, and the position that it leads to.
    built_to   TEXT,
    done       INTEGER NOT NULL,
    total      INTEGER NOT NULL,
    target     INTEGER NOT NULL
);
-- Where each chat stands, as the scopes of tokens ask it (the columns have the names of the database's own tables), and
-- what an open one contributes to the live metrics. Times are nanoseconds since 1970 in UTC.
CREATE TABLE chats (
    key              INTEGER PRIMARY KEY,
    id               TEXT    NOT NULL UNIQUE,
    organization     TEXT,
    contact_id       TEXT,
    kind             INTEGER NOT NULL,
    channel_id       TEXT,
    sector_id        TEXT,
    owner_id         TEXT,
    private          INTEGER NOT NULL,
    tags             TEXT,
    open             INTEGER NOT NULL,
    waiting          INTEGER NOT NULL,
    whatsapp         INTEGER NOT NULL,
    since            INTEGER NOT NULL,
    attended         INTEGER NOT NULL,
    with_bot         INTEGER NOT NULL,
    ours_last        INTEGER NOT NULL,
    unanswered_since INTEGER,
    quiet_since      INTEGER,
    last_customer_at INTEGER
);
CREATE INDEX chats_open ON chats (kind) WHERE open = 1;
CREATE TABLE chat_members (
    member_id TEXT NOT NULL,
    chat_id   TEXT NOT NULL,
    PRIMARY KEY (member_id, chat_id)
) WITHOUT ROWID;
CREATE INDEX chat_members_of ON chat_members (chat_id);
-- In the order of the questions: a period is one stretch of it, whatever history came before.
CREATE TABLE facts (
    kind     INTEGER NOT NULL,
    metric   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    chat     INTEGER NOT NULL,
    ordinal  INTEGER NOT NULL,
    start    INTEGER NOT NULL,
    -- Milliseconds.
    wall     INTEGER NOT NULL,
    business INTEGER NOT NULL,
    agent    TEXT,
    sector   TEXT,
    channel  TEXT,
    -- Each between line feeds; NULL: none.
    tags     TEXT,
    PRIMARY KEY (kind, metric, at, chat, ordinal)
) WITHOUT ROWID;
CREATE INDEX facts_of_chat ON facts (chat);
-- Stretches of facts, each column in one piece (segments.rs): from a moment up to, and without, another. They never overlap.
CREATE TABLE segments (
    id       INTEGER PRIMARY KEY,
    kind     INTEGER NOT NULL,
    metric   INTEGER NOT NULL,
    from_at  INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    facts    INTEGER NOT NULL
);
CREATE UNIQUE INDEX segments_in_order ON segments (kind, metric, from_at, until_at, facts);
CREATE TABLE segment_parts (
    id    INTEGER PRIMARY KEY,
    bytes BLOB    NOT NULL
);
-- What the team calls its sectors, lines and tags.
CREATE TABLE names (
    what TEXT NOT NULL,
    id   TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (what, id)
) WITHOUT ROWID;
";

/// Opens the file. If it cannot be used or has another schema, it is replaced by an empty one, and readers
/// must open it again afterwards.
pub fn open(path: &Path) -> Result<Connection, DbError> {
    // The new file is made beside the old one and renamed when it is complete, because readers open it
    // all the time and would see it half made.
    let new = beside(path, "-new");
    // Left by a process that was killed.
    files::remove(&new)?;
    private::tighten(path);
    match try_open(path) {
        Ok(Some(connection)) => return Ok(connection),
        Ok(None) => {}
        Err(error) => log::warn!("the metrics file is built again: {error}"),
    }
    files::remove(path)?;
    make(&new)?;
    fs::rename(&new, path).map_err(|source| DbError::Io { path: path.into(), source })?;
    Ok(WRITING.open(path)?)
}

fn make(path: &Path) -> rusqlite::Result<()> {
    let connection = WRITING.open(path)?;
    connection.execute_batch(TABLES)?;
    connection.execute_batch(spans::TABLES)?;
    connection.pragma_update(None, "user_version", SCHEMA)?;
    connection.close().map_err(|(_, error)| error)
}

/// Empties the file while readers have it open, so that it can be built again.
pub fn begin_anew(file: &mut Connection, standing: &FileState) -> rusqlite::Result<()> {
    let step = file.transaction()?;
    step.execute_batch(
        "DELETE FROM segments; DELETE FROM segment_parts; DELETE FROM facts; DELETE FROM chat_members;
         DELETE FROM chats; DELETE FROM names;",
    )?;
    spans::empty(&step)?;
    standing.write(&step)?;
    step.commit()
}

fn try_open(path: &Path) -> rusqlite::Result<Option<Connection>> {
    if !path.exists() {
        return Ok(None);
    }
    let connection = WRITING.open(path)?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    connection.query_row("SELECT count(*) FROM state", [], |row| row.get::<_, i64>(0))?;
    Ok((version == SCHEMA).then_some(connection))
}

/// How far the metrics file, or an answer from it, has followed the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// All deliveries up to this position are included.
    pub as_of: Seq,
    /// While history is being rebuilt: the number of chats that are done, and of all chats.
    pub rebuilding: Option<(i64, i64)>,
}

impl Progress {
    /// Before the file was opened.
    pub const NOWHERE: Self = Self { as_of: Seq(-1), rebuilding: None };

    /// True if everything up to a position is included.
    pub fn holds(&self, position: Seq) -> bool {
        self.rebuilding.is_none() && self.as_of >= position
    }

    /// Reads the progress within the transaction of an answer.
    pub fn read(tx: &Connection) -> rusqlite::Result<Self> {
        let standing = FileState::read(tx)?;
        Ok(standing.map_or(Self { as_of: Seq(0), rebuilding: None }, |standing| standing.progress()))
    }
}

/// The state of the file, in its table `state`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// Identifies the rules and business hours by which the facts were computed.
    pub definition: String,
    pub epoch: String,
    /// All deliveries up to this position are included.
    pub position: i64,
    /// The last chat that is done; `None` unless the file is being rebuilt.
    pub built_to: Option<String>,
    /// Number of chats that a rebuild has done.
    pub done: i64,
    /// Number of chats that a rebuild must do.
    pub total: i64,
    /// Position that the file will have when it has been rebuilt.
    pub target: i64,
}

impl FileState {
    /// The number of chats that are done, and of all; `None` unless the file is being rebuilt.
    pub fn rebuilding(&self) -> Option<(i64, i64)> {
        self.built_to.is_some().then_some((self.done, self.total))
    }

    pub fn progress(&self) -> Progress {
        Progress { as_of: Seq(self.position), rebuilding: self.rebuilding() }
    }

    /// `None` in an empty file.
    pub fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let mut select = connection
            .prepare_cached("SELECT definition, epoch, position, built_to, done, total, target FROM state")?;
        let standing = select.query_row([], |row| {
            Ok(Self {
                definition: row.get(0)?,
                epoch: row.get(1)?,
                position: row.get(2)?,
                built_to: row.get(3)?,
                done: row.get(4)?,
                total: row.get(5)?,
                target: row.get(6)?,
            })
        });
        standing.optional()
    }

    pub fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut put = connection.prepare_cached(
            "INSERT OR REPLACE INTO state (id, definition, epoch, position, built_to, done, total, target)
             VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        put.execute(params![
            self.definition,
            self.epoch,
            self.position,
            self.built_to,
            self.done,
            self.total,
            self.target
        ])?;
        Ok(())
    }
}
