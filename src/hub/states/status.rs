//! `hub_status`: every screen is told when the hub stops accepting deliveries, why, and when it accepts them
//! again.
//!
//! A session that is behind is told once it has caught up.

use std::time::{Duration, Instant};

use bytestring::ByteString;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Throttle;
use crate::hub::messages::Outgoing;
use crate::hub::sessions::{Session, Sessions};
use crate::protocol::event::{ServerEvent, encode};
use crate::protocol::{FaultKind, HubState};
use crate::telemetry::clock;

/// Shortest time between two pushes of the status, so that a disk that fails now and then does not flood the
/// screens.
pub const STATUS_INTERVAL: Duration = Duration::from_millis(500);

/// The hub's state, and the fault that keeps it from writing.
pub type Condition = (HubState, Option<FaultKind>);

/// The status that the screens were sent last.
pub struct Status {
    sent: Condition,
    since: Timestamp,
    /// Grows with each change.
    version: u64,
    throttle: Throttle,
    /// Some sessions have not been sent the status yet.
    unsent: bool,
}

/// The content of a `hub_status` event.
#[derive(Debug, Serialize, ToSchema)]
pub struct HubStatus {
    /// Whether deliveries are accepted.
    status: &'static str,
    /// Why they are not; missing if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// When this status began.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

impl Status {
    /// A hub without faults.
    pub fn new(now: Timestamp) -> Self {
        let throttle = Throttle::new(STATUS_INTERVAL);
        Self { sent: (HubState::Ok, None), since: now, version: 0, throttle, unsent: false }
    }

    fn frame(&self) -> ByteString {
        let (state, reason) = self.sent;
        let data =
            HubStatus { status: state.as_str(), reason: reason.map(FaultKind::as_str), since: self.since };
        encode(ServerEvent::HubStatus, None, clock::now(), &data)
    }
}

impl Status {
    /// Sends the status to every session if it has changed and is due. Returns when it is due.
    pub fn flush(&mut self, sessions: &mut Sessions, condition: Condition, now: Instant) -> Option<Instant> {
        if condition == self.sent {
            // A fault that is over before it was sent is never sent.
            self.throttle.forget();
            return None;
        }
        self.throttle.change();
        if condition.0 == HubState::Draining {
            // After this the sessions are closed, so it cannot wait.
            self.throttle.wake();
        }
        if !self.throttle.take(now) {
            return self.throttle.due_at(now);
        }
        self.sent = condition;
        self.since = clock::now();
        self.version += 1;
        self.unsent = true;
        self.tell(sessions);
        None
    }

    /// Sends the status to sessions that have not been sent it yet.
    pub fn tell(&mut self, sessions: &mut Sessions) {
        if !self.unsent {
            return;
        }
        let (frame, version) = (self.frame(), self.version);
        let mut unsent = false;
        for session in sessions.iter_mut().filter(|session| session.status_sent != version) {
            // Not `notify`: a session that misses this has not lost anything that it must ask for
            // again.
            if !session.behind && session.queue(Outgoing::Notice(frame.clone())) {
                session.status_sent = version;
            } else {
                unsent = true;
            }
        }
        self.unsent = unsent;
    }

    /// Sends the status to a new session if there is a fault.
    pub fn greet(&self, session: &mut Session) {
        if self.sent.0 != HubState::Ok {
            session.notify(self.frame());
        }
        session.status_sent = self.version;
    }
}
