//! Messages of all chats or of one, the newest first.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, Transaction};
use serde::Serialize;

use super::cursor::fingerprint;
use super::members::name_people;
use super::needle::Needle;
use super::page::{Conditions, ListRows, Order, Page, PageAt, Walk};
use super::query::parse_state;
use super::visible_placements::VisiblePlacements;
use super::{Query, ReadError, chats, gather, visible};
use crate::auth::Scope;
use crate::domain::order::FINER_NANOS;
use crate::domain::register::to_nanos;
use crate::domain::{ChatKind, ChatMessage};
use crate::protocol::{Mask, MessageShape};

/// Lists messages, the newest first. Later pages go back in time.
#[derive(Debug, Clone)]
pub struct ListMessages {
    pub filter: MessageFilter,
    /// 1 to 200.
    pub limit: u32,
    pub at: PageAt,
    pub scope: Arc<Scope>,
}

/// Which messages to list: those that meet every condition given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MessageFilter {
    pub chat: Option<String>,
    pub contact: Option<String>,
    /// `Contact`, `Member`, `Bot`, `External`, or another word that the provider wrote.
    pub source: Option<String>,
    /// A part of the text. Case and accents do not matter.
    pub search: Option<String>,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

impl Query for ListMessages {
    type Answer = Page<MessageShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let seen = VisiblePlacements::of(tx, &self.scope)?;
        let total = self.total(tx, &seen)?;
        Ok(self.rows(tx, &seen, Some(total))?.into_page(total))
    }
}

impl ListMessages {
    /// The newest messages, for a snapshot.
    pub(super) fn latest(limit: u32, scope: &Arc<Scope>) -> Self {
        Self { filter: MessageFilter::default(), limit, at: PageAt::Page(1), scope: Arc::clone(scope) }
    }

    /// The rows of the page. `total` is the number of rows on all pages, if it is known.
    pub(super) fn rows(
        &self,
        tx: &Transaction<'_>,
        seen: &VisiblePlacements<'_>,
        total: Option<i64>,
    ) -> Result<ListRows<MessageShape>, ReadError> {
        let walk = self.walk()?;
        if total.is_some_and(|total| walk.begins_behind(total)) {
            return Ok(ListRows::none());
        }
        let load = |tx: &Transaction<'_>, rowid| load(tx, rowid, &self.scope);
        if self.filter == MessageFilter::default() && !self.scope.is_unlimited() {
            return walk.load(tx, gather::messages(tx, seen, &walk)?, load);
        }
        walk.rows(tx, load)
    }

    pub(super) fn walk(&self) -> Result<Walk<'_>, ReadError> {
        Ok(Walk {
            table: self.table(),
            key: "order_at",
            tie: "order_tie",
            order: Order::Desc,
            conditions: self.conditions(),
            at: &self.at,
            limit: self.limit,
            fingerprint: fingerprint(&("messages in order", &self.filter, self.scope.hash()))?,
        })
    }

    fn table(&self) -> &'static str {
        let filter = &self.filter;
        if filter.chat.is_some() || filter.contact.is_some() {
            "messages INDEXED BY messages_of_chat"
        } else if filter.source.is_some() {
            "messages INDEXED BY messages_by_source"
        } else {
            "messages INDEXED BY messages_by_time"
        }
    }

    fn conditions(&self) -> Conditions {
        let filter = &self.filter;
        let mut conditions = Conditions::default();
        conditions.require_some("chat_id = ?", filter.chat.as_ref());
        conditions.require_some(
            "chat_id IN (SELECT id FROM chats INDEXED BY chats_of_contact WHERE contact_id = ?)",
            filter.contact.as_ref(),
        );
        conditions.require_some("source = ?", filter.source.as_ref());
        let last = filter.until.map(|until| to_nanos(until).saturating_sub(1));
        require_time(&mut conditions, filter.since.map(to_nanos), last);
        visible::limit(&mut conditions, &self.scope, visible::RowKind::Messages);
        if let Some(search) = &filter.search {
            conditions.require_unmasked(&self.scope);
            let needle = Needle::new(search);
            if !needle.folded.is_empty() {
                needle.in_texts().require(&mut conditions, "{}");
            }
        }
        conditions
    }

    /// The number of messages on all pages. Uses stored counts where possible: a million rows are not
    /// counted for a page of fifty.
    fn total(&self, tx: &Transaction<'_>, seen: &VisiblePlacements<'_>) -> Result<i64, ReadError> {
        let MessageFilter { chat, contact, source, search, since, until } = &self.filter;
        let narrowed = source.is_some() || search.is_some() || since.is_some() || until.is_some();
        match (chat, contact, narrowed) {
            (None, None, false) => Ok(seen.sums(tx)?.messages),
            (Some(chat), None, false) => self.kept_count(tx, "chats.id = ?", chat),
            (None, Some(contact), false) => self.kept_count(tx, "chats.contact_id = ?", contact),
            (None, None, true) if source.is_none() && since.is_none() && until.is_none() => {
                // Every text must be read anyway, and the table's own order is the fastest
                // for that.
                self.conditions().count(tx, "messages")
            }
            (_, _, _) => self.conditions().count(tx, self.table()),
        }
    }

    fn kept_count(&self, tx: &Transaction<'_>, of: &'static str, id: &str) -> Result<i64, ReadError> {
        let mut conditions = Conditions::default();
        conditions.require(of, [Value::Text(id.to_owned())]);
        visible::limit(&mut conditions, &self.scope, visible::RowKind::Chats);
        let [messages] = conditions.select(tx, "chats", "coalesce(sum(message_count), 0)")?;
        Ok(messages)
    }
}

/// Requires that a message happened from `since` to `last`, both included. The condition on `order_at` bounds
/// what is read of the index: a message is ordered within the second in which it happened, and never before
/// that.
pub(super) fn require_time(conditions: &mut Conditions, since: Option<i64>, last: Option<i64>) {
    if let Some(since) = since {
        conditions.require("at >= ? AND order_at >= ?", [since.into(), since.into()]);
    }
    if let Some(last) = last {
        let stands = last.saturating_add(FINER_NANOS);
        conditions.require("at <= ? AND order_at <= ?", [last.into(), stands.into()]);
    }
}

/// Lists the messages of one chat; `None` if the chat does not exist or may not be seen.
#[derive(Debug, Clone)]
pub struct ListChatMessages {
    pub chat: String,
    /// Its filter's `chat` is overwritten.
    pub list: ListMessages,
}

impl Query for ListChatMessages {
    type Answer = Option<Page<MessageShape>>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        if chats::rowid(tx, &self.chat, &self.list.scope)?.is_none() {
            return Ok(None);
        }
        let mut list = self.list;
        list.filter.chat = Some(self.chat);
        list.answer(tx).map(Some)
    }
}

pub(crate) fn load(tx: &Transaction<'_>, rowid: i64, scope: &Scope) -> Result<MessageShape, ReadError> {
    let mut statement = tx.prepare_cached(
        "SELECT messages.state, chats.contact_id, chats.kind FROM messages
         LEFT JOIN chats ON chats.id = messages.chat_id
         WHERE messages.rowid = ?",
    )?;
    let mut rows = statement.query([rowid])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let message: ChatMessage = parse_state(row, 0)?;
    let mut shape = MessageShape::new(&message, row.get(1)?, kind(row, 2)?);
    name_people(tx, shape.people_mut())?;
    if scope.is_masked() {
        shape.mask();
    }
    Ok(shape)
}

/// The kind of the message's chat; direct if the row does not say.
fn kind(row: &Row<'_>, column: usize) -> Result<ChatKind, ReadError> {
    let word = row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    Ok(ChatKind::ALL.into_iter().find(|kind| Some(kind.as_str()) == word).unwrap_or(ChatKind::Direct))
}
