//! Segments: sealed facts, stored by column. A question about a year reads these instead of rows.
//!
//! A segment contains every fact of one kind and metric from one moment up to, but not including, another. It
//! is derived from the rows of `facts` and changed in the same transactions: if one of its facts changes, it
//! is removed (`seal`), and the rows are read until it is sealed again. So a question reads segments where
//! there are any and rows elsewhere, and finds the same facts.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::rows::FactRow;
use crate::sqlite::DbError;

/// The columns of a segment have consecutive ids.
const IDS_PER_SEGMENT: i64 = 16;

/// A column of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum SegmentColumn {
    Times = 0,
    Walls = 1,
    Businesses = 2,
    Chats = 3,
    Ordinals = 4,
    Agents = 5,
    Sectors = 6,
    Channels = 7,
    Tags = 8,
}

impl SegmentColumn {
    fn id(self, segment: i64) -> i64 {
        segment * IDS_PER_SEGMENT + i64::from(self as u8)
    }
}

/// The time that a segment covers, and how many facts it contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) id: i64,
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) facts: usize,
}

impl Segment {
    /// Reads `id`, `from_at`, `until_at` and `facts`, in this order.
    pub(crate) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let facts = usize::try_from(row.get::<_, u32>(3)?).unwrap_or(usize::MAX);
        Ok(Self { id: row.get(0)?, from: row.get(1)?, until: row.get(2)?, facts })
    }
}

/// The segments of a kind and metric that overlap a period, in order. Segments do not overlap each other, so the last that begins
/// before the period is the only one of those before that may reach into it.
pub(crate) fn overlapping(
    tx: &Transaction<'_>,
    (kind, metric): (i64, i64),
    (from, until): (i64, i64),
) -> rusqlite::Result<Vec<Segment>> {
    let mut select = tx.prepare_cached(
        "SELECT id, from_at, until_at, facts FROM segments WHERE kind = ?1 AND metric = ?2 AND from_at < ?4
             AND from_at >= coalesce(
                 (SELECT max(from_at) FROM segments WHERE kind = ?1 AND metric = ?2 AND from_at <= ?3), ?3)
         ORDER BY from_at",
    )?;
    let found = select.query_map([kind, metric, from, until], Segment::of)?;
    // The first one may end before the period begins.
    found.filter(|segment| segment.as_ref().map_or(true, |segment| segment.until > from)).collect()
}

/// Reads a column of numbers, stored in eight bytes each, little-endian.
pub(crate) fn numbers(
    tx: &Transaction<'_>,
    segment: &Segment,
    part: SegmentColumn,
) -> Result<Vec<i64>, DbError> {
    let bytes = read(tx, segment, part)?;
    if bytes.len() != segment.facts * 8 {
        return Err(damaged(segment, part));
    }
    Ok(bytes.as_chunks().0.iter().map(|number| i64::from_le_bytes(*number)).collect())
}

/// A column of ids: the different ones, and for each fact an index.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IdColumn {
    /// `None` stands for facts without an id.
    pub(crate) different: Vec<Option<String>>,
    /// For each fact, the index of its id in `different`.
    pub(crate) places: Vec<usize>,
}

impl IdColumn {
    pub(crate) fn read(
        tx: &Transaction<'_>,
        segment: &Segment,
        part: SegmentColumn,
    ) -> Result<Self, DbError> {
        let bytes = read(tx, segment, part)?;
        Self::parse(&bytes, segment.facts).ok_or_else(|| damaged(segment, part))
    }

    fn parse(bytes: &[u8], facts: usize) -> Option<Self> {
        let (names, places) = bytes.split_at_checked(bytes.len().checked_sub(facts * 4)?)?;
        let different: Vec<Option<String>> = serde_json::from_slice(names).ok()?;
        let place = |bytes: &[u8; 4]| usize::try_from(u32::from_le_bytes(*bytes)).ok();
        let known = |place: &usize| *place < different.len();
        let places: Option<Vec<usize>> =
            places.as_chunks().0.iter().map(|bytes| place(bytes).filter(known)).collect();
        Some(Self { places: places?, different })
    }
}

fn read(tx: &Transaction<'_>, segment: &Segment, part: SegmentColumn) -> Result<Vec<u8>, DbError> {
    let mut select = tx.prepare_cached("SELECT bytes FROM segment_parts WHERE id = ?")?;
    let bytes = select.query_row([part.id(segment.id)], |row| row.get(0)).optional()?;
    bytes.ok_or_else(|| damaged(segment, part))
}

/// With this error the reader opens the file again, and the projector builds it again if it is damaged.
fn damaged(segment: &Segment, part: SegmentColumn) -> DbError {
    log::error!("segment {} of the metrics has a damaged column {part:?}", segment.id);
    let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(corrupt, None).into()
}

type NumberOf = fn(&(i64, FactRow)) -> i64;
type IdOf = fn(&FactRow) -> &Option<String>;

/// Writes a segment of facts, which must be in order.
pub(crate) fn write(
    step: &Transaction<'_>,
    (kind, metric): (i64, i64),
    (from, until): (i64, i64),
    facts: &[(i64, FactRow)],
) -> rusqlite::Result<()> {
    step.prepare_cached(
        "INSERT INTO segments (kind, metric, from_at, until_at, facts) VALUES (?, ?, ?, ?, ?)",
    )?
    .execute(params![kind, metric, from, until, i64::try_from(facts.len()).unwrap_or(i64::MAX)])?;
    let segment = step.last_insert_rowid();
    let mut put = step.prepare_cached("INSERT INTO segment_parts (id, bytes) VALUES (?, ?)")?;
    let numbers: [(SegmentColumn, NumberOf); 5] = [
        (SegmentColumn::Times, |(_, fact)| fact.at),
        (SegmentColumn::Walls, |(_, fact)| fact.wall),
        (SegmentColumn::Businesses, |(_, fact)| fact.business),
        (SegmentColumn::Chats, |(chat, _)| *chat),
        (SegmentColumn::Ordinals, |(_, fact)| fact.ordinal),
    ];
    for (part, number) in numbers {
        let bytes: Vec<u8> = facts.iter().flat_map(|fact| number(fact).to_le_bytes()).collect();
        put.execute(params![part.id(segment), bytes])?;
    }
    let ids: [(SegmentColumn, IdOf); 4] = [
        (SegmentColumn::Agents, |fact| &fact.agent),
        (SegmentColumn::Sectors, |fact| &fact.sector),
        (SegmentColumn::Channels, |fact| &fact.channel),
        (SegmentColumn::Tags, |fact| &fact.tags),
    ];
    for (part, id) in ids {
        put.execute(params![part.id(segment), packed(facts.iter().map(|(_, fact)| id(fact)))])?;
    }
    Ok(())
}

fn packed<'a>(ids: impl Iterator<Item = &'a Option<String>>) -> Vec<u8> {
    let mut different: Vec<&Option<String>> = Vec::new();
    let mut known = std::collections::HashMap::new();
    let mut places = Vec::new();
    for id in ids {
        let place = *known.entry(id).or_insert_with(|| {
            different.push(id);
            different.len() - 1
        });
        places.extend(u32::try_from(place).unwrap_or(u32::MAX).to_le_bytes());
    }
    let mut bytes = serde_json::to_vec(&different).unwrap_or_default();
    bytes.extend(places);
    bytes
}

pub(crate) fn remove(step: &Transaction<'_>, segment: i64) -> rusqlite::Result<()> {
    step.prepare_cached("DELETE FROM segments WHERE id = ?")?.execute([segment])?;
    let (first, next) = (segment * IDS_PER_SEGMENT, (segment + 1) * IDS_PER_SEGMENT);
    step.prepare_cached("DELETE FROM segment_parts WHERE id >= ? AND id < ?")?.execute([first, next])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_as_they_were_packed_and_nothing_else_does() {
        let ids = [Some("ana".to_owned()), None, Some("\n\"tag\"\n".to_owned()), Some("ana".to_owned())];
        let bytes = packed(ids.iter());
        let [ana, nobody, tag, _] = ids.clone();
        let read = IdColumn { different: vec![ana, nobody, tag], places: vec![0, 1, 2, 0] };
        assert_eq!(IdColumn::parse(&bytes, 4), Some(read));
        assert!(IdColumn::parse(&bytes, 3).is_none(), "of fewer facts");
        assert!(IdColumn::parse(&bytes, 5).is_none(), "of more");
        assert!(IdColumn::parse(&[], 1).is_none());
    }
}
