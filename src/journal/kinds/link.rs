//! The link to the provider's API: how far what the provider knows is known here, which is no event, and what is wrong, which
//! everybody is told.

use rusqlite::{Connection, OptionalExtension, params};

use super::{NewEvent, Outcome};
use crate::domain::{Audience, EventId, Seq};
use crate::journal::append::Ack;
use crate::journal::entry::Entry;
use crate::journal::fault::StoreError;
use crate::journal::meta;
use crate::journal::payload::LinkProgress;
use crate::protocol::alerts::SideUpdate;
use crate::protocol::link::{LINK_UPDATED, LinkAlert, LinkData};

/// The key in `meta` of how far everything is known.
const PROGRESS_KEY: &str = "link";

/// Notes how far everything is known.
pub(in crate::journal) fn apply(
    connection: &Connection,
    progress: &LinkProgress,
) -> Result<Outcome<'static>, StoreError> {
    meta::put(connection, PROGRESS_KEY, &serde_json::to_string(progress)?)?;
    Ok(Outcome::NoEvent(Ack::duplicate(None, None)))
}

/// Tells what is wrong, where that is something else than before.
pub(in crate::journal) fn apply_alerts<'a>(
    connection: &Connection,
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    alerts: &[LinkAlert],
) -> Result<Outcome<'a>, StoreError> {
    if load_alerts(connection)? == alerts {
        return Ok(Outcome::NoEvent(Ack::duplicate(Some(id.clone()), None)));
    }
    connection
        .prepare_cached(
            "INSERT INTO link_alerts (id, value, seq) VALUES (1, ?1, ?2)
             ON CONFLICT (id) DO UPDATE SET value = ?1, seq = ?2",
        )?
        .execute(params![serde_json::to_string(alerts)?, seq.0])?;
    let frame = serde_json::to_string(&SideUpdate::new(seq, entry.at, LinkData::new(id, alerts)))?;
    let audience = Audience { directory: true, ..Audience::default() };
    Ok(NewEvent::new(LINK_UPDATED, audience, frame.into()).into())
}

/// How far everything was known last; nothing where that was never noted.
pub fn load(connection: &Connection) -> rusqlite::Result<LinkProgress> {
    let stored = meta::get(connection, PROGRESS_KEY)?;
    // What cannot be read is found again by the next comparison.
    Ok(stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

pub fn load_alerts(connection: &Connection) -> Result<Vec<LinkAlert>, StoreError> {
    let mut select = connection.prepare_cached("SELECT value FROM link_alerts")?;
    let stored: Option<String> = select.query_row([], |row| row.get(0)).optional()?;
    Ok(stored.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}
