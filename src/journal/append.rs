//! What goes into the journal and what comes out of it.

use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::fault::Fault;
use super::record::Record;
use super::recorded::Recorded;
use crate::auth::Revocation;
use crate::domain::{EventId, Seq, StatsDelta};

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// Accepted, duplicate or ignored.
    pub status: AckStatus,
    /// The record's id, where it has one.
    pub event_id: Option<EventId>,
    /// Its position; of a duplicate, that of the first. `None` for ignored ones.
    pub seq: Option<Seq>,
    /// Why it was not understood, ignored, or refused.
    pub reason: Option<String>,
    /// The revocation that is in force afterwards, where the record was one.
    pub in_force: Option<Revocation>,
}

impl Ack {
    /// A new event at its position.
    pub fn accepted(event_id: Option<EventId>, seq: Seq) -> Self {
        Self { status: AckStatus::Accepted, event_id, seq: Some(seq), reason: None, in_force: None }
    }

    /// Nothing new; `seq` is the position of what is known already, if that has one.
    pub fn duplicate(event_id: Option<EventId>, seq: Option<Seq>) -> Self {
        Self { status: AckStatus::Duplicate, event_id, seq, reason: None, in_force: None }
    }

    /// No event.
    pub fn ignored(event_id: Option<EventId>) -> Self {
        Self { status: AckStatus::Ignored, event_id, seq: None, reason: None, in_force: None }
    }

    /// The same, with a reason.
    #[must_use]
    pub fn because(self, reason: Option<String>) -> Self {
        Self { reason, ..self }
    }
}

/// The outcome of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckStatus {
    /// A new position.
    Accepted,
    /// Known already.
    Duplicate,
    /// Kept raw, no event.
    Ignored,
}

impl AckStatus {
    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
        }
    }
}

/// Why a record was not taken in. All of them are temporary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// The bound of waiting records is reached.
    #[error("too many deliveries are waiting to be stored")]
    Full,
    /// The journal cannot write.
    #[error("the journal cannot write")]
    Unwritable,
    /// The hub is going down.
    #[error("the hub is shutting down")]
    Stopping,
}

/// A record on its way into the journal, with the place where its answer goes.
#[derive(Debug)]
pub struct Append {
    /// What came.
    pub record: Record,
    /// Where the outcome goes. A handler that stopped waiting is no error.
    pub reply: oneshot::Sender<Result<Ack, IngestError>>,
}

/// A batch became durable. Sent in journal order, by the journal alone.
///
/// The only message that may change state or reach a screen, which is why a screen can never show something
/// that a restart would take back.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Committed {
    /// The accepted ones, in the order of their positions; empty for a batch of duplicates.
    pub events: Arc<[Arc<Recorded>]>,
    /// Earlier updates, and such of this batch, that read otherwise now: a message that they told was deleted.
    pub blanked: Vec<Arc<Recorded>>,
    /// How the counters move.
    pub delta: StatsDelta,
    /// Every record of the batch with its outcome, to be answered once the events are applied.
    pub settled: Vec<Settled>,
    /// When the newest delivery of the batch was received; `None` where it holds none.
    pub received_at: Option<Timestamp>,
    /// When the batch became durable.
    pub durable_at: Instant,
}

/// A record whose outcome is durable.
#[derive(Debug)]
pub struct Settled {
    /// What became of it.
    pub ack: Ack,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<Ack, IngestError>>,
}

/// The journal cannot write, or can again.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Faulted {
    /// Why; `None` when the fault is gone.
    pub fault: Option<Fault>,
}
