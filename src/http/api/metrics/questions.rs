//! The query strings of the metrics.

use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use utoipa::openapi::schema::ObjectBuilder;

use super::sheet::FormatFields;
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

/// The longest period of a question, in days.
pub const PERIOD_DAYS_MAX: i64 = 366;
/// Most buckets of a series.
pub const BUCKETS_MAX: usize = 800;

/// The error for what is only useful with `explain=true`.
const ONLY_EXPLAINED: &str = "is only allowed with explain=true";

/// The length of the buckets of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight in `TIMEZONE`.
    Day,
    /// From Monday to Monday, at midnight.
    Week,
    /// From the first of a month to the next.
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

/// Names of metrics, separated by commas; each once, in the order of answers.
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

/// Names of metrics that have durations, separated by commas.
#[derive(Debug, Clone)]
pub struct DurationNames(pub Vec<Metric>);

impl Value for DurationNames {
    fn read(text: &str) -> Result<Self, String> {
        let MetricNames(metrics) = MetricNames::read(text)?;
        let are_durations = metrics.iter().all(|metric| metric.is_duration());
        are_durations
            .then_some(Self(metrics))
            .ok_or_else(|| "must only name metrics with durations".to_owned())
    }

    fn schema() -> ObjectBuilder {
        string().pattern(Some(list_of(Metric::is_duration)))
    }
}

/// The pattern of a list of such metrics.
fn list_of(such: fn(Metric) -> bool) -> String {
    let such = Metric::ALL.into_iter().filter(|metric| such(*metric));
    let words = such.map(Metric::as_str).collect::<Vec<_>>().join("|");
    format!("^({words})(,({words}))*$")
}

question! {
    /// Whose chats count in an answer.
    pub struct Whose {
        /// Only chats in the sector with this id.
        sector: Option<Id>,
        /// Only chats of the agent with this id.
        agent: Option<Id>,
        /// Only chats on the line with this id.
        channel: Option<Id>,
        /// Only chats with the tag with this id.
        tag: Option<Id>,
        /// `direct` where it is left out.
        kind: ChatKind = ChatKind::Direct,
    }
}

impl Whose {
    /// The filter for the metrics.
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
    /// Whether to answer what is behind a number, and which page of it.
    pub struct ExplainFields {
        /// Answer the chats and intervals behind the one `metric`.
        explain: bool = false,
        /// With `explain`: most rows on a page; 50 where it is left out.
        limit: Option<u32> [1..=LIMIT_MAX],
        /// With `explain`: number of the page, from 1.
        page: Option<u32> [1..=PAGE_MAX],
    }
    checked by only_explained
}

fn only_explained(question: &ExplainFields, fields: &mut Fields) {
    if !question.explain {
        fields.refuse_given(&["limit", "page"], ONLY_EXPLAINED);
    }
}

/// Which page of the occurrences behind a number.
#[derive(Debug, Clone, Copy)]
pub struct ExplainedPage {
    /// Number of the page, from 1.
    pub page: u32,
    /// Most rows on the page.
    pub limit: u32,
}

impl ExplainFields {
    /// The page of occurrences that is asked for; `None` where the numbers are asked for.
    pub fn page(&self) -> Option<ExplainedPage> {
        let page = ExplainedPage { page: self.page.unwrap_or(1), limit: self.limit.unwrap_or(LIMIT_DEFAULT) };
        self.explain.then_some(page)
    }
}

question! {
    /// The period that an answer is about.
    pub struct Between {
        /// Begin of the period; where it is left out, the midnight before `until`.
        from: Option<Timestamp>,
        /// End of the period, not included; where it is left out, now. At most 366 days after `from`.
        until: Option<Timestamp>,
    }
}

impl Between {
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
    /// Which numbers: of which period, of whose chats, and whether they are explained.
    pub struct NumberFields {
        /// The period that the numbers are about.
        pub between: Between,
        /// `wall` where it is left out.
        pub clock: Clock = Clock::Wall,
        /// Add the numbers of the period of the same length just before.
        compare: bool = false,
        /// Only what ended on this weekday; Monday is 1.
        pub weekday: Option<i8> [1..=7],
        /// Only what ended in this hour of the day, in `TIMEZONE`.
        pub hour: Option<i8> [0..=23],
        /// With `explain` of durations: only those of at least this many milliseconds on the chosen clock.
        at_least_ms: Option<i64> [0..=i64::MAX],
        /// With `explain` of durations: only those of fewer milliseconds on the chosen clock.
        below_ms: Option<i64> [1..=i64::MAX],
        /// Whose chats count in the answer.
        pub whose: Whose,
        /// Whether to answer what is behind a number.
        pub behind: ExplainFields,
        /// The format of the answer.
        pub written: FormatFields,
    }
    checked by some_lengths
}

fn some_lengths(question: &NumberFields, fields: &mut Fields) {
    if !question.behind.explain {
        fields.refuse_given(&["atLeastMs", "belowMs"], ONLY_EXPLAINED);
    } else if question.lengths().is_some_and(|lengths| lengths.is_empty()) {
        fields.refuse("belowMs", "must be more than atLeastMs");
    }
}

impl NumberFields {
    /// The period of the same length just before, if it is asked for.
    pub fn previous(&self, period: Period) -> Result<Option<Period>, ApiError> {
        if !self.compare {
            return Ok(None);
        }
        let from = period.from.checked_sub(period.until.duration_since(period.from));
        let from = from.map_err(|_before_time| ApiError::parameter("from", "has nothing before it"))?;
        Ok(Some(Period { from, until: period.from }))
    }

    /// Which durations are explained, in milliseconds; `None`: all.
    pub fn lengths(&self) -> Option<Range<i64>> {
        let is_asked = self.at_least_ms.is_some() || self.below_ms.is_some();
        is_asked.then(|| self.at_least_ms.unwrap_or(0)..self.below_ms.unwrap_or(i64::MAX))
    }
}

question! {
    /// A question for any metrics.
    pub struct NumbersQuestion {
        /// Names of metrics, separated by commas; all where it is left out. With `explain`, exactly one.
        pub metric: Option<MetricNames>,
        /// Of which period and whose chats.
        pub numbers: NumberFields,
    }
}

question! {
    /// A question for metrics with durations.
    pub struct DurationsQuestion {
        /// Names of metrics with durations, separated by commas; all where it is left out. With `explain`,
        /// exactly one.
        pub metric: Option<DurationNames>,
        /// Of which period and whose chats.
        pub numbers: NumberFields,
    }
}

question! {
    /// A question for a series.
    pub struct SeriesQuestion {
        /// `day` where it is left out. The period may have at most 800 buckets.
        pub bucket: Bucket = Bucket::Day,
        /// Which numbers the series is of.
        pub numbers: NumbersQuestion,
    }
}

question! {
    /// A question for counts of open chats.
    pub struct LiveQuestion {
        /// Count the chats as they were at this moment, which is not in the future.
        pub at: Option<Past>,
        /// One row for each agent, sector, line or tag.
        pub by: Option<Dimension>,
        /// With `explain`: which count to explain.
        pub metric: Option<LiveField>,
        /// Whose chats count in the answer.
        pub whose: Whose,
        /// Whether to answer what is behind a count.
        pub behind: ExplainFields,
        /// The format of the answer.
        pub written: FormatFields,
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
                format!("must divide the period into at most {BUCKETS_MAX} buckets"),
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
