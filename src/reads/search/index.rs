//! Readers of the search index.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use crate::derived::search::{IndexProgress, WordIndex};
use crate::domain::Seq;
use crate::protocol::FaultKind;
use crate::reads::{Follows, open};
use crate::sqlite::kind_of;

/// How long a search waits for the index to reach the newest delivery.
pub const SEARCH_WAIT: Duration = Duration::from_secs(2);

/// The search index, and idle connections to it.
#[derive(Debug)]
pub struct SearchReads {
    index: WordIndex,
    idle: Mutex<Vec<(u64, Connection)>>,
}

impl SearchReads {
    pub fn new(index: WordIndex) -> Self {
        Self { index, idle: Mutex::default() }
    }

    /// Runs `read` on a connection to the index. If the file turns out to be damaged, it is built again.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let file = self.index.file();
        let generation = file.generation().load(Ordering::Acquire);
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let known = idle().pop().filter(|(of, _)| *of == generation);
        let connection = known.map_or_else(|| open(file.path()), |(_, connection)| Ok(connection))?;
        // After an error the connection is not kept, so that a fault does not outlive its cause.
        let answer = read(&connection).inspect_err(|error| {
            // Only if the file was not replaced meanwhile.
            let is_newest = || file.generation().load(Ordering::Acquire) == generation;
            if kind_of(error) == FaultKind::Damaged && is_newest() {
                self.index.note_damage();
            }
        })?;
        idle().push((generation, connection));
        Ok(answer)
    }
}

impl Follows for SearchReads {
    type Position = IndexProgress;

    async fn reach(&self, newest: Seq) -> IndexProgress {
        self.index.reach(newest, SEARCH_WAIT).await
    }
}
