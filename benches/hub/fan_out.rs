//! Fan-out: what one update costs on its way to one screen, beside a server that does nothing else.

use std::io;

use super::Plan;
use super::deliveries::Deliveries;
use super::figures::{float_of, median_of, ms, us};
use super::frames;
use super::process::{Hub, Place, fresh_folder};
use super::raw_server::RawServer;
use super::screens::{CONNECTING, Heard, PATIENCE, Screens, Turned};
use super::senders::{Language, Senders};
use super::stream::{Run, Stream};
use super::table::{Table, at_most, progress};

/// What every screen says first.
pub const SUBSCRIBE: &str = r#"{"event":"subscribe_updates","data":{}}"#;
/// How its answer is told from others.
pub const SUBSCRIBED: &[u8] = b"{\"event\":\"subscribed\"";
/// Updates in flight, with the bound of the ratio of hub to baseline.
const LANES: [(usize, f64); 2] = [(1, 1.0), (16, 0.4)];
/// Chats that the updates belong to.
const CHATS: u64 = 500;

/// Screens, and updates per run one at a time and sixteen in flight.
const SIZES: [(usize, [usize; 2]); 3] = [(100, [300, 1_600]), (1_000, [120, 480]), (10_000, [20, 64])];

/// One round: hub and baseline one after the other.
struct Pair {
    hub: Run,
    raw: Run,
}

/// Measures and prints.
pub fn measure(plan: &Plan) -> io::Result<()> {
    let folder = fresh_folder()?;
    let hub = Hub::start(folder.path(), Place::OneCore)?;
    let frame = update_frame(&hub)?;
    let raw_server = RawServer::start(&frame)?;

    let mut to_hub = to_hub(&hub, "fan")?;
    let screens = Screens::new(raw_server.screens, "")?;
    let senders = Senders::new(raw_server.triggers, Language::Trigger);
    let mut to_raw = Stream::new(screens, senders, 0, raw_server.pid());

    let ingest = LANES.map(|(in_flight, _)| ingest_alone(&mut to_hub, plan, in_flight));
    let mut table = Table::new(
        &format!("Fan-out of {}-byte updates: server CPU per delivery on one core", frame.len()),
        &[
            "sessions",
            "in flight",
            "hub µs",
            "of it ingest",
            "raw epoll µs",
            "ratio",
            "without ingest",
            "hub p50 ms",
            "p99 ms",
            "raw p50 ms",
            "p99 ms",
            "updates/s",
            "raw",
            "per commit",
        ],
    );
    for (sessions, updates) in SIZES.into_iter().filter(|(sessions, _)| plan.wants(*sessions)) {
        // Both at once: the hub has as many as are asked for, the baseline what is left of the open files.
        let raw_sessions = plan.files_left(sessions).min(sessions);
        if raw_sessions < sessions {
            table.note(format!("raw epoll of that row: {raw_sessions} sessions, as many as open files allow beside the hub's."));
        }
        progress(&format!("fan-out: {sessions} sessions"))?;
        to_hub.screens.connect(sessions - to_hub.screens.len(), CONNECTING, SUBSCRIBED)?;
        to_raw.screens.connect(raw_sessions - to_raw.screens.len(), CONNECTING, b"")?;
        for (lane, (in_flight, bound)) in LANES.into_iter().enumerate() {
            let count = plan.scaled(updates[lane]);
            let before = commits(&hub)?;
            let pairs = pairs(&mut to_hub, &mut to_raw, plan, in_flight, count)?;
            let after = commits(&hub)?;
            let per_commit = (after.1 - before.1) / (after.0 - before.0);
            let ingest = ingest[lane].as_ref().map_err(|error| io::Error::other(error.to_string()))?;
            table.row(row(sessions, in_flight, bound, &pairs, *ingest, per_commit));
        }
    }
    table.note("hub µs: CPU of the whole hub process per update and session: HTTP, translation, SQLite with its fsync, fan-out, WebSocket, heartbeats.");
    table.note("of it ingest: CPU of the same deliveries with nobody connected, per session. without ingest: (hub - ingest) / raw; the bound is on it.");
    table.note("Times run from the webhook's first byte (hub) or the trigger (raw) to the receipt; the hub's include the commit.");
    table.print()
}

/// A stream of texts into this hub.
pub fn to_hub(hub: &Hub, series: &str) -> io::Result<Stream> {
    let next = hub.json("/health")?["seq"].as_u64().unwrap_or(0) + 1;
    let screens = Screens::new(hub.address, SUBSCRIBE)?;
    let language = Language::Webhook(Deliveries::texts(series, CHATS)?);
    Ok(Stream::new(screens, Senders::new(hub.address, language), next, hub.pid()))
}

/// What the hub sends for such a delivery, ready for the raw server.
fn update_frame(hub: &Hub) -> io::Result<Vec<u8>> {
    let mut screens = Screens::new(hub.address, SUBSCRIBE)?;
    screens.connect(1, 1, SUBSCRIBED)?;
    let language = Language::Webhook(Deliveries::texts("one", 1)?);
    let mut sender = Senders::new(hub.address, language);
    sender.ready(1, &screens)?;
    sender.send(0)?;
    let mut frame = Vec::new();
    while frame.is_empty() {
        screens.turn(PATIENCE, |turned| {
            if let Turned::Heard(_, Heard::Update(text)) = turned {
                frame = frames::from_server(text);
            }
        })?;
    }
    Ok(frame)
}

/// Nanoseconds of CPU per delivery while nobody listens.
fn ingest_alone(to_hub: &mut Stream, plan: &Plan, in_flight: usize) -> io::Result<f64> {
    to_hub.run(in_flight, 200)?;
    let runs: Vec<Run> =
        (0..plan.rounds).map(|_| to_hub.run(in_flight, plan.scaled(600))).collect::<io::Result<_>>()?;
    Ok(median_of(&runs, |run| run.cpu_per_update))
}

fn pairs(
    to_hub: &mut Stream,
    to_raw: &mut Stream,
    plan: &Plan,
    in_flight: usize,
    updates: usize,
) -> io::Result<Vec<Pair>> {
    // What is new in each of them shall not count: buffers grow, caches fill.
    to_hub.run(in_flight, in_flight * 2)?;
    to_raw.run(in_flight, in_flight * 2)?;
    let mut pairs = Vec::new();
    for _ in 0..plan.rounds {
        let hub = to_hub.run(in_flight, updates)?;
        let raw = to_raw.run(in_flight, updates)?;
        to_hub.settle()?;
        pairs.push(Pair { hub, raw });
    }
    Ok(pairs)
}

/// Commits so far, and deliveries in them.
fn commits(hub: &Hub) -> io::Result<(f64, f64)> {
    let count = hub.metric("umbler_hub_commit_deliveries_count")?;
    Ok((count, hub.metric("umbler_hub_commit_deliveries_sum")?))
}

fn row(
    sessions: usize,
    in_flight: usize,
    bound: f64,
    pairs: &[Pair],
    ingest: f64,
    per_commit: f64,
) -> Vec<String> {
    let ingest = ingest / float_of(sessions);
    let hub = median_of(pairs, |pair| pair.hub.cpu_per_delivery);
    let raw = median_of(pairs, |pair| pair.raw.cpu_per_delivery);
    let ratio = median_of(pairs, |pair| pair.hub.cpu_per_delivery / pair.raw.cpu_per_delivery);
    let alone = median_of(pairs, |pair| (pair.hub.cpu_per_delivery - ingest) / pair.raw.cpu_per_delivery);
    let two = |value: f64| format!("{value:.2}");
    vec![
        sessions.to_string(),
        in_flight.to_string(),
        two(us(hub)),
        two(us(ingest)),
        two(us(raw)),
        two(ratio),
        at_most(alone, bound),
        two(ms(median_of(pairs, |pair| pair.hub.p50))),
        two(ms(median_of(pairs, |pair| pair.hub.p99))),
        two(ms(median_of(pairs, |pair| pair.raw.p50))),
        two(ms(median_of(pairs, |pair| pair.raw.p99))),
        format!("{:.0}", median_of(pairs, |pair| pair.hub.per_second)),
        format!("{:.0}", median_of(pairs, |pair| pair.raw.per_second)),
        format!("{per_commit:.1}"),
    ]
}
