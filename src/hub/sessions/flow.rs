//! How far a session is with its updates.

use crate::domain::Seq;
use crate::hub::messages::RequestId;

/// How updates reach a session.
#[derive(Debug, Default)]
pub enum Flow {
    /// The session follows no updates.
    #[default]
    Off,
    /// Each commit is passed on when it arrives.
    Live,
    /// The session is sent missed updates in pieces, the next one when it has read the last.
    CatchingUp {
        /// The last position that was sent, or that was examined and not meant for the session.
        after: Seq,
    },
    /// The missed updates that come next are being read from disk.
    AwaitingDisk {
        /// The last position that was sent.
        after: Seq,
        /// The `subscribe_updates` that will be answered once it is known what was missed.
        answer: Option<Unanswered>,
    },
    /// The session is sent a [`Playback`](crate::hub::playback::Playback), and nothing live.
    Replaying,
    /// Playback has ended. Nothing is sent until the client subscribes again.
    Replayed,
}

/// A `subscribe_updates` that is answered after something was read from disk.
#[derive(Debug)]
pub struct Unanswered {
    pub request_id: Option<RequestId>,
    /// The channels that were asked for, as the client wrote them.
    pub channels: Vec<String>,
}

impl Flow {
    /// The position up to which the session was sent everything, given the newest position of the hub.
    /// During and after a playback this is 0, because live updates were not sent.
    pub fn reached(&self, newest: Seq) -> Seq {
        match self {
            Self::Off | Self::Live => newest,
            Self::CatchingUp { after } | Self::AwaitingDisk { after, .. } => *after,
            Self::Replaying | Self::Replayed => Seq(0),
        }
    }

    /// True during and after a playback.
    pub fn is_of_the_past(&self) -> bool {
        matches!(self, Self::Replaying | Self::Replayed)
    }

    /// The position after which updates are needed from disk.
    pub fn awaits_disk_after(&self) -> Option<Seq> {
        match self {
            Self::AwaitingDisk { after, .. } => Some(*after),
            Self::Off | Self::Live | Self::CatchingUp { .. } | Self::Replaying | Self::Replayed => None,
        }
    }
}
