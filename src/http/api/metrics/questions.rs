//! What a query string asks of the metrics.

use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use utoipa::openapi::schema::ObjectBuilder;

use super::sheet::Written;
use crate::domain::ChatKind;
use crate::domain::metrics::Metric;
use crate::domain::stats::day_of;
use crate::http::api::lists::{LIMIT_DEFAULT, LIMIT_MAX, PAGE_MAX};
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::fields::Fields;
use crate::http::question::{Value, question};
use crate::http::values::{Id, Past, Words, string, words};
use crate::reads::analytics::{Clock, Dimension, Filter, LiveField, Period};

/// Days of the longest period.
pub const PERIOD_DAYS_MAX: i64 = 366;
/// Buckets of the longest series.
pub const BUCKETS_MAX: usize = 800;

/// What is of no use without `explain=true`.
const ONLY_EXPLAINED: &str = "is taken only with explain=true";

/// How long a bucket of a series is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
}

words!(Bucket: "hour" => Self::Hour, "day" => Self::Day, "week" => Self::Week, "month" => Self::Month);
words!(Clock: "wall" => Self::Wall, "business" => Self::Business);

impl Words for Dimension {
    fn words() -> Vec<(&'static str, Self)> {
        Self::ALL.map(|by| (by.as_str(), by)).to_vec()
    }
}

impl Words for LiveField {
    fn words() -> Vec<(&'static str, Self)> {
        Self::ALL.map(|field| (field.as_str(), field)).to_vec()
    }
}

/// Names of metrics, separated by commas; in the order of answers, each once.
#[derive(Debug, Clone)]
pub struct MetricNames(pub Vec<Metric>);

impl Value for MetricNames {
    fn read(text: &str) -> Result<Self, String> {
        let mut metrics = Vec::new();
        for word in text.split(',') {
            metrics.push(Metric::of(word).ok_or_else(|| {
                let words: Vec<&str> = Metric::ALL.iter().map(|metric| metric.as_str()).collect();
                format!("must name some of {}", words.join(", "))
            })?);
        }
        metrics.sort_unstable();
        metrics.dedup();
        Ok(Self(metrics))
    }

    fn schema() -> ObjectBuilder {
        string().pattern(Some(list_of(|_| true)))
    }
}

/// The same, of durations alone.
#[derive(Debug, Clone)]
pub struct DurationNames(pub Vec<Metric>);

impl Value for DurationNames {
    fn read(text: &str) -> Result<Self, String> {
        let MetricNames(metrics) = MetricNames::read(text)?;
        let are_durations = metrics.iter().all(|metric| metric.is_duration());
        are_durations.then_some(Self(metrics)).ok_or_else(|| "must name durations alone".to_owned())
    }

    fn schema() -> ObjectBuilder {
        string().pattern(Some(list_of(Metric::is_duration)))
    }
}

/// The form of a list of such metrics.
fn list_of(such: fn(Metric) -> bool) -> String {
    let such = Metric::ALL.into_iter().filter(|metric| such(*metric));
    let words = such.map(Metric::as_str).collect::<Vec<_>>().join("|");
    format!("^({words})(,({words}))*$")
}

question! {
    /// Whose chats.
    pub struct Whose {
        /// A sector's id.
        sector: Option<Id>,
        /// An agent's id.
        agent: Option<Id>,
        /// A line's id.
        channel: Option<Id>,
        /// A tag's id.
        tag: Option<Id>,
        /// `direct` where it is left out.
        kind: ChatKind = ChatKind::Direct,
    }
}

impl Whose {
    /// What they are filtered by.
    pub fn filter(self, caller: &Caller, zone: &TimeZone) -> Filter {
        Filter {
            kind: self.kind,
            sector: self.sector.map(Into::into),
            agent: self.agent.map(Into::into),
            channel: self.channel.map(Into::into),
            tag: self.tag.map(Into::into),
            weekday: None,
            hour: None,
            zone: zone.clone(),
            scope: std::sync::Arc::clone(&caller.scope),
        }
    }
}

question! {
    /// What is behind a number.
    pub struct Behind {
        /// The chats and intervals behind the one `metric`.
        explain: bool = false,
        /// With `explain`: rows on a page; 50 where it is left out.
        limit: Option<u32> [1..=LIMIT_MAX],
        /// With `explain`: which page, from 1.
        page: Option<u32> [1..=PAGE_MAX],
    }
    checked by only_explained
}

fn only_explained(question: &Behind, fields: &mut Fields) {
    if !question.explain {
        fields.refuse_given(&["limit", "page"], ONLY_EXPLAINED);
    }
}

/// Which page of what is behind a number.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// From 1.
    pub page: u32,
    /// Rows on it.
    pub limit: u32,
}

impl Behind {
    /// The page that is asked for; `None` where the numbers are.
    pub fn page(&self) -> Option<Page> {
        let page = Page { page: self.page.unwrap_or(1), limit: self.limit.unwrap_or(LIMIT_DEFAULT) };
        self.explain.then_some(page)
    }
}

question! {
    /// From when to when.
    pub struct Between {
        /// The first moment; the midnight before `until`.
        from: Option<Timestamp>,
        /// The first moment after it; now. At most 366 days after `from`.
        until: Option<Timestamp>,
    }
}

impl Between {
    /// The period.
    pub fn period(&self, now: Timestamp, zone: &TimeZone) -> Result<Period, ApiError> {
        let until = self.until.unwrap_or(now);
        let from = self.from.unwrap_or_else(|| {
            let before = until.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(until);
            day_of(before, zone).0
        });
        if from > until {
            return Err(ApiError::parameter("until", "must not be earlier than from"));
        }
        if until.duration_since(from) > SignedDuration::from_hours(24 * PERIOD_DAYS_MAX) {
            return Err(ApiError::parameter(
                "from",
                format!("must be at most {PERIOD_DAYS_MAX} days before until"),
            ));
        }
        Ok(Period { from, until })
    }
}

question! {
    /// Which numbers, of when, of whose chats, and whether they are explained.
    pub struct Numbers {
        /// When.
        pub between: Between,
        /// `wall` where it is left out.
        pub clock: Clock = Clock::Wall,
        /// The period of the same length just before, beside it.
        compare: bool = false,
        /// Monday is 1.
        pub weekday: Option<i8> [1..=7],
        /// Of the day in `TIMEZONE`.
        pub hour: Option<i8> [0..=23],
        /// With `explain` of durations: only those of at least so many milliseconds on the asked clock.
        at_least_ms: Option<i64> [0..=i64::MAX],
        /// With `explain` of durations: only those of fewer milliseconds on the asked clock.
        below_ms: Option<i64> [1..=i64::MAX],
        /// Whose.
        pub whose: Whose,
        /// What is behind them.
        pub behind: Behind,
        /// How the answer is written.
        pub written: Written,
    }
    checked by some_lengths
}

fn some_lengths(question: &Numbers, fields: &mut Fields) {
    if !question.behind.explain {
        fields.refuse_given(&["atLeastMs", "belowMs"], ONLY_EXPLAINED);
    } else if question.lengths().is_some_and(|lengths| lengths.is_empty()) {
        fields.refuse("belowMs", "must be more than atLeastMs");
    }
}

impl Numbers {
    /// The period of the same length just before, if it is asked for.
    pub fn previous(&self, period: Period) -> Result<Option<Period>, ApiError> {
        if !self.compare {
            return Ok(None);
        }
        let from = period.from.checked_sub(period.until.duration_since(period.from));
        let from = from.map_err(|_before_time| ApiError::parameter("from", "has nothing before it"))?;
        Ok(Some(Period { from, until: period.from }))
    }

    /// Which durations are explained; `None`: all.
    pub fn lengths(&self) -> Option<Range<i64>> {
        let is_asked = self.at_least_ms.is_some() || self.below_ms.is_some();
        is_asked.then(|| self.at_least_ms.unwrap_or(0)..self.below_ms.unwrap_or(i64::MAX))
    }
}

question! {
    /// Any numbers.
    pub struct NumbersQuestion {
        /// Names, separated by commas; all. One with `explain`.
        pub metric: Option<MetricNames>,
        /// Of when and whose.
        pub numbers: Numbers,
    }
}

question! {
    /// Durations.
    pub struct DurationsQuestion {
        /// Names of durations, separated by commas; all. One with `explain`.
        pub metric: Option<DurationNames>,
        /// Of when and whose.
        pub numbers: Numbers,
    }
}

question! {
    /// Numbers bucket by bucket.
    pub struct SeriesQuestion {
        /// `day` where it is left out. At most 800 of the period.
        pub bucket: Bucket = Bucket::Day,
        /// Which.
        pub numbers: NumbersQuestion,
    }
}

question! {
    /// Counts of open chats.
    pub struct LiveQuestion {
        /// As they stood at this moment, not in the future.
        pub at: Option<Past>,
        /// One row for each.
        pub by: Option<Dimension>,
        /// With `explain`: which count.
        pub metric: Option<LiveField>,
        /// Whose.
        pub whose: Whose,
        /// What is behind them.
        pub behind: Behind,
        /// How the answer is written.
        pub written: Written,
    }
    checked by one_explained
}

fn one_explained(question: &LiveQuestion, fields: &mut Fields) {
    match (question.behind.explain, question.metric) {
        (false, Some(_)) => fields.refuse("metric", ONLY_EXPLAINED),
        (true, None) => fields.refuse("metric", "must name the one metric that is to be explained"),
        (true, Some(_)) | (false, None) => {}
    }
}

/// Where the buckets of a period begin.
pub fn begins(bucket: Bucket, period: Period, zone: &TimeZone) -> Result<Vec<Timestamp>, ApiError> {
    let mut begins = vec![period.from];
    let mut at = period.from;
    while let Some(next) = next_begin(bucket, at, zone).filter(|next| *next > at && *next < period.until) {
        if begins.len() >= BUCKETS_MAX {
            return Err(ApiError::parameter(
                "bucket",
                format!("must make at most {BUCKETS_MAX} of the period"),
            ));
        }
        begins.push(next);
        at = next;
    }
    Ok(begins)
}

fn next_begin(bucket: Bucket, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let local = zone.to_datetime(at);
    let midnight = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp());
    match bucket {
        Bucket::Hour => {
            let seconds = i64::from(local.minute()) * 60 + i64::from(local.second());
            let gone = SignedDuration::new(seconds, local.subsec_nanosecond());
            at.checked_add(SignedDuration::from_hours(1) - gone).ok()
        }
        Bucket::Day => midnight(local.date().tomorrow().ok()?),
        Bucket::Week => {
            let days = 7 - i64::from(local.weekday().to_monday_zero_offset());
            midnight(local.date().checked_add(jiff::Span::new().days(days)).ok()?)
        }
        Bucket::Month => midnight(local.date().last_of_month().tomorrow().ok()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begins_in(bucket: Bucket, zone: &str, from: &str, until: &str) -> Vec<String> {
        let period = Period { from: from.parse().unwrap(), until: until.parse().unwrap() };
        let begins = begins(bucket, period, &TimeZone::get(zone).unwrap()).unwrap();
        begins.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn buckets_turn_with_the_clock_on_the_wall() {
        assert_eq!(
            begins_in(Bucket::Day, "America/New_York", "2026-03-07T12:00:00Z", "2026-03-09T05:00:00Z"),
            ["2026-03-07T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"],
            "the eighth has 23 hours"
        );
        assert_eq!(
            begins_in(Bucket::Hour, "Asia/Kolkata", "2026-03-02T10:10:00Z", "2026-03-02T12:00:00Z"),
            ["2026-03-02T10:10:00Z", "2026-03-02T10:30:00Z", "2026-03-02T11:30:00Z"]
        );
        assert_eq!(
            begins_in(Bucket::Week, "UTC", "2026-03-04T00:00:00Z", "2026-03-16T00:00:00Z"),
            ["2026-03-04T00:00:00Z", "2026-03-09T00:00:00Z"]
        );
        assert_eq!(
            begins_in(Bucket::Month, "UTC", "2026-01-31T00:00:00Z", "2026-03-01T00:00:00Z"),
            ["2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"]
        );
    }

    #[test]
    fn a_series_of_too_many_buckets_is_refused() {
        let zone = TimeZone::UTC;
        let from: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
        let hours = |hours| Period { from, until: from + SignedDuration::from_hours(hours) };
        let most = i64::try_from(BUCKETS_MAX).unwrap();
        assert_eq!(begins(Bucket::Hour, hours(most), &zone).unwrap().len(), BUCKETS_MAX);
        assert!(begins(Bucket::Hour, hours(most + 1), &zone).is_err());
    }
}
