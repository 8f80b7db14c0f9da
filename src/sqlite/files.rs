//! The files of a database: the database itself, and the files that SQLite keeps beside it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::DbError;

/// The endings of the files of a database: the database itself, and what SQLite may keep beside it.
pub(super) const SIDES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// Bytes of a large file that are written before the disk must have them.
const UNSYNCED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A large file that is written beside a hub at work. It is synced again and again: one sync of gigabytes at the end would hold up
/// every other sync on the same disk, and with it every acknowledgement.
pub struct SteadyFile {
    file: File,
    unsynced: usize,
}

impl SteadyFile {
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::options().write(true).open(path)?, unsynced: 0 })
    }
}

impl Write for SteadyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unsynced += written;
        if self.unsynced >= UNSYNCED_BYTES_MAX {
            self.flush()?;
        }
        Ok(written)
    }

    /// Waits until the disk has what was written.
    fn flush(&mut self) -> io::Result<()> {
        self.unsynced = 0;
        self.file.sync_data()
    }
}

/// The path with a suffix added to the file's name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Names of databases that `restore`, `rebuild` or `accept-data-loss` kept aside, and of copies beside them.
pub fn kept_aside(database: &Path) -> Vec<String> {
    let (Some(folder), Some(name)) = (database.parent(), database.file_name()) else { return Vec::new() };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let prefix = format!("{}.before-", name.to_string_lossy());
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut found: Vec<String> = names.filter(|name| name.starts_with(&prefix)).collect();
    found.sort();
    found
}

/// Removes a database that can be made again, with its log. A file that does not exist is no error.
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
