//! Contacts: a list of them, and one by its id.

use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Transaction};
use serde::Serialize;

use super::needle::Needle;
use super::page::{Conditions, FoundRow, List, ListRows, Order, Page, Sort, Walk};
use super::query::{parse_state, parse_summary};
use super::visible_placements::VisiblePlacements;
use super::{Query, ReadError, gather, visible};
use crate::auth::Scope;
use crate::domain::Contact;
use crate::protocol::{ContactShape, Mask, MessageSummary};

/// The most matches of a limited scope's filter that are sorted in memory. With more, a page is found sooner
/// by walking along the chats.
pub(super) const SORTED_MAX: usize = 2_000;

/// Lists contacts, by default those with the latest interaction first.
pub type ListContacts = List<ContactFilter>;

/// Which contacts to list: those that meet every condition given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ContactFilter {
    /// A part of the name or the phone. Case and accents do not matter.
    pub search: Option<String>,
    /// Id of one of the contact's tags.
    pub tag: Option<String>,
}

impl Query for ListContacts {
    type Answer = Page<ContactShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let seen = VisiblePlacements::of(tx, &self.scope)?;
        if self.follows_chats()
            && self.is_filtered()
            && let Some(page) = self.sort_matches(tx, &seen)?
        {
            return Ok(page);
        }
        let total = self.total(tx, &seen)?;
        Ok(self.rows(tx, &seen, Some(total))?.into_page(total))
    }
}

impl ListContacts {
    /// The contacts with the latest interaction, for a snapshot.
    pub(super) fn latest(limit: u32, scope: &Arc<Scope>) -> Self {
        Self::first_page(ContactFilter::default(), Sort::default(), limit, scope)
    }

    /// The rows of the page. `total` is the number of rows on all pages, if it is known.
    pub(super) fn rows(
        &self,
        tx: &Transaction<'_>,
        seen: &VisiblePlacements<'_>,
        total: Option<i64>,
    ) -> Result<ListRows<ContactShape>, ReadError> {
        let walk = self.walk(seen.is_little())?;
        if total.is_some_and(|total| walk.begins_behind(total)) {
            return Ok(ListRows::none());
        }
        let load = |tx: &Transaction<'_>, rowid| load(tx, rowid, seen);
        if self.follows_chats() {
            return walk.load(tx, self.spots_along_chats(tx, seen, &walk)?, load);
        }
        walk.rows(tx, load)
    }

    /// The contacts of the page, each at the time of its latest chat that the scope sees.
    fn spots_along_chats(
        &self,
        tx: &Transaction<'_>,
        seen: &VisiblePlacements<'_>,
        walk: &Walk<'_>,
    ) -> Result<Vec<FoundRow>, ReadError> {
        let mut wanted = Conditions::default();
        self.add_filter(&mut wanted);
        // The contact, if it matches, with its later chats. Most contacts have none; if one of these
        // is visible, the contact stands there instead.
        let sql = format!(
            "SELECT contacts.rowid, later.placement_id
             FROM chats CROSS JOIN contacts ON contacts.id = chats.contact_id
             LEFT JOIN chats AS later INDEXED BY chats_of_contact
                 ON later.contact_id = chats.contact_id
                AND (later.last_activity_at, later.id) > (chats.last_activity_at, chats.id)
             WHERE chats.rowid = ? AND {} ORDER BY later.last_message_at DESC",
            wanted.to_sql()
        );
        let mut select = tx.prepare_cached(&sql)?;
        let mut values = wanted.values().to_vec();
        values.insert(0, Value::Null);
        gather::chats(tx, seen, walk, None, |chat| {
            values[0] = chat.rowid.into();
            let mut rows = select.query(rusqlite::params_from_iter(&values))?;
            let mut contact = None;
            while let Some(row) = rows.next()? {
                if row.get::<_, Option<i64>>(1)?.is_some_and(|placement| seen.holds(placement)) {
                    return Ok(false);
                }
                contact = Some(row.get(0)?);
            }
            chat.rowid = contact.unwrap_or(chat.rowid);
            Ok(contact.is_some())
        })
    }

    /// A contact's last interaction may lie in a chat that a limited scope does not see. For such a
    /// scope, contacts are ordered by the chats that it sees.
    fn follows_chats(&self) -> bool {
        self.sort == Sort::LastInteraction && !self.scope.is_whole()
    }

    fn is_filtered(&self) -> bool {
        self.filter != ContactFilter::default()
    }

    /// `along` says that the contacts are read by way of the visible placements, and then sorted.
    pub(super) fn walk(&self, along: bool) -> Result<Walk<'_>, ReadError> {
        self.walk_table(table(along), "last_interaction_at", self.conditions(along), "contacts")
    }

    fn conditions(&self, along: bool) -> Conditions {
        let mut conditions = Conditions::default();
        let limit = if along { visible::limit_along } else { visible::limit };
        limit(&mut conditions, &self.scope, visible::RowKind::Contacts);
        self.add_filter(&mut conditions);
        conditions
    }

    fn add_filter(&self, conditions: &mut Conditions) {
        if let Some(search) = &self.filter.search {
            conditions.require_unmasked(&self.scope);
            Needle::new(search).require(conditions, "{}");
        }
        conditions.require_some(
            "contacts.id IN (SELECT contact_id FROM contact_tags WHERE tag_id = ?)",
            self.filter.tag.as_ref(),
        );
    }

    fn total(&self, tx: &Transaction<'_>, seen: &VisiblePlacements<'_>) -> Result<i64, ReadError> {
        if !self.is_filtered() {
            return seen.contacts(tx);
        }
        let along = seen.is_little();
        self.conditions(along).count(tx, table(along))
    }

    /// The page of a filtered list, sorted in memory; `None` if there are too many matches for that.
    fn sort_matches(
        &self,
        tx: &Transaction<'_>,
        seen: &VisiblePlacements<'_>,
    ) -> Result<Option<Page<ContactShape>>, ReadError> {
        let walk = self.walk(seen.is_little())?;
        let after = walk.after()?;
        let Some(matches) = self.matches(tx, seen)? else { return Ok(None) };
        let mut spots = Vec::with_capacity(matches.len());
        for (rowid, id) in matches {
            spots.extend(latest_seen(tx, seen, rowid, &id)?);
        }
        let total = i64::try_from(spots.len()).unwrap_or(i64::MAX);
        spots.sort_by(|one, other| one.place().cmp(&other.place()));
        if self.order == Order::Desc {
            spots.reverse();
        }
        let is_before = |spot: &FoundRow| {
            after.as_ref().is_some_and(|(time, id)| match self.order {
                Order::Asc => (spot.time(), &spot.tie) <= (*time, id),
                Order::Desc => (spot.time(), &spot.tie) >= (*time, id),
            })
        };
        let before = walk.offset().max(spots.iter().take_while(|spot| is_before(spot)).count());
        let spots = spots.into_iter().skip(before).collect();
        Ok(Some(walk.load(tx, spots, |tx, rowid| load(tx, rowid, seen))?.into_page(total)))
    }

    /// `rowid` and id of the contacts that match; `None` if there are more than [`SORTED_MAX`].
    fn matches(
        &self,
        tx: &Transaction<'_>,
        seen: &VisiblePlacements<'_>,
    ) -> Result<Option<Vec<(i64, String)>>, ReadError> {
        let along = seen.is_little();
        let conditions = self.conditions(along);
        let sql =
            format!("SELECT contacts.rowid, contacts.id FROM {} WHERE {}", table(along), conditions.to_sql());
        let mut select = tx.prepare_cached(&sql)?;
        let found = select.query_map(rusqlite::params_from_iter(conditions.values()), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let matches: Vec<_> = found.take(SORTED_MAX + 1).collect::<Result<_, _>>()?;
        Ok((matches.len() <= SORTED_MAX).then_some(matches))
    }
}

fn table(along: bool) -> &'static str {
    if along { "contacts INDEXED BY contacts_by_placement_set" } else { "contacts" }
}

/// One contact; `None` if it does not exist or may not be seen.
#[derive(Debug, Clone)]
pub struct GetContact {
    /// Id of the contact, case-sensitive.
    pub id: String,
    pub scope: Arc<Scope>,
}

impl Query for GetContact {
    type Answer = Option<ContactShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let Some(rowid) = rowid(tx, &self.id, &self.scope)? else { return Ok(None) };
        load(tx, rowid, &VisiblePlacements::of(tx, &self.scope)?).map(Some)
    }
}

/// The contact's `rowid`; `None` if the contact does not exist or may not be seen.
pub(super) fn rowid(tx: &Transaction<'_>, id: &str, scope: &Scope) -> Result<Option<i64>, ReadError> {
    let mut statement = tx.prepare_cached("SELECT rowid FROM contacts WHERE id = ?")?;
    let rowid = statement.query_row([id], |row| row.get(0)).optional()?;
    Ok(if visible::sees_contact(tx, scope, id)? { rowid } else { None })
}

/// A contact with the newest of its messages that the scope sees.
pub(crate) fn load(
    tx: &Transaction<'_>,
    rowid: i64,
    seen: &VisiblePlacements<'_>,
) -> Result<ContactShape, ReadError> {
    let mut statement = tx.prepare_cached(
        "SELECT contacts.state, messages.state FROM contacts
         LEFT JOIN messages ON messages.id = contacts.last_message_id
         WHERE contacts.rowid = ?",
    )?;
    let mut rows = statement.query([rowid])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let contact: Contact = parse_state(row, 0)?;
    let mut shape = ContactShape::new(&contact, parse_summary(row, 1)?);
    if !seen.scope.is_unlimited() {
        shape.limit_to(newest_message(tx, seen, &shape.id)?);
    }
    if seen.scope.is_masked() {
        shape.mask();
    }
    Ok(shape)
}

/// The contact's latest chat that the scope sees, which gives its place in the list; `None` if it has none.
fn latest_seen(
    tx: &Transaction<'_>,
    seen: &VisiblePlacements<'_>,
    contact: i64,
    id: &str,
) -> Result<Option<FoundRow>, ReadError> {
    let mut select = tx.prepare_cached(
        "SELECT last_activity_at, id, rowid, placement_id FROM chats INDEXED BY chats_of_contact
         WHERE contact_id = ?",
    )?;
    let mut rows = select.query([id])?;
    let mut latest: Option<FoundRow> = None;
    while let Some(row) = rows.next()? {
        let mut chat = FoundRow::read(row)?;
        chat.rowid = contact;
        if seen.holds(row.get(3)?) && latest.as_ref().is_none_or(|latest| latest.place() < chat.place()) {
            latest = Some(chat);
        }
    }
    Ok(latest)
}

/// The newest last message among the contact's chats that the scope sees.
fn newest_message(
    tx: &Transaction<'_>,
    seen: &VisiblePlacements<'_>,
    contact: &str,
) -> Result<Option<MessageSummary>, ReadError> {
    let mut select = tx.prepare_cached(
        "SELECT messages.state, chats.placement_id FROM chats INDEXED BY chats_of_contact
         CROSS JOIN messages ON messages.id = chats.last_message_id
         WHERE chats.contact_id = ? ORDER BY messages.order_at DESC, messages.order_tie DESC",
    )?;
    let mut rows = select.query([contact])?;
    while let Some(row) = rows.next()? {
        if seen.holds(row.get(1)?) {
            return parse_summary(row, 0);
        }
    }
    Ok(None)
}
