//! The readers of the index of words.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use crate::derived::search::{Reached, WordIndex};
use crate::domain::Seq;
use crate::protocol::FaultKind;
use crate::reads::{Follows, open};
use crate::sqlite::kind_of;

/// How long a search waits for the newest delivery to be in the index.
pub const SEARCH_WAIT: Duration = Duration::from_secs(2);

/// Connections that read the index.
#[derive(Debug)]
pub struct SearchReads {
    index: WordIndex,
    idle: Mutex<Vec<(u64, Connection)>>,
}

impl SearchReads {
    /// Readers of this index.
    pub fn new(index: WordIndex) -> Self {
        Self { index, idle: Mutex::default() }
    }

    /// Lends a connection that reads the index. One that holds what does not fit is built again.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let file = self.index.file();
        let generation = file.generation().load(Ordering::Acquire);
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let known = idle().pop().filter(|(of, _)| *of == generation);
        let connection = known.map_or_else(|| open(file.path()), |(_, connection)| Ok(connection))?;
        // One that met an error is not kept: a fault must not outlive its cause.
        let answer = read(&connection).inspect_err(|error| {
            // Not of a file whose place another one took meanwhile.
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
    type Position = Reached;

    async fn reach(&self, newest: Seq) -> Reached {
        self.index.reach(newest, SEARCH_WAIT).await
    }
}
