//! Databases that are made elsewhere: a copy that is there for a while, one that takes the place of the database, and one that
//! is only checked.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::erasure_list::{self, ListedErasure};
use super::erasure_watch::ErasureWatch;
use super::erasures::erasures_of;
use super::replace::{
    Copied, CopyProgress, Replaced, begin_copy, complete, copy, put_in_place, same_file, take_lock,
};
use super::replace_error::{ReplaceError, database_error};
use super::schema;
use crate::sqlite::files::beside;
use crate::sqlite::private::InMaking;

/// The longest rest after a step of a copy that another hub asked for.
const REST_MAX: Duration = Duration::from_millis(100);

/// Copies the database at `path`, which may be in use, to a file that is removed when it is dropped.
pub fn snapshot(path: &Path) -> Result<(InMaking, Copied), ReplaceError> {
    let target = begin_snapshot(path)?;
    let copied = fill_snapshot(path, &target, None)?;
    Ok((target, copied))
}

/// The file for a copy of the database at `path`, to be filled.
pub fn begin_snapshot(path: &Path) -> Result<InMaking, ReplaceError> {
    begin_copy(&beside(path, ".snapshot"))
}

/// Copies the database at `path` to that file, unless `watch` ends it. It rests as long as it works, so that the disk is free for the
/// hub that uses the database.
pub fn fill_snapshot(
    path: &Path,
    target: &InMaking,
    watch: Option<&ErasureWatch>,
) -> Result<Copied, ReplaceError> {
    let begun = Cell::new(Instant::now());
    let rest = |_done, _all| {
        std::thread::sleep(begun.get().elapsed().min(REST_MAX));
        begun.set(Instant::now());
    };
    copy(path, target.path(), &rest, watch, &|_| Ok(()))
}

/// Replaces the database at `path` by a copy of `source`. No hub may run on it.
///
/// What was erased since the copy was made is erased in it again: by the database that it replaces, by the list
/// beside that, and by another list if one is given.
pub fn restore(
    source: &Path,
    path: &Path,
    erasures: Option<&Path>,
    now: Timestamp,
    progress: CopyProgress<'_>,
) -> Result<Replaced, ReplaceError> {
    if !source.exists() {
        return Err(ReplaceError::Missing(source.into()));
    }
    if path.exists() && same_file(path, source) {
        return Err(ReplaceError::Same(source.into()));
    }
    let _lock = take_lock(path)?;
    let fresh = begin_copy(path)?;
    let begin_anew = |copy: &Connection| schema::new_epoch(copy).map(|_epoch| ());
    let copied = copy(source, fresh.path(), progress, None, &begin_anew)?;
    let knows_erasures = erasures.is_some() || knows_erasures(path);
    let copied = erase_known(fresh.path(), source, path, erasures)?.unwrap_or(copied);
    let aside = put_in_place(fresh, &copied, path, now)?;
    Ok(Replaced { now: Some(copied), aside, knows_erasures })
}

/// Replaces the database at `path` by the one that `fill` makes in an empty file. No hub may run on it. What the database that
/// is replaced, the list beside it or another list know to be erased is erased in it. What `fill` makes holds all other erasures.
pub fn replace_by<E: From<ReplaceError>>(
    path: &Path,
    erasures: Option<&Path>,
    now: Timestamp,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<Replaced, E> {
    let _lock = take_lock(path)?;
    let fresh = begin_copy(path)?;
    fill(fresh.path())?;
    let connection = Connection::open(fresh.path()).map_err(database_error(path))?;
    schema::new_epoch(&connection).map_err(database_error(path))?;
    let copied = complete(connection, fresh.path(), path)?;
    let copied = erase_known(fresh.path(), path, path, erasures)?.unwrap_or(copied);
    let aside = put_in_place(fresh, &copied, path, now)?;
    Ok(Replaced { now: Some(copied), aside, knows_erasures: true })
}

/// Puts the one that `fill` makes at `path`. It is the copy of a database that goes on with the same epoch. There must be none at
/// `path`, or one that is to be replaced; `aside` says when that was, for the name under which it is kept.
pub fn adopt<E: From<ReplaceError>>(
    path: &Path,
    epoch: &str,
    aside: Option<Timestamp>,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<Copied, E> {
    let _lock = take_lock(path)?;
    if path.exists() && aside.is_none() {
        return Err(ReplaceError::Exists(path.into()).into());
    }
    let fresh = begin_copy(path)?;
    fill(fresh.path())?;
    let connection = Connection::open(fresh.path()).map_err(database_error(path))?;
    let copied = complete(connection, fresh.path(), path)?;
    if copied.epoch != epoch {
        let what = format!("it is of epoch {}, and not of {epoch}", copied.epoch);
        return Err(ReplaceError::Unsound { path: path.into(), what }.into());
    }
    put_in_place(fresh, &copied, path, aside.unwrap_or(Timestamp::UNIX_EPOCH))?;
    Ok(copied)
}

/// Makes the one that `fill` makes, checks every page of it, and removes it again.
pub fn rehearse<E: From<ReplaceError>>(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<Copied, E> {
    // On a machine that never ran a hub there is no folder of the database yet.
    schema::make_folder(path).map_err(ReplaceError::from)?;
    let fresh = begin_copy(&beside(path, ".verified"))?;
    fill(fresh.path())?;
    let connection = Connection::open(fresh.path()).map_err(database_error(path))?;
    Ok(complete(connection, fresh.path(), path)?)
}

/// Erases in a copy of `source` what the database at `path`, the list beside it or another list know to be erased. `None` if
/// they know of nothing.
fn erase_known(
    fresh: &Path,
    source: &Path,
    path: &Path,
    erasures: Option<&Path>,
) -> Result<Option<Copied>, ReplaceError> {
    let list = erasure_list::path_of(path);
    if let Some(more) = erasures {
        if !more.exists() {
            return Err(ReplaceError::Missing(more.into()));
        }
        erasure_list::add(&list, erasure_list::read(more)?)?;
    }
    erasure_list::add(&list, known_erasures(path).unwrap_or_default())?;
    if erasure_list::read(&list)?.is_empty() {
        return Ok(None);
    }
    erase_again(fresh, source, &list).map(Some)
}

/// The erasures that a database knows. `None`: there is no database, or it is damaged; the list beside it may know them.
fn known_erasures(path: &Path) -> Option<Vec<ListedErasure>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let known = erasures_of(&connection, None).ok()?;
    Some(known.into_iter().map(ListedErasure::from).collect())
}

/// True where the database at `path` or the list beside it says who was erased, if anybody was.
fn knows_erasures(path: &Path) -> bool {
    erasure_list::path_of(path).exists() || known_erasures(path).is_some()
}

/// Applies the erasures of a list to a copy that is not in place yet.
fn erase_again(copy: &Path, source: &Path, list: &Path) -> Result<Copied, ReplaceError> {
    let mut connection = Connection::open(copy).map_err(database_error(copy))?;
    schema::configure(&connection).map_err(database_error(copy))?;
    schema::migrate(&mut connection, source)?;
    let connection = erasure_list::settle(connection, list)?;
    complete(connection, copy, source)
}
