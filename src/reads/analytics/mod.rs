//! Questions to the facts behind the metrics, answered by readers of the metrics file.
//!
//! # Contract
//!
//! 1. Every answer says how far the facts have followed the journal
//!    ([`Progress`]).
//! 2. **Bounded.** A question waits at most [`CATCH_UP_MAX`] for the facts to reach the newest position.

pub mod filter;
pub mod stab;
pub mod sums;
pub mod open_ids;
pub mod scan;
pub mod table;
pub mod dimension;
pub mod explain;
pub mod live;
pub mod live_table;
pub mod cells;
pub mod live_at;
pub mod trend;
pub mod board;
pub mod board_frame;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Asker, Follows, Query, ReadError, Readers};
use crate::derived::analytics::{FactStore, Progress};
use crate::domain::Seq;
use crate::domain::calendar::Calendar;
use crate::protocol::FaultKind;
use crate::telemetry::integrity::Integrity;

pub use board::{MadeBoard, MakeBoard};
pub use dimension::Dimension;
pub use explain::{Explain, ExplainNow, Explained};
pub use filter::{Clock, Filter, Period};
pub use live::{LiveField, LiveNow};
pub use live_at::{ExplainAt, FindOpenAt, LiveAt, OpenChatsAt};
pub use live_table::LiveTable;
pub use open_ids::FindOpenIds;
pub use sums::{CountDayMessages, CountStatsAt};
pub use table::{GroupKey, Grouping, TableRow, Tabulate, Tabulated};
pub use trend::{Trend, Trended};

/// How long a question waits for the facts to reach the newest position.
pub const CATCH_UP_MAX: Duration = Duration::from_secs(2);

/// The facts, and the readers of their file.
#[derive(Debug, Clone)]
pub struct AnalyticsReads {
    facts: FactStore,
    readers: Readers,
}

impl AnalyticsReads {
    pub fn start(facts: FactStore) -> io::Result<Self> {
        // Integrity of its own: damage to this file must not be reported as damage to the database.
        let integrity = Integrity::default();
        let readers = Readers::start_on_replaced(facts.file().path(), &integrity, facts.file().generation())?;
        Ok(Self { facts, readers })
    }

    /// Waits at most `patience` until the facts have followed the journal up to `newest`.
    pub async fn reach_within(&self, newest: Seq, patience: Duration) -> Progress {
        self.facts.reach(newest, patience).await
    }

    /// Notifies whenever the facts have followed the journal further.
    pub fn follow(&self) -> watch::Receiver<Progress> {
        self.facts.follow()
    }

    /// The calendar by which the facts were computed.
    pub fn calendar(&self) -> Arc<Calendar> {
        self.facts.calendar()
    }

    /// Answers a question. If the file turns out to be damaged, it is built again.
    pub async fn ask<Q: Query>(&self, asker: Asker, query: Q) -> Result<Q::Answer, ReadError> {
        let answer = self.readers.ask(asker, query).await;
        if let Err(ReadError::Database(error)) = &answer
            && error.kind() == FaultKind::Damaged
        {
            self.facts.note_damage();
        }
        answer
    }
}

impl Follows for AnalyticsReads {
    type Position = Progress;

    async fn reach(&self, newest: Seq) -> Progress {
        self.facts.reach(newest, CATCH_UP_MAX).await
    }
}
