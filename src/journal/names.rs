//! Names of sectors, lines and tags: the one in the newest delivery that contains any, by (`EventDate`,
//! `EventId`).
//!
//! They are stored beside the chats, because a chat remembers only names of where it stands now. When the
//! last chat of a renamed sector moves elsewhere, the chats alone would give the old name.

use std::collections::BTreeMap;

use hashlink::LruCache;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::StoreError;
use crate::domain::register::{from_nanos, to_nanos};
use crate::domain::{ChatFacts, EventId, EventKey, RefId, Seq};

/// `names.what` of a sector.
pub const SECTOR: &str = "sector";
/// `names.what` of a line.
pub const CHANNEL: &str = "channel";
/// `names.what` of a tag of chats.
pub const TAG: &str = "tag";
/// Names that are cached, about 200 bytes each. A company has some hundreds of sectors, lines and tags.
const CACHED_MAX: usize = 4_096;

type NameKey = (&'static str, RefId);

/// A cache of names, and the names that have changed since they were last written. Hundreds of deliveries
/// usually name the same few sectors and lines; each is written once for a batch.
pub(super) struct Names {
    known: LruCache<NameKey, KnownName>,
    changed: BTreeMap<NameKey, KnownName>,
}

#[derive(Debug)]
struct KnownName {
    name: String,
    /// The newest delivery that contains it.
    named_by: EventKey,
    /// The position at which the name last changed.
    seq: Seq,
}

impl Default for Names {
    fn default() -> Self {
        Self { known: LruCache::new(CACHED_MAX), changed: BTreeMap::new() }
    }
}

impl Names {
    /// Takes over the names in the delivery at `seq`. A missing name changes nothing.
    pub(super) fn hear(
        &mut self,
        connection: &Connection,
        facts: &ChatFacts,
        named_by: &EventKey,
        seq: Seq,
    ) -> Result<(), StoreError> {
        let channel = facts.channel.iter().map(|channel| (CHANNEL, &channel.id, &channel.name));
        let sector = facts.sector.iter().flatten().map(|sector| (SECTOR, &sector.id, &sector.name));
        let tags = facts.tags.iter().flatten().map(|tag| (TAG, &tag.id, &tag.name));
        for (what, id, name) in channel.chain(sector).chain(tags) {
            if let Some(name) = name {
                self.put(connection, (what, id.clone()), name, named_by, seq)?;
            }
        }
        Ok(())
    }

    fn put(
        &mut self,
        connection: &Connection,
        key: NameKey,
        name: &str,
        named_by: &EventKey,
        seq: Seq,
    ) -> Result<(), StoreError> {
        let stored;
        let known = if let Some(known) = self.changed.get(&key).or_else(|| self.known.get(&key)) {
            Some(known)
        } else {
            stored = load(connection, &key)?;
            stored.as_ref()
        };
        let seq = match known {
            Some(known) if known.named_by >= *named_by => return Ok(()),
            Some(known) if known.name == name => known.seq,
            Some(_) | None => seq,
        };
        self.changed.insert(key, KnownName { name: name.to_owned(), named_by: named_by.clone(), seq });
        Ok(())
    }

    /// Writes the names that have changed.
    pub(super) fn flush(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut put = connection.prepare_cached(
            "INSERT INTO names (what, id, name, at, event_id, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (what, id) DO UPDATE SET name = ?3, at = ?4, event_id = ?5, seq = ?6",
        )?;
        for ((what, id), KnownName { name, named_by, seq }) in std::mem::take(&mut self.changed) {
            put.execute(params![
                what,
                id.as_str(),
                name,
                to_nanos(named_by.at),
                named_by.event.as_str(),
                seq.0
            ])?;
            self.known.insert((what, id), KnownName { name, named_by, seq });
        }
        Ok(())
    }

    /// Drops everything, because the transaction was rolled back.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn load(connection: &Connection, (what, id): &NameKey) -> rusqlite::Result<Option<KnownName>> {
    let mut select =
        connection.prepare_cached("SELECT name, at, event_id, seq FROM names WHERE what = ?1 AND id = ?2")?;
    let read = |row: &rusqlite::Row<'_>| {
        let (at, event): (i64, String) = (row.get(1)?, row.get(2)?);
        let named_by = EventKey { at: from_nanos(at), event: EventId::from(event) };
        Ok(KnownName { name: row.get(0)?, named_by, seq: Seq(row.get(3)?) })
    };
    select.query_row(params![what, id.as_str()], read).optional()
}
