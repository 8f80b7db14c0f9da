//! The journal's own tables: positions, bytes, encoded updates and counters.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::entry::Entry;
use super::fault::StoreError;
use super::payload::OutcomeCount;
use super::recorded::Recorded;
use crate::domain::register::to_nanos;
use crate::domain::{Audience, ChatId, ContactId, EventId, RefId, Seq, StatsDelta};
use crate::protocol::MessageSummary;

/// Nothing, compressed. It stands where bytes were erased.
pub(super) const NO_BYTES: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00];
/// The newest ignored deliveries that are kept.
const IGNORED_RETAINED: i64 = 10_000;
/// Types that are counted by name. Further types are counted together.
const TYPES_COUNTED_MAX: usize = 100;
/// The name for the types that are counted together.
const OTHER_TYPES: &str = "(other)";

/// A row of `journal`.
pub(super) struct JournalRow<'a> {
    pub(super) seq: Seq,
    pub(super) entry: &'a Entry,
    pub(super) event_type: &'a str,
    pub(super) update_type: &'static str,
    pub(super) event_at: Option<i64>,
    pub(super) reason: Option<&'a str>,
    pub(super) audience: &'a Audience,
    /// `audience` as JSON.
    pub(super) stored_audience: &'a str,
}

pub(super) fn put_journal_row(connection: &Connection, row: &JournalRow<'_>) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO journal (seq, event_id, event_type, update_type, organization, chat_id, contact_id, event_at,
             received_at, attempt, reason, audience, kind, origin)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    let after = row.audience.after.as_ref();
    insert.execute(params![
        row.seq.0,
        row.entry.id.as_ref().map(EventId::as_str),
        row.event_type,
        row.update_type,
        after.and_then(|after| after.organization.as_ref()).map(RefId::as_str),
        row.audience.chat.as_ref().map(ChatId::as_str),
        row.audience.contacts.last().map(ContactId::as_str),
        row.event_at,
        to_nanos(row.entry.at),
        row.entry.attempt,
        row.reason,
        row.stored_audience,
        row.entry.kind as u8,
        row.entry.origin.to_text(),
    ])?;
    Ok(())
}

/// Position of an event that is already stored, and why it was kept raw if it was.
pub(super) fn known_event(
    connection: &Connection,
    event_id: &EventId,
) -> rusqlite::Result<Option<(Seq, Option<String>)>> {
    let mut select = connection.prepare_cached("SELECT seq, reason FROM journal WHERE event_id = ?1")?;
    select.query_row([event_id.as_str()], |row| Ok((Seq(row.get(0)?), row.get(1)?))).optional()
}

/// Stores the bytes of an event and its encoded update.
pub(super) fn put_bytes(
    connection: &Connection,
    seq: Seq,
    raw: &[u8],
    frame: &str,
    elsewhere: &[Option<MessageSummary>],
) -> Result<(), StoreError> {
    let elsewhere = (!elsewhere.is_empty()).then(|| serde_json::to_string(elsewhere)).transpose()?;
    connection
        .prepare_cached("INSERT INTO raw_deliveries (seq, body) VALUES (?1, ?2)")?
        .execute(params![seq.0, raw])?;
    connection
        .prepare_cached("INSERT INTO frames (seq, frame, elsewhere) VALUES (?1, ?2, ?3)")?
        .execute(params![seq.0, frame, elsewhere])?;
    Ok(())
}

/// Replaces the stored bytes of a record.
pub(super) fn put_body(connection: &Connection, seq: Seq, body: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE raw_deliveries SET body = ?2 WHERE seq = ?1")?
        .execute(params![seq.0, body])?;
    Ok(())
}

/// Stores an object that is not an event, and deletes the oldest ones.
pub(super) fn keep_ignored(
    connection: &Connection,
    reason: &str,
    received_at: Timestamp,
    raw: &[u8],
) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO ignored_deliveries (received_at, reason, body) VALUES (?1, ?2, ?3)")?
        .execute(params![to_nanos(received_at), reason, raw])?;
    connection
        .prepare_cached(
            "DELETE FROM ignored_deliveries WHERE id <= (SELECT max(id) FROM ignored_deliveries) - ?1",
        )?
        .execute([IGNORED_RETAINED])?;
    Ok(())
}

pub(super) fn move_counters(connection: &Connection, delta: &StatsDelta) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE counters SET total_contacts = total_contacts + ?1, total_messages = total_messages + ?2,
                 total_chats = total_chats + ?3, open_chats = open_chats + ?4, waiting_chats = waiting_chats + ?5",
        )?
        .execute([delta.contacts, delta.messages, delta.chats, delta.open, delta.waiting])?;
    Ok(count_messages(connection, delta)?)
}

/// Changes only the counts of messages by time.
pub(super) fn count_messages(connection: &Connection, delta: &StatsDelta) -> rusqlite::Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO message_buckets (bucket, count) VALUES (?1, ?2)
         ON CONFLICT (bucket) DO UPDATE SET count = count + ?2",
    )?;
    for (bucket, count) in &delta.buckets {
        upsert.execute([bucket, count])?;
    }
    Ok(())
}

/// Counts of deliveries by type and outcome, since they were last written.
#[derive(Debug, Default)]
pub(super) struct DeliveryCounts {
    /// Types that have rows; `None` until they are read.
    known: Option<BTreeSet<String>>,
    /// Number of deliveries, and the newest time in nanoseconds since 1970.
    moved: BTreeMap<(String, &'static str), (i64, i64)>,
}

impl DeliveryCounts {
    /// Counts a delivery. Its name is decided at once, so that it does not depend on where the batch
    /// ends.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        event_type: &str,
        outcome: &'static str,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        let known = match &mut self.known {
            Some(known) => known,
            None => self.known.insert(counted_types(connection)?),
        };
        let has_room = known.len() < TYPES_COUNTED_MAX;
        let name = if has_room || known.contains(event_type) { event_type } else { OTHER_TYPES };
        if !known.contains(name) {
            known.insert(name.to_owned());
        }
        let count = self.moved.entry((name.to_owned(), outcome)).or_insert((0, i64::MIN));
        *count = (count.0 + 1, count.1.max(to_nanos(at)));
        Ok(())
    }

    pub(super) fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut upsert = connection.prepare_cached(
            "INSERT INTO delivery_counts (event_type, outcome, count, last_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (event_type, outcome) DO UPDATE SET count = count + ?3, last_at = max(last_at, ?4)",
        )?;
        for ((name, outcome), (count, last_at)) in std::mem::take(&mut self.moved) {
            upsert.execute(params![name, outcome, count, last_at])?;
        }
        Ok(())
    }

    /// Makes sums as large as these, where they are smaller.
    pub(super) fn raise(&mut self, connection: &Connection, sums: &[OutcomeCount]) -> rusqlite::Result<()> {
        let mut upsert = connection.prepare_cached(
            "INSERT INTO delivery_counts (event_type, outcome, count, last_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (event_type, outcome) DO UPDATE SET count = max(count, ?3), last_at = max(last_at, ?4)",
        )?;
        for sum in sums {
            upsert.execute(params![sum.event_type, sum.outcome, sum.count, to_nanos(sum.last_at)])?;
        }
        self.known = None;
        Ok(())
    }

    /// Drops the counts, because the transaction was rolled back.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn counted_types(connection: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    let mut select = connection.prepare_cached("SELECT DISTINCT event_type FROM delivery_counts")?;
    select.query_map([], |row| row.get(0))?.collect()
}

/// Stores updates whose text was changed.
pub(super) fn put_frames(connection: &Connection, changed: &[Recorded]) -> Result<(), StoreError> {
    let mut update =
        connection.prepare_cached("UPDATE frames SET frame = ?2, elsewhere = ?3 WHERE seq = ?1")?;
    for Recorded { seq, frame, elsewhere, .. } in changed {
        let elsewhere = (!elsewhere.is_empty()).then(|| serde_json::to_string(elsewhere)).transpose()?;
        update.execute(params![seq.0, &**frame, elsewhere])?;
    }
    Ok(())
}

/// Deletes the oldest updates. The journal, the timeline and raw deliveries stay.
pub(super) fn prune(connection: &Connection, dropped: Seq) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM frames WHERE seq <= ?1")?.execute([dropped.0])?;
    Ok(())
}
