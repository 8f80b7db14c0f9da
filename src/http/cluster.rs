//! `GET /cluster/snapshot`: a copy of the database for another hub of the cluster. And how health shows the cluster.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::{PartialSchema, ToSchema};

use super::caller::bearer;
use super::error::ApiError;
use super::route::Routes;
use super::state::EdgeState;
use crate::cluster::roster::Peer;
use crate::cluster::snapshot::PATH;
use crate::cluster::state::ClusterReport;
use crate::journal::copies;
use crate::sqlite::private::InMaking;
use crate::telemetry::causes::chain;

/// Bytes of the compressed copy that are sent at a time.
const CHUNK_BYTES: usize = 256 * 1024;
const ZSTD_LEVEL: i32 = 1;

/// How the cluster is, as this hub sees it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterPart {
    /// Name of this hub.
    node: String,
    /// Name of the cluster and of its stream.
    stream: String,
    /// True while there is a connection to NATS.
    connected: bool,
    /// True while this hub is in step with the stream.
    ready: bool,
    /// The newest position of the stream that is applied here.
    applied: i64,
    /// The newest position of the stream.
    newest: i64,
    /// Seconds for which this hub has been behind the stream.
    lag_seconds: u64,
    /// Deliveries that are stored here and not yet in the stream.
    inbox: u64,
    /// Seconds for which some have been waiting there.
    inbox_seconds: u64,
    /// True where this hub has the duties that only one of the cluster has.
    duties: bool,
    /// Number of the rules by which all hubs apply records; see the documentation of upgrades.
    rules: u32,
    /// Servers that keep the stream.
    replicas: usize,
    /// Servers that have all of it now.
    replicas_current: usize,
    /// The other hubs that told of themselves within the last minute, in the order of their names.
    peers: Vec<PeerPart>,
    /// The position from which on another hub stored something else than this one; missing while they agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    diverged_from: Option<i64>,
    /// By how many seconds the clock of this hub is ahead of the NATS server's; negative where it is behind.
    clock_ahead_seconds: i64,
    /// Why nothing more is applied here; missing while all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    halted: Option<String>,
}

/// Another hub of the cluster.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeerPart {
    /// Its name.
    node: String,
    /// The newest position that it had applied when it told of itself.
    applied: i64,
    /// True if it was in step with the stream when it told of itself, not longer ago than 15 seconds.
    ready: bool,
    /// Seconds for which it had been behind the stream.
    lag_seconds: u64,
    /// Deliveries that it had stored and not yet brought into the stream.
    inbox: u64,
    /// True if it has the duties that only one of the cluster has.
    duties: bool,
    /// WebSocket sessions that were connected to it.
    sessions: u64,
    /// Its release.
    version: String,
    /// The newest rules that it knows; 0 where its release has only one.
    rules: u32,
    /// Seconds since it told of itself. Usually it does so every 5 seconds.
    heard_seconds_ago: u64,
    /// Why nothing more is applied there; missing while all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    halted: Option<String>,
}

impl From<Peer> for PeerPart {
    fn from(peer: Peer) -> Self {
        let (ready, heard) = (peer.is_ready(), peer.heard.elapsed());
        let Peer { node, told, .. } = peer;
        Self {
            node,
            applied: told.applied,
            ready,
            lag_seconds: told.lag_seconds,
            inbox: told.inbox,
            duties: told.duties,
            sessions: told.sessions,
            version: told.version,
            rules: told.rules,
            heard_seconds_ago: heard.as_secs(),
            halted: told.halted,
        }
    }
}

impl From<ClusterReport> for ClusterPart {
    fn from(report: ClusterReport) -> Self {
        Self {
            node: report.node,
            stream: report.stream,
            connected: report.connected,
            ready: report.ready,
            applied: report.applied,
            newest: report.newest,
            lag_seconds: report.lag_seconds,
            inbox: report.inbox,
            inbox_seconds: report.inbox_seconds,
            duties: report.owner,
            rules: report.rules,
            replicas: report.replicas,
            replicas_current: report.replicas_current,
            peers: report.peers.into_iter().map(PeerPart::from).collect(),
            diverged_from: report.diverged_from,
            clock_ahead_seconds: report.clock_ahead_seconds,
            halted: report.halted,
        }
    }
}

/// The route for other hubs.
pub fn routes() -> Routes {
    let mut routes = Routes::under("");
    routes.tagged("cluster");
    let about = "A copy of the whole database, compressed with zstd, for another hub of the cluster.";
    routes
        .get_only(PATH, snapshot, "getClusterSnapshot", about)
        .secured_by(&["clusterBearer"])
        .answers_with(200, "application/zstd", String::schema())
        .refuses(401, "The secret is missing or wrong.")
        .refuses(404, "The hub is not part of a cluster, or gives no copies.")
        .refuses(503, "A copy is being made for another hub, or this hub is halted. Try again.");
    routes
}

async fn snapshot(request: HttpRequest, state: web::Data<EdgeState>) -> Result<HttpResponse, ApiError> {
    let secret = state.settings.cluster_secret.as_ref().filter(|_| state.cluster.is_some());
    let secret = secret.ok_or(ApiError::NotFound("this hub gives no copies"))?;
    if !bearer(request.headers()).is_some_and(|token| secret.matches(token)) {
        return Err(ApiError::Unauthorized("this is not the secret of the cluster".to_owned()));
    }
    if !state.cluster.as_ref().is_some_and(|cluster| cluster.halt().gives_copies()) {
        let message = "this hub is halted, and what it stored may be wrong";
        return Err(ApiError::Unavailable { message, retry_after_seconds: 10 });
    }
    let path = state.settings.database_path.clone();
    let made = web::block(move || copies::snapshot(&path)).await.map_err(|_stopping| ApiError::Internal)?;
    let (file, copied) = made.map_err(|error| {
        log::warn!("no copy for another hub: {}", chain(&error));
        ApiError::Unavailable { message: "a copy cannot be made now", retry_after_seconds: 10 }
    })?;
    log::info!("another hub gets a copy of the database: {} bytes up to {}", copied.bytes, copied.seq);
    let copy = CopyOut::open(file).map_err(|error| {
        log::error!("a copy for another hub cannot be read: {error}");
        ApiError::Internal
    })?;
    let copy = Arc::new(Mutex::new(copy));
    let parts = unfold(Some(copy), |copy| async {
        let copy = copy?;
        let reading = Arc::clone(&copy);
        let read = web::block(move || reading.blocking_lock().next()).await;
        match read {
            Ok(Ok(part)) if part.is_empty() => None,
            Ok(Ok(part)) => Some((Ok(part), Some(copy))),
            Ok(Err(error)) => Some((Err(error), None)),
            Err(_stopping) => Some((Err(io::Error::other("the hub is stopping")), None)),
        }
    });
    Ok(HttpResponse::Ok()
        .content_type("application/zstd")
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(parts))
}

/// A copy that is being sent. It is removed when it is dropped.
struct CopyOut {
    packed: zstd::stream::read::Encoder<'static, io::BufReader<File>>,
    _file: InMaking,
}

impl CopyOut {
    fn open(file: InMaking) -> io::Result<Self> {
        let packed = zstd::stream::read::Encoder::new(File::open(file.path())?, ZSTD_LEVEL)?;
        Ok(Self { packed, _file: file })
    }

    /// The next part; empty at the end.
    fn next(&mut self) -> io::Result<Bytes> {
        let mut part = Vec::new();
        self.packed.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut part)?;
        Ok(part.into())
    }
}
