//! Deleting by age beside live updates: a year of a million messages, all of them too old, with and without, in turn.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use rusqlite::{Connection, OpenFlags};
use umbler_hub::facade::testing::clock;

use super::Plan;
use super::deliveries::Deliveries;
use super::fan_out::{SUBSCRIBE, SUBSCRIBED};
use super::figures::{float, median_of, ms, percentile};
use super::history::{CHECK_PATIENCE, NOT_BUILT, copy, is_checking, million};
use super::process::{Hub, Place, fresh_folder};
use super::screens::{CONNECTING, Heard, PATIENCE, Screens, Turned, nanos_since};
use super::senders::{Language, Senders};
use super::table::{Table, at_most, progress};

/// Screens that are told everything.
const SCREENS: usize = 50;
/// Deliveries in a second, by the clock.
const PER_SECOND: u64 = 100;
/// Connections that post them.
const SENDERS: usize = 32;
/// Chats that they belong to.
const CHATS: u64 = 500;
/// Older than anything is kept.
const AGE_DAYS: i64 = 400;
/// Most that the 99th of a hundred updates may take, divided by without.
const RATIO_MAX: f64 = 1.5;
/// What is deleted, with its settings, and the statement that tells how far that is.
const KINDS: [Kind; 2] = [
    Kind {
        name: "raw deliveries are reduced",
        settings: &[("RETAIN_RAW", "30")],
        done: "SELECT coalesce((SELECT count(*) FROM journal WHERE seq <= (SELECT done FROM retention WHERE what = 'raw')), 0)",
    },
    Kind {
        name: "texts are blanked",
        settings: &[("RETAIN_RAW", "0"), ("RETAIN_TEXTS", "30")],
        done: "SELECT coalesce((SELECT count(*) FROM messages WHERE at <= (SELECT done FROM retention WHERE what = 'texts')), 0)",
    },
];

struct Kind {
    name: &'static str,
    settings: &'static [(&'static str, &'static str)],
    done: &'static str,
}

/// The times of one run, in nanoseconds.
struct Times {
    p50: f64,
    p99: f64,
}

/// A run without, one with, and how many rows were handled in a second meanwhile.
struct Pair {
    without: Times,
    with: Times,
    rows: f64,
}

/// Measures and prints.
pub fn measure(plan: &Plan) -> io::Result<()> {
    let Some(stored) = million(plan)? else { return progress(NOT_BUILT) };
    let folder = fresh_folder()?;
    progress("retention: a copy of the million messages, received long ago")?;
    copy(&stored, folder.path())?;
    age(folder.path())?;
    let mut table = Table::new(
        "Live updates while a year of a million messages is deleted by its age",
        &["", "p50 ms without", "with", "p99 ms without", "with", "p99 ratio", "rows/s meanwhile"],
    );
    let mut run = 0;
    for kind in &KINDS {
        let mut pairs = Vec::new();
        for round in 0..plan.rounds {
            progress(&format!("retention: {}, pair {}", kind.name, round + 1))?;
            let [first, second] = [run, run + 1];
            run += 2;
            let without = |number| live(folder.path(), &[("RETAIN_RAW", "0")], None, number, plan);
            let with = |number| live(folder.path(), kind.settings, Some(kind), number, plan);
            let ((without, _), (with, rows)) = if round % 2 == 0 {
                (without(first)?, with(second)?)
            } else {
                let with = with(first)?;
                (without(second)?, with)
            };
            progress(&format!(
                "p99 {:.1} ms without, {:.1} ms with, {rows:.0} rows/s",
                ms(without.p99),
                ms(with.p99)
            ))?;
            pairs.push(Pair { without, with, rows });
        }
        table.row(row(kind.name, &pairs));
    }
    table.note(format!(
        "{SCREENS} screens, {PER_SECOND} deliveries a second by the clock; from when a delivery was due to its receipt. {} pairs in turn.",
        plan.rounds
    ));
    table.print()
}

fn row(name: &str, pairs: &[Pair]) -> Vec<String> {
    let two = |value: f64| format!("{value:.2}");
    vec![
        name.to_owned(),
        two(ms(median_of(pairs, |pair| pair.without.p50))),
        two(ms(median_of(pairs, |pair| pair.with.p50))),
        two(ms(median_of(pairs, |pair| pair.without.p99))),
        two(ms(median_of(pairs, |pair| pair.with.p99))),
        at_most(median_of(pairs, |pair| pair.with.p99 / pair.without.p99), RATIO_MAX),
        format!("{:.0}", median_of(pairs, |pair| pair.rows)),
    ]
}

/// Has everything be received long ago, as if the hub had run for so long.
fn age(folder: &Path) -> io::Result<()> {
    let nanos =
        i64::try_from(SignedDuration::from_hours(AGE_DAYS * 24).as_nanos()).map_err(io::Error::other)?;
    let database = Connection::open(folder.join("hub.db")).map_err(io::Error::other)?;
    let change = || -> rusqlite::Result<()> {
        database.execute("UPDATE journal SET received_at = received_at - ?1", [nanos])?;
        // Updates tell when their delivery was received, so their digests cannot be made again.
        database.execute("DELETE FROM blocks", [])?;
        Ok(())
    };
    change().map_err(io::Error::other)
}

fn done(folder: &Path, kind: &Kind) -> io::Result<u64> {
    let count = || -> rusqlite::Result<i64> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        Connection::open_with_flags(folder.join("hub.db"), flags)?.query_row(kind.done, [], |row| row.get(0))
    };
    count().map_err(io::Error::other).map(|count| u64::try_from(count).unwrap_or(0))
}

/// True while the index of words is merged, which a run before has left to do.
fn is_merging(folder: &Path) -> io::Result<bool> {
    let merging = || -> rusqlite::Result<bool> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let index = Connection::open_with_flags(folder.join("hub.db.search"), flags)?;
        index.query_row("SELECT is_merging = 1 FROM forgotten", [], |row| row.get(0))
    };
    merging().map_err(io::Error::other)
}

/// Starts a hub, and posts by the clock; with the rows that were handled in a second.
fn live(
    folder: &Path,
    settings: &[(&str, &str)],
    kind: Option<&Kind>,
    number: usize,
    plan: &Plan,
) -> io::Result<(Times, f64)> {
    let hub = Hub::start_with(folder, Place::OneCore, settings)?;
    let begun = Instant::now();
    while is_checking(&hub)? && begun.elapsed() < CHECK_PATIENCE {
        std::thread::sleep(Duration::from_millis(200));
    }
    while kind.is_none() && is_merging(folder)? && begun.elapsed() < CHECK_PATIENCE {
        std::thread::sleep(Duration::from_millis(200));
    }
    let mut screens = Screens::new(hub.address, SUBSCRIBE)?;
    screens.connect(SCREENS, CONNECTING, SUBSCRIBED)?;
    let news =
        Deliveries::news(&format!("live-{number}"), CHATS, clock::now(), SignedDuration::from_millis(10))?;
    let mut senders = Senders::new(hub.address, Language::Webhook(news));
    senders.ready(SENDERS, &screens)?;
    // The first ones open caches and files.
    post(&mut screens, &mut senders, PER_SECOND)?;
    let before = kind.map(|kind| done(folder, kind)).transpose()?;
    let begun = Instant::now();
    let seconds: u64 = if plan.quick { 8 } else { 15 };
    let times = post(&mut screens, &mut senders, PER_SECOND * seconds)?;
    let took = begun.elapsed().as_secs_f64();
    let (Some(kind), Some(before)) = (kind, before) else { return Ok((times, 0.0)) };
    let after = done(folder, kind)?;
    if after == before {
        return Err(io::Error::other(format!("nothing was deleted meanwhile: {} at {before}", kind.name)));
    }
    Ok((times, float(after - before) / took))
}

/// Posts so many by the clock, and waits until every screen has each.
fn post(screens: &mut Screens, senders: &mut Senders, deliveries: u64) -> io::Result<Times> {
    let (begun, each) = (Instant::now(), 1_000_000_000 / PER_SECOND);
    // In turn, because the hub closes a connection that sends nothing for seconds.
    let mut free: VecDeque<usize> = (0..SENDERS).collect();
    let (mut sent, mut answered) = (0, 0);
    // How many each screen has heard. One comes after the other, so the n-th that it hears is the n-th that was committed, which is
    // the n-th that was due but where two were under way at once.
    let mut heard = vec![0_u64; SCREENS];
    let mut times = Vec::new();
    let mut last_news = Instant::now();
    while answered < deliveries || heard.iter().any(|heard| *heard < deliveries) {
        let now = nanos_since(begun);
        if sent < deliveries
            && now >= sent * each
            && let Some(sender) = free.pop_front()
        {
            senders.send(sender)?;
            sent += 1;
        }
        let mut failed = None;
        let is_news = screens.turn_within(Duration::ZERO, |turned| match turned {
            Turned::Heard(screen, Heard::Update(_)) => {
                times.push(float(nanos_since(begun).saturating_sub(heard[screen] * each)));
                heard[screen] += 1;
            }
            Turned::Heard(..) | Turned::Opened(_) => {}
            Turned::Other(sender) => match senders.read(sender) {
                Ok(Some(_position)) => {
                    free.push_back(sender);
                    answered += 1;
                }
                Ok(None) => {}
                Err(error) => failed = Some(error),
            },
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        if is_news {
            last_news = Instant::now();
        } else if last_news.elapsed() > PATIENCE {
            return Err(io::Error::other("a screen was not told of all deliveries"));
        }
    }
    if screens.lost() > 0 {
        return Err(io::Error::other(format!("{} screens were lost", screens.lost())));
    }
    Ok(Times { p50: percentile(&mut times, 0.50), p99: percentile(&mut times, 0.99) })
}
