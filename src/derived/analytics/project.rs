//! Follows the journal: computes the facts of each chat that has changed, and writes what differs.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};

use super::file::{self, FileState};
use super::intervals::ChatIntervals;
use super::load::{Loaded, load};
use super::rows::{Changed, ChatWriter};
use super::seal::{Seals, Sizes};
use crate::domain::Seq;
use crate::domain::calendar::Calendar;
use crate::domain::metrics::{DEFINITION, facts, live};
use crate::journal::head::{epoch, last_seq};
use crate::journal::settings;
use crate::sqlite::DbError;
use crate::sqlite::open::read_only;

/// Positions that are followed in one transaction.
pub const POSITIONS_PER_STEP: i64 = 1_000;
/// Chats that are rebuilt in one transaction.
pub const CHATS_PER_STEP: i64 = 200;
/// Number of steps after which facts are sealed even if more deliveries wait.
const UNSEALED_STEPS_MAX: u32 = 64;

/// Keeps the metrics file of one database up to date.
pub struct Projector {
    database: Connection,
    file: Connection,
    /// Business hours that hold until an admin saves others.
    default_hours: Calendar,
    calendar: Arc<Calendar>,
    /// Position at which the business hours in force were saved; `None` for the defaults.
    settings_seq: Option<Seq>,
    standing: FileState,
    seals: Seals,
    /// Steps since facts were last sealed.
    unsealed_steps: u32,
}

/// The business hours in force, with the position at which an admin saved them; `None` for the defaults.
fn hours_in_force(
    database: &Connection,
    default_hours: &Calendar,
) -> Result<(Calendar, Option<Seq>), DbError> {
    let Some(saved) = settings::load(database)? else { return Ok((default_hours.clone(), None)) };
    Ok((Calendar::of(&saved.settings, default_hours.zone().clone()), Some(saved.seq)))
}

fn definition_in(calendar: &Calendar) -> String {
    format!("{DEFINITION} {}", calendar.fingerprint())
}

impl Projector {
    /// Opens both files. If the facts were computed by other rules or hours, or in another epoch, they
    /// are computed again. `default_hours` hold until an admin saves others.
    pub fn open(database: &Path, own: &Path, default_hours: &Calendar) -> Result<Self, DbError> {
        let mut connection = read_only(database, file::CACHE_KIB)?;
        let mut file = file::open(own)?;
        let snapshot = connection.transaction()?;
        let (calendar, settings_seq) = hours_in_force(&snapshot, default_hours)?;
        let definition = definition_in(&calendar);
        let (epoch, newest) = (epoch(&snapshot)?, last_seq(&snapshot)?.0);
        let fits = |known: &FileState| {
            known.definition == definition && known.epoch == epoch && known.position <= newest
        };
        let known = FileState::read(&file)?.filter(fits);
        let standing = if let Some(known) = known {
            known
        } else {
            let standing = from_the_start(&snapshot, definition, epoch, newest)?;
            file::begin_anew(&mut file, &standing)?;
            standing
        };
        drop(snapshot);
        let (default_hours, calendar) = (default_hours.clone(), Arc::new(calendar));
        Ok(Self {
            database: connection,
            file,
            default_hours,
            calendar,
            settings_seq,
            standing,
            seals: Seals::unknown(Sizes::KEPT),
            unsealed_steps: 0,
        })
    }

    /// The calendar by which the facts are computed.
    pub fn calendar(&self) -> &Arc<Calendar> {
        &self.calendar
    }

    pub fn standing(&self) -> &FileState {
        &self.standing
    }

    /// Does one step. Returns false if there is nothing to do.
    pub fn advance(&mut self) -> Result<bool, DbError> {
        let snapshot = self.database.transaction()?;
        let (hours, settings_seq) = (&self.default_hours, self.settings_seq);
        if let Some((calendar, seq)) = other_hours(&snapshot, hours, settings_seq)? {
            let definition = definition_in(&calendar);
            (self.calendar, self.settings_seq) = (Arc::new(calendar), seq);
            if definition != self.standing.definition {
                let (epoch, newest) = (epoch(&snapshot)?, last_seq(&snapshot)?.0);
                let standing = from_the_start(&snapshot, definition, epoch, newest)?;
                file::begin_anew(&mut self.file, &standing)?;
                (self.standing, self.seals) = (standing, Seals::unknown(Sizes::KEPT));
                return Ok(true);
            }
        }
        let next = match &self.standing.built_to {
            Some(after) => built_further(&snapshot, &self.standing, after)?,
            None => followed_further(&snapshot, &self.standing)?,
        };
        let Some((chats, standing)) = next else {
            drop(snapshot);
            return self.seal();
        };
        let step = self.file.transaction()?;
        let mut changed = Changed::new();
        for id in &chats {
            let loaded = match load(&snapshot, id, None) {
                Err(DbError::Corrupt(error)) => {
                    // The other chats are still counted, and this one stays as it was.
                    log::error!("chat {id} cannot be read and is left as it is in the metrics: {error}");
                    continue;
                }
                loaded => loaded?,
            };
            if let Some(Loaded { chat, entries, history }) = loaded {
                let rows = ChatWriter { tx: &step, calendar: &self.calendar };
                let key = rows.put(&chat, &facts(&history), live(&history).as_ref(), &mut changed)?;
                ChatIntervals::read(&snapshot, &chat, &entries)?.put(&step, key)?;
            }
        }
        put_names(&snapshot, &step, self.standing.position)?;
        // Nothing is sealed while history is being rebuilt.
        if standing.built_to.is_none() {
            self.seals.break_open(&step, &changed)?;
        }
        standing.write(&step)?;
        step.commit()?;
        self.standing = standing;
        drop(snapshot);
        self.unsealed_steps += 1;
        if self.unsealed_steps >= UNSEALED_STEPS_MAX {
            self.seal()?;
        }
        Ok(true)
    }

    /// Seals facts, which makes answers over long periods fast. Returns false if there is nothing to do.
    fn seal(&mut self) -> Result<bool, DbError> {
        self.unsealed_steps = 0;
        if self.standing.built_to.is_some() {
            return Ok(false);
        }
        let step = self.file.transaction()?;
        let sealed = self.seals.seal(&step)?;
        step.commit()?;
        Ok(sealed)
    }
}

/// The state before the first chat of a rebuild.
fn from_the_start(
    snapshot: &Transaction<'_>,
    definition: String,
    epoch: String,
    newest: i64,
) -> Result<FileState, DbError> {
    let total = snapshot.query_row("SELECT count(*) FROM chats", [], |row| row.get(0))?;
    let built_to = (total > 0).then(String::new);
    let position = if built_to.is_some() { 0 } else { newest };
    Ok(FileState { definition, epoch, position, built_to, done: 0, total, target: newest })
}

/// The business hours in force, if they were saved after the known ones.
fn other_hours(
    snapshot: &Transaction<'_>,
    default_hours: &Calendar,
    known: Option<Seq>,
) -> Result<Option<(Calendar, Option<Seq>)>, DbError> {
    let mut select = snapshot.prepare_cached("SELECT max(seq) FROM settings")?;
    let saved: Option<i64> = select.query_row([], |row| row.get(0))?;
    if saved.map(Seq) == known {
        return Ok(None);
    }
    hours_in_force(snapshot, default_hours).map(Some)
}

type NextChats = Option<(Vec<String>, FileState)>;

fn built_further(snapshot: &Transaction<'_>, now: &FileState, after: &str) -> Result<NextChats, DbError> {
    let mut select = snapshot.prepare_cached("SELECT id FROM chats WHERE id > ? ORDER BY id LIMIT ?")?;
    let chats: Vec<String> =
        select.query_map(params![after, CHATS_PER_STEP], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut standing = now.clone();
    standing.done += i64::try_from(chats.len()).unwrap_or_default();
    standing.built_to = chats.last().cloned();
    if standing.built_to.is_none() {
        // Deliveries that came during the rebuild are followed from here.
        standing.position = now.target;
    }
    Ok(Some((chats, standing)))
}

fn followed_further(snapshot: &Transaction<'_>, now: &FileState) -> Result<NextChats, DbError> {
    let mut select =
        snapshot.prepare_cached("SELECT seq, chat_id FROM journal WHERE seq > ? ORDER BY seq LIMIT ?")?;
    let mut rows = select.query(params![now.position, POSITIONS_PER_STEP])?;
    let (mut chats, mut position) = (BTreeSet::new(), now.position);
    while let Some(row) = rows.next()? {
        position = row.get(0)?;
        chats.extend(row.get::<_, Option<String>>(1)?);
    }
    if position == now.position {
        return Ok(None);
    }
    Ok(Some((chats.into_iter().collect(), FileState { position, ..now.clone() })))
}

/// Copies the names of sectors, lines and tags that changed after a position.
fn put_names(snapshot: &Transaction<'_>, step: &Transaction<'_>, after: i64) -> rusqlite::Result<()> {
    let mut select =
        snapshot.prepare_cached("SELECT what, id, coalesce(given, name) FROM names WHERE seq > ?")?;
    let mut put = step.prepare_cached("INSERT OR REPLACE INTO names VALUES (?, ?, ?)")?;
    let mut delete = step.prepare_cached("DELETE FROM names WHERE what = ? AND id = ?")?;
    let mut rows = select.query([after])?;
    while let Some(row) = rows.next()? {
        let (what, id, name): (String, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match name {
            Some(name) => put.execute([what, id, name])?,
            // An admin took back the only name that there was.
            None => delete.execute([what, id])?,
        };
    }
    Ok(())
}
