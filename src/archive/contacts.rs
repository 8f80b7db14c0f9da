//! Contacts: a list of them, and one by its id.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Transaction};
use serde::Serialize;

use super::cursor::fingerprint;
use super::page::{Conditions, Order, Page, PageAt, Rows, Sort, Walk};
use super::search::Needle;
use super::stats::Hidden;
use super::{ArchiveError, Query, parse_state, parse_summary, visible};
use crate::auth::Scope;
use crate::domain::Contact;
use crate::protocol::{ContactShape, Mask, MessageSummary};

/// Contacts, by default those with the latest interaction first.
#[derive(Debug, Clone)]
pub struct ListContacts {
    /// Which ones.
    pub filter: ContactFilter,
    /// What they are sorted by.
    pub sort: Sort,
    /// Which way.
    pub order: Order,
    /// Contacts on a page, 1 to 200.
    pub limit: u32,
    /// Which page.
    pub at: PageAt,
    /// Whose eyes.
    pub scope: Arc<Scope>,
}

/// Which contacts to list; everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ContactFilter {
    /// A part of the name or the phone, without regard to case and accents.
    pub search: Option<String>,
    /// The id of one of its tags.
    pub tag: Option<String>,
}

impl Query for ListContacts {
    type Answer = Page<ContactShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ArchiveError> {
        Ok(self.rows(tx)?.into_page(self.total(tx)?))
    }
}

impl ListContacts {
    /// The latest ones, as a snapshot shows them.
    pub(super) fn latest(limit: u32, scope: &Arc<Scope>) -> Self {
        let sort = Sort::default();
        let order = sort.default_order();
        Self {
            filter: ContactFilter::default(),
            sort,
            order,
            limit,
            at: PageAt::Page(1),
            scope: Arc::clone(scope),
        }
    }

    pub(super) fn rows(&self, tx: &Transaction<'_>) -> Result<Rows<ContactShape>, ArchiveError> {
        if self.follows_chats() {
            return self.walk()?.rows(tx, |tx, rowid| load(tx, contact_of_chat(tx, rowid)?, &self.scope));
        }
        self.walk()?.rows(tx, |tx, rowid| load(tx, rowid, &self.scope))
    }

    /// A contact's last interaction may have been in a chat that a limited token does not see: for such a one contacts
    /// run in the order of the chats that it sees.
    fn follows_chats(&self) -> bool {
        self.sort == Sort::LastInteraction && !self.scope.is_whole()
    }

    pub(super) fn walk(&self) -> Result<Walk<'_>, ArchiveError> {
        let (table, key) = match self.sort {
            Sort::LastInteraction if self.follows_chats() => ("chats", "last_activity_at"),
            Sort::LastInteraction => ("contacts", "last_interaction_at"),
            Sort::Name => ("contacts", "name_key"),
            Sort::CreatedAt => ("contacts", "created_at"),
        };
        let conditions = if self.follows_chats() { self.chat_conditions() } else { self.conditions() };
        let fingerprint = fingerprint(&("contacts", self.sort, self.order, &self.filter, self.scope.hash()))?;
        Ok(Walk {
            table,
            key,
            tie: "id",
            order: self.order,
            conditions,
            at: &self.at,
            limit: self.limit,
            fingerprint,
        })
    }

    fn chat_conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        visible::limit_to_latest_of_contact(&mut conditions, &self.scope);
        let mut wanted = Conditions::default();
        self.add_filter(&mut wanted);
        if !wanted.values().is_empty() {
            let sql = format!("chats.contact_id IN (SELECT id FROM contacts WHERE {})", wanted.to_sql());
            conditions.require_dynamic(sql, wanted.values().to_vec());
        }
        conditions
    }

    fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        visible::limit(&mut conditions, &self.scope, visible::Rows::Contacts);
        self.add_filter(&mut conditions);
        conditions
    }

    fn add_filter(&self, conditions: &mut Conditions) {
        if let Some(search) = &self.filter.search {
            if self.scope.is_masked() {
                // What is masked is not found either.
                conditions.require("FALSE", []);
            }
            Needle::new(search).require(conditions, "{}");
        }
        conditions.require_some(
            "id IN (SELECT contact_id FROM contact_tags WHERE tag_id = ?)",
            self.filter.tag.as_ref(),
        );
    }

    fn total(&self, tx: &Transaction<'_>) -> Result<i64, ArchiveError> {
        if self.filter == ContactFilter::default() && self.scope.is_whole() {
            let mut counters = tx.prepare_cached("SELECT total_contacts FROM counters")?;
            let all: i64 = counters.query_row([], |row| row.get(0))?;
            return Ok(all - Hidden::from(tx, &self.scope)?.contacts);
        }
        self.conditions().count(tx, "contacts")
    }
}

/// One contact; the answer is `None` where there is none with this id.
#[derive(Debug, Clone)]
pub struct GetContact {
    /// The provider's id, case-sensitive.
    pub id: String,
    /// Whose eyes.
    pub scope: Arc<Scope>,
}

impl Query for GetContact {
    type Answer = Option<ContactShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ArchiveError> {
        rowid(tx, &self.id, &self.scope)?.map(|rowid| load(tx, rowid, &self.scope)).transpose()
    }
}

/// Where a contact is stored, if it is and may be seen.
pub(super) fn rowid(tx: &Transaction<'_>, id: &str, scope: &Scope) -> Result<Option<i64>, ArchiveError> {
    let mut statement = tx.prepare_cached("SELECT rowid FROM contacts WHERE id = ?")?;
    let rowid = statement.query_row([id], |row| row.get(0)).optional()?;
    Ok(if visible::sees(tx, scope, visible::Rows::Contacts, id)? { rowid } else { None })
}

pub(super) fn load(tx: &Transaction<'_>, rowid: i64, scope: &Scope) -> Result<ContactShape, ArchiveError> {
    let mut statement = tx.prepare_cached(
        "SELECT contacts.state, messages.state FROM contacts
         LEFT JOIN messages ON messages.id = contacts.last_message_id
         WHERE contacts.rowid = ?",
    )?;
    let mut rows = statement.query([rowid])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let contact: Contact = parse_state(row, 0)?;
    let mut shape = ContactShape::new(&contact, parse_summary(row, 1)?);
    if !scope.is_unlimited() {
        shape.limit_to(newest_seen(tx, scope, &shape.id)?);
    }
    if scope.is_masked() {
        shape.mask();
    }
    Ok(shape)
}

fn contact_of_chat(tx: &Transaction<'_>, chat: i64) -> Result<i64, ArchiveError> {
    let mut statement = tx.prepare_cached(
        "SELECT contacts.rowid FROM chats JOIN contacts ON contacts.id = chats.contact_id WHERE chats.rowid = ?",
    )?;
    Ok(statement.query_row([chat], |row| row.get(0))?)
}

/// The newest message of the contact's chats that the scope sees.
fn newest_seen(
    tx: &Transaction<'_>,
    scope: &Scope,
    contact: &str,
) -> Result<Option<MessageSummary>, ArchiveError> {
    let mut conditions = Conditions::default();
    conditions.require("chats.contact_id = ?", [contact.to_owned().into()]);
    visible::limit(&mut conditions, scope, visible::Rows::Chats);
    let sql = format!(
        "SELECT messages.state FROM chats INDEXED BY chats_of_contact
         JOIN messages ON messages.id = chats.last_message_id
         WHERE {} ORDER BY messages.order_at DESC, messages.order_tie DESC LIMIT 1",
        conditions.to_sql()
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(conditions.values()))?;
    rows.next()?.map_or(Ok(None), |row| parse_summary(row, 0))
}
