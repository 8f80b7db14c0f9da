//! Questions to what is stored: the database, the search index, and the facts behind the metrics. Each file
//! has a small pool of read-only connections. Handlers and the hub ask them directly, and no SQL runs on the
//! hub's thread.
//!
//! # Contract
//!
//! 1. Every question is answered from one read transaction: its parts agree with each other.
//! 2. A question sees every delivery that was acknowledged before it was asked.
//! 3. **Bounded.** [`fair_queue::READERS`] questions are answered at a time and
//!    [`fair_queue::QUESTIONS_WAITING_MAX`] may wait. Beyond that the answer is [`ReadError::Busy`].
//! 4. **Fair.** Each asker has a queue and a bound of their own, the queues are served in turn, and at most
//!    [`fair_queue::READERS_PER_ASKER`] readers work for one asker at a time.

use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::Seq;

pub mod query;
pub mod follows;
pub mod fair_queue;
pub mod readers;
pub mod cursor;
pub mod page;
mod needle;
pub(crate) mod visible;
pub(crate) mod visible_placements;
mod gather;
pub mod contacts;
pub mod chats;
pub mod messages;
mod files;
pub mod members;
mod history_names;
pub mod history;
pub mod alerts;
pub mod names;
pub mod given_names;
pub mod outbox;
pub mod past;
pub mod past_stats;
pub mod updates;
pub mod playback;
pub mod webhooks;
pub mod personal_data;
pub mod read_log;
pub mod retention;
pub mod stats;
pub mod snapshot;
pub mod search;
pub mod analytics;
pub mod daily_report;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use alerts::{AlertFilter, GetAlert, GetSettings, ListAlerts, LoadDeadlines};
pub use analytics::AnalyticsReads;
pub use chats::{ChatFilter, GetChat, GetPlacement, ListChats, ListContactChats, StatusFilter};
pub use contacts::{ContactFilter, GetContact, ListContacts};
pub use cursor::Cursor;
pub use fair_queue::Asker;
pub use files::{FindFile, FindFileless, MessageFile};
pub use follows::Follows;
pub use history::ListTransitions;
pub use members::{ListMembers, ListedMember};
pub use messages::{ListChatMessages, ListMessages, MessageFilter};
pub use names::{AgentNames, AllAgentNames, FoundNames, LookUpNames};
pub use outbox::{BeginSending, GetOutbox, ListOutbox, ListPersonOutbox};
pub use page::{Order, Page, PageAt, Sort};
pub use past::{GetPastChat, ListPastChats, PastChats};
pub use past_stats::PastStats;
pub use personal_data::{FindPerson, ListErasures, Person};
pub use playback::{
    CountPlayback, LocatePlayback, Located, PlaybackPart, PlaybackRange, PlaybackView, ReadPlayback,
};
pub use query::{Query, ReadError};
pub use read_log::{ListedRead, ReadFilter, ReadLog, ReadNote};
pub use readers::{Readers, open};
pub use retention::{CountOldDeliveries, FindDue, FindForgotten};
pub use search::SearchReads;
pub use snapshot::Snapshot;
pub use stats::{LoadStats, ScopedStats};
pub use updates::{ListUpdates, LoadNewest, LoadUpdates, UpdateRange};
pub use visible::chats_seen;
pub use webhooks::WebhookStatus;

/// Everything that answers questions to what is stored, without passing through the hub.
pub struct Reads {
    pub history: Readers,
    /// Readers of the search index.
    pub search: Arc<SearchReads>,
    /// Readers of the metrics file.
    pub analytics: AnalyticsReads,
    /// Notes who was shown what.
    pub log: ReadLog,
    /// The newest position that was published and acknowledged. Search and metrics follow it with a
    /// delay.
    pub newest: watch::Receiver<Seq>,
}

impl Reads {
    pub fn newest(&self) -> Seq {
        *self.newest.borrow()
    }

    /// Waits, for a bounded time, until search or metrics have caught up, so that a question asked
    /// afterwards sees what was acknowledged before. Returns the newest position, and how far `of` has
    /// come.
    pub async fn catch_up<F: Follows>(&self, of: &F) -> (Seq, F::Position) {
        let newest = self.newest();
        (newest, of.reach(newest).await)
    }
}
