//! What the hub says besides updates: answers and notices, encoded as envelopes.

use bytestring::ByteString;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::codes::ErrorCode;
use crate::domain::Seq;

/// The events that the hub sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerEvent {
    /// The first frame of every session.
    ConnectionEstablished,
    /// Signed in.
    Authenticated,
    /// A snapshot.
    UmblerData,
    /// Channels are followed from here on.
    Subscribed,
    /// Channels are no longer followed.
    Unsubscribed,
    /// The answer to `ping`.
    Pong,
    /// One accepted delivery.
    UmblerUpdate,
    /// Proves the data path, every [`HEARTBEAT_SECONDS`](super::HEARTBEAT_SECONDS).
    Heartbeat,
    /// Counters, conflated.
    UmblerStats,
    /// Who is on which screen.
    PresenceUpdate,
    /// Others are told which chat this screen shows.
    PresenceSet,
    /// Metrics, conflated.
    MetricsUpdate,
    /// A replay of the past is over.
    ReplayEnded,
    /// The screen missed something and must ask again.
    ResyncRequired,
    /// Whether deliveries are taken in; told on change.
    HubStatus,
    /// The hub closes this socket next and says when to come back.
    GoingAway,
    /// An event stream ends; a socket has its close frame.
    Closed,
    /// The token ends soon: send a newer one.
    TokenExpiring,
    /// A request was refused.
    Error,
}

impl ServerEvent {
    /// The whole table.
    pub const ALL: [Self; 19] = [
        Self::ConnectionEstablished,
        Self::Authenticated,
        Self::UmblerData,
        Self::Subscribed,
        Self::Unsubscribed,
        Self::Pong,
        Self::UmblerUpdate,
        Self::Heartbeat,
        Self::UmblerStats,
        Self::PresenceUpdate,
        Self::PresenceSet,
        Self::MetricsUpdate,
        Self::ReplayEnded,
        Self::ResyncRequired,
        Self::HubStatus,
        Self::GoingAway,
        Self::Closed,
        Self::TokenExpiring,
        Self::Error,
    ];

    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionEstablished => "connection_established",
            Self::Authenticated => "authenticated",
            Self::UmblerData => "umbler_data",
            Self::Subscribed => "subscribed",
            Self::Unsubscribed => "unsubscribed",
            Self::Pong => "pong",
            Self::UmblerUpdate => "umbler_update",
            Self::Heartbeat => "heartbeat",
            Self::UmblerStats => "umbler_stats",
            Self::PresenceUpdate => "presence_update",
            Self::PresenceSet => "presence_set",
            Self::MetricsUpdate => "metrics_update",
            Self::ReplayEnded => "replay_ended",
            Self::ResyncRequired => "resync_required",
            Self::HubStatus => "hub_status",
            Self::GoingAway => "going_away",
            Self::Closed => "closed",
            Self::TokenExpiring => "token_expiring",
            Self::Error => "error",
        }
    }
}

/// The content of a `heartbeat` event.
#[derive(Debug, Serialize, ToSchema)]
pub struct Heartbeat {
    /// The hub's newest position, or as far as this session got; 0 on one that replays the past or has replayed it.
    #[schema(value_type = i64)]
    pub seq: Seq,
    /// Updates sent on this session: a client that counts otherwise has missed one.
    pub sent: u64,
}

/// The content of a `resync_required` event.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResyncRequired {
    /// Why.
    pub reason: &'static str,
}

#[derive(Serialize)]
struct Wire<'a, T: Serialize> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    timestamp: Timestamp,
    data: &'a T,
}

/// Encodes an envelope; `id` is the client's own, in answers.
pub fn encode<T: Serialize>(
    event: ServerEvent,
    id: Option<&RawValue>,
    timestamp: Timestamp,
    data: &T,
) -> ByteString {
    let wire = Wire { event: event.as_str(), id, timestamp, data };
    // Serializing our own structures fails only on map keys that are no strings, which none has.
    serde_json::to_string(&wire).unwrap_or_default().into()
}

/// The content of an `error` event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorData<'a> {
    /// A code of the table.
    pub code: &'static str,
    /// For the developer.
    pub message: &'a str,
    /// True where the same request may succeed later, unchanged.
    pub temporary: bool,
    /// Of a stretch that cannot be replayed: the word of the table of positions that were not recovered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// Encodes an `error` envelope.
pub fn encode_error(
    id: Option<&RawValue>,
    timestamp: Timestamp,
    code: ErrorCode,
    message: &str,
) -> ByteString {
    let data = ErrorData { code: code.as_str(), message, temporary: code.is_temporary(), reason: None };
    encode(ServerEvent::Error, id, timestamp, &data)
}

/// Encodes a `bad_request` that a client may act on by its reason.
pub fn encode_refusal(
    id: Option<&RawValue>,
    timestamp: Timestamp,
    message: &str,
    reason: &'static str,
) -> ByteString {
    let code = ErrorCode::BadRequest;
    let reason = Some(reason);
    let data = ErrorData { code: code.as_str(), message, temporary: code.is_temporary(), reason };
    encode(ServerEvent::Error, id, timestamp, &data)
}
