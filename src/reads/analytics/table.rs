//! One table of numbers: per metric, and per bucket of time, hour of the week, agent, sector, line or tag.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};

use super::filter::{Clock, Filter, Period, weekday_and_hour};
use super::scan::{Detail, GroupBy, Scan, ScannedFact, VisibleChats};
use crate::derived::analytics::Progress;
use crate::derived::analytics::rows::tags_of;
use crate::domain::metrics::{Metric, Spread};
use crate::domain::stats::bucket;
use crate::reads::{Query, ReadError};

/// What each row of a table stands for.
#[derive(Debug, Clone)]
pub enum Grouping {
    Whole,
    /// How long something took, in the buckets of [`duration_bucket`]. Only for metrics that are
    /// durations.
    DurationBuckets,
    /// Buckets of time, given by their beginnings in ascending order: those of the period, and those of
    /// the period it is compared with.
    Buckets(Vec<Timestamp>, Vec<Timestamp>),
    /// By weekday and hour of the day.
    Hours,
    Agents,
    Sectors,
    Channels,
    /// A fact with two tags counts in both rows.
    Tags,
}

/// Identifies a row of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    /// The only row of a table that is not grouped.
    Whole,
    /// Number of a duration bucket, from 0.
    DurationBucket(usize),
    /// Number of a bucket of time, from 0.
    Bucket(usize),
    /// Weekday (Monday being 1) and hour.
    Hour(i8, i8),
    /// Id of an agent, sector, line or tag.
    Id(String),
    /// Facts without an agent, sector, line or tag.
    Nobody,
}

/// Where the duration buckets begin, in seconds. The last one has no end.
const DURATION_BUCKETS: [i64; 16] =
    [0, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 172_800, 604_800];

/// A duration bucket, in milliseconds: its first, and the first after it (`None` for the last bucket).
pub fn duration_bucket(number: usize) -> (i64, Option<i64>) {
    let begin = |number: usize| DURATION_BUCKETS.get(number).map(|seconds| seconds * 1_000);
    (begin(number).unwrap_or_default(), begin(number + 1))
}

/// Asks for a table of metrics over a period.
#[derive(Debug, Clone)]
pub struct Tabulate {
    /// In the order of the answer.
    pub metrics: Vec<Metric>,
    pub period: Period,
    /// A period to compare with.
    pub previous: Option<Period>,
    pub filter: Filter,
    pub clock: Clock,
    pub grouping: Grouping,
}

/// Numbers of one row in one period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// How many facts there are.
    pub n: usize,
    /// `None` for metrics that only count, and if there are no facts.
    pub spread: Option<Spread>,
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    pub key: GroupKey,
    /// Name of the sector, line or tag; `None` for other rows, and if no name is known.
    pub name: Option<String>,
    pub metric: Metric,
    pub numbers: Statistics,
    /// Numbers of the period to compare with; `None` if there is none.
    pub previous: Option<Statistics>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tabulated {
    /// How far the facts have followed the journal.
    pub progress: Progress,
    /// Ordered by key and metric.
    pub rows: Vec<TableRow>,
}

/// The facts of one row, as they are collected.
#[derive(Debug, Default)]
struct GroupTally {
    n: usize,
    /// In milliseconds. Empty for metrics that only count.
    durations: Vec<i64>,
}

impl GroupTally {
    fn add(&mut self, seen: &ScannedFact, timed: bool) {
        self.n += 1;
        if timed {
            self.durations.push(seen.duration);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.durations.extend_from_slice(&other.durations);
    }
}

type GroupTallies = BTreeMap<(GroupKey, Metric), GroupTally>;

impl Query for Tabulate {
    type Answer = Tabulated;

    fn answer(self, tx: &Transaction<'_>) -> Result<Tabulated, ReadError> {
        let progress = Progress::read(tx)?;
        let mut now = self.tallies(tx, self.period, false)?;
        let mut before = self.previous.map(|period| self.tallies(tx, period, true)).transpose()?;
        let mut keys: BTreeSet<(GroupKey, Metric)> = now.keys().cloned().collect();
        keys.extend(before.iter().flat_map(BTreeMap::keys).cloned());
        keys.extend(self.always());
        let rows = keys.into_iter().map(|place| {
            let numbers = sum_up(now.remove(&place));
            let previous = before.as_mut().map(|before| sum_up(before.remove(&place)));
            let (key, metric) = place;
            Ok(TableRow { name: self.name(tx, &key)?, key, metric, numbers, previous })
        });
        Ok(Tabulated { progress, rows: rows.collect::<Result<_, ReadError>>()? })
    }
}

impl Tabulate {
    fn tallies(
        &self,
        tx: &Transaction<'_>,
        period: Period,
        previous: bool,
    ) -> Result<GroupTallies, ReadError> {
        let (mut tallies, visible) = (GroupTallies::new(), VisibleChats::default());
        let (group_by, detail) = match self.grouping {
            Grouping::Whole | Grouping::DurationBuckets => (GroupBy::Nothing, Detail::Durations),
            Grouping::Buckets(..) | Grouping::Hours => (GroupBy::Nothing, Detail::Moments),
            Grouping::Agents => (GroupBy::Agent, Detail::Durations),
            Grouping::Sectors => (GroupBy::Sector, Detail::Durations),
            Grouping::Channels => (GroupBy::Channel, Detail::Durations),
            Grouping::Tags => (GroupBy::Tags, Detail::Durations),
        };
        for metric in &self.metrics {
            let (filter, clock, visible) = (&self.filter, self.clock, &visible);
            let scan = Scan { metric: *metric, period, filter, clock, group_by, detail, visible };
            let of_metric: Vec<(GroupKey, GroupTally)> = match (detail, group_by) {
                (Detail::Moments, _) => self.by_moment(tx, &scan, previous)?,
                _ if matches!(self.grouping, Grouping::DurationBuckets) => by_duration(tx, &scan)?,
                (_, GroupBy::Nothing) if !metric.is_duration() => {
                    vec![(GroupKey::Whole, GroupTally { n: scan.count(tx)?, durations: Vec::new() })]
                }
                _ => by_id(tx, &scan)?,
            };
            tallies.extend(of_metric.into_iter().map(|(key, tally)| ((key, *metric), tally)));
        }
        Ok(tallies)
    }

    fn by_moment(
        &self,
        tx: &Transaction<'_>,
        scan: &Scan<'_>,
        previous: bool,
    ) -> Result<Vec<(GroupKey, GroupTally)>, ReadError> {
        let timed = scan.metric.is_duration();
        let mut places: BTreeMap<GroupKey, usize> = BTreeMap::new();
        let mut tallies: Vec<GroupTally> = Vec::new();
        // Facts come ordered by time, so the key is mostly the same as for the fact before.
        let mut last: Option<(i64, usize)> = None;
        let take = |seen: ScannedFact| {
            let quarter = bucket(seen.at);
            let place = match last {
                Some((known, place)) if known == quarter => place,
                _ => *places.entry(self.key_at(seen.at, previous)).or_insert_with(|| {
                    tallies.push(GroupTally::default());
                    tallies.len() - 1
                }),
            };
            last = Some((quarter, place));
            if let Some(tally) = tallies.get_mut(place) {
                tally.add(&seen, timed);
            }
        };
        scan.each(tx, |_id| 0, take)?;
        let mut tally = |place: usize| tallies.get_mut(place).map(std::mem::take).unwrap_or_default();
        Ok(places.into_iter().map(|(key, place)| (key, tally(place))).collect())
    }

    /// The row of a moment. It is the same for a whole quarter of an hour within the period, because in
    /// every time zone days and hours begin at a quarter.
    fn key_at(&self, at: Timestamp, previous: bool) -> GroupKey {
        match &self.grouping {
            Grouping::Buckets(now, before) => {
                let buckets = if previous { before } else { now };
                GroupKey::Bucket(buckets.partition_point(|begin| *begin <= at).saturating_sub(1))
            }
            Grouping::Hours => {
                let (weekday, hour) = weekday_and_hour(at, &self.filter.zone);
                GroupKey::Hour(weekday, hour)
            }
            Grouping::Whole
            | Grouping::DurationBuckets
            | Grouping::Agents
            | Grouping::Sectors
            | Grouping::Channels
            | Grouping::Tags => GroupKey::Whole,
        }
    }

    /// Rows that a table has even if nothing happened.
    fn always(&self) -> Vec<(GroupKey, Metric)> {
        let keys: Vec<GroupKey> = match &self.grouping {
            Grouping::Whole => vec![GroupKey::Whole],
            Grouping::DurationBuckets => (0..DURATION_BUCKETS.len()).map(GroupKey::DurationBucket).collect(),
            Grouping::Buckets(now, _) => (0..now.len()).map(GroupKey::Bucket).collect(),
            Grouping::Hours | Grouping::Agents | Grouping::Sectors | Grouping::Channels | Grouping::Tags => {
                Vec::new()
            }
        };
        keys.iter().flat_map(|key| self.metrics.iter().map(move |metric| (key.clone(), *metric))).collect()
    }

    /// Agents have no name here: their names are in the directory.
    fn name(&self, tx: &Transaction<'_>, key: &GroupKey) -> Result<Option<String>, ReadError> {
        let what = match &self.grouping {
            Grouping::Sectors => "sector",
            Grouping::Channels => "channel",
            Grouping::Tags => "tag",
            Grouping::Whole
            | Grouping::DurationBuckets
            | Grouping::Buckets(..)
            | Grouping::Hours
            | Grouping::Agents => return Ok(None),
        };
        let GroupKey::Id(id) = key else { return Ok(None) };
        name_of(tx, what, id)
    }
}

/// Counts facts by duration bucket.
fn by_duration(tx: &Transaction<'_>, scan: &Scan<'_>) -> Result<Vec<(GroupKey, GroupTally)>, ReadError> {
    let mut tallies: BTreeMap<GroupKey, GroupTally> = BTreeMap::new();
    let take = |seen: ScannedFact| {
        let after = DURATION_BUCKETS.partition_point(|seconds| seconds * 1_000 <= seen.duration);
        tallies.entry(GroupKey::DurationBucket(after.saturating_sub(1))).or_default().n += 1;
    };
    scan.each(tx, |_id| 0, take)?;
    Ok(tallies.into_iter().collect())
}

/// Collects facts by the id that the scan groups by, or all in one row if it groups by none.
fn by_id(tx: &Transaction<'_>, scan: &Scan<'_>) -> Result<Vec<(GroupKey, GroupTally)>, ReadError> {
    let timed = scan.metric.is_duration();
    let mut slots: HashMap<Option<String>, usize> = HashMap::new();
    // Equal ids often follow each other; these are not copied again.
    let (mut last, mut tallies): (Option<(Option<String>, usize)>, Vec<GroupTally>) = (None, Vec::new());
    let slot = |id: Option<&str>| {
        if let Some((known, slot)) = &last
            && known.as_deref() == id
        {
            return *slot;
        }
        let next = slots.len();
        let id = id.map(str::to_owned);
        let slot = *slots.entry(id.clone()).or_insert(next);
        last = Some((id, slot));
        slot
    };
    let take = |seen: ScannedFact| {
        if tallies.len() <= seen.slot {
            tallies.resize_with(seen.slot + 1, GroupTally::default);
        }
        if let Some(tally) = tallies.get_mut(seen.slot) {
            tally.add(&seen, timed);
        }
    };
    scan.each(tx, slot, take)?;
    let mut found: BTreeMap<GroupKey, GroupTally> = BTreeMap::new();
    for (id, slot) in slots {
        let Some(tally) = tallies.get(slot).filter(|tally| tally.n > 0) else { continue };
        let mut add = |key| found.entry(key).or_default().merge(tally);
        match id {
            None if scan.group_by == GroupBy::Nothing => add(GroupKey::Whole),
            None => add(GroupKey::Nobody),
            Some(tags) if scan.group_by == GroupBy::Tags => {
                for tag in tags_of(Some(&tags)) {
                    add(GroupKey::Id(tag));
                }
            }
            Some(id) => add(GroupKey::Id(id)),
        }
    }
    Ok(found.into_iter().collect())
}

/// Name of a sector, line or tag.
pub(super) fn name_of(tx: &Transaction<'_>, what: &str, id: &str) -> Result<Option<String>, ReadError> {
    let mut select = tx.prepare_cached("SELECT name FROM names WHERE what = ? AND id = ?")?;
    Ok(select.query_row([what, id], |row| row.get(0)).optional()?)
}

fn sum_up(tally: Option<GroupTally>) -> Statistics {
    let mut tally = tally.unwrap_or_default();
    Statistics { n: tally.n, spread: Spread::of(&mut tally.durations) }
}
