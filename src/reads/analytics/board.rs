//! A board is the live numbers and those of today, as they are pushed to screens. They come from the same
//! queries that REST uses, and are compared with the board that was sent last.
//!
//! # Contract
//!
//! 1. A board is made in one transaction: its live numbers and those of today agree.
//! 2. A board knows the time at which its numbers change without a delivery.

use std::sync::Arc;

use bytestring::ByteString;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Transaction;
use serde_json::{Value, json};

use super::board_frame::{BoardNumbers, BoardRows, changes, dimension, whole};
use super::cells;
use super::dimension::Dimension;
use super::filter::{Clock, Filter, Period};
use super::live::LiveNow;
use super::table::{GroupKey, Grouping, Tabulate};
use crate::auth::Scope;
use crate::derived::analytics::Progress;
use crate::derived::analytics::rows::kind_number;
use crate::domain::ChatKind;
use crate::domain::calendar::Calendar;
use crate::domain::metrics::Metric;
use crate::domain::register::{from_nanos, keep_earliest, to_nanos};
use crate::domain::stats::day_of;
use crate::protocol::Board;
use crate::protocol::mask::mask_name;
use crate::reads::{AgentNames, Query, ReadError};

/// Makes a board, and compares it with the one before.
#[derive(Debug, Clone)]
pub struct MakeBoard {
    pub board: Board,
    pub scope: Arc<Scope>,
    pub now: Timestamp,
    /// Gives the time zone of days, and the business hours.
    pub calendar: Arc<Calendar>,
    /// Names of agents, by id.
    pub names: Arc<AgentNames>,
    /// The board that was sent last; `None` if none was.
    pub before: Option<Arc<BoardNumbers>>,
    /// A follower has no board yet, or missed one, so that changes alone do not help it.
    pub wants_whole: bool,
}

/// A new board, encoded for those who follow it.
#[derive(Debug)]
pub struct MadeBoard {
    pub numbers: Arc<BoardNumbers>,
    /// The whole board, encoded; `None` unless [`MakeBoard::wants_whole`] is set.
    pub whole: Option<ByteString>,
    /// What differs from the board before, encoded; `None` if nothing does.
    pub changes: Option<ByteString>,
    /// When the numbers change next without a delivery.
    pub turns_at: Option<Timestamp>,
}

impl Query for MakeBoard {
    type Answer = MadeBoard;

    fn answer(self, tx: &Transaction<'_>) -> Result<MadeBoard, ReadError> {
        let zone = self.calendar.zone();
        let just_before = self.now.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(self.now);
        let (from, midnight) = day_of(just_before, zone);
        let mut turns_at = Some(midnight).filter(|at| *at > self.now);
        let live = self.live(tx, &mut turns_at)?;
        let today = self.today(tx, from)?;
        for metric in Metric::ALL {
            keep_earliest(&mut turns_at, next_fact(tx, metric, self.now)?);
        }
        let (progress, now) = (live.0, self.now);
        let numbers = Arc::new(BoardNumbers { progress, now, from, live: live.1, today });
        let changes = self.before.as_ref().and_then(|before| changes(self.board, before, &numbers));
        let whole = self.wants_whole.then(|| whole(self.board, &numbers));
        Ok(MadeBoard { numbers, whole, changes, turns_at })
    }
}

impl MakeBoard {
    fn filter(&self) -> Filter {
        Filter::direct(&self.scope, self.calendar.zone().clone())
    }

    fn live(
        &self,
        tx: &Transaction<'_>,
        turns_at: &mut Option<Timestamp>,
    ) -> Result<(Progress, BoardRows<GroupKey>), ReadError> {
        let by = dimension(self.board);
        let live = LiveNow { filter: self.filter(), now: self.now, calendar: Arc::clone(&self.calendar), by };
        let table = live.table(tx, |open| {
            for moment in [open.idle_at(), open.window_closes_at()] {
                keep_earliest(turns_at, moment.filter(|at| *at > self.now));
            }
        })?;
        let rows = table.rows.iter().map(|row| {
            let numbers = cells::live_columns().zip(cells::live(row));
            let numbers = numbers.filter(|(column, _)| !cells::ticks(column)).map(|(_, cell)| cell);
            (row.key.clone(), self.name(&row.key, row.name.as_ref()).into_iter().chain(numbers).collect())
        });
        Ok((table.progress, rows.collect()))
    }

    fn today(
        &self,
        tx: &Transaction<'_>,
        from: Timestamp,
    ) -> Result<BoardRows<(GroupKey, Metric)>, ReadError> {
        let tabulate = Tabulate {
            metrics: Metric::ALL.to_vec(),
            period: Period { from, until: self.now },
            previous: None,
            filter: self.filter(),
            clock: Clock::Wall,
            grouping: dimension(self.board).map_or(Grouping::Whole, Dimension::grouping),
        };
        let rows = tabulate.answer(tx)?.rows.into_iter().map(|row| {
            let name = self.name(&row.key, row.name.as_ref()).into_iter();
            let cells = name.chain(cells::statistics(row.numbers)).collect();
            ((row.key, row.metric), cells)
        });
        Ok(rows.collect())
    }

    /// The cell of column `name`, on boards that have the column.
    fn name(&self, key: &GroupKey, known: Option<&String>) -> Option<Value> {
        dimension(self.board)?;
        let GroupKey::Id(id) = key else { return Some(Value::Null) };
        let shown = |name: &String| if self.scope.is_masked() { mask_name(name) } else { name.clone() };
        Some(known.map_or_else(
            || json!(self.names.get(id).filter(|_| self.board == Board::Agents).map(shown)),
            |name| json!(name),
        ))
    }
}

/// Facts may lie in the future if the hub's clock was set back. They count once their time has come.
fn next_fact(tx: &Transaction<'_>, metric: Metric, now: Timestamp) -> Result<Option<Timestamp>, ReadError> {
    let sql = "SELECT min(at) FROM facts WHERE kind = ? AND metric = ? AND at >= ?";
    let values = [kind_number(ChatKind::Direct), metric.number(), to_nanos(now)];
    let at: Option<i64> = tx.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    Ok(at.map(|nanos| from_nanos(nanos.saturating_add(1))))
}
