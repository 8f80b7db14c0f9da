//! Tables for questions about moments of the past: where each chat stood and when, and how many messages it
//! had by which day.
//!
//! Such a question is a *stabbing query*: an R*Tree over the intervals in which chats were open finds those
//! that contain the moment, however long the history is. The tree counts in minutes, so that four bytes hold
//! every time that nanoseconds do. Intervals that begin or end within the very minute are compared to the
//! nanosecond.

use rusqlite::Transaction;

use super::rows::kind_number;
use crate::domain::ChatKind;

/// The end of an interval that has not ended.
pub const STILL: i64 = i64::MAX;
/// Nanoseconds of a minute.
const MINUTE: i64 = 60_000_000_000;
/// Nanoseconds of a day of UTC.
pub const DAY: i64 = 24 * 60 * MINUTE;

pub(super) const TABLES: &str = "
-- What of a chat no stretch says: since when it is known, with whom and of which kind it is today, and when something
-- happened in it last.
CREATE TABLE known (
    chat       INTEGER PRIMARY KEY,
    kind       INTEGER NOT NULL,
    contact_id TEXT,
    at         INTEGER NOT NULL,
    last_at    INTEGER NOT NULL
);
CREATE INDEX known_by_contact ON known (contact_id, at);
-- The places in which chats stood, each once. The columns have the names that scopes ask for.
CREATE TABLE places (
    id           INTEGER PRIMARY KEY,
    -- All of it, as text.
    name         TEXT    NOT NULL UNIQUE,
    organization TEXT,
    channel_id   TEXT,
    sector_id    TEXT,
    owner_id     TEXT,
    private      INTEGER NOT NULL
);
CREATE TABLE place_members (
    member_id TEXT    NOT NULL,
    place     INTEGER NOT NULL,
    PRIMARY KEY (member_id, place)
) WITHOUT ROWID;
-- Where a chat stood, open or closed, from `began` until before `ended`; without a gap.
CREATE TABLE stays (
    chat  INTEGER NOT NULL,
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (chat, began)
) WITHOUT ROWID;
-- The open stretches, each in one place.
CREATE TABLE spans (
    id      INTEGER PRIMARY KEY,
    chat    INTEGER NOT NULL,
    place   INTEGER NOT NULL,
    began   INTEGER NOT NULL,
    ended   INTEGER NOT NULL,
    -- What counts need of it: see `Marks`.
    marks   INTEGER NOT NULL,
    -- Between line feeds; NULL: none.
    tags    TEXT
);
CREATE INDEX spans_of_chat ON spans (chat, began);
CREATE INDEX spans_by_begin ON spans (began, ended, marks);
CREATE VIRTUAL TABLE span_times USING rtree_i32(id, began, ended, marks, marks_too);
-- How many messages a chat has of a day of UTC, and all chats together.
CREATE TABLE said (
    chat INTEGER NOT NULL,
    day  INTEGER NOT NULL,
    n    INTEGER NOT NULL,
    PRIMARY KEY (chat, day)
) WITHOUT ROWID;
CREATE TABLE said_by_day (
    day INTEGER PRIMARY KEY,
    n   INTEGER NOT NULL
);
-- Which lines are WhatsApp's.
CREATE TABLE lines (
    id       TEXT    PRIMARY KEY,
    whatsapp INTEGER NOT NULL
) WITHOUT ROWID;
";

pub(super) fn empty(step: &Transaction<'_>) -> rusqlite::Result<()> {
    // Making a new R*Tree is faster than deleting all rows of one.
    step.execute_batch(
        "DROP TABLE span_times; DROP TABLE known; DROP TABLE places; DROP TABLE place_members; DROP TABLE stays;
         DROP TABLE spans; DROP TABLE said; DROP TABLE said_by_day; DROP TABLE lines;",
    )?;
    step.execute_batch(TABLES)
}

/// The minute that contains a time.
pub fn minute(nanos: i64) -> i32 {
    i32::try_from(nanos.div_euclid(MINUTE)).unwrap_or(if nanos < 0 { i32::MIN } else { i32::MAX })
}

/// The minute in which an interval ends.
pub fn end_minute(ended: i64) -> i32 {
    if ended == STILL { i32::MAX } else { minute(ended) }
}

/// What counts need to know of an interval, encoded as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    pub kind: ChatKind,
    /// The chat is in the waiting list.
    pub waiting: bool,
    /// The chat has no owner.
    pub unassigned: bool,
}

impl Marks {
    /// The two flags as the lowest bits, and the kind above them.
    pub fn number(self) -> i64 {
        kind_number(self.kind) * 4 + i64::from(self.waiting) * 2 + i64::from(self.unassigned)
    }

    /// The smallest and the largest number of a kind.
    pub fn of_kind(kind: ChatKind) -> (i64, i64) {
        (kind_number(kind) * 4, kind_number(kind) * 4 + 3)
    }

    pub fn is_waiting(number: i64) -> bool {
        number & 2 != 0
    }

    pub fn is_unassigned(number: i64) -> bool {
        number & 1 != 0
    }
}
