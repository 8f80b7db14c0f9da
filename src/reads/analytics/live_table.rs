//! The live metrics as a table: one row for all open chats, or one for each agent, sector, line or tag.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Transaction;

use super::dimension::Dimension;
use super::live::{LiveField, LiveNow, LiveNumbers, OpenChat, millis};
use super::table::{GroupKey, name_of};
use crate::derived::analytics::Progress;
use crate::derived::analytics::rows::tags_of;
use crate::domain::calendar::{Calendar, WorkedUntil};
use crate::domain::register::keep_earliest;
use crate::reads::{Query, ReadError};

impl Dimension {
    fn keys(self, open: &OpenChat) -> Vec<GroupKey> {
        let one = |id: &Option<String>| vec![id.clone().map_or(GroupKey::Nobody, GroupKey::Id)];
        match self {
            Self::Agent => one(&open.agent),
            Self::Sector => one(&open.sector),
            Self::Channel => one(&open.channel),
            Self::Tag => match &open.tags {
                None => vec![GroupKey::Nobody],
                Some(tags) => tags_of(Some(tags)).into_iter().map(GroupKey::Id).collect(),
            },
        }
    }

    /// The name that the metrics file knows. Agents have none here: their names are in the directory.
    fn name(self, tx: &Transaction<'_>, key: &GroupKey) -> Result<Option<String>, ReadError> {
        match key {
            GroupKey::Id(id) if self != Self::Agent => name_of(tx, self.as_str(), id),
            GroupKey::Id(_)
            | GroupKey::Nobody
            | GroupKey::Whole
            | GroupKey::DurationBucket(_)
            | GroupKey::Bucket(_)
            | GroupKey::Hour(..) => Ok(None),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveTableRow {
    pub key: GroupKey,
    /// Name of the sector, line or tag; `None` for agents, and where no name is known.
    pub name: Option<String>,
    pub numbers: LiveNumbers,
}

/// The live metrics, in rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveTable {
    /// How far the facts behind the numbers have followed the journal.
    pub progress: Progress,
    /// Ordered by key. An ungrouped table always has exactly one row, even if no chat is open.
    pub rows: Vec<LiveTableRow>,
}

/// Sums over the chats of one row, while they are read.
#[derive(Debug, Default)]
struct LiveTally {
    counts: [i64; 10],
    waits: Vec<(Timestamp, String)>,
    next_window_closes_at: Option<Timestamp>,
}

impl LiveTally {
    fn add(&mut self, open: &OpenChat, now: Timestamp) {
        for (count, field) in self.counts.iter_mut().zip(LiveField::ALL) {
            *count += i64::from(open.is(field, now));
        }
        let closes = open.window_closes_at().filter(|at| *at > now);
        keep_earliest(&mut self.next_window_closes_at, closes);
        self.waits.extend(open.unanswered_since.map(|since| (since, open.chat_id.clone())));
    }

    fn sum_up(mut self, now: Timestamp, calendar: &Calendar) -> LiveNumbers {
        self.waits.sort_unstable();
        let mut worked = WorkedUntil::new(calendar, now);
        let mut business = |since: Timestamp| millis(worked.since(since));
        let longest = self.waits.first().map(|(since, chat)| (*since, chat.clone(), business(*since)));
        LiveNumbers {
            counts: self.counts,
            longest,
            average: mean(&self.waits, business),
            next_window_closes_at: self.next_window_closes_at,
        }
    }
}

impl LiveNow {
    /// Makes the table in one pass over the open chats, and shows each of them to `look` as well.
    pub(super) fn table(
        &self,
        tx: &Transaction<'_>,
        mut look: impl FnMut(&OpenChat),
    ) -> Result<LiveTable, ReadError> {
        let progress = Progress::read(tx)?;
        self.table_of(tx, progress, |take| {
            self.each(tx, |open| {
                look(&open);
                take(open);
            })
        })
    }

    /// Makes the table of the open chats that `each` passes on.
    pub(super) fn table_of(
        &self,
        tx: &Transaction<'_>,
        progress: Progress,
        each: impl FnOnce(&mut dyn FnMut(OpenChat)) -> Result<(), ReadError>,
    ) -> Result<LiveTable, ReadError> {
        let mut tallies: BTreeMap<GroupKey, LiveTally> = BTreeMap::new();
        if self.by.is_none() {
            tallies.insert(GroupKey::Whole, LiveTally::default());
        }
        each(&mut |open| {
            let keys = self.by.map_or_else(|| vec![GroupKey::Whole], |by| by.keys(&open));
            for key in keys {
                tallies.entry(key).or_default().add(&open, self.now);
            }
        })?;
        let rows = tallies.into_iter().map(|(key, tally)| {
            let name = self.by.map_or(Ok(None), |by| by.name(tx, &key))?;
            Ok(LiveTableRow { key, name, numbers: tally.sum_up(self.now, &self.calendar) })
        });
        Ok(LiveTable { progress, rows: rows.collect::<Result<_, ReadError>>()? })
    }
}

impl Query for LiveNow {
    type Answer = LiveTable;

    fn answer(self, tx: &Transaction<'_>) -> Result<LiveTable, ReadError> {
        self.table(tx, |_open| {})
    }
}

fn mean(
    waits: &[(Timestamp, String)],
    mut business: impl FnMut(Timestamp) -> i64,
) -> Option<(Timestamp, i64)> {
    let count = i128::try_from(waits.len()).ok().filter(|count| *count > 0)?;
    let begun: i128 = waits.iter().map(|(since, _)| since.as_nanosecond()).sum();
    let worked: i128 = waits.iter().map(|(since, _)| i128::from(business(*since))).sum();
    let begun = Timestamp::from_nanosecond(begun.div_euclid(count)).ok()?;
    Some((begun, i64::try_from(worked / count).ok()?))
}
