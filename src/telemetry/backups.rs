//! How backups on another machine fare: how old and how large the newest one is, and up to when records were sent.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use prometheus::{IntCounter, IntGauge};

use super::maker::Maker;

/// Seconds without records in the bucket after which that is told: many times what sending them takes.
const BEHIND_SECONDS: i64 = 120;

/// A snapshot that is older than so many intervals is old: one of them has failed.
const OLD_INTERVALS: i64 = 2;

/// All of them are 0 where no backups are set up.
pub struct Backups {
    interval: IntGauge,
    snapshot_at: IntGauge,
    snapshot_bytes: IntGauge,
    covered_until: IntGauge,
    segments: IntCounter,
    failures: IntCounter,
    /// Since when backups are made, in seconds since 1970.
    begun_at: OnceLock<i64>,
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
            begun_at: OnceLock::new(),
        })
    }

    /// From now on snapshots are made this often.
    pub fn expected(&self, every: Duration, now: Timestamp) {
        self.interval.set(i64::try_from(every.as_secs()).unwrap_or(i64::MAX));
        self.begun_at.get_or_init(|| now.as_second());
    }

    /// Another hub of the cluster makes them.
    pub fn left_to_another_hub(&self) {
        self.interval.set(0);
    }

    /// How they fare, in a word: `starting`, `ok`, `old` or `behind`; `None` where none are made.
    pub fn describe(&self, now: Timestamp) -> Option<&'static str> {
        let begun_at = *self.begun_at.get()?;
        if self.interval.get() == 0 {
            return None;
        }
        let age = |of: &IntGauge| now.as_second().saturating_sub(of.get().max(begun_at));
        if age(&self.snapshot_at) > self.interval.get().saturating_mul(OLD_INTERVALS) {
            return Some("old");
        }
        if age(&self.covered_until) > BEHIND_SECONDS {
            return Some("behind");
        }
        let is_known = self.snapshot_at.get() > 0 && self.covered_until.get() > 0;
        Some(if is_known { "ok" } else { "starting" })
    }

    /// When the newest snapshot was taken; `None` before the first.
    pub fn taken_at(&self) -> Option<Timestamp> {
        moment(&self.snapshot_at)
    }

    /// Everything that was committed until then is in the bucket; `None` before that is known.
    pub fn covered_until(&self) -> Option<Timestamp> {
        moment(&self.covered_until)
    }

    /// Notes when the newest snapshot was taken, and its size.
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

/// The moment of a gauge; `None` for 0.
fn moment(gauge: &IntGauge) -> Option<Timestamp> {
    Timestamp::from_second(gauge.get()).ok().filter(|at| *at > Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Metrics;

    fn on(text: &str) -> Timestamp {
        format!("2026-03-{text}:00Z").parse().unwrap()
    }

    #[test]
    fn the_alerts_of_prometheus_fire_at_the_same_ages() {
        let rules = include_str!("../../ops/prometheus/alerts.yml");
        let behind = format!("- umbler_hub_backup_covered_until_timestamp_seconds > {BEHIND_SECONDS}\n");
        let old = format!(
            "- umbler_hub_backup_snapshot_timestamp_seconds > {OLD_INTERVALS} * umbler_hub_backup_interval_seconds\n"
        );
        assert!(rules.contains(&behind) && rules.contains(&old));
    }

    #[test]
    fn a_backup_that_is_old_or_behind_is_told() {
        let metrics = Metrics::new().unwrap();
        let backups = metrics.backups();
        let told = |text| backups.describe(on(text));
        assert_eq!(told("02T13:00"), None, "none are made");
        backups.expected(Duration::from_hours(24), on("02T13:00"));
        assert_eq!(told("02T13:01"), Some("starting"));
        assert_eq!(told("02T13:03"), Some("behind"));
        backups.covered(on("02T13:03"));
        backups.snapshot(on("02T13:00"), 4_096);
        assert_eq!(told("02T13:05"), Some("ok"));
        assert_eq!(told("02T13:06"), Some("behind"));
        backups.covered(on("04T13:00"));
        assert_eq!(told("04T13:00"), Some("ok"));
        assert_eq!(told("04T13:01"), Some("old"));
        backups.left_to_another_hub();
        assert_eq!(told("04T13:01"), None);
    }

    #[test]
    fn a_hub_that_was_off_for_days_has_its_time_for_a_snapshot() {
        let metrics = Metrics::new().unwrap();
        let backups = metrics.backups();
        backups.expected(Duration::from_hours(1), on("20T13:00"));
        backups.snapshot(on("02T13:00"), 4_096);
        assert_eq!(backups.describe(on("20T13:01")), Some("starting"));
    }
}
