//! The ordered, durable record of what happened. Everything else can be rebuilt from it.
//!
//! # Contract
//!
//! 1. **Total order.** [`Seq`](crate::domain::Seq) grows by one per accepted delivery, with no gaps.
//! 2. **Durable before visible.** [`Committed`] is sent only for what would survive a power cut.
//! 3. **Idempotent.** Appending a delivery twice yields the first one's position again.
//! 4. **One transaction.** The journal's row and every projection change together or not at all.
//! 5. **Bounded.** At most [`queue::WAITING_MAX`] deliveries or [`queue::WAITING_BYTES_MAX`] bytes wait; the
//!    next one is told so at once.
//!
//! A write that fails refuses the deliveries of its batch (their sender tries again) and is tried anew with the
//! next batch, or every [`writer::PROBE_SECONDS`] where none comes.

pub mod fold;
pub mod words;
pub mod phone;
pub mod recorded;
pub mod append;
pub mod lineage;
pub mod loss;
pub mod steps;
pub mod schema;
pub mod tables;
pub mod head;
pub mod timeline;
pub mod positions;
mod reorder;
pub mod placements;
pub mod directory;
pub mod names;
pub mod alerts;
pub mod settings;
pub mod store;
pub mod fault;
pub mod record;
mod rows;
mod blank;
mod search_keys;
pub mod revocations;
pub mod queue;
pub mod batch;
pub mod writer;
pub mod replace;

use std::path::PathBuf;

pub use alerts::{AlertChanges, AlertKey, AlertRequest};
pub use append::{
    Ack, AckStatus, Committed, Faulted, IngestError, MemberChanges, Settled, Submission, UserNotice,
};
pub use fault::Fault;
pub use queue::Journal;
pub use recorded::{News, Recorded};
pub use revocations::{PutRevocation, RevokeError};
pub use schema::{OpenError, Opened, open};
pub use settings::{SavedSettings, SettingsChange};

/// What the journal needs to know.
#[derive(Debug, Clone)]
pub struct JournalSettings {
    /// The database file; created where it is missing.
    pub path: PathBuf,
    /// How many updates are kept for `GET /api/umbler/updates`.
    pub updates_retained: u32,
}
