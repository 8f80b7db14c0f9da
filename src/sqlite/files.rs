//! The files of a database: itself, and what lies beside it under its name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::DbError;

/// How the files end that SQLite may keep beside a database, and the database itself.
pub(super) const SIDES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// The path with something added to its name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes a file that can be made again, with its log; none that is there is no error.
pub fn remove(path: &Path) -> Result<(), DbError> {
    remove_sides(path, &SIDES).map_err(|source| DbError::Io { path: path.into(), source })
}

pub(super) fn remove_sides(path: &Path, sides: &[&str]) -> io::Result<()> {
    for side in sides {
        match fs::remove_file(beside(path, side)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
