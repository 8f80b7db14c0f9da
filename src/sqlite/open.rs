//! How connections are opened and set up: one way for those that write, and one for those that only read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// How long a connection waits for another one that has locked the file. It is less than a delivery waits for
/// the disk, so that the fault is known before the provider gives up. In WAL mode readers wait only for the
/// last step of a checkpoint.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Most prepared statements that a reader keeps.
const READER_STATEMENTS: usize = 64;

/// How a connection that writes is set up.
#[derive(Debug, Clone, Copy)]
pub struct Writing {
    /// Size of its page cache, in KiB.
    pub cache_kib: i64,
    /// Most prepared statements that it keeps.
    pub statements: usize,
    /// True where a commit must survive a power cut. Where false, the newest commits may be lost together.
    pub durable: bool,
    /// True where deleted data must be overwritten as soon as its page is written.
    pub erases: bool,
}

impl Writing {
    /// Sets up an open connection. The file gets a write-ahead log.
    pub fn configure(self, connection: &Connection) -> rusqlite::Result<()> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", if self.durable { "FULL" } else { "NORMAL" })?;
        connection.pragma_update(None, "cache_size", -self.cache_kib)?;
        if self.erases {
            connection.pragma_update(None, "secure_delete", true)?;
        }
        connection.set_prepared_statement_cache_capacity(self.statements);
        Ok(())
    }

    /// Opens a file, and creates it where it does not exist.
    pub fn open(self, path: &Path) -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        self.configure(&connection)?;
        Ok(connection)
    }
}

/// Opens a connection that only reads, with a page cache of `cache_kib`.
pub fn read_only(path: &Path, cache_kib: i64) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    // The file is not memory-mapped: a page that the disk cannot read would end the process instead of failing
    // one answer.
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.set_prepared_statement_cache_capacity(READER_STATEMENTS);
    Ok(connection)
}

/// A connection that only reads, opened when it is first needed, and again after it was closed because of a fault.
pub struct DatabaseReader {
    path: PathBuf,
    cache_kib: i64,
    connection: Option<Connection>,
}

impl DatabaseReader {
    /// With a page cache of `cache_kib`.
    pub fn new(path: PathBuf, cache_kib: i64) -> Self {
        Self { path, cache_kib, connection: None }
    }

    pub fn connection(&mut self) -> rusqlite::Result<&mut Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => read_only(&self.path, self.cache_kib)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Closes the connection, which may be the cause of a fault.
    pub fn close(&mut self) {
        self.connection = None;
    }
}

/// Checks every page, index and row of a file, and returns what is wrong; empty for a sound file. Takes about
/// four seconds per million messages.
pub fn deep_check(path: &Path) -> rusqlite::Result<Vec<String>> {
    quick_check(&Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// Does the same on an open connection.
pub fn quick_check(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = connection.prepare("PRAGMA quick_check(20)")?;
    let findings: Vec<String> = check.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(findings.into_iter().filter(|finding| finding != "ok").collect())
}
