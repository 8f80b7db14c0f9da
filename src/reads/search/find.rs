//! Looks words up in the search index, then checks the results in the database, where the scope decides.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Transaction, params_from_iter};

use super::highlight;
use super::index::SearchReads;
use super::wanted::Wanted;
use crate::auth::Scope;
use crate::protocol::search::{ContactHighlight, FoundContact, FoundMessage};
use crate::reads::cursor::{Cursor, SortKey, fingerprint};
use crate::reads::page::Conditions;
use crate::reads::visible_placements::VisiblePlacements;
use crate::reads::{Query, ReadError, contacts, messages, visible};

/// The most matches that are examined for one answer, because a scope may hide many of them.
pub(super) const EXAMINED_MAX: usize = 4_000;
/// Matches that are examined at a time.
pub(super) const CHUNK: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    /// Contacts, a page at a time.
    Contacts,
    /// Messages, a page at a time.
    Messages,
    All,
}

/// A search for contacts, messages or both.
#[derive(Debug, Clone)]
pub struct Search {
    pub index: Arc<SearchReads>,
    pub wanted: Wanted,
    pub kinds: Kinds,
    /// Items of each kind, 1 to 200.
    pub limit: u32,
    /// Where the page before ended; `None` with [`Kinds::All`].
    pub after: Option<Cursor>,
    pub scope: Arc<Scope>,
}

/// What was found. What the hub learned of most recently comes first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchResults {
    pub contacts: Vec<FoundContact>,
    pub messages: Vec<FoundMessage>,
    /// Where the next page of contacts begins; `None` on the last page.
    pub next_contact: Option<Cursor>,
    /// Where the next page of messages begins; `None` on the last page.
    pub next_message: Option<Cursor>,
}

impl Query for Search {
    type Answer = SearchResults;

    fn answer(self, tx: &Transaction<'_>) -> Result<SearchResults, ReadError> {
        let mut found = SearchResults::default();
        // A search for masked names and texts would reveal them.
        if self.wanted.is_empty() || self.scope.is_masked() {
            return Ok(found);
        }
        if self.kinds != Kinds::Messages {
            let (sql, asked) = (CONTACTS, self.wanted.for_contacts());
            let list = self.list(visible::RowKind::Contacts)?;
            let seen = VisiblePlacements::of(tx, &self.scope)?;
            (found.contacts, found.next_contact) =
                list.walk(tx, sql, &asked, |tx, row| self.found_contact(tx, row, &seen))?;
        }
        if self.kinds != Kinds::Contacts {
            let (sql, asked) = (MESSAGES, self.wanted.for_messages());
            let list = self.list(visible::RowKind::Messages)?;
            (found.messages, found.next_message) =
                list.walk(tx, sql, &asked, |tx, row| self.found_message(tx, row))?;
        }
        Ok(found)
    }
}

const CONTACTS: &str = "SELECT rowid FROM contact_words WHERE contact_words MATCH ?1 AND rowid < ?2
                        ORDER BY rowid DESC LIMIT ?3";
const MESSAGES: &str = "SELECT rowid FROM message_words WHERE message_words MATCH ?1 AND rowid < ?2
                        ORDER BY rowid DESC LIMIT ?3";

impl Search {
    fn list(&self, rows: visible::RowKind) -> Result<IndexWalk<'_>, ReadError> {
        let name = if matches!(rows, visible::RowKind::Contacts) { "contacts" } else { "messages" };
        let asked = (&self.wanted.for_messages(), &self.wanted.numbers);
        let fingerprint = fingerprint(&("search", name, asked, self.scope.hash()))?;
        let after = self.after.as_ref().map(|cursor| cursor.moment(fingerprint)).transpose()?;
        let after = after.map_or(i64::MAX, |(row, _)| row);
        Ok(IndexWalk { search: self, rows, name, fingerprint, after })
    }

    fn found_contact(
        &self,
        tx: &Transaction<'_>,
        row: i64,
        seen: &VisiblePlacements<'_>,
    ) -> Result<Option<FoundContact>, ReadError> {
        let contact = contacts::load(tx, row, seen)?;
        let name = contact.name.as_deref().and_then(|name| highlight::whole(name, &self.wanted));
        let phone = contact.phone.as_deref().and_then(|phone| highlight::phone(phone, &self.wanted));
        // With neither, the contact was found by an earlier name or phone.
        let is_found = name.is_some() || phone.is_some();
        Ok(is_found.then_some(FoundContact { contact, highlight: ContactHighlight { name, phone } }))
    }

    fn found_message(&self, tx: &Transaction<'_>, row: i64) -> Result<Option<FoundMessage>, ReadError> {
        let message = messages::load(tx, row, &self.scope)?;
        let excerpt = message.text.as_deref().and_then(|text| highlight::excerpt(text, &self.wanted));
        let Some(highlight) = excerpt else { return Ok(None) };
        let mut select = tx.prepare_cached("SELECT name, phone FROM contacts WHERE id = ?1")?;
        let mut contacts = select.query([&message.contact_id])?;
        let (contact_name, contact_phone) = match contacts.next()? {
            Some(row) => (row.get(0)?, row.get(1)?),
            None => (None, None),
        };
        Ok(Some(FoundMessage { message, contact_name, contact_phone, highlight }))
    }
}

/// A walk along the matches of one kind.
struct IndexWalk<'a> {
    search: &'a Search,
    rows: visible::RowKind,
    /// Table of the database whose `rowid`s the index returns.
    name: &'static str,
    fingerprint: u64,
    /// Only rows below this `rowid`.
    after: i64,
}

impl IndexWalk<'_> {
    /// The items of one page, and where the next page begins.
    fn walk<T>(
        &self,
        tx: &Transaction<'_>,
        sql: &'static str,
        asked: &str,
        load: impl Fn(&Transaction<'_>, i64) -> Result<Option<T>, ReadError>,
    ) -> Result<(Vec<T>, Option<Cursor>), ReadError> {
        let limit = usize::try_from(self.search.limit).unwrap_or(usize::MAX);
        // One more than the limit tells whether there is another page.
        let chunk = if self.search.scope.is_unlimited() { limit + 1 } else { CHUNK };
        let (mut items, mut after, mut examined) = (Vec::new(), self.after, 0);
        while examined < EXAMINED_MAX {
            let rows = self.finds(sql, asked, after, chunk)?;
            for row in self.visible(tx, &rows)? {
                if items.len() == limit {
                    return Ok((items, Some(self.cursor(after))));
                }
                items.extend(load(tx, row)?);
                after = row;
            }
            let is_last = rows.len() < chunk;
            (after, examined) = (rows.last().copied().unwrap_or(after), examined + rows.len());
            if is_last {
                return Ok((items, None));
            }
        }
        Ok((items, Some(self.cursor(after))))
    }

    fn cursor(&self, after: i64) -> Cursor {
        Cursor::new(self.fingerprint, SortKey::Time(after), String::new())
    }

    fn finds(&self, sql: &'static str, asked: &str, after: i64, chunk: usize) -> Result<Vec<i64>, ReadError> {
        let chunk = i64::try_from(chunk).unwrap_or(i64::MAX);
        let finds = self.search.index.read(|connection| {
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map(rusqlite::params![asked, after, chunk], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()
        });
        // This is a fault of the index, not of the database. The index repairs itself.
        finds.map_err(ReadError::Search)
    }

    /// Keeps the rows that still exist and that the scope sees, in their order.
    fn visible(&self, tx: &Transaction<'_>, rows: &[i64]) -> Result<Vec<i64>, ReadError> {
        let mut conditions = Conditions::default();
        visible::limit(&mut conditions, &self.search.scope, self.rows);
        let sql = format!(
            "SELECT {0}.rowid FROM json_each(?) AS found CROSS JOIN {0} ON {0}.rowid = found.value WHERE {1}
             ORDER BY {0}.rowid DESC",
            self.name,
            conditions.to_sql()
        );
        let rows = Value::Text(serde_json::to_string(rows)?);
        let mut select = tx.prepare_cached(&sql)?;
        let values = std::iter::once(&rows).chain(conditions.values());
        let seen = select.query_map(params_from_iter(values), |row| row.get(0))?;
        Ok(seen.collect::<Result<_, _>>()?)
    }
}
