//! A power cut undoes what was not synced. `kill -9` cannot show that: the kernel keeps what was written. So the hub is
//! traced, and its files are made anew as the disk would have held them at a moment of the trace.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::durability::stored;
use super::support::faults::{can_trace, skip};
use super::support::hub::{start_in, start_through};
use super::support::provider::Delivery;
use super::support::trace::{self, Step, Unsynced, after_power_cut};
use super::support::{PATIENCE, spawn_hub};

/// Deliveries that the traced hub takes in: enough that the write-ahead log is copied back and begun anew meanwhile.
const DELIVERIES: usize = 700;
/// Connections that post them.
const CONNECTIONS: usize = 4;
/// Power cuts that are tried.
const CUTS: usize = 24;
/// The files whose content counts, beside the database's name.
const FILES: [&str; 3] = ["", "-wal", ".lineage"];

#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_acknowledged() {
    if !can_trace() {
        return skip("strace is not installed, or may not trace");
    }
    let seed = rand::rng().random::<u64>();
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);

    // A database that is on the disk whole, as an earlier day left it.
    let mut hub = spawn_hub();
    hub.provider().says("chat", "yesterday");
    assert!(hub.stop().success());
    let home = tempfile::tempdir().expect("a folder");
    let read = |path: PathBuf| std::fs::read(path).ok();
    let beginning = FILES.map(|suffix| read(hub.home().join(format!("hub.db{suffix}"))));
    let place = |home: &tempfile::TempDir, content: &[Option<Vec<u8>>; 3]| {
        for (suffix, bytes) in FILES.iter().zip(content) {
            let Some(bytes) = bytes else { continue };
            std::fs::write(home.path().join(format!("hub.db{suffix}")), bytes).expect("written");
        }
    };
    place(&home, &beginning);
    let (database, trace) = (home.path().join("hub.db"), home.path().join("trace"));
    let launcher = trace::launcher(trace.to_str().expect("a plain path"));
    let mut hub = start_through(&launcher, home, &[]);
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            let url = hub.url("/api/umbler/webhook");
            scope.spawn(move || {
                let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().new_agent();
                for number in 0..DELIVERIES / CONNECTIONS {
                    let text = "a text of some length ".repeat(number % 40);
                    let delivery = Delivery::message(&format!("chat-{}", number % 7)).text(&text);
                    agent.post(&url).send(&delivery.bytes()).expect("acknowledged");
                }
            });
        }
    });
    // An answer that comes later: the trace knows of all before it.
    hub.json("/health");
    hub.kill();
    let steps = trace::read(&trace, &hub);
    let acknowledged = acknowledgements(&steps);
    assert_eq!(acknowledged.len(), DELIVERIES, "the trace holds every acknowledgement");
    let copied_back =
        steps.iter().filter(|step| matches!(step, Step::Synced { file, .. } if *file == database));
    assert!(copied_back.count() > 0, "the log was copied back meanwhile");

    for number in 0..CUTS {
        let cut = random.random_range(acknowledged[0].0..=steps.len());
        let fate = if number % 2 == 0 { Unsynced::Lost } else { Unsynced::Scattered };
        let mut content = beginning.clone();
        for (suffix, bytes) in FILES.iter().zip(&mut content) {
            let file = PathBuf::from(format!("{}{suffix}", database.display()));
            // The marker is never synced and may get ahead of everything: the worst is that it was kept.
            let fate = if *suffix == ".lineage" { Unsynced::Kept } else { fate };
            *bytes = after_power_cut(&steps, cut, &file, bytes.take(), fate, &mut random);
        }
        let home = tempfile::tempdir().expect("a folder");
        place(&home, &content);
        let after = start_in(home);
        let stored = stored(&after);
        let expected: BTreeMap<&String, i64> =
            acknowledged.iter().filter(|(at, ..)| *at < cut).map(|(_, id, seq)| (id, *seq)).collect();
        for (id, seq) in &expected {
            assert_eq!(
                stored.get(*id),
                Some(seq),
                "{id}, acknowledged at {seq}, is lost ({fate:?}, cut {cut})"
            );
        }
        assert_eq!(after.json("/api/umbler/stats")["totalMessages"], stored.len(), "the rest fits together");
    }
}

/// Acknowledgements in the trace: at which step they were sent, of what, and with which position.
fn acknowledgements(steps: &[Step]) -> Vec<(usize, String, i64)> {
    let parse = |(at, step): (usize, &Step)| {
        let Step::Sent { bytes } = step else { return None };
        let text = String::from_utf8_lossy(bytes);
        let (_, body) = text.split_once("\r\n\r\n")?;
        let answer: Value = serde_json::from_str(body).ok()?;
        let id = answer["eventId"].as_str()?.to_owned();
        (answer["status"] == "accepted").then(|| (at, id, answer["seq"].as_i64().expect("a position")))
    };
    steps.iter().enumerate().filter_map(parse).collect()
}
