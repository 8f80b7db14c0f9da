//! Loads the history of one chat from the database, in the form that the rules read.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::metrics::{History, Said, Speaker, StateEntry};
use crate::domain::register::{from_nanos, to_nanos};
use crate::domain::{Chat, MessageRole, RefId, history};
use crate::journal::timeline::entries;
use crate::sqlite::DbError;

/// All that the projector reads of one chat.
pub struct Loaded {
    pub chat: Chat,
    pub entries: Vec<history::HistoryEntry>,
    /// Timeline and messages, as the rules read them.
    pub history: History,
}

/// A chat and its history up to a moment, or all of it; `None` if the chat does not exist.
pub fn load(database: &Connection, id: &str, until: Option<Timestamp>) -> Result<Option<Loaded>, DbError> {
    let mut select = database.prepare_cached("SELECT state FROM chats WHERE id = ?")?;
    let state: Option<String> = select.query_row([id], |row| row.get(0)).optional()?;
    let Some(state) = state else { return Ok(None) };
    let chat: Chat = serde_json::from_str(&state)?;
    let entries = entries(database, id, until)?;
    let history = History {
        created_at: chat.created_at,
        entries: entries.iter().map(heard).collect(),
        messages: messages(database, id, until)?,
    };
    Ok(Some(Loaded { chat, entries, history }))
}

fn heard(entry: &history::HistoryEntry) -> StateEntry {
    StateEntry {
        at: entry.at,
        open: entry.open,
        closed_at: entry.closed_at,
        owner: entry.owner.clone(),
        sector: entry.sector.clone(),
        channel: entry.channel.clone(),
        tags: entry.tags.clone(),
        bot_running: entry.bot_running,
    }
}

fn messages(database: &Connection, id: &str, until: Option<Timestamp>) -> Result<Vec<Said>, DbError> {
    let mut select = database.prepare_cached(
        "SELECT at, order_at, CASE WHEN json_extract(state, '$.sent_by.id') IS NULL THEN source ELSE 'Member' END, role,
             CASE WHEN json_extract(state, '$.sent_by.agent') IS NOT NULL THEN json_extract(state, '$.sent_by.agent')
                  WHEN source = 'Member' THEN json_extract(state, '$.author.v.id') END
         FROM messages WHERE chat_id = ? AND role <> 'reaction' AND at <= ? ORDER BY order_at, order_tie",
    )?;
    let mut rows = select.query(params![id, until.map_or(i64::MAX, to_nanos)])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        let source: Option<String> = row.get(2)?;
        let role = match row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)? {
            "customer" => MessageRole::Customer,
            "reply" => MessageRole::Reply,
            "note" => MessageRole::Note,
            "undelivered" => MessageRole::Undelivered,
            _ => MessageRole::Other,
        };
        messages.push(Said {
            at: from_nanos(row.get(0)?),
            moment: from_nanos(row.get(1)?),
            speaker: Speaker::of(source.as_deref()),
            role,
            agent: row.get::<_, Option<String>>(4)?.map(RefId::from),
        });
    }
    Ok(messages)
}
