//! What goes into the journal and what comes out of it.

use std::sync::Arc;

use actix::prelude::*;
use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::alerts::AlertChanges;
use super::fault::Fault;
use super::recorded::Recorded;
use super::settings::SettingsChange;
use crate::domain::{Delivery, EventId, Member, Seq, StatsDelta};

/// Something that the provider posted.
#[derive(Debug)]
pub enum Submission {
    /// A delivery with an id and a type.
    Event {
        /// What it says.
        delivery: Box<Delivery>,
        /// Its bytes, compressed with zstd.
        raw: Vec<u8>,
        /// How many bytes it had: what is parsed of it is at most as large.
        body_bytes: usize,
    },
    /// A notice to one user, from the company's own backend.
    Notice(Box<UserNotice>),
    /// Changes of the directory of agents, from an admin: all of them or none.
    Members(Box<MemberChanges>),
    /// Other settings, from an admin.
    Settings(Box<SettingsChange>),
    /// What happens to alerts, from the hub itself or from whoever takes note of one.
    Alerts(Box<AlertChanges>),
    /// Alerts were posted to the alert webhook up to here.
    Sent(Seq),
    /// A JSON object without an id or a type: kept raw, no event.
    Ignored {
        /// Which part is missing.
        reason: String,
        /// Its id, where it has one.
        event_id: Option<EventId>,
        /// When the hub received it.
        received_at: Timestamp,
        /// Its bytes, compressed with zstd.
        raw: Vec<u8>,
        /// How many bytes it had: what is parsed of it is at most as large.
        body_bytes: usize,
    },
}

/// A notice to the screens of one user.
#[derive(Debug, Clone)]
pub struct UserNotice {
    /// Its id: the same one twice is one notice.
    pub id: EventId,
    /// The user, as tokens name them in `sub`.
    pub user: String,
    /// Anything; handed on as it came.
    pub data: Box<RawValue>,
    /// The bytes of `data`, compressed with zstd.
    pub raw: Vec<u8>,
    /// When the hub received it.
    pub received_at: Timestamp,
}

/// Entries of the directory to be set, or taken out where they have no name.
#[derive(Debug, Clone)]
pub struct MemberChanges {
    /// The id of the update that tells them.
    pub id: EventId,
    /// One for each id at most.
    pub members: Vec<Member>,
    /// The same in JSON, compressed with zstd.
    pub raw: Vec<u8>,
    /// When the hub received it.
    pub received_at: Timestamp,
}

/// What an entry on its way into the directory takes, or a change of an alert, estimated.
const MEMBER_BYTES: usize = 1_024;

/// What settings take in memory, as a multiple of their compressed bytes, estimated.
const SETTINGS_TIMES: usize = 32;

/// What a parsed delivery takes beside its texts and its compressed bytes, estimated.
const SUBMISSION_OVERHEAD_BYTES: usize = 4_096;

impl Submission {
    /// What it weighs in the queue of waiting deliveries, in bytes. A text of 10 MiB may compress to nothing and is
    /// held in full all the same.
    pub fn weight(&self) -> usize {
        match self {
            Self::Event { raw, body_bytes, .. } | Self::Ignored { raw, body_bytes, .. } => {
                raw.len() + body_bytes + SUBMISSION_OVERHEAD_BYTES
            }
            Self::Members(changes) => changes.members.len() * MEMBER_BYTES + SUBMISSION_OVERHEAD_BYTES,
            Self::Sent(_) => SUBMISSION_OVERHEAD_BYTES,
            Self::Settings(change) => change.raw.len() * SETTINGS_TIMES + SUBMISSION_OVERHEAD_BYTES,
            Self::Alerts(asked) => asked.changes.len() * MEMBER_BYTES + SUBMISSION_OVERHEAD_BYTES,
            Self::Notice(notice) => notice.data.get().len() + SUBMISSION_OVERHEAD_BYTES,
        }
    }
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// Accepted, duplicate or ignored.
    pub status: AckStatus,
    /// The delivery's id, where it has one.
    pub event_id: Option<EventId>,
    /// Its position; of a duplicate, that of the first. `None` for ignored ones.
    pub seq: Option<Seq>,
    /// Why it was not understood, ignored, or refused.
    pub reason: Option<String>,
}

/// The outcome of a delivery.
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

/// Why a delivery was not taken in. All of them are temporary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// The bound of waiting deliveries is reached.
    #[error("too many deliveries are waiting to be stored")]
    Full,
    /// The journal cannot write.
    #[error("the journal cannot write")]
    Unwritable,
    /// The hub is going down.
    #[error("the hub is shutting down")]
    Stopping,
}

/// A delivery on its way into the journal, with the place where its answer goes.
#[derive(Debug)]
pub struct Append {
    /// What came.
    pub submission: Submission,
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
    /// The accepted ones, in consecutive positions; empty for a batch of duplicates.
    pub events: Arc<[Arc<Recorded>]>,
    /// Earlier updates, and such of this batch, that read otherwise now: a message that they told was deleted.
    pub blanked: Vec<Arc<Recorded>>,
    /// How the counters move.
    pub delta: StatsDelta,
    /// Every delivery of the batch with its outcome, to be answered once the events are applied.
    pub settled: Vec<Settled>,
    /// When the newest delivery of the batch was received; `None` where it holds none.
    pub received_at: Option<Timestamp>,
}

/// A delivery whose outcome is durable.
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
