//! Who may read what the hub keeps: its owner, and nobody else. Every file holds names, phones and texts of customers.
//!
//! # Contract
//!
//! 1. What the process makes is private from its first moment, SQLite's own files included ([`begin`]).
//! 2. What was there before, from an older version or copied by hand, is made private when it is opened ([`tighten`]).
//! 3. A folder that was there is its operator's: it is left as it is, and one in which others may replace files is told.
//! 4. A copy in the making has a name of its own and is locked. One whose maker was killed is removed ([`sweep`]).

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;

use super::files::{SIDES, beside, remove_sides};

/// What group and others may do to a file or a folder.
const OF_OTHERS: u32 = 0o077;
/// Others may write.
const WRITABLE: u32 = 0o022;
/// In such a folder nobody takes away what is another's, like `/tmp`.
const STICKY: u32 = 0o1000;
/// A file that its owner reads and writes.
const FILE_MODE: u32 = 0o600;
/// How the name of a copy in the making ends.
const IN_MAKING: &str = ".umbler-hub-partial";

/// From now on what the process makes is for its owner alone. To be called before there are threads.
pub fn begin() {
    rustix::process::umask(Mode::from_raw_mode(OF_OTHERS));
}

/// Makes a database private, or any other file, with what SQLite keeps beside it. Where that is not allowed it is told, and
/// nothing stops: the file is as readable as it was.
pub fn tighten(path: &Path) {
    for file in SIDES.map(|side| beside(path, side)) {
        let Ok(metadata) = fs::metadata(&file) else { continue };
        if metadata.is_file() && metadata.permissions().mode() & OF_OTHERS != 0 {
            match fs::set_permissions(&file, Permissions::from_mode(FILE_MODE)) {
                Ok(()) => log::info!("{} was readable for others, and no longer is", file.display()),
                Err(error) => log::warn!("others may read {}: {error}", file.display()),
            }
        }
    }
}

/// Makes the folder of a file, private where it is new.
pub fn make_folder_of(path: &Path) -> io::Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mode = fs::metadata(folder)?.permissions().mode();
    if mode & WRITABLE != 0 && mode & STICKY == 0 {
        log::warn!("others may replace the files in {}; chmod 700 keeps them out", folder.display());
    }
    Ok(())
}

/// The folder in which a file lies.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file in the making, locked, and removed unless it was moved to its name.
pub struct InMaking {
    path: PathBuf,
    /// Somebody else may have begun another one at its path since.
    is_moved: bool,
    _lock: File,
}

impl InMaking {
    /// Begins with an empty file beside `target`. An error of kind `WouldBlock` where somebody else makes the same one.
    pub fn begin(target: &Path) -> io::Result<Self> {
        let path = beside(target, IN_MAKING);
        remove_sides(&path, &SIDES[1..])?;
        let lock = File::options().create(true).truncate(false).write(true).open(&path)?;
        lock.try_lock()?;
        lock.set_len(0)?;
        Ok(Self { path, is_moved: false, _lock: lock })
    }

    /// Where it is made.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, in place of whatever had it.
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

/// Removes from the folder of a file what killed processes left half made. What cannot be removed is told, and stops nothing.
pub fn sweep(path: &Path) {
    if let Err(error) = try_sweep(folder_of(path)) {
        log::warn!("cannot look for copies that were left half made: {error}");
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
            Err(error) => log::warn!("{} was left half made and cannot be removed: {error}", file.display()),
        }
    }
    Ok(())
}

/// True where a process that lives makes it.
fn is_locked(path: &Path) -> io::Result<bool> {
    match File::options().write(true).open(path) {
        Ok(file) => match file.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        },
        // It was finished meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}
