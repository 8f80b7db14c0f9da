//! The outbox: what its records ask for, and how its rows are read.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::fault::StoreError;
use crate::domain::register::{from_nanos, to_nanos};
use crate::domain::sending::{ECHO_WITHIN, is_echo_of_moment, says_the_same};
use crate::domain::{ChatId, ChatMessage, MessageId, OutboxFact, RefId, SentBy};
use crate::protocol::OutboxShape;
use crate::protocol::outbox::{OutboxReason, OutboxState};
use crate::protocol::shapes::NamedShape;
use crate::sqlite::DbError;

/// What a user asks of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OutboxRequest {
    /// A message is to go out.
    Queue(OutboxMessage),
    /// It is to be sent again, after it failed or was not found.
    Resend { id: String },
    /// It is not to be shown any more, after it failed or was not found.
    Discard { id: String },
}

/// A message that is to go out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxMessage {
    /// The same for the same `temp_id`.
    pub id: String,
    pub temp_id: String,
    pub chat: ChatId,
    pub text: String,
    pub private: bool,
    pub prefix: Option<String>,
    pub by: NamedShape,
}

/// A message is handed to the provider next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxAttempt {
    pub id: String,
    /// From 1. Only the next one counts, so that of two owners one sends.
    pub attempt: u32,
    /// The message is not older than this by the provider's clock.
    pub since: Timestamp,
}

/// What became of the newest attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxResult {
    pub id: String,
    /// The attempt; for a message that may not be sent any more, the last one before.
    pub attempt: u32,
    pub state: OutboxState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<OutboxReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A row of the outbox.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    pub shape: OutboxShape,
    /// Nothing that was sent by the last attempt is older by the provider's clock.
    pub since: Option<Timestamp>,
}

/// The columns that [`OutboxRow::read`] reads, in this order.
pub const COLUMNS: &str = "outbox.id, outbox.temp_id, outbox.chat_id, outbox.state, outbox.text, outbox.private, \
                           outbox.prefix, outbox.user_id, outbox.user_name, outbox.queued_at, outbox.attempts, \
                           outbox.attempted_at, outbox.since, outbox.changed_at, outbox.message_id, outbox.reason, \
                           outbox.detail";

impl OutboxRow {
    /// Reads the columns of [`COLUMNS`].
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let moment = |column| row.get::<_, i64>(column).map(from_nanos);
        let maybe = |column| row.get::<_, Option<i64>>(column).map(|nanos| nanos.map(from_nanos));
        let (state, reason): (String, Option<String>) = (row.get(3)?, row.get(15)?);
        let shape = OutboxShape {
            id: row.get(0)?,
            temp_id: row.get(1)?,
            chat_id: row.get(2)?,
            // A word of a newer hub: nothing is done with it here.
            state: OutboxState::from_word(&state).unwrap_or(OutboxState::Unconfirmed),
            text: row.get(4)?,
            private: row.get(5)?,
            prefix: row.get(6)?,
            sent_by: NamedShape { id: row.get(7)?, name: row.get(8)? },
            queued_at: moment(9)?,
            attempts: row.get(10)?,
            attempted_at: maybe(11)?,
            changed_at: moment(13)?,
            message_id: row.get(14)?,
            reason: reason.as_deref().and_then(OutboxReason::from_word),
            detail: row.get(16)?,
        };
        Ok(Self { shape, since: maybe(12)? })
    }

    /// The row with this id.
    pub fn find(connection: &Connection, id: &str) -> rusqlite::Result<Option<Self>> {
        let sql = format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1");
        connection.prepare_cached(&sql)?.query_row([id], Self::read).optional()
    }
}

/// What the outbox knows of a message that went out.
pub(super) fn outgoing(
    connection: &Connection,
    message: &ChatMessage,
) -> Result<Option<OutboxFact>, StoreError> {
    let mut select =
        connection.prepare_cached("SELECT user_id, user_name FROM outbox WHERE message_id = ?1")?;
    let by: Option<(String, Option<String>)> =
        select.query_row([message.id.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if let Some((id, name)) = by {
        return sender(connection, id, name).map(|by| Some(OutboxFact::Sent(by)));
    }
    let is_external = message.source.get().is_some_and(|source| source == "External");
    match message.shown_text().filter(|_| is_external) {
        Some(text) => echo_of(connection, message, text).map(|entry| entry.map(OutboxFact::Echo)),
        None => Ok(None),
    }
}

/// A user as the sender of a message: who has the id of an agent of the directory is that agent.
pub(super) fn sender(
    connection: &Connection,
    id: String,
    name: Option<String>,
) -> Result<SentBy, StoreError> {
    let mut select = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM members WHERE id = ?1 AND name IS NOT NULL)")?;
    let is_agent: bool = select.query_row([&id], |row| row.get(0))?;
    let agent = is_agent.then(|| RefId::from(id.as_str()));
    Ok(SentBy { id, name, agent })
}

/// The entry that a message from outside repeats: one of the same chat and text, sent about then.
fn echo_of(connection: &Connection, message: &ChatMessage, text: &str) -> Result<Option<String>, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT id, text, prefix, attempted_at FROM outbox
         WHERE chat_id = ?1 AND private = 0 AND text IS NOT NULL AND attempted_at BETWEEN ?2 AND ?3
         ORDER BY attempted_at, id",
    )?;
    let within = |sign: i32| message.at.checked_add(ECHO_WITHIN * sign).map_or(0, to_nanos);
    let mut rows = select.query(params![message.chat_id.as_str(), within(-1), within(1)])?;
    while let Some(row) = rows.next()? {
        let (sent, prefix): (String, Option<String>) = (row.get(1)?, row.get(2)?);
        let at = from_nanos(row.get(3)?);
        if is_echo_of_moment(at, message.at) && says_the_same(text, prefix.as_deref(), &sent) {
            return Ok(Some(row.get(0)?));
        }
    }
    Ok(None)
}

/// Removes the text of the entry by which a message went out, because the message was deleted. Returns the entry.
pub(super) fn forget_text(connection: &Connection, message: &MessageId) -> Result<Option<String>, DbError> {
    let mut update =
        connection.prepare_cached("UPDATE outbox SET text = NULL WHERE message_id = ?1 RETURNING id")?;
    Ok(update.query_row([message.as_str()], |row| row.get(0)).optional()?)
}
