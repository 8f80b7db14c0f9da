//! Drill-down: the chats and intervals behind a number.

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::filter::{Clock, Filter, Period};
use super::live::{LiveField, LiveNow, OpenChat};
use super::scan::{Detail, GroupBy, Scan, ScannedFact, VisibleChats};
use crate::derived::analytics::Progress;
use crate::derived::analytics::rows::tags_of;
use crate::domain::calendar::Calendar;
use crate::domain::metrics::Metric;
use crate::domain::register::from_nanos;
use crate::reads::{Query, ReadError};

/// Lists what a metric of a period is made of, the longest first.
#[derive(Debug, Clone)]
pub struct Explain {
    pub metric: Metric,
    pub period: Period,
    pub filter: Filter,
    /// The clock by which intervals are measured and sorted.
    pub clock: Clock,
    /// Only intervals of this length, in milliseconds on `clock`.
    pub lengths: Option<Range<i64>>,
    /// Counted from 1.
    pub page: u32,
    pub limit: u32,
}

/// Lists the chats behind a live number, the longest first.
#[derive(Debug, Clone)]
pub struct ExplainNow {
    pub field: LiveField,
    pub live: LiveNow,
    /// Counted from 1.
    pub page: u32,
    pub limit: u32,
}

/// One interval of one chat, with where the chat stood at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedInterval {
    pub chat_id: String,
    pub contact_id: Option<String>,
    pub start: Timestamp,
    pub end: Timestamp,
    pub wall_ms: i64,
    pub business_ms: i64,
    pub agent: Option<String>,
    pub sector: Option<String>,
    pub channel: Option<String>,
    pub tags: Vec<String>,
}

/// A page of what is behind a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// How far the facts have followed the journal.
    pub progress: Progress,
    /// How many intervals there are on all pages. This is the number that was asked about.
    pub total: usize,
    pub rows: Vec<ExplainedInterval>,
}

fn page_of<T>(all: &[T], page: u32, limit: u32) -> &[T] {
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let from = number(page.saturating_sub(1)).saturating_mul(number(limit)).min(all.len());
    let until = from.saturating_add(number(limit)).min(all.len());
    all.get(from..until).unwrap_or_default()
}

impl Query for Explain {
    type Answer = Explained;

    fn answer(self, tx: &Transaction<'_>) -> Result<Explained, ReadError> {
        let progress = Progress::read(tx)?;
        let scan = Scan {
            metric: self.metric,
            period: self.period,
            filter: &self.filter,
            clock: self.clock,
            group_by: GroupBy::Nothing,
            detail: Detail::FactKeys,
            visible: &VisibleChats::default(),
        };
        let mut all: Vec<(i64, Timestamp, i64, i64)> = Vec::new();
        let take = |seen: ScannedFact| {
            if self.lengths.as_ref().is_none_or(|lengths| lengths.contains(&seen.duration)) {
                all.push((seen.duration, seen.at, seen.chat, seen.ordinal));
            }
        };
        scan.each(tx, |_id| 0, take)?;
        all.sort_unstable_by(|one, other| other.cmp(one));
        let rows = page_of(&all, self.page, self.limit)
            .iter()
            .map(|(_, at, chat, ordinal)| self.load(tx, *at, *chat, *ordinal))
            .collect::<Result<_, ReadError>>()?;
        Ok(Explained { progress, total: all.len(), rows })
    }
}

impl Explain {
    fn load(
        &self,
        tx: &Transaction<'_>,
        at: Timestamp,
        chat: i64,
        ordinal: i64,
    ) -> Result<ExplainedInterval, ReadError> {
        let mut select = tx.prepare_cached(
            "SELECT chats.id, chats.contact_id, facts.start, facts.at, facts.wall, facts.business, facts.agent,
                 facts.sector, facts.channel, facts.tags
             FROM facts CROSS JOIN chats ON chats.key = facts.chat
             WHERE facts.kind = ? AND facts.metric = ? AND facts.at = ? AND facts.chat = ? AND facts.ordinal = ?",
        )?;
        let place = params![
            crate::derived::analytics::rows::kind_number(self.filter.kind),
            self.metric.number(),
            crate::domain::register::to_nanos(at),
            chat,
            ordinal
        ];
        let behind = select.query_row(place, |row| {
            Ok(ExplainedInterval {
                chat_id: row.get(0)?,
                contact_id: row.get(1)?,
                start: from_nanos(row.get(2)?),
                end: from_nanos(row.get(3)?),
                wall_ms: row.get(4)?,
                business_ms: row.get(5)?,
                agent: row.get(6)?,
                sector: row.get(7)?,
                channel: row.get(8)?,
                tags: tags_of(row.get::<_, Option<String>>(9)?.as_deref()),
            })
        })?;
        Ok(behind)
    }
}

impl Query for ExplainNow {
    type Answer = Explained;

    fn answer(self, tx: &Transaction<'_>) -> Result<Explained, ReadError> {
        let progress = Progress::read(tx)?;
        let all = self.live.chats(tx, self.field)?;
        Ok(self.page_of(progress, all))
    }
}

impl ExplainNow {
    /// The requested page of the chats that the number counts.
    pub(super) fn page_of(&self, progress: Progress, mut all: Vec<OpenChat>) -> Explained {
        let calendar: &Arc<Calendar> = &self.live.calendar;
        all.sort_unstable_by(|one, other| (one.since, &one.chat_id).cmp(&(other.since, &other.chat_id)));
        let now = self.live.now;
        let rows = page_of(&all, self.page, self.limit).iter().map(|open| ExplainedInterval {
            chat_id: open.chat_id.clone(),
            contact_id: open.contact_id.clone(),
            start: open.since,
            end: now,
            wall_ms: super::live::millis(now.duration_since(open.since)),
            business_ms: super::live::millis(calendar.business_between(open.since, now)),
            agent: open.agent.clone(),
            sector: open.sector.clone(),
            channel: open.channel.clone(),
            tags: tags_of(open.tags.as_deref()),
        });
        Explained { progress, total: all.len(), rows: rows.collect() }
    }
}
