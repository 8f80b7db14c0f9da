//! Deliveries that the stream has not taken yet, in a synced file beside the database.
//!
//! # Contract
//!
//! 1. What [`Inbox::put`] has confirmed survives a power cut of this machine, and stays until the stream has it.
//! 2. The oldest leave first. Those that are published together may come into the stream in another order.
//! 3. It holds at most [`INBOX_BYTES_MAX`]; more is refused.
//! 4. What the stream has no longer counts, also where the file cannot be written and so still holds it. It is removed as soon as
//!    that is possible. If the hub ends before, the next start publishes it again, and every hub knows it already.
//!
//! One thread writes the file. What waits for it while it syncs is written together, with one sync.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::state::ClusterState;
use crate::sqlite::files::beside;
use crate::sqlite::open::Writing;
use crate::sqlite::{DbError, private};

/// Bytes of deliveries that the inbox holds: days of an ordinary team.
pub const INBOX_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Most deliveries in one transaction.
const BATCH_MAX: usize = 256;
/// How soon it is tried again to remove what the stream has.
const REMOVE_AGAIN: Duration = Duration::from_secs(1);
/// The newest deliveries matter most on a disk that fails, so everything is synced.
const WRITING: Writing = Writing { cache_kib: 1_024, statements: 16, durable: true, erases: true };
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS inbox (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    kind       TEXT NOT NULL,
    record     BLOB NOT NULL
)";

/// An encoded record on its way to the stream.
#[derive(Debug, Clone)]
pub struct OutboundRecord {
    /// Unique for each accepted request, so that the stream keeps it once however often it is published.
    pub message_id: String,
    /// The last part of the subject.
    pub kind: String,
    pub bytes: Bytes,
}

/// A delivery in the inbox.
#[derive(Debug, Clone)]
pub struct InboxRow {
    pub number: i64,
    pub outbound: OutboundRecord,
}

/// Why the inbox did not take a delivery.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    #[error("the inbox is full")]
    Full,
    #[error("the inbox cannot be written")]
    Unwritable(#[from] Arc<rusqlite::Error>),
    #[error("the inbox's thread has ended")]
    Ended,
}

enum InboxRequest {
    Put(OutboundRecord, oneshot::Sender<Result<(), InboxError>>),
    Oldest(usize, u64, oneshot::Sender<Result<Vec<InboxRow>, InboxError>>),
    Remove(Vec<i64>, oneshot::Sender<Result<(), InboxError>>),
}

/// Handle to the inbox. Its thread ends with the last one.
#[derive(Clone)]
pub struct Inbox {
    requests: Sender<InboxRequest>,
}

/// Path of the inbox of a database.
pub fn path_of(database: &Path) -> PathBuf {
    beside(database, ".inbox")
}

/// How many deliveries wait in the inbox of a database.
pub fn count(database: &Path) -> Result<u64, DbError> {
    let path = path_of(database);
    if !path.exists() {
        return Ok(0);
    }
    let connection = WRITING.open(&path)?;
    connection.execute_batch(SCHEMA)?;
    Ok(held(&connection)?.0)
}

struct InboxFile {
    connection: Connection,
    /// How many deliveries the file holds.
    records: u64,
    bytes: u64,
    /// Those of them that the stream has.
    published: BTreeSet<i64>,
    /// The stream has all up to this number.
    published_until: i64,
    state: ClusterState,
}

impl Inbox {
    /// Opens the inbox of this database, and creates it if there is none.
    pub fn open(database: &Path, state: ClusterState) -> Result<Self, DbError> {
        let path = path_of(database);
        private::tighten(&path);
        let connection = WRITING.open(&path)?;
        connection.execute_batch(SCHEMA)?;
        private::tighten(&path);
        let mut file = InboxFile::new(connection, state)?;
        let (requests, received) = channel();
        std::thread::Builder::new()
            .name("inbox".into())
            .spawn(move || file.run(&received))
            .map_err(|source| DbError::Io { path, source })?;
        Ok(Self { requests })
    }

    /// Stores a delivery. It is durable once this returns.
    pub async fn put(&self, outbound: OutboundRecord) -> Result<(), InboxError> {
        let (reply, outcome) = oneshot::channel();
        self.ask(InboxRequest::Put(outbound, reply), outcome).await
    }

    /// The oldest deliveries, at most so many, until they have so many bytes.
    pub async fn oldest(&self, most: usize, bytes_max: u64) -> Result<Vec<InboxRow>, InboxError> {
        let (reply, outcome) = oneshot::channel();
        self.ask(InboxRequest::Oldest(most, bytes_max, reply), outcome).await
    }

    /// Notes that the stream has these deliveries. They are removed now, or once the file can be written.
    pub async fn remove(&self, numbers: Vec<i64>) -> Result<(), InboxError> {
        let (reply, outcome) = oneshot::channel();
        self.ask(InboxRequest::Remove(numbers, reply), outcome).await
    }

    async fn ask<T>(
        &self,
        request: InboxRequest,
        outcome: oneshot::Receiver<Result<T, InboxError>>,
    ) -> Result<T, InboxError> {
        self.requests.send(request).map_err(|_ended| InboxError::Ended)?;
        outcome.await.map_err(|_ended| InboxError::Ended)?
    }
}

impl InboxFile {
    fn new(connection: Connection, state: ClusterState) -> rusqlite::Result<Self> {
        let (records, bytes) = held(&connection)?;
        state.note_inbox(records, bytes);
        Ok(Self { connection, records, bytes, published: BTreeSet::new(), published_until: 0, state })
    }

    fn run(&mut self, requests: &Receiver<InboxRequest>) {
        loop {
            match self.next(requests) {
                Ok(first) => self.serve(first, requests),
                Err(RecvTimeoutError::Timeout) => self.remove_published(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// The next request. Where something is left to be removed, it is not waited for longer than [`REMOVE_AGAIN`].
    fn next(&self, requests: &Receiver<InboxRequest>) -> Result<InboxRequest, RecvTimeoutError> {
        if self.published.is_empty() {
            return requests.recv().map_err(|_gone| RecvTimeoutError::Disconnected);
        }
        requests.recv_timeout(REMOVE_AGAIN)
    }

    /// Does what is asked for, and with it all that waits meanwhile.
    fn serve(&mut self, first: InboxRequest, requests: &Receiver<InboxRequest>) {
        let mut puts = Vec::new();
        let mut next = Some(first);
        while let Some(request) = next {
            match request {
                InboxRequest::Put(outbound, reply) => puts.push((outbound, reply)),
                InboxRequest::Oldest(most, bytes_max, reply) => {
                    self.put_all(std::mem::take(&mut puts));
                    answer(reply, self.oldest(most, bytes_max).map_err(|error| Arc::new(error).into()));
                }
                InboxRequest::Remove(numbers, reply) => {
                    self.put_all(std::mem::take(&mut puts));
                    self.remove(&numbers);
                    answer(reply, Ok(()));
                }
            }
            next = (puts.len() < BATCH_MAX).then(|| requests.try_recv().ok()).flatten();
        }
        self.put_all(puts);
    }

    /// Stores deliveries with one sync, and answers each.
    fn put_all(&mut self, puts: Vec<(OutboundRecord, oneshot::Sender<Result<(), InboxError>>)>) {
        let (mut taken, mut bytes) = (Vec::new(), self.bytes);
        for (outbound, reply) in puts {
            bytes += outbound.bytes.len() as u64;
            if bytes > INBOX_BYTES_MAX {
                bytes -= outbound.bytes.len() as u64;
                answer(reply, Err(InboxError::Full));
            } else {
                taken.push((outbound, reply));
            }
        }
        if taken.is_empty() {
            return;
        }
        match self.insert(taken.iter().map(|(outbound, _)| outbound)).map_err(Arc::new) {
            Ok(()) => {
                self.records += taken.len() as u64;
                self.bytes = bytes;
                self.note();
                for (_, reply) in taken {
                    answer(reply, Ok(()));
                }
            }
            Err(error) => {
                log::error!("the inbox cannot be written: {error}");
                for (_, reply) in taken {
                    answer(reply, Err(Arc::clone(&error).into()));
                }
            }
        }
    }

    fn insert<'a>(&mut self, outbound: impl Iterator<Item = &'a OutboundRecord>) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO inbox (message_id, kind, record) VALUES (?1, ?2, ?3)")?;
            for OutboundRecord { message_id, kind, bytes } in outbound {
                insert.execute(params![message_id, kind, &bytes[..]])?;
            }
        }
        transaction.commit()
    }

    fn oldest(&mut self, most: usize, bytes_max: u64) -> rusqlite::Result<Vec<InboxRow>> {
        let mut select = self.connection.prepare_cached(
            "SELECT number, message_id, kind, record FROM inbox WHERE number > ?1 ORDER BY number",
        )?;
        let mut rows = select.query([self.published_until])?;
        let (mut oldest, mut bytes) = (Vec::new(), 0);
        while oldest.len() < most
            && bytes < bytes_max
            && let Some(row) = rows.next()?
        {
            let number = row.get(0)?;
            if self.published.contains(&number) {
                if oldest.is_empty() {
                    self.published_until = number;
                }
                continue;
            }
            let record: Vec<u8> = row.get(3)?;
            bytes += record.len() as u64;
            let outbound =
                OutboundRecord { message_id: row.get(1)?, kind: row.get(2)?, bytes: record.into() };
            oldest.push(InboxRow { number, outbound });
        }
        Ok(oldest)
    }

    fn remove(&mut self, numbers: &[i64]) {
        self.published.extend(numbers);
        self.note();
        self.remove_published();
    }

    /// Removes what the stream has from the file, now or the next time.
    fn remove_published(&mut self) {
        match self.delete_published() {
            Ok(()) => self.published.clear(),
            Err(error) => log::warn!("what the stream has cannot be removed from the inbox yet: {error}"),
        }
        self.note();
    }

    fn delete_published(&mut self) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut delete = transaction.prepare_cached("DELETE FROM inbox WHERE number = ?1")?;
            for number in &self.published {
                delete.execute([number])?;
            }
        }
        transaction.commit()?;
        let (records, bytes) = held(&self.connection)?;
        if records == 0 {
            // What was published must not stay readable in the log.
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        (self.records, self.bytes) = (records, bytes);
        Ok(())
    }

    /// Tells how many deliveries wait for the stream, and how large the file is.
    fn note(&self) {
        self.state.note_inbox(self.records - self.published.len() as u64, self.bytes);
    }
}

/// How many deliveries the inbox holds, and their bytes.
fn held(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    let sql = "SELECT count(*), coalesce(sum(length(record)), 0) FROM inbox";
    let (records, bytes): (i64, i64) = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((records.unsigned_abs(), bytes.unsigned_abs()))
}

/// Who asked may have stopped waiting.
fn answer<T>(reply: oneshot::Sender<Result<T, InboxError>>, outcome: Result<T, InboxError>) {
    if reply.send(outcome).is_err() {
        log::debug!("an answer of the inbox came too late");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbound(name: &str, bytes: usize) -> OutboundRecord {
        let bytes = vec![b'x'; bytes].into();
        OutboundRecord { message_id: name.to_owned(), kind: "delivery".to_owned(), bytes }
    }

    fn file(state: &ClusterState) -> InboxFile {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        InboxFile::new(connection, state.clone()).unwrap()
    }

    fn put(file: &mut InboxFile, outbound: OutboundRecord) -> Result<(), InboxError> {
        let (reply, mut outcome) = oneshot::channel();
        file.put_all(vec![(outbound, reply)]);
        outcome.try_recv().unwrap()
    }

    fn oldest(file: &mut InboxFile, most: usize, bytes_max: u64) -> String {
        let rows = file.oldest(most, bytes_max).unwrap();
        rows.into_iter().map(|row| row.outbound.message_id).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_was_put_in_leaves_in_its_order_and_once() {
        let state = ClusterState::new("a", "hub");
        let mut file = file(&state);
        for name in ["1", "2", "3"] {
            put(&mut file, outbound(name, 10)).unwrap();
        }
        assert_eq!((state.inbox_records(), state.inbox_bytes()), (3, 30));
        assert_eq!(oldest(&mut file, 2, 1_000), "1 2");
        assert_eq!(oldest(&mut file, 9, 15), "1 2", "it ends with the one that fills it");
        file.remove(&[1]);
        assert_eq!(oldest(&mut file, 9, 1_000), "2 3");
        assert_eq!((state.inbox_records(), state.inbox_bytes()), (2, 20));
    }

    #[test]
    fn a_full_inbox_refuses_and_takes_again_once_there_is_room() {
        let state = ClusterState::new("a", "hub");
        let mut file = file(&state);
        file.bytes = INBOX_BYTES_MAX - 10;
        put(&mut file, outbound("fits", 10)).unwrap();
        assert!(matches!(put(&mut file, outbound("no", 1)), Err(InboxError::Full)));
        let number = file.oldest(1, 1_000).unwrap()[0].number;
        file.remove(&[number]);
        put(&mut file, outbound("again", 1)).unwrap();
    }

    #[test]
    fn what_the_stream_has_counts_no_longer_although_the_file_cannot_be_written() {
        let state = ClusterState::new("a", "hub");
        let mut file = file(&state);
        for name in ["1", "2", "3"] {
            put(&mut file, outbound(name, 10)).unwrap();
        }
        file.connection.pragma_update(None, "query_only", true).unwrap();
        assert!(matches!(put(&mut file, outbound("no", 10)), Err(InboxError::Unwritable(_))));
        file.remove(&[2]);
        assert_eq!((state.inbox_records(), oldest(&mut file, 9, 1_000)), (2, "1 3".to_owned()));
        file.remove(&[1, 3]);
        assert_eq!((state.inbox_records(), oldest(&mut file, 9, 1_000)), (0, String::new()));
        assert_eq!(held(&file.connection).unwrap(), (3, 30), "the file holds them still");
        file.connection.pragma_update(None, "query_only", false).unwrap();
        file.remove_published();
        assert_eq!((state.inbox_bytes(), held(&file.connection).unwrap()), (0, (0, 0)));
        put(&mut file, outbound("4", 10)).unwrap();
        assert_eq!((state.inbox_records(), oldest(&mut file, 9, 1_000)), (1, "4".to_owned()));
    }
}
