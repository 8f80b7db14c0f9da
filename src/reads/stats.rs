//! The counters, as the hub reads them when it starts, and as snapshots show them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rusqlite::Transaction;

use super::visible_placements::VisiblePlacements;
use super::{Query, ReadError};
use crate::auth::Scope;
use crate::domain::Stats;
use crate::domain::stats::{bucket, day_of};
use crate::journal::head::last_seq;
use crate::protocol::StatsShape;

/// How far back the buckets are read, in hours. Today lies within in every time zone, with room for a clock
/// that was set.
const RECENT_HOURS: i64 = 48;

/// Reads the counters and the buckets of the last two days. The cost does not grow with the number of
/// messages.
#[derive(Debug, Clone, Copy)]
pub struct LoadStats {
    pub now: Timestamp,
}

impl Query for LoadStats {
    type Answer = Stats;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let since = self.now.checked_sub(RECENT_HOURS.hours()).unwrap_or(Timestamp::MIN);
        let stats = Stats { recent: buckets(tx, bucket(since))?, as_of: last_seq(tx)?, ..totals(tx)? };
        Ok(stats)
    }
}

/// Reads the counters as a scope sees them: the stored ones if it sees everything, otherwise the sums of the
/// placements that it sees.
#[derive(Debug, Clone)]
pub struct ScopedStats {
    /// The present, which decides what counts as today.
    pub now: Timestamp,
    /// Time zone in which today began.
    pub zone: TimeZone,
    pub scope: Arc<Scope>,
}

impl Query for ScopedStats {
    type Answer = StatsShape;

    fn answer(self, tx: &Transaction<'_>) -> Result<StatsShape, ReadError> {
        if self.scope.is_unlimited() {
            let stats = LoadStats { now: self.now }.answer(tx)?;
            return Ok(StatsShape::new(&stats, stats.messages_today(self.now, &self.zone)));
        }
        self.over(tx, &VisiblePlacements::of(tx, &self.scope)?)
    }
}

impl ScopedStats {
    /// The counters over what a limited scope sees.
    pub(super) fn over(
        &self,
        tx: &Transaction<'_>,
        seen: &VisiblePlacements<'_>,
    ) -> Result<StatsShape, ReadError> {
        let (from, until) = day_of(self.now, &self.zone);
        let sums = seen.sums(tx)?;
        Ok(StatsShape {
            total_contacts: seen.contacts(tx)?,
            total_messages: sums.messages,
            total_chats: sums.chats,
            open_chats: sums.open_direct,
            waiting_chats: sums.waiting_direct,
            messages_today: seen.messages_within(tx, &(bucket(from)..bucket(until)))?,
            as_of_seq: last_seq(tx)?.0,
        })
    }
}

fn totals(tx: &Transaction<'_>) -> Result<Stats, ReadError> {
    let mut statement = tx.prepare_cached(
        "SELECT total_contacts, total_messages, total_chats, open_chats, waiting_chats FROM counters",
    )?;
    let totals = statement.query_row([], |row| {
        Ok(Stats {
            total_contacts: row.get(0)?,
            total_messages: row.get(1)?,
            total_chats: row.get(2)?,
            open_chats: row.get(3)?,
            waiting_chats: row.get(4)?,
            ..Stats::default()
        })
    })?;
    Ok(totals)
}

fn buckets(tx: &Transaction<'_>, from: i64) -> Result<BTreeMap<i64, i64>, ReadError> {
    let mut statement = tx.prepare_cached("SELECT bucket, count FROM message_buckets WHERE bucket >= ?")?;
    let buckets = statement.query_map([from], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(buckets.collect::<Result<_, _>>()?)
}
