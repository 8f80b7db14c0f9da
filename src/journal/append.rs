//! What is appended to the journal, and what is published from it.

use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::erasures::Erased;
use super::fault::Fault;
use super::place::StreamPlace;
use super::record::Record;
use super::recorded::Recorded;
use crate::auth::Revocation;
use crate::domain::{EventId, Seq, StatsDelta};

/// The outcome of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    pub status: AckStatus,
    /// Id of the record; `None` if it has none.
    pub event_id: Option<EventId>,
    /// Position of the event. For a duplicate that of the first record, for an ignored one `None`.
    pub seq: Option<Seq>,
    /// Why it was not understood, ignored or refused.
    pub reason: Option<String>,
    /// After a revocation, the one that is now in force.
    pub in_force: Option<Revocation>,
    /// After an erasure, what was blanked.
    pub erased: Option<Box<Erased>>,
    /// After a step of retention, how many rows it handled.
    pub rows: Option<usize>,
}

impl Ack {
    pub fn accepted(event_id: Option<EventId>, seq: Seq) -> Self {
        Self {
            status: AckStatus::Accepted,
            event_id,
            seq: Some(seq),
            reason: None,
            in_force: None,
            erased: None,
            rows: None,
        }
    }

    /// It is durable, and its position is not known yet.
    pub fn stored(event_id: Option<EventId>) -> Self {
        Self { seq: None, ..Self::accepted(event_id, Seq(0)) }
    }

    /// Nothing new. `seq` is the position of what is already known, if it has one.
    pub fn duplicate(event_id: Option<EventId>, seq: Option<Seq>) -> Self {
        Self {
            status: AckStatus::Duplicate,
            event_id,
            seq,
            reason: None,
            in_force: None,
            erased: None,
            rows: None,
        }
    }

    /// It was proposed by a hub that no longer had the duties, so nothing came of it.
    pub fn outdated(event_id: Option<EventId>) -> Self {
        Self { status: AckStatus::Outdated, ..Self::ignored(event_id) }
    }

    pub fn ignored(event_id: Option<EventId>) -> Self {
        Self {
            status: AckStatus::Ignored,
            event_id,
            seq: None,
            reason: None,
            in_force: None,
            erased: None,
            rows: None,
        }
    }

    #[must_use]
    pub fn because(self, reason: Option<String>) -> Self {
        Self { reason, ..self }
    }
}

/// How a record was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckStatus {
    /// It has a new position.
    Accepted,
    Duplicate,
    /// It is not an event, and was kept raw.
    Ignored,
    /// Nothing came of it, because the hub that proposed it no longer had the duties of its cluster. If it is still to be done, it must
    /// be proposed again.
    Outdated,
}

impl AckStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Outdated => "outdated",
        }
    }
}

/// Why a record was not accepted. All reasons are temporary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// Too many records are waiting.
    #[error("too many deliveries are waiting to be stored")]
    Full,
    #[error("the journal cannot write")]
    Unwritable,
    #[error("the hub is shutting down")]
    Stopping,
}

/// A record to append, with the channel for its outcome.
#[derive(Debug)]
pub struct Append {
    pub record: Record,
    /// Receives the outcome. The receiver may have stopped waiting.
    pub reply: oneshot::Sender<Result<Ack, IngestError>>,
    /// Its place in an order that several hubs share; `None` where the writer counts positions.
    pub place: Option<StreamPlace>,
}

/// A batch became durable. Sent in journal order, by the journal alone.
///
/// The only message that may change state or reach a screen, which is why a screen can never show something
/// that a restart would take back.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Committed {
    /// The new events, in the order of their positions; empty for a batch of duplicates.
    pub events: Arc<[Arc<Recorded>]>,
    /// Updates, of this batch or earlier ones, whose text has changed because a message in them was
    /// deleted.
    pub blanked: Vec<Arc<Recorded>>,
    pub delta: StatsDelta,
    /// Each record of the batch with its outcome. Senders are answered once the events are applied.
    pub settled: Vec<Settled>,
    /// When the newest delivery of the batch was received; `None` if it contains none.
    pub received_at: Option<Timestamp>,
    /// When the batch became durable.
    pub durable_at: Instant,
}

/// A record whose outcome is durable.
#[derive(Debug)]
pub struct Settled {
    pub ack: Ack,
    pub reply: oneshot::Sender<Result<Ack, IngestError>>,
}

/// The journal cannot write, or can write again.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Faulted {
    /// `None` when the fault has passed.
    pub fault: Option<Fault>,
}
