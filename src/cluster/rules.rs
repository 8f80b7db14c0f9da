//! Puts the rules of a new release into force once every hub of the cluster can apply records by them.
//!
//! # Contract
//!
//! 1. The hub with the duties does it, by a record. It needs to have run for [`ALL_KNOW_FOR`], so that it has heard of every hub that ran
//!    within that time.
//! 2. A hub that was heard of within that time counts, also if it is away now: it may be one that was stopped to be upgraded.
//! 3. The metadata of the stream follow, for hubs that have no database yet.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use async_nats::jetstream::Context;
use tokio::time::{Instant, sleep};

use super::publisher::Publisher;
use super::settings::ClusterSettings;
use super::state::ClusterState;
use super::stream;
use crate::journal::payload::{Payload, RulesRaise};
use crate::journal::rules::RULES;
use crate::journal::{Origin, Record};
use crate::telemetry::clock;

/// All hubs that ran within this time must know the rules that are put into force.
pub const ALL_KNOW_FOR: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Raises the number of the rules in force.
pub struct Raising {
    publisher: Rc<Publisher>,
    context: Context,
    settings: ClusterSettings,
    state: ClusterState,
    heard: Heard,
    /// The number that the stream is known to tell.
    told: u32,
}

impl Raising {
    pub fn new(
        publisher: &Rc<Publisher>,
        context: &Context,
        settings: &ClusterSettings,
        state: &ClusterState,
    ) -> Self {
        Self {
            publisher: Rc::clone(publisher),
            context: context.clone(),
            settings: settings.clone(),
            state: state.clone(),
            heard: Heard::new(Instant::now()),
            told: 0,
        }
    }

    /// Looks for ever whether all hubs know newer rules.
    pub async fn run(mut self) {
        loop {
            sleep(LOOK_EVERY).await;
            for peer in self.state.peers() {
                self.heard.note(&peer.node, peer.told.rules, Instant::now());
            }
            if !self.state.is_owner() || !self.state.is_open() {
                continue;
            }
            let in_force = self.state.trust().rules();
            let known = self.heard.known_by_all(Instant::now());
            if known > in_force {
                self.raise(known).await;
            } else if self.told != in_force {
                match stream::tell_rules(&self.context, &self.settings, in_force).await {
                    Ok(()) => self.told = in_force,
                    Err(error) => log::debug!("the rules in force are not told: {error}"),
                }
            }
        }
    }

    async fn raise(&self, number: u32) {
        let raise = Payload::Rules(RulesRaise { number });
        let mut record = match Record::new(raise, None, Origin::Hub, clock::now()) {
            Ok(record) => record,
            Err(error) => return log::error!("rules {number} cannot be put into force: {error}"),
        };
        record.entry.fence = Some(self.state.trust().fence());
        if let Err(error) = self.publisher.take_own(record).await {
            log::debug!("rules {number} are not in force yet: {error}");
        }
    }
}

/// The newest rules that each hub knows, as they told.
struct Heard {
    since: Instant,
    hubs: HashMap<String, (u32, Instant)>,
}

impl Heard {
    fn new(since: Instant) -> Self {
        Self { since, hubs: HashMap::new() }
    }

    fn note(&mut self, node: &str, rules: u32, now: Instant) {
        self.hubs.insert(node.to_owned(), (rules, now));
    }

    /// The newest rules that all hubs know which ran within [`ALL_KNOW_FOR`]; 0 if it is not known which hubs did.
    fn known_by_all(&self, now: Instant) -> u32 {
        if now.saturating_duration_since(self.since) < ALL_KNOW_FOR {
            return 0;
        }
        let lately = self.hubs.values().filter(|(_, at)| now.saturating_duration_since(*at) < ALL_KNOW_FOR);
        lately.map(|(rules, _)| *rules).fold(RULES, u32::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_come_into_force_once_every_hub_of_the_last_ten_minutes_knows_them() {
        let begun = Instant::now();
        let after = |minutes| begun + Duration::from_mins(minutes);
        let mut heard = Heard::new(begun);
        heard.note("b", RULES + 1, after(1));
        assert_eq!(heard.known_by_all(after(9)), 0, "there may be one that was not heard of yet");
        assert_eq!(heard.known_by_all(after(10)), RULES, "no more than this hub knows");
        heard.note("c", RULES - 1, after(10));
        assert_eq!(heard.known_by_all(after(19)), RULES - 1, "it was stopped, and may come back as it was");
        heard.note("c", RULES, after(19));
        assert_eq!(heard.known_by_all(after(19)), RULES, "it was upgraded");
        // A release from before there were rules in force tells none.
        heard.note("d", 0, after(20));
        assert_eq!((heard.known_by_all(after(29)), heard.known_by_all(after(30))), (0, RULES));
    }
}
