//! Commits one batch: journal rows, raw bytes, timeline, projections, frames and counters in one transaction.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::append::{Ack, AckStatus, Append, Recorded, Route, Submission};
use super::lock::DatabaseLock;
use super::record;
use super::schema::Opened;
use super::store::{SqliteStore, StoreError};
use crate::domain::register::to_nanos;
use crate::domain::{Delivery, DeliveryBody, EventId, Seq, StatsDelta, absorb};
use crate::protocol::update::UpdateData;

/// Bytes of zstd-compressed deliveries of the ignored kind that are kept: the newest rows.
const IGNORED_RETAINED: i64 = 10_000;
/// Distinct types that are counted by name; later ones are counted as one.
const TYPES_COUNTED_MAX: i64 = 100;
/// The name under which further types are counted.
const OTHER_TYPES: &str = "(other)";

/// Writes batches on the one writing connection.
pub struct BatchWriter {
    store: SqliteStore,
    newest: Seq,
    retained: i64,
    _lock: DatabaseLock,
}

/// What a committed batch did.
pub struct Written {
    /// The accepted ones, in order.
    pub events: Vec<Recorded>,
    /// One for each delivery of the batch, in its order.
    pub acks: Vec<Ack>,
    /// How the counters move.
    pub delta: StatsDelta,
    /// When the newest delivery was received.
    pub received_at: Timestamp,
}

/// Deliveries by (type, outcome), with the newest time.
type Counts = BTreeMap<(String, &'static str), (i64, i64)>;

struct Journaled {
    recorded: Recorded,
    delta: StatsDelta,
    reason: Option<String>,
}

/// What of a delivery stands in the journal's own row.
#[derive(Default)]
struct Keys {
    organization: Option<String>,
    chat: Option<String>,
    contact: Option<String>,
    event_at: Option<i64>,
}

impl BatchWriter {
    /// Takes over an open database.
    pub fn new(opened: Opened, retained: i64) -> Result<Self, StoreError> {
        let newest = opened.newest;
        Ok(Self { store: SqliteStore::new(opened.connection)?, newest, retained, _lock: opened.lock })
    }

    /// Commits a batch, or leaves everything as it was.
    pub fn commit(&mut self, batch: &[Append]) -> Result<Written, StoreError> {
        let before = self.newest;
        let written = self.write(batch).and_then(|written| {
            self.execute("COMMIT")?;
            Ok(written)
        });
        if written.is_err() {
            self.newest = before;
            self.roll_back();
        }
        written
    }

    /// Tries whether the database can be written.
    pub fn probe(&mut self) -> Result<(), StoreError> {
        let probed = self.execute("BEGIN IMMEDIATE").and_then(|()| {
            self.execute("INSERT INTO meta (key, value) VALUES ('probe', '') ON CONFLICT (key) DO UPDATE SET value = ''")?;
            self.execute("COMMIT")
        });
        if probed.is_err() {
            self.roll_back();
        }
        probed
    }

    /// Writes something small in a transaction of its own.
    pub fn transact<T>(
        &mut self,
        write: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let written = self.execute("BEGIN IMMEDIATE").and_then(|()| {
            let written = write(self.store.connection())?;
            self.execute("COMMIT")?;
            Ok(written)
        });
        if written.is_err() {
            self.roll_back();
        }
        written
    }

    /// Copies the write-ahead log back and closes the database.
    pub fn close(&mut self) -> Result<(), StoreError> {
        self.store.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.store.connection().prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    fn roll_back(&mut self) {
        self.store.forget();
        // SQLite rolls back by itself on some errors; then there is nothing left to do.
        if !self.store.connection().is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            log::error!("the journal could not roll back: {error}");
        }
    }

    fn write(&mut self, batch: &[Append]) -> Result<Written, StoreError> {
        self.execute("BEGIN IMMEDIATE")?;
        let mut written = Written {
            events: Vec::with_capacity(batch.len()),
            acks: Vec::with_capacity(batch.len()),
            delta: StatsDelta::default(),
            received_at: Timestamp::MIN,
        };
        let mut counts = Counts::new();
        for append in batch {
            let (name, outcome, at) = self.take(&append.submission, &mut written)?;
            written.received_at = written.received_at.max(at);
            let count = counts.entry((name, outcome)).or_insert((0, i64::MIN));
            *count = (count.0 + 1, count.1.max(to_nanos(at)));
        }
        self.move_counters(&written.delta)?;
        self.count_deliveries(&counts)?;
        self.prune(written.events.len())?;
        Ok(written)
    }

    fn take(
        &mut self,
        submission: &Submission,
        written: &mut Written,
    ) -> Result<(String, &'static str, Timestamp), StoreError> {
        match submission {
            Submission::Ignored { reason, event_id, received_at, raw } => {
                self.keep_ignored(reason, *received_at, raw)?;
                written.acks.push(Ack {
                    status: AckStatus::Ignored,
                    event_id: event_id.clone(),
                    seq: None,
                    reason: Some(reason.clone()),
                });
                Ok((String::new(), "ignored", *received_at))
            }
            Submission::Event { delivery, raw } => {
                let outcome = self.take_event(delivery, raw, written)?;
                Ok((delivery.event_type.clone(), outcome, delivery.received_at))
            }
        }
    }

    fn take_event(
        &mut self,
        delivery: &Delivery,
        raw: &[u8],
        written: &mut Written,
    ) -> Result<&'static str, StoreError> {
        if let Some((seq, reason)) = self.known(&delivery.event_id)? {
            written.acks.push(Ack {
                status: AckStatus::Duplicate,
                event_id: Some(delivery.event_id.clone()),
                seq: Some(seq),
                reason,
            });
            return Ok("duplicate");
        }
        let journaled = self.append(delivery, raw)?;
        let outcome = if journaled.reason.is_some() { "unrecognized" } else { "accepted" };
        written.acks.push(Ack {
            status: AckStatus::Accepted,
            event_id: Some(delivery.event_id.clone()),
            seq: Some(journaled.recorded.seq),
            reason: journaled.reason,
        });
        written.delta.add(&journaled.delta);
        written.events.push(journaled.recorded);
        Ok(outcome)
    }

    fn known(&self, event_id: &EventId) -> Result<Option<(Seq, Option<String>)>, StoreError> {
        let mut select =
            self.store.connection().prepare_cached("SELECT seq, reason FROM journal WHERE event_id = ?1")?;
        let known =
            select.query_row([event_id.as_str()], |row| Ok((Seq(row.get(0)?), row.get(1)?))).optional()?;
        Ok(known)
    }

    fn append(&mut self, delivery: &Delivery, raw: &[u8]) -> Result<Journaled, StoreError> {
        let seq = Seq(self.newest.0 + 1);
        let (data, route, delta, keys) = self.absorb(seq, delivery)?;
        let reason = data.reason.clone();
        self.put_journal_row(seq, delivery, data.update_type.as_str(), reason.as_deref(), &keys)?;
        let frame = record::encode(seq, delivery, data)?;
        let connection = self.store.connection();
        connection
            .prepare_cached("INSERT INTO raw_deliveries (seq, body) VALUES (?1, ?2)")?
            .execute(params![seq.0, raw])?;
        connection
            .prepare_cached("INSERT INTO frames (seq, frame) VALUES (?1, ?2)")?
            .execute(params![seq.0, &*frame])?;
        self.newest = seq;
        Ok(Journaled { recorded: Recorded { seq, frame, route }, delta, reason })
    }

    /// What the delivery does. One that meets a stored state that cannot be read is kept raw with that reason:
    /// it must not hold up every delivery behind it.
    fn absorb(
        &mut self,
        seq: Seq,
        delivery: &Delivery,
    ) -> Result<(UpdateData, Route, StatsDelta, Keys), StoreError> {
        let unrecognized = |reason: &str| {
            (record::unrecognized(delivery, reason), Route::default(), StatsDelta::default(), Keys::default())
        };
        let facts = match &delivery.body {
            DeliveryBody::Unrecognized { reason } => return Ok(unrecognized(reason)),
            DeliveryBody::Understood(facts) => facts,
        };
        self.store.begin(seq, facts.organization.clone());
        self.execute("SAVEPOINT delivery")?;
        let absorbed = absorb(facts, &mut self.store)
            .and_then(|absorbed| Ok((record::understood(delivery, &absorbed, &mut self.store)?, absorbed)));
        match absorbed {
            Ok((data, absorbed)) => {
                self.execute("RELEASE delivery")?;
                let keys = Keys {
                    organization: facts.organization.as_ref().map(ToString::to_string),
                    chat: Some(absorbed.chat.id.to_string()),
                    contact: absorbed.after.contact_id.as_ref().map(ToString::to_string),
                    event_at: Some(to_nanos(facts.key.at)),
                };
                Ok((data, record::route(&absorbed), absorbed.delta, keys))
            }
            Err(StoreError::Corrupt(error)) => {
                log::error!(
                    "delivery {} meets a stored state that cannot be read: {error}",
                    delivery.event_id
                );
                self.execute("ROLLBACK TO delivery")?;
                self.execute("RELEASE delivery")?;
                self.store.forget();
                Ok(unrecognized("the stored state that it changes cannot be read"))
            }
            Err(error @ StoreError::Database(_)) => Err(error),
        }
    }

    fn put_journal_row(
        &self,
        seq: Seq,
        delivery: &Delivery,
        update_type: &str,
        reason: Option<&str>,
        keys: &Keys,
    ) -> Result<(), StoreError> {
        let mut insert = self.store.connection().prepare_cached(
            "INSERT INTO journal (seq, event_id, event_type, update_type, organization, chat_id, contact_id, event_at,
                 received_at, attempt, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?;
        insert.execute(params![
            seq.0,
            delivery.event_id.as_str(),
            delivery.event_type,
            update_type,
            keys.organization,
            keys.chat,
            keys.contact,
            keys.event_at,
            to_nanos(delivery.received_at),
            delivery.attempt,
            reason,
        ])?;
        Ok(())
    }

    fn keep_ignored(&self, reason: &str, received_at: Timestamp, raw: &[u8]) -> Result<(), StoreError> {
        let connection = self.store.connection();
        connection
            .prepare_cached("INSERT INTO ignored_deliveries (received_at, reason, body) VALUES (?1, ?2, ?3)")?
            .execute(params![to_nanos(received_at), reason, raw])?;
        connection
            .prepare_cached(
                "DELETE FROM ignored_deliveries WHERE id <= (SELECT max(id) FROM ignored_deliveries) - ?1",
            )?
            .execute([IGNORED_RETAINED])?;
        Ok(())
    }

    fn move_counters(&self, delta: &StatsDelta) -> Result<(), StoreError> {
        let connection = self.store.connection();
        connection
            .prepare_cached(
                "UPDATE counters SET total_contacts = total_contacts + ?1, total_messages = total_messages + ?2,
                     total_chats = total_chats + ?3, open_chats = open_chats + ?4, waiting_chats = waiting_chats + ?5",
            )?
            .execute([delta.contacts, delta.messages, delta.chats, delta.open, delta.waiting])?;
        let mut upsert = connection.prepare_cached(
            "INSERT INTO message_buckets (bucket, count) VALUES (?1, ?2)
             ON CONFLICT (bucket) DO UPDATE SET count = count + ?2",
        )?;
        for (bucket, count) in &delta.buckets {
            upsert.execute([bucket, count])?;
        }
        Ok(())
    }

    fn count_deliveries(&self, counts: &Counts) -> Result<(), StoreError> {
        let connection = self.store.connection();
        let mut upsert = connection.prepare_cached(
            "INSERT INTO delivery_counts (event_type, outcome, count, last_at)
             SELECT CASE WHEN ?1 IN (SELECT event_type FROM delivery_counts)
                              OR (SELECT count(DISTINCT event_type) FROM delivery_counts) < ?5
                         THEN ?1 ELSE ?6 END, ?2, ?3, ?4 WHERE true
             ON CONFLICT (event_type, outcome) DO UPDATE SET count = count + ?3, last_at = max(last_at, ?4)",
        )?;
        for ((name, outcome), (count, last_at)) in counts {
            upsert.execute(params![name, outcome, count, last_at, TYPES_COUNTED_MAX, OTHER_TYPES])?;
        }
        Ok(())
    }

    /// Lets go of the oldest updates; journal, timeline and raw deliveries stay.
    fn prune(&self, added: usize) -> Result<(), StoreError> {
        if added > 0 {
            let mut delete = self.store.connection().prepare_cached("DELETE FROM frames WHERE seq <= ?1")?;
            delete.execute([self.newest.0 - self.retained])?;
        }
        Ok(())
    }
}
