//! Search: an index of words in a file of its own beside the database, and questions to it.
//!
//! # Contract
//!
//! 1. **Derived.** The file holds nothing that the database does not hold; deleted, damaged or outdated, it is built anew.
//! 2. **Behind, never ahead.** A thread of its own follows what was committed; no delivery waits for it. Words and position
//!    change in one transaction of the index's file.
//! 3. **Honest.** An answer says up to which position the index had everything ([`Reached`]), and waits for a position at
//!    most as long as it is told to.
//! 4. What is found is looked at again in the database: a scope, a mask or a newer text decides there.

mod words;
mod highlight;
mod file;
mod follow;
mod find;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;

use crate::telemetry::priority::give_way;

pub use find::{Found, Kinds, Search};
pub use words::Wanted;

/// How often the index looks for what was committed where nobody asks, in milliseconds.
const LOOK_MS: u64 = 500;
/// How long it waits after a fault before it begins again, in seconds.
const RETRY_SECONDS: u64 = 5;

/// How far the index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reached {
    /// The position up to which it has everything; of no meaning before `state` is [`State::Following`].
    pub seq: i64,
    /// What it is doing.
    pub state: State,
}

/// What the index is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// It begins: what it has is not known yet.
    #[default]
    Starting,
    /// It is built anew, which takes seconds per hundred thousand messages.
    Building,
    /// It has everything up to its position.
    Following,
    /// It cannot be written; it tries again.
    Failed,
}

impl Reached {
    /// True where everything up to `seq` is in it.
    pub fn has(&self, seq: i64) -> bool {
        self.state == State::Following && self.seq >= seq
    }
}

/// The index, as those see it who ask. Its thread ends when the last of them is gone.
#[derive(Debug)]
pub struct SearchIndex {
    path: PathBuf,
    reached: watch::Receiver<Reached>,
    wake: SyncSender<()>,
    /// Which file lies at `path`: it grows each time another one is put there.
    generation: Arc<AtomicU64>,
    idle: Mutex<Vec<(u64, Connection)>>,
}

impl SearchIndex {
    /// Starts to follow the database, which must exist.
    pub fn start(database: &Path) -> std::io::Result<Arc<Self>> {
        let path = file::path_of(database);
        let (tell, reached) = watch::channel(Reached::default());
        let (wake, woken) = sync_channel(1);
        let generation = Arc::new(AtomicU64::new(0));
        let follower =
            follow::Follower::new(database.to_owned(), path.clone(), tell, Arc::clone(&generation));
        std::thread::Builder::new().name("search".into()).spawn(move || keep_following(follower, &woken))?;
        Ok(Arc::new(Self { path, reached, wake, generation, idle: Mutex::default() }))
    }

    /// Waits until the index has everything up to `seq`, but no longer than `patience`, and not for a building that
    /// takes longer than anyone wants to wait.
    pub async fn reach(&self, seq: i64, patience: Duration) -> Reached {
        let mut reached = self.reached.clone();
        let is_settled =
            |reached: &Reached| reached.has(seq) || matches!(reached.state, State::Building | State::Failed);
        if !is_settled(&reached.borrow()) && self.wake.try_send(()).is_err() {
            log::trace!("the search index is awake already, or it has ended");
        }
        // Too late or ended: what it has reached is the answer all the same.
        drop(tokio::time::timeout(patience, reached.wait_for(is_settled)).await);
        *self.reached.borrow()
    }

    /// Lends a connection that reads the index.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let generation = self.generation.load(Ordering::Acquire);
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let known = idle().pop().filter(|(of, _)| *of == generation);
        let connection =
            known.map_or_else(|| crate::reads::open(&self.path), |(_, connection)| Ok(connection))?;
        // One that met an error is not kept: a fault must not outlive its cause.
        let answer = read(&connection)?;
        idle().push((generation, connection));
        Ok(answer)
    }
}

/// Follows until nobody asks any more.
fn keep_following(mut follower: follow::Follower, woken: &Receiver<()>) {
    give_way("the search index");
    loop {
        let pause = match follower.catch_up() {
            Ok(()) => Duration::from_millis(LOOK_MS),
            Err(error) => {
                follower.fail(&error);
                Duration::from_secs(RETRY_SECONDS)
            }
        };
        if woken.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}
