//! Deliveries that are posted to several hubs while something happens to them, and what the hubs must show of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use serde_json::Value;
use ureq::Agent;

use super::hub::{Answer, Hub};
use super::{Delivery, PATIENCE};

/// Posts to each hub in a thread of its own, one delivery after the other, until it is finished.
pub struct Load {
    tally: Arc<Tally>,
    posting: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Tally {
    is_over: AtomicBool,
    taken: AtomicUsize,
    /// Refused, or not answered at all.
    untaken: AtomicUsize,
    ids: Mutex<Vec<String>>,
}

impl Load {
    pub fn on(hubs: &[&Hub]) -> Self {
        let tally = Arc::new(Tally::default());
        let posting = hubs.iter().enumerate().map(|(number, hub)| {
            let (tally, url) = (Arc::clone(&tally), hub.url("/api/umbler/webhook"));
            thread::spawn(move || tally.post_to(&url, number))
        });
        let posting = posting.collect();
        Self { tally, posting }
    }

    /// Waits until so many more were acknowledged.
    pub fn goes_on_for(&self, count: usize) {
        let (begun, until) = (Instant::now(), self.tally.taken.load(Ordering::Acquire) + count);
        while self.tally.taken.load(Ordering::Acquire) < until {
            assert!(begun.elapsed() < PATIENCE, "deliveries are acknowledged");
            thread::yield_now();
        }
    }

    /// Deliveries that were not acknowledged so far.
    pub fn untaken(&self) -> usize {
        self.tally.untaken.load(Ordering::Acquire)
    }

    /// Ends it; the ids of what was acknowledged.
    pub fn finish(self) -> Vec<String> {
        self.tally.is_over.store(true, Ordering::Release);
        for posting in self.posting {
            posting.join().expect("it posted");
        }
        std::mem::take(&mut *self.tally.ids.lock().expect("a list"))
    }
}

impl Tally {
    fn post_to(&self, url: &str, number: usize) {
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let mut round = 0;
        while !self.is_over.load(Ordering::Acquire) {
            round += 1;
            let delivery = Delivery::message(&format!("c{number}-{}", round % 5));
            let answer = agent.post(url).send(&delivery.bytes()[..]).map(Answer::from);
            if answer.is_ok_and(|answer| answer.status == 200 && answer.json()["status"] == "accepted") {
                self.ids.lock().expect("a list").push(delivery.id().to_owned());
                self.taken.fetch_add(1, Ordering::AcqRel);
            } else {
                self.untaken.fetch_add(1, Ordering::AcqRel);
            }
        }
    }
}

/// All updates of a hub, in their order.
pub fn all_updates(hub: &Hub) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let mut page = hub.json(&format!("/api/umbler/updates?after={after}&limit=1000"));
        let Value::Array(updates) = page["updates"].take() else { panic!("no updates: {page}") };
        let next = page["next"].as_i64().expect("a position");
        let is_last = updates.is_empty() || next == after;
        all.extend(updates);
        if is_last {
            return all;
        }
        after = next;
    }
}

/// Waits until all hubs have applied the whole stream and hold nothing back. Then each shows every one of these deliveries
/// once, and all show the same at the same positions.
pub fn show_all_once(hubs: &[&Hub], ids: &[String]) {
    assert!(!ids.is_empty(), "something was acknowledged");
    let begun = Instant::now();
    while !are_in_step(hubs) {
        assert!(begun.elapsed() < PATIENCE, "the hubs come into step");
        thread::yield_now();
    }
    let mut shown = hubs.iter().map(|hub| all_updates(hub));
    let first = shown.next().expect("a hub");
    for other in shown {
        let differs = first.iter().zip(&other).find(|(one, other)| one != other);
        assert!(differs.is_none(), "two hubs differ: {differs:?}");
        assert_eq!(first.len(), other.len(), "one hub shows more than another");
    }
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for update in &first {
        *times.entry(update["data"]["eventId"].as_str().expect("an id")).or_default() += 1;
    }
    for id in ids {
        assert_eq!(times.get(&**id), Some(&1), "acknowledged delivery {id}");
    }
    assert!(times.values().all(|times| *times == 1), "something is shown twice");
}

fn are_in_step(hubs: &[&Hub]) -> bool {
    let parts: Vec<Value> = hubs.iter().map(|hub| hub.json("/health")["cluster"].take()).collect();
    parts.iter().all(|part| {
        part["ready"] == true
            && part["inbox"] == 0
            && part["applied"] == parts[0]["newest"]
            && part["newest"] == parts[0]["newest"]
    })
}
