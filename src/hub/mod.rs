//! The hub: the one actor that knows who follows what, and the only way from the journal to the screens.
//!
//! # Contract
//!
//! 1. Only [`Committed`] changes counters or sends updates; it arrives in journal order.
//! 2. A delivery is answered after its update was handed to the sessions, so whoever reads back sees it.
//! 3. Nobody waits for a slow session. If its queue is full it gets no more, and once it has read the rest it
//!    catches up from its position.
//! 4. No SQL and no file on the hub's thread. Updates arrive encoded; other views of them (masked, limited)
//!    are encoded here once for all sessions that need them.

pub mod messages;
pub mod sessions;
pub mod updates;
pub mod states;
pub mod playback;
pub mod deadlines;
pub mod snapshots;
pub mod timer;
pub mod requests;
mod admission;
mod views;
pub mod ticks;
pub mod drain;
pub mod step;
pub mod others;
mod push;

use std::sync::Arc;

use actix::prelude::*;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{oneshot, watch};

use crate::auth::Revocations;
use crate::cluster::Membership;
use crate::cluster::duties::Duties;
use crate::derived::follower::Wake;
use crate::domain::{Seq, Stats};
use crate::journal::{Append, Committed, Fault, Faulted, Journal, Recorded};
use crate::protocol::StatsShape;
use crate::reads::Readers;
use crate::telemetry::clock;
use crate::telemetry::metrics::Metrics;
use deadlines::{AlertsAtStart, Deadlines};
pub use messages::{
    Ack, AckStatus, Admit, AdmitError, AnalyticsReady, Connect, Deliver, Disconnected, Dispatch, Drain,
    Drained, GetHealth, GetStats, Health, Ingest, IngestError, ListRevocations, Outbox, Outgoing, Record,
    Revoke, RevokeError, SendSnapshot, SessionId, SessionUser, SetPresence, SlotId, Subscribe, Unsubscribe,
};
use others::Reports;
use playback::Playback;
use sessions::Sessions;
use sessions::users::Users;
use snapshots::Snapshots;
use states::boards::Boards;
use states::presence::Presence;
use states::stats::StatsPush;
use states::status::Status;
use step::InStep;
use ticks::Ticks;
use timer::Timer;
use updates::Updates;
use updates::ring::Ring;

/// Messages that may wait for the hub. The journal has at most one batch there and each HTTP handler one
/// message, so this bounds what sessions ask at once. Beyond it they are answered `unavailable`.
pub const MAILBOX_MAX: usize = 32_768;
/// Deliveries have paused once none came for so long.
pub const PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// What the hub needs to know when it starts.
#[derive(Debug, Clone)]
pub struct HubSettings {
    /// Time zone in which the day of `messagesToday` begins.
    pub zone: TimeZone,
    /// Limit of sessions; 0 for none.
    pub sessions_max: usize,
    /// Limit of sessions per address; 0 for none.
    pub sessions_per_address_max: usize,
    /// Limit of sessions per user; 0 for none.
    pub sessions_per_user_max: usize,
    /// Revoked users. Shared with the code that checks tokens.
    pub revocations: Arc<Revocations>,
    pub epoch: String,
    /// The counters at the journal's newest position.
    pub stats: Stats,
    /// When the last delivery was received.
    pub last_webhook_at: Option<Timestamp>,
    /// How many updates are kept in memory for clients that reconnect.
    pub updates_in_memory: usize,
    /// The most missed updates that a session is sent. If it missed more, it needs a snapshot, which is
    /// smaller.
    pub replay_updates_max: u32,
    /// The newest updates in the database, for the memory.
    pub newest_updates: Vec<Arc<Recorded>>,
    /// Wakes the thread that posts alerts to another system; `None` if there is none.
    pub alert_wake: Option<Wake>,
    /// Told to everybody who connects, before they sign in.
    pub organization_name: Option<String>,
    pub alerts: AlertsAtStart,
    pub duties: Duties,
    /// `None`: the hub is on its own.
    pub cluster: Option<Membership>,
}

/// The central actor. Each handler calls one part, whose signature says what it may change, and passes what
/// the part returns to `push.rs`.
pub struct UmblerHub {
    settings: HubSettings,
    history: Readers,
    /// `None` until the writer runs, and again once the hub shuts down.
    journal: Option<Journal>,
    fault: Option<Fault>,
    draining: bool,
    last_webhook_at: Option<Timestamp>,
    resumed_at: Option<Timestamp>,
    stats: Stats,
    sessions: Sessions,
    users: Users,
    updates: Updates,
    playback: Playback,
    snapshots: Snapshots,
    status: Status,
    step: InStep,
    reports: Reports,
    presence: Presence,
    stats_push: StatsPush,
    /// For status, presence and counters together.
    states_timer: Timer,
    boards: Boards,
    boards_timer: Timer,
    deadlines: Deadlines,
    deadlines_timer: Timer,
    ticks: Ticks,
    metrics: Metrics,
}

/// The journal's writer is running, so deliveries can be accepted.
#[derive(Message)]
#[rtype(result = "()")]
pub struct JournalReady {
    pub journal: Journal,
}

impl UmblerHub {
    /// A hub without a journal. It accepts deliveries after [`JournalReady`].
    pub fn new(mut settings: HubSettings, history: Readers, metrics: Metrics) -> Self {
        let newest = std::mem::take(&mut settings.newest_updates);
        let alerts = std::mem::take(&mut settings.alerts);
        let as_of = settings.stats.as_of;
        let ring = Ring::new(settings.updates_in_memory, &newest, as_of);
        let replayed_max = settings.replay_updates_max;
        let now = clock::now();
        Self {
            history,
            journal: None,
            fault: None,
            draining: false,
            last_webhook_at: settings.last_webhook_at,
            resumed_at: None,
            stats: settings.stats.clone(),
            sessions: Sessions::default(),
            users: Users::new(settings.sessions_per_user_max),
            updates: Updates::new(&settings.epoch, as_of, ring, replayed_max, metrics.clone()),
            playback: Playback::new(metrics.clone()),
            snapshots: Snapshots::default(),
            status: Status::new(now),
            step: InStep::default(),
            reports: Reports::default(),
            presence: Presence::default(),
            stats_push: StatsPush::default(),
            states_timer: Timer::default(),
            boards: Boards::default(),
            boards_timer: Timer::default(),
            deadlines: Deadlines::new(alerts, now),
            deadlines_timer: Timer::default(),
            ticks: Ticks::default(),
            metrics,
            settings,
        }
    }

    /// Follows the position of the newest published event.
    pub fn newest(&self) -> watch::Receiver<Seq> {
        self.updates.follow_newest()
    }

    /// The counters in the form of the wire.
    fn stats_shape(&self) -> StatsShape {
        shape(&self.stats, &self.settings.zone)
    }
}

/// The counters in the form of the wire, with the day of this zone.
fn shape(stats: &Stats, zone: &TimeZone) -> StatsShape {
    StatsShape::new(stats, stats.messages_today(clock::now(), zone))
}

impl Actor for UmblerHub {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX_MAX);
        Self::start_ticks(ctx);
    }
}

impl Handler<JournalReady> for UmblerHub {
    type Result = ();

    fn handle(&mut self, ready: JournalReady, ctx: &mut Self::Context) {
        self.journal = Some(ready.journal);
        self.settle_alerts(ctx);
    }
}

impl Handler<AnalyticsReady> for UmblerHub {
    type Result = ();

    fn handle(&mut self, ready: AnalyticsReady, ctx: &mut Self::Context) {
        self.boards.begin(ready.metrics);
        self.push_boards(ctx);
    }
}

impl Handler<GetStats> for UmblerHub {
    type Result = MessageResult<GetStats>;

    fn handle(&mut self, _: GetStats, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.stats_shape())
    }
}

impl Handler<GetHealth> for UmblerHub {
    type Result = MessageResult<GetHealth>;

    fn handle(&mut self, _: GetHealth, _: &mut Self::Context) -> Self::Result {
        MessageResult(Health {
            sessions: self.sessions.len(),
            seq: self.updates.newest(),
            epoch: self.settings.epoch.clone(),
            last_webhook_at: self.last_webhook_at,
            resumed_at: self.resumed_at,
            writable: self.fault.is_none() && self.journal.is_some(),
            fault: self.fault.clone(),
            queued: self.journal.as_ref().map_or(0, Journal::waiting),
            draining: self.draining,
        })
    }
}

impl UmblerHub {
    /// Appends a record to the journal.
    fn append(&self, record: Record) -> impl Future<Output = Result<Ack, IngestError>> + use<> {
        let outcome = self.journal.as_ref().map(|journal| {
            let (reply, outcome) = oneshot::channel();
            journal.append(Append { record, reply, place: None });
            outcome
        });
        async move {
            let Some(outcome) = outcome else { return Err(IngestError::Stopping) };
            outcome.await.unwrap_or(Err(IngestError::Unwritable))
        }
    }
}

impl Handler<Ingest> for UmblerHub {
    type Result = ResponseFuture<Result<Ack, IngestError>>;

    fn handle(&mut self, ingest: Ingest, _: &mut Self::Context) -> Self::Result {
        Box::pin(self.append(ingest.record))
    }
}

impl Handler<Committed> for UmblerHub {
    type Result = ();

    fn handle(&mut self, committed: Committed, ctx: &mut Self::Context) {
        if let Some(received_at) = committed.received_at {
            if self.last_webhook_at.is_none_or(|last| received_at.duration_since(last) >= PAUSE) {
                self.resumed_at = Some(received_at);
            }
            // The latest in the order of the journal, not by its time: if the clock jumped ahead and
            // back, the wrong time must not stay.
            self.last_webhook_at = Some(received_at);
        }
        if let Some(last) = committed.events.last() {
            self.stats.apply(&committed.delta, last.seq);
            self.updates.commit(&mut self.sessions, &committed.events, committed.durable_at);
            self.presence.follow_chats(&committed.events);
            self.stats_push.change();
            self.push_states(ctx);
            self.boards.note(&committed.events);
            self.push_boards(ctx);
            self.follow_deadlines(&committed.events, ctx);
        }
        // A step of deleting by age makes no event, and yet changes updates that were told before.
        self.updates.blank(&committed.blanked);
        self.playback.blank(&committed.blanked);
        for settled in committed.settled {
            // Who revoked waits at another hub of the cluster, or no longer.
            if let Some(in_force) = &settled.ack.in_force
                && settled.reply.is_closed()
            {
                let sessions_closed = self.put_in_force(in_force);
                self.report_revoked(in_force, sessions_closed);
            }
            if settled.reply.send(Ok(settled.ack)).is_err() {
                log::debug!("a delivery became durable after its sender had stopped waiting");
            }
        }
    }
}

impl Handler<Faulted> for UmblerHub {
    type Result = ();

    fn handle(&mut self, faulted: Faulted, ctx: &mut Self::Context) {
        self.fault = faulted.fault;
        self.push_states(ctx);
        self.settle_alerts(ctx);
    }
}
