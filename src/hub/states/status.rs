//! `hub_status`: every screen is told when deliveries are no longer taken in, why, and when they are again.
//!
//! A session that is behind takes nothing; it is told as soon as it takes something again.

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

/// Screens are told of changes at most this often: a disk that fails now and then must not flood them.
pub const STATUS_INTERVAL: Duration = Duration::from_millis(500);

/// The hub's state, and why it cannot write.
pub type Condition = (HubState, Option<FaultKind>);

/// What the screens were told.
pub struct Status {
    said: Condition,
    since: Timestamp,
    /// Grows with each change.
    version: u64,
    throttle: Throttle,
    /// Some session may not have been told yet.
    untold: bool,
}

/// The content of a `hub_status` event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HubStatus)]
pub struct StatusData {
    /// Whether deliveries are taken in.
    status: &'static str,
    /// Why they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

impl Status {
    /// All is well.
    pub fn new(now: Timestamp) -> Self {
        let throttle = Throttle::new(STATUS_INTERVAL);
        Self { said: (HubState::Ok, None), since: now, version: 0, throttle, untold: false }
    }

    fn frame(&self) -> ByteString {
        let (state, reason) = self.said;
        let data =
            StatusData { status: state.as_str(), reason: reason.map(FaultKind::as_str), since: self.since };
        encode(ServerEvent::HubStatus, None, clock::now(), &data)
    }
}

impl Status {
    /// Tells every session where the state has changed, if it is time; tells when it is time next.
    pub fn flush(&mut self, sessions: &mut Sessions, said: Condition, now: Instant) -> Option<Instant> {
        if said == self.said {
            // A fault that is gone before it was told is not told.
            self.throttle.forget();
            return None;
        }
        self.throttle.change();
        if said.0 == HubState::Draining {
            // Nothing comes after the end, so it is not put off.
            self.throttle.wake();
        }
        if !self.throttle.take(now) {
            return self.throttle.due_at(now);
        }
        self.said = said;
        self.since = clock::now();
        self.version += 1;
        self.untold = true;
        self.tell(sessions);
        None
    }

    /// Tells those who were not told yet.
    pub fn tell(&mut self, sessions: &mut Sessions) {
        if !self.untold {
            return;
        }
        let (frame, version) = (self.frame(), self.version);
        let mut untold = false;
        for session in sessions.iter_mut().filter(|session| session.status_told != version) {
            // Not `notify`: a session that misses this missed nothing that it must ask for again.
            if !session.behind && session.queue(Outgoing::Notice(frame.clone())) {
                session.status_told = version;
            } else {
                untold = true;
            }
        }
        self.untold = untold;
    }

    /// A session that comes while not all is well is told at once.
    pub fn greet(&self, session: &mut Session) {
        if self.said.0 != HubState::Ok {
            session.notify(self.frame());
        }
        session.status_told = self.version;
    }
}
