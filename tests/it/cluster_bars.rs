//! What a cluster must reach under load. These tests print figures; `scripts/cluster-bars.sh` runs them with an optimised
//! hub, on a machine that should do nothing else. `BAR_TIMES` is how often something is killed, `BAR_RATE` how many deliveries
//! come each second, `BAR_MESSAGES` how many messages a new hub has to fetch.
//!
//! What must not be lost, doubled or refused fails a test; how long something takes is printed only.

#![expect(clippy::print_stdout, reason = "figures are read off the output")]

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::alerts::{question, saves, thresholds};
use super::cluster::{cluster, until, until_ready};
use super::support::environment::from_environment;
use super::support::load::{all_updates, show_all_once};
use super::support::nats::{Nats, Synced, copy_of, servers};
use super::support::paced::{Moving, Pace, at, cpu, faults, machine_load};
use super::support::{Delivery, Hub};

const SECRET: &str = "a secret that only the hubs of the cluster know";
const STREAM: &str = "umbler-hub";
const SCREENS: usize = 60;
/// Load before the first kill, and between two.
const CALM: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// More than come in the longest of them.
const UPDATES_RETAINED: (&str, &str) = ("UPDATES_RETAINED", "1000000");

/// Deliveries a second; fewer where the machine cannot bear what is asked for.
fn per_second() -> u64 {
    from_environment("BAR_RATE").unwrap_or(300)
}

/// The load goes on for so long.
fn goes_on(how_long: Duration) {
    thread::park_timeout(how_long);
}

/// Waits until this is so, and looks seldom: what asks without a rest takes the cores from hubs and servers.
fn calmly_until(what: &str, mut is_so: impl FnMut() -> bool) {
    until(what, || {
        goes_on(LOOK_EVERY);
        is_so()
    });
}

/// Hubs that are in step; each can be a source of copies.
fn hubs(nats: &Nats, count: usize) -> Vec<Hub> {
    let home = tempfile::tempdir().expect("a folder");
    // All updates are compared in the end.
    let (name, retained) = UPDATES_RETAINED;
    std::fs::write(home.path().join(".env"), format!("{name}={retained}\n")).expect("settings");
    nats.begin(home.path(), &[]);
    let copies: Vec<_> = (1..count).map(|_| copy_of(home.path())).collect();
    let homes = std::iter::once(home).chain(copies);
    // All load and all screens come from one address.
    let settings = [
        ("RUST_LOG", "warn"),
        ("CLUSTER_SECRET", SECRET),
        ("MAX_SESSIONS_PER_ADDRESS", "0"),
        ("RATE_LIMIT_CONNECTS_PER_SECOND", "0"),
        UPDATES_RETAINED,
    ];
    let hubs = homes.zip(["a", "b", "c"]).map(|(home, name)| nats.hub(name, home, &settings));
    let hubs: Vec<Hub> = hubs.collect();
    hubs.iter().for_each(until_ready);
    hubs
}

fn addresses(hubs: &[Hub]) -> Vec<SocketAddr> {
    hubs.iter().map(Hub::address).collect()
}

/// Ends load and screens, and compares everything. What screens had to bear is printed.
fn judged(hubs: &[Hub], load: Pace, screens: Vec<Moving>) {
    let done = load.finish();
    let all: Vec<&Hub> = hubs.iter().collect();
    show_all_once(&all, &done.ids);
    let shown: Vec<i64> =
        all_updates(&hubs[0]).iter().map(|update| update["seq"].as_i64().expect("a position")).collect();
    let last = shown.last().copied().unwrap_or_default();
    let (mut returns, mut unrecovered, mut wrong) = (Vec::new(), 0, (0, 0, 0));
    for screen in screens {
        let seen = screen.finish(last);
        let (missing, doubled, disordered) = faults(&seen, &shown);
        wrong = (wrong.0 + missing, wrong.1 + doubled, wrong.2 + disordered);
        unrecovered += seen.unrecovered;
        returns.extend(seen.returns);
    }
    println!(
        "acknowledged {}, refused {}, lost 0, doubled 0; screens: missing {}, doubled {}, disordered {}, begun anew \
         {unrecovered}, came back {} times: p50 {:?}, p99 {:?}; ack p50 {:?}, p99 {:?}, max {:?}; load {}",
        done.ids.len(),
        done.refused,
        wrong.0,
        wrong.1,
        wrong.2,
        returns.len(),
        at(&returns, 500),
        at(&returns, 990),
        at(&done.took, 500),
        at(&done.took, 990),
        at(&done.took, 1_000),
        machine_load(),
    );
    assert_eq!((wrong, unrecovered, done.refused), ((0, 0, 0), 0, 0));
}

#[test]
#[ignore = "minutes of load; prints figures"]
fn hubs_killed_again_and_again_under_load_lose_nothing() {
    let Some(nats) = servers(3, Synced::Always) else { return };
    let mut all = hubs(&nats, 3);
    let screens = Moving::all(SCREENS, &addresses(&all));
    let load = Pace::begin(&addresses(&all), per_second());
    goes_on(CALM);
    for time in 0..from_environment("BAR_TIMES").unwrap_or(30) {
        let mut hub = all.remove(time % 3);
        hub.kill();
        goes_on(CALM / 2);
        all.insert(time % 3, hub.started_again_at_its_address());
        goes_on(CALM / 2);
    }
    judged(&all, load, screens);
}

#[test]
#[ignore = "minutes of load; prints figures"]
fn leaders_of_the_stream_killed_again_and_again_cost_no_webhook() {
    let Some(mut nats) = servers(3, Synced::Always) else { return };
    let all = hubs(&nats, 3);
    let screens = Moving::all(SCREENS, &addresses(&all));
    let load = Pace::begin(&addresses(&all), per_second());
    goes_on(CALM);
    let (mut paused, mut emptied, mut acks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..from_environment("BAR_TIMES").unwrap_or(10) {
        let leader = nats.leader(STREAM);
        screens[0].pause();
        load.lap();
        let killed = Instant::now();
        nats.kill_one(leader);
        until("deliveries wait", || all.iter().any(|hub| cluster(hub)["inbox"] != 0));
        calmly_until("inboxes are empty", || all.iter().all(|hub| cluster(hub)["inbox"] == 0));
        emptied.push(killed.elapsed());
        paused.push(screens[0].pause());
        acks.push(at(&load.lap(), 1_000));
        nats.restart_one(leader);
        calmly_until("all servers have all", || cluster(&all[0])["replicasCurrent"] == 3);
        goes_on(CALM);
    }
    println!(
        "updates paused at most {:?} (median {:?}), inboxes empty after at most {:?}, ack max {:?}",
        at(&paused, 1_000),
        at(&paused, 500),
        at(&emptied, 1_000),
        at(&acks, 1_000)
    );
    judged(&all, load, screens);
}

#[test]
#[ignore = "minutes of load; prints figures"]
fn servers_cut_off_at_random_lose_nothing_and_leave_one_history() {
    let Some(nats) = servers(3, Synced::Always) else { return };
    let all = hubs(&nats, 3);
    let screens = Moving::all(SCREENS, &addresses(&all));
    let load = Pace::begin(&addresses(&all), per_second());
    let seed = rand::rng().random::<u64>();
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    goes_on(CALM);
    for _ in 0..from_environment("BAR_TIMES").unwrap_or(20) {
        // Whoever talks to a server that stands still gets no answer, and learns nothing.
        let (first, count) = (random.random_range(0..3), random.random_range(1..=2));
        let cut: Vec<usize> = (first..first + count).map(|number| number % 3).collect();
        let lasts = Duration::from_secs(random.random_range(5..=30));
        for number in &cut {
            nats.halt_one(*number);
        }
        goes_on(lasts);
        for number in &cut {
            nats.resume_one(*number);
        }
        calmly_until("inboxes are empty", || all.iter().all(|hub| cluster(hub)["inbox"] == 0));
        calmly_until("all servers have all", || cluster(&all[0])["replicasCurrent"] == 3);
        println!("servers {cut:?} stood still for {lasts:?}");
    }
    judged(&all, load, screens);
}

#[test]
#[ignore = "a minute of load; prints figures"]
fn a_rolling_restart_of_all_six_refuses_nothing() {
    let Some(mut nats) = servers(3, Synced::Always) else { return };
    let mut all = hubs(&nats, 3);
    let screens = Moving::all(SCREENS, &addresses(&all));
    let load = Pace::begin(&addresses(&all), per_second());
    goes_on(CALM);
    for number in 0..3 {
        let mut hub = all.remove(number);
        hub.stop();
        all.insert(number, hub.started_again_at_its_address());
        until_ready(&all[number]);
        nats.stop_one(number);
        nats.restart_one(number);
        calmly_until("all servers have all", || cluster(&all[0])["replicasCurrent"] == 3);
    }
    goes_on(CALM);
    judged(&all, load, screens);
}

#[test]
#[ignore = "minutes; prints figures"]
fn the_owner_of_the_duties_killed_again_and_again_raises_each_alert_once() {
    const DUE_SECONDS: u32 = 60;
    let Some(nats) = servers(3, Synced::Always) else { return };
    let mut all = hubs(&nats, 3);
    saves(&all[0], None, &thresholds(&[("waitingWarnSeconds", DUE_SECONDS)]), &json!({}));
    let times = from_environment("BAR_TIMES").unwrap_or(20);
    let mut late = Vec::new();
    for time in 0..times {
        until("one has the duties", || all.iter().any(|hub| cluster(hub)["duties"] == true));
        let owner = all.iter().position(|hub| cluster(hub)["duties"] == true).expect("an owner");
        // Due while nobody has the duties.
        let due = Instant::now() + Duration::from_secs(1);
        let chat = format!("late-{time:03}");
        all[owner].provider().posts(&question(&chat, i64::from(DUE_SECONDS) - 1));
        let mut hub = all.remove(owner);
        hub.kill();
        let raised = |hub: &Hub| raised_for(hub, &chat) > 0;
        until("the alert is raised", || raised(&all[0]));
        late.push(due.elapsed());
        all.insert(owner, hub.started_again_at_its_address());
        until_ready(&all[owner]);
    }
    for time in 0..times {
        assert_eq!(raised_for(&all[0], &format!("late-{time:03}")), 1, "each once");
    }
    println!(
        "{times} alerts, each once; late: median {:?}, at most {:?}; load {}",
        at(&late, 500),
        at(&late, 1_000),
        machine_load()
    );
}

/// How often a hub shows that an alert was raised for a chat.
fn raised_for(hub: &Hub, chat: &str) -> usize {
    let is_it =
        |update: &&Value| update["data"]["type"] == "alert_raised" && update.to_string().contains(chat);
    all_updates(hub).iter().filter(is_it).count()
}

#[test]
#[ignore = "minutes of filling; prints figures"]
fn a_new_hub_is_ready_soon_while_the_others_go_on() {
    let Some(nats) = servers(3, Synced::Always) else { return };
    let messages = from_environment::<u64>("BAR_MESSAGES").unwrap_or(1_000_000);
    let home = tempfile::tempdir().expect("a folder");
    let filled = super::support::hub::start_through(&[], home, &[("RUST_LOG", "warn")]);
    let filling = Pace::begin(&[filled.address()], 0);
    while filled.json("/health")["seq"].as_u64() < Some(messages) {
        goes_on(Duration::from_secs(1));
    }
    filling.finish();
    let folder = filled.home().to_path_buf();
    let mut filled = filled;
    filled.stop();
    let member = copy_of(&folder);
    nats.begin(member.path(), &[]);
    let bytes = std::fs::metadata(member.path().join("hub.db")).expect("the database").len();
    let hub = nats.hub("a", member, &[("RUST_LOG", "warn")]);
    let (port, url) = (hub.address().port().to_string(), format!("http://{}", hub.address()));
    let mut told = nats.settings("a");
    told.extend([("PORT", port), ("NODE_URL", url), ("CLUSTER_SECRET", SECRET.to_owned())]);
    let told: Vec<(&str, &str)> = told.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut hub = hub;
    hub.stop();
    let hub = hub.started_again_with(&told);
    until_ready(&hub);
    let load = Pace::begin(&[hub.address()], 100);
    // It tells the others of itself every five seconds.
    goes_on(CALM * 2);
    let before = load.lap();
    let begun = Instant::now();
    let new = nats.hub("b", tempfile::tempdir().expect("a folder"), &[("CLUSTER_SECRET", SECRET)]);
    until_ready(&new);
    let took = begun.elapsed();
    let meanwhile = load.lap();
    load.finish();
    println!(
        "a database of {bytes} bytes with {messages} messages: ready after {took:?}; ack p99 {:?} before, {:?} meanwhile; load {}",
        at(&before, 990),
        at(&meanwhile, 990),
        machine_load()
    );
}

#[test]
#[ignore = "a minute of load; prints figures"]
fn one_hub_and_three_servers_acknowledge_soon_and_many() {
    let Some(nats) = servers(3, Synced::Always) else { return };
    let all = hubs(&nats, 1);
    let load = Pace::begin(&addresses(&all), per_second());
    goes_on(CALM);
    load.lap();
    goes_on(CALM * 4);
    let took = load.lap();
    load.finish();
    println!(
        "{}/s: ack p50 {:?}, p99 {:?}; load {}",
        per_second(),
        at(&took, 500),
        at(&took, 990),
        machine_load()
    );
    let load = Pace::begin(&addresses(&all), 0);
    goes_on(CALM);
    load.lap();
    let begun = Instant::now();
    goes_on(CALM * 3);
    let (took, seconds) = (load.lap(), begun.elapsed().as_secs_f64());
    let done = load.finish();
    let rate = f64::from(u32::try_from(took.len()).expect("a count")) / seconds;
    println!(
        "64 in flight: {rate:.0}/s, ack p50 {:?}, p99 {:?}, refused {}; load {}",
        at(&took, 500),
        at(&took, 990),
        done.refused,
        machine_load()
    );
}

#[test]
#[ignore = "minutes of load; prints figures"]
fn a_fan_out_over_three_hubs_costs_each_screen_as_much_as_over_one() {
    let Some(nats) = servers(3, Synced::Always) else { return };
    let all = hubs(&nats, 3);
    let screens_each = from_environment("BAR_SCREENS").unwrap_or(300);
    let mut ratios = Vec::new();
    for pair in 1..=from_environment("BAR_PAIRS").unwrap_or(3) {
        // As many screens at each hub, so three times as many in all. The two take turns: what disturbs one disturbs the other.
        let [one, three] = [1, 3].map(|count| fan_out(&all, count, screens_each));
        ratios.push(three / one);
        println!("pair {pair}: {:.2} times the CPU of one hub for each frame", three / one);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "a frame of three hubs costs {:.2} times one of one hub (median; bound 1.10)",
        ratios[ratios.len() / 2]
    );
}

/// Microseconds of CPU that the first `count` hubs spend on each frame that their screens hear.
fn fan_out(all: &[Hub], count: usize, screens_each: usize) -> f64 {
    let used = &all[..count];
    let screens = Moving::all(screens_each * count, &addresses(used));
    let before: Duration = used.iter().map(cpu).sum();
    let load = Pace::begin(&addresses(&all[..1]), 20);
    goes_on(CALM * 3);
    let done = load.finish();
    let posted = Instant::now();
    let answer = all[0].provider().posts(&Delivery::message("last"));
    let seq = answer["seq"].as_i64().expect("a position");
    until("all have heard it", || screens.iter().all(|screen| screen.has_heard(seq)));
    let everywhere = posted.elapsed();
    let spent = used.iter().map(cpu).sum::<Duration>().saturating_sub(before);
    screens.iter().for_each(Moving::end);
    let heard: usize = screens.into_iter().map(|screen| screen.finish(seq).heard.len()).sum();
    let each = spent.as_secs_f64() * 1e6 / f64::from(u32::try_from(heard).expect("a count"));
    println!(
        "{count} hubs, {screens_each} screens each: {heard} frames of {} deliveries, {each:.1} µs of CPU each; ack p50 {:?}, p99 {:?}; \
         the last was everywhere within {everywhere:?}; load {}",
        done.ids.len() + 1,
        at(&done.took, 500),
        at(&done.took, 990),
        machine_load()
    );
    each
}
