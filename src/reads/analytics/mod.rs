//! Questions to the facts behind the metrics, asked of readers of their own.
//!
//! # Contract
//!
//! 1. An answer says how far it goes ([`Progress`](crate::derived::analytics::Progress)).
//! 2. **Bounded.** A question waits for the newest position, at most [`CATCH_UP_MAX`].

pub mod ask;
pub mod stab;
pub mod sums;
pub mod open_ids;
pub mod scan;
pub mod table;
pub mod dimension;
pub mod explain;
pub mod now;
pub mod by;
pub mod cells;
pub mod then;
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
use crate::derived::analytics::{Facts, Progress};
use crate::domain::Seq;
use crate::domain::calendar::Calendar;
use crate::protocol::FaultKind;
use crate::telemetry::integrity::Integrity;

pub use ask::{Clock, Filter, Period};
pub use board::{MadeBoard, MakeBoard};
pub use by::{LiveRow, LiveTable};
pub use dimension::Dimension;
pub use explain::{Behind, Explain, ExplainNow, Explained};
pub use now::{LiveField, LiveNow, LiveNumbers};
pub use open_ids::{OpenIds, OpenIdsThen};
pub use stab::Counts;
pub use sums::{SaidSince, SaidUntil, StoodThen, SumsThen};
pub use table::{Grouping, Key, TableRow, Tabulate, Tabulated};
pub use then::{ExplainThen, LiveThen, LivesThen, OpenThen, StoodOpen};
pub use trend::{Trend, Trended};

/// How long a question waits for the newest position.
pub const CATCH_UP_MAX: Duration = Duration::from_secs(2);

/// The facts with readers of their file.
#[derive(Debug, Clone)]
pub struct AnalyticsReads {
    facts: Facts,
    readers: Readers,
}

impl AnalyticsReads {
    /// Starts the readers of these facts.
    pub fn start(facts: Facts) -> io::Result<Self> {
        // Their own account: damage of this file is no damage of the database.
        let integrity = Integrity::default();
        let readers = Readers::start_on_replaced(facts.file().path(), &integrity, facts.file().generation())?;
        Ok(Self { facts, readers })
    }

    /// Waits until everything up to `newest` is in the metrics, but no longer than `patience`.
    pub async fn reach_within(&self, newest: Seq, patience: Duration) -> Progress {
        self.facts.reach(newest, patience).await
    }

    /// Tells whenever the facts have come further.
    pub fn follow(&self) -> watch::Receiver<Progress> {
        self.facts.follow()
    }

    /// Working hours, as the facts are counted in.
    pub fn calendar(&self) -> Arc<Calendar> {
        self.facts.calendar()
    }

    /// Asks. Where the file holds what does not fit, it is made again.
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
