//! Files of messages: where one is, and which messages still lack theirs.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};

use super::{GetChat, Query, ReadError};
use crate::auth::Scope;
use crate::domain::register::to_nanos;
use crate::domain::{ChatId, ChatMessage, MessageId};

/// Messages without an address of their file that are looked for at once. A team has less media in the time between two looks.
const FILELESS_MAX: u32 = 2_000;

/// A message that may be seen, as far as its file goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFile {
    pub chat: ChatId,
    /// False where the message has no file at all.
    pub has_file: bool,
    pub url: Option<String>,
}

/// The file of a message; `None` if the message does not exist or may not be seen.
#[derive(Debug, Clone)]
pub struct FindFile {
    pub message: String,
    pub scope: Arc<Scope>,
}

impl Query for FindFile {
    type Answer = Option<MessageFile>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut select = tx.prepare_cached("SELECT state FROM messages WHERE id = ?")?;
        let stored: Option<String> = select.query_row([&self.message], |row| row.get(0)).optional()?;
        let Some(stored) = stored else { return Ok(None) };
        let message: ChatMessage = serde_json::from_str(&stored)?;
        let chat = GetChat { id: message.chat_id.to_string(), scope: self.scope };
        if chat.answer(tx)?.is_none() {
            return Ok(None);
        }
        let file = message.file.view();
        Ok(Some(MessageFile {
            chat: message.chat_id,
            has_file: file.is_some(),
            url: file.and_then(|file| file.url),
        }))
    }
}

/// Messages that show a file without an address, from one moment and before another.
#[derive(Debug, Clone, Copy)]
pub struct FindFileless {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Query for FindFileless {
    type Answer = Vec<(MessageId, ChatId)>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut select = tx.prepare_cached(
            "SELECT id, chat_id FROM messages WHERE order_at >= ?1 AND order_at < ?2
                 AND json_extract(state, '$.file.seen') = 1 AND json_extract(state, '$.file.url') IS NULL
             ORDER BY order_at LIMIT ?3",
        )?;
        let bounds = (to_nanos(self.from), to_nanos(self.until), FILELESS_MAX);
        let row = |row: &rusqlite::Row<'_>| {
            let (id, chat): (String, String) = (row.get(0)?, row.get(1)?);
            Ok((MessageId::from(id), ChatId::from(chat)))
        };
        Ok(select.query_map(bounds, row)?.collect::<Result<_, _>>()?)
    }
}
