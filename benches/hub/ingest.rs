//! Ingest: durable deliveries over HTTP, beside bare SQLite that commits as many rows at once as are in flight.

use std::io;
use std::time::{Duration, Instant};

use super::Plan;
use super::deliveries::Deliveries;
use super::figures::{float, median_of, ms, percentile, us};
use super::machine::{LOAD_CORE, SERVER_CORE, cpu_nanos, pin};
use super::process::{Hub, Place, fresh_folder};
use super::raw_journal::{Committed, RawJournal};
use super::screens::{PATIENCE, Screens, Turned, nanos_since};
use super::senders::{Language, Senders};
use super::table::{Table, at_least, at_most, progress};

/// Connections.
const LANES: [usize; 3] = [1, 16, 64];
/// Chats that the deliveries belong to.
const CHATS: u64 = 2_000;
/// What a mixed delivery's update has, about.
const FRAME_BYTES: usize = 1_731;
/// At 64 connections at least so many deliveries a second.
const PER_SECOND_MIN: f64 = 8_000.0;
/// At 64 connections the slowest in a hundred is answered within so many milliseconds.
const P99_MS_MAX: f64 = 50.0;

struct Pair {
    hub: Run,
    raw: Committed,
}

/// What one run showed.
pub struct Run {
    /// Deliveries per second.
    pub per_second: f64,
    /// Nanoseconds to the answer, in the middle.
    p50: f64,
    /// The same for the slowest in a hundred.
    p99: f64,
    /// Nanoseconds of CPU of the hub per delivery.
    cpu_each: f64,
}

/// Measures and prints.
pub fn measure(plan: &Plan) -> io::Result<()> {
    let (folder, raw_folder) = (fresh_folder()?, fresh_folder()?);
    let hub = Hub::start(folder.path(), Place::BothCores)?;
    let mut load = Load::new(&hub, Deliveries::mixed("ingest", CHATS)?)?;
    let mut raw = RawJournal::create(raw_folder.path(), FRAME_BYTES)?;
    let mut table = Table::new(
        "Ingest: durable deliveries over HTTP, hub and load sharing two cores",
        &[
            "connections",
            "deliveries/s",
            "ack p50 ms",
            "p99 ms",
            "hub CPU µs each",
            "bare SQLite/s",
            "commit p50 ms",
            "p99 ms",
            "ratio",
        ],
    );
    for connections in LANES {
        progress(&format!("ingest: {connections} connections"))?;
        let pairs = pairs(&mut load, &mut raw, plan, connections)?;
        table.row(row(connections, &pairs));
    }
    table.note(format!(
        "Deliveries of {} bytes on average, {CHATS} chats, fresh ids; acknowledged when durable.",
        load.mean_bytes()
    ));
    table.note("bare SQLite: journal row, compressed delivery and update per delivery, one commit for as many as are in flight, on core 0.");
    table.print()
}

fn pairs(
    load: &mut Load<'_>,
    raw: &mut RawJournal,
    plan: &Plan,
    connections: usize,
) -> io::Result<Vec<Pair>> {
    let time = Duration::from_millis(if plan.quick { 1_000 } else { 2_000 });
    load.run(connections, |_, passed| passed >= time / 4)?;
    let mut pairs = Vec::new();
    for _ in 0..plan.rounds {
        let hub = load.run(connections, |_, passed| passed >= time)?;
        pin(&[SERVER_CORE])?;
        let raw = raw.run(connections, time / 2);
        pin(&[LOAD_CORE])?;
        pairs.push(Pair { hub, raw: raw? });
    }
    Ok(pairs)
}

fn row(connections: usize, pairs: &[Pair]) -> Vec<String> {
    let two = |value: f64| format!("{value:.2}");
    let per_second = median_of(pairs, |pair| pair.hub.per_second);
    let p99 = ms(median_of(pairs, |pair| pair.hub.p99));
    let bound = LANES.last() == Some(&connections);
    vec![
        connections.to_string(),
        if bound { at_least(per_second, PER_SECOND_MIN) } else { format!("{per_second:.0}") },
        two(ms(median_of(pairs, |pair| pair.hub.p50))),
        if bound { at_most(p99, P99_MS_MAX) } else { two(p99) },
        two(us(median_of(pairs, |pair| pair.hub.cpu_each))),
        format!("{:.0}", median_of(pairs, |pair| pair.raw.per_second)),
        two(ms(median_of(pairs, |pair| pair.raw.p50))),
        two(ms(median_of(pairs, |pair| pair.raw.p99))),
        two(median_of(pairs, |pair| pair.hub.per_second / pair.raw.per_second)),
    ]
}

/// Keeps each of its connections busy with one delivery after another.
pub struct Load<'a> {
    hub: &'a Hub,
    /// No screens; it waits for the senders.
    epoll: Screens,
    senders: Senders,
    bytes: u64,
    count: u64,
}

impl<'a> Load<'a> {
    /// Posts these to this hub.
    pub fn new(hub: &'a Hub, deliveries: Deliveries) -> io::Result<Self> {
        let senders = Senders::new(hub.address, Language::Webhook(deliveries));
        let epoll = Screens::new(hub.address, "")?;
        Ok(Self { hub, epoll, senders, bytes: 0, count: 0 })
    }

    /// Posts until it is enough, told by how many were sent and the time that passed; all of them are answered.
    pub fn run(&mut self, connections: usize, enough: impl Fn(u64, Duration) -> bool) -> io::Result<Run> {
        self.senders.ready(connections, &self.epoll)?;
        let begun = Instant::now();
        let mut sent_at = vec![0; connections];
        let mut latencies = Vec::new();
        let mut free: Vec<usize> = (0..connections).collect();
        let (mut in_flight, mut sent) = (0, 0);
        let cpu = cpu_nanos(self.hub.pid())?;
        loop {
            for sender in free.drain(..) {
                if enough(sent, begun.elapsed()) {
                    continue;
                }
                sent_at[sender] = nanos_since(begun);
                self.bytes += self.senders.send(sender)? as u64;
                sent += 1;
                in_flight += 1;
            }
            if in_flight == 0 {
                break;
            }
            let (senders, mut failed) = (&mut self.senders, None);
            self.epoll.wait(PATIENCE, |turned| {
                let Turned::Other(sender) = turned else { return };
                match senders.read(sender) {
                    Ok(Some(_)) => free.push(sender),
                    Ok(None) => {}
                    Err(error) => failed = Some(error),
                }
            })?;
            if let Some(error) = failed {
                return Err(error);
            }
            in_flight -= free.len();
            let now = nanos_since(begun);
            latencies.extend(free.iter().map(|sender| float(now - sent_at[*sender])));
        }
        let count = latencies.len() as u64;
        self.count += count;
        Ok(Run {
            per_second: float(count) / begun.elapsed().as_secs_f64(),
            p50: percentile(&mut latencies, 0.50),
            p99: percentile(&mut latencies, 0.99),
            cpu_each: float(cpu_nanos(self.hub.pid())? - cpu) / float(count),
        })
    }

    fn mean_bytes(&self) -> u64 {
        self.bytes / self.count.max(1)
    }
}
