//! How a simulated provider's deliveries go out: some late, some never, and said where people look.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::SimulatedDelivery;
use crate::tools::fake::FakeApi;
use crate::tools::fake::feed::Feed;
use crate::tools::tally::Tally;
use crate::tools::{ToolError, pause_until, print};

/// How often it is looked whether everything is posted.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug, Clone, clap::Args)]
pub(super) struct OutboundArgs {
    /// Deliveries in a hundred that no webhook brings.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100), conflicts_with = "out")]
    pub(super) drop: u32,
    /// Seconds from one loss of all webhooks to the next. 0: there is none.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=86_400), conflicts_with = "out")]
    outage_every: u64,
    /// Seconds that such a loss lasts; less than --outage-every.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    outage_seconds: u64,
    /// Post each delivery up to so many seconds late, so that they come in any order.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=60), conflicts_with = "out")]
    delay: u64,
    /// Post as the provider does: three tries of five seconds, and nothing more after a hundred failures in a day.
    #[arg(long, conflicts_with = "out")]
    pub(super) strict: bool,
}

/// The feed, which whoever generates deliveries and whoever posts them change.
#[derive(Clone)]
pub(super) struct SharedFeed(Arc<Mutex<Feed>>);

impl SharedFeed {
    pub(super) fn new(seed: u64, args: &OutboundArgs) -> Self {
        Self(Arc::new(Mutex::new(Feed::new(seed, args.drop))))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Feed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    due: Instant,
    /// In which order they were made, so that those of one instant have an order.
    number: u64,
}

pub(super) struct Outbound<'a> {
    args: &'a OutboundArgs,
    feed: SharedFeed,
    api: Option<&'a FakeApi>,
    sender: &'a SyncSender<SimulatedDelivery>,
    random: StdRng,
    waiting: BinaryHeap<Reverse<Waiting>>,
    deliveries: std::collections::HashMap<u64, SimulatedDelivery>,
    made: u64,
    /// How many were given to whoever posts them.
    given: u64,
    begun: Instant,
    is_out: bool,
}

/// Nobody takes deliveries any more.
pub(super) struct Over;

impl<'a> Outbound<'a> {
    pub(super) fn new(
        args: &'a OutboundArgs,
        seed: u64,
        feed: SharedFeed,
        api: Option<&'a FakeApi>,
        sender: &'a SyncSender<SimulatedDelivery>,
    ) -> Self {
        Self {
            args,
            feed,
            api,
            sender,
            random: StdRng::seed_from_u64(seed),
            waiting: BinaryHeap::new(),
            deliveries: std::collections::HashMap::new(),
            made: 0,
            given: 0,
            begun: Instant::now(),
            is_out: false,
        }
    }

    /// The API of the same provider, where there is one.
    pub(super) fn api(&self) -> Option<&'a FakeApi> {
        self.api
    }

    /// The provider emits what happened before the simulation began, which its API knows already. It does not come late, and no
    /// outage loses it.
    pub(super) fn emit_past(&mut self, delivery: SimulatedDelivery) -> Result<(), Over> {
        if self.feed.lock().is_lost() { Ok(()) } else { self.give(delivery) }
    }

    /// The provider emits a delivery. The API knows it, whether a webhook brings it or not.
    pub(super) fn emit(&mut self, delivery: SimulatedDelivery) -> Result<(), Over> {
        if let Some(api) = self.api {
            api.world(|world| world.absorb(&delivery.body));
        }
        if self.is_out || self.feed.lock().is_lost() {
            return Ok(());
        }
        if self.args.delay == 0 {
            return self.give(delivery);
        }
        let late = Duration::from_millis(self.random.random_range(0..=self.args.delay * 1_000));
        self.waiting.push(Reverse(Waiting { due: Instant::now() + late, number: self.made }));
        self.deliveries.insert(self.made, delivery);
        self.made += 1;
        Ok(())
    }

    pub(super) fn post_due(&mut self) -> Result<(), Over> {
        while self.waiting.peek().is_some_and(|Reverse(next)| next.due <= Instant::now()) {
            let Some(Reverse(next)) = self.waiting.pop() else { break };
            if let Some(delivery) = self.deliveries.remove(&next.number) {
                self.give(delivery)?;
            }
        }
        Ok(())
    }

    fn give(&mut self, delivery: SimulatedDelivery) -> Result<(), Over> {
        self.given += 1;
        self.sender.send(delivery).map_err(|_closed| Over)
    }

    /// Waits until everything that was given to whoever posts has its answer.
    pub(super) fn wait_until_posted(&self, tally: &Tally, stop: &AtomicBool) {
        while tally.ended() < self.given && !stop.load(Ordering::Relaxed) {
            pause_until(Instant::now() + LOOK_PAUSE, stop);
        }
    }

    /// Posts what is left, each when it is due.
    pub(super) fn post_rest(&mut self, stop: &AtomicBool) -> Result<(), Over> {
        while let Some(Reverse(next)) = self.waiting.peek() {
            pause_until(next.due, stop);
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            self.post_due()?;
        }
        Ok(())
    }

    /// Begins a loss of webhooks or ends it, and says so.
    pub(super) fn look_at_outage(&mut self) -> Result<(), ToolError> {
        let (every, lasts) = (self.args.outage_every, self.args.outage_seconds);
        let is_out = is_outage(self.begun.elapsed(), every, lasts);
        if is_out == self.is_out {
            return Ok(());
        }
        self.is_out = is_out;
        let said = if is_out {
            format!(
                "for {lasts} s no webhook arrives, as if the provider could not reach the hub; its API knows everything"
            )
        } else {
            "webhooks arrive again; what was lost is found by the hub's next comparison with the API"
                .to_owned()
        };
        print(&format!("{said}\n"))
    }
}

/// Whether webhooks are lost so long after the beginning. The first loss comes after a whole interval.
fn is_outage(since_begun: Duration, every: u64, lasts: u64) -> bool {
    let seconds = since_begun.as_secs();
    every > 0 && seconds >= every && seconds % every < lasts.min(every)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_are_lost_for_a_while_at_intervals_and_not_at_the_beginning() {
        let lost = |seconds| is_outage(Duration::from_secs(seconds), 120, 20);
        assert_eq!(
            [0, 19, 119, 120, 139, 140, 240].map(lost),
            [false, false, false, true, true, false, true]
        );
        assert!(!is_outage(Duration::from_secs(500), 0, 20));
    }
}
