//! The baseline of the ingest: bare SQLite group commit of rows like the journal's, as many at once as are in flight.
//!
//! No HTTP, no JSON, no state of chats: what durable storage of these bytes costs on this disk.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::deliveries::Deliveries;
use super::figures::{float, percentile};
use super::screens::nanos_since;

/// The journal's row, the delivery's bytes and the update, as the hub's first schema has them.
const TABLES: &str = "
    CREATE TABLE journal (seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, event_type TEXT NOT NULL,
        update_type TEXT NOT NULL, organization TEXT, chat_id TEXT, contact_id TEXT, event_at INTEGER,
        received_at INTEGER NOT NULL, attempt INTEGER, reason TEXT);
    CREATE TABLE raw_deliveries (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
    CREATE TABLE frames (seq INTEGER PRIMARY KEY, frame TEXT NOT NULL);";
/// Pages in the write-ahead log after which it is copied back; the hub's own bound.
const CHECKPOINT_PAGES: i64 = 4_000;
/// The hub's level of compression.
const ZSTD_LEVEL: i32 = 1;

/// A database that takes rows.
pub struct RawJournal {
    connection: Connection,
    next: i64,
    raw: Vec<u8>,
    frame: String,
}

/// What one run showed.
pub struct Committed {
    /// Rows per second.
    pub per_second: f64,
    /// Nanoseconds of one commit, in the middle.
    pub p50: f64,
    /// The same for the slowest in a hundred.
    pub p99: f64,
}

impl RawJournal {
    /// An empty one, whose rows hold a delivery compressed as the hub does it, and an update of this length.
    pub fn create(folder: &Path, frame_bytes: usize) -> io::Result<Self> {
        let connection = Connection::open(folder.join("raw.db")).map_err(io::Error::other)?;
        let configure = || {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
            connection.execute_batch(TABLES)
        };
        configure().map_err(io::Error::other)?;
        let mut body = String::new();
        Deliveries::mixed("raw", 1)?.write_next(&mut body);
        let raw = zstd::bulk::compress(body.as_bytes(), ZSTD_LEVEL)?;
        Ok(Self { connection, next: 1, raw, frame: "x".repeat(frame_bytes) })
    }

    /// Commits batches of so many rows for so long.
    pub fn run(&mut self, batch: usize, time: Duration) -> io::Result<Committed> {
        let (begun, first) = (Instant::now(), self.next);
        let mut commits = Vec::new();
        while begun.elapsed() < time {
            let before = nanos_since(begun);
            self.commit(batch).map_err(io::Error::other)?;
            commits.push(float(nanos_since(begun) - before));
        }
        let rows = float(u64::try_from(self.next - first).unwrap_or(0));
        Ok(Committed {
            per_second: rows / begun.elapsed().as_secs_f64(),
            p50: percentile(&mut commits, 0.50),
            p99: percentile(&mut commits, 0.99),
        })
    }

    fn commit(&mut self, batch: usize) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let mut journal = transaction.prepare_cached(
            "INSERT INTO journal VALUES (?1, ?2, 'Message', 'new_message', 'Z4ELwFoR_gAHAAAB', ?3, ?4, ?5, ?5, NULL, NULL)",
        )?;
        let mut raw = transaction.prepare_cached("INSERT INTO raw_deliveries VALUES (?1, ?2)")?;
        let mut frame = transaction.prepare_cached("INSERT INTO frames VALUES (?1, ?2)")?;
        for _ in 0..batch {
            let seq = self.next;
            self.next += 1;
            let chat = seq % 2_000;
            let names = (
                format!("raw-event-{seq:09}"),
                format!("raw-chat-{chat:07}"),
                format!("raw-contact-{chat:07}"),
            );
            journal.execute(params![seq, names.0, names.1, names.2, seq])?;
            raw.execute(params![seq, self.raw])?;
            frame.execute(params![seq, self.frame])?;
        }
        drop((journal, raw, frame));
        transaction.commit()
    }
}
