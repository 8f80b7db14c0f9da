//! Keeps the search index: reads what was committed, in batches, and adds its words.
//!
//! New rows are found by their number, changed ones through updates. Each row is read as it is now, so
//! reading it twice changes nothing. A read never takes longer than a batch, because it keeps the write-ahead
//! log from being checkpointed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, Transaction};
use serde::Deserialize;
use tokio::sync::watch;

use super::file::{self, IndexPosition, Merging};
use super::{IndexProgress, IndexState};
use crate::derived::follower::Step;
use crate::derived::own_file::Derivation;
use crate::domain::order::FINER_NANOS;
use crate::journal::head::{epoch, last_seq};
use crate::sqlite::DbError;
use crate::sqlite::open::read_only;

/// How often the index looks for commits when no question waits.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// Rows, or updates, in one batch.
const BATCH_ROWS: usize = 1_000;
/// Page cache for the database in KiB. Each row is read once.
const CACHE_KIB: i64 = 16 * 1_024;
/// Bytes of text after which a batch ends.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The most new messages that are indexed as a part of starting. If there are more, the index is building,
/// and searches do not wait for it.
const STARTING_ROWS: i64 = 20_000;

/// How long words that were removed by age may wait for a merge while more are removed. A merge writes the whole index again.
const MERGE_AFTER: Duration = Duration::from_hours(1);

/// Adds words to the index.
pub(super) struct Indexer {
    database: PathBuf,
    tell: watch::Sender<IndexProgress>,
    /// Since when this process has known of removed words that wait for a merge; `None` where none wait.
    waits_since: Option<Instant>,
}

/// The database, which is only read, and the index.
pub(super) struct Files {
    database: Connection,
    index: Connection,
}

/// Messages without words behind a place in their order. There is an index of that order, and none of the time.
pub(super) const FORGOTTEN: &str = "SELECT rowid, order_at FROM messages
     WHERE order_at > ?1 AND order_at <= ?3 AND at <= ?2 AND search_key IS NULL ORDER BY order_at";

/// What one read of the database returned.
struct IndexBatch {
    /// The index must be emptied first.
    anew: bool,
    messages: Vec<(i64, Option<String>, bool)>,
    contacts: Vec<(i64, Option<String>, Option<String>, bool)>,
    position: IndexPosition,
    /// There may be more to read.
    more: bool,
    /// Number of rows that were not indexed before this batch.
    ahead: i64,
    /// Words of an erased person are removed.
    erases: bool,
    aged: RemovedByAge,
}

/// How far words are removed by age.
struct RemovedByAge {
    /// The last place in the order of messages.
    until: i64,
    /// Nothing more is removed before the next run.
    is_run_over: bool,
}

/// An update, as far as it says which rows have changed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangedRows {
    data: ChangedData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangedData {
    #[serde(default)]
    contact: Option<RowId>,
    #[serde(default)]
    message: Option<RowId>,
    #[serde(default)]
    other_messages: Vec<RowId>,
    #[serde(default)]
    erased_contact_id: Option<String>,
}

#[derive(Deserialize)]
struct RowId {
    id: String,
}

impl Indexer {
    pub(super) fn new(database: PathBuf, tell: watch::Sender<IndexProgress>) -> Self {
        Self { database, tell, waits_since: None }
    }
}

impl Derivation for Indexer {
    const NAME: &'static str = "search";
    const FAULT_PAUSE: Duration = Duration::from_secs(5);
    type Open = Files;

    fn open(&mut self, own: &Path) -> Result<Files, DbError> {
        Ok(Files { database: read_only(&self.database, CACHE_KIB)?, index: file::open(own)? })
    }

    fn advance(&mut self, open: &mut Files) -> Result<Step, DbError> {
        let Files { database, index } = open;
        let known = file::position(index)?;
        let (forgotten_until, merging) = file::forgotten(index)?;
        let batch = read(&database.transaction()?, known.as_ref(), forgotten_until)?;
        let mut due = self.merging_after(merging, &batch, forgotten_until);
        let forgets = due != merging || batch.aged.until != forgotten_until;
        if batch.anew || forgets || known.as_ref() != Some(&batch.position) {
            let tx = index.transaction()?;
            write(&tx, &batch)?;
            if forgets {
                file::put_forgotten(&tx, batch.aged.until, due)?;
            }
            tx.commit()?;
        }
        if due == Merging::Now && !batch.more {
            due = merge_on(index, batch.aged.until)?;
        }
        self.waits_since = self.waits_since.filter(|_| due == Merging::Later);
        let IndexBatch { position, more, ahead, .. } = batch;
        self.tell.send_modify(|reached| {
            reached.state = match (position.is_complete, reached.state) {
                (true, _) => IndexState::Following,
                (false, IndexState::Building) => IndexState::Building,
                (false, _) if ahead > STARTING_ROWS => IndexState::Building,
                (false, _) => IndexState::Starting,
            };
            reached.seq = position.seq;
        });
        Ok(if more || due == Merging::Now { Step::More } else { Step::Rest(LOOK_INTERVAL) })
    }

    fn failed(&mut self) {
        self.tell.send_modify(|reached| reached.state = IndexState::Failed);
    }
}

impl Indexer {
    /// What is to be merged once a batch is written. An erasure is merged at once; what goes by age when the run is over, because
    /// a run has thousands of steps.
    fn merging_after(&mut self, merging: Merging, batch: &IndexBatch, forgotten_until: i64) -> Merging {
        if batch.erases {
            return Merging::Now;
        }
        let is_new = batch.aged.until != forgotten_until;
        let waits = if is_new { merging.max(Merging::Later) } else { merging };
        if waits != Merging::Later {
            return waits;
        }
        let since = *self.waits_since.get_or_insert_with(Instant::now);
        if batch.aged.is_run_over || since.elapsed() >= MERGE_AFTER { Merging::Now } else { waits }
    }
}

/// Merges a part of the index, so that removed words are gone from the file. Tells whether there is more to do.
fn merge_on(index: &mut Connection, forgotten_until: i64) -> Result<Merging, DbError> {
    let tx = index.transaction()?;
    let mut is_more = file::merge(&tx)?;
    tx.commit()?;
    if !is_more {
        is_more = !file::clear_log(index)?;
    }
    if is_more {
        return Ok(Merging::Now);
    }
    file::put_forgotten(index, forgotten_until, Merging::Done)?;
    Ok(Merging::Done)
}

fn write(tx: &Transaction<'_>, batch: &IndexBatch) -> Result<(), DbError> {
    if batch.anew {
        file::begin_anew(tx)?;
    }
    for (row, text, is_known) in &batch.messages {
        file::put_message(tx, *row, text.as_deref(), *is_known)?;
    }
    for (row, name, phone, is_known) in &batch.contacts {
        file::put_contact(tx, *row, name.as_deref(), phone.as_deref(), *is_known)?;
    }
    Ok(file::put_position(tx, &batch.position)?)
}

/// Reads what comes after `known`, in one transaction.
fn read(
    tx: &Transaction<'_>,
    known: Option<&IndexPosition>,
    forgotten_until: i64,
) -> Result<IndexBatch, DbError> {
    let (epoch, newest) = (epoch(tx)?, last_seq(tx)?.0);
    let fits = match known {
        Some(known) => known.epoch == epoch && can_follow(tx, known, newest)?,
        None => false,
    };
    let position = match known.filter(|_| fits) {
        Some(known) => known.clone(),
        None => IndexPosition {
            epoch,
            seq: newest,
            message: 0,
            message_id: String::new(),
            contact: 0,
            is_complete: false,
        },
    };
    let mut batch = IndexBatch {
        anew: !fits,
        messages: Vec::new(),
        contacts: Vec::new(),
        position,
        more: false,
        ahead: highest_row(tx)?,
        erases: false,
        aged: RemovedByAge { until: forgotten_until, is_run_over: false },
    };
    batch.ahead -= batch.position.message;
    batch.read_new_messages(tx)?;
    batch.read_new_contacts(tx)?;
    if !batch.more {
        batch.read_changes(tx, newest)?;
    }
    if !batch.more {
        batch.read_forgotten(tx)?;
    }
    batch.position.is_complete |= !batch.more;
    Ok(batch)
}

/// True if the rows are those that were indexed, and all updates since then are kept.
fn can_follow(tx: &Transaction<'_>, known: &IndexPosition, newest: i64) -> Result<bool, DbError> {
    let mut select = tx.prepare_cached("SELECT id FROM messages WHERE rowid = ?1")?;
    let id: Option<String> = select.query_row([known.message], |row| row.get(0)).optional()?;
    if id.unwrap_or_default() != known.message_id || known.seq > newest {
        return Ok(false);
    }
    // A position without an update is normal: a record that makes no event has one in a cluster. One whose update is gone was stored.
    let mut lost = tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM journal WHERE seq > ?1 AND seq < (SELECT coalesce(min(seq), ?2) FROM frames))",
    )?;
    let is_lost: bool = lost.query_row([known.seq, newest + 1], |row| row.get(0))?;
    Ok(!is_lost)
}

fn highest_row(tx: &Transaction<'_>) -> rusqlite::Result<i64> {
    tx.prepare_cached("SELECT coalesce(max(rowid), 0) FROM messages")?.query_row([], |row| row.get(0))
}

impl IndexBatch {
    fn read_new_messages(&mut self, tx: &Transaction<'_>) -> Result<(), DbError> {
        let mut select =
            tx.prepare_cached("SELECT rowid, id, search_key FROM messages WHERE rowid > ?1 ORDER BY rowid")?;
        let mut rows = select.query([self.position.message])?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let text: Option<String> = row.get(2)?;
            bytes += text.as_ref().map_or(0, String::len);
            (self.position.message, self.position.message_id) = (row.get(0)?, row.get(1)?);
            self.messages.push((self.position.message, text, false));
            if self.messages.len() >= BATCH_ROWS || bytes > BATCH_BYTES {
                self.more = true;
                break;
            }
        }
        Ok(())
    }

    fn read_new_contacts(&mut self, tx: &Transaction<'_>) -> Result<(), DbError> {
        let mut select =
            tx.prepare_cached("SELECT rowid, name, phone FROM contacts WHERE rowid > ?1 ORDER BY rowid")?;
        let mut rows = select.query([self.position.contact])?;
        while let Some(row) = rows.next()? {
            self.position.contact = row.get(0)?;
            self.contacts.push((self.position.contact, row.get(1)?, row.get(2)?, false));
            if self.contacts.len() >= BATCH_ROWS {
                self.more = true;
                break;
            }
        }
        Ok(())
    }

    /// Reads messages that have lost their words by age.
    fn read_forgotten(&mut self, tx: &Transaction<'_>) -> Result<(), DbError> {
        let mut progress =
            tx.prepare_cached("SELECT done, done >= before FROM retention WHERE what = 'texts'")?;
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?));
        let Some((done, is_run_over)) = progress.query_row([], read).optional()? else { return Ok(()) };
        if done > self.aged.until {
            self.read_forgotten_until(tx, done)?;
        }
        self.aged.is_run_over = is_run_over && !self.more;
        Ok(())
    }

    /// Reads those up to a place in the order of messages. The last step of a run also blanks messages that are placed behind that
    /// place, by up to the rest of a second, but were written before it.
    fn read_forgotten_until(&mut self, tx: &Transaction<'_>, done: i64) -> Result<(), DbError> {
        let mut select = tx.prepare_cached(FORGOTTEN)?;
        let mut rows = select.query([self.aged.until, done, done.saturating_add(FINER_NANOS)])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let place: i64 = row.get(1)?;
            if count >= BATCH_ROWS && place > self.aged.until && place <= done {
                self.more = true;
                return Ok(());
            }
            (count, self.aged.until) = (count + 1, place.min(done));
            self.messages.push((row.get(0)?, None, true));
        }
        self.aged.until = done;
        Ok(())
    }

    /// Reads known rows that have changed according to updates.
    fn read_changes(&mut self, tx: &Transaction<'_>, newest: i64) -> Result<(), DbError> {
        let (mut messages, mut contacts) = (BTreeSet::new(), BTreeSet::new());
        let mut erased = BTreeSet::new();
        let mut select = tx.prepare_cached("SELECT seq, frame FROM frames WHERE seq > ?1 ORDER BY seq")?;
        let mut rows = select.query([self.position.seq])?;
        let mut read = (0, 0);
        let mut until = newest;
        while let Some(row) = rows.next()? {
            let frame = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            read = (read.0 + 1, read.1 + frame.len());
            note_changes(frame, &mut messages, &mut contacts);
            erased.extend(erased_contact(frame));
            if read.0 >= BATCH_ROWS || read.1 > BATCH_BYTES {
                (self.more, until) = (true, row.get(0)?);
                break;
            }
        }
        self.position.seq = until;
        let mut of_contact = tx.prepare_cached(
            "SELECT messages.rowid, search_key FROM messages JOIN chats ON chats.id = chat_id WHERE contact_id = ?1",
        )?;
        for contact in erased {
            for row in of_contact.query_map([&contact], |row| Ok((row.get(0)?, row.get(1)?, true)))? {
                self.messages.push(row?);
            }
            contacts.insert(contact);
            self.erases = true;
        }
        let mut message = tx.prepare_cached("SELECT rowid, search_key FROM messages WHERE id = ?1")?;
        for id in messages {
            self.messages
                .extend(message.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, true))).optional()?);
        }
        let mut contact = tx.prepare_cached("SELECT rowid, name, phone FROM contacts WHERE id = ?1")?;
        for id in contacts {
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, true));
            self.contacts.extend(contact.query_row([id], read).optional()?);
        }
        Ok(())
    }
}

/// The contact whose data were erased, if an update tells that.
fn erased_contact(frame: &str) -> Option<String> {
    if !frame.contains("\"contact_erased\"") {
        return None;
    }
    serde_json::from_str::<ChangedRows>(frame).ok()?.data.erased_contact_id
}

/// Collects the rows whose words an update may have changed. Most updates are only about new messages and are
/// not parsed.
fn note_changes(frame: &str, messages: &mut BTreeSet<String>, contacts: &mut BTreeSet<String>) {
    let (of_messages, of_contact) =
        (frame.contains("\"message_updated\""), frame.contains("\"contact_updated\""));
    if !of_messages && !of_contact {
        return;
    }
    // A notice to a user may contain the same words without being an update of a chat.
    let Ok(ChangedRows { data }) = serde_json::from_str::<ChangedRows>(frame) else { return };
    if of_messages {
        messages.extend(data.message.into_iter().chain(data.other_messages).map(|of| of.id));
    }
    if of_contact {
        contacts.extend(data.contact.map(|of| of.id));
    }
}
