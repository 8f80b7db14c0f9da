//! What a scope sees, in numbers: its placements and the sums over their chats. Read once for an answer.

use std::collections::HashSet;
use std::ops::Range;

use rusqlite::types::Value;
use rusqlite::{Transaction, params, params_from_iter};

use super::ReadError;
use super::visible::{placements_seen_with, sets_with};
use crate::auth::Scope;

/// A list of which a scope sees one row in so many, or more, is walked as if it saw all of it.
const MUCH: i64 = 8;
/// Where the square of the rows that a scope sees is less than so many times all rows, sorting the seen ones costs less
/// than walking the list until a page of them is found.
const FEW: i64 = 100;

/// The placements that a scope sees.
pub(crate) struct Seen<'a> {
    pub(crate) scope: &'a Scope,
    placements: Vec<i64>,
    ids: HashSet<i64>,
    sums: Sums,
    all_chats: i64,
}

/// Sums over chats that are seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    pub(crate) chats: i64,
    /// Open ones of every kind.
    pub(crate) open: i64,
    /// Messages of all of them.
    pub(crate) messages: i64,
    /// Open direct ones.
    pub(crate) open_direct: i64,
    /// Direct ones in the waiting list.
    pub(crate) waiting_direct: i64,
}

impl<'a> Seen<'a> {
    /// Reads them; of a scope without limits there is nothing to read.
    pub(crate) fn of(tx: &Transaction<'_>, scope: &'a Scope) -> Result<Self, ReadError> {
        let mut seen =
            Self { scope, placements: Vec::new(), ids: HashSet::new(), sums: Sums::default(), all_chats: 0 };
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
            seen.sums.add(&Sums::read(row, 1)?);
        }
        seen.ids = seen.placements.iter().copied().collect();
        Ok(seen)
    }

    /// True where chats that stand there are seen.
    pub(crate) fn holds(&self, placement: i64) -> bool {
        self.scope.is_unlimited() || self.ids.contains(&placement)
    }

    /// The placements themselves; none of a scope without limits.
    pub(crate) fn placements(&self) -> &[i64] {
        &self.placements
    }

    /// The sums over the chats that are seen.
    pub(crate) fn sums(&self, tx: &Transaction<'_>) -> Result<Sums, ReadError> {
        if self.scope.is_unlimited() {
            return Ok(tx.prepare_cached(ALL)?.query_row([], |row| Sums::read(row, 0))?);
        }
        Ok(self.sums)
    }

    /// So many of all chats that what is not seen may be skipped.
    pub(crate) fn is_much(&self) -> bool {
        self.sums.chats.saturating_mul(MUCH) >= self.all_chats
    }

    /// So few chats that all of them may be read and sorted for one page.
    pub(crate) fn is_little(&self) -> bool {
        !self.scope.is_whole()
            && self.sums.chats.saturating_mul(self.sums.chats) < self.all_chats.saturating_mul(FEW)
    }

    /// Their ids, as a value for `json_each`: questions that follow need not look for them anew.
    pub(crate) fn ids(&self) -> Value {
        Value::Text(serde_json::to_string(&self.placements).unwrap_or_else(|_error| "[]".into()))
    }

    /// How many contacts are seen.
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
        // Contacts without a chat stand nowhere, and are seen by whom no claim limits.
        Ok(if self.scope.is_whole() { all()? - sum("NOT IN")? } else { sum("IN")? })
    }

    /// Messages of direct chats within these quarters of an hour.
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

impl Sums {
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
