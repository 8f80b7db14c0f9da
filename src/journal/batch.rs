//! Commits one batch: journal rows, raw bytes, timeline, projections, frames and counters in one transaction.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::OptionalExtension;

use super::append::{Ack, AckStatus, Append, Submission, UserNotice};
use super::lock::DatabaseLock;
use super::record;
use super::recorded::Recorded;
use super::rows;
use super::schema::Opened;
use super::store::{SqliteStore, StoreError};
use crate::domain::register::to_nanos;
use crate::domain::{Audience, Delivery, DeliveryBody, EventId, Seq, StatsDelta, absorb};
use crate::protocol::MessageSummary;
use crate::protocol::update::{NOTIFICATION, UpdateData};

/// Writes batches on the one writing connection.
pub struct BatchWriter {
    store: SqliteStore,
    newest: Seq,
    retained: i64,
    /// Each delivery has a savepoint of its own.
    careful: bool,
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

struct Journaled {
    recorded: Recorded,
    delta: StatsDelta,
    reason: Option<String>,
}

impl BatchWriter {
    /// Takes over an open database.
    pub fn new(opened: Opened, retained: i64) -> Result<Self, StoreError> {
        let newest = opened.newest;
        Ok(Self {
            store: SqliteStore::new(opened.connection)?,
            newest,
            retained,
            careful: false,
            _lock: opened.lock,
        })
    }

    /// Commits a batch, or leaves everything as it was.
    ///
    /// A delivery that meets a stored state which cannot be read must not take the others with it. Savepoints would
    /// keep it apart, but they copy every page that is written: a sixth of a batch's work. So only the batch in which
    /// that happens is written once more, with them.
    pub fn commit(&mut self, batch: &[Append]) -> Result<Written, StoreError> {
        match self.try_commit(batch) {
            Err(StoreError::Corrupt(_)) => {
                self.careful = true;
                let written = self.try_commit(batch);
                self.careful = false;
                written
            }
            written => written,
        }
    }

    fn try_commit(&mut self, batch: &[Append]) -> Result<Written, StoreError> {
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
        let mut counts = rows::Counts::new();
        for append in batch {
            let (name, outcome, at) = self.take(&append.submission, &mut written)?;
            written.received_at = written.received_at.max(at);
            let count = counts.entry((name, outcome)).or_insert((0, i64::MIN));
            *count = (count.0 + 1, count.1.max(to_nanos(at)));
        }
        rows::move_counters(self.store.connection(), &written.delta)?;
        rows::count_deliveries(self.store.connection(), &counts)?;
        if !written.events.is_empty() {
            rows::prune(self.store.connection(), self.newest.0 - self.retained)?;
        }
        Ok(written)
    }

    fn take(
        &mut self,
        submission: &Submission,
        written: &mut Written,
    ) -> Result<(String, &'static str, Timestamp), StoreError> {
        match submission {
            Submission::Ignored { reason, event_id, received_at, raw } => {
                rows::keep_ignored(self.store.connection(), reason, *received_at, raw)?;
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
        rows::put_journal_row(
            self.store.connection(),
            &rows::JournalRow {
                seq,
                event_id: &notice.id,
                event_type: NOTIFICATION,
                update_type: NOTIFICATION,
                event_at: None,
                received_at: notice.received_at,
                attempt: None,
                reason: None,
                audience: &audience,
            },
        )?;
        let frame = record::encode_notice(seq, notice)?;
        rows::put_bytes(self.store.connection(), seq, &notice.raw, &frame, &[])?;
        self.newest = seq;
        let event_id = Some(notice.id.clone());
        written.acks.push(Ack { status: AckStatus::Accepted, event_id, seq: Some(seq), reason: None });
        written.events.push(Arc::new(Recorded::new(seq, frame, Some(audience), Vec::new())));
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
        let (data, (audience, elsewhere), delta) = self.absorb(seq, delivery)?;
        let reason = data.reason.clone();
        let event_at = match &delivery.body {
            DeliveryBody::Understood(facts) if reason.is_none() => Some(to_nanos(facts.key.at)),
            DeliveryBody::Understood(_) | DeliveryBody::Unrecognized { .. } => None,
        };
        rows::put_journal_row(
            self.store.connection(),
            &rows::JournalRow {
                seq,
                event_id: &delivery.event_id,
                event_type: &delivery.event_type,
                update_type: data.update_type.as_str(),
                event_at,
                received_at: delivery.received_at,
                attempt: delivery.attempt,
                reason: reason.as_deref(),
                audience: &audience,
            },
        )?;
        let frame = record::encode(seq, delivery, data)?;
        rows::put_bytes(self.store.connection(), seq, raw, &frame, &elsewhere)?;
        self.newest = seq;
        Ok(Journaled { recorded: Recorded::new(seq, frame, Some(audience), elsewhere), delta, reason })
    }

    /// What the delivery does. One that meets a stored state that cannot be read is kept raw with that reason:
    /// it must not hold up every delivery behind it.
    fn absorb(
        &mut self,
        seq: Seq,
        delivery: &Delivery,
    ) -> Result<(UpdateData, (Audience, Vec<Option<MessageSummary>>), StatsDelta), StoreError> {
        let unrecognized = |reason: &str| {
            (record::unrecognized(delivery, reason), Default::default(), StatsDelta::default())
        };
        let facts = match &delivery.body {
            DeliveryBody::Unrecognized { reason } => return Ok(unrecognized(reason)),
            DeliveryBody::Understood(facts) => facts,
        };
        self.store.begin(seq, facts.organization.clone());
        self.begin_apart()?;
        let absorbed = absorb(facts, &mut self.store).and_then(|absorbed| {
            let data = record::understood(delivery, &absorbed, &mut self.store)?;
            Ok((data, record::audience(&absorbed, &mut self.store)?, absorbed.delta))
        });
        match absorbed {
            Ok(absorbed) => {
                self.end_apart()?;
                Ok(absorbed)
            }
            Err(StoreError::Corrupt(error)) if self.careful => {
                log::error!(
                    "delivery {} meets a stored state that cannot be read: {error}",
                    delivery.event_id
                );
                self.execute("ROLLBACK TO delivery")?;
                self.end_apart()?;
                self.store.forget();
                Ok(unrecognized("the stored state that it changes cannot be read"))
            }
            Err(error) => Err(error),
        }
    }

    fn begin_apart(&self) -> Result<(), StoreError> {
        if self.careful { self.execute("SAVEPOINT delivery") } else { Ok(()) }
    }

    fn end_apart(&self) -> Result<(), StoreError> {
        if self.careful { self.execute("RELEASE delivery") } else { Ok(()) }
    }
}
