//! What the outbox knows of the provider: about which organization it asks, and what time it is there.
//!
//! Three clocks meet here: this hub's, the one that stamps records, which in a cluster is another one, and the provider's. An attempt may
//! have been made by a hub whose clock was wrong, so only its stamp and the provider's clock say when it was.

use std::sync::{MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::work::Worker;
use crate::journal::outbox::OutboxRow;
use crate::link::client::LinkError;
use crate::link::shifted;
use crate::telemetry::clock;
use crate::umbler::api::routes::me;
use crate::umbler::api::{Me, RequestBuilder};

/// How much older than its attempt a message may look: the provider's clock is told in whole seconds.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(2);

/// What is known of the provider, once it was asked.
pub(super) struct Provider {
    requests: RequestBuilder,
    /// How often the token had been replaced when it was asked.
    replacements: u64,
    /// How far its clock is ahead of ours.
    clock_ahead: SignedDuration,
}

impl Worker {
    /// About which organization is asked.
    pub(super) fn requests(&self) -> Result<RequestBuilder, LinkError> {
        let replacements = self.client.authorization().replacements();
        if let Some(provider) = self.provider().as_ref().filter(|known| known.replacements == replacements) {
            return Ok(provider.requests.clone());
        }
        let (organization, clock_ahead) = if let Some(organization) = &self.settings.organization {
            (organization.clone(), SignedDuration::ZERO)
        } else {
            self.ask_for_organization()?
        };
        let requests = RequestBuilder { dialect: self.settings.dialect.clone(), organization };
        *self.provider() = Some(Provider { requests: requests.clone(), replacements, clock_ahead });
        Ok(requests)
    }

    fn ask_for_organization(&self) -> Result<(String, SignedDuration), LinkError> {
        let answered = self.client.ask_once(&me(), Me::read)?;
        let ahead = answered.date.map(|date| date.duration_since(answered.received_at));
        let [(organization, _)] = &answered.said.organizations[..] else {
            let reason = "the token's owner is in several organizations: set UMBLER_ORGANIZATION_ID";
            return Err(LinkError::Misled { route: "members_me", reason });
        };
        Ok((organization.clone(), ahead.unwrap_or(SignedDuration::ZERO)))
    }

    fn provider(&self) -> MutexGuard<'_, Option<Provider>> {
        self.provider.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far the provider's clock is ahead of ours, as far as it told.
    pub(super) fn clock_ahead(&self) -> SignedDuration {
        self.provider().as_ref().map_or(SignedDuration::ZERO, |provider| provider.clock_ahead)
    }

    pub(super) fn note_clock(&self, date: Timestamp) {
        let ahead = date.duration_since(clock::now());
        if let Some(provider) = &mut *self.provider() {
            provider.clock_ahead = ahead;
        }
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
