//! Names of sectors, lines and tags: the one that an admin set, else the one in the newest delivery or list of the provider that
//! contains any, by (`EventDate`, `EventId`). An id that occurs without a name has a row, too, so that its name can be asked for.
//!
//! They are stored beside the chats, because a chat remembers only names of where it stands now. When the
//! last chat of a renamed sector moves elsewhere, the chats alone would give the old name.

use std::collections::BTreeMap;

use hashlink::LruCache;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::StoreError;
use crate::domain::register::{from_nanos, to_nanos};
use crate::domain::{ChatFacts, EventId, EventKey, GivenName, RefId, Seq};

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

#[derive(Debug, Clone)]
struct KnownName {
    /// The name at the provider; `None`: none was ever said.
    name: Option<String>,
    /// The name that an admin set.
    given: Option<String>,
    /// The newest delivery or list that contains `name`.
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
    /// Takes over the names in the delivery at `seq`. A missing name changes no name that is known.
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
            match name {
                Some(name) => self.put(connection, (what, id.clone()), name, named_by, seq)?,
                None => self.note_nameless(connection, (what, id.clone()))?,
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
        let known = self.known(connection, &key)?;
        if known.as_ref().is_some_and(|known| known.named_by >= *named_by) {
            return Ok(());
        }
        let is_same = known.as_ref().is_some_and(|known| known.name.as_deref() == Some(name));
        let mut changed = known.unwrap_or(KnownName::nameless());
        if !is_same {
            changed.seq = seq;
        }
        (changed.name, changed.named_by) = (Some(name.to_owned()), named_by.clone());
        self.changed.insert(key, changed);
        Ok(())
    }

    /// Takes over a name from a list of the provider. Returns whether the name at the provider became another one.
    pub(super) fn list(
        &mut self,
        connection: &Connection,
        given: &GivenName,
        named_by: &EventKey,
        seq: Seq,
    ) -> Result<bool, StoreError> {
        let Some(name) = &given.name else { return Ok(false) };
        let key = (given.what.as_str(), given.id.clone());
        let known = self.known(connection, &key)?;
        // A record that changes nothing makes no event, so it must leave no trace.
        if known.is_some_and(|known| known.name.as_ref() == Some(name) || known.named_by >= *named_by) {
            return Ok(false);
        }
        self.put(connection, key, name, named_by, seq)?;
        Ok(true)
    }

    /// Sets the name that wins, or takes it back. Returns whether that changes anything. Only what occurs can be named.
    pub(super) fn give(
        &mut self,
        connection: &Connection,
        given: &GivenName,
        seq: Seq,
    ) -> Result<bool, StoreError> {
        let key = (given.what.as_str(), given.id.clone());
        let Some(known) = self.known(connection, &key)?.filter(|known| known.given != given.name) else {
            return Ok(false);
        };
        let changed = KnownName { given: given.name.clone(), seq, ..known };
        self.changed.insert(key, changed);
        Ok(true)
    }

    fn note_nameless(&mut self, connection: &Connection, key: NameKey) -> Result<(), StoreError> {
        if self.known(connection, &key)?.is_none() {
            self.changed.insert(key, KnownName::nameless());
        }
        Ok(())
    }

    fn known(&mut self, connection: &Connection, key: &NameKey) -> rusqlite::Result<Option<KnownName>> {
        if let Some(known) = self.changed.get(key).or_else(|| self.known.get(key)) {
            return Ok(Some(known.clone()));
        }
        let stored = load(connection, key)?;
        if let Some(stored) = &stored {
            self.known.insert(key.clone(), stored.clone());
        }
        Ok(stored)
    }

    /// Writes the names that have changed.
    pub(super) fn flush(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut put = connection.prepare_cached(
            "INSERT INTO names (what, id, name, given, at, event_id, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (what, id) DO UPDATE SET name = ?3, given = ?4, at = ?5, event_id = ?6, seq = ?7",
        )?;
        for ((what, id), known) in std::mem::take(&mut self.changed) {
            put.execute(params![
                what,
                id.as_str(),
                known.name,
                known.given,
                to_nanos(known.named_by.at),
                known.named_by.event.as_str(),
                known.seq.0
            ])?;
            self.known.insert((what, id), known);
        }
        Ok(())
    }

    /// Drops everything, because the transaction was rolled back.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl KnownName {
    /// An entry without a name. Any name comes after it.
    fn nameless() -> Self {
        let named_by = EventKey { at: Timestamp::UNIX_EPOCH, event: EventId::from(String::new()) };
        Self { name: None, given: None, named_by, seq: Seq(0) }
    }
}

fn load(connection: &Connection, (what, id): &NameKey) -> rusqlite::Result<Option<KnownName>> {
    let mut select = connection
        .prepare_cached("SELECT name, given, at, event_id, seq FROM names WHERE what = ?1 AND id = ?2")?;
    let read = |row: &rusqlite::Row<'_>| {
        let (at, event): (i64, String) = (row.get(2)?, row.get(3)?);
        let named_by = EventKey { at: from_nanos(at), event: EventId::from(event) };
        Ok(KnownName { name: row.get(0)?, given: row.get(1)?, named_by, seq: Seq(row.get(4)?) })
    };
    select.query_row(params![what, id.as_str()], read).optional()
}
