//! Commits one batch: journal rows, raw bytes, timeline, projections, frames and counters in one transaction.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::append::{Ack, AckStatus, Append, Submission, UserNotice};
use super::blank;
use super::fault::{BeginError, Spoilt};
use super::lineage::Lineage;
use super::record;
use super::recorded::{News, Recorded};
use super::rows;
use super::schema::Opened;
use super::store::{SqliteStore, StoreError};
use crate::domain::register::to_nanos;
use crate::domain::{Audience, Clocks, Delivery, DeliveryBody, EventId, MessageId, Seq, StatsDelta, absorb};
use crate::protocol::update::{NOTIFICATION, UpdateData};
use crate::sqlite::checkpoint::Checkpoints;
use crate::sqlite::lock::DatabaseLock;
use crate::sqlite::watch::FileWatch;
use crate::telemetry::causes::chain;

/// Deliveries of one batch that are kept raw because of damage; a batch with more is taken apart by the writer.
const SPOILT_MAX: usize = 8;
/// Bytes of the largest update: what a screen's queue holds. Each screen gets a copy of its own.
pub const UPDATE_BYTES_MAX: usize = 1024 * 1024;

/// Writes batches on the one writing connection.
pub struct BatchWriter {
    pub(super) store: SqliteStore,
    pub(super) newest: Seq,
    retained: i64,
    lineage: Lineage,
    watch: FileWatch,
    /// Deliveries of the present batch that are kept raw although they were understood.
    spoilt: HashMap<EventId, Spoilt>,
    /// `None` once it is closed. Before the lock: it writes to the database, too.
    checkpoints: Option<Checkpoints>,
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
    /// When the newest delivery was received; `None` where there was none.
    pub received_at: Option<Timestamp>,
    /// Earlier updates that read otherwise now: a message that they told was deleted.
    pub blanked: Vec<Arc<Recorded>>,
    /// Damage that one of the deliveries met, and that did not keep it from being stored.
    pub damage: Option<String>,
}

struct Journaled {
    recorded: Recorded,
    blanked: Vec<Recorded>,
    delta: StatsDelta,
    reason: Option<String>,
}

/// What a delivery did, and whom that concerns.
struct Told {
    data: UpdateData,
    hearers: record::Hearers,
    delta: StatsDelta,
    deleted: Vec<MessageId>,
    news: News,
}

impl BatchWriter {
    /// Takes over the open database at `path`.
    pub fn new(opened: Opened, path: &Path, retained: i64) -> Result<Self, BeginError> {
        // It reads, which makes the write-ahead log where there was none.
        let store = SqliteStore::new(opened.connection)?;
        let watch = FileWatch::begin(path)?;
        let checkpoints = Some(Checkpoints::start(path, store.connection())?);
        let (newest, lineage) = (opened.newest, opened.lineage);
        let spoilt = HashMap::new();
        Ok(Self { store, newest, retained, lineage, watch, spoilt, checkpoints, _lock: opened.lock })
    }

    /// Commits a batch, or leaves everything as it was.
    ///
    /// A delivery that meets a stored state which cannot be read must not take the others with it. A savepoint would
    /// not keep it apart: it copies every page that is written (a sixth of a batch's work), and SQLite writes nothing
    /// more in a transaction that met damage. So the batch is begun anew, with that delivery kept raw.
    pub fn commit(&mut self, batch: &[Append]) -> Result<Written, StoreError> {
        self.spoilt.clear();
        loop {
            let known = self.spoilt.len();
            let written = self.try_commit(batch);
            if written.is_err() && (known + 1..=SPOILT_MAX).contains(&self.spoilt.len()) {
                continue;
            }
            return written;
        }
    }

    fn try_commit(&mut self, batch: &[Append]) -> Result<Written, StoreError> {
        let before = self.newest;
        let written = self.write(batch).and_then(|written| {
            self.check_files()?;
            self.execute("COMMIT")?;
            Ok(written)
        });
        if written.is_err() {
            self.newest = before;
            self.roll_back();
        } else if self.newest > before {
            self.lineage.note(self.newest);
        }
        written
    }

    /// Tries whether the database can be written.
    pub fn probe(&mut self) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO meta (key, value) VALUES ('probe', '') ON CONFLICT (key) DO UPDATE SET value = ''";
        self.transact(|connection| connection.prepare_cached(sql)?.execute([])).map(|_one| ())
    }

    /// Files that were moved away take writes as before, and a restart would find none of them.
    fn check_files(&mut self) -> Result<(), StoreError> {
        if self.watch.is_intact() { Ok(()) } else { Err(StoreError::Moved) }
    }

    /// Begins a transaction. One that could not be rolled back before is rolled back now: its fault may be gone.
    fn begin(&self) -> Result<(), StoreError> {
        if !self.store.connection().is_autocommit() {
            self.execute("ROLLBACK")?;
        }
        self.execute("BEGIN IMMEDIATE")
    }

    /// Writes something small in a transaction of its own.
    pub fn transact<T>(
        &mut self,
        write: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let written = self.check_files().and_then(|()| self.begin()).and_then(|()| {
            let written = write(self.store.connection())?;
            self.execute("COMMIT")?;
            Ok(written)
        });
        if written.is_err() {
            self.roll_back();
        }
        written
    }

    /// Sees to it that the write-ahead log does not grow for ever.
    pub fn tend_log(&self) {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.note_commit(self.store.connection());
        }
    }

    /// Copies the write-ahead log back and closes the database.
    pub fn close(&mut self) -> Result<(), StoreError> {
        self.checkpoints.take();
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
        self.begin()?;
        let mut written = Written {
            events: Vec::with_capacity(batch.len()),
            acks: Vec::with_capacity(batch.len()),
            delta: StatsDelta::default(),
            received_at: None,
            blanked: Vec::new(),
            damage: self.spoilt.values().find_map(Spoilt::damage),
        };
        let mut counts = rows::Counts::new();
        for append in batch {
            // A notice is no delivery: it tells nothing of the provider.
            let Some((name, outcome, at)) = self.take(&append.submission, &mut written)? else { continue };
            written.received_at = written.received_at.max(Some(at));
            let count = counts.entry((name, outcome)).or_insert((0, i64::MIN));
            *count = (count.0 + 1, count.1.max(to_nanos(at)));
        }
        self.store.finish_batch(self.newest)?;
        rows::move_counters(self.store.connection(), &written.delta)?;
        self.store.flush()?;
        rows::count_deliveries(self.store.connection(), &counts)?;
        if !written.events.is_empty() {
            rows::prune(self.store.connection(), self.newest.0 - self.retained)?;
        }
        Ok(written)
    }

    /// The type, the outcome and the time that it is counted with; `None` where it is nothing that was delivered.
    fn take(
        &mut self,
        submission: &Submission,
        written: &mut Written,
    ) -> Result<Option<(String, &'static str, Timestamp)>, StoreError> {
        match submission {
            Submission::Members(changes) => {
                self.take_members(changes, written)?;
                Ok(None)
            }
            Submission::Settings(change) => {
                self.take_settings(change, written)?;
                Ok(None)
            }
            Submission::Alerts(asked) => {
                self.take_alerts(asked, written)?;
                Ok(None)
            }
            Submission::Sent(seq) => {
                self.take_sent(*seq, written)?;
                Ok(None)
            }
            Submission::Ignored { event_id: Some(id), received_at, .. }
                if self.acknowledge_known(id, written)? =>
            {
                Ok(Some((String::new(), "duplicate", *received_at)))
            }
            Submission::Ignored { reason, event_id, received_at, raw, .. } => {
                rows::keep_ignored(self.store.connection(), reason, *received_at, raw)?;
                written.acks.push(Ack {
                    status: AckStatus::Ignored,
                    event_id: event_id.clone(),
                    seq: None,
                    reason: Some(reason.clone()),
                });
                Ok(Some((String::new(), "ignored", *received_at)))
            }
            Submission::Notice(notice) => {
                self.take_notice(notice, written)?;
                Ok(None)
            }
            Submission::Event { delivery, raw, .. } => {
                let outcome = self.take_event(delivery, raw, written)?;
                Ok(Some((delivery.event_type.clone(), outcome, delivery.received_at)))
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
        written.blanked.extend(journaled.blanked.into_iter().map(Arc::new));
        written.events.push(Arc::new(journaled.recorded));
        Ok(outcome)
    }

    fn take_notice(&mut self, notice: &UserNotice, written: &mut Written) -> Result<(), StoreError> {
        if self.acknowledge_known(&notice.id, written)? {
            return Ok(());
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
        Ok(())
    }

    /// Answers a known id with the position of the first; false where it is not known.
    fn acknowledge_known(&self, id: &EventId, written: &mut Written) -> Result<bool, StoreError> {
        let Some((seq, reason)) = rows::known_event(self.store.connection(), id)? else { return Ok(false) };
        let event_id = Some(id.clone());
        written.acks.push(Ack { status: AckStatus::Duplicate, event_id, seq: Some(seq), reason });
        Ok(true)
    }

    fn append(&mut self, delivery: &Delivery, raw: &[u8]) -> Result<Journaled, StoreError> {
        let seq = Seq(self.newest.0 + 1);
        let Told { data, hearers: (audience, elsewhere), delta, deleted, news } =
            self.absorb(seq, delivery)?;
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
        if frame.len() > UPDATE_BYTES_MAX {
            log::error!("the update of delivery {} would have {} bytes", delivery.event_id, frame.len());
            self.spoilt.insert(delivery.event_id.clone(), Spoilt::TooLarge);
            return Err(StoreError::TooLarge);
        }
        let blanked = blank::blank_deleted(self.store.connection(), &audience, &deleted)?;
        rows::put_bytes(self.store.connection(), seq, raw, &frame, &elsewhere)?;
        self.newest = seq;
        let recorded = Recorded::new(seq, frame, Some(audience), elsewhere).with(news);
        Ok(Journaled { recorded, blanked, delta, reason })
    }

    /// What the delivery does. One that meets a stored state that cannot be read is kept raw with that reason: it
    /// must not hold up every delivery behind it, and trying again would change nothing.
    fn absorb(&mut self, seq: Seq, delivery: &Delivery) -> Result<Told, StoreError> {
        let unrecognized = |reason: &str| {
            let data = record::unrecognized(delivery, reason);
            let (delta, deleted) = (StatsDelta::default(), Vec::new());
            Told { data, hearers: Default::default(), delta, deleted, news: News::None }
        };
        let facts = match &delivery.body {
            DeliveryBody::Unrecognized { reason } => return Ok(unrecognized(reason)),
            DeliveryBody::Understood(facts) => facts,
        };
        if let Some(spoilt) = self.spoilt.get(&delivery.event_id) {
            return Ok(unrecognized(spoilt.reason()));
        }
        self.store.begin(seq, facts.organization.clone());
        let absorbed = absorb(facts, &mut self.store).and_then(|absorbed| {
            self.store.count_messages(&absorbed)?;
            let data = record::understood(delivery, &absorbed, &mut self.store)?;
            let hearers = record::audience(&absorbed, &mut self.store)?;
            let news = News::Clocks(Box::new(Clocks::of(&absorbed.chat)));
            Ok(Told { data, hearers, delta: absorbed.delta, deleted: absorbed.deleted, news })
        });
        absorbed.inspect_err(|error| self.note_spoilt(delivery, error))
    }

    fn note_spoilt(&mut self, delivery: &Delivery, error: &StoreError) {
        if error.is_of_the_data() {
            let error = chain(error);
            log::error!("delivery {} meets a stored state that cannot be read: {error}", delivery.event_id);
            self.spoilt.insert(delivery.event_id.clone(), Spoilt::Damage(error));
        }
    }
}
