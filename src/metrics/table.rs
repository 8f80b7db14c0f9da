//! One table of numbers: per metric, and per bucket of time, hour of the week, agent, sector, line or tag.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};

use super::ask::{Clock, Filter, Period, Progress, weekday_and_hour};
use super::scan::{Brings, Scan, Seen};
use crate::archive::{ArchiveError, Query};
use crate::domain::metrics::{Metric, Spread};

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

type Values = BTreeMap<(Key, Metric), Vec<i64>>;

impl Query for Tabulate {
    type Answer = Tabulated;

    fn answer(self, tx: &Transaction<'_>) -> Result<Tabulated, ArchiveError> {
        let progress = Progress::read(tx)?;
        let mut now = self.values(tx, self.period, false)?;
        let mut before = self.previous.map(|period| self.values(tx, period, true)).transpose()?;
        let mut keys: BTreeSet<(Key, Metric)> = now.keys().cloned().collect();
        keys.extend(before.iter().flat_map(BTreeMap::keys).cloned());
        keys.extend(self.always());
        let rows = keys.into_iter().map(|place| {
            let numbers = sum_up(place.1, now.remove(&place));
            let previous = before.as_mut().map(|before| sum_up(place.1, before.remove(&place)));
            let (key, metric) = place;
            Ok(TableRow { name: self.name(tx, &key)?, key, metric, numbers, previous })
        });
        Ok(Tabulated { progress, rows: rows.collect::<Result<_, ArchiveError>>()? })
    }
}

impl Tabulate {
    fn values(&self, tx: &Transaction<'_>, period: Period, previous: bool) -> Result<Values, ArchiveError> {
        let mut values = Values::new();
        for metric in &self.metrics {
            let brings = match self.grouping {
                Grouping::Whole | Grouping::Buckets(..) | Grouping::Hours => Brings::Nothing,
                Grouping::Agents => Brings::Agent,
                Grouping::Sectors => Brings::Sector,
                Grouping::Channels => Brings::Channel,
                Grouping::Tags => Brings::Tags,
            };
            let scan = Scan { metric: *metric, period, filter: &self.filter, clock: self.clock, brings };
            let mut of_metric: BTreeMap<Key, Vec<i64>> = BTreeMap::new();
            scan.each(tx, |seen| {
                self.keys_of(&seen, previous, |key| of_metric.entry(key).or_default().push(seen.duration));
            })?;
            values.extend(of_metric.into_iter().map(|(key, durations)| ((key, *metric), durations)));
        }
        Ok(values)
    }

    fn keys_of(&self, seen: &Seen<'_>, previous: bool, mut take: impl FnMut(Key)) {
        let id = |id: Option<&str>| id.map_or(Key::Nobody, |id| Key::Id(id.to_owned()));
        match &self.grouping {
            Grouping::Whole => take(Key::Whole),
            Grouping::Buckets(now, before) => {
                let buckets = if previous { before } else { now };
                take(Key::Bucket(buckets.partition_point(|begin| *begin <= seen.at).saturating_sub(1)));
            }
            Grouping::Hours => {
                let (weekday, hour) = weekday_and_hour(seen.at, &self.filter.zone);
                take(Key::Hour(weekday, hour));
            }
            Grouping::Agents | Grouping::Sectors | Grouping::Channels => take(id(seen.id)),
            Grouping::Tags => match seen.id {
                Some(tags) => tags.split_terminator('\n').skip(1).for_each(|tag| take(id(Some(tag)))),
                None => take(Key::Nobody),
            },
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
        let mut select = tx.prepare_cached("SELECT name FROM names WHERE what = ? AND id = ?")?;
        Ok(select.query_row([what, id], |row| row.get(0)).optional()?)
    }
}

fn sum_up(metric: Metric, durations: Option<Vec<i64>>) -> Numbers {
    let mut durations = durations.unwrap_or_default();
    let n = durations.len();
    let spread = if metric.is_duration() { Spread::of(&mut durations) } else { None };
    Numbers { n, spread }
}
