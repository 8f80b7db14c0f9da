//! Questions to what is stored: history, the index of words, the facts behind the metrics. A small pool of read-only
//! connections for each file; handlers and the hub ask it directly, and no SQL ever runs on the hub's thread.
//!
//! # Contract
//!
//! 1. Every question is answered from one read transaction: its parts agree with each other.
//! 2. A question sees every delivery that was acknowledged before it was asked.
//! 3. Bounds: [`READERS`] at work, [`line::QUESTIONS_WAITING_MAX`] waiting; beyond that the answer is
//!    [`ReadError::Busy`].
//! 4. Nobody's questions hold up another's: each asker has a line and a bound of their own, lines are served in turn, and
//!    at most [`line::READERS_PER_ASKER`] readers work for one asker at a time.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, Row, Transaction};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::domain::{ChatMessage, Seq};
use crate::protocol::MessageSummary;
use crate::sqlite::DbError;
use crate::sqlite::open::read_only;

pub mod line;
pub mod readers;
pub mod cursor;
pub mod page;
mod needle;
pub(crate) mod visible;
pub(crate) mod seen;
mod gather;
pub mod contacts;
pub mod chats;
pub mod messages;
pub mod members;
mod history_names;
pub mod history;
pub mod alerts;
pub mod names;
pub mod past;
pub mod past_stats;
pub mod updates;
pub mod replay;
pub mod webhooks;
pub mod stats;
pub mod snapshot;
pub mod search;
pub mod analytics;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use alerts::{AlertFilter, GetAlert, GetSettings, ListAlerts, LoadDeadlines};
pub use analytics::AnalyticsReads;
pub use chats::{ChatFilter, GetChat, GetPlacement, ListChats, ListContactChats, StatusFilter};
pub use contacts::{ContactFilter, GetContact, ListContacts};
pub use cursor::{Cursor, CursorError};
pub use history::ListTransitions;
pub use line::Asker;
pub use members::{ListMembers, ListedMember};
pub use messages::{ListChatMessages, ListMessages, MessageFilter};
pub use names::{AgentNames, AllAgentNames, FoundNames, LookUpNames};
pub use page::{Order, Page, PageAt, Sort};
pub use past::{GetPastChat, ListPastChats, PastChats};
pub use past_stats::PastStats;
pub use readers::Readers;
pub use replay::{CountPast, LocatePast, Located, PastPart, PastPlace, PastUpdate, PastView, ReadPast};
pub use search::SearchReads;
pub use snapshot::{Snapshot, SnapshotAnswer};
pub use stats::{LoadStats, ScopedStats};
pub use updates::{ListUpdates, LoadNewest, LoadStretch, Stretch, Updates};
pub use visible::chats_seen;
pub use webhooks::{WebhookReport, WebhookStatus};

/// Connections that answer at the same time: two for a user alone, and one that is left to others.
pub const READERS: usize = 3;
/// Pages that a reader keeps, in KiB.
const CACHE_KIB: i64 = 16 * 1_024;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A position in another epoch.
    #[error("the position belongs to another epoch")]
    EpochChanged,
    /// A position whose updates are no longer kept.
    #[error("the position is older than the kept updates")]
    Expired,
    /// A position that the journal has not reached.
    #[error("the position is ahead of the journal")]
    PositionAhead,
    /// A cursor that was made by another list, or by the same list sorted or filtered otherwise.
    #[error("the cursor belongs to another list, order or filter")]
    BadCursor,
    /// A moment since which more has happened than is gone through for one answer.
    #[error("more has happened since then than is gone through for one answer")]
    TooFarBack,
    /// Too many questions are waiting.
    #[error("too many questions are waiting")]
    Busy,
    /// The database did not answer, or holds a state that cannot be read.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The search index did not answer.
    #[error("the search index did not answer")]
    Search(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        Self::Database(error.into())
    }
}

impl ReadError {
    /// True where the same question may be answered later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Busy | Self::Search(_) => true,
            Self::Database(error) => !matches!(error, DbError::Corrupt(_)),
            Self::EpochChanged | Self::Expired | Self::PositionAhead | Self::BadCursor | Self::TooFarBack => {
                false
            }
        }
    }
}

/// Who answers questions to what is stored. None of them passes the hub.
#[derive(Debug)]
pub struct Reads {
    /// The readers of the database.
    pub history: Readers,
    /// Where texts and names are looked up.
    pub search: Arc<SearchReads>,
    /// The metrics of the team.
    pub analytics: AnalyticsReads,
    /// The position up to which deliveries were handed out and acknowledged. Search and metrics follow the journal behind
    /// it.
    pub newest: watch::Receiver<Seq>,
}

impl Reads {
    /// The newest position that was handed out and acknowledged.
    pub fn newest(&self) -> Seq {
        *self.newest.borrow()
    }

    /// Waits until search or the metrics hold whatever was acknowledged before, but no longer than they may be waited for: a
    /// question that is asked afterwards sees it. Returns that newest position, and how far they have come.
    pub async fn catch_up<F: Follows>(&self, of: &F) -> (Seq, F::Position) {
        let newest = self.newest();
        (newest, of.reach(newest).await)
    }
}

/// Readers of a file that follows the journal behind.
pub trait Follows {
    /// How far the file has come.
    type Position;

    /// Waits until everything up to `newest` is in it, for a bounded time; where it is then.
    fn reach(&self, newest: Seq) -> impl Future<Output = Self::Position> + Send;
}

/// A question to history.
pub trait Query: Send + 'static {
    /// What it is answered with.
    type Answer: Send + 'static;

    /// Answers within one read transaction.
    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError>;
}

/// Opens a connection as readers have it.
pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    read_only(path, CACHE_KIB)
}

/// Reads a stored state.
fn parse_state<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, ReadError> {
    let state = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(serde_json::from_str(state)?)
}

/// Reads the newest message of a list's row, in short; `None` where there is none.
fn parse_summary(row: &Row<'_>, column: usize) -> Result<Option<MessageSummary>, ReadError> {
    let Some(state) = row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)? else {
        return Ok(None);
    };
    Ok(Some(MessageSummary::from(&serde_json::from_str::<ChatMessage>(state)?)))
}
