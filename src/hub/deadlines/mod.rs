//! Deadlines: the hub knows the moment at which one passes, and asks the journal to record that as an event.
//!
//! # Contract
//!
//! 1. Nobody is told of an alert that is not durable: it goes out as any other event of the journal.
//! 2. One timer, armed for the earliest deadline; nothing is scanned.
//! 3. A bounded number of requests to the journal at a time, so that thousands of deadlines at once hold up no delivery.

pub mod wheel;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::{Clocks, Settings};
use crate::journal::{AlertKey, AlertRequest, News, Recorded};
use wheel::Wheel;

/// How long a request that the journal refused waits.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What stood when the hub was started.
#[derive(Debug, Clone, Default)]
pub struct AlertsAtStart {
    /// The settings in force.
    pub settings: Settings,
    /// Open direct chats.
    pub clocks: Vec<Clocks>,
    /// Alerts that stand.
    pub standing: Vec<AlertKey>,
}

/// Deadlines of open chats, and the alerts that stand.
pub struct Deadlines {
    wheel: Wheel,
    /// The journal has not answered yet, or is left alone for a moment.
    busy: bool,
}

impl Deadlines {
    /// Takes up what stood when the hub ended last.
    pub fn new(start: AlertsAtStart, now: Timestamp) -> Self {
        let mut wheel = Wheel::new(&start.settings.thresholds);
        // What stands comes first: a chat with clocks alone would have it raised again.
        start.standing.iter().for_each(|alert| wheel.raised(alert, now));
        start.clocks.into_iter().for_each(|clocks| wheel.learn(clocks, now));
        Self { wheel, busy: false }
    }

    /// What a commit says of clocks, alerts and thresholds; true where an alert changed.
    pub fn learn(&mut self, events: &[Arc<Recorded>], now: Timestamp) -> bool {
        for event in events {
            match &event.news {
                News::None | News::Noted => {}
                News::Clocks(clocks) => self.wheel.learn(Clocks::clone(clocks), now),
                News::Raised(alert) => self.wheel.raised(alert, now),
                News::Cleared(alert) => self.wheel.cleared(alert, now),
                News::Settings(settings) => self.wheel.take_thresholds(&settings.thresholds, now),
            }
        }
        let is_alert =
            |event: &Arc<Recorded>| matches!(event.news, News::Raised(_) | News::Cleared(_) | News::Noted);
        events.iter().any(is_alert)
    }

    /// Looks at the deadlines that have passed; tells when the next one does.
    pub fn turn(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.wheel.turn(now);
        self.wheel.turns_at()
    }

    /// What the journal is to be asked for, nothing where it is being asked. Answered with [`Deadlines::rested`], or with
    /// [`Deadlines::put_back`] and later that.
    pub fn take_changes(&mut self, now: Timestamp) -> Vec<AlertRequest> {
        if self.busy {
            return Vec::new();
        }
        let changes = self.wheel.take_changes(now);
        self.busy = !changes.is_empty();
        changes
    }

    /// The journal did not take what was asked for.
    pub fn put_back(&mut self, changes: &[AlertRequest]) {
        self.wheel.put_back(changes);
    }

    /// The journal may be asked again.
    pub fn rested(&mut self) {
        self.busy = false;
    }
}
