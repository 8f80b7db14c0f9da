//! Where a session stands with its updates.

use crate::domain::Seq;
use crate::hub::messages::RequestId;

/// How updates reach one session.
#[derive(Debug, Default)]
pub enum Flow {
    /// It follows no updates.
    #[default]
    Off,
    /// Each commit is handed on as it comes.
    Live,
    /// It gets what came after a position in pieces, the next one once it has read the last.
    CatchingUp {
        /// The last position that was handed to it, or that was looked at and is not for it.
        after: Seq,
    },
    /// The same, but what it needs next is being read from disk.
    AwaitingDisk {
        /// The last position that was handed to it.
        after: Seq,
        /// Its `subscribe_updates`, which is answered once it is known what was missed.
        answer: Option<Unanswered>,
    },
    /// A stretch of the past is played to it ([`Playback`](crate::hub::playback::Playback)), and nothing live comes.
    Replaying,
    /// Playback has ended. Nothing is sent until the client subscribes again.
    Replayed,
}

/// A `subscribe_updates` that cannot be answered before something was read from disk.
#[derive(Debug)]
pub struct Unanswered {
    /// The client's own id, as JSON.
    pub request_id: Option<RequestId>,
    /// The channels it asked for, as the client wrote them.
    pub channels: Vec<String>,
}

impl Flow {
    /// The position up to which a session was handed everything, where the hub's own is `newest`. Live updates pass a
    /// playback by, so a session with one stands at the beginning until it subscribes again.
    pub fn reached(&self, newest: Seq) -> Seq {
        match self {
            Self::Off | Self::Live => newest,
            Self::CatchingUp { after } | Self::AwaitingDisk { after, .. } => *after,
            Self::Replaying | Self::Replayed => Seq(0),
        }
    }

    /// True where a stretch of the past took the place of what is live.
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
