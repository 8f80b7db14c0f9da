//! Which chats were open at a given moment, and where each stood (stabbing queries over the R*Tree of
//! intervals).

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, Transaction, params_from_iter};

use super::filter::{Filter, FilterColumns, Where};
use crate::auth::Scope;
use crate::derived::analytics::spans::{Marks, minute};
use crate::domain::register::{from_nanos, to_nanos};
use crate::reads::{ReadError, chats_seen};

/// Columns for filters and scopes as of the moment. The table `places` stands in under the name `chats`.
const COLUMNS: FilterColumns = FilterColumns {
    kind: "known.kind",
    sector: "chats.sector_id",
    agent: "chats.owner_id",
    channel: "chats.channel_id",
    tags: "spans.tags",
};

/// Gives the members of a place under the name and columns by which scopes ask for the members of a chat.
const MEMBERS: &str =
    "WITH chat_members (member_id, chat_id) AS (SELECT member_id, place FROM place_members)";

/// Finds the intervals of open chats that contain a moment.
pub(super) struct Stab<'a> {
    pub(super) at: Timestamp,
    /// Leaves out intervals that had already begun at this earlier moment. The rest is found by an index
    /// of beginnings, without the tree.
    pub(super) not_at: Option<Timestamp>,
    pub(super) filter: &'a Filter,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenCounts {
    pub open: i64,
    pub waiting: i64,
    pub unassigned: i64,
}

impl OpenCounts {
    pub(super) fn add(&mut self, marks: i64, by: i64) {
        self.open += by;
        self.waiting += by * i64::from(Marks::is_waiting(marks));
        self.unassigned += by * i64::from(Marks::is_unassigned(marks));
    }

    pub(super) fn moved(self, by: Self) -> Self {
        Self {
            open: self.open + by.open,
            waiting: self.waiting + by.waiting,
            unassigned: self.unassigned + by.unassigned,
        }
    }
}

impl Stab<'_> {
    /// Passes the row of each interval to `take`. `columns` may name any table if `joins` is given or the
    /// filter restricts something; otherwise only `spans`.
    pub(super) fn each(
        &self,
        tx: &Transaction<'_>,
        columns: &str,
        joins: &str,
        mut take: impl FnMut(&Row<'_>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let at = to_nanos(self.at);
        let (low, high) = Marks::of_kind(self.filter.kind);
        let mut found = Where::default();
        let source = if let Some(earlier) = self.not_at {
            let bounds = [to_nanos(earlier), low, high];
            found.and("spans.began > ? AND spans.marks BETWEEN ? AND ?", bounds.map(Value::Integer));
            "spans INDEXED BY spans_by_begin"
        } else {
            let minute = i64::from(minute(at));
            found.and("times.began <= ? AND times.ended >= ?", [minute, minute].map(Value::Integer));
            found.and("times.marks >= ? AND times.marks_too <= ?", [low, high].map(Value::Integer));
            "span_times AS times CROSS JOIN spans ON spans.id = times.id"
        };
        found.and("spans.began <= ? AND spans.ended > ?", [at, at].map(Value::Integer));
        let mut tables = String::new();
        if !joins.is_empty() || !self.filter.is_plain() {
            self.filter.conditions(&COLUMNS, &mut found);
            tables = format!(
                "CROSS JOIN places AS chats ON chats.id = spans.place CROSS JOIN known ON known.chat = spans.chat {joins}"
            );
        }
        let sql = format!("{MEMBERS} SELECT {columns} FROM {source} {tables} WHERE {}", found.sql);
        let mut select = tx.prepare_cached(&sql)?;
        let mut rows = select.query(params_from_iter(&found.values))?;
        while let Some(row) = rows.next()? {
            take(row)?;
        }
        Ok(())
    }

    /// Passes the marks and the end of each interval to `take`.
    pub(super) fn each_span(
        &self,
        tx: &Transaction<'_>,
        mut take: impl FnMut(i64, Timestamp),
    ) -> Result<(), ReadError> {
        self.each(tx, "spans.marks, spans.ended", "", |row| {
            take(row.get(0)?, from_nanos(row.get(1)?));
            Ok(())
        })
    }

    /// How many intervals there are. If only the kind of chat is restricted, the tree alone answers,
    /// without reading rows.
    pub(super) fn count(&self, tx: &Transaction<'_>) -> Result<OpenCounts, ReadError> {
        let mut counts = OpenCounts::default();
        if !self.filter.is_plain() {
            self.each(tx, "spans.marks", "", |row| {
                counts.add(row.get(0)?, 1);
                Ok(())
            })?;
            return Ok(counts);
        }
        let (at, (low, high)) = (to_nanos(self.at), Marks::of_kind(self.filter.kind));
        // The tree is exact to a minute. For intervals that begin or end within this minute, `spans`
        // decides.
        let mut select = tx.prepare_cached(
            "SELECT marks, count(*) FROM span_times AS times
             WHERE began <= ?1 AND ended >= ?1 AND marks >= ?2 AND marks_too <= ?3
               AND ((began < ?1 AND ended > ?1)
                   OR EXISTS (SELECT 1 FROM spans WHERE spans.id = times.id AND spans.began <= ?4 AND spans.ended > ?4))
             GROUP BY marks",
        )?;
        let mut rows = select.query([i64::from(minute(at)), low, high, at])?;
        while let Some(row) = rows.next()? {
            counts.add(row.get(0)?, row.get(1)?);
        }
        Ok(counts)
    }
}

/// Sums over the chats that a scope saw at a moment, open or closed. `columns` may read `known` (the chat)
/// and `chats` (the place where it stood); `first` names the tables that select the chats.
pub(super) fn sum_seen<const N: usize>(
    tx: &Transaction<'_>,
    columns: &str,
    first: &str,
    values: Vec<Value>,
    (at, scope): (Timestamp, &Scope),
) -> Result<[i64; N], ReadError> {
    let at = Value::Integer(to_nanos(at));
    let (seen, of_scope) = chats_seen(scope);
    // Stays follow each other without a gap, so the last one that began by then contains the moment.
    let sql = format!(
        "{MEMBERS} SELECT {columns} FROM {first} CROSS JOIN stays ON stays.chat = known.chat
             AND stays.began = (SELECT max(began) FROM stays AS all_stays WHERE chat = known.chat AND began <= ?)
         CROSS JOIN places AS chats ON chats.id = stays.place
         WHERE {seen}"
    );
    let values = values.into_iter().chain([at]).chain(of_scope);
    let sums = tx.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| {
        let mut sums = [0; N];
        for (place, sum) in sums.iter_mut().enumerate() {
            *sum = row.get::<_, Option<i64>>(place)?.unwrap_or_default();
        }
        Ok(sums)
    })?;
    Ok(sums)
}
