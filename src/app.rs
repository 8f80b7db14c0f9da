//! Puts the rooms together: opens the journal, starts the hub, listens, and stops everything in order.

pub mod deadlines;
pub mod daily_report;
pub mod link;
pub mod backup;
mod cluster;
mod retention;
mod open_files;
pub mod tls;
pub mod stop;
pub mod serve;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use actix_web::dev::Server;
use actix_web::web;
use tokio::sync::watch;

use crate::auth::key_file::LOOK_INTERVAL;
use crate::auth::{AuthError, Authenticator, Revocations};
use crate::cluster::duties::Duties;
use crate::cluster::{Cluster, ClusterError, ClusterState};
use crate::config::{AlertWebhook, Config, UmblerApi};
use crate::derived::alert_posts::{AlertPosts, AlertReceiver};
use crate::derived::analytics::FactStore;
use crate::derived::follower::{self, alarm};
use crate::derived::forwarder::{Forwarder, StoreOutcome, StorePosition};
use crate::derived::search::WordIndex;
use crate::domain::Seq;
use crate::http::connections::Connections;
use crate::http::link::LinkHandle;
use crate::http::state::{EdgeSettings, EdgeState};
use crate::hub::{self, Drain, HubSettings, Ingest, IngestError, UmblerHub};
use crate::journal::revocations;
use crate::journal::schema::{self, OpenError, Opened};
use crate::journal::writer::Listeners;
use crate::journal::{Committed, Faulted, JournalSettings, Origin, Payload, Record};
use crate::protocol::FaultKind;
use crate::reads::{
    AnalyticsReads, LoadNewest, LoadStats, Query, ReadError, ReadLog, Readers, Reads, SearchReads,
};
use crate::sqlite::open::deep_check;
use crate::sqlite::{DbError, kind_of};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;
use crate::telemetry::integrity::Integrity;
use crate::telemetry::metrics::Metrics;
use serve::{BACKLOG, serve};
use stop::{StopSignal, Stopped};

/// How often addresses that no longer send requests are removed from memory.
const FORGET_INTERVAL: Duration = Duration::from_mins(1);

/// Why the hub does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is in use, or is not one of this machine.
    #[error("HOST, PORT: cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    /// The database cannot be used.
    #[error("DATABASE_PATH")]
    Journal(#[from] OpenError),
    /// The hub cannot be part of its cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The journal's writer cannot begin.
    #[error("cannot start the journal's writer")]
    Begin(#[from] DbError),
    /// The counters cannot be read.
    #[error("cannot read the stored counters")]
    Stats(#[from] ReadError),
    /// The key of tokens cannot be used.
    #[error("cannot use the JWT key")]
    Auth(#[from] AuthError),
    /// The Prometheus metrics cannot be registered.
    #[error("cannot register the metrics")]
    Metrics(#[from] prometheus::Error),
    /// The https client for alerts cannot be set up.
    #[error("ALERT_WEBHOOK_URL: {0}")]
    AlertWebhook(String),
    /// The client of Umbler's API cannot be set up.
    #[error("UMBLER_API_URL: {0}")]
    Link(String),
    /// The client of the bucket cannot be set up.
    #[error("BACKUP_S3_URL: {0}")]
    Backup(String),
    /// The client of the mail server cannot be set up.
    #[error("SMTP_URL: {0}")]
    Mail(String),
    /// A thread does not start, or the server does not run.
    #[error("cannot start")]
    Io(#[from] std::io::Error),
    /// The hub's actor ended while it started.
    #[error("the hub ended while it started")]
    Hub(#[from] MailboxError),
}

/// A hub that listens for connections.
pub struct Application {
    server: Server,
    hub: Addr<UmblerHub>,
    edge: web::Data<EdgeState>,
    address: SocketAddr,
}

impl Application {
    /// Opens the journal, starts the hub and listens. Must be called inside an actix system.
    pub async fn build(settings: Config) -> Result<Self, StartError> {
        let address = SocketAddr::new(settings.host, settings.port);
        // First, because a port in use is the most common mistake and should be reported before the database is
        // opened.
        let listener = listen(address)?;
        let address = listener.local_addr()?;
        open_files::raise_limit();

        let metrics = Metrics::new()?;
        let integrity = Integrity::default();
        let revocations = Arc::new(Revocations::default());
        let Started { hub, history, newest, cluster } =
            start_hub(&settings, &metrics, &integrity, &revocations).await?;
        let duties = Duties::of(cluster.clone());
        let authenticator = settings.auth.as_ref().map(Authenticator::new).transpose()?;
        let authenticator =
            authenticator.map(|authenticator| Arc::new(authenticator.with_revocations(revocations)));
        if let Some(authenticator) = &authenticator {
            look_at_keys(Arc::clone(authenticator));
        }
        let calendar = settings.calendar();
        let ages = settings.ages();
        let connections =
            Connections::new(settings.sessions_per_address_max, settings.trusted_proxies.clone());
        let default_settings = settings.editable_defaults();
        let handle = LinkHandle::default();
        link::start(&settings, calendar.clone(), &hub, &history, &handle, &metrics, &duties)?;
        let webhook_url = settings.link.as_ref().and_then(|api| api.webhook_url.clone());
        let edge = EdgeSettings {
            time_zone: settings.zone.iana_name().unwrap_or("UTC").to_owned(),
            default_settings,
            send_prefix: settings.link.as_ref().and_then(send_prefix),
            origins: settings.origins,
            trusted_proxies: settings.trusted_proxies,
            webhook_secret: settings.webhook_secret,
            webhook_url,
            rest_per_second: settings.rest_per_second,
            connects_per_second: settings.connects_per_second,
            body_seconds: settings.body_seconds,
            dashboard_dir: settings.dashboard_dir,
            database_path: settings.database_path.clone(),
            cluster_secret: settings.cluster.as_ref().and_then(|cluster| cluster.secret.clone()),
        };
        let search = Arc::new(SearchReads::new(WordIndex::start(&settings.database_path)?));
        let analytics = AnalyticsReads::start(FactStore::start(&settings.database_path, calendar)?)?;
        hub.send(hub::AnalyticsReady { metrics: analytics.clone() }).await?;
        let log = ReadLog::start(&settings.database_path, settings.retain_reads_days, metrics.clone())?;
        let reads = Reads { history, search, analytics, log, newest };
        let database = settings.database_path.clone();
        daily_report::start(settings.mail, settings.zone, &hub, &reads, database, &duties)?;
        retention::start(&ages, &hub, &reads.history, duties, metrics.clone());
        let mut state = EdgeState::new(hub.clone(), reads, authenticator, metrics, integrity, handle, edge);
        state.cluster = cluster;
        let state = web::Data::new(state);
        check_in_background(&state, &settings.database_path)?;
        forget_idle_addresses(state.clone());
        let head_timeout = Duration::from_secs(settings.head_seconds);
        let server = serve(listener, &state, settings.workers, head_timeout, connections)?;
        Ok(Self { server, hub, edge: state, address })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until SIGTERM or SIGINT, then stops in order: no new deliveries, those that were received are
    /// stored, sessions are told to reconnect, the journal is closed. Even if something hangs, it ends within
    /// [`stop::DRAIN_SECONDS_MAX`].
    pub async fn run(self, stop: StopSignal) -> Result<Stopped, StartError> {
        let Self { server, hub, edge, .. } = self;
        let ends = stop.hear_from(edge.cluster.clone());
        let stopper = server.handle();
        let drain = async move {
            stop.heard().await;
            log::info!("draining");
            edge.drain();
            if hub.send(Drain).await.is_err() {
                log::warn!("the hub ended before it was drained");
            }
            stopper.stop(true).await;
        };
        let drained = actix_rt::spawn(drain);
        server.await?;
        if drained.await.is_err() {
            log::error!("the hub was not drained");
        }
        log::info!("stopped");
        Ok(ends.stopped())
    }
}

/// What the customer sees before the text of a message; an outer `None`: nothing is sent.
fn send_prefix(api: &UmblerApi) -> Option<Option<String>> {
    api.sending.as_ref().map(|rules| rules.prefix.clone())
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let refused = |source| StartError::Listen { address, source };
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)
        .map_err(refused)?;
    // So that a restart does not have to wait until connections of the last run time out.
    socket.set_reuse_address(true).map_err(refused)?;
    socket.bind(&address.into()).map_err(refused)?;
    socket.listen(i32::try_from(BACKLOG).unwrap_or(i32::MAX)).map_err(refused)?;
    socket.set_nonblocking(true).map_err(refused)?;
    Ok(socket.into())
}

/// The hub and what it works on.
struct Started {
    hub: Addr<UmblerHub>,
    history: Readers,
    /// The newest position, which grows.
    newest: watch::Receiver<Seq>,
    /// `None`: the hub is on its own.
    cluster: Option<ClusterState>,
}

/// Opens the database, which may first have to be copied from another hub of the cluster.
async fn open_journal(settings: &Config) -> Result<(Option<Cluster>, Opened), StartError> {
    let Some(cluster) = settings.cluster_settings() else {
        return Ok((None, schema::open(&settings.database_path)?));
    };
    let (cluster, opened) = cluster::open(&cluster, &settings.database_path).await?;
    Ok((Some(cluster), opened))
}

/// Opens the journal, and starts the hub and the readers on it.
async fn start_hub(
    settings: &Config,
    metrics: &Metrics,
    integrity: &Integrity,
    revocations: &Arc<Revocations>,
) -> Result<Started, StartError> {
    let (cluster, opened) = open_journal(settings).await?;
    let member = cluster.as_ref().map(|cluster| cluster.member.clone());
    let membership = member.as_ref().map(|member| member.state.clone());
    let duties = Duties::of(membership.clone());
    let now = clock::now();
    let (stats, newest_updates, alerts) = {
        let mut connection = crate::reads::open(&settings.database_path).map_err(ReadError::from)?;
        let transaction = connection.transaction().map_err(ReadError::from)?;
        for revocation in revocations::load(&transaction).map_err(ReadError::from)? {
            revocations.add(revocation);
        }
        let newest = LoadNewest {
            updates_max: settings.updates_in_memory,
            bytes_max: hub::updates::ring::RING_BYTES_MAX,
        };
        let alerts = deadlines::at_start(&transaction, settings, integrity);
        (LoadStats { now }.answer(&transaction)?, newest.answer(&transaction)?, alerts)
    };
    let (wake, woken) = alarm();
    let alert_wake = settings.alert_webhook.is_some().then_some(wake);
    let hub_settings = HubSettings {
        zone: settings.zone.clone(),
        sessions_max: settings.sessions_max,
        sessions_per_address_max: settings.sessions_per_address_max,
        sessions_per_user_max: settings.sessions_per_user_max,
        revocations: Arc::clone(revocations),
        epoch: opened.epoch.clone(),
        stats,
        last_webhook_at: opened.last_webhook_at,
        updates_in_memory: settings.updates_in_memory,
        replay_updates_max: settings.replay_updates_max,
        newest_updates,
        alert_wake,
        organization_name: settings.organization_name.clone(),
        alerts,
        duties: duties.clone(),
        cluster: member,
    };
    let history = Readers::start(&settings.database_path, integrity)?;
    let hub = UmblerHub::new(hub_settings, history.clone(), metrics.clone());
    let newest = hub.newest();
    let hub = hub.start();
    let listeners = Listeners {
        committed: hub.clone().recipient::<Committed>(),
        faulted: hub.clone().recipient::<Faulted>(),
        metrics: metrics.clone(),
        integrity: integrity.clone(),
    };
    let journal_settings =
        JournalSettings { path: settings.database_path.clone(), updates_retained: settings.updates_retained };
    let epoch = opened.epoch.clone();
    let journal = match (&cluster, opened.place) {
        (Some(cluster), Some(place)) => {
            let (order, begin) =
                cluster.order(&settings.database_path, &epoch, place, hub.clone().recipient())?;
            opened.start_shared(&journal_settings, listeners, order, begin)?
        }
        _ => opened.start(&journal_settings, listeners)?,
    };
    backup::start(settings.backup.as_ref(), &settings.database_path, &epoch, metrics, &duties)?;
    hub.send(hub::JournalReady { journal }).await?;
    if let Some(webhook) = &settings.alert_webhook {
        let posts = alert_posts(webhook, settings.database_path.clone(), hub.clone(), duties)?;
        follower::start(posts, woken)?;
    }
    Ok(Started { hub, history, newest, cluster: membership })
}

/// Posts alerts to another address.
fn alert_posts(
    webhook: &AlertWebhook,
    database: PathBuf,
    hub: Addr<UmblerHub>,
    duties: Duties,
) -> Result<Forwarder<AlertPosts>, StartError> {
    let tls = tls::config(&webhook.url).map_err(StartError::AlertWebhook)?;
    let receiver = AlertReceiver { url: webhook.url.clone(), secret: webhook.secret.clone(), tls };
    let store = stored_by(hub, Payload::AlertsPosted);
    Ok(Forwarder::new(AlertPosts::new(receiver), database, store, duties))
}

/// Records through the hub how far updates were sent to another system, so that a restart continues there.
fn stored_by(hub: Addr<UmblerHub>, payload: fn(Seq) -> Payload) -> StorePosition {
    Box::new(move |seq| {
        let sent = Record::new(payload(seq), None, Origin::Hub, clock::now());
        let Ok(record) = sent else { return StoreOutcome::NotNow };
        match futures_executor::block_on(hub.send(Ingest { record })) {
            Ok(Ok(_)) => StoreOutcome::Durable,
            Ok(Err(IngestError::Full | IngestError::Unwritable)) => StoreOutcome::NotNow,
            Ok(Err(IngestError::Stopping)) | Err(_) => StoreOutcome::Ending,
        }
    })
}

/// Reads the whole database once, on a thread of its own: it takes seconds per million messages, so nobody
/// waits for it.
fn check_in_background(state: &web::Data<EdgeState>, path: &Path) -> Result<(), StartError> {
    let (integrity, path) = (state.integrity.clone(), path.to_path_buf());
    let check = move || match deep_check(&path) {
        Ok(problems) if problems.is_empty() => integrity.note_sound(),
        Ok(problems) => integrity.note_damage(problems.join("; ")),
        Err(error) if kind_of(&error) == FaultKind::Damaged => integrity.note_damage(chain(&error)),
        Err(error) => log::warn!("the check of the whole database failed: {}", chain(&error)),
    };
    std::thread::Builder::new().name("integrity".into()).spawn(check)?;
    Ok(())
}

fn forget_idle_addresses(state: web::Data<EdgeState>) {
    actix_rt::spawn(async move {
        let mut interval = actix_rt::time::interval(FORGET_INTERVAL);
        loop {
            interval.tick().await;
            state.rest_limiter.forget_idle();
            state.connect_limiter.forget_idle();
            state.send_limiter.forget_idle();
        }
    });
}

/// Notices when a file of keys changes. On a thread of its own, because the disk of the file may not answer.
fn look_at_keys(authenticator: Arc<Authenticator>) {
    if authenticator.key_state().is_none() {
        return;
    }
    actix_rt::spawn(async move {
        let mut interval = actix_rt::time::interval(LOOK_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let authenticator = Arc::clone(&authenticator);
            if actix_rt::task::spawn_blocking(move || authenticator.look_at_keys()).await.is_err() {
                log::error!("the file of keys could not be looked at");
            }
        }
    });
}

/// SIGTERM comes from a container engine, SIGINT from a keyboard.
pub async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
        log::error!("signals cannot be received; only kill -9 ends this process");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
