//! Who may read the hub's files: their owner, and nobody else. Every file contains names, phones and texts of
//! customers.
//!
//! # Contract
//!
//! 1. Every file that the process creates is private from its first moment, including SQLite's own files
//!    ([`begin`]).
//! 2. A file that existed before, from an older version or copied by hand, is made private when it is opened
//!    ([`tighten`]).
//! 3. A folder that existed before belongs to its operator and is not changed. If others may replace or list the
//!    files in it, the log says so.
//! 4. An unfinished copy has a name of its own and is locked. If the process that made it was killed, the copy
//!    is removed ([`sweep`]).

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;

use super::files::{SIDES, beside, remove_sides};

/// Permissions of group and others on a file or folder.
const OF_OTHERS: u32 = 0o077;
/// Permission of group and others to write.
const WRITABLE: u32 = 0o022;
/// Permission of group and others to read: of a folder, which files are in it.
const READABLE: u32 = 0o044;
/// In a folder with this bit, such as `/tmp`, nobody can remove files of others.
const STICKY: u32 = 0o1000;
/// Only the owner may read and write the file.
const FILE_MODE: u32 = 0o600;
/// How the name of an unfinished copy ends.
const IN_MAKING: &str = ".umbler-hub-partial";

/// From now on everything that the process creates is for its owner only. To be called before other threads
/// exist.
pub fn begin() {
    rustix::process::umask(Mode::from_raw_mode(OF_OTHERS));
}

/// Makes a database or another file private, with everything that SQLite keeps beside it. Where that is not
/// allowed, a warning is logged and the file stays as it was.
pub fn tighten(path: &Path) {
    for file in SIDES.map(|side| beside(path, side)) {
        let Ok(metadata) = fs::metadata(&file) else { continue };
        if metadata.is_file() && metadata.permissions().mode() & OF_OTHERS != 0 {
            match fs::set_permissions(&file, Permissions::from_mode(FILE_MODE)) {
                Ok(()) => log::info!("{} could be read by others, and no longer can", file.display()),
                Err(error) => log::warn!("others may read {}: {error}", file.display()),
            }
        }
    }
}

/// Creates the folder of a file; a new folder is private.
pub fn make_folder_of(path: &Path) -> io::Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mode = fs::metadata(folder)?.permissions().mode();
    if mode & WRITABLE != 0 && mode & STICKY == 0 {
        log::warn!("others may replace the files in {}; chmod 700 keeps them out", folder.display());
    } else if mode & READABLE != 0 {
        log::warn!("others may list the files in {}; chmod 700 keeps them out", folder.display());
    }
    Ok(())
}

pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An unfinished, locked file. It is removed when dropped, unless it was moved to its final name.
pub struct InMaking {
    path: PathBuf,
    /// True once the file was moved. Somebody else may have begun another one at its path since.
    is_moved: bool,
    _lock: File,
}

impl InMaking {
    /// Begins with an empty file beside `target`. Fails with `WouldBlock` where another process makes the same
    /// one.
    pub fn begin(target: &Path) -> io::Result<Self> {
        let path = beside(target, IN_MAKING);
        let lock = File::options().create(true).truncate(false).write(true).open(&path)?;
        lock.try_lock()?;
        // Only now: until it is locked, they may belong to one that somebody else is making.
        remove_sides(&path, &SIDES[1..])?;
        lock.set_len(0)?;
        Ok(Self { path, is_moved: false, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the file to its final name, and replaces what was there.
    pub fn move_to(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.is_moved = true;
        Ok(())
    }
}

impl Drop for InMaking {
    fn drop(&mut self) {
        if self.is_moved {
            return;
        }
        if let Err(error) = remove_sides(&self.path, &SIDES) {
            log::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Removes unfinished copies of killed processes from the folder of a file. What cannot be removed is logged,
/// and is not an error.
pub fn sweep(path: &Path) {
    if let Err(error) = try_sweep(folder_of(path)) {
        log::warn!("cannot look for unfinished copies: {error}");
    }
}

fn try_sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let file = entry?.path();
        if !file.as_os_str().as_encoded_bytes().ends_with(IN_MAKING.as_bytes()) {
            continue;
        }
        match is_locked(&file)
            .and_then(|is_locked| if is_locked { Ok(()) } else { remove_sides(&file, &SIDES) })
        {
            Ok(()) => {}
            Err(error) => {
                log::warn!("{} is an unfinished copy and cannot be removed: {error}", file.display());
            }
        }
    }
    Ok(())
}

/// True where a running process is still making it.
fn is_locked(path: &Path) -> io::Result<bool> {
    match File::options().write(true).open(path) {
        Ok(file) => match file.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        },
        // The copy was finished in the meantime.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_is_being_made_keeps_its_log_when_another_one_cannot_begin() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("hub.db");
        let making = InMaking::begin(&target).unwrap();
        let log = beside(making.path(), "-wal");
        fs::write(&log, "log").unwrap();
        let error = InMaking::begin(&target).err().map(|error| error.kind());
        assert_eq!(error, Some(io::ErrorKind::WouldBlock));
        assert!(log.exists());
        drop(making);
        assert!(!log.exists());
    }
}
