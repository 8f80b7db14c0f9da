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

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;

use super::follower::{self, Handle, alarm};
use super::own_file::{Keeper, OwnFile};

pub use find::{Found, Kinds, Search};
pub use words::Wanted;

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
    file: OwnFile,
    follower: Handle<Reached>,
    idle: Mutex<Vec<(u64, Connection)>>,
}

impl SearchIndex {
    /// Starts to follow the database, which must exist.
    pub fn start(database: &Path) -> std::io::Result<Arc<Self>> {
        let file = OwnFile::beside(database, file::ENDING);
        let (tell, reached) = watch::channel(Reached::default());
        let (wake, woken) = alarm();
        let indexer = follow::Indexer::new(database.to_owned(), tell);
        follower::start(Keeper::new(indexer, file.clone()), woken)?;
        Ok(Arc::new(Self { file, follower: Handle::new(wake, reached), idle: Mutex::default() }))
    }

    /// Waits until the index has everything up to `seq`, but no longer than `patience`, and not for a building that
    /// takes longer than anyone wants to wait.
    pub async fn reach(&self, seq: i64, patience: Duration) -> Reached {
        let is_settled =
            |reached: &Reached| reached.has(seq) || matches!(reached.state, State::Building | State::Failed);
        self.follower.reach(patience, is_settled).await
    }

    /// Lends a connection that reads the index.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let generation = self.file.generation().load(Ordering::Acquire);
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let known = idle().pop().filter(|(of, _)| *of == generation);
        let connection =
            known.map_or_else(|| crate::reads::open(self.file.path()), |(_, connection)| Ok(connection))?;
        // One that met an error is not kept: a fault must not outlive its cause.
        let answer = read(&connection)?;
        idle().push((generation, connection));
        Ok(answer)
    }
}
