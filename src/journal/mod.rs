//! The ordered, durable record of what happened. Everything else can be rebuilt from it.
//!
//! # Contract
//!
//! 1. **Total order.** [`Seq`](crate::domain::Seq) grows with each event. A position without an event is no damage.
//! 2. **Durable before visible.** [`Committed`] is sent only for what would survive a power cut.
//! 3. **Idempotent.** Appending a record twice yields the first one's position again.
//! 4. **One transaction.** The journal's row and every projection change together or not at all.
//! 5. **One door.** Deliveries, notices, settings, names, alerts, revocations and so on are all records of one format
//!    ([`entry::Entry`]); [`apply`] is the only place that writes what follows from one, and does the same wherever and
//!    whenever it is done.
//! 6. **Bounded.** At most [`queue::WAITING_MAX`] records or [`queue::WAITING_BYTES_MAX`] bytes wait; the
//!    next one is told so at once.
//!
//! A write that fails refuses the records of its batch (their sender tries again) and is tried anew with the
//! next batch, or every [`writer::PROBE_SECONDS`] where none comes.

pub mod fold;
pub mod words;
pub mod phone;
pub mod fault;
pub mod entry;
pub mod payload;
pub mod record;
pub mod records;
pub mod recorded;
pub mod append;
pub mod lineage;
pub mod loss;
pub mod steps;
pub mod schema;
pub mod tables;
pub mod meta;
pub mod head;
pub mod timeline;
pub mod positions;
mod reorder;
pub mod placements;
pub mod directory;
pub mod names;
pub mod store;
mod rows;
mod blank;
mod search_keys;
mod bodies;
pub mod kinds;
pub mod blocks;
pub mod order;
pub mod apply;
pub mod queue;
pub mod batch;
pub mod writer;
pub mod replace;
pub mod digest;
pub mod rebuild;

use std::path::PathBuf;

pub use append::{Ack, AckStatus, Append, Committed, Faulted, IngestError, Settled};
pub use entry::Origin;
pub use fault::Fault;
pub use kinds::alerts;
pub use kinds::link;
pub use kinds::revocations;
pub use kinds::settings::{self, SavedSettings};
pub use payload::{AlertKey, AlertRequest, LinkProgress, Notice, Payload, SettingsChange};
pub use queue::Journal;
pub use record::{Record, own_id};
pub use recorded::{News, Recorded};
pub use schema::{OpenError, Opened, open};

/// What the journal needs to know.
#[derive(Debug, Clone)]
pub struct JournalSettings {
    /// The database file; created where it is missing.
    pub path: PathBuf,
    /// How many updates are kept for `GET /api/umbler/updates`.
    pub updates_retained: u32,
}
