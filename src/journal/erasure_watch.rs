//! Notices that a person is erased while a copy of the database is made or sent: the copy holds the person, and a slow line may
//! take hours for it.
//!
//! # Contract
//!
//! 1. [`LOOK_EVERY`] after the erasure its maker is told, and what it has copied is emptied, whatever it is waiting for.
//! 2. Erasures by age do not end a copy. They come one after the other for days, so none would ever be finished.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::head::last_seq;
use super::replace_error::{ReplaceError, database_error, io_error};
use crate::domain::Seq;
use crate::sqlite::open::DatabaseReader;

/// How often it is looked whether somebody was erased.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Page cache in KiB; a look reads a few pages.
const CACHE_KIB: i64 = 64;

/// Empties a copy once somebody is erased. It has the file open, so the bytes of a copy that was removed stay until this is dropped, or
/// [`empty`](Self::empty) is called.
pub struct ErasureWatch {
    copy: Arc<File>,
    is_over: Arc<AtomicBool>,
    /// Ends the thread when it is dropped.
    ends: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ErasureWatch {
    /// Begins before the first page is copied. `copy` is the file that is to be filled.
    pub fn begin(database: &Path, copy: &Path) -> Result<Self, ReplaceError> {
        let mut reader = DatabaseReader::new(database.to_path_buf(), CACHE_KIB);
        let known = reader.connection().and_then(|connection| last_seq(connection));
        let known = known.map_err(database_error(database))?;
        let file = Arc::new(File::options().write(true).open(copy).map_err(io_error(copy))?);
        let is_over = Arc::new(AtomicBool::new(false));
        let (ends, ended) = channel();
        let (copied, told) = (Arc::clone(&file), Arc::clone(&is_over));
        let thread = std::thread::Builder::new()
            .name("erasure-watch".into())
            .spawn(move || watch(reader, known, &copied, &told, &ended))
            .map_err(io_error(copy))?;
        Ok(Self { copy: file, is_over, ends: Some(ends), thread: Some(thread) })
    }

    /// True once somebody was erased who may be in the copy.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Empties the copy, because nobody needs it any more.
    pub fn empty(&self) {
        empty(&self.copy);
    }
}

impl Drop for ErasureWatch {
    fn drop(&mut self) {
        self.ends = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            log::error!("a copy was not watched to its end");
        }
    }
}

fn watch(mut reader: DatabaseReader, known: Seq, copy: &File, is_over: &AtomicBool, ended: &Receiver<()>) {
    while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
        match reader.connection().and_then(|connection| is_anybody_erased_after(connection, known)) {
            Ok(true) => {
                // First its maker, so that it adds a step at most to what is emptied. It removes the file.
                is_over.store(true, Ordering::Release);
                return empty(copy);
            }
            Ok(false) => {}
            Err(error) => {
                log::debug!("whether somebody was erased is not known: {error}");
                reader.close();
            }
        }
    }
}

fn empty(copy: &File) {
    if let Err(error) = copy.set_len(0) {
        log::warn!("a copy of the database cannot be emptied: {error}");
    }
}

/// Whether a user had somebody erased behind this position. The hub's own erasures are those by age.
fn is_anybody_erased_after(connection: &Connection, seq: Seq) -> rusqlite::Result<bool> {
    // In this order: erasures are few, and positions many.
    let mut select = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM erasures CROSS JOIN journal ON journal.seq = erasures.seq
                        WHERE erasures.seq > ?1 AND journal.origin LIKE 'user:%')",
    )?;
    select.query_row([seq.0], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::steps::migrate_to_latest;

    #[test]
    fn what_a_user_erases_ends_a_copy_and_what_goes_by_age_does_not() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_to_latest(&mut connection).unwrap();
        let erases = |seq: i64, origin: &str| {
            let journal = "INSERT INTO journal (seq, event_id, event_type, update_type, received_at, origin)
                           VALUES (?1, ?1, '', '', 0, ?2)";
            connection.execute(journal, (seq, origin)).unwrap();
            let erasure = "INSERT INTO erasures (contact_id, at, seq, by, reason, block)
                           VALUES (?1, 0, ?1, 'hub', '', 0)";
            connection.execute(erasure, [seq]).unwrap();
        };
        let is_over = |after: i64| is_anybody_erased_after(&connection, Seq(after)).unwrap();
        erases(7, "hub");
        assert!(!is_over(5));
        erases(9, "user:hub");
        assert_eq!((is_over(5), is_over(8), is_over(9)), (true, true, false));
    }
}
