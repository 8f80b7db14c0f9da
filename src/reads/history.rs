//! What happened to a chat, read from its timeline.

use std::sync::Arc;

use rusqlite::Transaction;

use super::cursor::{Cursor, SortKey, fingerprint};
use super::history_names::NameCache;
use super::members::name_people;
use super::page::{Page, PageAt};
use super::{Query, ReadError, chats};
use crate::auth::Scope;
use crate::domain::history::{Transition, transitions};
use crate::domain::register::to_nanos;
use crate::journal::timeline::entries;
use crate::protocol::Mask;
use crate::protocol::history::TransitionShape;

/// Lists the transitions of one chat, the newest first; `None` if the chat does not exist or may not be seen.
#[derive(Debug, Clone)]
pub struct ListTransitions {
    pub chat: String,
    /// 1 to 200.
    pub limit: u32,
    pub at: PageAt,
    pub scope: Arc<Scope>,
}

impl Query for ListTransitions {
    type Answer = Option<Page<TransitionShape>>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        if chats::rowid(tx, &self.chat, &self.scope)?.is_none() {
            return Ok(None);
        }
        let mut all = transitions(&entries(tx, &self.chat, None)?, |place| self.scope.sees(place));
        all.reverse();
        let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
        let fingerprint = fingerprint(&("timeline", &self.chat, self.scope.hash()))?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let begin = match &self.at {
            PageAt::Page(page) => {
                usize::try_from(page.saturating_sub(1)).unwrap_or(usize::MAX).saturating_mul(limit)
            }
            PageAt::After(cursor) => {
                let (key, id) = cursor.position(fingerprint)?;
                all.partition_point(|transition| position(transition) >= (key.clone(), id.to_owned()))
            }
        };
        let shown: Vec<Transition> = all.iter().skip(begin).take(limit).cloned().collect();
        let last = shown.last().filter(|_| begin.saturating_add(limit) < all.len());
        let next = last.map(position).map(|(key, id)| Cursor::new(fingerprint, key, id));
        let items = name(tx, shown, &self.scope)?;
        Ok(Some(Page { items, total, next }))
    }
}

/// What transitions are sorted by.
fn position(transition: &Transition) -> (SortKey, String) {
    // Two digits are enough: one delivery makes fewer than 100 transitions.
    (SortKey::Time(to_nanos(transition.at)), format!("{}#{:02}", transition.event_id, transition.number))
}

/// Adds the present names of agents, sectors and tags.
fn name(
    tx: &Transaction<'_>,
    transitions: Vec<Transition>,
    scope: &Scope,
) -> Result<Vec<TransitionShape>, ReadError> {
    let mut names = NameCache::default();
    let mut shapes: Vec<_> = transitions.into_iter().map(TransitionShape::from).collect();
    for shape in &mut shapes {
        name_people(tx, shape.people_mut())?;
        for sector in shape.sectors_mut() {
            names.name_sector(tx, sector)?;
        }
        for tag in &mut shape.tags {
            names.name_tag(tx, tag)?;
        }
        if scope.is_masked() {
            shape.mask();
        }
    }
    Ok(shapes)
}
