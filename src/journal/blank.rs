//! Removes the words of a deleted message from the stored updates, so that nobody who reads them later learns
//! what was said: neither a screen that reconnects, nor a playback, nor a client that polls.
//!
//! # Contract
//!
//! 1. Positions, types and everything else about an update stay. The message in it appears as deleted.
//! 2. It happens in the transaction of the delivery that reports the deletion. Updates that were already sent
//!    are not recalled.
//! 3. The bytes of the delivery in `raw_deliveries` stay as the provider sent them. Nothing shows them.

use rusqlite::{Connection, Row, Rows, Transaction, params};
use rusqlite_migration::HookResult;

use super::fault::hook_error;
use super::fold::{digits, fold};
use super::outbox;
use super::recorded::Recorded;
use crate::domain::visible::has_visible;
use crate::domain::{Audience, ChatId, ContactId, MessageId, Seq};
use crate::protocol::{MessageSummary, view};
use crate::sqlite::DbError;

/// Blanks the deleted messages in every stored update that contains them, and returns these updates as they
/// are now. `audience` is that of the delivery that reported the deletion.
pub(super) fn blank_deleted(
    connection: &Connection,
    audience: &Audience,
    deleted: &[MessageId],
) -> Result<Vec<Recorded>, DbError> {
    let Some(chat) = &audience.chat else { return Ok(Vec::new()) };
    let mut blanked = Vec::new();
    for message in deleted {
        let outbox = outbox::forget_text(connection, message)?;
        blanked.extend(blank_updates(connection, chat, &audience.contacts, message, outbox.as_deref())?);
    }
    Ok(blanked)
}

/// Blanks one message in every stored update that contains it, and returns these updates as they are now.
/// Only updates of the message's chat, and of other chats of the same contacts, can contain it.
fn blank_updates(
    connection: &Connection,
    chat: &ChatId,
    contacts: &[ContactId],
    message: &MessageId,
    outbox: Option<&str>,
) -> Result<Vec<Recorded>, DbError> {
    let mut select = connection.prepare_cached(
        "SELECT frames.seq, frames.frame, frames.elsewhere, journal.audience
         FROM timeline JOIN frames ON frames.seq = timeline.seq JOIN journal ON journal.seq = timeline.seq
         WHERE timeline.chat_id IN (
                   SELECT ?1 UNION SELECT id FROM chats WHERE contact_id IN (SELECT value FROM json_each(?2)))
           AND (instr(frames.frame, ?3) > 0 OR instr(frames.elsewhere, ?3) > 0)",
    )?;
    let contacts = serde_json::to_string(contacts)?;
    let rows = select.query(params![chat.as_str(), contacts, serde_json::to_string(message)?])?;
    let (mut blanked, mut unreadable) = (Vec::new(), Vec::new());
    gather(rows, (message, outbox), &mut blanked, &mut unreadable)?;
    if let Some(entry) = outbox {
        let mut select = connection.prepare_cached(
            "SELECT frames.seq, frames.frame, frames.elsewhere, journal.audience
             FROM journal JOIN frames ON frames.seq = journal.seq
             WHERE journal.update_type = 'outbox_updated' AND journal.chat_id = ?1 AND instr(frames.frame, ?2) > 0",
        )?;
        let rows = select.query(params![chat.as_str(), entry])?;
        gather(rows, (message, outbox), &mut blanked, &mut unreadable)?;
    }
    // Positions without an update are normal, so dropping it does no harm. Keeping it would reveal the
    // words, and refusing the delivery would hold up the deletion for ever.
    let mut drop_frame = connection.prepare_cached("DELETE FROM frames WHERE seq = ?1")?;
    for seq in unreadable {
        drop_frame.execute([seq])?;
    }
    let mut update =
        connection.prepare_cached("UPDATE frames SET frame = ?2, elsewhere = ?3 WHERE seq = ?1")?;
    for Recorded { seq, frame, elsewhere, .. } in &blanked {
        let elsewhere = (!elsewhere.is_empty()).then(|| serde_json::to_string(elsewhere)).transpose()?;
        update.execute(params![seq.0, &**frame, elsewhere])?;
    }
    Ok(blanked)
}

/// Collects updates as if the message had been deleted before, and the positions of those that cannot be read.
fn gather(
    mut rows: Rows<'_>,
    (message, outbox): (&MessageId, Option<&str>),
    blanked: &mut Vec<Recorded>,
    unreadable: &mut Vec<i64>,
) -> Result<(), DbError> {
    while let Some(row) = rows.next()? {
        match without_words(row, message, outbox) {
            Ok(recorded) => blanked.push(recorded),
            Err(DbError::Corrupt(error)) => {
                let seq: i64 = row.get(0)?;
                log::error!(
                    "update {seq} contains a deleted message, cannot be read and is dropped: {error}"
                );
                unreadable.push(seq);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A stored update (position, frame, newest messages elsewhere, audience), as if the message had been deleted
/// before.
fn without_words(row: &Row<'_>, message: &MessageId, outbox: Option<&str>) -> Result<Recorded, DbError> {
    let text = |column| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
    let audience = text(3)?.map(serde_json::from_str).transpose()?;
    let elsewhere = text(2)?.map(serde_json::from_str::<Vec<Option<MessageSummary>>>).transpose()?;
    let mut elsewhere = elsewhere.unwrap_or_default();
    for summary in elsewhere.iter_mut().flatten().filter(|summary| summary.id == message.as_str()) {
        summary.forget_words();
    }
    let frame = view::without_words(text(1)?.unwrap_or_default(), message, outbox)?;
    Ok(Recorded::new(Seq(row.get(0)?), frame, audience, elsewhere))
}

/// Upgrades what an older hub stored: blanks updates that contain words of deleted messages, and drops texts
/// and names that show nothing.
pub(super) fn upgrade(tx: &Transaction<'_>) -> HookResult {
    blank_known_deletions(tx)
        .and_then(|()| drop_unseen_texts(tx))
        .and_then(|()| drop_unseen_names(tx))
        .map_err(hook_error)
}

fn blank_known_deletions(tx: &Transaction<'_>) -> Result<(), DbError> {
    let mut select = tx.prepare(
        "SELECT messages.id, messages.chat_id, chats.contact_id
         FROM messages LEFT JOIN chats ON chats.id = messages.chat_id
         WHERE messages.state LIKE '%\"deleted\":true%' AND json_extract(messages.state, '$.deleted') = 1",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (message, chat): (String, String) = (row.get(0)?, row.get(1)?);
        let contact: Option<String> = row.get(2)?;
        let contacts: Vec<ContactId> = contact.into_iter().map(ContactId::from).collect();
        blank_updates(tx, &chat.into(), &contacts, &message.into(), None)?;
    }
    Ok(())
}

/// A text without visible characters had kept out a later one, and had hidden the caption.
fn drop_unseen_texts(tx: &Transaction<'_>) -> Result<(), DbError> {
    let mut select = tx.prepare("SELECT rowid, search_key FROM messages WHERE search_key IS NOT NULL")?;
    let mut update = tx.prepare(
        "UPDATE messages SET search_key = NULL, state = json_remove(state, '$.text', '$.edit') WHERE rowid = ?1",
    )?;
    let mut rows = select.query([])?;
    let mut unseen: Vec<i64> = Vec::new();
    while let Some(row) = rows.next()? {
        if !has_visible(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?) {
            unseen.push(row.get(0)?);
        }
    }
    for row in unseen {
        update.execute([row])?;
    }
    Ok(())
}

fn drop_unseen_names(tx: &Transaction<'_>) -> Result<(), DbError> {
    let mut select = tx.prepare("SELECT id, name, phone FROM contacts WHERE name IS NOT NULL")?;
    let mut update = tx.prepare(
        "UPDATE contacts SET name = NULL, name_key = ?2, search_key = ?3, state = json_remove(state, '$.name')
         WHERE id = ?1",
    )?;
    let mut rename = tx.prepare("UPDATE chats SET name_key = ?2 WHERE contact_id = ?1")?;
    let mut rows = select.query([])?;
    let mut unseen: Vec<(String, String)> = Vec::new();
    while let Some(row) = rows.next()? {
        if !has_visible(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?) {
            unseen.push((row.get(0)?, row.get::<_, Option<String>>(2)?.unwrap_or_default()));
        }
    }
    for (id, phone) in unseen {
        update.execute(params![id, phone, format!("{} {}", fold(""), digits(&phone))])?;
        rename.execute(params![id, phone])?;
    }
    tx.execute_batch("DELETE FROM names WHERE trim(name) = ''")?;
    Ok(())
}
