//! One hub per database: one path for all its files, and a locked file beside it. SQLite's own exclusive mode would lock out
//! our readers.
//!
//! The write-ahead log, the marker and the lock are named after the database. Through another name of the same file they
//! would be others: two hubs would write one file, each without what the other one stored. So symbolic links are followed,
//! and a file with a second name of its own (a hard link), which cannot be followed, is refused.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{files::beside, private};

/// Symbolic links that are followed, one after the other; as many as Linux does.
const LINKS_MAX: usize = 40;

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
    /// The file has more than one name.
    #[error(
        "the file has {0} names (hard links), and the deliveries that were stored last stand beside only one of them; remove \
         the others (find its folder -samefile FILE lists them)"
    )]
    Linked(u64),
    /// The lock's file cannot be used.
    #[error("cannot use the lock file")]
    Io(#[from] io::Error),
}

impl DatabaseLock {
    /// Takes the lock of the database at `path`, or fails at once.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        check_names(path)?;
        let name = beside(path, ".lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&name)?;
        private::tighten(&name);
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken),
            Err(TryLockError::Error(error)) => Err(LockError::Io(error)),
        }
    }
}

/// The path of the file that a database has, or will have: what symbolic links lead to.
pub fn locate(path: &Path) -> PathBuf {
    let mut place = path.to_path_buf();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&place) else { return place };
        // A target that is relative begins in the folder of its link.
        place = place.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
    }
    // A circle, of which whoever opens it is told by the system.
    path.to_path_buf()
}

/// Refuses a file that has a second name.
pub fn check_names(path: &Path) -> Result<(), LockError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.nlink() > 1 => Err(LockError::Linked(metadata.nlink())),
        // Where there is none, or it cannot be looked at, whoever opens it says so.
        Ok(_) | Err(_) => Ok(()),
    }
}
