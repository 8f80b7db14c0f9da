//! Several hubs with one journal: records go through a stream of NATS JetStream, and every hub applies all of
//! them in the stream's order.
//!
//! # Contract
//!
//! 1. **One order.** The position of a record is its sequence in the stream. Only what comes back from the stream
//!    ([`tail`]) is applied; an acknowledgement alone changes nothing.
//! 2. **Durable before acknowledged.** A delivery is answered with 200 once the stream has stored it, or once it is
//!    synced in this hub's [`inbox`]. The inbox takes what the stream refuses or has not taken within
//!    [`publisher::STREAM_PATIENCE`], and is published as soon as the stream is back.
//! 3. **One history.** A hub whose database does not belong to the stream does not start ([`stream`]).
//! 4. **Compared.** Hubs tell each other digests of what they stored ([`compare`]). One whose digests differ halts.
//! 5. **Bounded.** At most [`WAITING_MAX`](crate::journal::queue::WAITING_MAX) records wait for the stream, and
//!    [`inbox::INBOX_BYTES_MAX`] in the inbox. Beyond that the sender is told at once.
//!
//! Everything that talks to NATS runs on one thread, `cluster`. Nothing of this room runs unless `NATS_URL` is set.

pub mod settings;
mod halt;
mod identity;
mod trust;
pub mod roster;
pub mod state;
pub mod nats;
pub mod stream;
pub mod inbox;
pub mod publisher;
pub mod parse;
pub mod skips;
pub mod compare;
pub mod tail;
pub mod watch;
pub mod duties;
pub mod peers;
pub mod rules;
pub mod telling;
pub mod reach;
pub mod elsewhere;
pub mod snapshot;
pub mod run;

use crate::domain::Seq;
use crate::journal::rules::{RULES, RULES_OLDEST};

pub use run::{Cluster, Membership};
pub use settings::{ClusterSettings, NatsAccess, SharedValues};
pub use state::ClusterState;

/// Why a hub cannot be part of its cluster.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClusterError {
    /// No server answers, or none lets this hub in.
    #[error("NATS_URL: no connection to {servers}: {reason}")]
    Connect { servers: String, reason: String },
    #[error("NATS_URL: the server is nats-server {0}; 2.12 or newer is needed")]
    Version(String),
    #[error("NATS_URL: JetStream is not enabled on the server")]
    NoJetStream,
    #[error(
        "NATS_URL: the server takes messages of at most {0} bytes; set max_payload: 12MB in its configuration"
    )]
    Payload(usize),
    /// An acknowledged delivery could be lost in a power cut.
    #[error(
        "NATS_MONITOR_URL: the server does not sync what it stores; set jetstream {{ sync_interval: always }} in its configuration"
    )]
    NotSynced,
    /// The monitoring address does not answer as one of NATS does.
    #[error("NATS_MONITOR_URL: {0}")]
    Monitor(String),
    #[error(
        "there is no stream {0}; begin the cluster on the hub that has the deliveries (umbler-hub cluster begin)"
    )]
    NoStream(String),
    #[error("there is a stream {0} already; it can be replaced with --replace once no hub uses it")]
    StreamExists(String),
    /// The stream was not made by `umbler-hub cluster begin`.
    #[error("the stream {0} is not one of umbler-hub")]
    ForeignStream(String),
    /// Database and stream do not belong together.
    #[error("this database has another history than the stream: {0}; docs/cluster.md names the ways out")]
    OtherHistory(String),
    /// Either the stream was restored from an older copy, or a server that has just become its leader does not know all of
    /// it yet.
    #[error("the stream ends at position {last}, and this database at {applied}")]
    Shorter { last: u64, applied: i64 },
    /// The stream no longer has what this database needs next.
    #[error(
        "the stream begins at position {first}, and this database ends at {applied}; move the database away, and the hub gets \
         a copy of another hub's"
    )]
    TooFarBehind { first: u64, applied: i64 },
    /// A setting must be the same on all hubs.
    #[error("{name}: the cluster has {there}, and this hub {here}; it must be the same on all hubs")]
    Setting { name: &'static str, here: String, there: String },
    /// A release older or newer than the others.
    #[error(
        "the cluster applies records by rules {there}, and this release knows {RULES_OLDEST} to {RULES}: {}",
        if *there > RULES { "upgrade this hub" } else { "upgrade all hubs to a release between, and wait until rules {RULES_OLDEST} are in force" }
    )]
    Rules { there: u32 },
    /// A request to JetStream failed.
    #[error("the stream cannot be used: {0}")]
    Stream(String),
    /// An operator wanted a record to be passed over.
    #[error("the record at position {0} is not skipped: {1}")]
    NotSkipped(Seq, String),
    /// No other hub gave a copy of its database.
    #[error("no other hub of the cluster gave a copy of its database, which this one needs: {0}")]
    NoCopy(String),
    /// The thread of the cluster has ended.
    #[error("the cluster's thread has ended")]
    Ended,
}

impl ClusterError {
    /// True if the same hub may succeed later without any change.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Stream(_) | Self::Monitor(_) | Self::Shorter { .. })
    }
}
