//! Deadlines are events: the hub knows the second at which one passes, and asks the journal to say so.
//!
//! # Contract
//!
//! 1. Nobody is told of an alert that is not durable: it goes out as any other event of the journal.
//! 2. One timer, armed for the earliest deadline; nothing is scanned.
//! 3. One request to the journal at a time, so that thousands of deadlines at once hold up no delivery.

use std::sync::mpsc::TrySendError;
use std::time::Duration;

use actix::prelude::*;
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::UmblerHub;
use super::wheel::Wheel;
use crate::domain::settings::Thresholds;
use crate::domain::{Clocks, Settings};
use crate::journal::append::Append;
use crate::journal::{AlertChanges, AlertKey, News, Recorded, Submission};
use crate::telemetry::clock;

/// How long the timer runs at most: a wall clock that was set is noticed within this.
const TIMER_MAX: Duration = Duration::from_secs(30);
/// How long a request that the journal refused waits.
const RETRY_AFTER: Duration = Duration::from_secs(1);

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

/// Where the hub stands with deadlines.
pub struct Alerts {
    wheel: Wheel,
    /// The journal has not answered yet, or is left alone for a moment.
    busy: bool,
    timer: Option<(Timestamp, SpawnHandle)>,
}

impl Alerts {
    /// Takes up what stood when the hub ended last.
    pub fn new(start: AlertsAtStart, now: Timestamp) -> Self {
        let mut wheel = Wheel::new(&start.settings.thresholds);
        // What stands comes first: a chat with clocks alone would have it raised anew.
        start.standing.iter().for_each(|alert| wheel.raised(alert, now));
        start.clocks.into_iter().for_each(|clocks| wheel.learn(clocks, now));
        Self { wheel, busy: false, timer: None }
    }

    fn learn(&mut self, event: &Recorded, now: Timestamp) {
        match &event.news {
            News::None | News::Noted => {}
            News::Clocks(clocks) => self.wheel.learn(Clocks::clone(clocks), now),
            News::Raised(alert) => self.wheel.raised(alert, now),
            News::Cleared(alert) => self.wheel.cleared(alert, now),
            News::Settings(settings) => self.take_thresholds(&settings.thresholds, now),
        }
    }

    fn take_thresholds(&mut self, thresholds: &Thresholds, now: Timestamp) {
        self.wheel.take_thresholds(thresholds, now);
    }
}

impl UmblerHub {
    /// What a commit says of clocks, alerts and thresholds.
    pub(super) fn follow_deadlines(&mut self, events: &[std::sync::Arc<Recorded>], ctx: &mut Context<Self>) {
        let now = clock::now();
        for event in events {
            self.alerts.learn(event, now);
        }
        let is_alert = |event: &std::sync::Arc<Recorded>| {
            matches!(event.news, News::Raised(_) | News::Cleared(_) | News::Noted)
        };
        if let Some(wake) = &self.settings.alert_wake
            && events.iter().any(is_alert)
            && let Err(TrySendError::Disconnected(())) = wake.try_send(())
        {
            log::debug!("nobody posts alerts any more");
        }
        self.settle_alerts(ctx);
    }

    /// Asks the journal for what should stand and does not, or the other way round.
    pub(super) fn settle_alerts(&mut self, ctx: &mut Context<Self>) {
        let now = clock::now();
        self.alerts.wheel.turn(now);
        self.arm(now, ctx);
        if self.alerts.busy || self.fault.is_some() {
            return;
        }
        let Some(journal) = &self.journal else { return };
        let changes = self.alerts.wheel.take_changes(now);
        if changes.is_empty() {
            return;
        }
        let (reply, outcome) = oneshot::channel();
        let id = format!("{:032x}", rand::random::<u128>());
        let asked = AlertChanges { id, changes: changes.clone(), at: now };
        self.alerts.busy = true;
        journal.append(Append { submission: Submission::Alerts(Box::new(asked)), reply });
        ctx.spawn(outcome.into_actor(self).map(move |outcome, hub, ctx| {
            if matches!(outcome, Ok(Ok(_))) {
                hub.alerts.busy = false;
                return hub.settle_alerts(ctx);
            }
            hub.alerts.wheel.put_back(&changes);
            ctx.run_later(RETRY_AFTER, |hub, ctx| {
                hub.alerts.busy = false;
                hub.settle_alerts(ctx);
            });
        }));
    }

    /// Sets the one timer to the earliest deadline.
    fn arm(&mut self, now: Timestamp, ctx: &mut Context<Self>) {
        let Some(at) = self.alerts.wheel.turns_at() else { return };
        if let Some((armed, timer)) = self.alerts.timer {
            if armed <= at {
                return;
            }
            ctx.cancel_future(timer);
        }
        let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default().min(TIMER_MAX);
        let timer = ctx.run_later(wait, |hub, ctx| {
            hub.alerts.timer = None;
            hub.settle_alerts(ctx);
        });
        self.alerts.timer = Some((at, timer));
    }
}
