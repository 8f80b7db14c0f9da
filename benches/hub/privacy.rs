//! What privacy and backups cost ingest: a hub with all of it beside one with none, in turn.
//!
//! All of it: deleted data is overwritten (`secure_delete`), reads are noted, and records go to a bucket every few seconds. The first
//! cannot be switched off by a setting: `PLAIN_HUB` names a program that was built without it, for the hub with none.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::Plan;
use super::bucket::MemoryBucket;
use super::deliveries::{Deliveries, chat_id};
use super::figures::{float, median_of, us};
use super::ingest::{Load, Run};
use super::machine::{LOAD_CORE, cpu_nanos, pin};
use super::process::{Client, Hub, Place, fresh_folder};
use super::table::{Table, at_most, progress};

/// Connections that post.
const CONNECTIONS: usize = 16;
/// Chats that the deliveries belong to.
const CHATS: u64 = 2_000;
/// Between two reads of a screen meanwhile, each of which is noted.
const READ_EVERY: Duration = Duration::from_millis(20);
/// After a run, until everything that follows it is done, the last segment too.
const SETTLE: Duration = Duration::from_secs(5);
/// Most that the hub with all of it may cost, divided by the one with none.
const RATIO_MAX: f64 = 1.05;

/// A hub and what posts to it.
struct Side<'a> {
    hub: &'a Hub,
    load: Load<'a>,
    series: &'static str,
}

/// What one run showed.
struct Cost {
    per_second: f64,
    /// Nanoseconds of CPU per delivery, with everything that follows it.
    cpu_each: f64,
}

/// Measures and prints.
pub fn measure(plan: &Plan) -> io::Result<()> {
    let (bare_folder, full_folder) = (fresh_folder()?, fresh_folder()?);
    let bucket = MemoryBucket::start()?;
    let settings = bucket.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let program = std::env::var_os("PLAIN_HUB").map(PathBuf::from);
    let bare = Hub::start_program(
        program.as_deref(),
        bare_folder.path(),
        Place::BothCores,
        &[("RETAIN_READS", "0")],
    )?;
    let full = Hub::start_with(full_folder.path(), Place::BothCores, &settings)?;
    let mut sides = [side(&bare, "bare")?, side(&full, "full")?];
    let seconds = if plan.quick { 4 } else { 6 };
    for side in &mut sides {
        // Chats that can be read, and warm caches.
        side.load.run(CONNECTIONS, |_, passed| passed >= Duration::from_secs(2))?;
    }
    let mut pairs = Vec::new();
    for round in 0..plan.rounds * 3 {
        progress(&format!("privacy: pair {}", round + 1))?;
        let mut costs = [None, None];
        // Whoever comes first is disturbed by other things than whoever comes second.
        for at in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            costs[at] = Some(sides[at].run(Duration::from_secs(seconds))?);
        }
        if let [Some(bare), Some(full)] = costs {
            pairs.push((bare, full));
        }
    }
    print(&pairs, &bucket, program.is_some(), full_folder.path())
}

fn side<'a>(hub: &'a Hub, series: &'static str) -> io::Result<Side<'a>> {
    Ok(Side { hub, load: Load::new(hub, Deliveries::mixed(series, CHATS)?)?, series })
}

impl Side<'_> {
    fn run(&mut self, time: Duration) -> io::Result<Cost> {
        let (before, cpu) = (self.position()?, cpu_nanos(self.hub.pid())?);
        let is_over = Arc::new(AtomicBool::new(false));
        let reading = self.reads(Arc::clone(&is_over))?;
        let Run { per_second, .. } = self.load.run(CONNECTIONS, |_, passed| passed >= time)?;
        is_over.store(true, Ordering::Relaxed);
        reading.join().map_err(|_panicked| io::Error::other("the reader panicked"))??;
        std::thread::sleep(SETTLE);
        let count = self.position()? - before;
        Ok(Cost { per_second, cpu_each: float(cpu_nanos(self.hub.pid())? - cpu) / float(count) })
    }

    fn position(&self) -> io::Result<u64> {
        self.hub.json("/health")?["seq"].as_u64().ok_or_else(|| io::Error::other("no position"))
    }

    /// Reads the messages of one chat after another until it is over.
    fn reads(&self, is_over: Arc<AtomicBool>) -> io::Result<std::thread::JoinHandle<io::Result<()>>> {
        let mut client = Client::connect(self.hub.address)?;
        let series = self.series;
        Ok(std::thread::spawn(move || {
            pin(&[LOAD_CORE])?;
            let begun = Instant::now();
            let mut number = 0;
            while !is_over.load(Ordering::Relaxed) {
                // Chats that have messages since before the first run.
                client.get(&format!(
                    "/api/umbler/chats/{}/messages",
                    chat_id(series, u64::from(number) % 100)
                ))?;
                number += 1;
                std::thread::sleep((begun + READ_EVERY * number).saturating_duration_since(Instant::now()));
            }
            Ok(())
        }))
    }
}

/// How many reads were noted.
fn notes(folder: &Path) -> io::Result<i64> {
    let count = || -> rusqlite::Result<i64> {
        let file = folder.join("hub.db.reads");
        let file = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        file.query_row("SELECT count(*) FROM reads", [], |row| row.get(0))
    };
    count().map_err(io::Error::other)
}

fn print(pairs: &[(Cost, Cost)], bucket: &MemoryBucket, is_other: bool, folder: &Path) -> io::Result<()> {
    let mut table = Table::new(
        "Ingest with deleted data overwritten, reads noted and records sent to a bucket, and with none of it",
        &["", "none of it", "all of it", "ratio"],
    );
    let row = |name: &str, read: &dyn Fn(&Cost) -> f64, is_bound: bool| {
        let ratio = median_of(pairs, |(bare, full)| read(full) / read(bare));
        vec![
            name.to_owned(),
            format!("{:.0}", median_of(pairs, |(bare, _)| read(bare))),
            format!("{:.0}", median_of(pairs, |(_, full)| read(full))),
            if is_bound { at_most(ratio, RATIO_MAX) } else { format!("{ratio:.2}") },
        ]
    };
    table.row(row("hub CPU µs each, with what follows", &|cost| us(cost.cpu_each), true));
    table.row(row("deliveries/s", &|cost| cost.per_second, false));
    let (count, bytes) = bucket.segments();
    table.note(format!(
        "{} pairs in turn, {CONNECTIONS} connections, {:.0} reads a second. Segments in the bucket: {count}, {} KiB. Notes of reads: {}.",
        pairs.len(),
        1.0 / READ_EVERY.as_secs_f64(),
        bytes / 1_024,
        notes(folder)?,
    ));
    let ratios = |read: &dyn Fn(&Cost) -> f64| {
        let mut ratios: Vec<f64> = pairs.iter().map(|(bare, full)| read(full) / read(bare)).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        format!("{ratios:.2?}")
    };
    table.note(format!("CPU, all pairs: {}", ratios(&|cost| cost.cpu_each)));
    table.note(format!("Deliveries/s, all pairs: {}", ratios(&|cost| cost.per_second)));
    if !is_other {
        table.note("Both overwrite deleted data: PLAIN_HUB names no program that does not.");
    }
    if count == 0 {
        return Err(io::Error::other("no segment came to the bucket"));
    }
    table.print()
}
