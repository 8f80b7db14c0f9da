//! Messages to the hub. One that asks is an imperative; one that tells is a past participle.

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

/// Take in a record. Answered once it is durable.
#[derive(Debug, Message)]
#[rtype(result = "Result<Ack, IngestError>")]
pub struct Ingest {
    pub record: Record,
}

/// Get the counters as an unlimited scope sees them.
#[derive(Debug, Message)]
#[rtype(result = "StatsShape")]
pub struct GetStats;

/// Get the state of the hub.
#[derive(Debug, Message)]
#[rtype(result = "Health")]
pub struct GetHealth;

/// The state of the hub.
#[derive(Debug, Clone)]
pub struct Health {
    pub sessions: usize,
    /// Position of the newest event that was published.
    pub seq: Seq,
    pub epoch: String,
    /// When the last delivery was received, including duplicates and ignored ones.
    pub last_webhook_at: Option<Timestamp>,
    /// When the first delivery was received after none had come for [`PAUSE`](super::PAUSE). `None`: not since the hub started.
    pub resumed_at: Option<Timestamp>,
    pub writable: bool,
    /// Why the journal accepts no deliveries; `None` if it does.
    pub fault: Option<Fault>,
    /// Records that wait to be stored.
    pub queued: usize,
    /// The hub is shutting down.
    pub draining: bool,
}

/// Register a new session. The hub answers through `outbox` with `connection_established`, or closes it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Connect {
    pub session: SessionId,
    pub outbox: Outbox,
    /// Counts what is queued for the session. Shared with the session.
    pub backlog: Arc<Backlog>,
    /// The client's address, for the limit of sessions per address.
    pub address: IpAddr,
    /// `None` until the client signs in. Without a JWT key everybody is the anonymous admin.
    pub who: Option<SessionUser>,
    /// The hub has a JWT key, so a client must sign in.
    pub auth_required: bool,
}

/// The user of a session.
#[derive(Debug, Clone)]
pub struct SessionUser {
    /// The `sub` of their token.
    pub user: Arc<str>,
    /// `None` if the token contains no name.
    pub name: Option<Arc<str>>,
    pub scope: Arc<Scope>,
}

impl SessionUser {
    pub fn new(identity: &Identity) -> Self {
        Self {
            user: identity.sub.as_str().into(),
            name: identity.name.as_deref().map(Into::into),
            scope: Arc::new(Scope::of(identity)),
        }
    }
}

/// Id of a session. It is unguessable and known to its client.
pub type SessionId = Arc<str>;

#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Disconnected {
    pub session: SessionId,
}

/// Sign a user in, or take over their newer token. Answered with the limiter of their frames.
#[derive(Debug, Message)]
#[rtype(result = "Result<FrameMeter, AdmitError>")]
pub struct Admit {
    pub session: SessionId,
    pub identity: Arc<Identity>,
}

/// Limits the frames of one user. All of their sessions share it.
pub type FrameMeter = Arc<DefaultDirectRateLimiter>;

/// Why the user of a valid token is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AdmitError {
    /// They were revoked after the token was checked.
    #[error("the token was revoked")]
    Revoked,
    /// They have as many sessions as a user may have.
    #[error("this user has as many sessions as one may have")]
    TooManySessions,
    /// They sign in too often.
    #[error("this user signs in too often")]
    TooFast,
    /// The session was already closed.
    #[error("this session has ended")]
    Unknown,
}

/// Why a revocation was not written. All reasons are temporary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevokeError {
    /// The list of revocations is full, and none of them is old enough to be dropped.
    #[error("no more revocations can be kept")]
    Full,
    #[error(transparent)]
    Ingest(#[from] IngestError),
}

/// Revoke a user's older tokens and end their sessions. Answered once the revocation is durable.
#[derive(Debug, Message)]
#[rtype(result = "Result<Revoked, RevokeError>")]
pub struct Revoke {
    /// Must be a record of a revocation.
    pub record: Record,
}

/// The outcome of a revocation.
#[derive(Debug, Clone)]
pub struct Revoked {
    /// The revocation that is now in force for the user.
    pub in_force: Revocation,
    /// How many sessions were ended.
    pub sessions_closed: usize,
}

/// Get the newest revocations, and the number of all.
#[derive(Debug, Message)]
#[rtype(result = "(Vec<Revocation>, usize)")]
pub struct ListRevocations {
    /// `None` for all users.
    pub user: Option<String>,
    pub limit: usize,
}

/// A session has read everything that was queued for it, and the hub had asked to be told.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Drained {
    pub session: SessionId,
}

/// Follow channels. The answer, and then the updates, come through the outbox in that order.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Subscribe {
    pub session: SessionId,
    pub request_id: Option<RequestId>,
    pub request: SubscribeRequest,
}

#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Unsubscribe {
    pub session: SessionId,
    pub request_id: Option<RequestId>,
    /// `None` for all channels.
    pub channels: Option<Vec<Channel>>,
}

/// Tell others which chat is open on a session's screen.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct SetPresence {
    pub session: SessionId,
    pub request_id: Option<RequestId>,
    /// `None` if no chat is open.
    pub chat: Option<String>,
}

/// Send a snapshot to a session.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct SendSnapshot {
    pub session: SessionId,
    pub request_id: Option<RequestId>,
    pub limits: SnapshotLimits,
}

/// The id that a client gave its request, as JSON.
pub type RequestId = Box<serde_json::value::RawValue>;

/// Where a session's frames are sent.
pub enum Outbox {
    /// To the session's own actor.
    Actor(Recipient<Deliver>),
    /// To the worker thread that writes to the session's socket.
    Worker {
        /// Shared by all sessions of the worker.
        worker: Arc<Recipient<Dispatch>>,
        slot: SlotId,
    },
}

/// Identifies a socket of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotId {
    /// Index of the slot. Slots are reused.
    pub slot: u32,
    /// Generation of the slot. A message for an earlier socket in the same slot is dropped.
    pub generation: u32,
}

/// Frames for one session, in order: everything that one commit or one answer has for it.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Deliver {
    pub frames: Outgoing,
    /// What this adds to the session's backlog.
    pub bytes: usize,
}

/// The same frames for several sessions of one worker.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Dispatch {
    /// What each of them is sent.
    pub deliver: Deliver,
    pub slots: Vec<SlotId>,
}

/// What a [`Deliver`] contains.
#[derive(Debug, Clone)]
pub enum Outgoing {
    /// Updates of one commit, encoded once and shared by all sessions that see all of them.
    Updates(Arc<Batch>),
    /// An answer or a notice, encoded.
    Notice(ByteString),
    /// The answer to the first subscription of a session.
    Subscribed {
        frame: ByteString,
        epoch: Arc<str>,
        /// Missed updates follow, so the client needs no snapshot.
        recovered: bool,
    },
    /// A heartbeat at this position. The session adds how many updates it was sent.
    Heartbeat(Seq),
    /// Close the socket with this code.
    Close(CloseCode),
}

/// The metrics can be read.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AnalyticsReady {
    pub metrics: AnalyticsReads,
}

/// Shut down: take no more sessions and deliveries.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Drain;
