//! One table of numbers: per metric, and per bucket of time, hour of the week, agent, sector, line or tag.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};

use super::ask::{Clock, Filter, Period, Progress, weekday_and_hour};
use super::scan::{Brings, Scan, Seen};
use crate::archive::{ArchiveError, Query};
use crate::domain::metrics::{Metric, Spread};
use crate::domain::stats::bucket;

/// What the rows of a table are of.
#[derive(Debug, Clone)]
pub enum Grouping {
    /// Everything.
    Whole,
    /// Buckets: where each begins, ascending, in the period and in the one that it is compared with.
    Buckets(Vec<Timestamp>, Vec<Timestamp>),
    /// Weekdays and hours.
    Hours,
    /// Agents.
    Agents,
    /// Sectors.
    Sectors,
    /// Lines.
    Channels,
    /// Tags: a chat with two counts with each.
    Tags,
}

/// What a row is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Everything.
    Whole,
    /// The bucket of this number.
    Bucket(usize),
    /// Weekday, Monday being 1, and hour.
    Hour(i8, i8),
    /// Who has this id.
    Id(String),
    /// What is nobody's.
    Nobody,
}

/// Asks for a table.
#[derive(Debug, Clone)]
pub struct Tabulate {
    /// These metrics, in this order.
    pub metrics: Vec<Metric>,
    /// In this period.
    pub period: Period,
    /// Beside this one.
    pub previous: Option<Period>,
    /// Of these chats.
    pub filter: Filter,
    /// On this clock.
    pub clock: Clock,
    /// Row by row of these.
    pub grouping: Grouping,
}

/// The numbers of one period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// How often.
    pub n: usize,
    /// How long; `None` for counts, and where there is nothing.
    pub spread: Option<Spread>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    /// Of what.
    pub key: Key,
    /// What sectors, lines and tags are called.
    pub name: Option<String>,
    /// Which metric.
    pub metric: Metric,
    /// The numbers of the period.
    pub numbers: Numbers,
    /// Those of the period before, where it is asked for.
    pub previous: Option<Numbers>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tabulated {
    /// How far it goes.
    pub progress: Progress,
    /// Its rows, by key and metric.
    pub rows: Vec<TableRow>,
}

/// What a scan found of one row.
#[derive(Debug, Default)]
struct Tally {
    n: usize,
    /// Of metrics that have any.
    durations: Vec<i64>,
}

type Tallies = BTreeMap<(Key, Metric), Tally>;

impl Query for Tabulate {
    type Answer = Tabulated;

    fn answer(self, tx: &Transaction<'_>) -> Result<Tabulated, ArchiveError> {
        let progress = Progress::read(tx)?;
        let mut now = self.tallies(tx, self.period, false)?;
        let mut before = self.previous.map(|period| self.tallies(tx, period, true)).transpose()?;
        let mut keys: BTreeSet<(Key, Metric)> = now.keys().cloned().collect();
        keys.extend(before.iter().flat_map(BTreeMap::keys).cloned());
        keys.extend(self.always());
        let rows = keys.into_iter().map(|place| {
            let numbers = sum_up(now.remove(&place));
            let previous = before.as_mut().map(|before| sum_up(before.remove(&place)));
            let (key, metric) = place;
            Ok(TableRow { name: self.name(tx, &key)?, key, metric, numbers, previous })
        });
        Ok(Tabulated { progress, rows: rows.collect::<Result<_, ArchiveError>>()? })
    }
}

impl Tabulate {
    fn tallies(&self, tx: &Transaction<'_>, period: Period, previous: bool) -> Result<Tallies, ArchiveError> {
        let mut tallies = Tallies::new();
        for metric in &self.metrics {
            let brings = match self.grouping {
                Grouping::Whole | Grouping::Buckets(..) | Grouping::Hours => Brings::Nothing,
                Grouping::Agents => Brings::Agent,
                Grouping::Sectors => Brings::Sector,
                Grouping::Channels => Brings::Channel,
                Grouping::Tags => Brings::Tags,
            };
            let scan = Scan { metric: *metric, period, filter: &self.filter, clock: self.clock, brings };
            let of_metric = if matches!(self.grouping, Grouping::Whole) && !metric.is_duration() {
                BTreeMap::from([(Key::Whole, Tally { n: scan.count(tx)?, durations: Vec::new() })])
            } else {
                self.scanned(tx, &scan, previous)?
            };
            tallies.extend(of_metric.into_iter().map(|(key, tally)| ((key, *metric), tally)));
        }
        Ok(tallies)
    }

    fn scanned(
        &self,
        tx: &Transaction<'_>,
        scan: &Scan<'_>,
        previous: bool,
    ) -> Result<BTreeMap<Key, Tally>, ArchiveError> {
        let timed = scan.metric.is_duration();
        let add = |tally: &mut Tally, seen: &Seen<'_>| {
            tally.n += 1;
            if timed {
                tally.durations.push(seen.duration);
            }
        };
        match &self.grouping {
            Grouping::Whole | Grouping::Buckets(..) | Grouping::Hours => {
                let mut places: BTreeMap<Key, Tally> = BTreeMap::new();
                // Facts come by time: mostly the key is the one before.
                let mut last: Option<(i64, Key)> = None;
                scan.each(tx, |seen| {
                    let quarter = bucket(seen.at);
                    if last.as_ref().is_none_or(|(known, _)| *known != quarter) {
                        last = Some((quarter, self.key_at(seen.at, previous)));
                    }
                    if let Some((_, key)) = &last {
                        add(places.entry(key.clone()).or_default(), &seen);
                    }
                })?;
                Ok(places)
            }
            Grouping::Agents | Grouping::Sectors | Grouping::Channels | Grouping::Tags => {
                let (mut known, mut nobody) = (HashMap::<String, Tally>::new(), Tally::default());
                let mut count = |id: &str, seen: &Seen<'_>| {
                    // No text is copied for an id that is known.
                    if let Some(tally) = known.get_mut(id) {
                        add(tally, seen);
                    } else {
                        add(known.entry(id.to_owned()).or_default(), seen);
                    }
                };
                scan.each(tx, |seen| match seen.id {
                    None => add(&mut nobody, &seen),
                    Some(tags) if scan.brings == Brings::Tags => {
                        tags.split_terminator('\n').skip(1).for_each(|tag| count(tag, &seen));
                    }
                    Some(id) => count(id, &seen),
                })?;
                let nobody = Some((Key::Nobody, nobody)).filter(|(_, tally)| tally.n > 0);
                Ok(known.into_iter().map(|(id, tally)| (Key::Id(id), tally)).chain(nobody).collect())
            }
        }
    }

    /// The key of a moment. It holds for its whole quarter of an hour, as far as that lies in the period: days, hours and
    /// their like begin with one in every zone.
    fn key_at(&self, at: Timestamp, previous: bool) -> Key {
        match &self.grouping {
            Grouping::Buckets(now, before) => {
                let buckets = if previous { before } else { now };
                Key::Bucket(buckets.partition_point(|begin| *begin <= at).saturating_sub(1))
            }
            Grouping::Hours => {
                let (weekday, hour) = weekday_and_hour(at, &self.filter.zone);
                Key::Hour(weekday, hour)
            }
            Grouping::Whole | Grouping::Agents | Grouping::Sectors | Grouping::Channels | Grouping::Tags => {
                Key::Whole
            }
        }
    }

    /// Rows that are there although nothing happened.
    fn always(&self) -> Vec<(Key, Metric)> {
        let keys: Vec<Key> = match &self.grouping {
            Grouping::Whole => vec![Key::Whole],
            Grouping::Buckets(now, _) => (0..now.len()).map(Key::Bucket).collect(),
            Grouping::Hours | Grouping::Agents | Grouping::Sectors | Grouping::Channels | Grouping::Tags => {
                Vec::new()
            }
        };
        keys.iter().flat_map(|key| self.metrics.iter().map(move |metric| (key.clone(), *metric))).collect()
    }

    /// Names of agents are kept elsewhere.
    fn name(&self, tx: &Transaction<'_>, key: &Key) -> Result<Option<String>, ArchiveError> {
        let what = match &self.grouping {
            Grouping::Sectors => "sector",
            Grouping::Channels => "channel",
            Grouping::Tags => "tag",
            Grouping::Whole | Grouping::Buckets(..) | Grouping::Hours | Grouping::Agents => return Ok(None),
        };
        let Key::Id(id) = key else { return Ok(None) };
        name_of(tx, what, id)
    }
}

/// What the team calls a sector, a line or a tag.
pub(super) fn name_of(tx: &Transaction<'_>, what: &str, id: &str) -> Result<Option<String>, ArchiveError> {
    let mut select = tx.prepare_cached("SELECT name FROM names WHERE what = ? AND id = ?")?;
    Ok(select.query_row([what, id], |row| row.get(0)).optional()?)
}

fn sum_up(tally: Option<Tally>) -> Numbers {
    let mut tally = tally.unwrap_or_default();
    Numbers { n: tally.n, spread: Spread::of(&mut tally.durations) }
}
