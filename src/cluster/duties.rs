//! The lease that says which hub of a cluster has the duties that only one may have: alerts, daily reports, posts to other
//! systems, the link to the provider's API, retention, backups.
//!
//! The lease is a key in a bucket of NATS. Its owner writes it every [`RENEW_EVERY`]. A hub takes it when it has seen
//! no write for [`TAKEN_AFTER`], and its owner counts itself out before that, by its own clock
//! ([`OWNED_FOR`]). No two clocks are compared.
//!
//! A hub whose clock differs from the NATS server's by [`DUTIES_OFF_MAX`](super::trust::DUTIES_OFF_MAX) or more takes no lease, and gives up the one that it has: what is due,
//! and what is old enough to be deleted on every hub, would be counted by that clock. Neither does one take it that does not know yet how
//! its clock is.
//!
//! The lease decides who begins. What counts is decided by the order of records: who has the lease takes the duties by a record
//! ([`duties`](crate::journal::duties)), and what an earlier owner proposes does nothing from then on.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::kv::{Config, Operation, Store};
use async_nats::jetstream::stream::StorageType;
use bytes::Bytes;
use jiff::SignedDuration;
use tokio::time::{Instant, sleep, timeout};

use super::publisher::Publisher;
use super::settings::ClusterSettings;
use super::state::ClusterState;
use super::trust::AHEAD_MAX;
use crate::journal::{Ack, AckStatus, DutyTaking, Origin, Payload, Record};
use crate::telemetry::clock;

/// How often the owner renews its lease.
pub const RENEW_EVERY: Duration = Duration::from_secs(2);
/// How long the owner counts itself in after a renewal.
pub const OWNED_FOR: Duration = Duration::from_secs(5);
/// How long another hub sees no renewal before it takes the lease.
pub const TAKEN_AFTER: Duration = Duration::from_secs(7);
/// How often whoever works for the duties, and waits for them, looks whether they are this hub's.
pub const DUTY_WAIT: Duration = Duration::from_secs(1);
/// How often it is looked whether the hub ends.
const LOOK_AFTER: Duration = Duration::from_millis(50);
/// Less than what is left of the lease when a renewal begins.
const REQUEST_MAX: Duration = Duration::from_secs(2);
/// Keys that nobody writes any more vanish.
const KEY_AGE_MAX: Duration = Duration::from_secs(30);
const LEASE: &str = "duties";

/// Whether the duties that only one hub has are this hub's. On its own a hub has them always.
#[derive(Debug, Clone, Default)]
pub struct Duties {
    cluster: Option<ClusterState>,
}

impl Duties {
    pub fn of(cluster: Option<ClusterState>) -> Self {
        Self { cluster }
    }

    /// True in a cluster, where other hubs may have them.
    pub fn are_shared(&self) -> bool {
        self.cluster.is_some()
    }

    pub fn are_mine(&self) -> bool {
        self.cluster.as_ref().is_none_or(ClusterState::is_owner)
    }

    /// How far this hub's clock is ahead, at least, of the one that stamps records: a cluster has that of the NATS server, and a stamp may
    /// be [`AHEAD_MAX`] later.
    pub fn ahead_of_stamps(&self) -> SignedDuration {
        self.cluster.as_ref().map_or(SignedDuration::ZERO, |state| state.trust().clock_ahead() - AHEAD_MAX)
    }
}

/// Opens the bucket of keys of a cluster, and makes it if there is none.
pub async fn open_bucket(
    context: &Context,
    settings: &ClusterSettings,
    replicas: usize,
) -> Result<Store, String> {
    let bucket = format!("{}-nodes", settings.name);
    if let Ok(store) = context.get_key_value(&bucket).await {
        return Ok(store);
    }
    let config = Config {
        bucket,
        history: 1,
        max_age: KEY_AGE_MAX,
        // After a restart of all servers nobody owns anything.
        storage: StorageType::Memory,
        num_replicas: replicas.max(1),
        ..Config::default()
    };
    context.create_key_value(config).await.map_err(|error| error.to_string())
}

/// Takes and renews the lease of this hub.
pub struct Lease {
    pub publisher: Rc<Publisher>,
    pub context: Context,
    pub settings: ClusterSettings,
    pub state: ClusterState,
    /// Names this run of the hub.
    pub me: String,
    pub closing: Arc<AtomicBool>,
    /// The last write of another hub that was seen, and when.
    pub seen: Option<(u64, Instant)>,
}

impl Lease {
    /// Goes on for ever; gives the lease up once the hub ends.
    pub async fn run(mut self) {
        loop {
            if self.closing.load(Ordering::Acquire) {
                return self.give_up().await;
            }
            let is_clock_right = self.state.trust().is_clock_right();
            if is_clock_right == Some(false) {
                self.give_up().await;
            } else if is_clock_right == Some(true) && self.state.is_open() && self.state.is_ready() {
                match timeout(REQUEST_MAX, self.turn(self.state.replicas())).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => log::debug!("the lease of duties: {error}"),
                    Err(_elapsed) => log::debug!("the lease of duties: no answer"),
                }
                self.take().await;
            }
            self.rest().await;
        }
    }

    /// Waits until the next renewal, or the end of the hub. What this hub's clock is worth is asked of it more often until it is known.
    async fn rest(&self) {
        let was_known = self.state.trust().is_clock_right().is_some();
        let until = Instant::now() + RENEW_EVERY;
        while Instant::now() < until && !self.closing.load(Ordering::Acquire) {
            sleep(LOOK_AFTER).await;
            if !was_known && self.state.trust().is_clock_right().is_some() {
                return;
            }
        }
    }

    async fn turn(&mut self, replicas: usize) -> Result<(), String> {
        let store = open_bucket(&self.context, &self.settings, replicas).await?;
        let begun = Instant::now();
        let me = Bytes::from(self.me.clone());
        let entry = store.entry(LEASE).await.map_err(|error| error.to_string())?;
        let taken = match entry.filter(|entry| entry.operation == Operation::Put) {
            None => store.create(LEASE, me).await.map_err(|error| error.to_string()),
            Some(entry) if entry.value == me || self.is_stale(entry.revision) => {
                store.update(LEASE, me, entry.revision).await.map_err(|error| error.to_string())
            }
            Some(_) => return Ok(()),
        };
        taken?;
        self.seen = None;
        self.state.note_owner_until(begun + OWNED_FOR);
        Ok(())
    }

    /// Takes the duties by a record, if this hub has the lease and another hub was the last to take them.
    async fn take(&self) {
        if !self.state.has_lease() || self.state.trust().is_fence_in_force() {
            return;
        }
        let taking =
            DutyTaking { by: self.me.clone(), after: self.state.trust().duties_taken(), taken_at: None };
        let record = match Record::new(Payload::Duty(taking), None, Origin::Hub, clock::now()) {
            Ok(record) => record,
            Err(error) => return log::error!("the duties cannot be taken: {error}"),
        };
        match timeout(REQUEST_MAX, self.publisher.take_own(record)).await {
            Ok(Ok(Ack { status: AckStatus::Accepted, seq: Some(position), .. })) => {
                self.state.trust().note_fence(position);
            }
            Ok(Ok(_)) => log::debug!("another hub has taken the duties"),
            Ok(Err(error)) => log::debug!("the duties are not taken yet: {error}"),
            Err(_elapsed) => log::debug!("the duties are not taken yet: no answer"),
        }
    }

    /// True if this write of another hub has stood for [`TAKEN_AFTER`].
    fn is_stale(&mut self, revision: u64) -> bool {
        match self.seen {
            Some((known, since)) if known == revision => since.elapsed() >= TAKEN_AFTER,
            Some(_) | None => {
                self.seen = Some((revision, Instant::now()));
                false
            }
        }
    }

    async fn give_up(&self) {
        let was_mine = self.state.has_lease();
        self.state.note_owner_until(Instant::now());
        if was_mine
            && let Ok(store) = self.context.get_key_value(format!("{}-nodes", self.settings.name)).await
        {
            drop(timeout(REQUEST_MAX, store.delete(LEASE)).await);
        }
    }
}
