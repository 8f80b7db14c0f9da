//! The settings that an admin saves. They are one row, changed only through the journal.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{NewEvent, Outcome};
use crate::domain::register::{from_nanos, to_nanos};
use crate::domain::{Audience, EventId, Seq, TeamSettings};
use crate::journal::append::Ack;
use crate::journal::entry::Entry;
use crate::journal::fault::StoreError;
use crate::journal::payload::SettingsChange;
use crate::journal::recorded::HubEffect;
use crate::protocol::alerts::{SETTINGS_UPDATED, SettingsData, SideUpdate};
use crate::protocol::shapes::NamedShape;
use crate::sqlite::DbError;

/// The settings that were saved last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSettings {
    pub settings: TeamSettings,
    /// Position of the update that announced them.
    pub seq: Seq,
    pub updated_at: Timestamp,
    pub updated_by: NamedShape,
}

/// Loads the settings that were saved last; `None` until some are saved. Fails if their JSON is damaged.
pub fn load(connection: &Connection) -> Result<Option<SavedSettings>, DbError> {
    let mut select = connection
        .prepare_cached("SELECT value, seq, updated_at, updated_by, updated_by_name FROM settings")?;
    let row = select
        .query_row([], |row| {
            let (value, seq, at): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((value, seq, at, NamedShape { id: row.get(3)?, name: row.get(4)? }))
        })
        .optional()?;
    let Some((value, seq, at, updated_by)) = row else { return Ok(None) };
    let settings = serde_json::from_str(&value)?;
    Ok(Some(SavedSettings { settings, seq: Seq(seq), updated_at: from_nanos(at), updated_by }))
}

/// Saves new settings and announces them. Equal settings change nothing. If somebody else has saved settings
/// since the new ones were begun, the record is ignored.
pub(in crate::journal) fn apply<'a>(
    connection: &Connection,
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    change: &SettingsChange,
) -> Result<Outcome<'a>, StoreError> {
    let saved = load(connection)?;
    let saved_at = saved.as_ref().map_or(Seq(0), |saved| saved.seq);
    if change.only_after.as_ref().is_some_and(|expected| !expected.contains(&saved_at)) {
        return Ok(Outcome::NoEvent(Ack::ignored(Some(id.clone()))));
    }
    if let Some(saved) = saved.filter(|saved| saved.settings == change.settings.values) {
        return Ok(Outcome::NoEvent(Ack::duplicate(Some(id.clone()), Some(saved.seq))));
    }
    let mut upsert = connection.prepare_cached(
        "INSERT INTO settings (id, value, seq, updated_at, updated_by, updated_by_name) VALUES (1, ?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET value = ?1, seq = ?2, updated_at = ?3, updated_by = ?4, updated_by_name = ?5",
    )?;
    let value = serde_json::to_string(&change.settings.values)?;
    upsert.execute(params![value, seq.0, to_nanos(entry.at), change.by.id, change.by.name])?;
    let data = SettingsData::new(id, change.settings.clone(), change.by.clone());
    let frame = serde_json::to_string(&SideUpdate::new(seq, entry.at, data))?;
    let audience = Audience { directory: true, ..Audience::default() };
    let effect = HubEffect::Settings(Arc::new(change.settings.values.clone()));
    Ok(NewEvent::new(SETTINGS_UPDATED, audience, frame.into()).with(effect).into())
}
