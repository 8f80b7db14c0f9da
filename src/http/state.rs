//! What handlers know: the hub, and how the edge is set up.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use actix::Addr;
use actix_web::HttpRequest;
use actix_web::web;

use super::address::TrustedProxies;
use super::error::ApiError;
use super::limiter::AddressLimiter;
use super::origin::Origins;
use crate::archive::{Ask, Query};
use crate::auth::{Authenticator, Scope, Secret};
use crate::hub::{GetHealth, GetStats, Health, UmblerHub};
use crate::protocol::StatsShape;
use crate::telemetry::metrics::Metrics;

/// How the edge is set up.
#[derive(Debug, Clone)]
pub struct EdgeSettings {
    /// Pages that may use the hub.
    pub origins: Origins,
    /// Whose word on addresses counts.
    pub trusted_proxies: TrustedProxies,
    /// What a delivery must carry; `None`: nothing.
    pub webhook_secret: Option<Secret>,
    /// REST requests per second and address; 0: no limit.
    pub rest_per_second: u32,
    /// Connects per second and address; 0: no limit.
    pub connects_per_second: u32,
    /// Seconds within which a request's body must have come.
    pub body_seconds: u64,
    /// A built dashboard, if it is there.
    pub dashboard_dir: PathBuf,
}

/// Shared by all handlers of one hub.
pub struct EdgeState {
    /// The hub: the only thing that handlers talk to.
    pub hub: Addr<UmblerHub>,
    /// Checks tokens; `None` where everybody is admin.
    pub authenticator: Option<Arc<Authenticator>>,
    /// Where work is counted.
    pub metrics: Metrics,
    /// The settings.
    pub settings: EdgeSettings,
    /// Limits REST requests.
    pub rest_limiter: AddressLimiter,
    /// Limits connects.
    pub connect_limiter: AddressLimiter,
    /// The check of the whole database.
    pub integrity: Integrity,
    started: Instant,
}

impl EdgeState {
    /// The state of a hub that starts now.
    pub fn new(
        hub: Addr<UmblerHub>,
        authenticator: Option<Arc<Authenticator>>,
        metrics: Metrics,
        settings: EdgeSettings,
    ) -> Self {
        Self {
            hub,
            authenticator,
            metrics,
            rest_limiter: AddressLimiter::new(settings.rest_per_second),
            connect_limiter: AddressLimiter::new(settings.connects_per_second),
            settings,
            integrity: Integrity::default(),
            started: Instant::now(),
        }
    }

    /// Asks history.
    pub async fn ask<Q: Query>(&self, query: Q) -> Result<Q::Answer, ApiError> {
        let answer = self.hub.send(Ask(query)).await.map_err(|_gone| stopping())?;
        Ok(answer?)
    }

    /// The counters, as a scope sees them.
    pub async fn stats(&self, scope: Arc<Scope>) -> Result<StatsShape, ApiError> {
        Ok(self.hub.send(GetStats { scope }).await.map_err(|_gone| stopping())??)
    }

    /// How the hub is.
    pub async fn health(&self) -> Result<Health, ApiError> {
        self.hub.send(GetHealth).await.map_err(|_gone| stopping())
    }

    /// The client's address, as far as trusted proxies tell it.
    pub fn client_address(&self, request: &HttpRequest) -> IpAddr {
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        self.settings.trusted_proxies.client(peer, request.headers())
    }

    /// Seconds since the start.
    pub fn uptime_seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// The state of the hub that a request came to.
    pub fn of(request: &HttpRequest) -> Result<&web::Data<Self>, ApiError> {
        request.app_data::<web::Data<Self>>().ok_or(ApiError::Internal)
    }
}

fn stopping() -> ApiError {
    ApiError::Unavailable { message: "the hub is stopping", retry_after_seconds: 1 }
}

/// What the background check of the whole database has found so far.
#[derive(Debug, Clone, Default)]
pub struct Integrity(Arc<Mutex<IntegrityResult>>);

/// The result of the check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum IntegrityResult {
    /// Not done yet.
    #[default]
    Checking,
    /// Every page and index fits.
    Sound,
    /// What does not.
    Damaged(String),
}

impl Integrity {
    /// Keeps the result.
    pub fn set(&self, result: IntegrityResult) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = result;
    }

    /// For `/health`.
    pub fn describe(&self) -> String {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            IntegrityResult::Checking => "checking".to_owned(),
            IntegrityResult::Sound => "ok".to_owned(),
            IntegrityResult::Damaged(what) => format!("damaged: {what}"),
        }
    }
}
