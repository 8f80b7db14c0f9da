//! Placements as the writer keeps them: where chats stand, sums over the chats at each placement, and the
//! placements of each contact's chats. Lists for limited scopes are made from these.
//!
//! Changes of sums are collected during a batch and written by [`Placements::flush`], because many deliveries
//! of a batch change the same ones. All of this can be derived from the chats.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hashlink::LruCache;
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::StoreError;
use crate::domain::register::from_nanos;
use crate::domain::stats::{BUCKET_SECONDS, RECENT_BUCKETS_MAX, bucket};
use crate::domain::{Chat, ContactId, Placement, RefId};

/// Placements, and as many sets of them, whose ids are cached: about 200 bytes each.
const CACHED_MAX: usize = 8_192;
const BUCKET_NANOS: i64 = BUCKET_SECONDS * 1_000_000_000;

/// Changes of placements within a transaction, and a cache of their ids.
pub struct Placements {
    ids: LruCache<String, i64>,
    sets: LruCache<String, i64>,
    sums: HashMap<i64, SumsDelta>,
    contacts: HashMap<i64, i64>,
    messages: BTreeMap<(i64, i64), i64>,
    /// The newest buckets with messages, which are the ones that are counted by placement; `None` until
    /// they are read.
    counted: Option<BTreeSet<i64>>,
    /// The oldest bucket was dropped from `counted`.
    is_narrowed: bool,
}

/// Change of the sums over the chats at a placement.
#[derive(Debug, Clone, Copy, Default)]
struct SumsDelta {
    chats: i64,
    open: i64,
    messages: i64,
    open_direct: i64,
    waiting_direct: i64,
}

/// Where a chat stood before a delivery, and where it stands after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// `None` if the chat is new.
    pub from: Option<i64>,
    pub to: i64,
}

impl Default for Placements {
    fn default() -> Self {
        Self {
            ids: LruCache::new(CACHED_MAX),
            sets: LruCache::new(CACHED_MAX),
            sums: HashMap::new(),
            contacts: HashMap::new(),
            messages: BTreeMap::new(),
            counted: None,
            is_narrowed: false,
        }
    }
}

impl Placements {
    /// Counts a chat where it stands now, and no longer where it stood.
    pub fn move_chat(
        &mut self,
        connection: &Connection,
        known: Option<&Chat>,
        (chat, place): (&Chat, &Placement),
    ) -> Result<Move, StoreError> {
        let to = self.id_of(connection, place)?;
        let from = match known {
            None => None,
            Some(known) => {
                let before = Placement::of(known);
                let from = if before == *place { to } else { self.id_of(connection, &before)? };
                self.sums.entry(from).or_default().count(known, -1);
                Some(from)
            }
        };
        self.sums.entry(to).or_default().count(chat, 1);
        Ok(Move { from, to })
    }

    /// Counts the messages of a chat that a delivery has moved or changed. `delta` is the change of the
    /// chat's own messages, by bucket.
    pub fn move_messages(
        &mut self,
        connection: &Connection,
        chat: &Chat,
        moved: Move,
        delta: &BTreeMap<i64, i64>,
    ) -> Result<(), StoreError> {
        let oldest = self.note_buckets(connection, delta)?;
        let mut count = |bucket: i64, placement: i64, by: i64| {
            if bucket >= oldest {
                *self.messages.entry((bucket, placement)).or_default() += by;
            }
        };
        for (bucket, by) in delta {
            count(*bucket, moved.from.unwrap_or(moved.to), *by);
        }
        let Some(from) = moved.from.filter(|from| *from != moved.to) else { return Ok(()) };
        if !chat.is_direct() {
            return Ok(());
        }
        // All messages of the chat move with it, including the changes of this delivery.
        let mut select = connection.prepare_cached(
            "SELECT at FROM messages INDEXED BY messages_of_chat WHERE chat_id = ?1 AND at >= ?2",
        )?;
        let mut times = select.query(params![chat.id.as_str(), oldest.saturating_mul(BUCKET_NANOS)])?;
        while let Some(row) = times.next()? {
            let bucket = bucket(from_nanos(row.get(0)?));
            count(bucket, from, -1);
            count(bucket, moved.to, 1);
        }
        Ok(())
    }

    /// Updates the set of placements of a contact's chats. A contact that is not stored yet is skipped
    /// until it is.
    pub fn settle_contact(&mut self, connection: &Connection, id: &ContactId) -> Result<(), StoreError> {
        let mut select = connection.prepare_cached("SELECT placement_set_id FROM contacts WHERE id = ?1")?;
        let known: Option<Option<i64>> = select.query_row([id.as_str()], |row| row.get(0)).optional()?;
        let Some(before) = known else { return Ok(()) };
        let now = self.set_of(connection, id)?;
        if before == now {
            return Ok(());
        }
        connection
            .prepare_cached("UPDATE contacts SET placement_set_id = ?2 WHERE id = ?1")?
            .execute(params![id.as_str(), now])?;
        for (set, by) in [(before, -1), (now, 1)] {
            if let Some(set) = set {
                *self.contacts.entry(set).or_default() += by;
            }
        }
        Ok(())
    }

    /// Writes the changed sums, and deletes placements without chats.
    pub fn flush(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.flush_sums(connection)?;
        self.flush_contacts(connection)?;
        self.flush_messages(connection)
    }

    fn flush_sums(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut update = connection.prepare_cached(
            "UPDATE placements SET chats = chats + ?2, open_chats = open_chats + ?3, messages = messages + ?4,
                 open_direct = open_direct + ?5, waiting_direct = waiting_direct + ?6
             WHERE id = ?1",
        )?;
        // Asked for afterwards: with RETURNING, SQLite opens and closes a temporary table for each row.
        let mut left = connection.prepare_cached("SELECT key FROM placements WHERE id = ?1 AND chats = 0")?;
        for (id, sums) in self.sums.drain() {
            let SumsDelta { chats, open, messages, open_direct, waiting_direct } = sums;
            update.execute([id, chats, open, messages, open_direct, waiting_direct])?;
            if chats > 0 {
                continue;
            }
            let Some(key) = left.query_row([id], |row| row.get::<_, String>(0)).optional()? else { continue };
            for delete in [
                "DELETE FROM placements WHERE id = ?1",
                "DELETE FROM placement_people WHERE placement_id = ?1",
            ] {
                connection.prepare_cached(delete)?.execute([id])?;
            }
            self.ids.remove(&key);
        }
        Ok(())
    }

    fn flush_contacts(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut update =
            connection.prepare_cached("UPDATE placement_sets SET contacts = contacts + ?2 WHERE id = ?1")?;
        let mut left =
            connection.prepare_cached("SELECT key FROM placement_sets WHERE id = ?1 AND contacts = 0")?;
        for (id, by) in self.contacts.drain() {
            update.execute([id, by])?;
            let Some(key) = left.query_row([id], |row| row.get::<_, String>(0)).optional()? else { continue };
            for delete in [
                "DELETE FROM placement_sets WHERE id = ?1",
                "DELETE FROM placement_set_parts WHERE set_id = ?1",
            ] {
                connection.prepare_cached(delete)?.execute([id])?;
            }
            self.sets.remove(&key);
        }
        Ok(())
    }

    fn flush_messages(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let moved = std::mem::take(&mut self.messages);
        let mut upsert = connection.prepare_cached(
            "INSERT INTO placement_messages (bucket, placement_id, count) VALUES (?1, ?2, ?3)
             ON CONFLICT (bucket, placement_id) DO UPDATE SET count = count + ?3",
        )?;
        for ((bucket, placement), by) in moved.iter().filter(|(_, by)| **by != 0) {
            upsert.execute([bucket, placement, by])?;
        }
        if std::mem::take(&mut self.is_narrowed) {
            let oldest = self.note_buckets(connection, &BTreeMap::new())?;
            connection
                .prepare_cached("DELETE FROM placement_messages WHERE bucket < ?1")?
                .execute([oldest])?;
        }
        Ok(())
    }

    /// Notes buckets with messages. Returns the oldest one that is counted by placement: the newest
    /// buckets are counted, as many as memory holds. Called after each delivery, so that the result does
    /// not depend on where a batch ends.
    fn note_buckets(
        &mut self,
        connection: &Connection,
        occurred: &BTreeMap<i64, i64>,
    ) -> Result<i64, StoreError> {
        let counted = match self.counted.take() {
            Some(counted) => counted,
            None => newest_buckets(connection)?,
        };
        let counted = self.counted.insert(counted);
        counted.extend(occurred.keys());
        while counted.len() > RECENT_BUCKETS_MAX {
            counted.pop_first();
            self.is_narrowed = true;
        }
        let is_full = counted.len() == RECENT_BUCKETS_MAX;
        Ok(counted.first().filter(|_| is_full).map_or(i64::MIN, |oldest| *oldest))
    }

    fn id_of(&mut self, connection: &Connection, place: &Placement) -> Result<i64, StoreError> {
        let mut people: Vec<&str> = place.people().map(RefId::as_str).collect();
        people.sort_unstable();
        people.dedup();
        let (organization, sector, channel) = named(place);
        let key = serde_json::to_string(&(organization, sector, channel, i64::from(place.private), &people))?;
        if let Some(id) = self.ids.get(&key) {
            return Ok(*id);
        }
        let mut select = connection.prepare_cached("SELECT id FROM placements WHERE key = ?1")?;
        let known = select.query_row([&key], |row| row.get(0)).optional()?;
        let id = known.map_or_else(|| insert_placement(connection, &key, place, &people), Ok)?;
        self.ids.insert(key, id);
        Ok(id)
    }

    /// The set of placements of a contact's chats; `None` if the contact has no chats.
    fn set_of(&mut self, connection: &Connection, contact: &ContactId) -> Result<Option<i64>, StoreError> {
        let mut select = connection.prepare_cached(
            "SELECT DISTINCT placement_id FROM chats INDEXED BY chats_of_contact WHERE contact_id = ?1
             ORDER BY placement_id",
        )?;
        let placements: Vec<i64> =
            select.query_map([contact.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
        if placements.is_empty() {
            return Ok(None);
        }
        let key = serde_json::to_string(&placements)?;
        if let Some(id) = self.sets.get(&key) {
            return Ok(Some(*id));
        }
        let mut select = connection.prepare_cached("SELECT id FROM placement_sets WHERE key = ?1")?;
        let known = select.query_row([&key], |row| row.get(0)).optional()?;
        let id = known.map_or_else(|| insert_set(connection, &key, &placements), Ok)?;
        self.sets.insert(key, id);
        Ok(Some(id))
    }
}

/// The newest buckets in which the hub counts messages.
fn newest_buckets(connection: &Connection) -> rusqlite::Result<BTreeSet<i64>> {
    let mut select = connection.prepare_cached("SELECT bucket FROM message_buckets ORDER BY bucket DESC")?;
    select.query_map([], |row| row.get(0))?.take(RECENT_BUCKETS_MAX).collect()
}

fn named(place: &Placement) -> (Option<&str>, Option<&str>, Option<&str>) {
    (
        place.organization.as_ref().map(RefId::as_str),
        place.sector.as_ref().map(RefId::as_str),
        place.channel.as_ref().map(RefId::as_str),
    )
}

/// Stores a placement that has no chats yet.
fn insert_placement(
    connection: &Connection,
    key: &str,
    place: &Placement,
    people: &[&str],
) -> rusqlite::Result<i64> {
    let (organization, sector, channel) = named(place);
    connection
        .prepare_cached(
            "INSERT INTO placements (key, organization, sector_id, channel_id, private, chats, open_chats, messages,
                 open_direct, waiting_direct) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, 0, 0)",
        )?
        .execute(params![key, organization, sector, channel, place.private])?;
    let id = connection.last_insert_rowid();
    let mut insert = connection
        .prepare_cached("INSERT INTO placement_people (member_id, placement_id) VALUES (?1, ?2)")?;
    for person in people {
        insert.execute(params![person, id])?;
    }
    Ok(id)
}

/// Stores a set of placements that has no contacts yet.
fn insert_set(connection: &Connection, key: &str, placements: &[i64]) -> rusqlite::Result<i64> {
    connection.prepare_cached("INSERT INTO placement_sets (key, contacts) VALUES (?1, 0)")?.execute([key])?;
    let id = connection.last_insert_rowid();
    let mut insert = connection
        .prepare_cached("INSERT INTO placement_set_parts (placement_id, set_id) VALUES (?1, ?2)")?;
    for placement in placements {
        insert.execute([*placement, id])?;
    }
    Ok(id)
}

impl SumsDelta {
    /// Adds what a chat contributes, or subtracts it if `by` is -1.
    fn count(&mut self, chat: &Chat, by: i64) {
        let is_direct = chat.is_direct();
        self.chats += by;
        self.messages += by * chat.message_count;
        self.open += by * i64::from(chat.is_open());
        self.open_direct += by * i64::from(chat.is_open() && is_direct);
        self.waiting_direct += by * i64::from(chat.is_waiting() && is_direct);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{EventKey, Named};
    use crate::journal::steps::migrate_to_latest;

    fn chat_in(sector: &str) -> Chat {
        let mut chat = Chat::new("chat".into());
        let key = EventKey { at: Timestamp::UNIX_EPOCH, event: "e".into() };
        chat.sector.hear(Some(Some(Named { id: sector.into(), name: None })), &key);
        chat
    }

    #[test]
    fn a_place_where_no_chat_stands_any_more_is_forgotten_and_found_anew() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_to_latest(&mut connection).unwrap();
        let mut placements = Placements::default();
        let (sales, support) = (chat_in("sales"), chat_in("support"));
        let mut follow = |steps: &[(Option<&Chat>, &Chat)]| {
            for (known, chat) in steps {
                placements.move_chat(&connection, *known, (chat, &Placement::of(chat))).unwrap();
            }
            placements.flush(&connection).unwrap();
            let mut select = connection.prepare("SELECT sector_id, chats FROM placements").unwrap();
            let rows =
                select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).unwrap();
            rows.collect::<Result<Vec<_>, _>>().unwrap()
        };
        // There and back within one batch.
        let there = [(None, &sales), (Some(&sales), &support), (Some(&support), &sales)];
        assert_eq!(follow(&there), [("sales".to_owned(), 1)]);
        assert_eq!(follow(&[(Some(&sales), &support)]), [("support".to_owned(), 1)]);
        assert_eq!(follow(&[(Some(&support), &sales)]), [("sales".to_owned(), 1)]);
    }
}
