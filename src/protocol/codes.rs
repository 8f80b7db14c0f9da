//! Error and close codes, and the reasons for a fresh snapshot: one table each. A code is never reused.
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

/// Why a position was not recovered: the `reason` of `subscribed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecoveryReason {
    /// The client named no position.
    NoPosition,
    /// The position belongs to another life of the journal.
    EpochChanged,
    /// The journal has not reached the position.
    PositionAhead,
    /// What came after the position is not kept any more, or cannot be read.
    TooOld,
    /// More was missed than is replayed.
    TooMany,
    /// The token allows something else than the client's did.
    ScopeChanged,
    /// No position was to be recovered: a stretch of the past is replayed, and nothing is live.
    Replay,
}

impl RecoveryReason {
    /// The whole table.
    pub const ALL: [Self; 7] = [
        Self::NoPosition,
        Self::EpochChanged,
        Self::PositionAhead,
        Self::TooOld,
        Self::TooMany,
        Self::ScopeChanged,
        Self::Replay,
    ];

    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoPosition => "no_position",
            Self::EpochChanged => "epoch_changed",
            Self::PositionAhead => "position_ahead",
            Self::TooOld => "too_old",
            Self::TooMany => "too_many",
            Self::ScopeChanged => "scope_changed",
            Self::Replay => "replay",
        }
    }
}

/// Why a replay of the past ended: the `reason` of `replay_ended`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplayEnd {
    /// The stretch was played to its end.
    Done,
    /// The client stopped it, or what its token allows changed.
    Stopped,
    /// What comes next is not kept any more, or cannot be read.
    Gone,
}

impl ReplayEnd {
    /// The whole table.
    pub const ALL: [Self; 3] = [Self::Done, Self::Stopped, Self::Gone];

    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Gone => "gone",
        }
    }
}

/// Why a screen must ask for a snapshot: the `reason` of `resync_required`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResyncReason {
    /// It did not keep up, and something that it should have had is gone.
    TooSlow,
    /// Its new token allows something else than the one before.
    ScopeChanged,
}

impl ResyncReason {
    /// The whole table.
    pub const ALL: [Self; 2] = [Self::TooSlow, Self::ScopeChanged];

    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooSlow => "too_slow",
            Self::ScopeChanged => "scope_changed",
        }
    }
}
