//! First and last messages of a chat or a contact, in the order of messages. The writer asks for the present
//! ones, readers for those up to a moment.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::order::FINER_NANOS;
use crate::domain::register::to_nanos;
use crate::domain::{ChatMessage, MessagePosition, OrderKey};
use crate::sqlite::DbError;

/// The last human, public reply in a chat. With `until`, only messages up to then count.
pub fn last_reply(
    database: &Connection,
    chat: &str,
    until: Option<Timestamp>,
) -> Result<Option<MessagePosition>, DbError> {
    let (happened, stands) = bounds(until);
    let sql = "SELECT state FROM messages INDEXED BY messages_of_chat
               WHERE chat_id = ?1 AND at <= ?2 AND order_at <= ?3 AND role = 'reply'
               ORDER BY order_at DESC, order_tie DESC LIMIT 1";
    position(database, sql, params![chat, happened, stands])
}

/// The last message of a chat, leaving out reactions. With `until`, only messages up to then count.
pub fn newest_message(
    database: &Connection,
    chat: &str,
    until: Option<Timestamp>,
) -> Result<Option<MessagePosition>, DbError> {
    let (happened, stands) = bounds(until);
    let sql = "SELECT state FROM messages INDEXED BY messages_of_chat
               WHERE chat_id = ?1 AND at <= ?2 AND order_at <= ?3 AND role <> 'reaction'
               ORDER BY order_at DESC, order_tie DESC LIMIT 1";
    position(database, sql, params![chat, happened, stands])
}

/// The first customer message of a chat after `floor`. With `until`, only messages up to then count.
pub fn first_customer_message_after(
    database: &Connection,
    chat: &str,
    floor: Option<&OrderKey>,
    until: Option<Timestamp>,
) -> Result<Option<MessagePosition>, DbError> {
    let (happened, stands) = bounds(until);
    let (at, tie) = floor.map_or((i64::MIN, ""), |floor| (to_nanos(floor.at), floor.tie.as_str()));
    let sql = "SELECT state FROM messages INDEXED BY messages_of_chat
               WHERE chat_id = ?1 AND (order_at, order_tie) > (?2, ?3) AND at <= ?4 AND order_at <= ?5
                 AND role = 'customer'
               ORDER BY order_at, order_tie LIMIT 1";
    position(database, sql, params![chat, at, tie, happened, stands])
}

/// The last message of all chats of a contact.
pub fn newest_message_of(database: &Connection, contact: &str) -> Result<Option<MessagePosition>, DbError> {
    let sql = "SELECT messages.state FROM chats INDEXED BY chats_of_contact
               JOIN messages ON messages.id = chats.last_message_id
               WHERE chats.contact_id = ?1
               ORDER BY messages.order_at DESC, messages.order_tie DESC LIMIT 1";
    position(database, sql, [contact])
}

/// The latest time at which a message may have happened, and the latest by which it is then ordered.
fn bounds(until: Option<Timestamp>) -> (i64, i64) {
    let happened = until.map_or(i64::MAX, to_nanos);
    (happened, happened.saturating_add(FINER_NANOS))
}

fn position(
    database: &Connection,
    sql: &'static str,
    values: impl rusqlite::Params,
) -> Result<Option<MessagePosition>, DbError> {
    let mut select = database.prepare_cached(sql)?;
    let state: Option<String> = select.query_row(values, |row| row.get(0)).optional()?;
    let Some(state) = state else { return Ok(None) };
    Ok(Some(serde_json::from_str::<ChatMessage>(&state)?.position()))
}
