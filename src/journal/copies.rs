//! Databases that are made elsewhere: a copy that is there for a while, one that takes the place of the database, and one that
//! is only checked.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;

use super::replace::{
    Copied, ReplaceError, Replaced, begin_copy, complete, copy, database_error, put_in_place, take_lock,
};
use super::schema;
use crate::sqlite::files::beside;
use crate::sqlite::private::InMaking;

/// Copies the database at `path`, which may be in use, to a file that is removed when it is dropped.
pub fn snapshot(path: &Path) -> Result<(InMaking, Copied), ReplaceError> {
    let target = begin_copy(&beside(path, ".snapshot"))?;
    let copied = copy(path, target.path(), &|_, _| (), &|_| Ok(()))?;
    Ok((target, copied))
}

/// Replaces the database at `path` by the one that `fill` makes in an empty file. No hub may run on it.
pub fn replace_by<E: From<ReplaceError>>(
    path: &Path,
    now: Timestamp,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<Replaced, E> {
    let _lock = take_lock(path)?;
    let fresh = begin_copy(path)?;
    fill(fresh.path())?;
    let connection = Connection::open(fresh.path()).map_err(database_error(path))?;
    schema::new_epoch(&connection).map_err(database_error(path))?;
    let copied = complete(connection, fresh.path(), path)?;
    let aside = put_in_place(fresh, &copied, path, now)?;
    Ok(Replaced { now: Some(copied), aside })
}

/// Makes the one that `fill` makes, checks every page of it, and removes it again.
pub fn rehearse<E: From<ReplaceError>>(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<Copied, E> {
    let fresh = begin_copy(&beside(path, ".verified"))?;
    fill(fresh.path())?;
    let connection = Connection::open(fresh.path()).map_err(database_error(path))?;
    Ok(complete(connection, fresh.path(), path)?)
}
