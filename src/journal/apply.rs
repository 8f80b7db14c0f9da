//! Applies records: stored state, record and position give the new state and the update to publish.
//!
//! # Contract
//!
//! 1. **The only place that writes an event.** A position is used here and nowhere else.
//! 2. **Deterministic.** The same records at the same positions lead to the same tables and the same updates,
//!    wherever batches end, however often the hub is restarted in between, and whatever the machine's clock,
//!    zone and settings are. What a record does is decided in `kinds`.
//! 3. A record whose id is known changes nothing, and is answered with the position of the first.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::append::Ack;
use super::blank;
use super::blocks::{Blocks, DigestedEvent};
use super::entry::{Entry, Kind, Origin};
use super::fault::{Spoilt, StoreError};
use super::kinds::{self, NewEvent, Outcome, deliveries, duties};
use super::meta::{self, LOG_CLEAR_KEY};
use super::payload::Payload;
use super::record::Record;
use super::recorded::Recorded;
use super::retain::ROWS_MAX;
use super::rows::{self, DeliveryCounts, JournalRow};
use super::rules::{self, RULES};
use super::store::SqliteStore;
use crate::domain::{EventId, Seq, StatsDelta};
use crate::sqlite::DbError;
use crate::telemetry::causes::chain;

/// Applies records within the transaction of the caller.
pub struct Apply {
    pub store: SqliteStore,
    counts: DeliveryCounts,
    blocks: Blocks,
    /// Deliveries of the present batch that are kept raw although they are understood.
    spoilt: HashMap<EventId, Spoilt>,
    /// True where damage of the stored state spoils only the delivery that meets it. Where false, nothing is
    /// applied any more.
    keeps_damaged: bool,
}

/// The outcome of a batch of records.
#[derive(Debug, Default)]
pub struct AppliedBatch {
    /// The new events, in order.
    pub events: Vec<Arc<Recorded>>,
    /// One for each record of the batch, in order.
    pub acks: Vec<Ack>,
    pub delta: StatsDelta,
    /// When the newest delivery was received; `None` if there was none.
    pub received_at: Option<Timestamp>,
    /// Earlier updates whose text has changed because a message in them was deleted.
    pub blanked: Vec<Arc<Recorded>>,
    /// Damage that one of the deliveries met. The delivery was stored nevertheless.
    pub damage: Option<String>,
    /// Words were removed that must not stay in the write-ahead log either.
    pub erases: bool,
    /// The newest delivery was stored without what must not be kept.
    pub is_reduced: bool,
    /// Where the duties of the cluster were taken last, if they were in this batch.
    pub duties_taken: Option<Seq>,
    /// The rules that came into force in the cluster, if any did in this batch.
    pub rules: Option<u32>,
}

impl Apply {
    pub fn new(store: SqliteStore) -> Self {
        let (counts, blocks) = (DeliveryCounts::default(), Blocks::new(RULES));
        Self { store, counts, blocks, spoilt: HashMap::new(), keeps_damaged: true }
    }

    /// From now on nothing is applied that meets damage of the stored state, and everything by the rules that are in
    /// force in the cluster: neither the disk of one hub nor its release must decide what becomes of a record.
    pub fn follow_cluster(&mut self) {
        self.keeps_damaged = false;
        self.blocks.follow_cluster();
    }

    /// Begins blocks at the same positions as another history, so that they can be compared.
    pub fn begin_blocks_at(&mut self, starts: impl Iterator<Item = Seq>) {
        self.blocks.begin_at(starts);
    }

    /// Keeps a delivery raw when it is applied.
    pub fn keep_raw(&mut self, id: EventId, spoilt: Spoilt) {
        self.spoilt.insert(id, spoilt);
    }

    /// Deliveries that are kept raw although they are understood.
    pub fn kept_raw(&self) -> &HashMap<EventId, Spoilt> {
        &self.spoilt
    }

    /// Begins another batch, in which no delivery is kept raw so far.
    pub fn forget_spoilt(&mut self) {
        self.spoilt.clear();
    }

    /// Drops what was not written, because the transaction was rolled back.
    pub fn forget(&mut self) {
        self.store.forget();
        self.counts.forget();
        self.blocks.forget();
    }

    /// Applies a record. If it makes an event, the event takes `position`, which is returned. `before` is
    /// the newest position so far.
    pub fn apply(
        &mut self,
        record: &Record,
        before: Seq,
        position: Seq,
        written: &mut AppliedBatch,
    ) -> Result<Option<Seq>, StoreError> {
        let Record { entry, payload, .. } = record;
        let outcome = match &entry.id {
            _ if duties::is_outdated(self.store.connection(), entry.fence)? => {
                log::info!("a {} was proposed by a hub that no longer has the duties", entry.kind.as_str());
                Outcome::NoEvent(Ack::outdated(entry.id.clone()))
            }
            Some(id) => match rows::known_event(self.store.connection(), id)? {
                Some((seq, reason)) => {
                    Outcome::NoEvent(Ack::duplicate(Some(id.clone()), Some(seq)).because(reason))
                }
                None => self.change(record, id, position, written)?,
            },
            None => self.change_without_event(entry, payload, position, written)?,
        };
        match outcome {
            Outcome::NoEvent(ack) => {
                self.count(record, ack.status.as_str(), written)?;
                written.acks.push(ack);
                Ok(None)
            }
            Outcome::Event(event) => {
                let outcome = if event.reason.is_some() { "unrecognized" } else { "accepted" };
                self.count(record, outcome, written)?;
                self.write_event(entry, before, position, *event, written)?;
                Ok(Some(position))
            }
        }
    }

    /// Writes what was collected during a batch.
    pub fn flush(&mut self, delta: &StatsDelta) -> Result<(), StoreError> {
        rows::move_counters(self.store.connection(), delta)?;
        self.store.flush()?;
        self.counts.flush(self.store.connection())?;
        self.blocks.flush(self.store.connection())
    }

    fn change<'a>(
        &mut self,
        record: &'a Record,
        id: &EventId,
        seq: Seq,
        written: &mut AppliedBatch,
    ) -> Result<Outcome<'a>, StoreError> {
        let Record { entry, payload, .. } = record;
        match payload {
            Payload::Delivery(delivery) => {
                let rules = self.blocks.rules(self.store.connection())?;
                let applied = deliveries::apply(&mut self.store, seq, delivery, self.spoilt.get(id), rules);
                applied.inspect_err(|error| self.note_spoilt(id, error))
            }
            Payload::Notice(notice) => kinds::notices::apply(seq, entry, id, notice),
            Payload::Members(members) => kinds::members::apply(&mut self.store, seq, entry, id, members),
            Payload::Names(names) => kinds::names::apply(&mut self.store, seq, entry, id, names),
            Payload::Settings(change) => {
                kinds::settings::apply(self.store.connection(), seq, entry, id, change)
            }
            Payload::Alert(request) => {
                match kinds::alerts::apply(&mut self.store, seq, entry, id, request) {
                    // One chat that cannot be read must not hold up the alerts of others.
                    Err(StoreError::Database(DbError::Corrupt(error))) if self.keeps_damaged => {
                        log::error!("an alert cannot be announced: {error}");
                        Ok(Outcome::NoEvent(Ack::duplicate(Some(id.clone()), None)))
                    }
                    applied => applied,
                }
            }
            Payload::LinkAlerts(alerts) => {
                kinds::link::apply_alerts(self.store.connection(), seq, entry, id, alerts)
            }
            Payload::Outbox(request) => kinds::outbox::apply(&mut self.store, seq, entry, id, request),
            Payload::OutboxAttempt(attempt) => {
                kinds::outbox::apply_attempt(&mut self.store, seq, entry, id, attempt)
            }
            Payload::OutboxResult(result) => {
                let rules = self.blocks.rules(self.store.connection())?;
                kinds::outbox::apply_result(&mut self.store, seq, entry, id, result, rules)
            }
            Payload::DailyReport(report) => kinds::daily_report::apply(seq, entry, id, report),
            Payload::Erasure(request) => kinds::erasures::apply(&mut self.store, seq, entry, id, request),
            Payload::Link(progress) => {
                kinds::link::apply_told(self.store.connection(), seq, entry, id, progress)
            }
            Payload::Ignored { .. }
            | Payload::Revocation(_)
            | Payload::AlertsPosted(_)
            | Payload::ReportsMailed(_)
            | Payload::Retention(_)
            | Payload::DeliveryCounts(_)
            | Payload::Duty(_)
            | Payload::Rules(_) => self.change_without_event(entry, payload, seq, written),
        }
    }

    /// Applies records that make no event.
    fn change_without_event<'a>(
        &mut self,
        entry: &Entry,
        payload: &Payload,
        position: Seq,
        written: &mut AppliedBatch,
    ) -> Result<Outcome<'a>, StoreError> {
        match payload {
            Payload::Duty(taking) => {
                let outcome = duties::apply(self.store.connection(), position, taking)?;
                written.duties_taken = duties::in_force(self.store.connection())?;
                Ok(outcome)
            }
            Payload::Rules(raise) => {
                let outcome = kinds::rules::apply(self.store.connection(), position, *raise)?;
                self.blocks.set_aside(self.store.connection())?;
                written.rules = rules::in_force(self.store.connection())?;
                Ok(outcome)
            }
            Payload::Ignored { reason, .. } => deliveries::keep_ignored(&self.store, entry, reason),
            Payload::Revocation(revocation) => kinds::revocations::apply(self.store.connection(), revocation),
            Payload::AlertsPosted(seq) => kinds::alerts::note_posted(self.store.connection(), *seq),
            Payload::Link(progress) => kinds::link::apply(self.store.connection(), progress),
            Payload::ReportsMailed(seq) => kinds::daily_report::note_mailed(self.store.connection(), *seq),
            Payload::Retention(step) => {
                let (outcome, retaining) = kinds::retention::apply(&mut self.store, *step)?;
                // Once, at the end: emptying the log after each step would copy it again and again.
                if retaining.rows < ROWS_MAX {
                    written.erases = true;
                    meta::remove(self.store.connection(), LOG_CLEAR_KEY)?;
                }
                written.blanked.extend(retaining.blanked.into_iter().map(Arc::new));
                Ok(outcome)
            }
            Payload::DeliveryCounts(counts) => {
                // What was counted in this batch is part of the sums.
                self.counts.flush(self.store.connection())?;
                self.counts.raise(self.store.connection(), counts)?;
                Ok(Outcome::NoEvent(Ack::duplicate(None, None)))
            }
            Payload::Delivery(_)
            | Payload::Notice(_)
            | Payload::Members(_)
            | Payload::Names(_)
            | Payload::Settings(_)
            | Payload::Alert(_)
            | Payload::LinkAlerts(_)
            | Payload::Outbox(_)
            | Payload::OutboxAttempt(_)
            | Payload::OutboxResult(_)
            | Payload::DailyReport(_)
            | Payload::Erasure(_) => {
                debug_assert!(false, "an event has an id");
                Ok(Outcome::NoEvent(Ack::ignored(None)))
            }
        }
    }

    /// Counts a delivery by type and outcome. Other records do not come from the provider.
    fn count(
        &mut self,
        record: &Record,
        outcome: &'static str,
        written: &mut AppliedBatch,
    ) -> Result<(), StoreError> {
        let event_type = match &record.payload {
            Payload::Delivery(delivery) => &*delivery.event_type,
            Payload::Ignored { .. } => "",
            Payload::Notice(_)
            | Payload::Members(_)
            | Payload::Names(_)
            | Payload::Settings(_)
            | Payload::Alert(_)
            | Payload::Revocation(_)
            | Payload::AlertsPosted(_)
            | Payload::Link(_)
            | Payload::LinkAlerts(_)
            | Payload::Outbox(_)
            | Payload::OutboxAttempt(_)
            | Payload::OutboxResult(_)
            | Payload::DailyReport(_)
            | Payload::ReportsMailed(_)
            | Payload::Erasure(_)
            | Payload::Retention(_)
            | Payload::DeliveryCounts(_)
            | Payload::Duty(_)
            | Payload::Rules(_) => return Ok(()),
        };
        let at = record.entry.at;
        if record.entry.origin != Origin::Hub {
            // What the hub asked for itself does not show that webhooks come.
            written.received_at = written.received_at.max(Some(at));
        }
        Ok(self.counts.add(self.store.connection(), event_type, outcome, at)?)
    }

    fn write_event(
        &mut self,
        entry: &Entry,
        before: Seq,
        seq: Seq,
        event: NewEvent<'_>,
        written: &mut AppliedBatch,
    ) -> Result<(), StoreError> {
        let connection = self.store.connection();
        let NewEvent { audience, frame, elsewhere, reason, .. } = event;
        written.is_reduced = event.reduced.is_some();
        let reduced = event.reduced.map(|body| (Kind::Reduced, body));
        let left = reduced.or(event.without_words.map(|body| (entry.kind, body)));
        let left = left.map(|(kind, body)| Entry { kind, body, ..entry.clone() });
        let entry = left.as_ref().unwrap_or(entry);
        let (event_id, stored_audience) = (entry.id.as_ref(), serde_json::to_string(&audience)?);
        let id = event_id.map_or("", EventId::as_str);
        rows::put_journal_row(
            connection,
            &JournalRow {
                seq,
                entry,
                event_type: event.event_type,
                update_type: event.update_type,
                event_at: event.event_at,
                reason: reason.as_deref(),
                audience: &audience,
                stored_audience: &stored_audience,
            },
        )?;
        let blanked = blank::blank_deleted(connection, &audience, &event.deleted)?;
        rows::put_bytes(connection, seq, &entry.body, &frame, &elsewhere)?;
        if let Some(erased) = &event.erased {
            written.erases = true;
            meta::remove(connection, LOG_CLEAR_KEY)?;
            self.blocks.mark(connection, &event.touched)?;
            log::info!("the data of a contact were erased: {erased:?}");
        }
        let update_type = event.update_type;
        let digested =
            DigestedEvent { seq, event_id: id, update_type, frame: &frame, audience: &stored_audience };
        self.blocks.add(connection, before, &digested)?;
        let ack = Ack::accepted(event_id.cloned(), seq).because(reason);
        written.acks.push(Ack { erased: event.erased.map(Box::new), ..ack });
        written.delta.add(&event.delta);
        written.blanked.extend(blanked.into_iter().chain(event.blanked).map(Arc::new));
        let recorded = Recorded::new(seq, frame, Some(audience), elsewhere).with(event.effect);
        written.events.push(Arc::new(recorded));
        Ok(())
    }

    /// Notes a delivery that cannot be applied, so that it is kept raw when the batch is started again.
    fn note_spoilt(&mut self, id: &EventId, error: &StoreError) {
        if matches!(error, StoreError::TooLarge) {
            self.spoilt.insert(id.clone(), Spoilt::TooLarge);
        } else if error.is_of_the_data() && self.keeps_damaged {
            let error = chain(error);
            log::error!("delivery {id} meets a stored state that cannot be read: {error}");
            self.spoilt.insert(id.clone(), Spoilt::Damage(error));
        }
    }
}
