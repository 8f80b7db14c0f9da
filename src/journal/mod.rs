//! The ordered, durable record of what happened. Everything else can be rebuilt from it.
//!
//! # Contract
//!
//! 1. **Total order.** [`Seq`](crate::domain::Seq) grows with each event. A position without an event is
//!    normal.
//! 2. **Durable before visible.** [`Committed`] is sent only for what would survive a power cut.
//! 3. **Idempotent.** Appending a record twice yields the position of the first.
//! 4. **One transaction.** The row of the journal and every projection change together or not at all.
//! 5. **One door.** Deliveries, notices, settings, names, alerts and revocations are all records of one
//!    format ([`entry::Entry`]). [`apply`] is the only place that writes what follows from a record, and
//!    always does the same for the same records.
//! 6. **Bounded.** At most [`queue::WAITING_MAX`] records or [`queue::WAITING_BYTES_MAX`] bytes wait. The
//!    next one is refused at once.
//!
//! If a write fails, the records of its batch are refused (their senders try again). Writing is tried again
//! with the next batch, or every [`writer::PROBE_SECONDS`] if none comes.

pub mod fold;
pub mod words;
pub mod phone;
pub mod fault;
pub mod meta;
pub mod rules;
pub mod entry;
pub mod payload;
pub mod reduced;
pub mod record;
pub mod records;
pub mod recorded;
pub mod place;
mod erasures;
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
mod retention_progress;
pub mod store;
pub mod outbox;
mod rows;
mod blank;
mod unassigned;
mod erase;
pub mod erasure_list;
pub mod retain;
mod search_keys;
mod bodies;
pub mod kinds;
pub mod beside;
pub mod blocks;
pub mod order;
pub mod apply;
pub mod queue;
pub mod batch;
pub mod writer;
pub mod replace_error;
pub mod erasure_watch;
pub mod replace;
pub mod digest;
pub mod rebuild;
pub mod copies;
pub mod behind;

use std::path::PathBuf;

pub use append::{Ack, AckStatus, Append, Committed, Faulted, IngestError};
pub use entry::Origin;
pub use erasures::{Erased, Erasure, erasures_of, forgetting_of};
pub use fault::Fault;
pub use kinds::alerts;
pub use kinds::daily_report;
pub use kinds::duties;
pub use kinds::link;
pub use kinds::revocations;
pub use kinds::settings::{self};
pub use order::SharedOrder;
pub use payload::{
    AlertKey, AlertRequest, BackfillProgress, DutyTaking, ErasureRequest, LinkProgress, Notice, Payload,
    Retained, RetentionStep, RulesRaise, SettingsChange,
};
pub use place::StreamPlace;
pub use queue::Journal;
pub use record::{Record, own_id};
pub use recorded::{HubEffect, Recorded};
pub use retention_progress::begun_with_retention;
pub use schema::open;

#[derive(Debug, Clone)]
pub struct JournalSettings {
    /// The database file. It is created if it is missing.
    pub path: PathBuf,
    /// How many updates are kept for `GET /api/umbler/updates`.
    pub updates_retained: u32,
}
