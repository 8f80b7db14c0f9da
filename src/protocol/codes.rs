//! Tables of error codes, close codes, and reasons for a new snapshot. A code is never reused.
//!
//! The range of a close code tells the client what to do: after 4000-4499 it reconnects, after 4500-4999 it
//! does not.

/// Codes of the `error` event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The frame is not a JSON object with an `event`.
    BadEnvelope,
    /// Clients may not send an event of this name.
    UnsupportedEvent,
    /// The event's `data` is wrong; the message names the field.
    BadRequest,
    /// No token, a wrong one, or not yet authenticated.
    Unauthorized,
    /// The token does not allow this.
    Forbidden,
    TokenExpired,
    /// The client sends too many requests.
    TooManyRequests,
    /// The hub cannot answer at present.
    Unavailable,
}

impl ErrorCode {
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

    /// The code as it is written on the wire.
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
    GoingAway,
    /// A frame, or a message of several frames, was too large.
    TooLarge,
    /// The hub drains before it stops, or sends the session to another hub. The client reconnects.
    Drain,
    /// The client did not read fast enough. It reconnects.
    TooSlow,
    /// The client did not authenticate in time. It reconnects.
    AuthDeadline,
    /// The token has expired. The client reconnects with a new one.
    TokenExpired,
    /// The user was revoked. The client does not reconnect.
    Revoked,
    /// Too many tokens were refused. The client does not reconnect.
    Refused,
    /// A limit on sessions was reached. The client does not reconnect.
    Limit,
    /// The client broke the protocol too often. It does not reconnect.
    ProtocolAbuse,
}

impl CloseCode {
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
    /// The position belongs to another epoch of the journal.
    EpochChanged,
    /// The journal has not reached the position.
    PositionAhead,
    /// What came after the position is no longer kept, or cannot be read.
    TooOld,
    /// More updates were missed than the hub sends again.
    TooMany,
    /// The token allows something else than the one with which the position was reached.
    ScopeChanged,
    /// No position was to be recovered: the session plays the past, and gets no live updates.
    Replay,
}

impl RecoveryReason {
    pub const ALL: [Self; 7] = [
        Self::NoPosition,
        Self::EpochChanged,
        Self::PositionAhead,
        Self::TooOld,
        Self::TooMany,
        Self::ScopeChanged,
        Self::Replay,
    ];

    /// The reason as it is written on the wire.
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

/// Why the hub ends a session that is to come back: the `reason` of `going_away`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AwayReason {
    /// The hub shuts down.
    Drain,
    /// Another hub of the cluster has the position from which the session wants to go on, and this one does not yet.
    TooFarAhead,
    /// This hub is cut off from its cluster, and another one is ready.
    Behind,
}

impl AwayReason {
    pub const ALL: [Self; 3] = [Self::Drain, Self::TooFarAhead, Self::Behind];

    /// The reason as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::TooFarAhead => "too_far_ahead",
            Self::Behind => "behind",
        }
    }
}

/// Why a playback of the past ended: the `reason` of `replay_ended`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplayEnd {
    /// The interval was played to its end.
    Done,
    /// The client stopped it, or what its token allows changed.
    Stopped,
    /// What comes next is no longer kept, or cannot be read.
    Gone,
}

impl ReplayEnd {
    pub const ALL: [Self; 3] = [Self::Done, Self::Stopped, Self::Gone];

    /// The reason as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Gone => "gone",
        }
    }
}

/// Why a client must ask for a new snapshot: the `reason` of `resync_required`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResyncReason {
    /// The client did not read fast enough, and something that it should have got is no longer kept.
    TooSlow,
    /// The client's new token allows something else than the one before.
    ScopeChanged,
}

impl ResyncReason {
    pub const ALL: [Self; 2] = [Self::TooSlow, Self::ScopeChanged];

    /// The reason as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooSlow => "too_slow",
            Self::ScopeChanged => "scope_changed",
        }
    }
}
