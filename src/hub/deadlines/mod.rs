//! Deadlines: the hub knows when one passes, and asks the journal to record that as an event.
//!
//! # Contract
//!
//! 1. An alert is announced only when it is durable, as any other event of the journal.
//! 2. One timer is armed for the earliest deadline. Nothing is scanned.
//! 3. **Bounded.** The journal is asked for a few changes at a time, so that thousands of deadlines at once
//!    do not hold up deliveries.

pub mod wheel;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::{Clocks, TeamSettings};
use crate::journal::{AlertKey, AlertRequest, HubEffect, Recorded};
use wheel::Wheel;

/// How long to wait after the journal refused a request.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Settings, chats and alerts as they are stored when the hub starts.
#[derive(Debug, Clone, Default)]
pub struct AlertsAtStart {
    pub settings: TeamSettings,
    /// Clocks of open direct chats.
    pub clocks: Vec<Clocks>,
    pub standing: Vec<AlertKey>,
}

/// Deadlines of open chats, and the active alerts.
pub struct Deadlines {
    wheel: Wheel,
    /// The journal has not answered the last request, or refused it a moment ago.
    busy: bool,
}

impl Deadlines {
    /// Begins with what is stored.
    pub fn new(start: AlertsAtStart, now: Timestamp) -> Self {
        let mut wheel = Wheel::new(&start.settings.thresholds);
        // Alerts first: a chat whose alert is not known yet would have it raised again.
        start.standing.iter().for_each(|alert| wheel.raised(alert, now));
        start.clocks.into_iter().for_each(|clocks| wheel.learn(clocks, now));
        Self { wheel, busy: false }
    }

    /// Takes over what a commit says about clocks, alerts and thresholds. Returns true if an alert
    /// changed.
    pub fn learn(&mut self, events: &[Arc<Recorded>], now: Timestamp) -> bool {
        for event in events {
            match &event.effect {
                HubEffect::None | HubEffect::Noted | HubEffect::Reported => {}
                HubEffect::Clocks(clocks) => self.wheel.learn(Clocks::clone(clocks), now),
                HubEffect::Raised(alert) => self.wheel.raised(alert, now),
                HubEffect::Cleared(alert) => self.wheel.cleared(alert, now),
                HubEffect::Settings(settings) => self.wheel.take_thresholds(&settings.thresholds, now),
            }
        }
        let is_posted = |event: &Arc<Recorded>| match event.effect {
            HubEffect::Raised(_) | HubEffect::Cleared(_) | HubEffect::Noted | HubEffect::Reported => true,
            HubEffect::None | HubEffect::Clocks(_) | HubEffect::Settings(_) => false,
        };
        events.iter().any(is_posted)
    }

    /// Handles the deadlines that have passed. Returns when the next one passes.
    pub fn turn(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.wheel.turn(now);
        self.wheel.turns_at()
    }

    /// What to ask of the journal; empty while a request is under way. Must be followed by
    /// [`Deadlines::rested`], after [`Deadlines::put_back`] if the journal refused.
    pub fn take_changes(&mut self, now: Timestamp) -> Vec<AlertRequest> {
        if self.busy {
            return Vec::new();
        }
        let changes = self.wheel.take_changes(now);
        self.busy = !changes.is_empty();
        changes
    }

    /// Notes that the journal refused these changes.
    pub fn put_back(&mut self, changes: &[AlertRequest]) {
        self.wheel.put_back(changes);
    }

    /// Notes that the journal may be asked again.
    pub fn rested(&mut self) {
        self.busy = false;
    }
}
