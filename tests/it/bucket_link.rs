//! A machine is gone, and its hub is restored on another one from the bucket: what is missing is of its last seconds, and the
//! comparison with the provider finds it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use umbler_hub::facade::testing::{Day, FakeApi};

use super::bucket::{has_a_snapshot, is_covered, restored};
use super::support::Hub;
use super::support::api::{ago, api, deliver, deliveries, linked, message_ids, rechecked, until_complete};
use super::support::bucket::{S3, s3};
use super::support::hub::start_through;

/// A hub that is linked to this API and keeps its backups in this bucket.
fn hub_of(api: &FakeApi, server: &S3) -> Hub {
    let of_bucket = server.settings();
    let settings: Vec<(&str, &str)> =
        of_bucket.iter().map(|(name, value)| (*name, value.as_str())).chain([("RUST_LOG", "warn")]).collect();
    let hub = linked(api, &settings);
    has_a_snapshot(&hub);
    hub
}

/// The machine of a hub is gone; what the bucket has of it becomes another one, which is not linked yet.
fn lost(mut hub: Hub, server: &S3) -> tempfile::TempDir {
    hub.kill();
    std::fs::remove_dir_all(hub.home()).expect("the machine is gone");
    restored(&server.settings()).0
}

/// Starts the hub of another machine, which is linked to the same API.
fn goes_on(home: tempfile::TempDir, api: &FakeApi) -> Hub {
    let url = api.url();
    let token = umbler_hub::facade::testing::TOKEN;
    let settings =
        [("UMBLER_API_URL", &*url), ("UMBLER_API_TOKEN", token), ("UMBLER_RECONCILE_SECONDS", "86400")];
    start_through(&[], home, &settings)
}

#[test]
fn what_a_machine_took_with_it_is_found_at_the_provider_after_the_restore() {
    let Some(server) = s3() else { return };
    let api = api();
    let hub = hub_of(&api, &server);
    let mut day = Day::new(31, ago(900));
    deliver(&api, &hub, &deliveries(&mut day, ago(900), ago(300), 120));
    rechecked(&hub);
    is_covered(&hub);
    // Acknowledged a moment before the machine is gone.
    deliver(&api, &hub, &deliveries(&mut day, ago(200), ago(70), 60));
    let home = lost(hub, &server);
    let again = goes_on(home, &api);
    let link = rechecked(&again);
    assert_eq!(link["state"], "ok", "{link}");
    assert_eq!(message_ids(&again), api.world(|world| world.message_ids()), "gap and doubles: {link}");
}

/// What one connection posted: ids, and when they were acknowledged.
type Acknowledged = Vec<(String, Instant)>;

fn posts(hub: &Hub, api: &FakeApi, seed: u64, per_second: u32, is_over: &AtomicBool) -> Acknowledged {
    let (mut day, begun, mut acknowledged) = (Day::new(seed, ago(5)), Instant::now(), Vec::new());
    for number in 1.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let delivery = day.step(ago(0)).body;
        let answer = hub.provider().post(&delivery);
        if answer.status == 200 {
            let body: serde_json::Value = serde_json::from_slice(&delivery).expect("JSON");
            acknowledged.push((body["EventId"].as_str().expect("an id").to_owned(), Instant::now()));
        }
        api.world(|world| world.absorb(&delivery));
        let due = begun + Duration::from_secs(1) * number / per_second;
        std::thread::park_timeout(due.saturating_duration_since(Instant::now()));
    }
    acknowledged
}

#[test]
#[ignore = "it measures, so it wants a machine of its own"]
fn a_machine_that_is_gone_takes_at_most_five_seconds_with_it_and_nothing_once_messages_were_compared() {
    const CONNECTIONS: u64 = 6;
    const PER_SECOND: u32 = 300;
    let Some(server) = s3() else { return };
    let api = api();
    let hub = hub_of(&api, &server);
    let is_over = AtomicBool::new(false);
    let acknowledged: Acknowledged = std::thread::scope(|scope| {
        let each = PER_SECOND / u32::try_from(CONNECTIONS).expect("few");
        let (hub, api, is_over) = (&hub, &api, &is_over);
        let posting: Vec<_> = (0..CONNECTIONS)
            .map(|number| scope.spawn(move || posts(hub, api, 900 + number, each, is_over)))
            .collect();
        std::thread::park_timeout(Duration::from_secs(18));
        is_over.store(true, Ordering::Relaxed);
        posting.into_iter().flat_map(|posting| posting.join().expect("it posts")).collect()
    });
    let (killed, killed_at) = (Instant::now(), ago(0));
    let home = lost(hub, &server);
    let restored_in = killed.elapsed();
    let kept: HashSet<String> = {
        let database = Connection::open(home.path().join("hub.db")).expect("a database");
        let mut select = database.prepare("SELECT event_id FROM journal").expect("a table");
        select.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("ids")
    };
    let missing: Vec<&Instant> =
        acknowledged.iter().filter(|(id, _)| !kept.contains(id)).map(|(_, at)| at).collect();
    let oldest = missing.iter().map(|at| killed.duration_since(**at)).max().unwrap_or_default();
    let begun = Instant::now();
    let again = goes_on(home, &api);
    let link = std::thread::scope(|scope| {
        // A comparison is complete until a minute before its beginning, and takes longer than a request for one waits.
        until_complete(&again, killed_at, || {
            drop(scope.spawn(|| again.provider().post_to("/api/umbler/link/recheck", &[], "")));
        })
    });
    println!(
        "{} acknowledged in 18 s, {} missing, the oldest acknowledged {oldest:?} before the kill; restored in {restored_in:?}, \
         compared {:?} after the start",
        acknowledged.len(),
        missing.len(),
        begun.elapsed()
    );
    assert_eq!(message_ids(&again), api.world(|world| world.message_ids()), "gap and doubles: {link}");
    assert!(oldest <= Duration::from_secs(5), "{oldest:?}");
}
