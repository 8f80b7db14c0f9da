//! Reads the facts of one metric in one period. Sums and drill-downs both read facts this way, so they agree.
//!
//! Sealed facts are read from their segments, and only the columns that the question needs; the others are
//! read row by row.

use std::cell::OnceCell;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, Transaction, params_from_iter};

use super::filter::{Clock, Filter, FilterColumns, Period, Where};
use crate::derived::analytics::rows::kind_number;
use crate::derived::analytics::segments::{IdColumn, Segment, SegmentColumn, numbers, overlapping};
use crate::domain::metrics::Metric;
use crate::domain::register::{from_nanos, to_nanos};
use crate::domain::stats::bucket;
use crate::reads::{ReadError, chats_seen};

const COLUMNS: FilterColumns = FilterColumns {
    kind: "facts.kind",
    sector: "facts.sector",
    agent: "facts.agent",
    channel: "facts.channel",
    tags: "facts.tags",
};

/// One fact. Columns that the question did not ask for are 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScannedFact {
    /// Set with [`Detail::Moments`] and [`Detail::FactKeys`].
    pub(super) at: Timestamp,
    /// Milliseconds on the requested clock; 0 for metrics that only count.
    pub(super) duration: i64,
    /// Key of the chat. Set with [`Detail::FactKeys`].
    pub(super) chat: i64,
    /// Tells facts of one chat at one moment apart. Set with [`Detail::FactKeys`].
    pub(super) ordinal: i64,
    /// The caller's number for the id by which it groups.
    pub(super) slot: usize,
}

/// By which id the caller groups facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupBy {
    Nothing,
    Agent,
    Sector,
    Channel,
    Tags,
}

impl GroupBy {
    fn column(self) -> &'static str {
        match self {
            Self::Nothing => "NULL",
            Self::Agent => "facts.agent",
            Self::Sector => "facts.sector",
            Self::Channel => "facts.channel",
            Self::Tags => "facts.tags",
        }
    }

    fn part(self) -> Option<SegmentColumn> {
        match self {
            Self::Nothing => None,
            Self::Agent => Some(SegmentColumn::Agents),
            Self::Sector => Some(SegmentColumn::Sectors),
            Self::Channel => Some(SegmentColumn::Channels),
            Self::Tags => Some(SegmentColumn::Tags),
        }
    }
}

/// What a scan reads besides durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Durations,
    Moments,
    /// When each fact was, and what it takes to load its row.
    FactKeys,
}

/// Which chats a limited scope sees. Looked up once for all scans of an answer.
#[derive(Default)]
pub(super) struct VisibleChats(OnceCell<Vec<bool>>);

impl VisibleChats {
    /// Indexed by the chats' keys; `None` if the scope sees every chat.
    fn of(&self, tx: &Transaction<'_>, filter: &Filter) -> Result<Option<&[bool]>, ReadError> {
        if filter.scope.is_unlimited() {
            return Ok(None);
        }
        if let Some(seen) = self.0.get() {
            return Ok(Some(seen));
        }
        let (sql, values) = chats_seen(&filter.scope);
        let mut select = tx.prepare_cached(&format!("SELECT key FROM chats WHERE {sql}"))?;
        let mut seen = Vec::new();
        for key in select.query_map(params_from_iter(&values), |row| row.get::<_, i64>(0))? {
            let key = usize::try_from(key?).unwrap_or_default();
            if seen.len() <= key {
                seen.resize(key + 1, false);
            }
            if let Some(place) = seen.get_mut(key) {
                *place = true;
            }
        }
        Ok(Some(self.0.get_or_init(|| seen)))
    }
}

pub(super) struct Scan<'a> {
    pub(super) metric: Metric,
    pub(super) period: Period,
    pub(super) filter: &'a Filter,
    pub(super) clock: Clock,
    pub(super) group_by: GroupBy,
    pub(super) detail: Detail,
    pub(super) visible: &'a VisibleChats,
}

impl Scan<'_> {
    /// Passes every fact to `take`, ordered by time. `slot` gives the caller's number for an id.
    pub(super) fn each(
        &self,
        tx: &Transaction<'_>,
        mut slot: impl FnMut(Option<&str>) -> usize,
        mut take: impl FnMut(ScannedFact),
    ) -> Result<(), ReadError> {
        let mut hours = Hours { filter: self.filter, last: None };
        let mut from = self.period.from;
        for segment in self.segments(tx)? {
            let (begins, ends) = (from_nanos(segment.from), from_nanos(segment.until));
            self.each_row(tx, Period { from, until: begins }, &mut hours, &mut slot, &mut take)?;
            self.each_sealed(tx, &segment, &mut hours, &mut slot, &mut take)?;
            from = ends;
        }
        let rest = Period { from, until: self.period.until };
        self.each_row(tx, rest, &mut hours, &mut slot, &mut take)
    }

    /// How many facts there are. If nothing is filtered, whole segments are counted without reading them.
    pub(super) fn count(&self, tx: &Transaction<'_>) -> Result<usize, ReadError> {
        let mut count = 0;
        if self.filter.asks_for_hours() || !self.filter.is_plain() {
            self.each(tx, |_id| 0, |_seen| count += 1)?;
            return Ok(count);
        }
        let mut from = self.period.from;
        for segment in self.segments(tx)? {
            if self.holds(&segment) {
                count +=
                    self.count_rows(tx, Period { from, until: from_nanos(segment.from) })? + segment.facts;
                from = from_nanos(segment.until);
            }
        }
        Ok(count + self.count_rows(tx, Period { from, until: self.period.until })?)
    }

    fn segments(&self, tx: &Transaction<'_>) -> rusqlite::Result<Vec<Segment>> {
        let period = (to_nanos(self.period.from), to_nanos(self.period.until));
        overlapping(tx, (kind_number(self.filter.kind), self.metric.number()), period)
    }

    /// True if the whole segment lies in the period.
    fn holds(&self, segment: &Segment) -> bool {
        to_nanos(self.period.from) <= segment.from && segment.until <= to_nanos(self.period.until)
    }

    fn each_sealed(
        &self,
        tx: &Transaction<'_>,
        segment: &Segment,
        hours: &mut Hours<'_>,
        slot: &mut impl FnMut(Option<&str>) -> usize,
        take: &mut impl FnMut(ScannedFact),
    ) -> Result<(), ReadError> {
        let column = |part, is_needed| {
            if is_needed { numbers(tx, segment, part) } else { Ok(vec![0; segment.facts]) }
        };
        let mut kept = self.kept(tx, segment)?;
        let is_cut = !self.holds(segment);
        let times = column(
            SegmentColumn::Times,
            is_cut || self.filter.asks_for_hours() || self.detail != Detail::Durations,
        )?;
        if is_cut || self.filter.asks_for_hours() {
            let period = to_nanos(self.period.from)..to_nanos(self.period.until);
            for (kept, at) in kept.iter_mut().zip(&times) {
                *kept = *kept && period.contains(at) && hours.take(*at);
            }
        }
        let durations = match self.clock {
            Clock::Wall => column(SegmentColumn::Walls, self.metric.is_duration())?,
            Clock::Business => column(SegmentColumn::Businesses, self.metric.is_duration())?,
        };
        let places = self.detail == Detail::FactKeys;
        let (chats, ordinals) =
            (column(SegmentColumn::Chats, places)?, column(SegmentColumn::Ordinals, places)?);
        let slots = match self.group_by.part() {
            None => vec![slot(None); segment.facts],
            Some(part) => {
                let ids = IdColumn::read(tx, segment, part)?;
                let called: Vec<usize> = ids.different.iter().map(|id| slot(id.as_deref())).collect();
                ids.places.iter().filter_map(|place| called.get(*place).copied()).collect()
            }
        };
        let facts = kept.iter().zip(&times).zip(&durations).zip(&chats).zip(&ordinals).zip(&slots);
        for (((((kept, at), duration), chat), ordinal), slot) in facts {
            if *kept {
                let at = from_nanos(*at);
                take(ScannedFact { at, duration: *duration, chat: *chat, ordinal: *ordinal, slot: *slot });
            }
        }
        Ok(())
    }

    /// For each fact of a segment: does it have the requested ids, and may the scope see its chat?
    fn kept(&self, tx: &Transaction<'_>, segment: &Segment) -> Result<Vec<bool>, ReadError> {
        let mut kept = vec![true; segment.facts];
        let filter = self.filter;
        let mut keep = |part: SegmentColumn, fits: &dyn Fn(Option<&str>) -> bool| -> Result<(), ReadError> {
            let ids = IdColumn::read(tx, segment, part)?;
            let fits: Vec<bool> = ids.different.iter().map(|id| fits(id.as_deref())).collect();
            for (kept, place) in kept.iter_mut().zip(&ids.places) {
                *kept = *kept && fits.get(*place).copied().unwrap_or(false);
            }
            Ok(())
        };
        let one = [
            (SegmentColumn::Sectors, &filter.sector),
            (SegmentColumn::Agents, &filter.agent),
            (SegmentColumn::Channels, &filter.channel),
        ];
        for (part, asked) in one {
            if let Some(asked) = asked {
                keep(part, &|id| id == Some(asked))?;
            }
        }
        if let Some(tag) = &filter.tag {
            let tag = format!("\n{tag}\n");
            keep(SegmentColumn::Tags, &|tags| tags.is_some_and(|tags| tags.contains(&tag)))?;
        }
        if let Some(seen) = self.visible.of(tx, filter)? {
            for (kept, chat) in kept.iter_mut().zip(numbers(tx, segment, SegmentColumn::Chats)?) {
                let key = usize::try_from(chat).unwrap_or(usize::MAX);
                *kept = *kept && seen.get(key).copied().unwrap_or(false);
            }
        }
        Ok(kept)
    }

    fn each_row(
        &self,
        tx: &Transaction<'_>,
        period: Period,
        hours: &mut Hours<'_>,
        slot: &mut impl FnMut(Option<&str>) -> usize,
        take: &mut impl FnMut(ScannedFact),
    ) -> Result<(), ReadError> {
        if period.from >= period.until {
            return Ok(());
        }
        let duration = match self.clock {
            Clock::Wall => "facts.wall",
            Clock::Business => "facts.business",
        };
        let columns = format!("facts.at, {duration}, facts.chat, facts.ordinal, {}", self.group_by.column());
        let (sql, values) = self.select(&columns, period);
        let mut select = tx.prepare_cached(&sql)?;
        let mut rows = select.query(params_from_iter(&values))?;
        while let Some(row) = rows.next()? {
            if hours.take(row.get(0)?) {
                take(fact_row(row, slot)?);
            }
        }
        Ok(())
    }

    fn count_rows(&self, tx: &Transaction<'_>, period: Period) -> Result<usize, ReadError> {
        if period.from >= period.until {
            return Ok(0);
        }
        let (sql, values) = self.select("count(*)", period);
        let count: i64 = tx.prepare_cached(&sql)?.query_row(params_from_iter(&values), |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    fn select(&self, columns: &str, period: Period) -> (String, Vec<Value>) {
        let mut found = Where::default();
        self.filter.conditions(&COLUMNS, &mut found);
        found.and("facts.metric = ?", [Value::Integer(self.metric.number())]);
        let bounds = [to_nanos(period.from), to_nanos(period.until)];
        found.and("facts.at >= ? AND facts.at < ?", bounds.map(Value::Integer));
        // `CROSS JOIN` makes SQLite read `facts` first: without statistics its planner may guess
        // wrong.
        let chats =
            if self.filter.scope.is_unlimited() { "" } else { "CROSS JOIN chats ON chats.key = facts.chat" };
        (format!("SELECT {columns} FROM facts {chats} WHERE {}", found.sql), found.values)
    }
}

/// Checks weekday and hour. Keeps the last result, which holds for a whole quarter of an hour.
struct Hours<'a> {
    filter: &'a Filter,
    last: Option<(i64, bool)>,
}

impl Hours<'_> {
    fn take(&mut self, nanos: i64) -> bool {
        if !self.filter.asks_for_hours() {
            return true;
        }
        let at = from_nanos(nanos);
        let quarter = bucket(at);
        match self.last {
            Some((known, takes)) if known == quarter => takes,
            _ => {
                let takes = self.filter.takes(at);
                self.last = Some((quarter, takes));
                takes
            }
        }
    }
}

fn fact_row(row: &Row<'_>, slot: &mut impl FnMut(Option<&str>) -> usize) -> Result<ScannedFact, ReadError> {
    let id = row.get_ref(4)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    Ok(ScannedFact {
        at: from_nanos(row.get(0)?),
        duration: row.get(1)?,
        chat: row.get(2)?,
        ordinal: row.get(3)?,
        slot: slot(id),
    })
}
