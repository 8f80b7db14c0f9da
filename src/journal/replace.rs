//! Copies a database, puts another in its place, and starts over without what was lost.
//!
//! # Contract
//!
//! 1. A copy is of one moment, whatever the hub writes meanwhile, and is checked before it gets its name.
//! 2. A database that replaces another has another history. It gets a new epoch, so that positions of the old
//!    one are not mistaken for its own.
//! 3. The old database is kept aside, never deleted. If the hub is started in between, it refuses and says
//!    what to do.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::erasure_watch::ErasureWatch;
use super::lineage::{self, Marker, MarkerState};
use super::loss;
use super::replace_error::{ReplaceError, database_error, io_error};
use super::schema::{self, OpenError};
use crate::domain::Seq;
use crate::sqlite::files::beside;
use crate::sqlite::lock::{self, DatabaseLock};
use crate::sqlite::open::quick_check;
use crate::sqlite::private::{self, InMaking};

/// Pages that are copied in one step (4 MiB). Progress is reported after each.
const PAGES_PER_STEP: i32 = 1_024;
/// How long a copy waits each time another process holds the file.
const LOCKED_WAIT: Duration = Duration::from_millis(50);
/// How many times in a row a copy waits.
const LOCKED_WAITS_MAX: u32 = 100;

/// Called with the number of pages, or records, that are done, and of all.
pub type CopyProgress<'a> = &'a dyn Fn(u64, u64);

/// What a copy contains, or the database that was put in place.
#[derive(Debug, Clone)]
pub struct Copied {
    pub epoch: String,
    pub seq: Seq,
    pub bytes: u64,
}

/// The outcome of replacing a database.
#[derive(Debug, Clone)]
pub struct Replaced {
    /// What is in place now; `None` if nothing is, so that the next start begins with an empty database.
    pub now: Option<Copied>,
    /// Where the old database is kept; `None` if there was none.
    pub aside: Option<PathBuf>,
    /// False if nothing here knew who was erased after the backup was made: they are in it again.
    pub knows_erasures: bool,
}

/// Copies the database at `path`, in use or not, to `target`.
pub fn backup(
    path: &Path,
    target: &Path,
    force: bool,
    progress: CopyProgress<'_>,
) -> Result<Copied, ReplaceError> {
    if !path.exists() {
        return Err(ReplaceError::Missing(path.into()));
    }
    if target.exists() && same_file(path, target) {
        return Err(ReplaceError::Same(target.into()));
    }
    let taken = || if target.exists() && !force { Err(ReplaceError::Exists(target.into())) } else { Ok(()) };
    taken()?;
    lock::check_names(path).map_err(|source| OpenError::Lock { path: path.into(), source })?;
    let partial = begin_copy(target)?;
    let copied = copy(path, partial.path(), progress, None, &|_| Ok(()))?;
    taken()?;
    partial.move_to(target).map_err(io_error(target))?;
    lineage::sync_folder(target).map_err(io_error(target))?;
    Ok(copied)
}

/// Renames a finished file to the name of the database. Returns the path at which the old one is kept.
pub(super) fn put_in_place(
    fresh: InMaking,
    copied: &Copied,
    path: &Path,
    now: Timestamp,
) -> Result<Option<PathBuf>, ReplaceError> {
    let aside = set_aside(path, now)?;
    // Before the file, so that a start in between finds no database where one must be, and says so.
    let marker = Marker { epoch: copied.epoch.clone(), seq: copied.seq };
    lineage::replace(path, &marker).map_err(io_error(path))?;
    fresh.move_to(path).map_err(io_error(path))?;
    lineage::sync_folder(path).map_err(io_error(path))?;
    Ok(aside)
}

/// Continues without what was lost: with the remaining rows in a new epoch, or with an empty database if none
/// can be read.
pub fn accept_loss(path: &Path, now: Timestamp) -> Result<Replaced, ReplaceError> {
    let remembered = lineage::read(path).map_err(io_error(path))?;
    if remembered == MarkerState::Nothing && !path.exists() && !beside(path, "-wal").exists() {
        return Err(ReplaceError::Missing(path.into()));
    }
    match schema::open(path) {
        Ok(_whole) => return Err(ReplaceError::Whole),
        Err(OpenError::Lost { .. } | OpenError::Damaged { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let _lock = take_lock(path)?;
    match keep_rows(path) {
        Ok(copied) => {
            let marker = Marker { epoch: copied.epoch.clone(), seq: copied.seq };
            lineage::replace(path, &marker).map_err(io_error(path))?;
            Ok(Replaced { now: Some(copied), aside: None, knows_erasures: true })
        }
        Err(unusable) => {
            log::info!("the file is set aside: {}", crate::telemetry::causes::chain(&unusable));
            let aside = set_aside(path, now)?;
            remove(&lineage::path_of(path))?;
            Ok(Replaced { now: None, aside, knows_erasures: true })
        }
    }
}

/// Gives the remaining rows a new epoch, if they are consistent.
fn keep_rows(path: &Path) -> Result<Copied, ReplaceError> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0) {
        return Err(ReplaceError::Foreign(path.into()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags(path, flags).map_err(database_error(path))?;
    check(&connection, path)?;
    schema::new_epoch(&connection).map_err(database_error(path))?;
    describe(&connection, path)
}

/// Begins a copy that will have this name. Removes what killed processes left in its folder.
pub(super) fn begin_copy(target: &Path) -> Result<InMaking, ReplaceError> {
    private::sweep(target);
    InMaking::begin(target).map_err(|source| {
        let is_taken = source.kind() == io::ErrorKind::WouldBlock;
        if is_taken { ReplaceError::Locked(target.into()) } else { io_error(target)(source) }
    })
}

/// Makes a checked copy in an empty file, synced and private, unless `watch` ends it. `finish` may change it before it is synced.
pub(super) fn copy(
    source: &Path,
    target: &Path,
    progress: CopyProgress<'_>,
    watch: Option<&ErasureWatch>,
    finish: &dyn Fn(&Connection) -> rusqlite::Result<()>,
) -> Result<Copied, ReplaceError> {
    let failed = database_error(target);
    let mut from = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(database_error(source))?;
    // One transaction for the whole copy. Without it each write of the hub would start the copy again.
    let moment = from.transaction().map_err(database_error(source))?;
    check_kind(&moment, source)?;
    let mut to = Connection::open(target).map_err(&failed)?;
    // It is synced step by step, and once more when it is complete.
    to.pragma_update(None, "synchronous", "OFF").map_err(&failed)?;
    copy_pages((&moment, source), (&mut to, target), progress, watch)?;
    drop(moment);
    finish(&to).map_err(&failed)?;
    complete(to, target, source)
}

/// Checks a new database, closes it and syncs it. It is then one file without a log beside it, so it can be
/// moved in any way. Errors name `known_as`.
pub(super) fn complete(
    connection: Connection,
    target: &Path,
    known_as: &Path,
) -> Result<Copied, ReplaceError> {
    let failed = database_error(target);
    connection.pragma_update(None, "journal_mode", "DELETE").map_err(&failed)?;
    check(&connection, known_as)?;
    let copied = describe(&connection, target)?;
    connection.close().map_err(|(_, error)| failed(error))?;
    private::tighten(target);
    let file = File::options().write(true).open(target).map_err(io_error(target))?;
    file.sync_all().map_err(io_error(target))?;
    Ok(copied)
}

/// Copies all pages. The disk has each step before the next one: one sync of gigabytes at the end would hold up every other sync on
/// the same disk, and with it the hub's acknowledgements.
fn copy_pages(
    (from, source): (&Connection, &Path),
    (to, target): (&mut Connection, &Path),
    progress: CopyProgress<'_>,
    watch: Option<&ErasureWatch>,
) -> Result<(), ReplaceError> {
    let failed = database_error(source);
    let written = File::open(target).map_err(io_error(target))?;
    let backup = Backup::new(from, to).map_err(&failed)?;
    let mut waits = 0;
    loop {
        let step = backup.step(PAGES_PER_STEP).map_err(&failed)?;
        written.sync_data().map_err(io_error(target))?;
        let pages = backup.progress();
        let count = |pages: i32| u64::try_from(pages).unwrap_or_default();
        progress(count(pages.pagecount - pages.remaining), count(pages.pagecount));
        if watch.is_some_and(ErasureWatch::is_over) {
            return Err(ReplaceError::Outdated);
        }
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => waits = 0,
            StepResult::Busy | StepResult::Locked if waits < LOCKED_WAITS_MAX => {
                waits += 1;
                std::thread::sleep(LOCKED_WAIT);
            }
            StepResult::Busy | StepResult::Locked | _ => return Err(ReplaceError::Locked(source.into())),
        }
    }
}

/// Checks that it is a database of the hub, and not of a newer one.
fn check_kind(connection: &Connection, path: &Path) -> Result<(), ReplaceError> {
    // The first query, which fails if the file is not a database at all.
    let version = connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0));
    version.map_err(database_error(path))?;
    schema::check_version(connection, path)?;
    match loss::history(connection) {
        Ok(Some((Some(_epoch), _))) => Ok(()),
        Ok(_) => Err(ReplaceError::Foreign(path.into())),
        Err(error) => Err(database_error(path)(error)),
    }
}

/// Checks that every page is consistent, and the newest rows too.
fn check(connection: &Connection, path: &Path) -> Result<(), ReplaceError> {
    check_kind(connection, path)?;
    let findings = quick_check(connection).map_err(database_error(path))?;
    if !findings.is_empty() {
        return Err(ReplaceError::Unsound { path: path.into(), what: findings.join("; ") });
    }
    match schema::check_newest(connection, path) {
        Err(OpenError::Damaged { path, what }) => Err(ReplaceError::Unsound { path, what }),
        checked => Ok(checked?),
    }
}

fn describe(connection: &Connection, path: &Path) -> Result<Copied, ReplaceError> {
    let history = loss::history(connection).map_err(database_error(path))?;
    let Some((Some(epoch), seq)) = history else { return Err(ReplaceError::Foreign(path.into())) };
    let bytes = fs::metadata(path).map_err(io_error(path))?.len();
    Ok(Copied { epoch, seq, bytes })
}

/// Renames a database and its log to a name with the time. The log is first: without its log the database is
/// whole but shorter, which a start notices. Without its database the log would be deleted by whoever opens
/// that name again.
fn set_aside(path: &Path, now: Timestamp) -> Result<Option<PathBuf>, ReplaceError> {
    let aside = beside(path, &format!(".before-{}", now.strftime("%Y%m%dT%H%M%S%3fZ")));
    let mut moved = false;
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(beside(path, suffix), beside(&aside, suffix)) {
            Ok(()) => moved = true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(ReplaceError::Io { path: beside(path, suffix), source }),
        }
    }
    private::tighten(&aside);
    lineage::sync_folder(path).map_err(io_error(path))?;
    Ok(moved.then_some(aside))
}

pub(super) fn take_lock(path: &Path) -> Result<DatabaseLock, ReplaceError> {
    schema::make_folder(path)?;
    Ok(DatabaseLock::take(path).map_err(|source| OpenError::Lock { path: path.into(), source })?)
}

pub(super) fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn remove(path: &Path) -> Result<(), ReplaceError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ReplaceError::Io { path: path.into(), source: error })
        }
        _ => Ok(()),
    }
}
