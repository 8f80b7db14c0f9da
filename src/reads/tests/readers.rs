//! Readers switch to a file that replaced theirs, and serve all askers.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, Transaction};

use crate::reads::fair_queue::READERS;
use crate::reads::fair_queue::{QUESTIONS_PER_ASKER_MAX, READERS_PER_ASKER};
use crate::reads::{Asker, Query, ReadError, Readers};
use crate::telemetry::integrity::Integrity;

struct WhichFile;

impl Query for WhichFile {
    type Answer = String;

    fn answer(self, tx: &Transaction<'_>) -> Result<String, ReadError> {
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
    let history = Readers::start_on_replaced(&path, &Integrity::default(), &generation).unwrap();
    let answers = async || {
        // All at once, so that each reader answers some.
        let asked: Vec<_> = (0..READERS * 20).map(|_| history.ask(Asker::Hub, WhichFile)).collect();
        let mut answers = Vec::new();
        for answer in asked {
            answers.push(answer.await.unwrap());
        }
        answers
    };
    assert!(answers().await.iter().all(|name| name == "first"));
    std::fs::rename(&next, &path).unwrap();
    generation.fetch_add(1, Ordering::AcqRel);
    assert!(answers().await.iter().all(|name| name == "second"));
}

/// A question that says when a reader begins it, and then takes until the test ends it.
struct Expensive {
    begun: Sender<()>,
    go_on: Arc<Mutex<Receiver<()>>>,
}

impl Query for Expensive {
    type Answer = ();

    fn answer(self, _: &Transaction<'_>) -> Result<(), ReadError> {
        self.begun.send(()).unwrap();
        // Returns when the test drops the sender.
        assert!(self.go_on.lock().unwrap().recv().is_err());
        Ok(())
    }
}

#[actix_rt::test]
async fn one_users_dear_questions_hold_up_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    make(&path, "answered");
    let history = Readers::start(&path, &Integrity::default()).unwrap();
    let user = |name: &str| Asker::User(name.into());
    let ((begun, begins), (let_go, go_on)) = (channel(), channel());
    let go_on = Arc::new(Mutex::new(go_on));
    let dear = || history.ask(user("busy"), Expensive { begun: begun.clone(), go_on: Arc::clone(&go_on) });
    let dear: Vec<_> = (0..READERS_PER_ASKER + QUESTIONS_PER_ASKER_MAX).map(|_| dear()).collect();
    for _ in 0..READERS_PER_ASKER {
        begins.recv().unwrap();
    }
    // These are answered while the expensive questions are still running.
    for name in ["other", "third", "other"] {
        assert_eq!(history.ask(user(name), WhichFile).await.unwrap(), "answered");
    }
    assert_eq!(begins.try_recv(), Err(TryRecvError::Empty), "the others of it wait for the first ones");
    drop(let_go);
    let mut answered = 0;
    for answer in dear {
        answered += usize::from(answer.await.is_ok());
    }
    assert!(answered >= QUESTIONS_PER_ASKER_MAX, "{answered} of what waited within the bound were answered");
}

#[actix_rt::test]
async fn a_question_that_nobody_waits_for_any_more_is_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    make(&path, "answered");
    let history = Readers::start(&path, &Integrity::default()).unwrap();
    let ((begun, begins), (let_go, go_on)) = (channel(), channel());
    let go_on = Arc::new(Mutex::new(go_on));
    let dear = || history.ask(Asker::Hub, Expensive { begun: begun.clone(), go_on: Arc::clone(&go_on) });
    let at_work: Vec<_> = (0..READERS_PER_ASKER).map(|_| dear()).collect();
    for _ in 0..READERS_PER_ASKER {
        begins.recv().unwrap();
    }
    drop(dear());
    drop(let_go);
    for answer in at_work {
        answer.await.unwrap();
    }
    // The hub's readers answer one question each, and so have passed the one that was given up.
    for _ in 0..READERS_PER_ASKER {
        assert_eq!(history.ask(Asker::Hub, WhichFile).await.unwrap(), "answered");
    }
    assert_eq!(begins.try_recv(), Err(TryRecvError::Empty));
}

/// A question whose answer panics, as a mistake in its code would.
struct Mistaken;

impl Query for Mistaken {
    type Answer = ();

    fn answer(self, _: &Transaction<'_>) -> Result<(), ReadError> {
        panic!("a mistake")
    }
}

#[actix_rt::test]
async fn a_question_that_panics_costs_no_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    make(&path, "answered");
    let history = Readers::start(&path, &Integrity::default()).unwrap();
    for _ in 0..READERS {
        assert!(history.ask(Asker::Hub, Mistaken).await.is_err());
    }
    assert_eq!(history.ask(Asker::Hub, WhichFile).await.unwrap(), "answered");
}
