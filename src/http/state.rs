//! What handlers share: the hub, the readers, and the settings of the HTTP side.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use actix::Addr;
use actix_web::HttpRequest;
use actix_web::web;
use jiff::Timestamp;

use super::address::TrustedProxies;
use super::bodies::Bodies;
use super::error::ApiError;
use super::limiter::{AddressLimiter, UserLimiter};
use super::link::LinkHandle;
use super::origin::Origins;
use crate::auth::{Authenticator, Scope, Secret};
use crate::cluster::ClusterState;
use crate::domain::TeamSettings;
use crate::hub::{GetHealth, GetStats, Health, UmblerHub};
use crate::protocol::StatsShape;
use crate::reads::analytics::{CountDayMessages, CountStatsAt, FindOpenIds};
use crate::reads::{Asker, ListPastChats, PastStats, Query, ReadError, Reads, ScopedStats, StatusFilter};
use crate::session::SessionContext;
use crate::telemetry::by_minute::DeliveriesByMinute;
use crate::telemetry::causes::chain;
use crate::telemetry::clock;
use crate::telemetry::integrity::Integrity;
use crate::telemetry::metrics::Metrics;

/// The settings of the HTTP side.
#[derive(Debug, Clone)]
pub struct EdgeSettings {
    /// Origins whose pages may use the hub.
    pub origins: Origins,
    /// Which proxies are trusted to say the client's address.
    pub trusted_proxies: TrustedProxies,
    /// The secret that deliveries must carry; `None`: they need none.
    pub webhook_secret: Option<Secret>,
    /// Where the provider posts to, without the secret; `None`: not known.
    pub webhook_url: Option<String>,
    /// REST requests per second of one address; 0: no limit.
    pub rest_per_second: u32,
    /// Connects per second of one address; 0: no limit.
    pub connects_per_second: u32,
    /// Seconds within which the body of a request must have come.
    pub body_seconds: u64,
    pub time_zone: String,
    /// What the customer sees before the text of a message, with `NAME` for the sender's name. The outer `None`: nothing is sent.
    pub send_prefix: Option<Option<String>>,
    /// The editable settings until an admin saves others.
    pub default_settings: TeamSettings,
    /// The folder of a built dashboard, which may be missing.
    pub dashboard_dir: PathBuf,
    /// The database, beside which older ones may be.
    pub database_path: PathBuf,
    /// Lets other hubs of the cluster fetch a copy of the database.
    pub cluster_secret: Option<Secret>,
}

/// The state that all handlers of one hub share.
pub struct EdgeState {
    /// The hub, for changes and for what is live.
    pub hub: Addr<UmblerHub>,
    /// The readers, for questions to what is stored.
    pub reads: Reads,
    /// Checks tokens; `None` where everybody is admin.
    pub authenticator: Option<Arc<Authenticator>>,
    pub metrics: Metrics,
    pub by_minute: DeliveriesByMinute,
    pub settings: EdgeSettings,
    pub rest_limiter: AddressLimiter,
    pub connect_limiter: AddressLimiter,
    pub send_limiter: UserLimiter,
    /// What is known about damage of the database.
    pub integrity: Integrity,
    /// How the link to Umbler's API is.
    pub link: LinkHandle,
    /// How the cluster is; `None`: the hub is on its own.
    pub cluster: Option<ClusterState>,
    /// Bounds the bytes of large deliveries that are read at the same time.
    pub bodies: Bodies,
    draining: AtomicBool,
    started: Instant,
}

impl EdgeState {
    /// The state of a hub that starts now.
    pub fn new(
        hub: Addr<UmblerHub>,
        reads: Reads,
        authenticator: Option<Arc<Authenticator>>,
        metrics: Metrics,
        integrity: Integrity,
        link: LinkHandle,
        settings: EdgeSettings,
    ) -> Self {
        Self {
            hub,
            reads,
            authenticator,
            metrics,
            by_minute: DeliveriesByMinute::since(clock::now()),
            rest_limiter: AddressLimiter::new(settings.rest_per_second),
            connect_limiter: AddressLimiter::new(settings.connects_per_second),
            send_limiter: UserLimiter::default(),
            settings,
            integrity,
            link,
            cluster: None,
            bodies: Bodies::default(),
            draining: AtomicBool::new(false),
            started: Instant::now(),
        }
    }

    /// Asks the journal's readers, in the queue of `asker`.
    pub async fn ask<Q: Query>(&self, asker: Asker, query: Q) -> Result<Q::Answer, ApiError> {
        Ok(self.reads.history.ask(asker, query).await?)
    }

    /// The counters as a scope sees them, now or as they were at a moment.
    pub async fn stats(
        &self,
        asker: Asker,
        scope: Arc<Scope>,
        then: Option<Timestamp>,
    ) -> Result<StatsShape, ApiError> {
        let zone = self.reads.analytics.calendar().zone().clone();
        if let Some(then) = then {
            return match self.stats_then(&asker, &scope, then).await? {
                Some(stats) => Ok(stats),
                None => self.ask(asker, PastStats { then, zone, scope }).await,
            };
        }
        if scope.is_unlimited() {
            return self.hub.send(GetStats).await.map_err(|_gone| stopping());
        }
        self.ask(asker, ScopedStats { now: clock::now(), zone, scope }).await
    }

    /// Asks the metrics, which may be behind: see [`Reads::catch_up`].
    pub async fn ask_metrics<Q: Query>(&self, asker: Asker, query: Q) -> Result<Q::Answer, ApiError> {
        self.reads.analytics.ask(asker, query).await.map_err(|error| {
            if let ReadError::Database(error) = &error {
                // The metrics are derived, and their file may be rebuilt at this moment.
                log::error!("the file of the metrics did not answer: {}", chain(error));
                return ApiError::Unavailable {
                    message: "the metrics did not answer",
                    retry_after_seconds: 2,
                };
            }
            error.into()
        })
    }

    /// The counters at a moment from the metrics, if these contain every acknowledged delivery.
    async fn stats_then(
        &self,
        asker: &Asker,
        scope: &Arc<Scope>,
        then: Timestamp,
    ) -> Result<Option<StatsShape>, ApiError> {
        let (newest, _) = self.reads.catch_up(&self.reads.analytics).await;
        let zone = self.reads.analytics.calendar().zone().clone();
        let day_messages =
            self.ask(asker.clone(), CountDayMessages { then, zone, scope: Arc::clone(scope) }).await?;
        let sums = CountStatsAt { then, day_messages, scope: Arc::clone(scope) };
        let found = self.ask_metrics(asker.clone(), sums).await?;
        Ok(found.progress.holds(newest).then_some(found.stats))
    }

    /// Ids of the chats that were open at the moment of `list`, if it only asks for open ones; `None` where the
    /// metrics cannot tell.
    pub async fn open_then(
        &self,
        asker: Asker,
        list: &ListPastChats,
    ) -> Result<Option<Vec<String>>, ApiError> {
        if !matches!(list.filter.status, Some(StatusFilter::Open | StatusFilter::Waiting)) {
            return Ok(None);
        }
        let (newest, _) = self.reads.catch_up(&self.reads.analytics).await;
        let (filter, scope) = (list.filter.clone(), Arc::clone(&list.scope));
        let found = self.ask_metrics(asker, FindOpenIds { then: list.then, filter, scope }).await?;
        Ok(found.ids.filter(|_| found.progress.holds(newest)))
    }

    /// The state of the hub.
    pub async fn health(&self) -> Result<Health, ApiError> {
        self.hub.send(GetHealth).await.map_err(|_gone| stopping())
    }

    /// To be called when the hub stops: from now on no session is opened, and connections end with their next
    /// answer.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.link.stop();
    }

    /// True while the hub stops.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// The client's address, as far as trusted proxies tell it.
    pub fn client_address(&self, request: &HttpRequest) -> IpAddr {
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        self.settings.trusted_proxies.client(peer, request.headers())
    }

    /// What a session of a client at this address is given.
    pub fn session_context(&self, address: IpAddr) -> SessionContext {
        SessionContext {
            hub: self.hub.clone(),
            authenticator: self.authenticator.clone(),
            address,
            metrics: self.metrics.clone(),
            read_log: self.reads.log.clone(),
        }
    }

    pub fn uptime_seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// The state of the hub that serves a request.
    pub fn of(request: &HttpRequest) -> Result<&web::Data<Self>, ApiError> {
        request.app_data::<web::Data<Self>>().ok_or(ApiError::Internal)
    }
}

/// Seconds after which a client should try again while the hub stops: about as long as a restart takes.
pub const STOPPING_RETRY_SECONDS: u64 = 2;

/// The refusal while the hub stops, which is mostly a restart.
pub fn stopping() -> ApiError {
    ApiError::Unavailable { message: "the hub is stopping", retry_after_seconds: STOPPING_RETRY_SECONDS }
}
