//! Rebuilds everything that follows from the records, from the records alone: to replace the database, or to
//! compare the two.
//!
//! # Contract
//!
//! 1. It is built in a file beside the database. The database is not touched before the new file is complete
//!    and checked. Then the old one is kept aside.
//! 2. The history is the same: epoch and positions stay, so clients notice nothing.
//! 3. What no event records is copied: revocations, ignored objects, counts of deliveries, how far alerts were
//!    posted, and how far what is too old was deleted.
//! 4. Damage on pages of what follows from the records does not hinder a rebuild: such a table differs.
//! 5. A delivery of which only a part is kept changes chats, contacts and messages like any other. Its event and
//!    its update are copied, because they came of what is gone. So are those that tell how far the link is, which
//!    records without a position say.
//! 6. Digests of blocks with updates that cannot be made again are copied, too.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::apply::{AppliedBatch, Apply};
use super::blocks::{self, Block};
use super::entry::Kind;
use super::fault::{Spoilt, StoreError};
use super::payload::Payload;
use super::record::{Record, RecordError};
use super::records::{self, StoredRecord};
use super::replace::{self, CopyProgress, Replaced};
use super::replace_error::{ReplaceError, database_error, store_error};
use super::rules::RULES;
use super::schema::{self, Opened};
use super::steps::migrations;
use super::store::SqliteStore;
use super::{digest, retention_progress, rows};
use crate::domain::register::to_nanos;
use crate::domain::{ChatId, DeliveryBody, EventId, Seq};
use crate::sqlite::files::beside;
use crate::sqlite::private::InMaking;

/// Records that are applied in one transaction.
const BATCH: usize = 1_000;
/// Page cache during a rebuild, in KiB.
const CACHE_KIB: i64 = 64 * 1_024;

/// How a rebuilt database compares with the present one.
#[derive(Debug)]
pub struct Comparison {
    pub seq: Seq,
    /// Number of events of older releases whose records are incomplete. They were copied as they are.
    pub taken_over: u64,
    /// True if the present database was made by the present rules alone, so that it must be equal.
    pub is_of_present_rules: bool,
    /// Tables that differ from what the records say.
    pub tables: Vec<&'static str>,
    /// The first block of positions whose updates differ; `None` if none does.
    pub block: Option<Seq>,
}

impl Comparison {
    /// True if the database is what the records say.
    pub fn is_equal(&self) -> bool {
        self.tables.is_empty() && self.block.is_none()
    }
}

/// Compares the database at `path`, in use or not, with what its records say. Needs twice its size on the
/// disk.
pub fn compare(path: &Path, progress: CopyProgress<'_>) -> Result<Comparison, ReplaceError> {
    let copy = replace::begin_copy(&beside(path, ".compared"))?;
    replace::copy(path, copy.path(), &|_, _| (), None, &|_| Ok(()))?;
    let mut source = Connection::open(copy.path()).map_err(database_error(path))?;
    schema::migrate(&mut source, path)?;
    let made = replace::begin_copy(&beside(path, ".rebuilt"))?;
    make(&source, &made, path, progress).map(|(_, comparison)| comparison)
}

/// Rebuilds the database at `path` and replaces it. No hub may run on it.
pub fn rebuild(
    path: &Path,
    now: Timestamp,
    progress: CopyProgress<'_>,
) -> Result<(Replaced, Comparison), ReplaceError> {
    if !path.exists() {
        return Err(ReplaceError::Missing(path.into()));
    }
    let Opened { connection: source, lock: _lock, .. } = schema::open(path)?;
    let made = replace::begin_copy(path)?;
    let (connection, comparison) = make(&source, &made, path, progress)?;
    let copied = replace::complete(connection, made.path(), path)?;
    drop(source);
    let aside = replace::put_in_place(made, &copied, path, now)?;
    Ok((Replaced { now: Some(copied), aside, knows_erasures: true }, comparison))
}

/// Applies all records of `source` to an empty database in the making, and compares the two. `path` is the database
/// that errors name.
fn make(
    source: &Connection,
    target: &InMaking,
    path: &Path,
    progress: CopyProgress<'_>,
) -> Result<(Connection, Comparison), ReplaceError> {
    let failed = database_error(path);
    let known = blocks::load(source).map_err(&failed)?;
    let connection = open_empty(target.path(), path)?;
    for table in ["meta", "revocations", "ignored_deliveries", "retention"] {
        copy_rows(source, &connection, &format!("SELECT * FROM {table}"), table).map_err(&failed)?;
    }
    let mut rebuilder = Rebuilder {
        source,
        apply: Apply::new(SqliteStore::new(connection).map_err(&failed)?),
        newest: Seq(0),
        taken_over: 0,
        oldest_update: one(source, "SELECT coalesce(min(seq), 0) FROM frames").map_err(&failed)?,
        content_until: retention_progress::content_until(source).map_err(&failed)?,
        any_erased: one(source, "SELECT EXISTS (SELECT 1 FROM erasures)").map_err(&failed)? != 0,
        unrepeatable: BTreeSet::new(),
    };
    rebuilder.apply.begin_blocks_at(known.iter().map(|block| block.first));
    rebuilder.run(path, progress)?;
    let Rebuilder { apply, newest, taken_over, unrepeatable, .. } = rebuilder;
    let connection = apply.store.into_connection();
    // Counts also hold repeated deliveries, of which nothing but the count was kept: they are copied.
    connection.execute("DELETE FROM delivery_counts", []).map_err(&failed)?;
    let counts = "SELECT * FROM delivery_counts";
    copy_rows(source, &connection, counts, "delivery_counts").map_err(&failed)?;
    let is_of_present_rules = blocks::rules_of(source).map_err(&failed)? == Some(RULES);
    blocks::note_rules(&connection).map_err(&failed)?;
    let is_unrepeatable = |block: &&Block| {
        blocks::is_marked(block) || unrepeatable.range(block.first..=block.last).next().is_some()
    };
    for block in known.iter().filter(is_unrepeatable) {
        let sql = format!("SELECT * FROM blocks WHERE first = {}", block.first);
        copy_rows(source, &connection, &sql, "blocks").map_err(&failed)?;
    }
    let tables = differing_tables(source, &connection).map_err(&failed)?;
    let made = blocks::load(&connection).map_err(&failed)?;
    let block = differing_block(&known, &made);
    Ok((connection, Comparison { seq: newest, taken_over, is_of_present_rules, tables, block }))
}

/// An empty database of the present schema. It is synced once, when it is complete.
fn open_empty(target: &Path, path: &Path) -> Result<Connection, ReplaceError> {
    let failed = database_error(path);
    let mut connection = Connection::open(target).map_err(&failed)?;
    for (pragma, value) in [("journal_mode", "MEMORY"), ("synchronous", "OFF"), ("temp_store", "MEMORY")] {
        connection.pragma_update(None, pragma, value).map_err(&failed)?;
    }
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(&failed)?;
    // Updates that are pruned on the way hold names and texts, which must not stay in unused pages.
    connection.pragma_update(None, "secure_delete", true).map_err(&failed)?;
    connection.set_prepared_statement_cache_capacity(128);
    migrations().to_latest(&mut connection).map_err(|source| schema::not_upgraded(path, source))?;
    Ok(connection)
}

/// Applies the stored records one after the other.
struct Rebuilder<'a> {
    source: &'a Connection,
    apply: Apply,
    newest: Seq,
    taken_over: u64,
    /// Position of the oldest update that is kept.
    oldest_update: i64,
    /// Messages that were written up to then have no content.
    content_until: Option<Timestamp>,
    /// Somebody's data were erased, so updates may tell a name that no record says.
    any_erased: bool,
    /// Positions whose updates told what no record says any more.
    unrepeatable: BTreeSet<Seq>,
}

impl Rebuilder<'_> {
    fn run(&mut self, path: &Path, progress: CopyProgress<'_>) -> Result<(), ReplaceError> {
        let failed = store_error(path);
        let all = one(self.source, "SELECT count(*) FROM journal").map_err(database_error(path))?;
        let all = u64::try_from(all).unwrap_or_default();
        let mut done = 0;
        loop {
            self.execute("BEGIN").map_err(&failed)?;
            let stored =
                records::read(self.source, self.newest, BATCH).map_err(|error| failed(error.into()))?;
            let count = stored.len();
            let mut written = AppliedBatch::default();
            self.apply.forget_spoilt();
            for record in stored {
                self.take(record, path, &mut written)?;
            }
            self.apply.flush(&written.delta).map_err(&failed)?;
            rows::prune(self.apply.store.connection(), Seq(self.oldest_update - 1)).map_err(&failed)?;
            self.execute("COMMIT").map_err(&failed)?;
            done += count as u64;
            progress(done, all);
            if count < BATCH {
                return Ok(());
            }
        }
    }

    fn take(
        &mut self,
        stored: StoredRecord,
        path: &Path,
        written: &mut AppliedBatch,
    ) -> Result<(), ReplaceError> {
        let StoredRecord { seq, entry, reason } = stored;
        let (kind, id, at) = (entry.kind, entry.id.clone(), entry.at);
        let mut chat = None;
        let applied = match Record::read(entry) {
            Ok(record) => {
                chat = chat_of(&record.payload);
                self.keep_raw(id, reason.as_deref());
                self.apply.apply(&record, self.newest, seq, written).map_err(store_error(path))?
            }
            Err(source) if kind == Kind::Delivery => {
                return Err(ReplaceError::Record { path: path.into(), seq, source });
            }
            Err(error) => note_incomplete(seq, &error),
        };
        let failed = database_error(path);
        let tells_the_link = matches!(kind, Kind::Link | Kind::LinkAlerts);
        let repeats_old_texts = self.repeats_old_texts(chat.as_ref()).map_err(&failed)?;
        let tells_what_is_gone =
            self.content_until.is_some_and(|until| at <= until) || self.is_of_erased(seq).map_err(&failed)?;
        if tells_the_link || repeats_old_texts || tells_what_is_gone {
            self.unrepeatable.insert(seq);
        }
        if applied.is_none() {
            self.take_over(seq).map_err(failed)?;
        } else if kind == Kind::Reduced || written.is_reduced || repeats_old_texts || tells_the_link {
            self.copy_published(seq).map_err(failed)?;
        }
        written.is_reduced = false;
        self.newest = seq;
        Ok(())
    }

    /// A delivery that was kept raw although it was understood stays so, because that is part of the
    /// history.
    fn keep_raw(&mut self, id: Option<EventId>, reason: Option<&str>) {
        if let (Some(id), Some(spoilt)) = (id, reason.and_then(Spoilt::from_reason)) {
            self.apply.keep_raw(id, spoilt);
        }
    }

    /// True if messages of a chat have lost their content by age. Updates of this chat that were made before
    /// told that content.
    fn repeats_old_texts(&self, chat: Option<&ChatId>) -> rusqlite::Result<bool> {
        let (Some(chat), Some(until)) = (chat, self.content_until) else { return Ok(false) };
        let mut select = self.apply.store.connection().prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM messages WHERE at <= ?2 AND chat_id IN (
                 SELECT ?1 UNION SELECT other.id FROM chats JOIN chats AS other USING (contact_id) WHERE chats.id = ?1))",
        )?;
        select.query_row(params![chat.as_str(), to_nanos(until)], |row| row.get(0))
    }

    /// True if a record is of a chat or a contact whose data were erased, so that its update told a name that is gone.
    fn is_of_erased(&self, seq: Seq) -> rusqlite::Result<bool> {
        if !self.any_erased {
            return Ok(false);
        }
        let mut select = self.source.prepare_cached(
            "SELECT EXISTS (
                 SELECT 1 FROM journal LEFT JOIN chats ON chats.id = journal.chat_id
                 JOIN erasures ON erasures.contact_id IN (journal.contact_id, chats.contact_id) WHERE journal.seq = ?1)",
        )?;
        select.query_row([seq.0], |row| row.get(0))
    }

    /// Copies an event as it is.
    fn take_over(&mut self, seq: Seq) -> rusqlite::Result<()> {
        self.taken_over += 1;
        self.copy_published(seq)
    }

    /// Copies the row of an event, its bytes and its update.
    fn copy_published(&self, seq: Seq) -> rusqlite::Result<()> {
        let target = self.apply.store.connection();
        target.execute("DELETE FROM frames WHERE seq = ?1", [seq.0])?;
        for table in ["journal", "raw_deliveries", "frames"] {
            let sql = format!("SELECT * FROM {table} WHERE seq = {seq}");
            copy_rows(self.source, target, &sql, table)?;
        }
        Ok(())
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.apply.store.connection().execute(sql, [])?;
        Ok(())
    }
}

/// The chat that a record is about.
fn chat_of(payload: &Payload) -> Option<ChatId> {
    let Payload::Delivery(delivery) = payload else { return None };
    match &delivery.body {
        DeliveryBody::Understood(facts) => Some(facts.chat.id.clone()),
        DeliveryBody::Unrecognized { .. } => None,
    }
}

fn note_incomplete(seq: Seq, error: &RecordError) -> Option<Seq> {
    log::info!("the event at {seq} is copied as it is, because its record is incomplete: {error}");
    None
}

fn copy_rows(source: &Connection, target: &Connection, sql: &str, table: &str) -> rusqlite::Result<()> {
    let mut select = source.prepare(sql)?;
    let columns = select.column_count();
    let places = vec!["?"; columns].join(", ");
    let mut insert = target.prepare(&format!("INSERT OR REPLACE INTO {table} VALUES ({places})"))?;
    let values =
        |row: &Row<'_>| (0..columns).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>();
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        insert.execute(params_from_iter(values(row)?))?;
    }
    Ok(())
}

fn one(connection: &Connection, sql: &str) -> rusqlite::Result<i64> {
    connection.query_row(sql, [], |row| row.get(0))
}

fn differing_tables(stored: &Connection, made: &Connection) -> rusqlite::Result<Vec<&'static str>> {
    let (stored, made) = (digest::readable_tables(stored)?, digest::tables(made)?);
    // Blocks are compared one by one, because those before the first stored one are new.
    let differs = |table: &&str| *table != "blocks" && stored.get(*table) != made.get(*table);
    Ok(made.keys().copied().filter(|table| differs(table)).collect())
}

/// The first block of the present rules whose digest differs.
fn differing_block(known: &[Block], made: &[Block]) -> Option<Seq> {
    let of_present_rules = known.iter().filter(|block| block.rules == RULES);
    of_present_rules.filter(|block| !made.contains(block)).map(|block| block.first).next()
}
