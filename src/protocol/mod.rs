//! What may be said on the wire: shapes, events, requests, channels and codes, each as one table.
//!
//! # Contract
//!
//! All of this is the public protocol. Codes are never reused, shapes only gain fields, and `docs/protocol.md`
//! repeats the tables (a test compares them).

pub mod shapes;
mod forget;
pub mod counters;
pub mod members;
pub mod names;
pub mod alerts;
pub mod update;
pub mod search;
pub mod history;
pub mod mask;
pub mod view;
pub mod codes;
pub mod status;
pub mod link;
pub mod outbox;
pub mod daily_report;
pub mod erasure;
pub mod channel;
pub mod depth;
mod refusal;
pub mod request_data;
pub mod request;
pub mod replay;
pub mod event;

pub use alerts::{AlertChange, AlertShape, SettingsShape};
pub use channel::{Board, Channel};
pub use codes::{AwayReason, CloseCode, ErrorCode, RecoveryReason, ReplayEnd, ResyncReason};
pub use counters::StatsShape;
pub use link::{LinkShape, LinkState};
pub use mask::Mask;
pub use members::MemberShape;
pub use outbox::OutboxShape;
pub use refusal::EnvelopeError;
pub use replay::{ReplayRequest, Speed};
pub use request::{ClientEvent, Envelope, Request, SnapshotLimits, SubscribeRequest};
pub use shapes::{ChatShape, ContactShape, MessageShape, MessageSummary};
pub use status::{FaultKind, HubState};
pub use view::View;

/// The version of the protocol, sent in `connection_established`.
pub const PROTOCOL_VERSION: u32 = 1;

/// Seconds between two `heartbeat` events.
pub const HEARTBEAT_SECONDS: u64 = 25;
