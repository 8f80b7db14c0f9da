//! Fills in what older releases did not store of the hub's own records, so that every event can be made again
//! from its record: the user of a notice, who saved settings, and changes of alerts.
//!
//! A change of an alert is read from its update, or from the alert if that update is no longer kept. If the
//! alert was raised again later, its earlier times are lost, and such a record stays without bytes.

use rusqlite::{OptionalExtension, Transaction, params};
use rusqlite_migration::{HookError, HookResult};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::entry::ZSTD_LEVEL;
use super::kinds::alerts::{AlertRow, COLUMNS};
use super::payload::{AlertKey, AlertRequest, Notice, SettingsChange};
use crate::domain::{AlertKind, Audience};
use crate::protocol::SettingsShape;
use crate::protocol::alerts::AlertShape;
use crate::protocol::shapes::NamedShape;
use crate::telemetry::causes::chain;

/// A stored record, with what is known about its event.
struct Kept {
    seq: i64,
    kind: i64,
    update_type: String,
    audience: Option<String>,
    body: Vec<u8>,
    frame: Option<String>,
    chat: Option<String>,
    received_at: i64,
}

/// An update, as far as it is needed.
#[derive(Deserialize)]
struct Frame {
    data: FrameData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FrameData {
    alert: Option<AlertShape>,
    updated_by: Option<NamedShape>,
}

type Problem = Box<dyn std::error::Error>;

/// Fills in the bytes of all records that are not deliveries.
pub(super) fn fill_in(tx: &Transaction<'_>) -> HookResult {
    try_fill_in(tx).map_err(|problem| match problem.downcast::<rusqlite::Error>() {
        Ok(error) => HookError::RusqliteError(*error),
        Err(other) => HookError::Hook(chain(&*other)),
    })
}

fn try_fill_in(tx: &Transaction<'_>) -> Result<(), Problem> {
    let mut select = tx.prepare(
        "SELECT journal.seq, kind, update_type, audience, body, frame, chat_id, received_at FROM journal
         JOIN raw_deliveries ON raw_deliveries.seq = journal.seq LEFT JOIN frames ON frames.seq = journal.seq
         WHERE kind <> 0",
    )?;
    let kept = select.query_map([], |row| {
        Ok(Kept {
            seq: row.get(0)?,
            kind: row.get(1)?,
            update_type: row.get(2)?,
            audience: row.get(3)?,
            body: row.get(4)?,
            frame: row.get(5)?,
            chat: row.get(6)?,
            received_at: row.get(7)?,
        })
    })?;
    let mut update = tx.prepare("UPDATE raw_deliveries SET body = ?2 WHERE seq = ?1")?;
    for kept in kept {
        let kept = kept?;
        let text = match kept.kind {
            1 => Some(notice(&kept)?),
            3 => Some(settings(tx, &kept)?),
            4 => alert(tx, &kept)?.map(|request| serde_json::to_vec(&request)).transpose()?,
            _ => None,
        };
        if let Some(text) = text {
            update.execute(params![kept.seq, zstd::bulk::compress(&text, ZSTD_LEVEL)?])?;
        }
    }
    Ok(())
}

fn notice(kept: &Kept) -> Result<Vec<u8>, Problem> {
    let data = String::from_utf8(zstd::decode_all(kept.body.as_slice())?)?;
    let audience: Option<Audience> = kept.audience.as_deref().map(serde_json::from_str).transpose()?;
    let user = audience.and_then(|audience| audience.user).unwrap_or_default();
    Ok(serde_json::to_vec(&Notice { user, data: RawValue::from_string(data)? })?)
}

fn settings(tx: &Transaction<'_>, kept: &Kept) -> Result<Vec<u8>, Problem> {
    let settings: SettingsShape = serde_json::from_slice(&zstd::decode_all(kept.body.as_slice())?)?;
    let updated_by = update_of(kept).and_then(|data| data.updated_by);
    let by = match updated_by {
        Some(by) => by,
        None => tx
            .query_row("SELECT updated_by, updated_by_name FROM settings WHERE seq = ?1", [kept.seq], |row| {
                Ok(NamedShape { id: row.get(0)?, name: row.get(1)? })
            })
            .optional()?
            .unwrap_or(NamedShape { id: String::new(), name: None }),
    };
    Ok(serde_json::to_vec(&SettingsChange { settings, only_after: None, by })?)
}

/// What the update says; `None` if it is no longer kept or cannot be read.
fn update_of(kept: &Kept) -> Option<FrameData> {
    Some(serde_json::from_str::<Frame>(kept.frame.as_deref()?).ok()?.data)
}

fn alert(tx: &Transaction<'_>, kept: &Kept) -> Result<Option<AlertRequest>, Problem> {
    let shape = match update_of(kept).and_then(|data| data.alert) {
        Some(shape) => Some(shape),
        None => stored(tx, kept)?,
    };
    Ok(shape.and_then(|shape| request(&kept.update_type, shape)))
}

/// The alert of this chat that changed at this moment.
fn stored(tx: &Transaction<'_>, kept: &Kept) -> rusqlite::Result<Option<AlertShape>> {
    let column = match &*kept.update_type {
        "alert_raised" => "raised_at",
        "alert_cleared" => "cleared_at",
        _ => "acknowledged_at",
    };
    let sql = format!("SELECT {COLUMNS} FROM alerts WHERE chat_id = ?1 AND {column} = ?2 ORDER BY id");
    let row = tx.query_row(&sql, params![kept.chat, kept.received_at], AlertRow::read).optional()?;
    Ok(row.map(|row| row.shape))
}

fn request(update_type: &str, shape: AlertShape) -> Option<AlertRequest> {
    let key = |shape: &AlertShape| {
        let kind = AlertKind::from_word(&shape.kind)?;
        Some(AlertKey { kind, chat: shape.chat_id.as_str().into(), since: shape.since })
    };
    match update_type {
        "alert_raised" => Some(AlertRequest::Raise { alert: key(&shape)?, due_at: shape.due_at }),
        "alert_cleared" => Some(AlertRequest::Clear(key(&shape)?)),
        _ => Some(AlertRequest::Acknowledge { id: shape.id, by: shape.acknowledged_by? }),
    }
}
