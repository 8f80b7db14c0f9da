//! Chats: a list of all, a list of one contact's, and one by its id.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Transaction};
use serde::Serialize;

use super::members::name_people;
use super::needle::Needle;
use super::page::{Conditions, List, ListRows, Page, Sort, Walk};
use super::query::{parse_state, parse_summary};
use super::visible_placements::VisiblePlacements;
use super::{Query, ReadError, contacts, gather, visible};
use crate::auth::Scope;
use crate::domain::{Chat, ChatKind, Placement};
use crate::protocol::{ChatShape, Mask};

/// Lists chats, by default those with the latest activity first.
pub type ListChats = List<ChatFilter>;

/// Which chats to list: those that meet every condition given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChatFilter {
    pub status: Option<StatusFilter>,
    pub sector: Option<String>,
    pub owner: Option<String>,
    pub channel: Option<String>,
    /// Id of one of the chat's own tags.
    pub tag: Option<String>,
    pub kind: Option<ChatKind>,
    /// A part of the contact's name or phone. Case and accents do not matter.
    pub search: Option<String>,
    pub contact: Option<String>,
}

/// The status by which chats are filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum StatusFilter {
    Open,
    /// Open and in the provider's waiting list.
    Waiting,
    Closed,
}

impl Query for ListChats {
    type Answer = Page<ChatShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let seen = VisiblePlacements::of(tx, &self.scope)?;
        let total = self.total(tx, &seen)?;
        Ok(self.rows(tx, &seen, Some(total))?.into_page(total))
    }
}

impl ListChats {
    /// The open chats with the latest activity, for a snapshot.
    pub(super) fn open(limit: u32, scope: &Arc<Scope>) -> Self {
        let filter = ChatFilter { status: Some(StatusFilter::Open), ..ChatFilter::default() };
        Self::first_page(filter, Sort::default(), limit, scope)
    }

    /// The rows of the page. `total` is the number of rows on all pages, if it is known.
    pub(super) fn rows(
        &self,
        tx: &Transaction<'_>,
        seen: &VisiblePlacements<'_>,
        total: Option<i64>,
    ) -> Result<ListRows<ChatShape>, ReadError> {
        let walk = self.walk(self.goes_along(seen))?;
        if total.is_some_and(|total| walk.begins_behind(total)) {
            return Ok(ListRows::none());
        }
        let load = |tx: &Transaction<'_>, rowid| load(tx, rowid, &self.scope);
        if self.sort == Sort::LastInteraction
            && !self.scope.is_unlimited()
            && let Some(status) = self.status_alone()
        {
            let open = status.map(|status| status == StatusFilter::Open);
            let spots = gather::chats(tx, seen, &walk, open, |_| Ok(true))?;
            return walk.load(tx, spots, load);
        }
        walk.rows(tx, load)
    }

    /// `Some` if the filter restricts nothing but whether chats are open. Such lists and their totals can
    /// be read from placements.
    #[expect(clippy::option_option, reason = "outer: is it so; inner: which ones")]
    fn status_alone(&self) -> Option<Option<StatusFilter>> {
        let status = self.filter.status;
        let is_alone = self.filter == ChatFilter { status, ..ChatFilter::default() };
        (is_alone && status != Some(StatusFilter::Waiting)).then_some(status)
    }

    /// True if the scope sees so few chats that sorting them costs less than skipping the others.
    fn goes_along(&self, seen: &VisiblePlacements<'_>) -> bool {
        self.filter.contact.is_none() && seen.is_little()
    }

    pub(super) fn walk(&self, along: bool) -> Result<Walk<'_>, ReadError> {
        self.walk_table(self.table(along), "last_activity_at", self.conditions(along), "chats")
    }

    /// A contact has few chats and few chats are open. If either is asked for, its index leaves little to
    /// filter and sort.
    fn table(&self, along: bool) -> &'static str {
        match (&self.filter.contact, self.filter.status) {
            _ if along => "chats INDEXED BY chats_by_placement",
            (Some(_), _) => "chats INDEXED BY chats_of_contact",
            (None, Some(StatusFilter::Open | StatusFilter::Waiting)) => {
                "chats INDEXED BY chats_open_by_activity"
            }
            (None, Some(StatusFilter::Closed) | None) => "chats",
        }
    }

    /// The conditions of the list. `along` says that it is read by way of the placements that the scope
    /// sees.
    pub(super) fn conditions(&self, along: bool) -> Conditions {
        let filter = &self.filter;
        let mut conditions = Conditions::default();
        match filter.status {
            // Written out instead of bound, because only then can the planner use the partial
            // index of open chats.
            Some(StatusFilter::Open) => conditions.require("open = 1", []),
            Some(StatusFilter::Waiting) => conditions.require("open = 1 AND waiting = 1", []),
            Some(StatusFilter::Closed) => conditions.require("open = 0", []),
            None => {}
        }
        conditions.require_some("contact_id = ?", filter.contact.as_ref());
        conditions.require_some("sector_id = ?", filter.sector.as_ref());
        conditions.require_some("owner_id = ?", filter.owner.as_ref());
        conditions.require_some("channel_id = ?", filter.channel.as_ref());
        conditions.require_some("kind = ?", filter.kind.map(|kind| kind.as_str().to_owned()).as_ref());
        conditions
            .require_some("id IN (SELECT chat_id FROM chat_tags WHERE tag_id = ?)", filter.tag.as_ref());
        let limit = if along { visible::limit_along } else { visible::limit };
        limit(&mut conditions, &self.scope, visible::RowKind::Chats);
        self.add_search(&mut conditions);
        conditions
    }

    /// The condition for the search alone.
    pub(super) fn search_conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        self.add_search(&mut conditions);
        conditions
    }

    fn add_search(&self, conditions: &mut Conditions) {
        if let Some(search) = &self.filter.search {
            conditions.require_unmasked(&self.scope);
            Needle::new(search).require(conditions, "contact_id IN (SELECT id FROM contacts WHERE {})");
        }
    }

    fn total(&self, tx: &Transaction<'_>, seen: &VisiblePlacements<'_>) -> Result<i64, ReadError> {
        let Some(status) = self.status_alone() else {
            let along = self.goes_along(seen);
            return self.conditions(along).count(tx, self.table(along));
        };
        let sums = seen.sums(tx)?;
        Ok(match status {
            None => sums.chats,
            Some(StatusFilter::Closed) => sums.chats - sums.open,
            Some(StatusFilter::Open | StatusFilter::Waiting) => sums.open,
        })
    }
}

/// Lists the chats of one contact; `None` if the contact does not exist or may not be seen.
#[derive(Debug, Clone)]
pub struct ListContactChats {
    pub contact: String,
    /// Its filter's `contact` is overwritten.
    pub list: ListChats,
}

impl Query for ListContactChats {
    type Answer = Option<Page<ChatShape>>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        if contacts::rowid(tx, &self.contact, &self.list.scope)?.is_none() {
            return Ok(None);
        }
        let mut list = self.list;
        list.filter.contact = Some(self.contact);
        list.answer(tx).map(Some)
    }
}

/// One chat; `None` if it does not exist or may not be seen.
#[derive(Debug, Clone)]
pub struct GetChat {
    /// Id of the chat, case-sensitive.
    pub id: String,
    pub scope: Arc<Scope>,
}

impl Query for GetChat {
    type Answer = Option<ChatShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        rowid(tx, &self.id, &self.scope)?.map(|rowid| load(tx, rowid, &self.scope)).transpose()
    }
}

/// Where a chat stands; `None` if the chat does not exist or may not be seen.
#[derive(Debug, Clone)]
pub struct GetPlacement {
    /// Id of the chat, case-sensitive.
    pub chat: String,
    pub scope: Arc<Scope>,
}

impl Query for GetPlacement {
    type Answer = Option<Placement>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let Some(rowid) = rowid(tx, &self.chat, &self.scope)? else { return Ok(None) };
        let mut statement = tx.prepare_cached("SELECT state FROM chats WHERE rowid = ?")?;
        let mut rows = statement.query([rowid])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok(Some(Placement::of(&parse_state::<Chat>(row, 0)?)))
    }
}

/// The chat's `rowid`; `None` if the chat does not exist or may not be seen.
pub(super) fn rowid(tx: &Transaction<'_>, id: &str, scope: &Scope) -> Result<Option<i64>, ReadError> {
    let mut statement = tx.prepare_cached("SELECT rowid FROM chats WHERE id = ?")?;
    let rowid = statement.query_row([id], |row| row.get(0)).optional()?;
    Ok(if visible::sees_chat(tx, scope, id)? { rowid } else { None })
}

pub(super) fn load(tx: &Transaction<'_>, rowid: i64, scope: &Scope) -> Result<ChatShape, ReadError> {
    let mut statement = tx.prepare_cached(
        "SELECT chats.state, contacts.name, contacts.phone, messages.state FROM chats
         LEFT JOIN contacts ON contacts.id = chats.contact_id
         LEFT JOIN messages ON messages.id = chats.last_message_id
         WHERE chats.rowid = ?",
    )?;
    let mut rows = statement.query([rowid])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let chat: Chat = parse_state(row, 0)?;
    let mut shape = ChatShape::new(&chat, (row.get(1)?, row.get(2)?), parse_summary(row, 3)?);
    name_people(tx, shape.people_mut())?;
    if scope.is_masked() {
        shape.mask();
    }
    Ok(shape)
}
