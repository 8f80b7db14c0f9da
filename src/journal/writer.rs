//! The writer: one thread that commits waiting records in batches.
//!
//! Each batch is one transaction and one fsync. While it is committed the next one gathers in the queue, so
//! an idle hub commits single deliveries without delay, and a busy one commits many at once.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use actix::Recipient;
use actix::dev::RecipientRequest;
use jiff::Timestamp;

use super::JournalSettings;
use super::append::{Ack, AckStatus, Append, Committed, Faulted, IngestError, Settled};
use super::apply::AppliedBatch;
use super::batch::BatchWriter;
use super::fault::{Fault, StoreError};
use super::order::SharedOrder;
use super::payload::Payload;
use super::queue::{Door, Journal, WAITING_MAX, Waiting, WriterFeed, refuse};
use super::record::Record;
use super::schema::Opened;
use crate::domain::DeliveryBody;
use crate::protocol::FaultKind;
use crate::sqlite::DbError;
use crate::telemetry::causes::chain;
use crate::telemetry::clock;
use crate::telemetry::freshness::Freshness;
use crate::telemetry::integrity::Integrity;
use crate::telemetry::metrics::Metrics;

/// Most records in one transaction. Larger ones gain nothing and delay the fan-out.
pub const BATCH_MAX: usize = 256;
/// Bytes after which a batch is full.
pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Seconds between two tries while nothing can be written and no delivery comes.
pub const PROBE_SECONDS: u64 = 1;

/// How long the writer waits before it tries again to empty the log of what was erased.
const CLEAR_AGAIN: Duration = Duration::from_secs(1);

pub struct Listeners {
    /// Receives each batch, in order.
    pub committed: Recipient<Committed>,
    /// Receives a message when writing fails, and when it works again.
    pub faulted: Recipient<Faulted>,
    pub metrics: Metrics,
    pub integrity: Integrity,
}

impl Opened {
    pub fn start(self, settings: &JournalSettings, listeners: Listeners) -> Result<Journal, DbError> {
        let (feed, writer) = self.start_writer(settings, listeners, None)?;
        Ok(Journal { door: Door::Writer(feed.sender), waiting: feed.waiting, writer })
    }

    /// Starts it with positions of an order that other hubs share. `connect` gets the feed of the writer.
    pub fn start_shared(
        self,
        settings: &JournalSettings,
        listeners: Listeners,
        order: Arc<dyn SharedOrder>,
        connect: impl FnOnce(WriterFeed),
    ) -> Result<Journal, DbError> {
        let (feed, writer) = self.start_writer(settings, listeners, Some(Arc::clone(&order)))?;
        let waiting = Arc::clone(&feed.waiting);
        connect(feed);
        Ok(Journal { door: Door::Shared(order), waiting, writer })
    }

    fn start_writer(
        self,
        settings: &JournalSettings,
        listeners: Listeners,
        order: Option<Arc<dyn SharedOrder>>,
    ) -> Result<(WriterFeed, JoinHandle<()>), DbError> {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let waiting = Arc::new(Waiting::default());
        let batches = BatchWriter::new(self, &settings.path, i64::from(settings.updates_retained))?;
        let counted = Arc::clone(&waiting);
        let writer = Writer { batches, order, listeners, waiting: counted, outstanding: None, fault: None };
        let thread = std::thread::Builder::new().name("journal".into());
        let writer = thread
            .spawn(move || writer.run(&receiver))
            .map_err(|source| DbError::Io { path: settings.path.clone(), source })?;
        Ok((WriterFeed { sender, waiting }, writer))
    }
}

struct Writer {
    batches: BatchWriter,
    /// The order that other hubs share; `None` where positions are counted here.
    order: Option<Arc<dyn SharedOrder>>,
    listeners: Listeners,
    waiting: Arc<Waiting>,
    /// The batch that the hub may not have applied yet. There is at most one: the next commit already
    /// runs, but a slow hub slows the journal instead of filling its own mailbox.
    outstanding: Option<RecipientRequest<Committed>>,
    fault: Option<FaultKind>,
}

impl Writer {
    fn run(mut self, receiver: &Receiver<Append>) {
        while let Some(first) = self.next(receiver) {
            let batch = self.gather(first, receiver);
            // A fault that has not passed by now is not waited for: each try may take seconds,
            // and the hub must end.
            if self.fault.is_some() && self.waiting.is_closing() {
                refuse_all(batch);
            } else if self.order.is_some() {
                if !self.write_shared(batch) {
                    break;
                }
            } else {
                self.write(batch);
            }
        }
        self.settle_outstanding();
        if let Err(error) = self.batches.close() {
            log::error!("the journal was not closed cleanly: {}", chain(&error));
        }
    }

    /// The next record; `None` once there can be none.
    fn next(&mut self, receiver: &Receiver<Append>) -> Option<Append> {
        loop {
            if self.batches.must_clear_log() && self.fault.is_none() {
                match receiver.try_recv() {
                    Ok(append) => return Some(append),
                    Err(TryRecvError::Disconnected) => return None,
                    Err(TryRecvError::Empty) => {}
                }
                self.batches.clear_log();
                if self.batches.must_clear_log() {
                    // A reader is at work, and is waited for without holding up what comes in meanwhile.
                    match receiver.recv_timeout(CLEAR_AGAIN) {
                        Ok(append) => return Some(append),
                        Err(RecvTimeoutError::Disconnected) => return None,
                        Err(RecvTimeoutError::Timeout) => continue,
                    }
                }
            }
            // If a page is damaged, a small write proves nothing. Only storing a delivery does.
            if self.fault.is_none_or(|kind| kind == FaultKind::Damaged) {
                return receiver.recv().ok();
            }
            match receiver.recv_timeout(Duration::from_secs(PROBE_SECONDS)) {
                Ok(append) => return Some(append),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    let probed = self.batches.probe();
                    self.note(probed.as_ref().err());
                }
            }
        }
    }

    /// Collects what waits, up to the bounds of a batch.
    fn gather(&self, first: Append, receiver: &Receiver<Append>) -> Vec<Append> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(append) = next {
            let weight = append.record.weight;
            self.waiting.leave(weight);
            bytes += weight;
            batch.push(append);
            let has_room = batch.len() < BATCH_MAX && bytes < BATCH_BYTES_MAX;
            next = has_room.then(|| receiver.try_recv().ok()).flatten();
        }
        batch
    }

    fn write(&mut self, batch: Vec<Append>) {
        let begun = Instant::now();
        match self.batches.commit(&batch) {
            Ok(written) => {
                self.listeners.metrics.committed(batch.len(), begun.elapsed().as_secs_f64());
                self.settle_and_tend(batch, written);
            }
            // One of them cannot be stored. The others must not fail with it.
            Err(error) if batch.len() > 1 && (error.is_of_the_data() || error.is_unreadable()) => {
                log::warn!("a batch cannot be stored and is split: {}", chain(&error));
                for append in batch {
                    self.write(vec![append]);
                }
            }
            Err(error) => {
                self.note(Some(&error));
                refuse_all(batch);
            }
        }
    }

    /// Writes what is durable in a shared order already, so it is tried until it succeeds. False if the hub ends before: then nothing
    /// behind it may be stored either, because the next start goes on behind what is stored.
    fn write_shared(&mut self, batch: Vec<Append>) -> bool {
        let newest = batch.iter().rev().find_map(|append| append.place);
        loop {
            let begun = Instant::now();
            match self.batches.commit(&batch) {
                Ok(written) => {
                    self.listeners.metrics.committed(batch.len(), begun.elapsed().as_secs_f64());
                    if let (Some(order), Some(position)) = (&self.order, written.duties_taken) {
                        order.duties_taken(position);
                    }
                    if let (Some(order), Some(number)) = (&self.order, written.rules) {
                        order.rules_raised(number);
                    }
                    self.settle_and_tend(batch, written);
                    break;
                }
                Err(error) if self.waiting.is_closing() => {
                    // The next start takes it from the stream again.
                    log::error!("the last records were not stored: {}", chain(&error));
                    return false;
                }
                // Those before the one that cannot be stored can be, and it can be named.
                Err(error) if batch.len() > 1 && error.is_of_the_data() => {
                    log::warn!("a batch cannot be stored and is split: {}", chain(&error));
                    return batch.into_iter().all(|append| self.write_shared(vec![append]));
                }
                Err(error) => {
                    self.note(Some(&error));
                    if let (Some(order), Some(place), true) = (&self.order, newest, error.is_of_the_data()) {
                        order.stands_at(place.position, &chain(&error));
                    }
                }
            }
            std::thread::sleep(Duration::from_secs(PROBE_SECONDS));
        }
        if let (Some(order), Some(place)) = (&self.order, newest) {
            order.applied(place.position);
        }
        true
    }

    /// Tells what was written, and keeps the log short and free of what was erased.
    fn settle_and_tend(&mut self, batch: Vec<Append>, written: AppliedBatch) {
        let erases = written.erases;
        self.settle(batch, written);
        if erases {
            self.batches.clear_log();
        }
        self.batches.tend_log();
    }

    fn settle(&mut self, batch: Vec<Append>, written: AppliedBatch) {
        self.note(None);
        if let Some(damage) = written.damage {
            self.listeners.integrity.note_damage(damage);
        }
        let (freshness, now, durable_at) = (self.listeners.metrics.freshness(), clock::now(), Instant::now());
        let settle = |(Append { record, reply, .. }, ack)| {
            note_freshness(freshness, &record, &ack, now);
            Settled { ack, reply }
        };
        let settled = batch.into_iter().zip(written.acks).map(settle).collect();
        self.tell(Committed {
            events: written.events.into(),
            blanked: written.blanked,
            delta: written.delta,
            settled,
            received_at: written.received_at,
            durable_at,
        });
    }

    fn tell(&mut self, committed: Committed) {
        self.settle_outstanding();
        self.outstanding = Some(self.listeners.committed.send(committed));
    }

    fn settle_outstanding(&mut self) {
        if let Some(outstanding) = self.outstanding.take()
            && futures_executor::block_on(outstanding).is_err()
        {
            log::error!("the hub is gone; what was committed is on disk");
        }
    }

    /// Tells the hub when writing begins to fail, and when it works again.
    fn note(&mut self, error: Option<&StoreError>) {
        let kind = error.map(StoreError::kind);
        let was = std::mem::replace(&mut self.fault, kind);
        if was == kind {
            return;
        }
        let fault = error.map(|error| Fault { kind: error.kind(), detail: chain(error) });
        match &fault {
            Some(Fault { kind, detail }) => {
                log::error!("the journal cannot write ({}): {detail}", kind.as_str());
            }
            None => log::info!("the journal writes again"),
        }
        if let Some(fault) = fault.as_ref().filter(|fault| fault.kind == FaultKind::Damaged) {
            self.listeners.integrity.note_damage(fault.detail.clone());
        }
        if futures_executor::block_on(self.listeners.faulted.send(Faulted { fault })).is_err() {
            log::error!("the state of the journal cannot be reported: the hub has ended");
        }
    }
}

/// Measures what became of a delivery that is new; one that was known before tells nothing of what screens see.
fn note_freshness(freshness: &Freshness, record: &Record, ack: &Ack, now: Timestamp) {
    let (Payload::Delivery(delivery), AckStatus::Accepted) = (&record.payload, ack.status) else { return };
    let entry = &record.entry;
    freshness.stored(entry.at, now);
    if let DeliveryBody::Understood(facts) = &delivery.body {
        freshness.received(facts.key.at, entry.at, entry.attempt);
    }
}

fn refuse_all(batch: Vec<Append>) {
    for append in batch {
        refuse(append, IngestError::Unwritable);
    }
}
