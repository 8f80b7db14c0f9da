//! An index of words in a file of its own beside the database.
//!
//! # Contract
//!
//! 1. **Derived.** The file holds nothing that the database does not hold; deleted, damaged or outdated, it is built again.
//! 2. **Behind, never ahead.** A thread of its own follows what was committed; no delivery waits for it. Words and position
//!    change in one transaction of the index's file.

mod words;
pub(super) mod file;
mod follow;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::sync::watch;

use super::follower::{self, Handle, alarm};
use super::own_file::{Keeper, OwnFile};
use crate::domain::Seq;

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
    pub fn has(&self, seq: Seq) -> bool {
        self.state == State::Following && self.seq >= seq.0
    }
}

/// The index of a database, which a thread keeps. The thread ends when the last handle is gone.
#[derive(Debug, Clone)]
pub struct WordIndex {
    file: OwnFile,
    follower: Handle<Reached>,
}

impl WordIndex {
    /// Starts to follow the database, which must exist.
    pub fn start(database: &Path) -> io::Result<Self> {
        let file = OwnFile::beside(database, file::ENDING);
        let (tell, reached) = watch::channel(Reached::default());
        let (wake, woken) = alarm();
        let indexer = follow::Indexer::new(database.to_owned(), tell);
        follower::start(Keeper::new(indexer, file.clone()), woken)?;
        Ok(Self { file, follower: Handle::new(wake, reached) })
    }

    /// The file that holds it.
    pub fn file(&self) -> &OwnFile {
        &self.file
    }

    /// Waits until it has everything up to `newest`, but no longer than `patience`, and not for a building that takes longer
    /// than anyone wants to wait.
    pub async fn reach(&self, newest: Seq, patience: Duration) -> Reached {
        let will_do = |reached: &Reached| {
            reached.has(newest) || matches!(reached.state, State::Building | State::Failed)
        };
        self.follower.reach(patience, will_do).await
    }

    /// Readers found it damaged: it is built again.
    pub fn note_damage(&self) {
        self.file.note_damage();
        self.follower.wake();
    }
}
