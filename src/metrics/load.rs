//! Loads one chat's history from the database, as the rules read it.

use rusqlite::{Connection, OptionalExtension, Row};

use crate::archive::ArchiveError;
use crate::domain::metrics::{Entry, History, Said, Speaker};
use crate::domain::register::from_nanos;
use crate::domain::{Chat, RefId, Role};

/// A chat and its history; `None` where it is not known.
pub fn load(database: &Connection, id: &str) -> Result<Option<(Chat, History)>, ArchiveError> {
    let mut select = database.prepare_cached("SELECT state FROM chats WHERE id = ?")?;
    let state: Option<String> = select.query_row([id], |row| row.get(0)).optional()?;
    let Some(state) = state else { return Ok(None) };
    let chat: Chat = serde_json::from_str(&state)?;
    let history = History {
        created_at: chat.created_at,
        entries: entries(database, id)?,
        messages: messages(database, id)?,
    };
    Ok(Some((chat, history)))
}

fn entries(database: &Connection, id: &str) -> Result<Vec<Entry>, ArchiveError> {
    let mut select = database.prepare_cached(
        "SELECT at, open, closed_at, owner_id, sector_id, channel_id, tags, bot_running
         FROM timeline WHERE chat_id = ? ORDER BY at, event_id",
    )?;
    let mut rows = select.query([id])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let tags: Option<String> = row.get(6)?;
        entries.push(Entry {
            at: from_nanos(row.get(0)?),
            open: row.get(1)?,
            closed_at: row.get::<_, Option<i64>>(2)?.map(from_nanos),
            owner: named(row, 3)?,
            sector: named(row, 4)?,
            channel: row.get::<_, Option<String>>(5)?.map(RefId::from),
            tags: tags.map(|tags| serde_json::from_str(&tags)).transpose()?,
            bot_running: row.get(7)?,
        });
    }
    Ok(entries)
}

/// Said to be none is an empty id; not said is NULL.
#[expect(clippy::option_option, reason = "outer: was it said; inner: is there one")]
fn named(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Option<RefId>>> {
    let id: Option<String> = row.get(column)?;
    Ok(id.map(|id| (!id.is_empty()).then(|| RefId::from(id))))
}

fn messages(database: &Connection, id: &str) -> Result<Vec<Said>, ArchiveError> {
    let mut select = database.prepare_cached(
        "SELECT at, source, role,
             CASE WHEN role = 'other' THEN coalesce(json_extract(state, '$.private.v'), 0) ELSE 0 END,
             CASE WHEN source = 'Member' THEN json_extract(state, '$.author.v.id') END
         FROM messages WHERE chat_id = ? AND role <> 'reaction' ORDER BY at, id",
    )?;
    let mut rows = select.query([id])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        let source: Option<String> = row.get(1)?;
        let role = match row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)? {
            "customer" => Role::Customer,
            "reply" => Role::Reply,
            _ => Role::Other,
        };
        messages.push(Said {
            at: from_nanos(row.get(0)?),
            speaker: Speaker::of(source.as_deref()),
            role,
            private: row.get(3)?,
            agent: row.get::<_, Option<String>>(4)?.map(RefId::from),
        });
    }
    Ok(messages)
}
