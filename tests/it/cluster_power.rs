//! Power cuts of NATS servers: what they asked of their disks is traced, and their files are made anew as the disks would have held
//! them at a moment. What was acknowledged before that moment must be in the stream, once and at its position.

use std::time::{Duration, SystemTime};

use rand::{RngExt, SeedableRng};

use super::cluster::until_ready;
use super::support::Delivery;
use super::support::disk::{Content, DiskTrace};
use super::support::environment::from_environment;
use super::support::faults::{can_trace, skip};
use super::support::load::all_updates;
use super::support::nats::{Nats, Synced, copy_of, traced_servers};
use super::support::trace::Unsynced;

/// Deliveries that the traced servers take in.
const DELIVERIES: usize = 300;
/// Threads that post them.
const SENDERS: usize = 4;

/// A stream that is not there after so long is gone.
const STREAM_MAX: Duration = Duration::from_secs(20);

/// A delivery that was acknowledged with its position, and when, in seconds since 1970.
struct Acknowledged {
    id: String,
    seq: i64,
    at: f64,
}

/// What happened to three servers under load, all killed in the end.
struct Past {
    nats: Nats,
    beginning: tempfile::TempDir,
    acknowledged: Vec<Acknowledged>,
    traces: Vec<(DiskTrace, std::path::PathBuf)>,
}

#[expect(clippy::disallowed_methods, reason = "the tracer writes down wall time")]
fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// `None` where servers cannot run or be traced here.
fn past(synced: Synced) -> Option<Past> {
    if !can_trace() {
        skip("strace is not installed, or may not trace");
        return None;
    }
    let mut nats = traced_servers(synced)?;
    let home = nats.begun();
    let beginning = copy_of(home.path());
    let hub = nats.hub("a", home, &[]);
    until_ready(&hub);
    let acknowledged: Vec<Acknowledged> = std::thread::scope(|scope| {
        let post = || {
            let mut taken = Vec::new();
            for number in 0..DELIVERIES / SENDERS {
                let text = "a text of some length ".repeat(number % 40);
                let delivery = Delivery::message(&format!("c{}", number % 7)).text(&text);
                let answer = hub.provider().posts(&delivery);
                // What is in the inbox only is not the servers' to keep.
                if let Some(seq) = answer["seq"].as_i64() {
                    taken.push(Acknowledged { id: delivery.id().to_owned(), seq, at: now() });
                }
            }
            taken
        };
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(post)).collect();
        senders.into_iter().flat_map(|sender| sender.join().expect("it posted")).collect()
    });
    assert!(acknowledged.len() > DELIVERIES / 2, "most were acknowledged by the stream");
    nats.kill();
    drop(hub);
    let traces = nats.traces();
    Some(Past { nats, beginning, acknowledged, traces })
}

/// The content of the folder of a server that was killed.
fn live(store: &std::path::Path) -> Content {
    let mut content = Content::default();
    for path in super::support::wheels::walk(store) {
        let bytes = std::fs::read(&path).expect("a file");
        content.files.insert(path, bytes);
    }
    content
}

impl Past {
    /// Cuts the power of these servers at this moment; the others keep everything. How many acknowledged deliveries are missing
    /// or elsewhere then.
    fn lost_after(
        &mut self,
        at: f64,
        cut: &[usize],
        unsynced: Unsynced,
        ends: &[Content],
        random: &mut impl RngExt,
    ) -> usize {
        for (number, (trace, store)) in self.traces.iter().enumerate() {
            if cut.contains(&number) {
                trace.after_power_cut(at, unsynced, random).place(store);
            } else {
                ends[number].place(store);
            }
        }
        self.nats.restart();
        // A hub that has nothing yet reads the whole stream.
        let home = copy_of(self.beginning.path());
        // Of all that were acknowledged where some servers went on.
        let until = if cut.len() == ends.len() { at } else { f64::MAX };
        let kept = self.acknowledged.iter().filter(|delivery| delivery.at < until);
        let lost = if self.nats.finds_stream("umbler-hub", STREAM_MAX) {
            let hub = self.nats.hub("new", home, &[]);
            until_ready(&hub);
            let shown = all_updates(&hub);
            kept.filter(|delivery| {
                let times = shown.iter().filter(|update| update["data"]["eventId"] == delivery.id.as_str());
                let seqs: Vec<_> = times.map(|update| update["seq"].as_i64()).collect();
                seqs != [Some(delivery.seq)]
            })
            .count()
        } else {
            kept.count()
        };
        self.nats.kill();
        lost
    }

    /// A moment while deliveries were acknowledged.
    fn moment(&self, random: &mut impl RngExt) -> f64 {
        let moments = self.acknowledged.iter().map(|delivery| delivery.at);
        let (first, last) = (moments.clone().fold(f64::MAX, f64::min), moments.fold(0.0, f64::max));
        first + (last - first) * random.random::<f64>()
    }
}

fn cuts() -> usize {
    from_environment("POWER_CUTS").unwrap_or(3)
}

#[test]
#[ignore = "minutes: three traced servers, started again after each of the cuts; POWER_CUTS says how many of each kind"]
fn power_cuts_of_servers_lose_nothing_that_was_acknowledged() {
    let Some(mut past) = past(Synced::Always) else { return };
    let seed = rand::rng().random::<u64>();
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let ends: Vec<Content> = past.traces.iter().map(|(_, store)| live(store)).collect();
    for ((trace, _), end) in past.traces.iter().zip(&ends) {
        // The trace holds all that was done: without a power cut it leads to the files as they are.
        let whole = trace.after_power_cut(f64::MAX, Unsynced::Kept, &mut random);
        let differs = end.files.iter().find(|(path, bytes)| whole.files.get(*path) != Some(*bytes));
        assert!(differs.is_none(), "{:?}", differs.map(|(path, _)| path));
    }
    let kinds: [(&[usize], Unsynced); 3] =
        [(&[0, 1, 2], Unsynced::Lost), (&[0, 1, 2], Unsynced::Scattered), (&[1], Unsynced::Lost)];
    for (cut, unsynced) in kinds {
        for _ in 0..cuts() {
            let at = past.moment(&mut random);
            let lost = past.lost_after(at, cut, unsynced, &ends, &mut random);
            println!("{} servers, {unsynced:?}: {lost} lost", cut.len());
            assert_eq!(lost, 0, "servers {cut:?}, {unsynced:?}, seed {seed}");
        }
    }
}

#[test]
#[ignore = "a minute: three traced servers that do not sync; it shows that the test above can fail"]
fn a_power_cut_of_servers_that_do_not_sync_loses_what_was_acknowledged() {
    let Some(mut past) = past(Synced::Seldom) else { return };
    let mut random = rand::rngs::StdRng::seed_from_u64(1);
    let ends: Vec<Content> = past.traces.iter().map(|(_, store)| live(store)).collect();
    let last = past.acknowledged.iter().map(|delivery| delivery.at).fold(0.0, f64::max);
    let after = last + Duration::from_millis(10).as_secs_f64();
    let missing = past.lost_after(after, &[0, 1, 2], Unsynced::Lost, &ends, &mut random);
    println!("{missing} of {} lost", past.acknowledged.len());
    assert!(missing > 0);
}
