//! The counters, as the hub reads them at its start and as a snapshot shows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rusqlite::Transaction;

use super::messages::require_time;
use super::page::Conditions;
use super::visible::{self, Rows};
use super::{ArchiveError, Query, last_seq};
use crate::auth::Scope;
use crate::domain::Stats;
use crate::domain::register::to_nanos;
use crate::domain::stats::{bucket, day_of};
use crate::protocol::StatsShape;

/// Hours back from now that every time zone's today lies within, with room for a clock that was set.
const RECENT_HOURS: i64 = 48;

/// The counters with the buckets of the last two days. Takes as long with a million messages as with none.
#[derive(Debug, Clone, Copy)]
pub struct LoadStats {
    /// The present.
    pub now: Timestamp,
}

impl Query for LoadStats {
    type Answer = Stats;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ArchiveError> {
        let since = self.now.checked_sub(RECENT_HOURS.hours()).unwrap_or(Timestamp::MIN);
        let stats = Stats { recent: buckets(tx, bucket(since))?, as_of: last_seq(tx)?, ..totals(tx)? };
        Ok(stats)
    }
}

/// The counters as a scope sees them, from one read. For whoever sees everything they are the kept ones; a limited
/// scope's are counted, which takes as long as it has chats and messages of today.
#[derive(Debug, Clone)]
pub struct ScopedStats {
    /// The present.
    pub now: Timestamp,
    /// Where today turns.
    pub zone: TimeZone,
    /// Whose eyes.
    pub scope: Arc<Scope>,
}

impl Query for ScopedStats {
    type Answer = StatsShape;

    fn answer(self, tx: &Transaction<'_>) -> Result<StatsShape, ArchiveError> {
        if self.scope.is_unlimited() {
            let stats = LoadStats { now: self.now }.answer(tx)?;
            return Ok(StatsShape::new(&stats, stats.messages_today(self.now, &self.zone)));
        }
        if self.scope.is_whole() {
            let stats = LoadStats { now: self.now }.answer(tx)?;
            let private = private_today(tx, day_of(self.now, &self.zone))?;
            let today = stats.messages_today(self.now, &self.zone) - private;
            return Ok(Hidden::from(tx, &self.scope)?.taken_from(&StatsShape::new(&stats, today)));
        }
        let limited = |rows| {
            let mut conditions = Conditions::default();
            visible::limit(&mut conditions, &self.scope, rows);
            conditions
        };
        let (from, until) = day_of(self.now, &self.zone);
        let mut today = limited(Rows::Messages);
        require_time(&mut today, Some(to_nanos(from)), Some(to_nanos(until).saturating_sub(1)));
        today.require("chat_id IN (SELECT id FROM chats WHERE kind = 'direct')", []);
        let [chats, messages, open, waiting] = limited(Rows::Chats).select(tx, "chats", CHAT_SUMS)?;
        Ok(StatsShape {
            total_contacts: limited(Rows::Contacts).count(tx, "contacts")?,
            total_messages: messages,
            total_chats: chats,
            open_chats: open,
            waiting_chats: waiting,
            messages_today: today.count(tx, "messages INDEXED BY messages_by_time")?,
            as_of_seq: last_seq(tx)?.0,
        })
    }
}

/// What private chats hide from those who are not in them: few rows, so that counting these is cheap.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hidden {
    pub(super) contacts: i64,
    pub(super) chats: i64,
    pub(super) messages: i64,
    open: i64,
    waiting: i64,
}

impl Hidden {
    /// What is hidden from a scope that no claim limits.
    pub(super) fn from(tx: &Transaction<'_>, scope: &Scope) -> Result<Self, ArchiveError> {
        if scope.sees_private() {
            return Ok(Self::default());
        }
        let mut private = Conditions::default();
        private.require("private = 1", []);
        let [chats, messages, open, waiting] =
            private.select(tx, "chats INDEXED BY chats_private", CHAT_SUMS)?;
        private.require(
            "NOT EXISTS (SELECT 1 FROM chats public INDEXED BY chats_of_contact
                         WHERE public.contact_id = chats.contact_id AND public.private = 0)",
            [],
        );
        let [contacts] =
            private.select(tx, "chats INDEXED BY chats_private", "count(DISTINCT contact_id)")?;
        Ok(Self { contacts, chats, messages, open, waiting })
    }

    fn taken_from(self, all: &StatsShape) -> StatsShape {
        StatsShape {
            total_contacts: all.total_contacts - self.contacts,
            total_messages: all.total_messages - self.messages,
            total_chats: all.total_chats - self.chats,
            open_chats: all.open_chats - self.open,
            waiting_chats: all.waiting_chats - self.waiting,
            ..all.clone()
        }
    }
}

/// Messages of private direct chats within a day.
fn private_today(tx: &Transaction<'_>, (from, until): (Timestamp, Timestamp)) -> Result<i64, ArchiveError> {
    let mut today = Conditions::default();
    today.require(
        "chat_id IN (SELECT id FROM chats INDEXED BY chats_private WHERE private = 1 AND kind = 'direct')",
        [],
    );
    require_time(&mut today, Some(to_nanos(from)), Some(to_nanos(until).saturating_sub(1)));
    today.count(tx, "messages INDEXED BY messages_of_chat")
}

/// How many chats, their messages, and the direct ones that are open and that wait.
const CHAT_SUMS: &str = "count(*), coalesce(sum(message_count), 0), coalesce(sum(open AND kind = 'direct'), 0), \
                         coalesce(sum(open AND waiting AND kind = 'direct'), 0)";

fn totals(tx: &Transaction<'_>) -> Result<Stats, ArchiveError> {
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

fn buckets(tx: &Transaction<'_>, from: i64) -> Result<BTreeMap<i64, i64>, ArchiveError> {
    let mut statement = tx.prepare_cached("SELECT bucket, count FROM message_buckets WHERE bucket >= ?")?;
    let buckets = statement.query_map([from], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(buckets.collect::<Result<_, _>>()?)
}
