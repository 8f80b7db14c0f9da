//! What may be said to the hub. A message that asks is an imperative; one that tells is a past participle.

use std::net::IpAddr;
use std::sync::Arc;

use actix::prelude::*;
use bytestring::ByteString;
use governor::DefaultDirectRateLimiter;
use jiff::Timestamp;

use super::sessions::backlog::Backlog;
use super::updates::batch::Batch;
use crate::auth::{Identity, Revocation, Scope};
use crate::domain::Seq;
use crate::journal::Fault;
pub use crate::journal::{Ack, AckStatus, IngestError, Record};
use crate::protocol::{Channel, CloseCode, SnapshotLimits, StatsShape, SubscribeRequest};
use crate::reads::analytics::AnalyticsReads;

/// Take in a record; answered once it is durable.
#[derive(Debug, Message)]
#[rtype(result = "Result<Ack, IngestError>")]
pub struct Ingest {
    /// What came.
    pub record: Record,
}

/// Tell the counters, as whoever may see everything sees them.
#[derive(Debug, Message)]
#[rtype(result = "StatsShape")]
pub struct GetStats;

/// Tell how the hub is.
#[derive(Debug, Message)]
#[rtype(result = "Health")]
pub struct GetHealth;

/// How the hub is.
#[derive(Debug, Clone)]
pub struct Health {
    /// Sockets that are connected.
    pub sessions: usize,
    /// Of them, signed in or not in need of it.
    pub signed_in: usize,
    /// The newest position that reached state and screens.
    pub seq: Seq,
    /// The life of the journal.
    pub epoch: String,
    /// When the last delivery came, duplicates and ignored ones included.
    pub last_webhook_at: Option<Timestamp>,
    /// The journal accepts deliveries.
    pub writable: bool,
    /// Why it does not.
    pub fault: Option<Fault>,
    /// Deliveries that wait to be stored.
    pub queued: usize,
    /// The hub is going down.
    pub draining: bool,
}

/// Register a new socket; the hub answers through `outbox` with `connection_established`, or a close.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Connect {
    /// The session's own id.
    pub session: SessionId,
    /// Where its frames go.
    pub outbox: Outbox,
    /// What is queued for it, shared with the session.
    pub backlog: Arc<Backlog>,
    /// The client's address, for the limit per address.
    pub address: IpAddr,
    /// Who signed in already; without a JWT key everybody is the anonymous admin.
    pub who: Option<Who>,
    /// There is a key: only tokens count.
    pub auth_required: bool,
}

/// Who sits at a session's other end.
#[derive(Debug, Clone)]
pub struct Who {
    /// The user's id.
    pub user: Arc<str>,
    /// The user's name, if the token tells it.
    pub name: Option<Arc<str>>,
    /// What the token allows.
    pub scope: Arc<Scope>,
}

impl Who {
    /// Who a token says it is.
    pub fn new(identity: &Identity) -> Self {
        Self {
            user: identity.sub.as_str().into(),
            name: identity.name.as_deref().map(Into::into),
            scope: Arc::new(Scope::of(identity)),
        }
    }
}

/// The id of a session, unguessable, told to its client.
pub type SessionId = Arc<str>;

/// A session ended.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Disconnected {
    /// Which.
    pub session: SessionId,
}

/// Let the user of a valid token in, or take note of their newer token; answered with what counts their frames.
#[derive(Debug, Message)]
#[rtype(result = "Result<FrameMeter, AdmitError>")]
pub struct Admit {
    /// Which session.
    pub session: SessionId,
    /// Who the token says it is.
    pub identity: Arc<Identity>,
}

/// Counts the frames of one user; their sockets share it.
pub type FrameMeter = Arc<DefaultDirectRateLimiter>;

/// Why the user of a valid token is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AdmitError {
    /// They were revoked since the token was checked.
    #[error("the token was revoked")]
    Revoked,
    /// They have as many sessions as one user may have.
    #[error("this user has as many sessions as one may have")]
    TooManySessions,
    /// They sign in again and again.
    #[error("this user signs in too often")]
    TooFast,
    /// The session was told to close already.
    #[error("this session has ended")]
    Unknown,
}

/// Why a revocation was not written. All of them are temporary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevokeError {
    /// As many users as can be kept are revoked, and none of the revocations is old.
    #[error("no more revocations can be kept")]
    Full,
    /// The journal did not take it.
    #[error(transparent)]
    Ingest(#[from] IngestError),
}

/// Refuse a user's older tokens from now on, and end their sessions; answered once that is durable.
#[derive(Debug, Message)]
#[rtype(result = "Result<Revoked, RevokeError>")]
pub struct Revoke {
    /// A record of a revocation.
    pub record: Record,
}

/// What a revocation did.
#[derive(Debug, Clone)]
pub struct Revoked {
    /// What is in force for the user now.
    pub in_force: Revocation,
    /// Sessions that were ended.
    pub sessions_closed: usize,
}

/// Tell the newest revocations, and how many there are.
#[derive(Debug, Message)]
#[rtype(result = "(Vec<Revocation>, usize)")]
pub struct ListRevocations {
    /// Of this user only.
    pub user: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// A session has read all that was queued for it, and the hub asked to be told.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Drained {
    /// Which.
    pub session: SessionId,
}

/// Follow channels; the answer and then the updates come through the outbox, in that order.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Subscribe {
    /// Who asks.
    pub session: SessionId,
    /// The client's own id, as JSON.
    pub request_id: Option<RequestId>,
    /// What it asks.
    pub request: SubscribeRequest,
}

/// Stop following.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Unsubscribe {
    /// Who asks.
    pub session: SessionId,
    /// The client's own id, as JSON.
    pub request_id: Option<RequestId>,
    /// `None`: all.
    pub channels: Option<Vec<Channel>>,
}

/// Tell others which chat a session's screen shows.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct SetPresence {
    /// Whose screen.
    pub session: SessionId,
    /// The client's own id, as JSON.
    pub request_id: Option<RequestId>,
    /// The chat; `None`: none.
    pub chat: Option<String>,
}

/// Send a snapshot to a session.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct SendSnapshot {
    /// Who asks.
    pub session: SessionId,
    /// The client's own id, as JSON.
    pub request_id: Option<RequestId>,
    /// How much.
    pub limits: SnapshotLimits,
}

/// A client's own request id, as JSON.
pub type RequestId = Box<serde_json::value::RawValue>;

/// Where a session's frames go.
pub enum Outbox {
    /// To an actor of its own.
    Actor(Recipient<Deliver>),
    /// To the worker that holds its line.
    Line {
        /// The worker, shared by all sessions on it.
        worker: Arc<Recipient<Dispatch>>,
        /// Which of its lines.
        line: LineId,
    },
}

/// One of a worker's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineId {
    /// Its place; places are used again.
    pub place: u32,
    /// The how manieth line of its worker it is, so that what was meant for an earlier one at its place is known.
    pub serial: u32,
}

/// Frames for one session, in order: everything that one commit, or one answer, has for it.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Deliver {
    /// What to write.
    pub frames: Outgoing,
    /// Bytes that this adds to the session's backlog.
    pub bytes: usize,
}

/// The same for many sessions of one worker.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Dispatch {
    /// What each of them gets.
    pub deliver: Deliver,
    /// Their lines.
    pub lines: Vec<LineId>,
}

/// What a [`Deliver`] carries.
#[derive(Debug, Clone)]
pub enum Outgoing {
    /// Updates of one commit, encoded once and shared by all sessions that get all of them.
    Updates(Arc<Batch>),
    /// An answer or a notice.
    Notice(ByteString),
    /// The answer to the first subscription.
    Subscribed {
        /// The answer.
        frame: ByteString,
        /// The life of the journal.
        epoch: Arc<str>,
        /// Missed updates follow, and no snapshot is needed.
        recovered: bool,
    },
    /// A heartbeat at this position; the session adds how many updates it sent.
    Heartbeat(Seq),
    /// The socket ends.
    Close(CloseCode),
}

/// The metrics can be asked.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AnalyticsReady {
    /// The way to them.
    pub metrics: AnalyticsReads,
}

/// Stop taking sessions and deliveries: the hub is going down.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Drain;
