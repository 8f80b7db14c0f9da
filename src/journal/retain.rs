//! Deletes what is older than the operator wants to keep, in small steps.
//!
//! # Contract
//!
//! 1. A step handles at most [`ROWS_MAX`] rows of a kind, so that it holds up no delivery for long.
//! 2. It follows from the record and the stored state alone: the record names the moment, the table `retention`
//!    how far it is done.
//! 3. A raw delivery that is too old is reduced to what was read of it, so a rebuild makes the same state.

use bytestring::ByteString;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::erase::{self, blank_message};
use super::fault::StoreError;
use super::payload::{Retained, RetentionStep};
use super::recorded::Recorded;
use super::records::{self, StoredRecord};
use super::retention_progress::{progress, put_progress};
use super::rows::{NO_BYTES, put_frames};
use crate::domain::order::FINER_NANOS;
use crate::domain::register::to_nanos;
use crate::domain::{DeliveryBody, Forgetting, MessageId, Seq};
use crate::protocol::{MessageSummary, view};

/// The most rows of a kind that one step handles. Deliveries wait for a step, and one of 200 rows took 25 to 50 ms.
pub const ROWS_MAX: usize = 25;
/// `retention.what` of the content in stored deliveries.
const TEXT_BODIES: &str = "text_bodies";

/// What a step of retention did to the rows.
#[derive(Debug, Default)]
pub(super) struct Retaining {
    /// Rows that were handled; fewer than [`ROWS_MAX`] at the end.
    pub(super) rows: usize,
    /// Updates that were changed, as they are now. Which there are depends on how many are kept, so nothing that is compared may
    /// follow from them.
    pub(super) blanked: Vec<Recorded>,
}

/// Handles the next rows that are too old.
pub(super) fn apply(connection: &Connection, step: RetentionStep) -> Result<Retaining, StoreError> {
    match step.what {
        Retained::Raw => {
            let mut done = Retaining::default();
            reduce_bodies(connection, Retained::Raw.as_str(), step.before, Forgetting::NOTHING, &mut done)?;
            done.rows += blank_ignored(connection, step.before)?;
            Ok(done)
        }
        Retained::Texts => {
            let mut done = blank_texts(connection, step.before)?;
            // Deliveries wait for a step, so one handles messages or bodies, and both only where the messages end.
            if done.rows < ROWS_MAX {
                let forgetting = Forgetting::content(step.before);
                reduce_bodies(connection, TEXT_BODIES, step.before, forgetting, &mut done)?;
            }
            Ok(done)
        }
    }
}

/// The bound as SQLite takes it.
fn rows_max() -> i64 {
    i64::try_from(ROWS_MAX).unwrap_or(i64::MAX)
}

/// Reduces the next deliveries that were received before a moment to what was read of them, without what must be
/// forgotten.
fn reduce_bodies(
    connection: &Connection,
    what: &str,
    before: Timestamp,
    forgetting: Forgetting,
    retaining: &mut Retaining,
) -> Result<(), StoreError> {
    let done = progress(connection, what)?.map_or(0, |(_, done)| done);
    let mut select = connection
        .prepare_cached("SELECT seq, received_at, kind FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
    let rows: Vec<(i64, i64, u8)> = select
        .query_map(params![done, rows_max()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let mut count = 0;
    let mut reached = done;
    for (seq, received_at, _) in rows {
        if received_at >= to_nanos(before) {
            break;
        }
        (count, reached) = (count + 1, seq);
        let Some(stored) = records::one(connection, Seq(seq))? else { continue };
        if forgetting == Forgetting::NOTHING && stored.entry.kind == super::entry::Kind::Reduced {
            continue;
        }
        if forgetting == Forgetting::NOTHING {
            erase::reduce(connection, stored, |_| ())?;
            continue;
        }
        forget_content(connection, stored, retaining)?;
    }
    if count > 0 {
        put_progress(connection, what, to_nanos(before), reached)?;
    }
    retaining.rows += count;
    Ok(())
}

/// Takes the content out of a stored record, and what was derived of it alone.
fn forget_content(
    connection: &Connection,
    stored: StoredRecord,
    retaining: &mut Retaining,
) -> Result<(), StoreError> {
    if let Some((entry, attempt)) = erase::blank_sent(connection, stored.clone())? {
        blank_detail(connection, &entry, attempt, retaining)?;
    }
    let forgotten = erase::reduce(connection, stored, |delivery| match &mut delivery.body {
        DeliveryBody::Understood(facts) => {
            erase::keep_echoes(connection, facts)?;
            let reactions = std::mem::take(&mut facts.reactions);
            facts.forget_content();
            Ok(reactions)
        }
        DeliveryBody::Unrecognized { .. } => Ok::<_, StoreError>(Vec::new()),
    })?;
    // Those that still wait for their message. A rebuild has none, and a later delivery that repeats them is stored without.
    let mut delete =
        connection.prepare_cached("DELETE FROM parked_reactions WHERE message_id = ?1 AND reaction = ?2")?;
    for (message, reaction) in forgotten.transpose()?.unwrap_or_default() {
        delete.execute([message.as_str(), &serde_json::to_string(&reaction)?])?;
    }
    Ok(())
}

/// Takes the provider's words out of an entry of the outbox and out of the updates that told them, unless a later attempt has others.
fn blank_detail(
    connection: &Connection,
    entry: &str,
    attempt: u32,
    retaining: &mut Retaining,
) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE outbox SET detail = NULL WHERE id = ?1 AND attempts = ?2 RETURNING chat_id",
    )?;
    let chat: Option<String> = update.query_row(params![entry, attempt], |row| row.get(0)).optional()?;
    let Some(chat) = chat else { return Ok(()) };
    blank_outbox_frames(connection, &chat, entry, retaining, |frame| view::without_detail(frame, entry))
}

/// Posted objects that are no events are blanked as a whole: nothing was read of them.
fn blank_ignored(connection: &Connection, before: Timestamp) -> Result<usize, StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE ignored_deliveries SET body = ?2 WHERE id IN (
             SELECT id FROM ignored_deliveries WHERE received_at < ?1 AND body <> ?2 ORDER BY id LIMIT ?3)",
    )?;
    Ok(update.execute(params![to_nanos(before), NO_BYTES, rows_max()])?)
}

/// Takes the content out of the next messages that were written before a moment, and out of updates.
fn blank_texts(connection: &Connection, before: Timestamp) -> Result<Retaining, StoreError> {
    let what = Retained::Texts.as_str();
    // Content is forgotten up to and including the stored moment.
    let until = to_nanos(before).saturating_sub(1);
    let done = progress(connection, what)?.map_or(i64::MIN, |(_, done)| done);
    // There is an index of `order_at`, which is never before `at` and at most the rest of a second after it. A message that is met
    // a second time has nothing left to blank.
    let mut select = connection.prepare_cached(
        "SELECT order_at, id, state FROM messages WHERE order_at > ?1 AND order_at <= ?2 AND at <= ?3
         ORDER BY order_at LIMIT ?4",
    )?;
    let last_place = until.saturating_add(FINER_NANOS);
    let mut found: Vec<(i64, String, String)> = select
        .query_map(params![done, last_place, until, rows_max()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    let is_last = found.len() < ROWS_MAX;
    let mut reached = found.last().map_or(until, |(place, ..)| *place);
    if is_last {
        reached = until;
    } else {
        // All messages of the last place belong to this step, because the next one begins after it.
        let mut rest = connection
            .prepare_cached("SELECT order_at, id, state FROM messages WHERE order_at = ?1 AND at <= ?2")?;
        let same = rest.query_map([reached, until], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        found.retain(|(place, ..)| *place != reached);
        for message in same {
            found.push(message?);
        }
    }
    let mut retaining = Retaining { rows: found.len(), ..Retaining::default() };
    for (_, id, state) in &found {
        if blank_message(connection, state)? {
            blank_message_frames(connection, &MessageId::from(id.as_str()), &mut retaining)?;
        }
    }
    // No index begins with the time of what went out, so it is looked for once, behind the messages.
    if is_last {
        blank_outbox(connection, reached, &mut retaining)?;
    }
    put_progress(connection, what, until, reached)?;
    Ok(retaining)
}

/// Takes the texts out of what went out up to a moment, and out of the updates that told it.
fn blank_outbox(connection: &Connection, until: i64, retaining: &mut Retaining) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE outbox SET text = NULL WHERE id IN (
             SELECT id FROM outbox WHERE queued_at <= ?1 AND text IS NOT NULL
                 AND state NOT IN ('queued', 'sending', 'unclear') ORDER BY queued_at, id LIMIT ?2)
         RETURNING id, chat_id",
    )?;
    let rows = update.query_map(params![until, rows_max()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let blanked: Vec<(String, String)> = rows.collect::<Result<_, _>>()?;
    let nothing = MessageId::from("");
    for (id, chat) in &blanked {
        blank_outbox_frames(connection, chat, id, retaining, |frame| {
            view::without_words(frame, &nothing, Some(id))
        })?;
    }
    retaining.rows += blanked.len();
    Ok(())
}

/// Changes the updates that told of an entry of the outbox.
fn blank_outbox_frames(
    connection: &Connection,
    chat: &str,
    entry: &str,
    retaining: &mut Retaining,
    blank: impl Fn(&str) -> Result<ByteString, serde_json::Error>,
) -> Result<(), StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT frames.seq, frames.frame, journal.audience
         FROM journal JOIN frames ON frames.seq = journal.seq
         WHERE journal.update_type = 'outbox_updated' AND journal.chat_id = ?1 AND instr(frames.frame, ?2) > 0",
    )?;
    let mut rows = select.query([chat, entry])?;
    let mut changed = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
        let audience = text(2)?.map(serde_json::from_str).transpose()?;
        let frame = blank(text(1)?.unwrap_or_default())?;
        changed.push(Recorded::new(Seq(row.get(0)?), frame, audience, Vec::new()));
    }
    drop(rows);
    put_frames(connection, &changed)?;
    retaining.blanked.extend(changed);
    Ok(())
}

/// Takes the content of a message out of the stored updates.
fn blank_message_frames(
    connection: &Connection,
    message: &MessageId,
    retaining: &mut Retaining,
) -> Result<(), StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT frames.seq, frames.frame, frames.elsewhere, journal.audience
         FROM messages JOIN chats ON chats.id = messages.chat_id
         JOIN timeline ON timeline.chat_id IN (
             SELECT messages.chat_id UNION SELECT id FROM chats AS other WHERE other.contact_id = chats.contact_id)
         JOIN frames ON frames.seq = timeline.seq JOIN journal ON journal.seq = timeline.seq
         WHERE messages.id = ?1
           AND (instr(frames.frame, ?2) > 0 OR instr(frames.elsewhere, ?2) > 0)",
    )?;
    let mut rows = select.query(params![message.as_str(), serde_json::to_string(message)?])?;
    let mut changed = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
        let audience = text(3)?.map(serde_json::from_str).transpose()?;
        let elsewhere = text(2)?.map(serde_json::from_str::<Vec<Option<MessageSummary>>>).transpose()?;
        let mut elsewhere = elsewhere.unwrap_or_default();
        for summary in elsewhere.iter_mut().flatten().filter(|summary| summary.id == message.as_str()) {
            summary.forget_content();
        }
        let frame = view::without_content(text(1)?.unwrap_or_default(), message)?;
        changed.push(Recorded::new(Seq(row.get(0)?), frame, audience, elsewhere));
    }
    drop(rows);
    put_frames(connection, &changed)?;
    retaining.blanked.extend(changed);
    Ok(())
}
