//! `hub_status`: every screen is told when deliveries are no longer taken in, why, and when they are again.
//!
//! A session that is behind takes nothing; it is told as soon as it takes something again.

use std::time::Duration;

use actix::prelude::*;
use bytestring::ByteString;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::UmblerHub;
use super::messages::Outgoing;
use super::sessions::Session;
use crate::protocol::event::{ServerEvent, encode};
use crate::protocol::{FaultKind, HubState};
use crate::telemetry::clock;

/// Screens are told of changes at most this often: a disk that fails now and then must not flood them.
pub const STATUS_INTERVAL: Duration = Duration::from_millis(500);

/// What is said of the hub.
type Said = (HubState, Option<FaultKind>);

/// What the screens were told.
pub struct Status {
    said: Said,
    since: Timestamp,
    /// Grows with each change.
    version: u64,
    /// A change was told less than [`STATUS_INTERVAL`] ago.
    resting: bool,
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
        Self { said: (HubState::Ok, None), since: now, version: 0, resting: false, untold: false }
    }

    fn frame(&self) -> ByteString {
        let (state, reason) = self.said;
        let data =
            StatusData { status: state.as_str(), reason: reason.map(FaultKind::as_str), since: self.since };
        encode(ServerEvent::HubStatus, None, clock::now(), &data)
    }
}

impl UmblerHub {
    /// Tells every session where the state has changed.
    pub(super) fn note_status(&mut self, ctx: &mut Context<Self>) {
        let said = match (self.draining, &self.fault) {
            (true, _) => (HubState::Draining, None),
            (false, Some(fault)) => (HubState::Unwritable, Some(fault.kind)),
            (false, None) => (HubState::Ok, None),
        };
        // Nothing comes after the end, so that is not put off.
        if said == self.status.said || (self.status.resting && !self.draining) {
            return;
        }
        self.status.said = said;
        self.status.since = clock::now();
        self.status.version += 1;
        self.status.untold = true;
        self.tell_status();
        self.status.resting = true;
        ctx.run_later(STATUS_INTERVAL, |hub, ctx| {
            hub.status.resting = false;
            hub.note_status(ctx);
        });
    }

    /// Tells those who were not told yet.
    pub(super) fn tell_status(&mut self) {
        if !self.status.untold {
            return;
        }
        let (frame, version) = (self.status.frame(), self.status.version);
        let mut untold = false;
        for session in self.sessions.iter_mut().filter(|session| session.status_told != version) {
            // Not `notify`: a session that misses this missed nothing that it must ask for again.
            if !session.behind && session.queue(Outgoing::Notice(frame.clone())) {
                session.status_told = version;
            } else {
                untold = true;
            }
        }
        self.status.untold = untold;
    }

    /// A session that comes while not all is well is told at once.
    pub(super) fn tell_newcomer(&self, session: &mut Session) {
        if self.status.said.0 != HubState::Ok {
            session.notify(self.status.frame());
        }
        session.status_told = self.status.version;
    }
}
