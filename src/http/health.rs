//! `/health`, `/health/live`, `/health/ready` and `/metrics`: for operators, load balancers and Prometheus.

use std::sync::Arc;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{PartialSchema, ToSchema};

use super::caller::identify;
use super::cluster::ClusterPart;
use super::error::ApiError;
use super::rebinding;
use super::route::Routes;
use super::state::EdgeState;
use crate::auth::{Identity, KeyState, Role, Scope};
use crate::cluster::state::{ClusterReport, ClusterState};
use crate::hub::Health;
use crate::protocol::HubState;
use crate::reads::Asker;
use crate::telemetry::clock;
use crate::telemetry::metrics::{ClusterGauges, GaugeValues};

/// The state of the hub.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthAnswer {
    /// `ok`, or why the hub does not work fully: `draining` or `unwritable`.
    #[schema(example = "ok")]
    status: &'static str,
    /// Version of the hub, as in releases.
    version: &'static str,
    /// Seconds since the hub started.
    uptime_seconds: u64,
    /// WebSocket sessions that are connected now.
    sessions: usize,
    /// The newest position of the journal.
    seq: i64,
    /// The epoch of the journal.
    epoch: String,
    /// When the last delivery came.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_webhook_at: Option<Timestamp>,
    /// Deliveries that wait to be stored.
    queued: usize,
    /// True where the journal accepts deliveries.
    writable: bool,
    /// Why it does not, in one word: `disk_full`, `read_only`, `locked`, `io_error`, `damaged`, `moved`,
    /// `out_of_memory` or `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Why it does not, in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// The result of checking the whole database: `checking`, `ok` or `damaged: …`.
    integrity: String,
    /// Where tokens are checked with a file of keys: `ok`, or `stale: …` while the file cannot be used and the
    /// last good keys remain in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_in_keys: Option<String>,
    /// Where backups are kept on another machine: `starting`, `ok`, `old` where the newest snapshot is, or `behind` where
    /// deliveries of the last minutes are here alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    backup: Option<&'static str>,
    /// When the newest snapshot on another machine was taken; missing before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    backup_taken_at: Option<Timestamp>,
    /// Everything that was stored until then is on another machine; missing before that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    backup_covered_until: Option<Timestamp>,
    /// The link to Umbler's API: `off`, `starting`, `ok`, `not_allowed`, `unreachable`, `misled` or `undecided`.
    #[schema(example = "ok")]
    link: &'static str,
    /// Every message up to this moment is known: the link compared the hub with Umbler's API. `null` until its first
    /// complete comparison.
    #[schema(value_type = Option<String>, format = DateTime)]
    complete_until: Option<Timestamp>,
    /// How the cluster is; missing where the hub is on its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<ClusterPart>,
}

/// The routes for operators and load balancers.
pub fn routes() -> Routes {
    let mut routes = Routes::under("");
    routes.tagged("health");
    routes
        .get("/health", health, "getHealth", "The state of the hub in full. 200 as long as it answers.")
        .answers::<HealthAnswer>(200);
    routes.get("/health/live", health, "getLiveness", "The process answers.").answers::<HealthAnswer>(200);
    routes
        .get("/health/ready", ready, "getReadiness", "The hub accepts deliveries and sessions.")
        .answers::<HealthAnswer>(200)
        .answers::<HealthAnswer>(503);
    routes
        .get_only(
            "/metrics",
            metrics,
            "getPrometheusMetrics",
            "Counters of the hub's own work, for Prometheus. For admins, and for callers on the same machine.",
        )
        .answers_with(200, "text/plain", String::schema())
        .refuses(401, "The caller is on another machine and has no valid token.")
        .refuses(403, "The token is not an admin's; or the hub has no key, and the `Host` is not its own.");
    routes
}

async fn health(state: web::Data<EdgeState>) -> Result<HttpResponse, ApiError> {
    let health = state.health().await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(answer(health, &state)))
}

async fn ready(state: web::Data<EdgeState>) -> Result<HttpResponse, ApiError> {
    let health = state.health().await?;
    let mut response = if status(&health) == "ok" && is_in_step(&state) {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    Ok(response.insert_header((CACHE_CONTROL, "no-store")).json(answer(health, &state)))
}

fn key_state(state: &EdgeState) -> Option<KeyState> {
    state.authenticator.as_ref().and_then(|authenticator| authenticator.key_state())
}

fn status(health: &Health) -> &'static str {
    match (health.draining, health.writable) {
        (true, _) => HubState::Draining.as_str(),
        (false, false) => HubState::Unwritable.as_str(),
        (false, true) => HubState::Ok.as_str(),
    }
}

fn answer(health: Health, state: &EdgeState) -> HealthAnswer {
    let (link, backups) = (state.link.shape(), state.metrics.backups());
    HealthAnswer {
        status: status(&health),
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: state.uptime_seconds(),
        sessions: health.sessions,
        seq: health.seq.0,
        epoch: health.epoch,
        last_webhook_at: health.last_webhook_at,
        queued: health.queued,
        writable: health.writable,
        reason: health.fault.as_ref().map(|fault| fault.kind.as_str()),
        fault: health.fault.map(|fault| fault.detail),
        integrity: state.integrity.describe(),
        sign_in_keys: key_state(state).map(|keys| {
            keys.problem.map_or_else(|| "ok".to_owned(), |problem| format!("stale: the file {problem}"))
        }),
        backup: backups.describe(clock::now()),
        backup_taken_at: backups.taken_at(),
        backup_covered_until: backups.covered_until(),
        link: link.state.as_str(),
        complete_until: link.complete_until,
        cluster: state.cluster.as_ref().map(|cluster| cluster.report().into()),
    }
}

/// True unless this hub is cut off from its cluster, or behind it.
fn is_in_step(state: &EdgeState) -> bool {
    state.cluster.as_ref().is_none_or(ClusterState::is_ready)
}

async fn metrics(request: HttpRequest, state: web::Data<EdgeState>) -> Result<HttpResponse, ApiError> {
    if !is_local(&request, &state) {
        let caller = identify(&request)?;
        if caller.role != Role::Admin {
            return Err(ApiError::Forbidden("only admins may read the metrics"));
        }
    }
    let health = state.health().await?;
    let scope = Arc::new(Scope::of(&Identity::anonymous()));
    let counters = state.stats(Asker::Hub, scope, None).await?;
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let link = state.link.shape();
    let values = GaugeValues {
        sessions: count(health.sessions),
        queued: count(health.queued),
        seq: health.seq.0,
        last_webhook_at: health.last_webhook_at.map_or(0, Timestamp::as_second),
        writable: health.writable,
        damaged: state.integrity.is_damaged(),
        open_chats: counters.open_chats,
        waiting_chats: counters.waiting_chats,
        sign_in_keys_stale: key_state(&state).is_some_and(|keys| keys.problem.is_some()),
        complete_until: link.complete_until.map_or(0, Timestamp::as_second),
        backfill: link
            .backfill
            .map_or((0, 0), |backfill| (whole(backfill.done), whole(backfill.total.unwrap_or(0)))),
        cluster: state.cluster.as_ref().map(|cluster| cluster_gauges(&cluster.report())).unwrap_or_default(),
    };
    let text = state.metrics.render(&values).map_err(|error| {
        log::error!("the metrics could not be written: {error}");
        ApiError::Internal
    })?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

/// What is counted of the cluster.
fn cluster_gauges(report: &ClusterReport) -> ClusterGauges {
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    ClusterGauges {
        ready: i64::from(report.ready),
        connected: i64::from(report.connected),
        behind: report.newest - report.applied,
        lag_seconds: whole(report.lag_seconds),
        inbox: whole(report.inbox),
        inbox_bytes: whole(report.inbox_bytes),
        inbox_seconds: whole(report.inbox_seconds),
        replicas: whole(report.replicas_current as u64),
        owner: i64::from(report.owner),
        diverged: i64::from(report.diverged_from.is_some()),
        clock_off_seconds: report.clock_ahead_seconds.saturating_abs(),
    }
}

/// True for a caller on the same machine. A proxy on the same machine is not one, because it speaks for others.
/// Neither is a page of another site in a browser on the same machine; the host name that it asks for shows
/// that.
fn is_local(request: &HttpRequest, state: &EdgeState) -> bool {
    let forwarded = ["x-forwarded-for", "forwarded", "x-real-ip"]
        .iter()
        .any(|name| request.headers().contains_key(*name));
    let peer = request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    peer && !forwarded && rebinding::is_at_known_host(request, &state.settings.origins)
}
