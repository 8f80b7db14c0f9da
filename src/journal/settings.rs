//! Settings that an admin saves: one row, changed only through the journal.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::append::{Ack, AckStatus};
use super::batch::{BatchWriter, Written};
use super::recorded::{News, Recorded};
use super::rows;
use super::store::StoreError;
use crate::domain::register::{from_nanos, to_nanos};
use crate::domain::{Audience, EventId, Seq, Settings};
use crate::protocol::SettingsShape;
use crate::protocol::alerts::{SETTINGS_UPDATED, SettingsData, SideUpdate};
use crate::protocol::shapes::NamedShape;

/// Settings to be in force from here on, all of them.
#[derive(Debug, Clone)]
pub struct SettingsChange {
    /// The id of the update that tells them.
    pub id: EventId,
    /// All of them, with the hub's time zone.
    pub settings: SettingsShape,
    /// Only where the settings in force were saved at one of these positions, 0 standing for the defaults. `None`:
    /// whatever was saved.
    pub only_after: Option<Vec<Seq>>,
    /// Who saves them.
    pub by: NamedShape,
    /// The same in JSON, compressed with zstd.
    pub raw: Vec<u8>,
    /// When the hub received it.
    pub received_at: Timestamp,
}

/// Settings as they were saved last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSettings {
    /// All of them.
    pub settings: Settings,
    /// The position of the update that told them.
    pub seq: Seq,
    /// When they were saved.
    pub updated_at: Timestamp,
    /// Who saved them.
    pub updated_by: NamedShape,
}

/// What was saved last; `None` while nobody saved anything. An error of the JSON is damage.
pub fn load(connection: &Connection) -> Result<Option<SavedSettings>, StoreError> {
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

impl BatchWriter {
    /// Writes other settings, and tells them; the same ones change nothing. Ignored where others were saved than those that
    /// they are made from.
    pub(super) fn take_settings(
        &mut self,
        change: &SettingsChange,
        written: &mut Written,
    ) -> Result<(), StoreError> {
        let connection = self.store.connection();
        let event_id = Some(change.id.clone());
        let saved = load(connection)?;
        let saved_at = saved.as_ref().map_or(Seq(0), |saved| saved.seq);
        if change.only_after.as_ref().is_some_and(|expected| !expected.contains(&saved_at)) {
            written.acks.push(Ack { status: AckStatus::Ignored, event_id, seq: None, reason: None });
            return Ok(());
        }
        if let Some(saved) = saved.filter(|saved| saved.settings == change.settings.values) {
            let status = AckStatus::Duplicate;
            written.acks.push(Ack { status, event_id, seq: Some(saved.seq), reason: None });
            return Ok(());
        }
        let (seq, at) = (Seq(self.newest.0 + 1), change.received_at);
        let mut upsert = connection.prepare_cached(
            "INSERT INTO settings (id, value, seq, updated_at, updated_by, updated_by_name) VALUES (1, ?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET value = ?1, seq = ?2, updated_at = ?3, updated_by = ?4,
                 updated_by_name = ?5",
        )?;
        let value = serde_json::to_string(&change.settings.values)?;
        upsert.execute(params![value, seq.0, to_nanos(at), change.by.id, change.by.name])?;
        let audience = Audience { directory: true, ..Audience::default() };
        rows::put_journal_row(
            connection,
            &rows::JournalRow {
                seq,
                event_id: &change.id,
                event_type: SETTINGS_UPDATED,
                update_type: SETTINGS_UPDATED,
                event_at: None,
                received_at: at,
                attempt: None,
                reason: None,
                audience: &audience,
            },
        )?;
        let data = SettingsData::new(&change.id, change.settings.clone(), change.by.clone());
        let frame: bytestring::ByteString = serde_json::to_string(&SideUpdate::new(seq, at, data))?.into();
        rows::put_bytes(connection, seq, &change.raw, &frame, &[])?;
        self.newest = seq;
        written.acks.push(Ack { status: AckStatus::Accepted, event_id, seq: Some(seq), reason: None });
        let news = News::Settings(Arc::new(change.settings.values.clone()));
        written.events.push(Arc::new(Recorded::new(seq, frame, Some(audience), Vec::new()).with(news)));
        Ok(())
    }
}
