//! The only part of this crate that can be reached from outside: what the program, the tests and the benchmarks use.
//!
//! This is an application and not a library. Nobody else builds on it, so names here may change whenever the code
//! behind them does. Everything else is private, which lets the compiler find code that nobody uses any more.
//! Add a name here when `src/main.rs`, `tests/it` or `benches` need it, and remove it when they no longer do.

/// What `src/main.rs` puts together: the settings, the running hub, and one function per subcommand.
pub mod program {
    pub use crate::app::stop::{EXIT_ANEW, StopSignal, Stopped};
    pub use crate::app::{Application, StartError};
    pub use crate::config::{Config, ServeArgs, Values};
    pub use crate::sqlite::private::begin as keep_new_files_private;
    pub use crate::telemetry::causes::chain;
    pub use crate::telemetry::log_format::start as start_log;
    pub use crate::tools::backup::{BackupArgs, run as backup};
    pub use crate::tools::check::{CheckArgs, run as check};
    pub use crate::tools::cluster::{ClusterArgs, run as cluster};
    pub use crate::tools::erase::{EraseArgs, run as erase};
    pub use crate::tools::health::{HealthArgs, run as health};
    pub use crate::tools::members::{MembersArgs, run as members};
    pub use crate::tools::rebuild::{RebuildArgs, run as rebuild};
    pub use crate::tools::recompute::{RecomputeArgs, run as recompute};
    pub use crate::tools::replay::{ReplayArgs, run as replay};
    pub use crate::tools::restore::{AcceptArgs, RestoreArgs, accept as accept_data_loss, restore};
    pub use crate::tools::simulate::{SimulateArgs, run as simulate};
    pub use crate::tools::token::{TokenArgs, run as token};
    pub use crate::tools::{ToolError, print};
}

/// The rules of conversations, of who sees what and of search, and the reader of the provider's JSON. Tests apply them in
/// memory and compare the outcome with what the hub stored; examples in the documentation use them, too.
pub mod rules {
    pub use crate::auth::{Identity, Scope};
    pub use crate::domain::chat::closing_time;
    pub use crate::domain::facts::Reaction;
    pub use crate::domain::metrics::Metric;
    pub use crate::domain::{
        AlertKind, Change, Chat, ChatFacts, ChatId, ChatMessage, Contact, ContactId, Delivery, DeliveryBody,
        EventId, EventKey, GivenName, Member, MessageId, MessagePosition, MessageRole, NamedKind, OrderKey,
        OutboxFact, Placement, Seq, StatsDelta, Store, TeamSettings, TimelineEntry, absorb,
    };
    pub use crate::reads::search::Wanted;
    pub use crate::umbler::{KNOWN_TYPES, Reading, read};
}

/// The words of the wire and its description, which tests compare with the documents and with real traffic.
pub mod wire {
    pub use crate::domain::Change;
    pub use crate::http::asyncapi::{PATH as ASYNCAPI_PATH, document as asyncapi_document};
    pub use crate::protocol::event::ServerEvent;
    pub use crate::protocol::shapes::NamedShape;
    pub use crate::protocol::{
        AlertChange, AwayReason, ClientEvent, CloseCode, ErrorCode, FaultKind, HEARTBEAT_SECONDS, HubState,
        RecoveryReason, ReplayEnd, ResyncReason, SettingsShape,
    };
}

/// The journal without a hub around it: tests append records to a file and compare digests of what was stored.
pub mod journal {
    pub use crate::auth::Revocation;
    pub use crate::journal::batch::BatchWriter;
    pub use crate::journal::blocks::load as load_blocks;
    pub use crate::journal::digest::tables as digest_tables;
    pub use crate::journal::entry::{Entry, Kind};
    pub use crate::journal::outbox::{OutboxAttempt, OutboxMessage, OutboxRequest, OutboxResult};
    pub use crate::journal::payload::OutcomeCount;
    pub use crate::journal::reduced::encode as reduced_body;
    pub use crate::journal::rules::{RULES, RULES_OLDEST};
    pub use crate::journal::{
        AlertKey, AlertRequest, Append, BackfillProgress, DutyTaking, ErasureRequest, LinkProgress, Notice,
        Origin, Payload, Record, Retained, RetentionStep, RulesRaise, SettingsChange, open,
    };
    pub use crate::protocol::link::LinkAlert;
    pub use crate::protocol::outbox::OutboxState;
}

/// What else tests and benchmarks need: the hub's clock, limits that a test goes up to, tokens, and a simulated day.
pub mod testing {
    pub use crate::app::stop::{DRAIN_SECONDS_MAX, EXIT_DEADLINE};
    pub use crate::auth::mint::{SigningKey, TokenClaims, mint};
    pub use crate::auth::{Role, Secret};
    pub use crate::hub::drain::{RETURN_AFTER, RETURN_SPREAD_MIN};
    pub use crate::hub::playback::openings::{REPLAYS_MAX, REPLAYS_PER_USER_MAX};
    pub use crate::reads::playback::PART_UPDATES_MAX;
    pub use crate::telemetry::clock;
    pub use crate::tools::fake::{ApiFault, Echo, FakeApi, FakeBehavior, OrderWord, StateOrder, TOKEN};
    pub use crate::tools::simulate::day::Day;
}
