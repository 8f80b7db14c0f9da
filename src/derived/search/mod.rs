//! The search index: an index of words in a file of its own beside the database.
//!
//! # Contract
//!
//! 1. **Derived.** The file holds nothing that the database does not hold. If it is deleted, damaged or
//!    outdated, it is built again.
//! 2. **Behind, never ahead.** A thread of its own follows what was committed, and no delivery waits for it.
//!    Words and position change in one transaction of the file.

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
pub struct IndexProgress {
    /// The position up to which the index is complete. Meaningless unless `state` is
    /// [`IndexState::Following`].
    pub seq: i64,
    pub state: IndexState,
}

/// What the index is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IndexState {
    /// Starting: what is indexed is not known yet.
    #[default]
    Starting,
    /// Being built, which takes seconds for each hundred thousand messages.
    Building,
    /// Complete up to its position.
    Following,
    /// Cannot be written at the moment.
    Failed,
}

impl IndexProgress {
    /// True if the index is complete up to `seq`.
    pub fn has(&self, seq: Seq) -> bool {
        self.state == IndexState::Following && self.seq >= seq.0
    }
}

/// The search index of a database, kept by a thread that ends when the last handle is dropped.
#[derive(Debug, Clone)]
pub struct WordIndex {
    file: OwnFile,
    follower: Handle<IndexProgress>,
}

impl WordIndex {
    /// Starts to follow the database, which must exist.
    pub fn start(database: &Path) -> io::Result<Self> {
        let file = OwnFile::beside(database, file::ENDING);
        let (tell, reached) = watch::channel(IndexProgress::default());
        let (wake, woken) = alarm();
        let indexer = follow::Indexer::new(database.to_owned(), tell);
        follower::start(Keeper::new(indexer, file.clone()), woken)?;
        Ok(Self { file, follower: Handle::new(wake, reached) })
    }

    pub fn file(&self) -> &OwnFile {
        &self.file
    }

    /// Waits at most `patience` until the index is complete up to `newest`. Does not wait while the index
    /// is being built or has failed, because that takes longer than anyone wants to wait.
    pub async fn reach(&self, newest: Seq, patience: Duration) -> IndexProgress {
        let will_do = |reached: &IndexProgress| {
            reached.has(newest) || matches!(reached.state, IndexState::Building | IndexState::Failed)
        };
        self.follower.reach(patience, will_do).await
    }

    /// Notes that readers found the file damaged, so that it is built again.
    pub fn note_damage(&self) {
        self.file.note_damage();
        self.follower.wake();
    }
}
