//! Readers of a file that is replaced.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, Transaction};

use crate::archive::{Archive, ArchiveError, Ask, Query, READERS};
use crate::telemetry::integrity::Integrity;

struct WhichFile;

impl Query for WhichFile {
    type Answer = String;

    fn answer(self, tx: &Transaction<'_>) -> Result<String, ArchiveError> {
        Ok(tx.query_row("SELECT name FROM file", [], |row| row.get(0))?)
    }
}

fn make(path: &Path, name: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE file (name TEXT)").unwrap();
    connection.execute("INSERT INTO file VALUES (?1)", [name]).unwrap();
}

#[actix_rt::test]
async fn every_reader_turns_to_the_file_that_took_the_place_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let (path, next) = (folder.path().join("file"), folder.path().join("next"));
    make(&path, "first");
    make(&next, "second");
    let generation = Arc::<AtomicU64>::default();
    let archive = Archive::start_on_replaced(path.clone(), Integrity::default(), Arc::clone(&generation));
    let answers = async || {
        // Together, so that each of them has a part.
        let asked: Vec<_> = (0..READERS * 20).map(|_| archive.send(Ask(WhichFile))).collect();
        let mut answers = Vec::new();
        for answer in asked {
            answers.push(answer.await.unwrap().unwrap());
        }
        answers
    };
    assert!(answers().await.iter().all(|name| name == "first"));
    std::fs::rename(&next, &path).unwrap();
    generation.fetch_add(1, Ordering::AcqRel);
    assert!(answers().await.iter().all(|name| name == "second"));
}
