//! Start and reads with an empty database and with a million stored messages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::SignedDuration;

use super::Plan;
use super::deliveries::{Deliveries, chat_id, sector_id};
use super::figures::{float, median_of, ms, percentile};
use super::ingest::Load;
use super::process::{Client, Hub, Place, data_folder, fresh_folder};
use super::screens::nanos_since;
use super::table::{Table, at_most, progress};

/// Messages of the large database.
const MESSAGES: u64 = 1_000_000;
/// Messages of each chat.
const MESSAGES_PER_CHAT: u64 = 25;
/// Chats that are active at the same time.
const AT_ONCE: u64 = 64;
/// Between two messages: a million of them are about a year.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// Connections that build it.
const CONNECTIONS: usize = 64;
/// Its ids.
pub const SERIES: &str = "history";

/// A start takes at most so many milliseconds.
const START_MS_MAX: f64 = 1_000.0;
/// The slowest of a hundred reads takes at most so many milliseconds.
const READ_MS_MAX: f64 = 10.0;
/// The slowest of a hundred searches takes at most so many milliseconds.
const SEARCH_MS_MAX: f64 = 50.0;
/// Longest wait for the index of words, which is built once.
const INDEX_PATIENCE: Duration = Duration::from_mins(5);
/// The slowest of a hundred questions to the metrics takes at most so many milliseconds.
const METRICS_MS_MAX: f64 = 100.0;
/// Longest wait for the full check that the hub makes in the background.
pub const CHECK_PATIENCE: Duration = Duration::from_mins(3);
/// Longest wait for the metrics of a million messages.
const METRICS_PATIENCE: Duration = Duration::from_mins(10);

/// What stands for the million where it is not there.
pub const NOT_BUILT: &str =
    "A million messages: not measured; a run without --quick builds the database, once, in a few minutes.";

/// Measures starts and prints.
pub fn measure_start(plan: &Plan) -> io::Result<()> {
    let mut table = Table::new(
        "Start: from the process's start to the first 200 of /health",
        &["stored messages", "median ms", "slowest ms", "database MiB"],
    );
    progress("start")?;
    start(fresh_folder()?.path(), 0, plan, &mut table)?;
    match million(plan)? {
        Some(folder) => start(&folder, MESSAGES, plan, &mut table)?,
        None => table.note(NOT_BUILT),
    }
    table.note("The file is in the page cache, as after a restart of the process.");
    table.print()
}

/// Measures reads and prints.
pub fn measure_reads(plan: &Plan) -> io::Result<()> {
    let mut table = Table::new(
        "Reads over one kept-alive connection, hub on one core",
        &["stored messages", "route", "while the full check runs, p99 ms", "p50 ms", "p99 ms", "slowest ms"],
    );
    progress("reads")?;
    read(fresh_folder()?.path(), 0, 0, plan, &mut table)?;
    match million(plan)? {
        Some(folder) => read(&folder, MESSAGES, MESSAGES / MESSAGES_PER_CHAT, plan, &mut table)?,
        None => table.note(NOT_BUILT),
    }
    table.note("The full check reads the whole file in the background after each start.");
    table.print()
}

fn start(folder: &Path, stored: u64, plan: &Plan, table: &mut Table) -> io::Result<()> {
    // The first one may have to upgrade the schema.
    drop(Hub::start(folder, Place::OneCore)?);
    let mut took = Vec::new();
    for _ in 0..plan.rounds {
        took.push(Hub::start(folder, Place::OneCore)?.started_in.as_secs_f64() * 1e3);
    }
    let mib = fs::metadata(folder.join("hub.db"))?.len() / (1 << 20);
    let median = median_of(&took, |took| *took);
    let slowest = percentile(&mut took, 1.0);
    table.row(vec![
        stored.to_string(),
        format!("{median:.0}"),
        at_most(slowest, START_MS_MAX),
        mib.to_string(),
    ]);
    Ok(())
}

fn read(folder: &Path, stored: u64, chats: u64, plan: &Plan, table: &mut Table) -> io::Result<()> {
    let hub = Hub::start(folder, Place::OneCore)?;
    let mut routes: Vec<Route> = vec![
        ("/stats", Box::new(|_| "/api/umbler/stats".to_owned())),
        ("/contacts", Box::new(|_| "/api/umbler/contacts".to_owned())),
    ];
    if chats > 0 {
        routes.push((
            "/contacts, page 2 to 200",
            Box::new(|at| format!("/api/umbler/contacts?page={}", at % 199 + 2)),
        ));
        // What stands in most of the messages, and in the name of every contact.
        routes.push(("/search, a common beginning", Box::new(|_| "/api/umbler/search?q=bo".to_owned())));
        routes.push((
            "/search, a common phrase",
            Box::new(|_| "/api/umbler/search?q=%22bom+dia%22".to_owned()),
        ));
        routes.push(("/search, a name", Box::new(|_| "/api/umbler/search?q=marina&in=contacts".to_owned())));
        // Steps of a prime walk over all chats, so that few are asked for twice.
        let chat = move |at: u64| chat_id(SERIES, at * 7_919 % chats);
        routes.push((
            "/chats/{id}/messages",
            Box::new(move |at| format!("/api/umbler/chats/{}/messages", chat(at))),
        ));
    }
    await_index(&hub)?;
    let count = u64::try_from(plan.scaled(2_000)).unwrap_or(0);
    let metrics_count = u64::try_from(plan.scaled(100)).unwrap_or(0);
    let metrics = if chats > 0 { metrics_routes() } else { Vec::new() };
    let mut busy: Vec<Vec<f64>> = vec![Vec::new(); routes.len()];
    let begun = Instant::now();
    while is_checking(&hub)? && begun.elapsed() < CHECK_PATIENCE {
        for ((_, path), took) in routes.iter().zip(&mut busy) {
            took.extend(ask(&hub, 50, path)?);
        }
    }
    let mut measure =
        |name: &str, path: &dyn Fn(u64) -> String, count: u64, ms_max: f64, mut busy: Vec<f64>| {
            // The first ones open the readers' connections and warm their caches.
            ask(&hub, count.min(50), path)?;
            let mut took = ask(&hub, count, path)?;
            let (p50, p99) = (percentile(&mut took, 0.5), percentile(&mut took, 0.99));
            let while_busy =
                if busy.len() < 100 { "-".to_owned() } else { format!("{:.2}", percentile(&mut busy, 0.99)) };
            table.row(vec![
                stored.to_string(),
                name.to_owned(),
                while_busy,
                format!("{p50:.2}"),
                at_most(p99, ms_max),
                format!("{:.2}", percentile(&mut took, 1.0)),
            ]);
            io::Result::Ok(())
        };
    for ((name, path), busy) in routes.iter().zip(busy) {
        let ms_max = if name.starts_with("/search") { SEARCH_MS_MAX } else { READ_MS_MAX };
        measure(name, path, count, ms_max, busy)?;
    }
    if !metrics.is_empty() {
        wait_for_metrics(&hub, folder)?;
    }
    for (name, path) in past_routes(chats > 0) {
        measure(name, &|_| format!("/api/umbler{path}"), metrics_count, METRICS_MS_MAX, Vec::new())?;
    }
    for (name, path) in metrics {
        measure(name, &|_| format!("/api/umbler/metrics{path}"), metrics_count, METRICS_MS_MAX, Vec::new())?;
    }
    Ok(())
}

/// Questions to the metrics, whose history begins with the year 2025.
fn metrics_routes() -> Vec<(&'static str, String)> {
    let month = "from=2025-06-01T03:00:00Z&until=2025-07-01T03:00:00Z";
    let year = "from=2025-01-01T03:00:00Z&until=2026-01-01T03:00:00Z";
    vec![
        ("/metrics/live", "/live".to_owned()),
        ("/metrics/summary, a month", format!("/summary?{month}")),
        ("/metrics/series by day, a month", format!("/series?{month}")),
        ("/metrics/heatmap, a month", format!("/heatmap?{month}")),
        ("/metrics/agents, a month", format!("/agents?{month}")),
        ("/metrics/summary, a year", format!("/summary?{year}")),
        ("/metrics/series by week, a year", format!("/series?{year}&bucket=week")),
        ("/metrics/heatmap, a year", format!("/heatmap?{year}")),
        ("/metrics/agents, a year", format!("/agents?{year}")),
        ("/metrics/distribution, a year", format!("/distribution?{year}")),
        ("/metrics/summary, what is behind it", format!("/summary?{year}&metric=replyTime&explain=true")),
    ]
}

/// Questions of the past, in the middle of the year and at its end.
fn past_routes(is_built: bool) -> Vec<(&'static str, String)> {
    if !is_built {
        return Vec::new();
    }
    let (early, middle, end) = ("2025-01-10T15:00:00Z", "2025-07-01T15:00:00Z", "2025-12-31T15:00:00Z");
    let day = "from=2025-07-01T03:00:00Z&until=2025-07-02T03:00:00Z";
    let year = "from=2025-01-06T03:00:00Z&until=2025-12-31T03:00:00Z";
    let sector = sector_id(SERIES, 1);
    vec![
        ("/stats?at=, in the first week", format!("/stats?at={early}")),
        ("/stats?at=, half a year in", format!("/stats?at={middle}")),
        ("/stats?at=, at the end", format!("/stats?at={end}")),
        ("/chats?at=&status=open", format!("/chats?at={early}&status=open")),
        ("/metrics/live?at=, in the first week", format!("/metrics/live?at={early}")),
        ("/metrics/live?at=, half a year in", format!("/metrics/live?at={middle}")),
        ("/metrics/live?at=&by=agent", format!("/metrics/live?at={middle}&by=agent")),
        ("/metrics/trend, a day", format!("/metrics/trend?{day}")),
        ("/metrics/trend, a year", format!("/metrics/trend?{year}")),
        ("/metrics/trend of a sector, a year", format!("/metrics/trend?{year}&sector={sector}")),
    ]
}

/// Copies the large database for somebody who changes it.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() != "hub.log" {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// A database that was built before the metrics has them computed in the background.
pub fn wait_for_metrics(hub: &Hub, folder: &Path) -> io::Result<()> {
    let begun = Instant::now();
    let file = folder.join("hub.db.metrics");
    while !hub.json("/api/umbler/metrics/live")?["rebuilding"].is_null() || !is_sealed(&file)? {
        if begun.elapsed() > METRICS_PATIENCE {
            return Err(io::Error::other("the metrics were not computed in time"));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}

/// True where all facts but the last few thousand of each metric lie in segments.
fn is_sealed(file: &Path) -> io::Result<bool> {
    let unsealed = "SELECT (SELECT count(*) FROM facts) - (SELECT coalesce(sum(facts), 0) FROM segments)";
    let count = || -> rusqlite::Result<i64> {
        let file = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        file.query_row(unsealed, [], |row| row.get(0))
    };
    let metrics = i64::try_from(umbler_hub::facade::rules::Metric::ALL.len()).unwrap_or(0);
    Ok(count().map_err(io::Error::other)? < metrics * 6_144)
}

/// Waits until all messages can be searched: the index is built in the background where it is missing.
fn await_index(hub: &Hub) -> io::Result<()> {
    let begun = Instant::now();
    while hub.json("/api/umbler/search?q=nothing")?["complete"] != true {
        if begun.elapsed() > INDEX_PATIENCE {
            return Err(io::Error::other("the search index is not built"));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// A route's name, and its path for the so-manieth request.
type Route = (&'static str, Box<dyn Fn(u64) -> String>);

/// True while the hub reads the whole file in the background.
pub fn is_checking(hub: &Hub) -> io::Result<bool> {
    Ok(hub.json("/health")?["integrity"] == "checking")
}

/// Milliseconds of each of so many answers.
fn ask(hub: &Hub, count: u64, path: &dyn Fn(u64) -> String) -> io::Result<Vec<f64>> {
    let mut client = Client::connect(hub.address)?;
    let begun = Instant::now();
    let one = |at: u64| {
        let path = path(at);
        let before = nanos_since(begun);
        client.get(&path)?;
        Ok(ms(float(nanos_since(begun) - before)))
    };
    (0..count).map(one).collect()
}

/// The folder of the large database; built once, through the hub's own front door.
pub fn million(plan: &Plan) -> io::Result<Option<PathBuf>> {
    let folder = data_folder()?.join("million-placed");
    if folder.join("hub.db").exists() {
        return Ok(Some(folder));
    }
    if plan.quick {
        return Ok(None);
    }
    let building = folder.with_extension("building");
    if building.exists() {
        fs::remove_dir_all(&building)?;
    }
    fs::create_dir_all(&building)?;
    let hub = Hub::start(&building, Place::BothCores)?;
    let deliveries = Deliveries::history(SERIES, AT_ONCE, MESSAGES_PER_CHAT, PAUSE)?;
    let mut load = Load::new(&hub, deliveries)?;
    let part = MESSAGES / 10;
    for tenth in 1..=10 {
        let run = load.run(CONNECTIONS, |sent, _| sent >= part)?;
        progress(&format!("history: building, {} messages, {:.0}/s", tenth * part, run.per_second))?;
    }
    let stored = hub.json("/api/umbler/stats")?["totalMessages"].as_u64();
    if stored != Some(MESSAGES) {
        return Err(io::Error::other(format!("{stored:?} messages were stored, not {MESSAGES}")));
    }
    drop(load);
    drop(hub);
    fs::rename(&building, &folder)?;
    Ok(Some(folder))
}
