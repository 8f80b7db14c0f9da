//! Brings records into the stream: each is published, and found again in what comes back.
//!
//! # Contract
//!
//! 1. A delivery of the provider is answered at the latest after [`STREAM_PATIENCE`], if this machine's disk can
//!    be written: what the stream has not taken by then goes into the inbox.
//! 2. Other records wait for [`OWN_PATIENCE`]. Then they are refused, and may become durable all the same.
//! 3. While the inbox is not empty, deliveries go into it, so that they keep their order. One that it cannot take goes straight into
//!    the stream, where that takes records.
//! 4. A stream that puts a record at a position that is applied already is not the one that was followed: it was put back to an
//!    older state. Nothing more is published to it until it is found to be the right one ([`watch`](super::watch)), and what it
//!    acknowledges meanwhile is published again.
//! 5. At most [`WINDOW_RECORDS`] records or [`WINDOW_KIB`] KiB are on their way to the stream.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::Context;
use async_nats::jetstream::message::PublishMessage;
use futures_util::future::join_all;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::inbox::{Inbox, InboxError, OutboundRecord};
use super::nats::is_connected;
use super::settings::ClusterSettings;
use super::state::ClusterState;
use crate::domain::Seq;
use crate::journal::entry::Kind;
use crate::journal::queue::{WAITING_BYTES_MAX, WAITING_MAX, Waiting, refuse};
use crate::journal::{Ack, Append, IngestError, Origin, Record, SharedOrder};

/// How long the stream may take for a delivery before that goes into the inbox.
pub const STREAM_PATIENCE: Duration = Duration::from_secs(1);
/// How long this hub may take to apply a delivery that the stream has, before it is answered without its outcome.
pub const APPLY_PATIENCE: Duration = Duration::from_millis(500);
/// How long all other records wait for stream and hub.
pub const OWN_PATIENCE: Duration = Duration::from_secs(4);
/// Records that are published and not acknowledged.
pub const WINDOW_RECORDS: usize = 256;
/// KiB of records that are published and not acknowledged.
pub const WINDOW_KIB: usize = 16 * 1_024;
/// Rest before what the stream refused is published again.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// How often it is looked whether the inbox can be published.
const LOOK_AFTER: Duration = Duration::from_millis(50);
/// How long the stream may take for a record from the inbox before that is published again.
const INBOX_PATIENCE: Duration = Duration::from_secs(5);

/// The header that says which hub published a record.
pub const NODE_HEADER: &str = "Hub-Node";
/// The header by which that hub finds its record again.
pub const NONCE_HEADER: &str = "Hub-Nonce";

type Outcome = Result<Ack, IngestError>;

/// The order of a cluster's stream, as the journal sees it. Records are handed to the cluster's thread.
pub struct StreamOrder {
    pub(super) intake: UnboundedSender<Append>,
    pub(super) load: Arc<Waiting>,
    pub(super) state: ClusterState,
}

impl SharedOrder for StreamOrder {
    fn append(&self, mut append: Append) {
        let entry = &mut append.record.entry;
        if entry.origin == Origin::Hub && entry.kind.is_of_duties() {
            entry.fence = Some(self.state.trust().fence());
        }
        let weight = append.record.weight;
        if self.load.is_closing() {
            return refuse(append, IngestError::Stopping);
        }
        if self.load.deliveries() >= WAITING_MAX || self.load.bytes() + weight > WAITING_BYTES_MAX {
            return refuse(append, IngestError::Full);
        }
        self.load.enter(weight);
        if let Err(unsent) = self.intake.send(append) {
            self.load.leave(weight);
            refuse(unsent.0, IngestError::Stopping);
        }
    }

    fn duties_taken(&self, position: Seq) {
        self.state.trust().note_duties_taken(position);
    }

    fn rules_raised(&self, number: u32) {
        self.state.trust().note_rules(number);
        log::info!("the cluster applies records by rules {number} from here on");
    }

    fn waiting(&self) -> usize {
        self.load.deliveries()
    }

    fn applied(&self, position: Seq) {
        self.state.note_applied(position.0);
    }

    fn stands_at(&self, position: Seq, why: &str) {
        self.state.halt().stand_at(position, &format!("cannot be stored: {why}"));
    }

    fn close(&self) {
        self.load.close();
    }
}

/// A record of this hub that is looked for in what comes back.
pub struct ExpectedRecord {
    pub record: Record,
    pub reply: oneshot::Sender<Outcome>,
}

/// Records of this hub that are on their way, by nonce.
pub type ExpectedRecords = Rc<RefCell<HashMap<String, ExpectedRecord>>>;

/// Why a record was not published.
#[derive(Debug)]
struct NotTaken(String);

/// Publishes records. Lives on the cluster's thread.
pub struct Publisher {
    pub(super) client: Client,
    pub(super) context: Context,
    pub(super) settings: ClusterSettings,
    pub(super) state: ClusterState,
    pub(super) inbox: Inbox,
    pub(super) load: Arc<Waiting>,
    pub(super) expected: ExpectedRecords,
    /// Names this run of the hub.
    pub(super) boot: String,
    pub(super) number: Cell<u64>,
    pub(super) records: Semaphore,
    pub(super) kib: Semaphore,
}

impl Publisher {
    /// Takes records until there can be none.
    pub async fn run(self: Rc<Self>, mut intake: UnboundedReceiver<Append>) {
        while let Some(append) = intake.recv().await {
            let publisher = Rc::clone(&self);
            drop(tokio::task::spawn_local(async move { publisher.settle(append).await }));
        }
    }

    /// Publishes what is in the inbox whenever that is possible.
    pub async fn empty_inbox(self: Rc<Self>) {
        loop {
            if self.state.inbox_records() == 0 || !self.can_publish() {
                sleep(LOOK_AFTER).await;
                continue;
            }
            if !self.publish_oldest().await {
                sleep(RETRY_AFTER).await;
            }
        }
    }

    /// Publishes the oldest of the inbox. False if any of them was not taken.
    async fn publish_oldest(&self) -> bool {
        let rows = match self.inbox.oldest(WINDOW_RECORDS, WINDOW_KIB as u64 * 1_024).await {
            Ok(rows) => rows,
            Err(error) => {
                log::error!("the inbox cannot be read: {error}");
                return false;
            }
        };
        let published =
            join_all(rows.iter().map(|row| timeout(INBOX_PATIENCE, self.publish(&row.outbound)))).await;
        let taken = rows.iter().zip(&published).filter(|(_, outcome)| matches!(outcome, Ok(Ok(_))));
        let taken: Vec<i64> = taken.map(|(row, _)| row.number).collect();
        let all = taken.len() == rows.len();
        if !taken.is_empty() {
            log::info!("{} deliveries of the inbox are in the stream", taken.len());
        }
        match self.inbox.remove(taken).await {
            Ok(()) => all,
            Err(error) => {
                log::error!("the inbox cannot be emptied: {error}");
                false
            }
        }
    }

    fn can_publish(&self) -> bool {
        self.state.is_open() && is_connected(&self.client)
    }

    async fn settle(&self, append: Append) {
        let Append { record, reply, .. } = append;
        let weight = record.weight;
        let is_posted = record.entry.kind == Kind::Delivery && record.entry.origin == Origin::Provider;
        let outcome = if is_posted { self.take_delivery(record).await } else { self.take_own(record).await };
        self.load.leave(weight);
        if reply.send(outcome).is_err() {
            log::debug!("a record was settled after its sender had stopped waiting");
        }
    }

    /// Brings a delivery of the provider into the stream, or else into the inbox.
    async fn take_delivery(&self, record: Record) -> Outcome {
        let event_id = record.entry.id.clone();
        let outbound = self.outbound(&record);
        if self.can_publish() && self.state.inbox_records() == 0 {
            if let Some(known) = self.bring(&outbound, record).await {
                return known;
            }
            let put = self.inbox.put(outbound).await;
            return put.map_or_else(|error| refused(&error), |()| Ok(Ack::stored(event_id)));
        }
        match self.inbox.put(outbound.clone()).await {
            Ok(()) => Ok(Ack::stored(event_id)),
            // Without its place among those that wait it is still better off in the stream than refused.
            Err(error) if self.can_publish() => {
                log::debug!("a delivery goes straight into the stream: {error}");
                self.bring(&outbound, record).await.unwrap_or_else(|| refused(&error))
            }
            Err(error) => refused(&error),
        }
    }

    /// Brings a delivery into the stream. `None`: the stream refused it, or has not taken it within [`STREAM_PATIENCE`].
    async fn bring(&self, outbound: &OutboundRecord, record: Record) -> Option<Outcome> {
        let event_id = record.entry.id.clone();
        let (mut outcome, _expected) = self.expect(outbound, record);
        let published = tokio::select! {
            biased;
            known = &mut outcome => return Some(known.unwrap_or_else(|_ended| Ok(Ack::stored(event_id)))),
            published = timeout(STREAM_PATIENCE, self.publish(outbound)) => published,
        };
        match published {
            Ok(Ok(position)) => {
                return match timeout(APPLY_PATIENCE, outcome).await {
                    Ok(Ok(known)) => Some(known),
                    Ok(Err(_)) | Err(_) => Some(Ok(Ack::accepted(event_id, position))),
                };
            }
            Ok(Err(NotTaken(why))) => log::debug!("the stream refused a delivery: {why}"),
            Err(_elapsed) => log::debug!("the stream did not take a delivery in time"),
        }
        outcome.try_recv().ok()
    }

    /// Brings a record of the hub or of a user into the stream. Its outcome is what its sender asks for.
    pub(super) async fn take_own(&self, record: Record) -> Outcome {
        let outbound = self.outbound(&record);
        let (mut outcome, _expected) = self.expect(&outbound, record);
        let end = Instant::now() + OWN_PATIENCE;
        loop {
            let attempt = async {
                if !self.can_publish() {
                    sleep(RETRY_AFTER).await;
                    return false;
                }
                let taken = self.publish(&outbound).await.is_ok();
                if !taken {
                    sleep(RETRY_AFTER).await;
                }
                taken
            };
            let taken = tokio::select! {
                biased;
                known = &mut outcome => return known.unwrap_or(Err(IngestError::Unwritable)),
                taken = timeout_at(end, attempt) => taken,
            };
            match taken {
                Ok(false) => {}
                Ok(true) => {
                    let known = timeout_at(end, outcome).await;
                    return known.map_or(Err(IngestError::Unwritable), |known| {
                        known.unwrap_or(Err(IngestError::Unwritable))
                    });
                }
                Err(_elapsed) => return Err(IngestError::Unwritable),
            }
        }
    }

    fn outbound(&self, record: &Record) -> OutboundRecord {
        let number = self.number.get();
        self.number.set(number + 1);
        OutboundRecord {
            message_id: format!("{}-{}-{number}", self.settings.node, self.boot),
            kind: record.entry.kind.as_str().to_owned(),
            bytes: record.entry.encode().into(),
        }
    }

    /// From now on the record is looked for in what comes back, until the guard is dropped.
    fn expect(&self, outbound: &OutboundRecord, record: Record) -> (oneshot::Receiver<Outcome>, Expecting) {
        let (reply, outcome) = oneshot::channel();
        let nonce = outbound.message_id.clone();
        self.expected.borrow_mut().insert(nonce.clone(), ExpectedRecord { record, reply });
        (outcome, Expecting { expected: Rc::clone(&self.expected), nonce })
    }

    /// Publishes a record, and returns its position once the stream has stored it.
    async fn publish(&self, outbound: &OutboundRecord) -> Result<Seq, NotTaken> {
        let refused = |why: String| NotTaken(why);
        let kib = (outbound.bytes.len() / 1_024 + 1).min(WINDOW_KIB);
        let _record = self.records.acquire().await.map_err(|error| refused(error.to_string()))?;
        let _kib = self.kib.acquire_many(u32::try_from(kib).unwrap_or(u32::MAX)).await;
        if !self.can_publish() {
            return Err(refused("there is no connection".to_owned()));
        }
        let message = PublishMessage::build()
            .payload(outbound.bytes.clone())
            .message_id(&outbound.message_id)
            .expected_stream(&self.settings.name)
            .header(NODE_HEADER, self.settings.node.as_str())
            .header(NONCE_HEADER, outbound.message_id.as_str());
        let subject = self.settings.subject(&outbound.kind);
        let applied = self.state.applied();
        let sent = self.context.send_publish(subject, message).await;
        let acknowledged = sent.map_err(|error| refused(error.to_string()))?;
        let ack = acknowledged.await.map_err(|error| refused(error.to_string()))?;
        let position = i64::try_from(ack.sequence).map_err(|error| refused(error.to_string()))?;
        // No hub would apply it. One that is known already may well be applied.
        if position <= applied && !ack.duplicate {
            self.state.identity().note(false);
            return Err(refused(format!("it was put at position {position}, and {applied} is applied")));
        }
        if !self.state.identity().is_known() {
            return Err(refused("it is not known whether this is the right stream".to_owned()));
        }
        self.state.note_newest(position);
        Ok(Seq(position))
    }
}

/// What the sender of a delivery is told that the inbox did not take.
fn refused(error: &InboxError) -> Outcome {
    match error {
        InboxError::Full => Err(IngestError::Full),
        InboxError::Unwritable(_) | InboxError::Ended => Err(IngestError::Unwritable),
    }
}

/// While this lives, a record is looked for in what comes back.
struct Expecting {
    expected: ExpectedRecords,
    nonce: String,
}

impl Drop for Expecting {
    fn drop(&mut self) {
        self.expected.borrow_mut().remove(&self.nonce);
    }
}
