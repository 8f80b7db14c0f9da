//! Seals facts into segments while the projector has nothing else to do, and removes segments whose facts
//! change.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Transaction, params};

use super::rows::{Changed, FactRow, kind_number};
use super::segments::{Segment, remove, write};
use crate::domain::ChatKind;
use crate::domain::metrics::Metric;

pub const SEGMENT_FACTS: usize = 4_096;
/// The newest facts that stay unsealed.
pub const UNSEALED_FACTS: usize = 2_048;
/// Segments that are sealed in one transaction.
const SEGMENTS_PER_STEP: usize = 4;

/// A kind and a metric.
type FactGroup = (i64, i64);

/// How many facts are sealed together. Smaller in tests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Facts in one segment; more only if many have the same moment.
    pub(crate) segment: usize,
    /// The newest facts, which stay unsealed because most changes concern them.
    pub(crate) unsealed: usize,
}

impl Sizes {
    pub(crate) const KEPT: Self = Self { segment: SEGMENT_FACTS, unsealed: UNSEALED_FACTS };

    /// The number of unsealed facts from which on a segment is sealed.
    fn enough(self) -> usize {
        self.segment.saturating_add(self.unsealed)
    }
}

/// Knows what may be sealed.
#[derive(Debug)]
pub(crate) struct Seals {
    sizes: Sizes,
    /// Upper bound of the number of unsealed facts after the last segment.
    open: BTreeMap<FactGroup, usize>,
    /// Groups with a gap between their segments.
    broken: BTreeSet<FactGroup>,
}

impl Seals {
    /// For a file that was just opened: any group may have something to seal.
    pub(crate) fn unknown(sizes: Sizes) -> Self {
        let kinds = [ChatKind::Direct, ChatKind::Group, ChatKind::Internal];
        let lines = kinds
            .into_iter()
            .flat_map(|kind| Metric::ALL.into_iter().map(move |metric| (kind_number(kind), metric.number())));
        Self { sizes, open: BTreeMap::new(), broken: lines.collect() }
    }

    /// Removes the segments that contain changed facts.
    pub(crate) fn break_open(&mut self, step: &Transaction<'_>, changed: &Changed) -> rusqlite::Result<()> {
        let mut select = step.prepare_cached(
            "SELECT id, from_at, until_at, facts FROM segments WHERE kind = ? AND metric = ? AND from_at <= ?
             ORDER BY from_at DESC LIMIT 1",
        )?;
        // Keys are in ascending order, so a segment that was removed covers the keys up to its end.
        let mut covered: Option<(FactGroup, i64)> = None;
        for (&(kind, metric, at), facts) in changed {
            *self.open.entry((kind, metric)).or_default() += facts;
            if covered.is_some_and(|(line, until)| line == (kind, metric) && at < until) {
                continue;
            }
            let found = select.query_row([kind, metric, at], Segment::of).optional()?;
            let Some(segment) = found.filter(|segment| segment.until > at) else { continue };
            remove(step, segment.id)?;
            self.broken.insert((kind, metric));
            covered = Some(((kind, metric), segment.until));
        }
        Ok(())
    }

    /// Seals a few segments. Returns false if there is nothing to seal.
    pub(crate) fn seal(&mut self, step: &Transaction<'_>) -> rusqlite::Result<bool> {
        let long = self.open.iter().find(|(_, facts)| **facts >= self.sizes.enough());
        let Some(line) = self.broken.first().or(long.map(|(line, _)| line)).copied() else {
            return Ok(false);
        };
        let (mut left, mut open) = (SEGMENTS_PER_STEP, 0);
        for mut gap in gaps(step, line)? {
            while gap.from < gap.until {
                open = if gap.is_last { facts_from(step, line, gap.from, self.sizes)? } else { 0 };
                if gap.is_last && open < self.sizes.enough() {
                    break;
                }
                if left == 0 {
                    return Ok(true);
                }
                let Some((facts, until)) = first_of(step, line, &gap, self.sizes)? else { break };
                left -= 1;
                write(step, line, (gap.from, until), &facts)?;
                gap.from = until;
            }
        }
        self.broken.remove(&line);
        self.open.insert(line, open);
        Ok(true)
    }
}

/// A range of time that no segment covers.
struct UnsealedGap {
    from: i64,
    until: i64,
    is_last: bool,
}

fn gaps(step: &Transaction<'_>, (kind, metric): FactGroup) -> rusqlite::Result<Vec<UnsealedGap>> {
    let mut select = step.prepare_cached(
        "SELECT id, from_at, until_at, facts FROM segments WHERE kind = ? AND metric = ? ORDER BY from_at",
    )?;
    let (mut gaps, mut from) = (Vec::new(), i64::MIN);
    for segment in select.query_map([kind, metric], Segment::of)? {
        let segment = segment?;
        if from < segment.from {
            gaps.push(UnsealedGap { from, until: segment.from, is_last: false });
        }
        from = segment.until;
    }
    gaps.push(UnsealedGap { from, until: i64::MAX, is_last: true });
    Ok(gaps)
}

type SegmentFacts = Vec<(i64, FactRow)>;

/// The first facts of a gap that make up a segment, and where it ends; `None` if there are none.
fn first_of(
    step: &Transaction<'_>,
    line: FactGroup,
    gap: &UnsealedGap,
    sizes: Sizes,
) -> rusqlite::Result<Option<(SegmentFacts, i64)>> {
    let mut select = step.prepare_cached(
        "SELECT at, chat, ordinal, start, wall, business, agent, sector, channel, tags FROM facts
         WHERE kind = ? AND metric = ? AND at >= ? AND at < ? ORDER BY at, chat, ordinal",
    )?;
    let (kind, metric) = line;
    let mut rows = select.query(params![kind, metric, gap.from, gap.until])?;
    let (mut facts, mut last) = (SegmentFacts::new(), gap.from);
    while let Some(row) = rows.next()? {
        let at = row.get(0)?;
        if facts.len() >= sizes.segment && at > last {
            return Ok(Some((facts, at)));
        }
        last = at;
        let fact = FactRow {
            kind,
            metric,
            at,
            ordinal: row.get(2)?,
            start: row.get(3)?,
            wall: row.get(4)?,
            business: row.get(5)?,
            agent: row.get(6)?,
            sector: row.get(7)?,
            channel: row.get(8)?,
            tags: row.get(9)?,
        };
        facts.push((row.get(1)?, fact));
    }
    let until = if gap.is_last { last + 1 } else { gap.until };
    Ok((!facts.is_empty()).then_some((facts, until)))
}

/// Number of facts from a moment on, counted no further than needed.
fn facts_from(
    step: &Transaction<'_>,
    (kind, metric): FactGroup,
    from: i64,
    sizes: Sizes,
) -> rusqlite::Result<usize> {
    let mut select = step.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM facts WHERE kind = ? AND metric = ? AND at >= ? LIMIT ?)",
    )?;
    let most = i64::try_from(sizes.enough()).unwrap_or(i64::MAX);
    let facts: i64 = select.query_row(params![kind, metric, from, most], |row| row.get(0))?;
    Ok(usize::try_from(facts).unwrap_or_default())
}
