//! Reads stored records, in the order of their positions.

use rusqlite::{Connection, OptionalExtension, Row};

use super::entry::{Entry, Kind, Origin};
use crate::domain::register::from_nanos;
use crate::domain::{EventId, Seq};

/// A record and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    pub seq: Seq,
    pub entry: Entry,
    /// Why a delivery was kept raw; `None` if it was not.
    pub reason: Option<String>,
}

const COLUMNS: &str = "SELECT journal.seq, kind, event_id, received_at, origin, attempt, body, reason
     FROM journal JOIN raw_deliveries ON raw_deliveries.seq = journal.seq";
/// Estimated size of an encoded record without its content.
const ENTRY_OVERHEAD_BYTES: usize = 100;

/// At most `most` records after a position.
pub fn read(connection: &Connection, after: Seq, most: usize) -> rusqlite::Result<Vec<StoredRecord>> {
    let mut select = connection
        .prepare_cached(&format!("{COLUMNS} WHERE journal.seq > ?1 ORDER BY journal.seq LIMIT ?2"))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    select.query_map((after.0, most), stored)?.collect()
}

/// Records after a position, until they have so many bytes. There is at least one, if there is any.
pub fn read_up_to(
    connection: &Connection,
    after: Seq,
    bytes_max: usize,
) -> rusqlite::Result<Vec<StoredRecord>> {
    let mut select =
        connection.prepare_cached(&format!("{COLUMNS} WHERE journal.seq > ?1 ORDER BY journal.seq"))?;
    let mut rows = select.query([after.0])?;
    let (mut records, mut bytes) = (Vec::new(), 0);
    while bytes < bytes_max
        && let Some(row) = rows.next()?
    {
        let record = stored(row)?;
        bytes += record.entry.body.len() + ENTRY_OVERHEAD_BYTES;
        records.push(record);
    }
    Ok(records)
}

/// The record at a position; `None` where there is none.
pub fn one(connection: &Connection, seq: Seq) -> rusqlite::Result<Option<StoredRecord>> {
    let mut select = connection.prepare_cached(&format!("{COLUMNS} WHERE journal.seq = ?1"))?;
    select.query_row([seq.0], stored).optional()
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredRecord> {
    let number: u8 = row.get(1)?;
    let unknown = || rusqlite::Error::IntegralValueOutOfRange(1, i64::from(number));
    let (id, origin): (String, Option<String>) = (row.get(2)?, row.get(4)?);
    let entry = Entry {
        kind: Kind::from_number(number).ok_or_else(unknown)?,
        id: Some(EventId::from(id)),
        at: from_nanos(row.get(3)?),
        origin: Origin::from_text(origin.as_deref()),
        attempt: row.get(5)?,
        // What is stored was in force.
        fence: None,
        body: row.get(6)?,
    };
    Ok(StoredRecord { seq: Seq(row.get(0)?), entry, reason: row.get(7)? })
}
