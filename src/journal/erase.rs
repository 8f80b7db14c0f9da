//! Takes a person's data out of what is stored: in place, row by row. Nothing is deleted but words, so positions,
//! counts and metrics stay as they were.
//!
//! # Contract
//!
//! 1. What is left of each delivery is what [`Forgetting`](crate::domain::Forgetting) leaves of its facts, and chats,
//!    contacts and messages become what applying that makes. So a rebuild ends in the same tables.
//! 2. It happens in one transaction, that of the record which asks for it.
//! 3. The digests of blocks whose records are changed can no longer be made again. They are marked so.

use rusqlite::{Connection, OptionalExtension, params};

use super::entry::{Entry, Kind};
use super::erasures::{Erased, forgetting};
use super::fault::StoreError;
use super::outbox::OutboxRequest;
use super::payload::ErasureRequest;
use super::record::Record;
use super::recorded::Recorded;
use super::records::{self, StoredRecord};
use super::rows::{NO_BYTES, put_body, put_frames};
use super::store::SqliteStore;
use super::unassigned::{self, PersonWords};
use super::{reduced, tables};
use crate::domain::register::to_nanos;
use crate::domain::{ChatId, ChatMessage, ContactId, Delivery, DeliveryBody, Facts, Seq, Store};
use crate::journal::payload::Payload;
use crate::protocol::{MessageSummary, view};
use crate::sqlite::DbError;

/// What an erasure did, for the event that tells it.
pub(super) struct Erasing {
    pub(super) erased: Erased,
    /// Updates that were changed, as they are now.
    pub(super) blanked: Vec<Recorded>,
    /// Positions of records that were changed, so that their updates cannot be made again.
    pub(super) touched: Vec<i64>,
}

/// Blanks everything that is stored of a contact.
pub(super) fn erase(store: &mut SqliteStore, request: &ErasureRequest) -> Result<Erasing, StoreError> {
    let contact = &request.contact;
    let known = store.contact(contact)?;
    let mut words = PersonWords::of(contact, known.as_ref());
    let chats = chats_of(store.connection(), contact)?;
    let mut erased = Erased { chats: chats.len(), ..Erased::default() };
    if let Some(mut known) = known {
        known.forget_person();
        store.put_contact(&known)?;
        erased.contacts = 1;
    }
    let connection = store.connection();
    for chat in &chats {
        erased.messages += blank_messages(connection, chat)?;
    }
    let positions = positions_of(connection, contact, &chats, &request.former_chats)?;
    for seq in &positions {
        reduce_wholly(connection, *seq, &mut words, &mut erased)?;
    }
    for seq in unassigned::positions(connection)? {
        if words.occur_in(connection, seq)? {
            reduce_wholly(connection, seq, &mut PersonWords::default(), &mut erased)?;
        }
    }
    erased.ignored_deliveries = unassigned::blank_ignored(connection, &words)?;
    for chat in &chats {
        erased.outbox += blank_outbox(connection, chat)?;
    }
    let mut blanked = blank_frames(connection, contact, &chats)?;
    let notices = unassigned::blank_notices(connection, &words)?;
    erased.raw_deliveries += notices.len();
    // Not those of other updates that were changed: how many are kept is a setting.
    let mut touched = positions;
    touched.extend(notices.iter().map(|recorded| recorded.seq.0));
    blanked.extend(notices);
    erased.frames = blanked.len();
    touched.sort_unstable();
    touched.dedup();
    Ok(Erasing { erased, blanked, touched })
}

/// Notes an erasure for good.
pub(super) fn note(
    store: &mut SqliteStore,
    entry: &Entry,
    seq: Seq,
    request: &ErasureRequest,
) -> Result<(), StoreError> {
    let by = entry.origin.to_text().unwrap_or_default();
    store.connection().execute(
        "INSERT OR REPLACE INTO erasures (contact_id, at, seq, by, reason, block) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            request.contact.as_str(),
            to_nanos(entry.at),
            seq.0,
            by.strip_prefix("user:").unwrap_or(&by),
            request.reason,
            request.block
        ],
    )?;
    store.note_erasure(&request.contact, forgetting(entry.at, request.block))
}

fn chats_of(connection: &Connection, contact: &ContactId) -> rusqlite::Result<Vec<ChatId>> {
    let mut select = connection.prepare_cached("SELECT id FROM chats WHERE contact_id = ?1 ORDER BY id")?;
    let ids = select.query_map([contact.as_str()], |row| row.get::<_, String>(0))?;
    ids.map(|id| id.map(ChatId::from)).collect()
}

fn blank_messages(connection: &Connection, chat: &ChatId) -> Result<usize, StoreError> {
    let mut select = connection.prepare_cached("SELECT state FROM messages WHERE chat_id = ?1")?;
    let states: Vec<String> =
        select.query_map([chat.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut count = 0;
    for state in states {
        count += usize::from(blank_message(connection, &state)?);
    }
    Ok(count)
}

/// Takes the content out of a stored message. Returns false if there was none.
pub(super) fn blank_message(connection: &Connection, state: &str) -> Result<bool, StoreError> {
    let known: ChatMessage = serde_json::from_str(state)?;
    let mut left = known.clone();
    left.forget_content();
    if left == known {
        return Ok(false);
    }
    tables::put_message(connection, &left, false)?;
    Ok(true)
}

/// The positions of all deliveries of a contact.
fn positions_of(
    connection: &Connection,
    contact: &ContactId,
    chats: &[ChatId],
    former: &[ChatId],
) -> Result<Vec<i64>, StoreError> {
    let mut all = connection.prepare_cached("SELECT seq FROM timeline WHERE chat_id = ?1")?;
    let mut own = connection.prepare_cached(
        "SELECT timeline.seq FROM timeline JOIN journal ON journal.seq = timeline.seq
         WHERE timeline.chat_id = ?1 AND journal.contact_id = ?2",
    )?;
    let mut positions: Vec<i64> = Vec::new();
    for chat in chats {
        for seq in all.query_map([chat.as_str()], |row| row.get(0))? {
            positions.push(seq?);
        }
    }
    for chat in former.iter().filter(|chat| !chats.contains(chat)) {
        for seq in own.query_map([chat.as_str(), contact.as_str()], |row| row.get(0))? {
            positions.push(seq?);
        }
    }
    positions.sort_unstable();
    Ok(positions)
}

/// Reduces a delivery to what is no data of a person. Names and phones that it said are added to `words`.
fn reduce_wholly(
    connection: &Connection,
    seq: i64,
    words: &mut PersonWords,
    erased: &mut Erased,
) -> Result<(), StoreError> {
    let Some(stored) = records::one(connection, Seq(seq))? else { return Ok(()) };
    let reactions = reduce(connection, stored, |delivery| match &mut delivery.body {
        DeliveryBody::Understood(facts) => {
            let parked = facts.reactions.iter().map(|(message, _)| message.to_string()).collect();
            if let Some(contact) = &facts.contact {
                words.add(contact.name.as_deref(), contact.phone.as_deref());
            }
            keep_echoes(connection, facts)?;
            facts.forget_all();
            Ok(parked)
        }
        DeliveryBody::Unrecognized { .. } => Ok::<_, StoreError>(Vec::new()),
    })?;
    let Some(reactions) = reactions.transpose()? else { return Ok(()) };
    erased.raw_deliveries += 1;
    let mut delete = connection.prepare_cached("DELETE FROM parked_reactions WHERE message_id = ?1")?;
    for message in reactions {
        erased.parked_reactions += delete.execute([message])?;
    }
    Ok(())
}

/// Writes into a delivery which of its messages repeat others, because that was found by texts that are forgotten now.
pub(super) fn keep_echoes(connection: &Connection, facts: &mut Facts) -> Result<(), StoreError> {
    let mut select = connection.prepare_cached("SELECT state FROM messages WHERE id = ?1")?;
    for message in &mut facts.messages {
        let Some(id) = &message.id else { continue };
        let state: Option<String> = select.query_row([id.as_str()], |row| row.get(0)).optional()?;
        let known = state.map(|state| serde_json::from_str::<ChatMessage>(&state)).transpose()?;
        message.echo_of = known.and_then(|known| known.echo_of);
    }
    Ok(())
}

/// Blanks what went out, or is to go out, to a chat. What was not handed to the provider yet is not sent any more.
fn blank_outbox(connection: &Connection, chat: &ChatId) -> Result<usize, StoreError> {
    let count = connection
        .prepare_cached(
            "UPDATE outbox SET text = NULL, detail = NULL,
                 state = CASE WHEN state = 'queued' THEN 'discarded' ELSE state END
             WHERE chat_id = ?1",
        )?
        .execute([chat.as_str()])?;
    let mut select = connection.prepare_cached(
        "SELECT seq FROM journal WHERE chat_id = ?1 AND update_type = 'outbox_updated' ORDER BY seq",
    )?;
    let positions: Vec<i64> =
        select.query_map([chat.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for seq in positions {
        if let Some(stored) = records::one(connection, Seq(seq))? {
            blank_sent(connection, stored)?;
        }
    }
    Ok(count)
}

/// Takes the text out of the record of a message that went out, or the provider's words about it. Returns the attempt that had the
/// latter.
pub(super) fn blank_sent(
    connection: &Connection,
    stored: StoredRecord,
) -> Result<Option<(String, u32)>, StoreError> {
    let StoredRecord { seq, entry, .. } = stored;
    if !matches!(entry.kind, Kind::Outbox | Kind::OutboxResult) {
        return Ok(None);
    }
    let (id, origin, at) = (entry.id.clone(), entry.origin.clone(), entry.at);
    let Ok(Record { mut payload, .. }) = Record::read(entry) else { return Ok(None) };
    let mut spoke = None;
    let mut had_words = false;
    if let Payload::Outbox(request) = &mut payload
        && let OutboxRequest::Queue(message) = &mut **request
    {
        had_words = !std::mem::take(&mut message.text).is_empty();
    } else if let Payload::OutboxResult(result) = &mut payload
        && result.detail.take().is_some()
    {
        had_words = true;
        spoke = Some((result.id.clone(), result.attempt));
    }
    if !had_words {
        return Ok(None);
    }
    let blank = Record::new(payload, id, origin, at).map_err(StoreError::compress)?;
    put_body(connection, seq, &blank.entry.body)?;
    Ok(spoke)
}

/// Replaces the stored bytes of a delivery by what `keep` leaves of it, and returns what `keep` returns. `None` if
/// the record is no delivery.
pub(super) fn reduce<T>(
    connection: &Connection,
    stored: StoredRecord,
    keep: impl FnOnce(&mut Delivery) -> T,
) -> Result<Option<T>, StoreError> {
    let StoredRecord { seq, entry, .. } = stored;
    if !matches!(entry.kind, Kind::Delivery | Kind::Reduced) {
        return Ok(None);
    }
    let record = match Record::read(entry) {
        Ok(record) => record,
        Err(error) => {
            log::error!("delivery {seq} cannot be read, so all of it is blanked: {error}");
            put_body(connection, seq, NO_BYTES)?;
            put_kind(connection, seq)?;
            return Ok(None);
        }
    };
    let Payload::Delivery(mut delivery) = record.payload else { return Ok(None) };
    let kept = keep(&mut delivery);
    let facts = match &delivery.body {
        DeliveryBody::Understood(facts) => Some(&**facts),
        DeliveryBody::Unrecognized { .. } => None,
    };
    let body = reduced::encode(&delivery, facts).map_err(StoreError::compress)?;
    put_body(connection, seq, &body)?;
    put_kind(connection, seq)?;
    Ok(Some(kept))
}

fn put_kind(connection: &Connection, seq: Seq) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE journal SET kind = ?2 WHERE seq = ?1")?
        .execute(params![seq.0, Kind::Reduced as u8])?;
    Ok(())
}

/// Blanks the person in every stored update of their chats, and returns these updates as they are now.
fn blank_frames(
    connection: &Connection,
    contact: &ContactId,
    chats: &[ChatId],
) -> Result<Vec<Recorded>, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT journal.seq, frames.frame, frames.elsewhere, journal.audience
         FROM journal JOIN frames ON frames.seq = journal.seq
         WHERE journal.seq >= (SELECT min(seq) FROM frames)
           AND (journal.contact_id = ?1 OR journal.chat_id IN (SELECT value FROM json_each(?2)))
         ORDER BY journal.seq",
    )?;
    let mut rows = select.query(params![contact.as_str(), serde_json::to_string(chats)?])?;
    let (mut blanked, mut unreadable) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        match without_person(row) {
            Ok(recorded) => blanked.push(recorded),
            Err(DbError::Corrupt(error)) => {
                let seq: i64 = row.get(0)?;
                log::error!("update {seq} is of an erased person, cannot be read and is dropped: {error}");
                unreadable.push(seq);
            }
            Err(error) => return Err(error.into()),
        }
    }
    for seq in unreadable {
        connection.prepare_cached("DELETE FROM frames WHERE seq = ?1")?.execute([seq])?;
    }
    put_frames(connection, &blanked)?;
    Ok(blanked)
}

/// A stored update (position, frame, newest messages elsewhere, audience) without the person.
fn without_person(row: &rusqlite::Row<'_>) -> Result<Recorded, DbError> {
    let text = |column| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
    let audience = text(3)?.map(serde_json::from_str).transpose()?;
    let elsewhere = text(2)?.map(serde_json::from_str::<Vec<Option<MessageSummary>>>).transpose()?;
    let mut elsewhere = elsewhere.unwrap_or_default();
    elsewhere.iter_mut().flatten().for_each(MessageSummary::forget_content);
    let frame = view::without_person(text(1)?.unwrap_or_default())?;
    Ok(Recorded::new(Seq(row.get(0)?), frame, audience, elsewhere))
}
