//! The readers: threads with a connection each, which answer questions in the order of [`Line`].

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::line::{Asker, Line, READERS};
use super::query::{Query, ReadError};
use crate::protocol::FaultKind;
use crate::sqlite::open::read_only;
use crate::sqlite::{DbError, kind_of};
use crate::telemetry::integrity::Integrity;

/// Pages that a reader keeps, in KiB.
const CACHE_KIB: i64 = 16 * 1_024;

/// Opens a connection as readers have it.
pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    read_only(path, CACHE_KIB)
}

/// The way to the readers of one file. They end when the last one is gone and what waits is answered.
#[derive(Clone)]
pub struct Readers(Arc<Entrance>);

struct Entrance(Arc<Shared>);

/// What readers and askers share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// A job came, or the way in was closed.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    line: Line<Job>,
    closed: bool,
}

/// A question with the way back for its answer.
type Job = Box<dyn FnOnce(&mut Reader) + Send>;

/// A connection, opened when it is needed.
struct Reader {
    path: PathBuf,
    integrity: Integrity,
    /// Counts the files that stood at the path.
    generation: Arc<AtomicU64>,
    /// The connection, and which of those files it has open.
    connection: Option<(u64, Connection)>,
}

impl Readers {
    /// Starts readers of the database at `path`, which must exist when the first question comes.
    pub fn start(path: &Path, integrity: &Integrity) -> io::Result<Self> {
        Self::start_on_replaced(path, integrity, &Arc::default())
    }

    /// The same on a file that is replaced by another one at times; whoever does counts that in `generation` afterwards.
    pub fn start_on_replaced(
        path: &Path,
        integrity: &Integrity,
        generation: &Arc<AtomicU64>,
    ) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let entrance = Entrance(Arc::clone(&shared));
        for _ in 0..READERS {
            let reader = Reader {
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

    /// Asks, and waits for the turn of whoever asks. What nobody waits for any more when its turn comes is not answered.
    pub fn ask<Q: Query>(
        &self,
        asker: Asker,
        query: Q,
    ) -> impl Future<Output = Result<Q::Answer, ReadError>> + 'static + use<Q> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |reader| {
            // A client that hung up, and asks again, must not be answered twice.
            if reply.is_closed() {
                return;
            }
            if reply.send(reader.answer(query)).is_err() {
                log::trace!("a question was answered after its asker had stopped waiting");
            }
        });
        let shared = &self.0.0;
        let waits = shared.lock().line.push(asker, job);
        shared.changed.notify_one();
        async move {
            if !waits {
                return Err(ReadError::Busy);
            }
            // The way back is lost only with its reader.
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

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, mut reader: Reader) {
        while let Some((asker, job)) = self.next() {
            // Not held while the question is answered: others come and go.
            let _done = Done { shared: self, asker };
            job(&mut reader);
        }
    }

    /// The next job; `None` where no more will come.
    fn next(&self) -> Option<(Asker, Job)> {
        let mut state = self.lock();
        loop {
            if let Some(next) = state.line.next() {
                return Some(next);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Gives an asker's place at the readers back, whatever became of the job.
struct Done<'a> {
    shared: &'a Shared,
    asker: Asker,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.shared.lock().line.done(&self.asker);
        self.shared.changed.notify_one();
    }
}

impl Reader {
    fn answer<Q: Query>(&mut self, query: Q) -> Result<Q::Answer, ReadError> {
        let opened = self.connection().and_then(Connection::transaction);
        let answer = opened.map_err(ReadError::from).and_then(|transaction| query.answer(&transaction));
        self.note_fault(answer.as_ref().err());
        answer
    }

    fn connection(&mut self) -> Result<&mut Connection, rusqlite::Error> {
        let generation = self.generation.load(Ordering::Acquire);
        // Opened on the first question, and again after an error: a fault must not outlive its cause.
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
