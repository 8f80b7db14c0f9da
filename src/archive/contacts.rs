//! Contacts: a list of them, and one by its id.

use rusqlite::{OptionalExtension, Transaction};
use serde::Serialize;

use super::cursor::fingerprint;
use super::page::{Conditions, Order, Page, PageAt, Rows, Sort, Walk};
use super::search::Needle;
use super::{ArchiveError, Query, parse_state, parse_summary};
use crate::domain::Contact;
use crate::protocol::ContactShape;

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
    pub(super) fn latest(limit: u32) -> Self {
        let sort = Sort::default();
        let order = sort.default_order();
        Self { filter: ContactFilter::default(), sort, order, limit, at: PageAt::Page(1) }
    }

    pub(super) fn rows(&self, tx: &Transaction<'_>) -> Result<Rows<ContactShape>, ArchiveError> {
        self.walk()?.rows(tx, load)
    }

    pub(super) fn walk(&self) -> Result<Walk<'_>, ArchiveError> {
        let key = match self.sort {
            Sort::LastInteraction => "last_interaction_at",
            Sort::Name => "name_key",
            Sort::CreatedAt => "created_at",
        };
        Ok(Walk {
            table: "contacts",
            key,
            order: self.order,
            conditions: self.conditions(),
            at: &self.at,
            limit: self.limit,
            fingerprint: fingerprint(&("contacts", self.sort, self.order, &self.filter))?,
        })
    }

    fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        if let Some(search) = &self.filter.search {
            let needles = Needle::new(search).for_contacts();
            conditions.require("(instr(search_key, ?) > 0 OR instr(search_key, ?) > 0)", needles);
        }
        conditions.require_some(
            "id IN (SELECT contact_id FROM contact_tags WHERE tag_id = ?)",
            self.filter.tag.as_ref(),
        );
        conditions
    }

    fn total(&self, tx: &Transaction<'_>) -> Result<i64, ArchiveError> {
        if self.filter == ContactFilter::default() {
            let mut counters = tx.prepare_cached("SELECT total_contacts FROM counters")?;
            return Ok(counters.query_row([], |row| row.get(0))?);
        }
        self.conditions().count(tx, "contacts")
    }
}

/// One contact; the answer is `None` where there is none with this id.
#[derive(Debug, Clone)]
pub struct GetContact {
    /// The provider's id, case-sensitive.
    pub id: String,
}

impl Query for GetContact {
    type Answer = Option<ContactShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ArchiveError> {
        rowid(tx, &self.id)?.map(|rowid| load(tx, rowid)).transpose()
    }
}

/// Where a contact is stored, if it is.
pub(super) fn rowid(tx: &Transaction<'_>, id: &str) -> Result<Option<i64>, ArchiveError> {
    let mut statement = tx.prepare_cached("SELECT rowid FROM contacts WHERE id = ?")?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?)
}

fn load(tx: &Transaction<'_>, rowid: i64) -> Result<ContactShape, ArchiveError> {
    let mut statement = tx.prepare_cached(
        "SELECT contacts.state, messages.state FROM contacts
         LEFT JOIN messages ON messages.id = contacts.last_message_id
         WHERE contacts.rowid = ?",
    )?;
    let mut rows = statement.query([rowid])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let contact: Contact = parse_state(row, 0)?;
    Ok(ContactShape::new(&contact, parse_summary(row, 1)?))
}
