//! What the outbox asks of the database.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::domain::register::to_nanos;
use crate::domain::{Chat, ChatId, ChatMessage, Direction, MessageId};
use crate::journal::outbox::{COLUMNS, OutboxRow};
use crate::reads::{Query, ReadError};
use crate::umbler::api::sending::SentItem;

/// Messages that are at work: those that may have arrived first, and then the first queued first.
#[derive(Debug)]
pub struct AtWork {
    pub most: usize,
    /// Also those that were sent since then, to be followed.
    pub sent_since: Option<Timestamp>,
}

impl Query for AtWork {
    type Answer = Vec<OutboxRow>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Vec<OutboxRow>, ReadError> {
        let most = i64::try_from(self.most).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {COLUMNS} FROM outbox WHERE state IN ('queued', 'sending', 'unclear')
             ORDER BY state = 'queued', queued_at, id LIMIT ?1"
        );
        let mut rows: Vec<OutboxRow> =
            tx.prepare_cached(&sql)?.query_map([most], OutboxRow::read)?.collect::<Result<_, _>>()?;
        if let Some(since) = self.sent_since {
            let sql = format!(
                "SELECT {COLUMNS} FROM outbox WHERE attempted_at >= ?1 AND state = 'sent' AND private = 0
                 ORDER BY queued_at, id LIMIT ?2"
            );
            let mut select = tx.prepare_cached(&sql)?;
            let sent = select.query_map(params![to_nanos(since), most], OutboxRow::read)?;
            rows.extend(sent.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(rows)
    }
}

/// An entry, and the chat that it goes to.
#[derive(Debug)]
pub struct OneAtWork(pub String);

impl Query for OneAtWork {
    type Answer = Option<(OutboxRow, Option<Chat>)>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let Some(row) = OutboxRow::find(tx, &self.0)? else { return Ok(None) };
        let mut select = tx.prepare_cached("SELECT state FROM chats WHERE id = ?")?;
        let state: Option<String> = select.query_row([&row.shape.chat_id], |row| row.get(0)).optional()?;
        let chat = state.map(|state| serde_json::from_str(&state)).transpose()?;
        Ok(Some((row, chat)))
    }
}

/// What is known here of a chat's messages of our side since a moment, whoever wrote them.
#[derive(Debug)]
pub struct KnownSince {
    pub chat: ChatId,
    pub since: Timestamp,
}

impl Query for KnownSince {
    type Answer = Vec<SentItem>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Vec<SentItem>, ReadError> {
        let mut select = tx.prepare_cached(
            "SELECT state FROM messages WHERE chat_id = ?1 AND order_at >= ?2 AND at >= ?2",
        )?;
        let states = select.query_map(params![self.chat.as_str(), to_nanos(self.since)], |row| row.get(0))?;
        let states: Vec<String> = states.collect::<Result<_, _>>()?;
        let mut known = Vec::new();
        for state in states {
            let message: ChatMessage = serde_json::from_str(&state)?;
            // What comes as if from outside may be the second copy of the message.
            let is_external = message.source.get().is_some_and(|source| source == "External");
            if message.direction() == Direction::Out && !is_external {
                known.push(SentItem {
                    created_at: message.created_at.unwrap_or(message.at),
                    text: message.text.get().cloned(),
                    private: message.private.get().copied().unwrap_or(false),
                    external: false,
                    temp_id: None,
                    id: message.id,
                });
            }
        }
        Ok(known)
    }
}

/// Which of these messages belong to another entry.
#[derive(Debug)]
pub struct Taken {
    pub of: Vec<MessageId>,
    pub by: String,
}

impl Query for Taken {
    type Answer = BTreeSet<MessageId>;

    fn answer(self, tx: &Transaction<'_>) -> Result<BTreeSet<MessageId>, ReadError> {
        let mut select =
            tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM outbox WHERE message_id = ?1 AND id <> ?2)")?;
        let mut taken = BTreeSet::new();
        for id in self.of {
            if select.query_row([id.as_str(), &self.by], |row| row.get(0))? {
                taken.insert(id);
            }
        }
        Ok(taken)
    }
}

/// How far a message is known to have come.
#[derive(Debug)]
pub struct KnownMessage(pub MessageId);

impl Query for KnownMessage {
    type Answer = Option<ChatMessage>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Option<ChatMessage>, ReadError> {
        let mut select = tx.prepare_cached("SELECT state FROM messages WHERE id = ?")?;
        let state: Option<String> = select.query_row([self.0.as_str()], |row| row.get(0)).optional()?;
        Ok(state.map(|state| serde_json::from_str(&state)).transpose()?)
    }
}
