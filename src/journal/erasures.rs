//! Whose data were erased, how much of it, and what must not be stored of them again.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Connection;

use super::retention_progress::content_until;
use crate::domain::register::from_nanos;
use crate::domain::{ContactId, Forgetting, Seq};

/// The newest erasure of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    pub contact: ContactId,
    pub at: Timestamp,
    /// The `sub` of the admin who asked for it.
    pub by: String,
    pub reason: String,
    pub block: bool,
    pub seq: Seq,
}

/// How many rows of each table an erasure has blanked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    pub contacts: usize,
    pub chats: usize,
    pub messages: usize,
    pub parked_reactions: usize,
    pub raw_deliveries: usize,
    pub ignored_deliveries: usize,
    pub frames: usize,
    pub outbox: usize,
}

/// All erasures, or those of one contact, in the order of their times.
pub fn erasures_of(connection: &Connection, contact: Option<&str>) -> rusqlite::Result<Vec<Erasure>> {
    let mut select = connection.prepare_cached(
        "SELECT contact_id, at, by, reason, block, seq FROM erasures
         WHERE ?1 IS NULL OR contact_id = ?1 ORDER BY at, contact_id",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        let contact: String = row.get(0)?;
        Ok(Erasure {
            contact: ContactId::from(contact),
            at: from_nanos(row.get(1)?),
            by: row.get(2)?,
            reason: row.get(3)?,
            block: row.get(4)?,
            seq: Seq(row.get(5)?),
        })
    };
    select.query_map([contact], read)?.collect()
}

/// What must be forgotten of the contacts that were erased. Held by the writer.
pub(super) fn load_forgetting(connection: &Connection) -> rusqlite::Result<HashMap<ContactId, Forgetting>> {
    let mut all = erasures_of(connection, None)?;
    // In the order in which they were applied, so that the newest decides, as it did for a hub that was not started since. Their
    // times say less: a clock may have been set back.
    all.sort_by_key(|erasure| erasure.seq);
    Ok(all
        .into_iter()
        .map(|erasure| (erasure.contact.clone(), forgetting(erasure.at, erasure.block)))
        .collect())
}

/// What must be forgotten of a contact, for those who read beside the writer.
pub fn forgetting_of(connection: &Connection, contact: Option<&ContactId>) -> rusqlite::Result<Forgetting> {
    let by_age = Forgetting { content_until: content_until(connection)?, ..Forgetting::NOTHING };
    let Some(contact) = contact else { return Ok(by_age) };
    Ok(by_age.and(erased_of(connection, contact)?))
}

/// What must be forgotten of a contact because it was erased; nothing where it was not.
pub(super) fn erased_of(connection: &Connection, contact: &ContactId) -> rusqlite::Result<Forgetting> {
    // The newest erasure decides.
    let newest =
        erasures_of(connection, Some(contact.as_str()))?.into_iter().max_by_key(|erasure| erasure.seq);
    Ok(newest.map_or(Forgetting::NOTHING, |erasure| forgetting(erasure.at, erasure.block)))
}

pub(super) fn forgetting(at: Timestamp, block: bool) -> Forgetting {
    if block { Forgetting::ALL } else { Forgetting::until(at) }
}
