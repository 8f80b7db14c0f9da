//! The live metrics as a table: one row of all open chats, or one for each agent, sector, line or tag.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Transaction;

use super::dimension::Dimension;
use super::now::{LiveField, LiveNow, LiveNumbers, OpenChat, millis};
use super::table::{Key, name_of};
use crate::derived::analytics::Progress;
use crate::domain::calendar::{Calendar, WorkedUntil};
use crate::domain::register::keep_earliest;
use crate::reads::{Query, ReadError};

impl Dimension {
    fn keys(self, open: &OpenChat) -> Vec<Key> {
        let one = |id: &Option<String>| vec![id.clone().map_or(Key::Nobody, Key::Id)];
        match self {
            Self::Agent => one(&open.agent),
            Self::Sector => one(&open.sector),
            Self::Channel => one(&open.channel),
            Self::Tag => match &open.tags {
                None => vec![Key::Nobody],
                Some(tags) => {
                    tags.split_terminator('\n').skip(1).map(|tag| Key::Id(tag.to_owned())).collect()
                }
            },
        }
    }

    /// Names of agents are kept elsewhere.
    fn name(self, tx: &Transaction<'_>, key: &Key) -> Result<Option<String>, ReadError> {
        match key {
            Key::Id(id) if self != Self::Agent => name_of(tx, self.as_str(), id),
            Key::Id(_) | Key::Nobody | Key::Whole | Key::Length(_) | Key::Bucket(_) | Key::Hour(..) => {
                Ok(None)
            }
        }
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRow {
    /// Of what.
    pub key: Key,
    /// What sectors, lines and tags are called.
    pub name: Option<String>,
    /// Its numbers.
    pub numbers: LiveNumbers,
}

/// The live metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveTable {
    /// How far they go.
    pub progress: Progress,
    /// By key. Of all there is one row, whatever is open.
    pub rows: Vec<LiveRow>,
}

/// What chats come to, one after the other.
#[derive(Debug, Default)]
struct Tally {
    counts: [i64; 10],
    waits: Vec<(Timestamp, String)>,
    next_window_closes_at: Option<Timestamp>,
}

impl Tally {
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
    /// One pass over the open chats, each of which is shown to `look` too.
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

    /// The numbers of whatever open chats `each` hands over.
    pub(super) fn table_of(
        &self,
        tx: &Transaction<'_>,
        progress: Progress,
        each: impl FnOnce(&mut dyn FnMut(OpenChat)) -> Result<(), ReadError>,
    ) -> Result<LiveTable, ReadError> {
        let mut tallies: BTreeMap<Key, Tally> = BTreeMap::new();
        if self.by.is_none() {
            tallies.insert(Key::Whole, Tally::default());
        }
        each(&mut |open| {
            let keys = self.by.map_or_else(|| vec![Key::Whole], |by| by.keys(&open));
            for key in keys {
                tallies.entry(key).or_default().add(&open, self.now);
            }
        })?;
        let rows = tallies.into_iter().map(|(key, tally)| {
            let name = self.by.map_or(Ok(None), |by| by.name(tx, &key))?;
            Ok(LiveRow { key, name, numbers: tally.sum_up(self.now, &self.calendar) })
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
