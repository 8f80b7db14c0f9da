//! Error and close codes: one table each. A code is never reused.
//!
//! The range of a close code tells the client what to do: 4000-4499 come back, 4500-4999 do not.

/// Codes of the `error` event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The frame is no JSON object with an `event`.
    BadEnvelope,
    /// The event's name is none of the client's.
    UnsupportedEvent,
    /// The event's `data` is wrong; the message names the field.
    BadRequest,
    /// No token, a wrong one, or not yet authenticated.
    Unauthorized,
    /// The token does not allow this.
    Forbidden,
    /// The token's time is over.
    TokenExpired,
    /// Slow down.
    TooManyRequests,
    /// The hub cannot answer now.
    Unavailable,
}

impl ErrorCode {
    /// The whole table.
    pub const ALL: [Self; 8] = [
        Self::BadEnvelope,
        Self::UnsupportedEvent,
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::TokenExpired,
        Self::TooManyRequests,
        Self::Unavailable,
    ];

    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadEnvelope => "bad_envelope",
            Self::UnsupportedEvent => "unsupported_event",
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::TokenExpired => "token_expired",
            Self::TooManyRequests => "too_many_requests",
            Self::Unavailable => "unavailable",
        }
    }

    /// True where the same request may succeed later, unchanged.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::TooManyRequests | Self::Unavailable)
    }
}

/// Codes with which the hub closes a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// The hub stops.
    GoingAway,
    /// A frame, or a message of several frames, was too large.
    TooLarge,
    /// The hub drains; come back.
    Drain,
    /// The screen did not keep up; come back.
    TooSlow,
    /// Nobody authenticated in time; come back.
    AuthDeadline,
    /// The token's time is over; come back with a new one.
    TokenExpired,
    /// The user was revoked; do not come back.
    Revoked,
    /// Too many bad tokens; do not come back.
    Refused,
    /// A limit on sessions; do not come back.
    Limit,
    /// The client broke the protocol again and again; do not come back.
    ProtocolAbuse,
}

impl CloseCode {
    /// The whole table.
    pub const ALL: [Self; 10] = [
        Self::GoingAway,
        Self::TooLarge,
        Self::Drain,
        Self::TooSlow,
        Self::AuthDeadline,
        Self::TokenExpired,
        Self::Revoked,
        Self::Refused,
        Self::Limit,
        Self::ProtocolAbuse,
    ];

    /// The number in the close frame.
    pub fn number(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::TooLarge => 1009,
            Self::Drain => 4000,
            Self::TooSlow => 4001,
            Self::AuthDeadline => 4002,
            Self::TokenExpired => 4003,
            Self::Revoked => 4500,
            Self::Refused => 4501,
            Self::Limit => 4502,
            Self::ProtocolAbuse => 4503,
        }
    }

    /// The reason in the close frame.
    pub fn reason(self) -> &'static str {
        match self {
            Self::GoingAway => "going away",
            Self::TooLarge => "message too large",
            Self::Drain => "drain",
            Self::TooSlow => "too slow",
            Self::AuthDeadline => "authentication deadline",
            Self::TokenExpired => "token expired",
            Self::Revoked => "revoked",
            Self::Refused => "refused",
            Self::Limit => "limit",
            Self::ProtocolAbuse => "protocol abuse",
        }
    }
}
