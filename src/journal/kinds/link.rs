//! Records of the link to the provider's API: up to when everything is known, which makes no event, and the link's alerts, which
//! every screen is told.

use rusqlite::{Connection, OptionalExtension, params};

use super::{NewEvent, Outcome};
use crate::domain::{Audience, EventId, Seq};
use crate::journal::append::Ack;
use crate::journal::entry::Entry;
use crate::journal::fault::StoreError;
use crate::journal::meta;
use crate::journal::payload::{BackfillProgress, LinkProgress};
use crate::protocol::alerts::SideUpdate;
use crate::protocol::link::{BackfillShape, LINK_UPDATED, LinkAlert, LinkData};

/// The key in `meta` under which [`LinkProgress`] is stored.
const PROGRESS_KEY: &str = "link";

/// Stores up to when everything is known.
pub(in crate::journal) fn apply(
    connection: &Connection,
    progress: &LinkProgress,
) -> Result<Outcome<'static>, StoreError> {
    meta::put(connection, PROGRESS_KEY, &serde_json::to_string(progress)?)?;
    Ok(Outcome::NoEvent(Ack::duplicate(None, None)))
}

/// Notes how far a backfill has come, and tells everybody.
pub(in crate::journal) fn apply_told<'a>(
    connection: &Connection,
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    progress: &LinkProgress,
) -> Result<Outcome<'a>, StoreError> {
    meta::put(connection, PROGRESS_KEY, &serde_json::to_string(progress)?)?;
    let alerts = load_alerts(connection)?;
    update(connection, seq, entry, id, &alerts)
}

/// The update that tells everybody what is wrong, and how far a backfill has come.
fn update<'a>(
    connection: &Connection,
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    alerts: &[LinkAlert],
) -> Result<Outcome<'a>, StoreError> {
    let backfill = load(connection)?.backfill.as_ref().map(BackfillShape::from);
    let data = LinkData::new(id, alerts, backfill.as_ref());
    let frame = serde_json::to_string(&SideUpdate::new(seq, entry.at, data))?;
    let audience = Audience { directory: true, ..Audience::default() };
    Ok(NewEvent::new(LINK_UPDATED, audience, frame.into()).into())
}

/// Stores the alerts and makes their update, unless they are the same as before.
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
    update(connection, seq, entry, id, alerts)
}

/// Up to when everything is known. Empty if no comparison has finished yet.
pub fn load(connection: &Connection) -> rusqlite::Result<LinkProgress> {
    let stored = meta::get(connection, PROGRESS_KEY)?;
    // A value that cannot be read counts as empty: the next comparison then goes further back and stores it again.
    Ok(stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

pub fn load_alerts(connection: &Connection) -> Result<Vec<LinkAlert>, StoreError> {
    let mut select = connection.prepare_cached("SELECT value FROM link_alerts")?;
    let stored: Option<String> = select.query_row([], |row| row.get(0)).optional()?;
    Ok(stored.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
}

impl From<&BackfillProgress> for BackfillShape {
    fn from(progress: &BackfillProgress) -> Self {
        Self {
            days: progress.days,
            begun_at: progress.begun_at,
            ended_at: progress.ended_at,
            done: progress.done,
            total: progress.total,
            messages: progress.messages,
            skipped: progress.skipped,
            next_days: progress.next_days,
            problem: None,
        }
    }
}
