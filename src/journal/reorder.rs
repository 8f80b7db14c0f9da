//! Sorts the messages of an older database into the order of messages (data of migration 0006).
//!
//! When the provider created a message is found only in the bytes of its deliveries, so these are read again.
//! A message whose deliveries cannot be read is ordered by its time and id alone. Everything that follows
//! from the order is set again: the newest message of each chat and contact, and the waits.
//!
//! This runs in the migration's transaction and knows only the schema of that migration.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use rusqlite_migration::HookResult;

use super::fault::hook_error;
use super::{positions, rows, tables};
use crate::domain::register::{from_nanos, to_nanos};
use crate::domain::{Chat, ChatMessage, Close, Contact, DeliveryBody, StatsDelta};
use crate::sqlite::DbError;
use crate::umbler::{self, Reading};

/// Rows that are held in memory at once.
const BATCH_ROWS: i64 = 1_000;

/// The earliest times that the deliveries of a message contain.
const TOLD_TIMES: &str = "
    CREATE TABLE told_times (
        id         TEXT PRIMARY KEY,
        at         INTEGER NOT NULL,
        created_at INTEGER
    ) WITHOUT ROWID";

pub(super) fn reorder(tx: &Transaction<'_>) -> HookResult {
    try_reorder(tx).map_err(hook_error)
}

fn try_reorder(tx: &Transaction<'_>) -> Result<(), DbError> {
    tx.execute_batch(TOLD_TIMES)?;
    read_deliveries(tx)?;
    each_row(tx, "messages", order_message)?;
    tx.execute_batch("DROP TABLE told_times")?;
    each_row(tx, "chats", set_clocks)?;
    each_row(tx, "contacts", set_newest)
}

fn read_deliveries(tx: &Transaction<'_>) -> Result<(), DbError> {
    let mut select = tx.prepare(
        "SELECT raw_deliveries.body, journal.received_at
         FROM journal JOIN raw_deliveries ON raw_deliveries.seq = journal.seq
         WHERE journal.chat_id IS NOT NULL ORDER BY journal.seq",
    )?;
    let mut put = tx.prepare(
        "INSERT INTO told_times VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET at = min(at, ?2),
             created_at = min(coalesce(created_at, ?3), coalesce(?3, created_at))",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let received_at = from_nanos(row.get(1)?);
        let Ok(body) = zstd::decode_all(row.get_ref(0)?.as_blob().unwrap_or_default()) else { continue };
        let Ok(Reading::Event(delivery)) = umbler::read(&body, None, received_at) else { continue };
        let DeliveryBody::Understood(facts) = delivery.body else { continue };
        for message in &facts.messages {
            let Some(id) = &message.id else { continue };
            let at = message.at.unwrap_or(facts.key.at);
            put.execute(params![id.as_str(), to_nanos(at), message.created_at.map(to_nanos)])?;
        }
    }
    Ok(())
}

/// Changes every row of a table that has a state. A row whose state cannot be read stays as it is and is
/// logged; it must not keep the hub from starting.
fn each_row(
    tx: &Transaction<'_>,
    table: &'static str,
    change: fn(&Connection, i64, &str) -> Result<(), DbError>,
) -> Result<(), DbError> {
    let sql = format!("SELECT rowid, state FROM {table} WHERE rowid > ?1 ORDER BY rowid LIMIT ?2");
    let mut select = tx.prepare(&sql)?;
    let mut after = i64::MIN;
    loop {
        let rows = select.query_map(params![after, BATCH_ROWS], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rows: Vec<(i64, String)> = rows.collect::<Result<_, _>>()?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after = *last;
        for (row, state) in &rows {
            match change(tx, *row, state) {
                Err(DbError::Corrupt(error)) => {
                    log::error!("row {row} of {table} cannot be read and is not sorted: {error}");
                }
                changed => changed?,
            }
        }
    }
}

fn order_message(tx: &Connection, row: i64, state: &str) -> Result<(), DbError> {
    let mut message: ChatMessage = serde_json::from_str(state)?;
    let mut select = tx.prepare_cached("SELECT at, created_at FROM told_times WHERE id = ?1")?;
    let known_at = message.at;
    let told: Option<(i64, Option<i64>)> =
        select.query_row([message.id.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if let Some((at, created_at)) = told {
        message.at = message.at.min(from_nanos(at));
        message.created_at = created_at.map(from_nanos);
    }
    if message.at != known_at {
        move_in_counters(tx, &message, known_at)?;
    }
    let order = message.position().key();
    tx.prepare_cached(
        "UPDATE messages SET at = ?2, role = ?3, order_at = ?4, order_tie = ?5, state = ?6 WHERE rowid = ?1",
    )?
    .execute(params![
        row,
        to_nanos(message.at),
        tables::role(&message),
        to_nanos(order.at),
        order.tie,
        serde_json::to_string(&message)?,
    ])?;
    Ok(())
}

/// A message that was stamped in the future is counted on another day from now on.
fn move_in_counters(tx: &Connection, message: &ChatMessage, known_at: Timestamp) -> Result<(), DbError> {
    let mut select = tx.prepare_cached("SELECT kind = 'direct' FROM chats WHERE id = ?1")?;
    if select.query_row([message.chat_id.as_str()], |row| row.get(0)).optional()?.unwrap_or(false) {
        let mut delta = StatsDelta::default();
        delta.count_at(known_at, -1);
        delta.count_at(message.at, 1);
        rows::count_messages(tx, &delta)?;
    }
    Ok(())
}

fn set_clocks(tx: &Connection, row: i64, state: &str) -> Result<(), DbError> {
    let mut chat: Chat = serde_json::from_str(state)?;
    let id = chat.id.as_str().to_owned();
    chat.last_close = last_close(tx, &id)?;
    chat.last_reply = positions::last_reply(tx, &id, None)?;
    let floor = chat.wait_floor();
    chat.unanswered = positions::first_customer_message_after(tx, &id, floor.as_ref(), None)?;
    chat.last_message = positions::newest_message(tx, &id, None)?;
    let newest = chat.last_message.as_ref();
    tx.prepare_cached(
        "UPDATE chats SET last_activity_at = coalesce(?2, last_activity_at), last_message_at = ?3,
             last_message_id = ?4, state = ?5
         WHERE rowid = ?1",
    )?
    .execute(params![
        row,
        chat.last_activity_at().map(to_nanos),
        newest.map(|position| to_nanos(position.at)),
        newest.map(|position| position.id.as_str()),
        serde_json::to_string(&chat)?,
    ])?;
    Ok(())
}

/// The latest close in the timeline, with the first delivery that reported it.
fn last_close(tx: &Connection, chat: &str) -> rusqlite::Result<Option<Close>> {
    let mut select = tx.prepare_cached(
        "SELECT closed_at, min(at) FROM timeline WHERE chat_id = ?1 AND open = 0 AND closed_at IS NOT NULL
         GROUP BY closed_at ORDER BY closed_at DESC LIMIT 1",
    )?;
    let close = select
        .query_row([chat], |row| Ok(Close { at: from_nanos(row.get(0)?), told_at: from_nanos(row.get(1)?) }));
    close.optional()
}

fn set_newest(tx: &Connection, row: i64, state: &str) -> Result<(), DbError> {
    let mut contact: Contact = serde_json::from_str(state)?;
    contact.last_message = positions::newest_message_of(tx, contact.id.as_str())?;
    tx.prepare_cached(
        "UPDATE contacts SET last_interaction_at = coalesce(?2, last_interaction_at), last_message_id = ?3, state = ?4
         WHERE rowid = ?1",
    )?
    .execute(params![
        row,
        contact.last_interaction_at().map(to_nanos),
        contact.last_message.as_ref().map(|position| position.id.as_str()),
        serde_json::to_string(&contact)?,
    ])?;
    Ok(())
}
