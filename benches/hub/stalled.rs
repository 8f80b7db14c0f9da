//! Stalled readers: a thousand sessions that stop reading, or as many event streams, and what the others feel of them.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Plan;
use super::fan_out::{SUBSCRIBE, SUBSCRIBED, to_hub};
use super::figures::{float, median_of, ms};
use super::machine::{resident_bytes, tcp_buffer_bytes};
use super::process::{Hub, Place, fresh_folder};
use super::screens::{CONNECTING, Screens};
use super::stream::{Run, Stream};
use super::table::{Table, at_most, progress};

/// Sessions that read.
const READERS: usize = 500;
/// Sessions that do not.
const STALLED: usize = 1_000;
/// Updates in flight.
const IN_FLIGHT: usize = 4;
/// What the kernel of a stalled peer takes in, in bytes: little, so that the hub's side fills soon.
const PEER_BYTES: usize = 8 * 1_024;
/// The others' p99 with them, at most so many times that without them.
const RATIO_MAX: f64 = 1.5;
/// What a stalled session may cost, hub and kernel together, in MiB: its bounds of queue and send buffer.
const STALLED_MIB_MAX: f64 = 2.0;

/// Without and with, one after the other.
struct Pair {
    without: Run,
    with: Run,
    /// Bytes of hub and kernel, for each stalled session.
    bytes_each: f64,
}

/// What stops reading.
#[derive(Clone, Copy)]
enum Stalling {
    Sockets,
    Streams,
}

/// Measures and prints.
pub fn measure(plan: &Plan) -> io::Result<()> {
    let folder = fresh_folder()?;
    let hub = Hub::start(folder.path(), Place::OneCore)?;
    let mut stream = to_hub(&hub, "stalled")?;
    stream.screens.connect(READERS, CONNECTING, SUBSCRIBED)?;
    stream.run(IN_FLIGHT, 200)?;
    for (what, kind) in [("sockets", Stalling::Sockets), ("event streams", Stalling::Streams)] {
        let mut pairs = Vec::new();
        for round in 0..plan.rounds {
            progress(&format!("stalled {what}: round {}", round + 1))?;
            pairs.push(pair(&hub, &mut stream, plan, kind)?);
        }
        print(what, &pairs)?;
    }
    Ok(())
}

fn print(what: &str, pairs: &[Pair]) -> io::Result<()> {
    let mut table = Table::new(
        &format!("{STALLED} stalled {what} beside {READERS} that read, {IN_FLIGHT} updates in flight"),
        &["", "p50 ms", "p99 ms", "updates/s", "MiB per stalled session"],
    );
    let two = |value: f64| format!("{value:.2}");
    let line = |name: &str, run: fn(&Pair) -> &Run, last: String| {
        vec![
            name.to_owned(),
            two(ms(median_of(pairs, |pair| run(pair).p50))),
            two(ms(median_of(pairs, |pair| run(pair).p99))),
            format!("{:.0}", median_of(pairs, |pair| run(pair).per_second)),
            last,
        ]
    };
    let mib = median_of(pairs, |pair| pair.bytes_each) / 1_048_576.0;
    table.row(line("without", |pair| &pair.without, String::new()));
    table.row(line("with", |pair| &pair.with, at_most(mib, STALLED_MIB_MAX)));
    let ratio = median_of(pairs, |pair| pair.with.p99 / pair.without.p99);
    table.note(format!("p99 with / without, median of {} pairs: {}", pairs.len(), at_most(ratio, RATIO_MAX)));
    table.note("With: measured after the stalled sessions have been sent what fills their queues, and before the kernel ends them.");
    table.print()
}

fn pair(hub: &Hub, stream: &mut Stream, plan: &Plan, kind: Stalling) -> io::Result<Pair> {
    let updates = plan.scaled(600);
    let without = stream.run(IN_FLIGHT, updates)?;
    let before = resident_bytes(hub.pid())? + tcp_buffer_bytes()?;
    let (mut sockets, mut streams) = (Screens::new(hub.address, SUBSCRIBE)?, Vec::new());
    match kind {
        Stalling::Sockets => {
            sockets.connect(STALLED, CONNECTING, SUBSCRIBED)?;
            for screen in 0..STALLED {
                sockets.stall(screen, PEER_BYTES)?;
            }
        }
        Stalling::Streams => {
            for _ in 0..STALLED {
                streams.push(stalled_stream(hub)?);
            }
            await_sessions(hub, READERS + STALLED)?;
        }
    }
    // Fills what they may hold.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        stream.run(IN_FLIGHT, 100)?;
    }
    let with = stream.run(IN_FLIGHT, updates)?;
    let after = resident_bytes(hub.pid())? + tcp_buffer_bytes()?;
    drop((sockets, streams));
    settle(hub, stream)?;
    Ok(Pair { without, with, bytes_each: float(after.saturating_sub(before)) / float(STALLED as u64) })
}

/// An event stream that reads nothing from its first byte on.
fn stalled_stream(hub: &Hub) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(hub.address)?;
    socket2::SockRef::from(&stream).set_recv_buffer_size(PEER_BYTES)?;
    write!(stream, "GET /api/umbler/stream HTTP/1.1\r\nHost: {}\r\n\r\n", hub.address)?;
    Ok(stream)
}

/// Waits until the hub has seen them go.
fn settle(hub: &Hub, stream: &mut Stream) -> io::Result<()> {
    stream.settle()?;
    await_sessions(hub, READERS)
}

fn await_sessions(hub: &Hub, count: usize) -> io::Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(40) {
        if hub.json("/health")?["sessions"].as_u64() == Some(count as u64) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(io::Error::other("the hub does not have the sessions that it should have"))
}
