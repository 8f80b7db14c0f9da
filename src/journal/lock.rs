//! One hub per database: a locked file beside it. SQLite's own exclusive mode would lock out our readers.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// Held as long as the hub runs; the system lets go of it however the process ends.
#[derive(Debug)]
pub struct DatabaseLock {
    _file: File,
}

/// Why the lock was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("another process uses this database")]
    Taken,
    /// The lock's file cannot be used.
    #[error("cannot use the lock file")]
    Io(#[from] io::Error),
}

impl DatabaseLock {
    /// Takes the lock of the database at `path`, or fails at once.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(name)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken),
            Err(TryLockError::Error(error)) => Err(LockError::Io(error)),
        }
    }
}
