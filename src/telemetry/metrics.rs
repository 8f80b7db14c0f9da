//! What the hub counts of its own work, for Prometheus. Names follow its conventions: base units, `_total` on
//! counters.

use std::sync::Arc;

use prometheus::process_collector::ProcessCollector;
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry, TextEncoder};

use super::backups::Backups;
use super::freshness::Freshness;
use super::maker::{Maker, SECONDS_BUCKETS};

/// Events in one batch, up to the most that the journal commits at once.
const BATCH_BUCKETS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// The counters. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    http_seconds: HistogramVec,
    webhook_seconds: HistogramVec,
    sessions_opened: IntCounter,
    sessions_closed: IntCounterVec,
    frames_refused: IntCounterVec,
    commit_seconds: Histogram,
    commit_events: Histogram,
    updates_delivered: IntCounter,
    sessions_behind: IntCounter,
    recoveries: IntCounterVec,
    freshness: Freshness,
    backups: Backups,
    api_requests: IntCounterVec,
    reconciled: IntCounterVec,
    reads_dropped: IntCounter,
    retention_failures: IntCounter,
    /// In the order of [`GAUGES`].
    gauges: Vec<IntGauge>,
}

/// Values that are read from the hub at the moment of a scrape.
#[derive(Debug, Clone, Copy)]
pub struct GaugeValues {
    pub sessions: i64,
    /// Deliveries that wait to be stored.
    pub queued: i64,
    /// The newest position of the journal.
    pub seq: i64,
    /// When the last delivery came, in seconds since 1970; 0: none yet.
    pub last_webhook_at: i64,
    /// True while the journal accepts deliveries.
    pub writable: bool,
    /// True once damage was found in the database.
    pub damaged: bool,
    pub open_chats: i64,
    /// Direct chats in the waiting list.
    pub waiting_chats: i64,
    /// True while the file of keys cannot be used, and the last good keys remain in force.
    pub sign_in_keys_stale: bool,
    /// Seconds since 1970 up to which everything is known, by comparing with the provider's API; 0: it was never compared.
    pub complete_until: i64,
    /// Chats that the newest backfill has read, and those that it has to read.
    pub backfill: (i64, i64),
    /// All 0 where the hub is on its own.
    pub cluster: ClusterGauges,
}

/// How this hub fares in its cluster.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClusterGauges {
    pub ready: i64,
    pub connected: i64,
    /// Positions of the stream that are not applied yet.
    pub behind: i64,
    pub lag_seconds: i64,
    pub inbox: i64,
    pub inbox_bytes: i64,
    pub inbox_seconds: i64,
    /// Servers that have all of the stream.
    pub replicas: i64,
    pub owner: i64,
    pub diverged: i64,
    /// By how many seconds the clock differs from the NATS server's.
    pub clock_off_seconds: i64,
}

/// Name, help text, and how to get the value.
type Gauge = (&'static str, &'static str, fn(&GaugeValues) -> i64);

const GAUGES: &[Gauge] = &[
    ("umbler_hub_sessions", "WebSocket sessions that are connected.", |values| values.sessions),
    ("umbler_hub_deliveries_queued", "Deliveries that wait to be stored.", |values| values.queued),
    ("umbler_hub_seq", "The newest position of the journal.", |values| values.seq),
    (
        "umbler_hub_last_webhook_timestamp_seconds",
        "When the last delivery came, in seconds since 1970; 0 before the first.",
        |values| values.last_webhook_at,
    ),
    ("umbler_hub_writable", "1 while the journal accepts deliveries.", |values| i64::from(values.writable)),
    ("umbler_hub_database_damaged", "1 once damage was found in the database.", |values| {
        i64::from(values.damaged)
    }),
    ("umbler_hub_open_chats", "Open chats, without groups and internal ones.", |values| values.open_chats),
    ("umbler_hub_waiting_chats", "Chats in which a customer waits.", |values| values.waiting_chats),
    (
        "umbler_hub_sign_in_keys_stale",
        "1 while JWT_JWKS_FILE cannot be used and the last good keys remain in force.",
        |values| i64::from(values.sign_in_keys_stale),
    ),
    (
        "umbler_hub_complete_until_timestamp_seconds",
        "Up to when everything is known, by comparing with Umbler's API; 0 where it was never compared.",
        |values| values.complete_until,
    ),
    ("umbler_hub_backfill_chats_read", "Chats that the newest backfill has read.", |values| {
        values.backfill.0
    }),
    (
        "umbler_hub_backfill_chats",
        "Chats that the newest backfill has to read; 0 until they are counted.",
        |values| values.backfill.1,
    ),
    ("umbler_hub_cluster_ready", "1 while this hub is in step with its cluster.", |values| {
        values.cluster.ready
    }),
    ("umbler_hub_cluster_connected", "1 while this hub is connected to NATS.", |values| {
        values.cluster.connected
    }),
    (
        "umbler_hub_cluster_behind_positions",
        "Positions of the stream that this hub has not applied yet.",
        |values| values.cluster.behind,
    ),
    ("umbler_hub_cluster_lag_seconds", "For how long this hub has been behind the stream.", |values| {
        values.cluster.lag_seconds
    }),
    (
        "umbler_hub_inbox_deliveries",
        "Deliveries in the inbox, which the stream has not taken yet.",
        |values| values.cluster.inbox,
    ),
    ("umbler_hub_inbox_bytes", "Bytes of the deliveries in the inbox.", |values| values.cluster.inbox_bytes),
    ("umbler_hub_inbox_seconds", "For how long the inbox has not been empty.", |values| {
        values.cluster.inbox_seconds
    }),
    ("umbler_hub_stream_replicas_current", "NATS servers that have all of the stream.", |values| {
        values.cluster.replicas
    }),
    ("umbler_hub_cluster_duties", "1 while this hub has the duties that only one has.", |values| {
        values.cluster.owner
    }),
    (
        "umbler_hub_cluster_diverged",
        "1 while what another hub of the cluster stored differs from what this one did.",
        |values| values.cluster.diverged,
    ),
    (
        "umbler_hub_cluster_clock_off_seconds",
        "By how many seconds this hub's clock differs from the NATS server's.",
        |values| values.cluster.clock_off_seconds,
    ),
];

impl Metrics {
    /// New counters in a registry of their own, so that several hubs in one process do not mix.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let maker = Maker::new(&registry);
        let inner = Inner {
            http_seconds: maker.histograms(
                "umbler_hub_http_request_duration_seconds",
                "Time to answer HTTP requests.",
                &["route", "method", "status"],
            )?,
            webhook_seconds: maker.histograms(
                "umbler_hub_webhook_duration_seconds",
                "Time from a delivery's last byte to its answer, by outcome.",
                &["outcome"],
            )?,
            sessions_opened: maker
                .counter("umbler_hub_sessions_opened_total", "WebSocket sessions opened.")?,
            sessions_closed: maker.counters(
                "umbler_hub_sessions_closed_total",
                "WebSocket sessions that the hub closed, by close code.",
                "code",
            )?,
            frames_refused: maker.counters(
                "umbler_hub_frames_refused_total",
                "Frames of clients that were refused, by reason.",
                "reason",
            )?,
            commit_seconds: maker.histogram(
                "umbler_hub_commit_duration_seconds",
                "Time of one durable commit of the journal.",
                SECONDS_BUCKETS,
            )?,
            commit_events: maker.histogram(
                "umbler_hub_commit_deliveries",
                "Deliveries in one commit of the journal.",
                BATCH_BUCKETS,
            )?,
            updates_delivered: maker.counter(
                "umbler_hub_updates_delivered_total",
                "Updates handed to sessions: one per update and session.",
            )?,
            sessions_behind: maker.counter(
                "umbler_hub_sessions_behind_total",
                "Times that a session did not read fast enough and was skipped.",
            )?,
            recoveries: maker.counters(
                "umbler_hub_recoveries_total",
                "First subscriptions, by whether their position was recovered or why not.",
                "outcome",
            )?,
            freshness: Freshness::new(&maker)?,
            backups: Backups::new(&maker)?,
            api_requests: maker.counters_by(
                "umbler_hub_api_requests_total",
                "Requests to Umbler's API, by route and status; none where no answer came.",
                &["route", "status"],
            )?,
            reconciled: maker.counters(
                "umbler_hub_reconciled_total",
                "What Umbler's API knew and no webhook had brought: messages, states of chats, transfers.",
                "what",
            )?,
            reads_dropped: maker.counter(
                "umbler_hub_reads_dropped_total",
                "Reads of personal data that were not noted, because too many waited or the disk took none.",
            )?,
            retention_failures: maker.counter(
                "umbler_hub_retention_failures_total",
                "Times that what is too old could not be deleted, and was tried again later.",
            )?,
            gauges: GAUGES.iter().map(|(name, help, _)| maker.gauge(name, help)).collect::<Result<_, _>>()?,
            registry: registry.clone(),
        };
        if let Ok(pid) = i32::try_from(std::process::id()) {
            registry.register(Box::new(ProcessCollector::new(pid, "")))?;
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Counts a request that was answered. `route` is the pattern and never the path: paths contain ids, so
    /// there is no bound on their number.
    pub fn http_request(&self, route: &str, method: &str, status: u16, seconds: f64) {
        self.inner.http_seconds.with_label_values(&[route, method, &status.to_string()]).observe(seconds);
    }

    /// Counts a delivery that was answered.
    pub fn webhook(&self, outcome: &str, seconds: f64) {
        self.inner.webhook_seconds.with_label_values(&[outcome]).observe(seconds);
    }

    pub fn session_opened(&self) {
        self.inner.sessions_opened.inc();
    }

    /// Counts a socket that the hub closed.
    pub fn session_closed(&self, code: u16) {
        self.inner.sessions_closed.with_label_values(&[&code.to_string()]).inc();
    }

    /// Counts a frame of a client that was refused.
    pub fn frame_refused(&self, reason: &str) {
        self.inner.frames_refused.with_label_values(&[reason]).inc();
    }

    /// Counts a batch that the journal committed.
    pub fn committed(&self, deliveries: usize, seconds: f64) {
        self.inner.commit_seconds.observe(seconds);
        #[expect(clippy::cast_precision_loss, reason = "a batch holds a few hundred deliveries")]
        self.inner.commit_events.observe(deliveries as f64);
    }

    pub fn updates_delivered(&self, count: u64) {
        self.inner.updates_delivered.inc_by(count);
    }

    /// Counts a session that did not read fast enough.
    pub fn session_behind(&self) {
        self.inner.sessions_behind.inc();
    }

    /// Counts the first subscription of a session. `outcome` is `recovered`, or why not.
    pub fn recovered(&self, outcome: &str) {
        self.inner.recoveries.with_label_values(&[outcome]).inc();
    }

    /// Umbler's API was asked; the status is `none` where no answer came.
    pub fn api_request(&self, route: &str, status: &str) {
        self.inner.api_requests.with_label_values(&[route, status]).inc();
    }

    /// So many of this were found that no webhook had brought.
    pub fn reconciled(&self, what: &str, count: usize) {
        self.inner.reconciled.with_label_values(&[what]).inc_by(count as u64);
    }

    /// Counts a read of personal data that could not be noted, because too many waited.
    pub fn read_dropped(&self) {
        self.inner.reads_dropped.inc();
    }

    /// Counts a run of deleting by age that could not come to its end.
    pub fn retention_failed(&self) {
        self.inner.retention_failures.inc();
    }

    /// How many reads could not be noted.
    #[cfg(test)]
    pub fn reads_dropped(&self) -> u64 {
        self.inner.reads_dropped.get()
    }

    pub fn freshness(&self) -> &Freshness {
        &self.inner.freshness
    }

    pub fn backups(&self) -> &Backups {
        &self.inner.backups
    }

    /// All values in the text format of Prometheus.
    pub fn render(&self, values: &GaugeValues) -> Result<String, prometheus::Error> {
        for (gauge, (_, _, read)) in self.inner.gauges.iter().zip(GAUGES) {
            gauge.set(read(values));
        }
        TextEncoder::new().encode_to_string(&self.inner.registry.gather())
    }
}
