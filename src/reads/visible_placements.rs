//! What a scope sees: its placements, and the sums over the chats in them. Read once for each answer.

use std::collections::HashSet;
use std::ops::Range;

use rusqlite::types::Value;
use rusqlite::{Transaction, params, params_from_iter};

use super::ReadError;
use super::visible::{placements_seen_with, sets_with};
use crate::auth::Scope;

/// If a scope sees at least one row in this many, a list is walked as if it saw all of them.
const MUCH: i64 = 8;
/// If the square of the number of visible rows is below this many times the number of all rows, sorting the
/// visible ones costs less than walking the list until a page of them is found.
const FEW: i64 = 100;

/// The placements that a scope sees. For a scope without limits nothing is read, and the lists are empty.
pub(crate) struct VisiblePlacements<'a> {
    pub(crate) scope: &'a Scope,
    placements: Vec<i64>,
    ids: HashSet<i64>,
    sums: VisibleSums,
    all_chats: i64,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct VisibleSums {
    pub(crate) chats: i64,
    /// Open chats of every kind.
    pub(crate) open: i64,
    /// Messages of chats of every kind.
    pub(crate) messages: i64,
    pub(crate) open_direct: i64,
    /// Direct chats in the waiting list.
    pub(crate) waiting_direct: i64,
}

impl<'a> VisiblePlacements<'a> {
    /// Reads the placements of a limited scope.
    pub(crate) fn of(tx: &Transaction<'_>, scope: &'a Scope) -> Result<Self, ReadError> {
        let mut seen = Self {
            scope,
            placements: Vec::new(),
            ids: HashSet::new(),
            sums: VisibleSums::default(),
            all_chats: 0,
        };
        if scope.is_unlimited() {
            return Ok(seen);
        }
        seen.all_chats =
            tx.prepare_cached("SELECT total_chats FROM counters")?.query_row([], |row| row.get(0))?;
        let columns = "chats.id, chats.chats, chats.open_chats, chats.messages, chats.open_direct, chats.waiting_direct";
        let (sql, values) = placements_seen_with(scope, columns);
        let mut select = tx.prepare_cached(&sql)?;
        let mut rows = select.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            seen.placements.push(row.get(0)?);
            seen.sums.add(&VisibleSums::read(row, 1)?);
        }
        seen.ids = seen.placements.iter().copied().collect();
        Ok(seen)
    }

    /// True if the scope sees chats at this placement.
    pub(crate) fn holds(&self, placement: i64) -> bool {
        self.scope.is_unlimited() || self.ids.contains(&placement)
    }

    /// Ids of the placements; empty for a scope without limits.
    pub(crate) fn placements(&self) -> &[i64] {
        &self.placements
    }

    pub(crate) fn sums(&self, tx: &Transaction<'_>) -> Result<VisibleSums, ReadError> {
        if self.scope.is_unlimited() {
            return Ok(tx.prepare_cached(ALL)?.query_row([], |row| VisibleSums::read(row, 0))?);
        }
        Ok(self.sums)
    }

    /// True if the scope sees so many chats that the others can be skipped.
    pub(crate) fn is_much(&self) -> bool {
        self.sums.chats.saturating_mul(MUCH) >= self.all_chats
    }

    /// True if the scope sees so few chats that all of them can be read and sorted for one page.
    pub(crate) fn is_little(&self) -> bool {
        !self.scope.is_whole()
            && self.sums.chats.saturating_mul(self.sums.chats) < self.all_chats.saturating_mul(FEW)
    }

    /// Ids of the placements as a JSON array for `json_each`, so that later questions need not look them
    /// up again.
    pub(crate) fn ids(&self) -> Value {
        Value::Text(serde_json::to_string(&self.placements).unwrap_or_else(|_error| "[]".into()))
    }

    /// How many contacts the scope sees.
    pub(crate) fn contacts(&self, tx: &Transaction<'_>) -> Result<i64, ReadError> {
        let all = || {
            tx.prepare_cached("SELECT total_contacts FROM counters")?
                .query_row([], |row| row.get::<_, i64>(0))
        };
        if self.scope.is_unlimited() {
            return Ok(all()?);
        }
        let sets = sets_with("SELECT value FROM json_each(?)");
        let sum = |which: &str| {
            let sql =
                format!("SELECT coalesce(sum(contacts), 0) FROM placement_sets WHERE +id {which} ({sets})");
            tx.prepare_cached(&sql)?.query_row([self.ids()], |row| row.get::<_, i64>(0))
        };
        // Contacts without a chat have no placement. A scope whose claims do not limit it sees them.
        Ok(if self.scope.is_whole() { all()? - sum("NOT IN")? } else { sum("IN")? })
    }

    /// Number of messages of direct chats in these quarters of an hour.
    pub(crate) fn messages_within(
        &self,
        tx: &Transaction<'_>,
        buckets: &Range<i64>,
    ) -> Result<i64, ReadError> {
        let mut select = tx.prepare_cached(
            "SELECT coalesce(sum(count), 0) FROM placement_messages
             WHERE bucket >= ?1 AND bucket < ?2 AND +placement_id IN (SELECT value FROM json_each(?3))",
        )?;
        Ok(select.query_row(params![buckets.start, buckets.end, self.ids()], |row| row.get(0))?)
    }
}

const ALL: &str = "SELECT coalesce(sum(chats), 0), coalesce(sum(open_chats), 0), coalesce(sum(messages), 0),
                       coalesce(sum(open_direct), 0), coalesce(sum(waiting_direct), 0) FROM placements";

impl VisibleSums {
    fn read(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            chats: row.get(first)?,
            open: row.get(first + 1)?,
            messages: row.get(first + 2)?,
            open_direct: row.get(first + 3)?,
            waiting_direct: row.get(first + 4)?,
        })
    }

    fn add(&mut self, other: &Self) {
        self.chats += other.chats;
        self.open += other.open;
        self.messages += other.messages;
        self.open_direct += other.open_direct;
        self.waiting_direct += other.waiting_direct;
    }
}
