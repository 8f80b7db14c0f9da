//! Questions to what is stored: history, the index of words, the facts behind the metrics. A small pool of read-only
//! connections for each file; handlers and the hub ask it directly, and no SQL ever runs on the hub's thread.
//!
//! # Contract
//!
//! 1. Every question is answered from one read transaction: its parts agree with each other.
//! 2. A question sees every delivery that was acknowledged before it was asked.
//! 3. Bounds: [`line::READERS`] at work, [`line::QUESTIONS_WAITING_MAX`] waiting; beyond that the answer is
//!    [`ReadError::Busy`].
//! 4. Nobody's questions hold up another's: each asker has a line and a bound of their own, lines are served in turn, and
//!    at most [`line::READERS_PER_ASKER`] readers work for one asker at a time.

use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::Seq;

pub mod query;
pub mod follows;
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
pub use follows::Follows;
pub use history::ListTransitions;
pub use line::Asker;
pub use members::{ListMembers, ListedMember};
pub use messages::{ListChatMessages, ListMessages, MessageFilter};
pub use names::{AgentNames, AllAgentNames, FoundNames, LookUpNames};
pub use page::{Order, Page, PageAt, Sort};
pub use past::{GetPastChat, ListPastChats, PastChats};
pub use past_stats::PastStats;
pub use query::{Query, ReadError};
pub use readers::{Readers, open};
pub use replay::{CountPast, LocatePast, Located, PastPart, PastPlace, PastUpdate, PastView, ReadPast};
pub use search::SearchReads;
pub use snapshot::{Snapshot, SnapshotAnswer};
pub use stats::{LoadStats, ScopedStats};
pub use updates::{ListUpdates, LoadNewest, LoadStretch, Stretch, Updates};
pub use visible::chats_seen;
pub use webhooks::{WebhookReport, WebhookStatus};

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
