//! Memory: what an idle session costs the hub's process, and the kernel.

use std::io;
use std::time::Duration;

use super::Plan;
use super::fan_out::{SUBSCRIBED, to_hub};
use super::figures::float;
use super::machine::{resident_bytes, slab_bytes, tcp_buffer_bytes};
use super::process::{Hub, Place, fresh_folder};
use super::screens::CONNECTING;
use super::stream::Stream;
use super::table::{Table, at_most, progress};

/// Idle sessions.
const SESSIONS: usize = 10_000;
/// Updates that each session gets, so that its buffers have been used.
const UPDATES: usize = 16;
/// The bound of one idle session in the hub's process, in KiB.
const SESSION_KIB_MAX: f64 = 16.0;

/// What is taken at one moment.
struct Taken {
    resident: u64,
    buffers: u64,
    slab: u64,
}

/// Measures and prints.
pub fn measure(plan: &Plan) -> io::Result<()> {
    let folder = fresh_folder()?;
    let hub = Hub::start(folder.path(), Place::OneCore)?;
    let mut stream = to_hub(&hub, "memory")?;
    // The first deliveries fill caches that have nothing to do with sessions.
    stream.run(16, 500)?;
    let sessions = plan.files_left(0).min(SESSIONS);
    let before = Taken::now(&hub)?;
    progress(&format!("memory: {sessions} sessions"))?;
    stream.screens.connect(sessions, CONNECTING, SUBSCRIBED)?;
    let connected = Taken::now(&hub)?;
    stream.run(1, UPDATES)?;
    let used = Taken::after_rest(&hub, &mut stream)?;
    stream.run(16, UPDATES * 4)?;
    let pressed = Taken::after_rest(&hub, &mut stream)?;

    let mut table = Table::new(
        &format!("Memory per idle session, KiB ({sessions} subscribed sessions)"),
        &["moment", "hub process", "kernel's TCP buffers", "kernel's objects, both ends"],
    );
    let each =
        |after: u64, before: u64| float(after.saturating_sub(before)) / 1_024.0 / float(sessions as u64);
    for (moment, taken) in [
        ("connected and subscribed", &connected),
        ("after updates one at a time", &used),
        ("after updates sixteen in flight", &pressed),
    ] {
        table.row(vec![
            moment.to_owned(),
            at_most(each(taken.resident, before.resident), SESSION_KIB_MAX),
            format!("{:.2}", each(taken.buffers, before.buffers)),
            format!("{:.2}", each(taken.slab, before.slab)),
        ]);
    }
    table.note("hub process: resident memory. The kernel's figures are of the whole machine: buffers from /proc/net/sockstat, objects (sockets, files, epoll entries of hub and load) from Slab in /proc/meminfo.");
    table.print()
}

impl Taken {
    /// What was sent is acknowledged by the peers' kernel a moment later.
    fn after_rest(hub: &Hub, stream: &mut Stream) -> io::Result<Self> {
        std::thread::sleep(Duration::from_secs(1));
        stream.settle()?;
        Self::now(hub)
    }

    fn now(hub: &Hub) -> io::Result<Self> {
        Ok(Self { resident: resident_bytes(hub.pid())?, buffers: tcp_buffer_bytes()?, slab: slab_bytes()? })
    }
}
