//! Who read what: a file of its own beside the database, for the question who has seen a person's data.
//!
//! # Contract
//!
//! 1. It holds up nobody: a read is noted in a bounded queue, and a thread writes the queue to the file. If the queue is
//!    full, or the file cannot be written, the note is dropped and counted.
//! 2. It holds ids, and neither names nor what was searched for.
//! 3. A power cut may lose the newest notes.
//! 4. Notes older than the operator wants to keep are deleted: at the start, with every write, and once an hour where nothing is
//!    written.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use tokio::sync::oneshot;

use crate::domain::register::{from_nanos, to_nanos};
use crate::sqlite::files::beside;
use crate::sqlite::open::{Writing, read_only};
use crate::sqlite::{DbError, private};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::priority::give_way;

/// Suffix that is appended to the path of the database.
const ENDING: &str = ".reads";
/// Notes that may wait: some seconds of the most reads that the hub answers.
pub const NOTES_WAITING_MAX: usize = 8_192;
/// The most notes in one transaction.
const BATCH_MAX: usize = 512;
/// Old notes that are deleted after a batch, so that deleting keeps up and never takes long.
const PRUNED_AT_ONCE: u16 = 1_000;
/// How often old notes are looked for while nothing is noted.
const PRUNED_EVERY: Duration = Duration::from_hours(1);
/// Page cache in KiB. Rows are only appended.
const CACHE_KIB: i64 = 1_024;
/// Notes that are too old are overwritten, because they say who read of whom.
const WRITING: Writing = Writing { cache_kib: CACHE_KIB, statements: 8, durable: false, erases: true };
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS reads (
        id         INTEGER PRIMARY KEY,
        at         INTEGER NOT NULL,
        user       TEXT    NOT NULL,
        role       TEXT    NOT NULL,
        route      TEXT    NOT NULL,
        chat_id    TEXT,
        contact_id TEXT,
        count      INTEGER NOT NULL
    );
    CREATE INDEX IF NOT EXISTS reads_of_chat ON reads (chat_id, id) WHERE chat_id IS NOT NULL;
    CREATE INDEX IF NOT EXISTS reads_of_contact ON reads (contact_id, id) WHERE contact_id IS NOT NULL;
";

/// Somebody was shown personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadNote {
    pub at: Timestamp,
    /// The `sub` of the token.
    pub user: String,
    pub role: &'static str,
    /// The route, or the request on a socket.
    pub route: String,
    pub chat: Option<String>,
    pub contact: Option<String>,
    /// How many items were shown, as far as that is known; for a stream, how many channels.
    pub count: u32,
}

enum Order {
    Note(ReadNote),
    /// Answered once everything before it is in the file.
    Flush(oneshot::Sender<()>),
}

/// Handle to the log. Clones share it.
#[derive(Clone)]
pub struct ReadLog {
    /// `None` if nothing is logged.
    orders: Option<SyncSender<Order>>,
    path: PathBuf,
    metrics: Metrics,
}

impl ReadLog {
    /// Starts the thread for the log beside a database. With `days` 0 nothing is logged.
    pub fn start(database: &Path, days: u32, metrics: Metrics) -> Result<Self, DbError> {
        let path = beside(database, ENDING);
        if days == 0 {
            return Ok(Self { orders: None, path, metrics });
        }
        private::tighten(&path);
        let connection = WRITING.open(&path)?;
        connection.execute_batch(TABLES)?;
        let (sender, receiver) = sync_channel(NOTES_WAITING_MAX);
        let counted = metrics.clone();
        let keep = move || keep(&connection, &receiver, days, &counted);
        std::thread::Builder::new()
            .name("reads".into())
            .spawn(keep)
            .map_err(|source| DbError::Io { path: path.clone(), source })?;
        Ok(Self { orders: Some(sender), path, metrics })
    }

    /// True if reads are logged.
    pub fn is_on(&self) -> bool {
        self.orders.is_some()
    }

    /// Notes a read, or counts that it could not be noted.
    pub fn note(&self, note: ReadNote) {
        let Some(orders) = &self.orders else { return };
        if orders.try_send(Order::Note(note)).is_err() {
            self.metrics.read_dropped();
        }
    }

    /// Everything that was noted before is in the file when it resolves.
    pub async fn flush(&self) {
        let Some(orders) = &self.orders else { return };
        let (written, is_written) = oneshot::channel();
        if orders.try_send(Order::Flush(written)).is_ok() && is_written.await.is_err() {
            log::debug!("the log of reads has ended");
        }
    }

    /// Notes, the newest first. To be called on a thread that may wait for the disk.
    pub fn list(&self, filter: &ReadFilter) -> rusqlite::Result<Vec<(i64, ListedRead)>> {
        if !self.is_on() {
            return Ok(Vec::new());
        }
        list(&read_only(&self.path, CACHE_KIB)?, filter)
    }
}

/// Which notes of reads to list.
#[derive(Debug, Default)]
pub struct ReadFilter {
    pub user: Option<String>,
    pub chat: Option<String>,
    pub contact: Option<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Only notes before the one with this number.
    pub before: Option<i64>,
    pub limit: u32,
}

/// A note as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRead {
    pub at: Timestamp,
    pub user: String,
    pub role: String,
    pub route: String,
    pub chat: Option<String>,
    pub contact: Option<String>,
    pub count: u32,
}

fn list(connection: &Connection, filter: &ReadFilter) -> rusqlite::Result<Vec<(i64, ListedRead)>> {
    let (sql, values) = question(filter);
    let mut select = connection.prepare(&sql)?;
    let read = |row: &rusqlite::Row<'_>| {
        let listed = ListedRead {
            at: from_nanos(row.get(1)?),
            user: row.get(2)?,
            role: row.get(3)?,
            route: row.get(4)?,
            chat: row.get(5)?,
            contact: row.get(6)?,
            count: row.get(7)?,
        };
        Ok((row.get(0)?, listed))
    };
    select.query_map(params_from_iter(values), read)?.collect()
}

/// The statement for a filter, and its values. It names only what was asked for, because SQLite uses an index for nothing that
/// may be `NULL`.
fn question(filter: &ReadFilter) -> (String, Vec<Value>) {
    let ReadFilter { user, chat, contact, since, until, before, limit } = filter;
    let text = |value: &Option<String>| value.clone().map(Value::from);
    let asked = [
        ("chat_id = ?", text(chat)),
        ("contact_id = ?", text(contact)),
        ("user = ?", text(user)),
        ("at >= ?", since.map(|since| to_nanos(since).into())),
        ("at < ?", until.map(|until| to_nanos(until).into())),
        ("id < ?", before.map(Value::from)),
    ];
    let mut sql =
        "SELECT id, at, user, role, route, chat_id, contact_id, count FROM reads WHERE 1".to_owned();
    let mut values = Vec::new();
    for (condition, value) in asked {
        if let Some(value) = value {
            sql += " AND ";
            sql += condition;
            values.push(value);
        }
    }
    sql += " ORDER BY id DESC LIMIT ?";
    values.push((*limit).into());
    (sql, values)
}

/// Writes what is noted until the last handle is gone.
fn keep(connection: &Connection, orders: &Receiver<Order>, days: u32, metrics: &Metrics) {
    give_way("reads");
    let mut is_faulted = false;
    prune_all(connection, days);
    loop {
        let first = match orders.recv_timeout(PRUNED_EVERY) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => {
                prune_all(connection, days);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let (mut notes, mut flushed) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        while let Some(order) = next {
            match order {
                Order::Note(note) => notes.push(note),
                Order::Flush(written) => flushed.push(written),
            }
            next = if notes.len() < BATCH_MAX { orders.try_recv().ok() } else { None };
        }
        let written = write(connection, &notes, days);
        if let Err(error) = &written {
            // Logged once, however long a full disk stays full.
            let level = if is_faulted { log::Level::Debug } else { log::Level::Error };
            log::log!(level, "who reads what cannot be noted: {}", chain(error));
            for _lost in &notes {
                metrics.read_dropped();
            }
        }
        is_faulted = written.is_err();
        for written in flushed {
            if written.send(()).is_err() {
                log::trace!("nobody waits for the log of reads any more");
            }
        }
    }
}

fn write(connection: &Connection, notes: &[ReadNote], days: u32) -> rusqlite::Result<()> {
    let Some(newest) = notes.last() else { return Ok(()) };
    let tx = connection.unchecked_transaction()?;
    {
        let mut insert = tx.prepare_cached(
            "INSERT INTO reads (at, user, role, route, chat_id, contact_id, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for ReadNote { at, user, role, route, chat, contact, count } in notes {
            insert.execute(params![to_nanos(*at), user, role, route, chat, contact, count])?;
        }
        prune(&tx, newest.at, days)?;
    }
    tx.commit()
}

/// Deletes all notes that are too old. What cannot be deleted now is deleted later.
fn prune_all(connection: &Connection, days: u32) {
    loop {
        match prune(connection, clock::now(), days) {
            Ok(count) if count == usize::from(PRUNED_AT_ONCE) => {}
            Ok(_) => return,
            Err(error) => {
                return log::warn!("notes of reads that are too old stay for now: {}", chain(&error));
            }
        }
    }
}

/// Deletes some notes that are too old, and tells how many.
fn prune(connection: &Connection, now: Timestamp, days: u32) -> rusqlite::Result<usize> {
    let oldest = now.checked_sub(SignedDuration::from_hours(i64::from(days) * 24));
    let mut delete = connection.prepare_cached(
        "DELETE FROM reads WHERE id IN (SELECT id FROM reads ORDER BY id LIMIT ?2) AND at < ?1",
    )?;
    delete.execute(params![oldest.map_or(i64::MIN, to_nanos), PRUNED_AT_ONCE])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(number: u32, at: &str) -> ReadNote {
        ReadNote {
            at: at.parse().unwrap(),
            user: "bia".into(),
            role: "agent",
            route: "/api/umbler/chats/{id}".into(),
            chat: Some(format!("chat-{number}")),
            contact: None,
            count: 1,
        }
    }

    #[test]
    fn notes_that_are_too_old_are_deleted_and_younger_ones_stay() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        write(&connection, &[note(1, "2026-01-01T00:00:00Z"), note(2, "2026-03-01T00:00:00Z")], 180).unwrap();
        write(&connection, &[note(3, "2026-07-01T00:00:00Z")], 180).unwrap();
        let left = list(&connection, &ReadFilter { limit: 9, ..ReadFilter::default() }).unwrap();
        let chats: Vec<_> = left.into_iter().filter_map(|(_, read)| read.chat).collect();
        assert_eq!(chats, ["chat-3", "chat-2"]);
    }

    #[test]
    fn a_queue_that_is_full_drops_notes_counts_them_and_holds_up_nobody() {
        let (sender, _kept) = sync_channel(NOTES_WAITING_MAX);
        let metrics = Metrics::new().unwrap();
        let log = ReadLog { orders: Some(sender), path: PathBuf::new(), metrics: metrics.clone() };
        let at = "2026-03-02T13:00:00Z";
        (0..NOTES_WAITING_MAX + 3).for_each(|_| log.note(note(1, at)));
        assert_eq!(metrics.reads_dropped(), 3);
    }

    #[actix_rt::test]
    async fn notes_that_cannot_be_written_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let (database, metrics) = (folder.path().join("hub.db"), Metrics::new().unwrap());
        let log = ReadLog::start(&database, 180, metrics.clone()).unwrap();
        Connection::open(&log.path).unwrap().execute_batch("DROP TABLE reads").unwrap();
        log.note(note(1, "2026-03-02T13:00:00Z"));
        log.note(note(2, "2026-03-02T13:00:00Z"));
        log.flush().await;
        assert_eq!(metrics.reads_dropped(), 2);
    }

    #[test]
    fn who_read_of_a_chat_or_a_person_is_found_through_an_index() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        let plan = |filter: ReadFilter| -> String {
            let (sql, values) = question(&filter);
            let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            explain.query_row(params_from_iter(values), |row| row.get(3)).unwrap()
        };
        let one = || Some("one".to_owned());
        let of_chat = plan(ReadFilter { chat: one(), before: Some(7), ..ReadFilter::default() });
        assert_eq!(of_chat, "SEARCH reads USING INDEX reads_of_chat (chat_id=? AND id<?)");
        let of_contact = plan(ReadFilter { contact: one(), user: one(), ..ReadFilter::default() });
        assert_eq!(of_contact, "SEARCH reads USING INDEX reads_of_contact (contact_id=?)");
    }
}
