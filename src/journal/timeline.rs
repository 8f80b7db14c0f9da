//! Reads a chat's timeline, in the form that the rules of history read.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use crate::domain::RefId;
use crate::domain::history::HistoryEntry;
use crate::domain::register::{from_nanos, to_nanos};

/// The timeline of a chat in order, all of it or up to a moment.
pub fn entries(
    database: &Connection,
    chat: &str,
    until: Option<Timestamp>,
) -> rusqlite::Result<Vec<HistoryEntry>> {
    let mut select = database.prepare_cached(
        "SELECT at, event_id, organization, open, waiting, private, owner_id, sector_id, channel_id, tags, members,
             bot_running, closed_at
         FROM timeline WHERE chat_id = ?1 AND at <= ?2 ORDER BY at, event_id",
    )?;
    let entries = select.query_map(params![chat, until.map_or(i64::MAX, to_nanos)], read_entry)?;
    entries.collect()
}

fn read_entry(row: &Row<'_>) -> rusqlite::Result<HistoryEntry> {
    let id = |column| -> rusqlite::Result<Option<RefId>> {
        Ok(row.get::<_, Option<String>>(column)?.map(RefId::from))
    };
    // An empty id means "none".
    let nullable = |column| -> rusqlite::Result<Option<Option<RefId>>> {
        let said: Option<String> = row.get(column)?;
        Ok(said.map(|id| (!id.is_empty()).then(|| RefId::from(id))))
    };
    Ok(HistoryEntry {
        at: from_nanos(row.get(0)?),
        event_id: row.get::<_, String>(1)?.into(),
        organization: id(2)?,
        open: row.get(3)?,
        waiting: row.get(4)?,
        private: row.get(5)?,
        owner: nullable(6)?,
        sector: nullable(7)?,
        channel: id(8)?,
        tags: ids(row, 9)?,
        members: ids(row, 10)?,
        bot_running: row.get(11)?,
        closed_at: row.get::<_, Option<i64>>(12)?.map(from_nanos),
    })
}

fn ids(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Vec<RefId>>> {
    let Some(list) = row.get_ref(column)?.as_str_or_null()? else { return Ok(None) };
    let ids: Vec<String> = serde_json::from_str(list)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))?;
    Ok(Some(ids.into_iter().map(RefId::from).collect()))
}
