//! What sectors, lines and tags are called.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Transaction, params, params_from_iter};

use super::visible::placements_seen_with;
use super::{Query, ReadError};
use crate::auth::Scope;
use crate::domain::NamedKind;
use crate::protocol::names::NameShape;

/// Most names that are listed. A company has some hundreds of sectors, lines and tags.
pub const NAMES_LISTED_MAX: usize = 5_000;

/// Lists names, by kind and id. A scope that does not see all chats sees the sectors and lines of its chats, and no tags: which chats
/// have a tag would have to be looked up in all of them.
#[derive(Debug, Clone)]
pub struct ListNames {
    /// Only names of this.
    pub what: Option<NamedKind>,
    /// `true`: with a name. `false`: without one.
    pub known: Option<bool>,
    pub scope: Arc<Scope>,
}

/// The names, and whether there are more than are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedNames {
    pub names: Vec<NameShape>,
    pub more: bool,
}

impl Query for ListNames {
    type Answer = ListedNames;

    fn answer(self, tx: &Transaction<'_>) -> Result<ListedNames, ReadError> {
        let places = places_seen(tx, &self.scope)?;
        let is_seen = |what: NamedKind, id: &str| {
            places.as_ref().is_none_or(|places| places.contains(&(what, id.to_owned())))
        };
        let mut select = tx.prepare_cached(
            "SELECT what, id, name, given FROM names
             WHERE (?1 IS NULL OR what = ?1) AND (?2 IS NULL OR (coalesce(given, name) IS NOT NULL) = ?2)
             ORDER BY what, id LIMIT ?3",
        )?;
        let most = i64::try_from(NAMES_LISTED_MAX + 1).unwrap_or(i64::MAX);
        let mut rows = select.query(params![self.what.map(NamedKind::as_str), self.known, most])?;
        let mut names = Vec::new();
        while let Some(row) = rows.next()? {
            let what: String = row.get(0)?;
            // A word of a newer hub cannot be shown here.
            let Some(what) = NamedKind::from_word(&what) else { continue };
            let id: String = row.get(1)?;
            if is_seen(what, &id) {
                names.push(NameShape::new(what.as_str(), id, row.get(2)?, row.get(3)?));
            }
        }
        let more = names.len() > NAMES_LISTED_MAX;
        names.truncate(NAMES_LISTED_MAX);
        Ok(ListedNames { names, more })
    }
}

/// The sectors and lines of the chats that a scope sees; `None`: it sees all.
fn places_seen(
    tx: &Transaction<'_>,
    scope: &Scope,
) -> Result<Option<BTreeSet<(NamedKind, String)>>, ReadError> {
    if scope.is_whole() {
        return Ok(None);
    }
    let (seen, values) = placements_seen_with(scope, "chats.sector_id, chats.channel_id");
    let mut select = tx.prepare_cached(&seen)?;
    let mut rows = select.query(params_from_iter(values))?;
    let mut places = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let (sector, channel): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
        places.extend(sector.map(|id| (NamedKind::Sector, id)));
        places.extend(channel.map(|id| (NamedKind::Channel, id)));
    }
    Ok(Some(places))
}

/// Finds what one thing is called; `None`: it occurs nowhere.
#[derive(Debug, Clone)]
pub struct FindName {
    pub what: NamedKind,
    pub id: String,
}

impl Query for FindName {
    type Answer = Option<NameShape>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Option<NameShape>, ReadError> {
        let mut select = tx.prepare_cached("SELECT name, given FROM names WHERE what = ?1 AND id = ?2")?;
        let mut rows = select.query(params![self.what.as_str(), self.id])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let (name, given) = (row.get(0)?, row.get(1)?);
        Ok(Some(NameShape::new(self.what.as_str(), self.id, name, given)))
    }
}
