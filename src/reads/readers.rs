//! Reader threads with one connection each. They take questions from a [`FairQueue`].

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::fair_queue::{Asker, FairQueue, READERS};
use super::query::{Query, ReadError};
use crate::protocol::FaultKind;
use crate::sqlite::open::read_only;
use crate::sqlite::{DbError, kind_of};
use crate::telemetry::integrity::Integrity;

/// Page cache of each reader, in KiB.
const CACHE_KIB: i64 = 16 * 1_024;

/// Opens a read-only connection with the settings of readers.
pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    read_only(path, CACHE_KIB)
}

/// Handle to the reader threads of one file. The threads end after the last handle is dropped and the waiting
/// questions are answered.
#[derive(Clone)]
pub struct Readers(Arc<Entrance>);

struct Entrance(Arc<ReaderPool>);

/// What the threads and the handles share.
#[derive(Default)]
struct ReaderPool {
    state: Mutex<PoolState>,
    /// Signalled when a job is added or the last handle is dropped.
    changed: Condvar,
}

#[derive(Default)]
struct PoolState {
    queue: FairQueue<QueryJob>,
    closed: bool,
}

/// A question, together with the channel for its answer.
type QueryJob = Box<dyn FnOnce(&mut ReaderThread) + Send>;

/// A thread's connection, opened when the first question comes.
struct ReaderThread {
    path: PathBuf,
    integrity: Integrity,
    /// Counts how often the file was replaced.
    generation: Arc<AtomicU64>,
    /// The connection, and the generation of the file that it has open.
    connection: Option<(u64, Connection)>,
}

impl Readers {
    /// Starts readers of the database at `path`. The file must exist when the first question comes.
    pub fn start(path: &Path, integrity: &Integrity) -> io::Result<Self> {
        Self::start_on_replaced(path, integrity, &Arc::default())
    }

    /// Like [`Self::start`], for a file that may be replaced. Whoever replaces it increments `generation`
    /// afterwards.
    pub fn start_on_replaced(
        path: &Path,
        integrity: &Integrity,
        generation: &Arc<AtomicU64>,
    ) -> io::Result<Self> {
        let shared = Arc::<ReaderPool>::default();
        let entrance = Entrance(Arc::clone(&shared));
        for _ in 0..READERS {
            let reader = ReaderThread {
                path: path.to_path_buf(),
                integrity: integrity.clone(),
                generation: Arc::clone(generation),
                connection: None,
            };
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name("reader".into()).spawn(move || shared.work(reader))?;
        }
        Ok(Self(Arc::new(entrance)))
    }

    /// Asks a question and waits for its answer. If the caller stops waiting before its turn, the
    /// question is dropped.
    pub fn ask<Q: Query>(
        &self,
        asker: Asker,
        query: Q,
    ) -> impl Future<Output = Result<Q::Answer, ReadError>> + 'static + use<Q> {
        let (reply, answer) = oneshot::channel();
        let job: QueryJob = Box::new(move |reader| {
            // The client hung up, and may already have asked again.
            if reply.is_closed() {
                return;
            }
            if reply.send(reader.answer(query)).is_err() {
                log::trace!("a question was answered after its asker had stopped waiting");
            }
        });
        let shared = &self.0.0;
        let waits = shared.lock().queue.push(asker, job);
        shared.changed.notify_one();
        async move {
            if !waits {
                return Err(ReadError::Busy);
            }
            // The channel is lost only if its reader thread is.
            answer.await.unwrap_or(Err(ReadError::Busy))
        }
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl ReaderPool {
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, mut reader: ReaderThread) {
        while let Some((asker, job)) = self.next() {
            // The queue is not locked while the question is answered.
            let _done = ReaderInUse { shared: self, asker };
            job(&mut reader);
        }
    }

    /// The next job; `None` once no more can come.
    fn next(&self) -> Option<(Asker, QueryJob)> {
        let mut state = self.lock();
        loop {
            if let Some(next) = state.queue.next() {
                return Some(next);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Gives an asker's reader back when it is dropped, even if the job panicked.
struct ReaderInUse<'a> {
    shared: &'a ReaderPool,
    asker: Asker,
}

impl Drop for ReaderInUse<'_> {
    fn drop(&mut self) {
        self.shared.lock().queue.done(&self.asker);
        self.shared.changed.notify_one();
    }
}

impl ReaderThread {
    /// Answers a question. One that panics is refused, and costs only the connection that it used: without its threads the hub
    /// would answer nothing more.
    fn answer<Q: Query>(&mut self, query: Q) -> Result<Q::Answer, ReadError> {
        catch_unwind(AssertUnwindSafe(|| self.try_answer(query))).unwrap_or_else(|_printed| {
            self.connection = None;
            Err(ReadError::Database(DbError::Panicked))
        })
    }

    fn try_answer<Q: Query>(&mut self, query: Q) -> Result<Q::Answer, ReadError> {
        let opened = self.connection().and_then(Connection::transaction);
        let answer = opened.map_err(ReadError::from).and_then(|transaction| query.answer(&transaction));
        self.note_fault(answer.as_ref().err());
        answer
    }

    fn connection(&mut self) -> Result<&mut Connection, rusqlite::Error> {
        let generation = self.generation.load(Ordering::Acquire);
        // Opened for the first question, and again after an error, so that a fault does not outlive
        // its cause.
        let known = self.connection.take().filter(|(of, _)| *of == generation);
        let opened = match known {
            Some(known) => known,
            None => (generation, open(&self.path)?),
        };
        Ok(&mut self.connection.insert(opened).1)
    }

    fn note_fault(&mut self, error: Option<&ReadError>) {
        let Some(ReadError::Database(DbError::Sqlite(error))) = error else { return };
        self.connection = None;
        if kind_of(error) == FaultKind::Damaged {
            self.integrity.note_damage(error.to_string());
        }
    }
}
