//! The file of the metrics: its tables, and when it is built anew.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::spans;
use crate::domain::Seq;
use crate::sqlite::files::{self, beside};
use crate::sqlite::open::Writing;
use crate::sqlite::{DbError, private};

/// How its name ends, beside that of the database.
pub const ENDING: &str = ".metrics";
/// The version of the tables.
const SCHEMA: u32 = 3;
/// Pages that the projector keeps of each of its two files, in KiB: it looks at a chat once, and memory belongs to
/// deliveries.
pub const CACHE_KIB: i64 = 4 * 1_024;
/// A power cut may take the last facts and their position together: they are made again.
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

/// Opens the file, or makes it anew where it cannot be used or says another schema. Whoever reads it must open it again
/// afterwards.
pub fn open(path: &Path) -> Result<Connection, DbError> {
    // Made beside it, and there at once and whole: readers ask for it all the time, and would lock it half made.
    let new = beside(path, "-new");
    // Left by a process that was killed meanwhile.
    files::remove(&new)?;
    private::tighten(path);
    match try_open(path) {
        Ok(Some(connection)) => return Ok(connection),
        Ok(None) => {}
        Err(error) => log::warn!("the file of the metrics is made anew: {error}"),
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

/// Takes everything out of it, so that it is built anew while readers hold it.
pub fn begin_anew(file: &mut Connection, standing: &Standing) -> rusqlite::Result<()> {
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

/// How far the metrics go, or an answer that was made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Every delivery up to here is in it.
    pub as_of: Seq,
    /// Chats that are done and all chats, while history is computed anew.
    pub rebuilding: Option<(i64, i64)>,
}

impl Progress {
    /// Before the file was opened.
    pub const NOWHERE: Self = Self { as_of: Seq(-1), rebuilding: None };

    /// True where everything up to a position is in it.
    pub fn holds(&self, position: Seq) -> bool {
        self.rebuilding.is_none() && self.as_of >= position
    }

    /// Where the file stands, within one transaction with the answer.
    pub fn read(tx: &Connection) -> rusqlite::Result<Self> {
        let standing = Standing::read(tx)?;
        Ok(standing.map_or(Self { as_of: Seq(0), rebuilding: None }, |standing| standing.progress()))
    }
}

/// Where the file stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// By which rules and hours.
    pub definition: String,
    /// In which life of the journal.
    pub epoch: String,
    /// How far.
    pub position: i64,
    /// The last chat that is done, while it is built anew.
    pub built_to: Option<String>,
    /// Chats that are done.
    pub done: i64,
    /// Of so many.
    pub total: i64,
    /// The position that building it anew leads to.
    pub target: i64,
}

impl Standing {
    /// Chats that are done and all chats, while it is built anew.
    pub fn rebuilding(&self) -> Option<(i64, i64)> {
        self.built_to.is_some().then_some((self.done, self.total))
    }

    /// The same for those who ask.
    pub fn progress(&self) -> Progress {
        Progress { as_of: Seq(self.position), rebuilding: self.rebuilding() }
    }

    /// Reads it; `None` in a new file.
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

    /// Writes it.
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
