//! Notices when the files of the database are no longer those that were opened. A file that was deleted or
//! moved still accepts writes, but a restart would find none of them.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::files::beside;

/// The database and its write-ahead log, as they were opened.
#[derive(Debug)]
pub struct FileWatch {
    database: (PathBuf, Identity),
    log: (PathBuf, Identity),
    /// Largest length seen so far. The hub never vacuums, so the database only grows.
    length: u64,
}

/// Identifies a file independently of its path: device and inode.
type Identity = (u64, u64);

impl FileWatch {
    /// Remembers the files of an open database. It must have been written to, so that both files exist.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let log_path = beside(path, "-wal");
        let (database, log) = (fs::metadata(path)?, fs::metadata(&log_path)?);
        Ok(Self {
            length: database.len(),
            database: (path.to_path_buf(), identity(&database)),
            log: (log_path, identity(&log)),
        })
    }

    /// True where both files are still at their paths, and the database has not become shorter.
    pub fn is_intact(&mut self) -> bool {
        let Some(database) = same(&self.database).filter(|database| database.len() >= self.length) else {
            return false;
        };
        self.length = database.len();
        same(&self.log).is_some()
    }
}

fn same((path, known): &(PathBuf, Identity)) -> Option<Metadata> {
    fs::metadata(path).ok().filter(|found| identity(found) == *known)
}

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_moved_replaced_or_cut_is_noticed_and_so_is_its_return() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.db");
        fs::write(&path, "0123456789").unwrap();
        fs::write(beside(&path, "-wal"), "log").unwrap();
        let mut watch = FileWatch::begin(&path).unwrap();
        assert!(watch.is_intact());
        let away = folder.path().join("away");
        fs::rename(&path, &away).unwrap();
        assert!(!watch.is_intact(), "moved");
        fs::write(&path, "another one").unwrap();
        assert!(!watch.is_intact(), "replaced");
        fs::rename(&away, &path).unwrap();
        assert!(watch.is_intact(), "back again");
        fs::write(&path, "012345678").unwrap();
        assert!(!watch.is_intact(), "cut short");
        fs::write(&path, "0123456789a").unwrap();
        assert!(watch.is_intact());
        fs::remove_file(beside(&path, "-wal")).unwrap();
        assert!(!watch.is_intact(), "the log is gone");
    }
}
