//! Only one hub per database: one path for all of its files, and a locked file beside it. SQLite's own
//! exclusive mode would exclude our readers too.
//!
//! The write-ahead log, the marker and the lock are named after the database. Under another name of the same
//! file they would be different ones: two hubs would write to one file, each without what the other one stored.
//! So symbolic links are followed, and a file with a second name of its own (a hard link), which cannot be
//! followed, is refused.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{files::beside, private};

/// Symbolic links that are followed, one after another; as many as Linux follows.
const LINKS_MAX: usize = 40;

/// Held while the hub runs. The operating system releases it however the process ends.
#[derive(Debug)]
pub struct DatabaseLock {
    _file: File,
}

/// Why the lock was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds the lock.
    #[error("another process uses this database")]
    Taken,
    /// The file has more than one name.
    #[error(
        "the file has {0} names (hard links), and the latest deliveries are kept beside only one of them; remove the others \
         (find its folder -samefile FILE lists them)"
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

/// The path of the file that the database has, or will have, after following symbolic links.
pub fn locate(path: &Path) -> PathBuf {
    let mut place = path.to_path_buf();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&place) else { return place };
        // A relative target is relative to the folder of its link.
        place = place.parent().map_or_else(|| target.clone(), |folder| folder.join(&target));
    }
    // The links form a circle. Whoever opens the path gets the system's error.
    path.to_path_buf()
}

/// Refuses a file that has a second name.
pub fn check_names(path: &Path) -> Result<(), LockError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.nlink() > 1 => Err(LockError::Linked(metadata.nlink())),
        // A file that is missing, or that cannot be looked at, gives an error when it is opened.
        Ok(_) | Err(_) => Ok(()),
    }
}
