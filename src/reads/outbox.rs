//! Messages that go out through the hub: one, those of a chat, and what is to be known before one is queued.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::query::parse_state;
use super::{Query, ReadError, chats};
use crate::auth::Scope;
use crate::domain::Chat;
use crate::domain::register::to_nanos;
use crate::journal::outbox::{COLUMNS, OutboxRow};
use crate::protocol::outbox::{OutboxReason, OutboxState};
use crate::protocol::{Mask, OutboxShape};

/// Entries of a chat that are listed, the newest ones.
pub const ENTRIES_MAX: u32 = 200;

/// One entry; `None` where there is none, or its chat may not be seen.
#[derive(Debug, Clone)]
pub struct GetOutbox {
    pub id: String,
    pub scope: Arc<Scope>,
}

impl Query for GetOutbox {
    type Answer = Option<OutboxShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let sql = select("WHERE outbox.id = ?1");
        let row = tx.prepare_cached(&sql)?.query_row([&self.id], |row| shape(row, &self.scope)).optional()?;
        let Some(shape) = row else { return Ok(None) };
        Ok(chats::rowid(tx, &shape.chat_id, &self.scope)?.map(|_seen| shape))
    }
}

/// The entries with the role of the provider's message behind their own columns, where there is one.
fn select(conditions: &str) -> String {
    format!(
        "SELECT {COLUMNS}, messages.role FROM outbox LEFT JOIN messages ON messages.id = outbox.message_id {conditions}"
    )
}

/// The entries of a chat that the chat's messages do not show yet, and those that failed, the first queued first; `None` where
/// the chat does not exist or may not be seen.
#[derive(Debug, Clone)]
pub struct ListOutbox {
    pub chat: String,
    pub scope: Arc<Scope>,
}

impl Query for ListOutbox {
    /// The entries, and the chat.
    type Answer = Option<(Vec<OutboxShape>, Chat)>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let Some(chat) = load_chat(tx, &self.chat, &self.scope)? else { return Ok(None) };
        let sql = select(
            "WHERE outbox.chat_id = ?1 AND outbox.state <> 'discarded'
                  AND (messages.id IS NULL OR messages.role = 'undelivered')
             ORDER BY outbox.queued_at DESC, outbox.id DESC LIMIT ?2",
        );
        let mut select = tx.prepare_cached(&sql)?;
        let rows = select.query_map(params![self.chat, ENTRIES_MAX], |row| shape(row, &self.scope))?;
        let mut entries: Vec<OutboxShape> = rows.collect::<Result<_, _>>()?;
        entries.reverse();
        Ok(Some((entries, chat)))
    }
}

/// The entries of all chats of a contact that became no message, the newest first: also those that were dropped. For whoever may see
/// everything.
#[derive(Debug, Clone)]
pub struct ListPersonOutbox {
    pub contact: String,
    /// Only entries behind this one.
    pub after: Option<OutboxPlace>,
    pub limit: u32,
}

/// The place of an entry in the order of [`ListPersonOutbox`].
#[derive(Debug, Clone)]
pub struct OutboxPlace {
    queued_at: i64,
    id: String,
}

impl OutboxPlace {
    pub fn of(entry: &OutboxShape) -> Self {
        Self { queued_at: to_nanos(entry.queued_at), id: entry.id.clone() }
    }
}

impl Query for ListPersonOutbox {
    type Answer = Vec<OutboxShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let sql = select(
            "WHERE outbox.chat_id IN (SELECT id FROM chats WHERE contact_id = ?1) AND messages.id IS NULL
                 AND (outbox.queued_at, outbox.id) < (?2, ?3)
             ORDER BY outbox.queued_at DESC, outbox.id DESC LIMIT ?4",
        );
        let after = self.after.unwrap_or(OutboxPlace { queued_at: i64::MAX, id: String::new() });
        let mut select = tx.prepare_cached(&sql)?;
        let values = params![self.contact, after.queued_at, after.id, self.limit];
        Ok(select
            .query_map(values, |row| OutboxRow::read(row).map(|row| row.shape))?
            .collect::<Result<_, _>>()?)
    }
}

/// What is to be known before a message is queued.
#[derive(Debug, Clone)]
pub struct BeginSending {
    pub chat: String,
    pub id: String,
    pub scope: Arc<Scope>,
}

/// What is known before a message is queued.
#[derive(Debug)]
pub struct BeforeSending {
    pub chat: Chat,
    /// The entry of this id, in whatever chat.
    pub known: Option<OutboxShape>,
    /// Messages of all chats that wait to be handed to the provider.
    pub waiting: u32,
}

impl Query for BeginSending {
    type Answer = Option<BeforeSending>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let Some(chat) = load_chat(tx, &self.chat, &self.scope)? else { return Ok(None) };
        let known = OutboxRow::find(tx, &self.id)?.map(|row| row.shape);
        let mut select = tx.prepare_cached("SELECT count(*) FROM outbox WHERE state = 'queued'")?;
        let waiting = select.query_row([], |row| row.get(0))?;
        Ok(Some(BeforeSending { chat, known, waiting }))
    }
}

fn load_chat(tx: &Transaction<'_>, id: &str, scope: &Scope) -> Result<Option<Chat>, ReadError> {
    let Some(rowid) = chats::rowid(tx, id, scope)? else { return Ok(None) };
    let mut select = tx.prepare_cached("SELECT state FROM chats WHERE rowid = ?")?;
    let mut rows = select.query([rowid])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    parse_state(row, 0).map(Some)
}

/// An entry as a scope sees it. One whose message could not be delivered has failed, whatever was answered first.
fn shape(row: &Row<'_>, scope: &Scope) -> rusqlite::Result<OutboxShape> {
    let OutboxRow { mut shape, .. } = OutboxRow::read(row)?;
    let role: Option<String> = row.get("role")?;
    if shape.state == OutboxState::Sent && role.as_deref() == Some("undelivered") {
        (shape.state, shape.reason) = (OutboxState::Failed, Some(OutboxReason::Undelivered));
    }
    if scope.is_masked() {
        shape.mask();
    }
    Ok(shape)
}
