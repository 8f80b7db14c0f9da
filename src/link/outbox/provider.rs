//! What the outbox knows of the provider: about which organization it asks, and what time it is there.
//!
//! Three clocks meet here: this hub's, the one that stamps records, which in a cluster is another one, and the provider's. An attempt may
//! have been made by a hub whose clock was wrong, so only its stamp and the provider's clock say when it was.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::http::link::LinkHandle;
use crate::journal::outbox::OutboxRow;
use crate::link::client::Client;
use crate::link::fault::LinkError;
use crate::link::organization::AskedOrganization;
use crate::link::{LinkSettings, shifted};
use crate::telemetry::clock;
use crate::umbler::api::routes::me;
use crate::umbler::api::{Me, RequestBuilder};

/// How much older than its attempt a message may look: the provider's clock is told in whole seconds.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(2);

/// What the threads of the outbox know of the provider. Clones share it.
#[derive(Clone)]
pub(super) struct Provider {
    client: Client,
    handle: LinkHandle,
    known: Arc<Mutex<Known>>,
}

struct Known {
    organization: AskedOrganization,
    /// How far the provider's clock is ahead of ours. Zero until it told.
    clock_ahead: SignedDuration,
}

impl Provider {
    pub(super) fn new(settings: &LinkSettings, client: &Client, handle: &LinkHandle) -> Self {
        let (organization, clock_ahead) = (AskedOrganization::new(settings), SignedDuration::ZERO);
        let known = Arc::new(Mutex::new(Known { organization, clock_ahead }));
        Self { client: client.clone(), handle: handle.clone(), known }
    }

    /// The builder of requests about the organization.
    pub(super) fn requests(&self) -> Result<RequestBuilder, LinkError> {
        let replacements = self.client.authorization().replacements();
        // Nobody waits for the provider with the lock in hand.
        let mut organization = self.known().organization.clone();
        let requests = organization.requests(replacements, || {
            let answered = self.client.ask_once(&me(), Me::read)?;
            if let Some(date) = answered.date {
                self.known().clock_ahead = date.duration_since(answered.received_at);
            }
            Ok(answered.said)
        })?;
        self.known().organization = organization;
        Ok(requests)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the provider's clock is ahead of ours, as far as it told.
    pub(super) fn clock_ahead(&self) -> SignedDuration {
        self.known().clock_ahead
    }

    pub(super) fn note_clock(&self, date: Timestamp) {
        self.known().clock_ahead = date.duration_since(clock::now());
    }

    /// The present by the clock that stamps records.
    pub(super) fn now(&self) -> Timestamp {
        shifted(clock::now(), -self.handle.ahead_of_stamps())
    }

    /// No message that is handed over from now on is older than this by the provider's clock.
    pub(super) fn since_now(&self) -> Timestamp {
        shifted(clock::now(), self.clock_ahead() - CLOCK_SLACK)
    }

    /// From when on a message may be the one of the newest attempt, by the provider's clock as it is known now.
    pub(super) fn since(&self, row: &OutboxRow) -> Option<Timestamp> {
        let ahead_of_stamps = self.handle.ahead_of_stamps() + self.clock_ahead();
        let told = row.shape.attempted_at.map(|at| shifted(at, ahead_of_stamps - CLOCK_SLACK));
        row.since.and(told.or(row.since))
    }
}
