//! What the hub sends besides updates: answers and notices, encoded as envelopes.

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
    /// The client is signed in.
    Authenticated,
    UmblerData,
    /// The client follows channels from here on.
    Subscribed,
    /// The client no longer follows channels.
    Unsubscribed,
    /// The answer to the request `ping`.
    Pong,
    UmblerUpdate,
    /// Sent every [`HEARTBEAT_SECONDS`](super::HEARTBEAT_SECONDS), so that a client notices a dead connection.
    Heartbeat,
    /// The counters; only the newest state is sent.
    UmblerStats,
    /// Which screens are connected, and which chat each shows.
    PresenceUpdate,
    /// The answer to the request `set_presence`.
    PresenceSet,
    /// Live metrics; only the newest state is sent.
    MetricsUpdate,
    /// A playback of the past has ended.
    ReplayEnded,
    /// The client missed something and must ask for a new snapshot.
    ResyncRequired,
    /// Whether the hub accepts deliveries; sent when that changes.
    HubStatus,
    /// The hub closes this socket next, and says when to reconnect.
    GoingAway,
    /// The end of an event stream, where a socket would get a close frame.
    Closed,
    /// The token expires soon, and the client should send a newer one.
    TokenExpiring,
    Error,
}

impl ServerEvent {
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

    /// The event as it is written on the wire.
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
    /// The hub's newest position, or the last one that this session got; 0 on a session that plays the past or
    /// has played it.
    #[schema(value_type = i64)]
    pub seq: Seq,
    /// Number of updates sent on this session. A client that counted fewer has missed one.
    pub sent: u64,
}

/// The content of a `resync_required` event.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResyncRequired {
    /// Why the client must ask for a new snapshot.
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

/// Encodes an envelope. In answers, `id` is the one that the client sent.
pub fn encode<T: Serialize>(
    event: ServerEvent,
    id: Option<&RawValue>,
    timestamp: Timestamp,
    data: &T,
) -> ByteString {
    let wire = Wire { event: event.as_str(), id, timestamp, data };
    // Serializing our own structures fails only on map keys that are not strings, and none has such keys.
    serde_json::to_string(&wire).unwrap_or_default().into()
}

/// The content of an `error` event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorData<'a> {
    /// One of the error codes.
    pub code: &'static str,
    /// What is wrong, as a text for developers.
    pub message: &'a str,
    /// True where the same request may succeed later, unchanged.
    pub temporary: bool,
    /// For a part of the past that cannot be played: why, in the words for positions that were not recovered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

pub fn encode_error(
    id: Option<&RawValue>,
    timestamp: Timestamp,
    code: ErrorCode,
    message: &str,
) -> ByteString {
    let data = ErrorData { code: code.as_str(), message, temporary: code.is_temporary(), reason: None };
    encode(ServerEvent::Error, id, timestamp, &data)
}

/// Encodes a `bad_request` with a reason that a client may act on.
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
