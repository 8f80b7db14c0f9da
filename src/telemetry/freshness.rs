//! How fresh screens are, in three parts: from the provider's stamp to the hub, from there to the disk, and from the disk
//! to the sockets. `docs/monitoring.md` says what each part can tell and what it cannot.

use std::time::Duration;

use jiff::Timestamp;
use prometheus::{Histogram, IntCounter};

use super::maker::{Maker, SECONDS_BUCKETS};

/// Ages of deliveries: from a tenth of a second up to [`AGE_SECONDS_MAX`].
const AGE_BUCKETS: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, AGE_SECONDS_MAX];
/// What is older when it comes was imported, or comes after an outage of the provider. A few such deliveries would make
/// the sum of all ages useless.
const AGE_SECONDS_MAX: f64 = 3_600.0;

/// The histograms of freshness, and the counters of what they leave out.
pub struct Freshness {
    provider: Histogram,
    store: Histogram,
    push: Histogram,
    ahead: IntCounter,
    late: IntCounter,
    repeated: IntCounter,
}

impl Freshness {
    pub(super) fn new(maker: &Maker<'_>) -> Result<Self, prometheus::Error> {
        let exceptions = maker.counters(
            "umbler_hub_freshness_exceptions_total",
            "New deliveries whose age is no measure: ahead (counts as 0), late and repeated (not in the histogram).",
            "reason",
        )?;
        Ok(Self {
            provider: maker.histogram(
                "umbler_hub_freshness_provider_seconds",
                "Time from a new delivery's EventDate to its receipt: the provider's share.",
                AGE_BUCKETS,
            )?,
            store: maker.histogram(
                "umbler_hub_freshness_store_seconds",
                "Time from the receipt of a new delivery until it is durable.",
                SECONDS_BUCKETS,
            )?,
            push: maker.histogram(
                "umbler_hub_freshness_push_seconds",
                "Time from an update being durable until a worker has written it to its sockets; once per update and worker.",
                SECONDS_BUCKETS,
            )?,
            ahead: exceptions.with_label_values(&["ahead"]),
            late: exceptions.with_label_values(&["late"]),
            repeated: exceptions.with_label_values(&["repeated"]),
        })
    }

    /// A new delivery was received. `event_at` is never later than `received_at`: it is the same where the provider's stamp
    /// was missing or from the future.
    pub fn received(&self, event_at: Timestamp, received_at: Timestamp, attempt: Option<u32>) {
        let age = received_at.duration_since(event_at).as_secs_f64();
        if attempt.is_some_and(|attempt| attempt > 1) {
            self.repeated.inc();
        } else if age > AGE_SECONDS_MAX {
            self.late.inc();
        } else {
            if age <= 0.0 {
                self.ahead.inc();
            }
            self.provider.observe(age.max(0.0));
        }
    }

    /// A new delivery became durable. Both moments are of the wall clock, which may have been set back between them.
    pub fn stored(&self, received_at: Timestamp, durable_at: Timestamp) {
        self.store.observe(durable_at.duration_since(received_at).as_secs_f64().max(0.0));
    }

    /// A worker has written updates to its sockets, so long after they became durable.
    pub fn pushed(&self, updates: usize, after: Duration) {
        for _ in 0..updates {
            self.push.observe(after.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Metrics;

    fn moment(text: &str) -> Timestamp {
        format!("2026-03-02T{text}Z").parse().unwrap()
    }

    #[test]
    fn ages_that_measure_nothing_are_counted_apart() {
        let metrics = Metrics::new().unwrap();
        let freshness = metrics.freshness();
        let received = |event_at, attempt| freshness.received(moment(event_at), moment("13:00:00"), attempt);
        received("12:59:58.5", None);
        received("12:00:00", Some(1));
        received("13:00:00", None);
        received("11:59:59", None);
        received("12:59:50", Some(2));
        assert_eq!((freshness.provider.get_sample_count(), freshness.ahead.get()), (3, 1));
        assert!((freshness.provider.get_sample_sum() - 3_601.5).abs() < 1e-6);
        assert_eq!((freshness.late.get(), freshness.repeated.get()), (1, 1));
    }

    #[test]
    fn a_clock_that_is_set_back_counts_as_no_time() {
        let metrics = Metrics::new().unwrap();
        metrics.freshness().stored(moment("13:00:00"), moment("12:00:00"));
        assert_eq!(metrics.freshness().store.get_sample_count(), 1);
        assert!(metrics.freshness().store.get_sample_sum().abs() < 1e-9);
    }
}
