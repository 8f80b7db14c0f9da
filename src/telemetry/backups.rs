//! How backups on another machine fare: how old and how large the newest one is, and up to when records were sent.

use std::time::Duration;

use jiff::Timestamp;
use prometheus::{IntCounter, IntGauge};

use super::metrics::Maker;

/// All of them are 0 where no backups are set up.
pub struct Backups {
    interval: IntGauge,
    snapshot_at: IntGauge,
    snapshot_bytes: IntGauge,
    covered_until: IntGauge,
    segments: IntCounter,
    failures: IntCounter,
}

impl Backups {
    pub(super) fn new(maker: &Maker<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            interval: maker.gauge(
                "umbler_hub_backup_interval_seconds",
                "Time between two snapshots, as it is set; 0 where no backups are made.",
            )?,
            snapshot_at: maker.gauge(
                "umbler_hub_backup_snapshot_timestamp_seconds",
                "When the newest snapshot that was read back was taken; 0 before the first.",
            )?,
            snapshot_bytes: maker.gauge(
                "umbler_hub_backup_snapshot_bytes",
                "Length of that snapshot in the bucket, compressed.",
            )?,
            covered_until: maker.gauge(
                "umbler_hub_backup_covered_until_timestamp_seconds",
                "Everything that was committed until then is in the bucket; 0 before that is known.",
            )?,
            segments: maker
                .counter("umbler_hub_backup_segments_total", "Segments of records that were sent.")?,
            failures: maker.counter(
                "umbler_hub_backup_failures_total",
                "Times that a snapshot or records were not sent, and were tried again later.",
            )?,
        })
    }

    /// Snapshots are made this often.
    pub fn expected(&self, every: Duration) {
        self.interval.set(i64::try_from(every.as_secs()).unwrap_or(i64::MAX));
    }

    /// The newest snapshot.
    pub fn snapshot(&self, taken_at: Timestamp, bytes: u64) {
        self.snapshot_at.set(taken_at.as_second());
        self.snapshot_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    pub fn segment_stored(&self) {
        self.segments.inc();
    }

    /// Everything that was committed until then is in the bucket.
    pub fn covered(&self, until: Timestamp) {
        self.covered_until.set(until.as_second());
    }

    pub fn failed(&self) {
        self.failures.inc();
    }
}
