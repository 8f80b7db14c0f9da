//! Commits one batch: journal rows, raw bytes, timeline, projections, frames and counters in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::append::{Ack, AckStatus, Append, Submission, UserNotice};
use super::lock::DatabaseLock;
use super::record;
use super::recorded::Recorded;
use super::schema::Opened;
use super::store::{SqliteStore, StoreError};
use crate::domain::register::to_nanos;
use crate::domain::{
    Audience, ChatId, ContactId, Delivery, DeliveryBody, EventId, RefId, Seq, StatsDelta, absorb,
};
use crate::protocol::update::{NOTIFICATION, UpdateData};

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
    pub events: Vec<Arc<Recorded>>,
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

/// The journal's own row of an event.
struct JournalRow<'a> {
    seq: Seq,
    event_id: &'a EventId,
    event_type: &'a str,
    update_type: &'static str,
    event_at: Option<i64>,
    received_at: Timestamp,
    attempt: Option<u32>,
    reason: Option<&'a str>,
    audience: &'a Audience,
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
            Submission::Notice(notice) => {
                let outcome = self.take_notice(notice, written)?;
                Ok((NOTIFICATION.to_owned(), outcome, notice.received_at))
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
        if self.acknowledge_known(&delivery.event_id, written)? {
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
        written.events.push(Arc::new(journaled.recorded));
        Ok(outcome)
    }

    fn take_notice(
        &mut self,
        notice: &UserNotice,
        written: &mut Written,
    ) -> Result<&'static str, StoreError> {
        if self.acknowledge_known(&notice.id, written)? {
            return Ok("duplicate");
        }
        let seq = Seq(self.newest.0 + 1);
        let audience = Audience { user: Some(notice.user.clone()), ..Audience::default() };
        self.put_journal_row(&JournalRow {
            seq,
            event_id: &notice.id,
            event_type: NOTIFICATION,
            update_type: NOTIFICATION,
            event_at: None,
            received_at: notice.received_at,
            attempt: None,
            reason: None,
            audience: &audience,
        })?;
        let frame = record::encode_notice(seq, notice)?;
        self.put_bytes(seq, &notice.raw, &frame)?;
        self.newest = seq;
        let event_id = Some(notice.id.clone());
        written.acks.push(Ack { status: AckStatus::Accepted, event_id, seq: Some(seq), reason: None });
        written.events.push(Arc::new(Recorded::new(seq, frame, Some(audience))));
        Ok("accepted")
    }

    /// Answers a known id with the position of the first; false where it is not known.
    fn acknowledge_known(&self, id: &EventId, written: &mut Written) -> Result<bool, StoreError> {
        let Some((seq, reason)) = self.known(id)? else { return Ok(false) };
        let event_id = Some(id.clone());
        written.acks.push(Ack { status: AckStatus::Duplicate, event_id, seq: Some(seq), reason });
        Ok(true)
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
        let (data, audience, delta) = self.absorb(seq, delivery)?;
        let reason = data.reason.clone();
        let event_at = match &delivery.body {
            DeliveryBody::Understood(facts) if reason.is_none() => Some(to_nanos(facts.key.at)),
            DeliveryBody::Understood(_) | DeliveryBody::Unrecognized { .. } => None,
        };
        self.put_journal_row(&JournalRow {
            seq,
            event_id: &delivery.event_id,
            event_type: &delivery.event_type,
            update_type: data.update_type.as_str(),
            event_at,
            received_at: delivery.received_at,
            attempt: delivery.attempt,
            reason: reason.as_deref(),
            audience: &audience,
        })?;
        let frame = record::encode(seq, delivery, data)?;
        self.put_bytes(seq, raw, &frame)?;
        self.newest = seq;
        Ok(Journaled { recorded: Recorded::new(seq, frame, Some(audience)), delta, reason })
    }

    /// What the delivery does. One that meets a stored state that cannot be read is kept raw with that reason:
    /// it must not hold up every delivery behind it.
    fn absorb(
        &mut self,
        seq: Seq,
        delivery: &Delivery,
    ) -> Result<(UpdateData, Audience, StatsDelta), StoreError> {
        let unrecognized = |reason: &str| {
            (record::unrecognized(delivery, reason), Audience::default(), StatsDelta::default())
        };
        let facts = match &delivery.body {
            DeliveryBody::Unrecognized { reason } => return Ok(unrecognized(reason)),
            DeliveryBody::Understood(facts) => facts,
        };
        self.store.begin(seq, facts.organization.clone());
        self.execute("SAVEPOINT delivery")?;
        let absorbed = absorb(facts, &mut self.store).and_then(|absorbed| {
            let data = record::understood(delivery, &absorbed, &mut self.store)?;
            Ok((data, record::audience(&absorbed, &mut self.store)?, absorbed.delta))
        });
        match absorbed {
            Ok(absorbed) => {
                self.execute("RELEASE delivery")?;
                Ok(absorbed)
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

    fn put_journal_row(&self, row: &JournalRow<'_>) -> Result<(), StoreError> {
        let mut insert = self.store.connection().prepare_cached(
            "INSERT INTO journal (seq, event_id, event_type, update_type, organization, chat_id, contact_id, event_at,
                 received_at, attempt, reason, audience)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?;
        let after = row.audience.after.as_ref();
        insert.execute(params![
            row.seq.0,
            row.event_id.as_str(),
            row.event_type,
            row.update_type,
            after.and_then(|after| after.organization.as_ref()).map(RefId::as_str),
            row.audience.chat.as_ref().map(ChatId::as_str),
            row.audience.contacts.last().map(ContactId::as_str),
            row.event_at,
            to_nanos(row.received_at),
            row.attempt,
            row.reason,
            serde_json::to_string(row.audience)?,
        ])?;
        Ok(())
    }

    fn put_bytes(&self, seq: Seq, raw: &[u8], frame: &str) -> Result<(), StoreError> {
        let connection = self.store.connection();
        connection
            .prepare_cached("INSERT INTO raw_deliveries (seq, body) VALUES (?1, ?2)")?
            .execute(params![seq.0, raw])?;
        connection
            .prepare_cached("INSERT INTO frames (seq, frame) VALUES (?1, ?2)")?
            .execute(params![seq.0, frame])?;
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
