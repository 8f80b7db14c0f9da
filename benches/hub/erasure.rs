//! The erasure of a person in a database with a million messages, while deliveries come in: how long it takes until no byte of any file
//! tells of them, what it does to the deliveries, and what backups of before make of it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use umbler_hub::facade::testing::clock;

use super::Plan;
use super::bucket::MemoryBucket;
use super::deliveries::Deliveries;
use super::figures::{float, ms, percentile};
use super::history::{CHECK_PATIENCE, NOT_BUILT, copy, is_checking, million, wait_for_metrics};
use super::machine::{LOAD_CORE, pin};
use super::process::{Client, Hub, Place, fresh_folder};
use super::screens::nanos_since;
use super::table::{Table, at_most, progress};

/// Deliveries in a second, by the clock, from so many connections.
const PER_SECOND: u64 = 300;
const CONNECTIONS: u64 = 6;
/// Messages of the person, in two chats.
const MESSAGES: u64 = 200;
/// Traffic before the erasure, to compare with.
const BEFORE: Duration = Duration::from_secs(15);
/// An erasure is complete after at most so many seconds.
const SECONDS_MAX: f64 = 60.0;
/// Longest wait for it, and for the first snapshot.
const PATIENCE: Duration = Duration::from_mins(5);
/// The person, and parts of every word that tells of them: without first letters, as the index of words leaves out what a word has in
/// common with the one before.
const CONTACT: &str = "contact-to-erase";
const TRACES: [&str; 8] =
    ["irimbaldo", "exilofone", "987654321", "zubemba", "icleide", "rrussofone", "ubafone", "flautim.example"];
/// A year of metrics, in which the person wrote; what comes in meanwhile is of later.
const METRICS: &str = "/api/umbler/metrics/summary?from=2025-01-01T03:00:00Z&until=2026-01-01T03:00:00Z";

/// When deliveries were due, and how long after that they were acknowledged; in nanoseconds.
type Answered = Vec<(u64, f64)>;

/// Erases the person from a copy of the million messages, restores backups of before, and prints what was found and how long it took.
pub fn measure(plan: &Plan) -> io::Result<()> {
    let Some(stored) = million(plan)? else { return progress(NOT_BUILT) };
    let (folder, aside, elsewhere) = (fresh_folder()?, fresh_folder()?, fresh_folder()?);
    progress("erasure: a copy of the million messages")?;
    copy(&stored, folder.path())?;
    let bucket = MemoryBucket::start()?;
    let settings = bucket.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let hub = Hub::start_with(folder.path(), Place::BothCores, &settings)?;
    lives(&hub)?;
    progress("erasure: waiting for the check, the metrics and the first snapshot")?;
    let begun = Instant::now();
    while is_checking(&hub)? || hub.json("/health")?["backupTakenAt"].is_null() {
        if begun.elapsed() > CHECK_PATIENCE + PATIENCE {
            return Err(io::Error::other("the first snapshot did not come"));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    wait_for_metrics(&hub, folder.path())?;
    let older = aside.path().join("older.db");
    run(folder.path(), &settings, &["backup", &older.to_string_lossy()])?;
    let told_before = traces(aside.path())?;

    progress("erasure: the person is erased beside live traffic")?;
    let is_over = Arc::new(AtomicBool::new(false));
    let clock = Instant::now();
    let posting = post_by_the_clock(&hub, clock, &is_over)?;
    std::thread::sleep(BEFORE);
    let newest = hub.json("/health")?["seq"].as_i64().unwrap_or_default();
    let (positions, metrics) = (positions(folder.path(), newest)?, hub.json(METRICS)?["metrics"].clone());
    let asked_at = nanos_since(clock);
    let path = format!("/api/umbler/contacts/{CONTACT}/personal-data?reason=benchmark");
    let answer: Value = serde_json::from_str(&Client::connect(hub.address)?.send("DELETE", &path, "")?)?;
    let answered_at = nanos_since(clock);
    let (gone_at, rounds) = gone(folder.path(), clock)?;
    let told_bodies = bodies(folder.path())?;
    is_over.store(true, Ordering::Relaxed);
    let mut all = Answered::new();
    for posting in posting {
        all.extend(posting.join().map_err(|_panicked| io::Error::other("a sender panicked"))??);
    }
    let are_same =
        self::positions(folder.path(), newest)? == positions && hub.json(METRICS)?["metrics"] == metrics;
    await_cover(&hub)?;
    drop(hub);

    progress("erasure: backups of before are restored")?;
    run(folder.path(), &settings, &["restore", &older.to_string_lossy()])?;
    let told_restored = (traces(folder.path())?, bodies(folder.path())?);
    run(elsewhere.path(), &settings, &["restore", "s3://bench/hub"])?;
    let told_elsewhere = (traces(elsewhere.path())?, bodies(elsewhere.path())?);

    let mut table = Table::new(
        "A person is erased among a million messages, beside 300 deliveries a second",
        &["", "figure"],
    );
    let seconds = |from: u64, to: u64| float(to.saturating_sub(from)) / 1e9;
    let within = |from: u64, to: u64| {
        let mut took: Vec<f64> =
            all.iter().filter(|(due, _)| (from..to).contains(due)).map(|(_, took)| *took).collect();
        format!("{:.1} / {:.1}", ms(percentile(&mut took, 0.99)), ms(percentile(&mut took, 1.0)))
    };
    let files =
        |told: &[String]| if told.is_empty() { "none".to_owned() } else { format!("{told:?} MISSED") };
    for (name, figure) in [
        ("blanked", answer["blanked"].to_string()),
        ("answered after ms", format!("{:.0}", seconds(asked_at, answered_at) * 1e3)),
        ("nothing found in any file after s", at_most(seconds(asked_at, gone_at), SECONDS_MAX)),
        ("compressed deliveries that tell of them then", told_bodies.to_string()),
        ("positions and metrics of before are the same", if are_same { "ok" } else { "MISSED" }.to_owned()),
        ("deliveries, p99 / slowest ms, before", within(0, asked_at)),
        ("deliveries, p99 / slowest ms, from then to the last find", within(asked_at, gone_at)),
        ("files that tell of them: backup of before", format!("{told_before:?}")),
        ("the same, restored where it was", files(&told_restored.0)),
        ("the same, restored elsewhere from the bucket", files(&told_elsewhere.0)),
        ("compressed deliveries, in both", format!("{} + {}", told_restored.1, told_elsewhere.1)),
    ] {
        table.row(vec![name.to_owned(), figure]);
    }
    table.note(format!(
        "{MESSAGES} messages of the person. Files were searched {rounds} times, one search after the other."
    ));
    table.print()?;
    if told_before.is_empty() {
        return Err(io::Error::other("the person was never there"));
    }
    Ok(())
}

/// Posts everything about the person: texts, files, places and cards.
fn lives(hub: &Hub) -> io::Result<()> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/deliveries/01_message_text_contact.json");
    let template: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    let mut client = Client::connect(hub.address)?;
    for number in 0..MESSAGES {
        let at = format!("2025-05-{:02}T13:{:02}:00.000Z", number / 60 + 1, number % 60);
        let mut delivery = template.clone();
        let mut set = |pointer: &str, value: Value| {
            if let Some(place) = delivery.pointer_mut(pointer) {
                *place = value;
            }
        };
        set("/EventId", json!(format!("erased-event-{number}")));
        set("/EventDate", json!(at));
        set("/Payload/Content/Id", json!(format!("erased-chat-{}", number % 2)));
        set("/Payload/Content/CreatedAtUTC", json!("2025-05-01T13:00:00.000Z"));
        set("/Payload/Content/Contact/Id", json!(CONTACT));
        set("/Payload/Content/Contact/Name", json!("Quirimbaldo Vexilofone"));
        set("/Payload/Content/Contact/PhoneNumber", json!("+5511987654321"));
        set("/Payload/Content/Contact/ProfilePictureUrl", json!("https://flautim.example/p"));
        set("/Payload/Content/LastMessage/Id", json!(format!("erased-message-{number}")));
        set("/Payload/Content/LastMessage/EventAtUTC", json!(at));
        set("/Payload/Content/LastMessage/CreatedAtUTC", json!(at));
        set("/Payload/Content/LastMessage/Content", json!(format!("um zuzubemba, e mais {number}")));
        let (kind, field, value) = match number % 4 {
            1 => (
                "Document",
                "File",
                json!({ "Url": "https://flautim.example/f", "OriginalName": "oficleide.pdf" }),
            ),
            2 => (
                "Location",
                "Location",
                json!({ "Latitude": -23.5, "Longitude": -46.6, "Name": "Rua do Sarrussofone" }),
            ),
            3 => ("Contact", "Contacts", json!([{ "Name": "Tubafone", "PhoneNumbers": ["+5511900000077"] }])),
            _ => ("Text", "File", Value::Null),
        };
        set("/Payload/Content/LastMessage/MessageType", json!(kind));
        set(&format!("/Payload/Content/LastMessage/{field}"), value);
        client.send("POST", "/api/umbler/webhook", &delivery.to_string())?;
    }
    Ok(())
}

/// Posts on connections of their own, each delivery when it is due, until it is over.
fn post_by_the_clock(
    hub: &Hub,
    clock: Instant,
    is_over: &Arc<AtomicBool>,
) -> io::Result<Vec<JoinHandle<io::Result<Answered>>>> {
    let each = Duration::from_secs(1) * u32::try_from(CONNECTIONS).unwrap_or(1)
        / u32::try_from(PER_SECOND).unwrap_or(1);
    let one = |number: u64| {
        let mut client = Client::connect(hub.address)?;
        let series = format!("beside-{number}");
        let mut deliveries = Deliveries::news(&series, 500, clock::now(), SignedDuration::from_millis(20))?;
        let is_over = Arc::clone(is_over);
        Ok(std::thread::spawn(move || {
            pin(&[LOAD_CORE])?;
            let (mut answered, mut body) = (Answered::new(), String::new());
            let mut due = clock.elapsed();
            while !is_over.load(Ordering::Relaxed) {
                std::thread::sleep(due.saturating_sub(clock.elapsed()));
                body.clear();
                deliveries.write_next(&mut body);
                client.send("POST", "/api/umbler/webhook", &body)?;
                let due_nanos = u64::try_from(due.as_nanos()).unwrap_or(u64::MAX);
                answered.push((due_nanos, float(nanos_since(clock).saturating_sub(due_nanos))));
                due += each;
            }
            Ok(answered)
        }))
    };
    (0..CONNECTIONS).map(one).collect()
}

/// When no file told of the person any more, and how often they were searched.
fn gone(folder: &Path, clock: Instant) -> io::Result<(u64, u32)> {
    let begun = Instant::now();
    for rounds in 1.. {
        let told = traces(folder)?;
        if told.is_empty() {
            return Ok((nanos_since(clock), rounds));
        }
        progress(&format!("erasure: after {:.1} s still in {told:?}", begun.elapsed().as_secs_f64()))?;
        if begun.elapsed() > PATIENCE {
            break;
        }
    }
    Err(io::Error::other("the person is still there"))
}

/// The files of a folder whose bytes tell of the person, as grep finds them.
fn traces(folder: &Path) -> io::Result<Vec<String>> {
    let mut grep = Command::new("grep");
    grep.env("LC_ALL", "C").args(["-ralF"]);
    for trace in TRACES {
        grep.args(["-e", trace]);
    }
    let output = grep.arg(folder).stdin(Stdio::null()).output()?;
    // 1: nothing found; 2: a file was gone meanwhile, such as one that is written anew.
    if output.status.code().is_none_or(|code| code > 2) {
        return Err(io::Error::other("grep failed"));
    }
    let name = |line: &str| PathBuf::from(line).file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(name).collect())
}

fn open(folder: &Path) -> io::Result<Connection> {
    Connection::open_with_flags(folder.join("hub.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(io::Error::other)
}

/// How many compressed deliveries tell of the person, of those since the history ended: what came before cannot.
fn bodies(folder: &Path) -> io::Result<usize> {
    let database = open(folder)?;
    let read = || -> rusqlite::Result<Vec<Vec<u8>>> {
        let sql = "SELECT body FROM raw_deliveries WHERE seq > 1000000 UNION ALL SELECT body FROM ignored_deliveries";
        database.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    let mut count = 0;
    for body in read().map_err(io::Error::other)? {
        let text = zstd::decode_all(&*body)?;
        let text = String::from_utf8_lossy(&text);
        count += usize::from(TRACES.iter().any(|trace| text.contains(trace)));
    }
    Ok(count)
}

/// What the positions up to this one are: how many, and of which ids.
fn positions(folder: &Path, newest: i64) -> io::Result<(i64, i64, i64)> {
    let sql = "SELECT count(*), sum(seq), sum(length(event_id)) FROM journal WHERE seq <= ?1";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    open(folder)?.query_row(sql, [newest], row).map_err(io::Error::other)
}

/// Waits until everything is in the bucket.
fn await_cover(hub: &Hub) -> io::Result<()> {
    let (now, begun) = (clock::now().to_string(), Instant::now());
    while hub.json("/health")?["backupCoveredUntil"].as_str().is_none_or(|until| until < &*now) {
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::other("the bucket does not follow"));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// Runs a command of the hub in its folder.
fn run(folder: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> io::Result<()> {
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_umbler-hub"))
        .current_dir(folder)
        .env("DATABASE_PATH", folder.join("hub.db"))
        .envs(settings.iter().copied())
        .args(arguments)
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        io::stderr().write_all(&output.stderr)?;
        return Err(io::Error::other(format!("{arguments:?} failed")));
    }
    progress(&format!("erasure: {} took {:.1} s", arguments[0], begun.elapsed().as_secs_f64()))
}
