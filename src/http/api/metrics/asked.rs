//! What a query string asks of the metrics.

use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::sheet::FORMATS;
use crate::domain::ChatKind;
use crate::domain::metrics::Metric;
use crate::domain::stats::day_of;
use crate::http::api::described::{
    chat_kind, flag, id, limit, moment, number, of_form, page, parameters, word,
};
use crate::http::api::params::{BOOLEANS, CHAT_KINDS, LIMIT_DEFAULT, LIMIT_MAX, PAGE_MAX, Params};
use crate::http::api::spreadsheet::SEPARATOR_WORDS;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::reads::analytics::{Clock, Filter, Period};

/// Days of the longest period.
pub const PERIOD_DAYS_MAX: i64 = 366;
/// Buckets of the longest series.
pub const BUCKETS_MAX: usize = 800;

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

/// Which page of what is behind a number.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// From 1.
    pub page: u32,
    /// Rows on it.
    pub limit: u32,
}

/// The words of `clock`.
const CLOCKS: [(&str, Clock); 2] = [("wall", Clock::Wall), ("business", Clock::Business)];
/// The words of `bucket`.
const BUCKETS: [(&str, Bucket); 4] =
    [("hour", Bucket::Hour), ("day", Bucket::Day), ("week", Bucket::Week), ("month", Bucket::Month)];
/// Days of a week, and the last hour of a day.
const WEEKDAY_MAX: i8 = 7;
const HOUR_MAX: i8 = 23;
/// What `atLeastMs` and `belowMs` do.
const LONGER: &str =
    "With `explain` of durations: only those of at least so many milliseconds on the asked clock.";
const SHORTER: &str = "With `explain` of durations: only those of fewer milliseconds on the asked clock.";

parameters! {
    /// Whose chats.
    Whose:
        id("sector", "A sector's id."),
        id("agent", "An agent's id."),
        id("channel", "A line's id."),
        id("tag", "A tag's id."),
        chat_kind("`direct` (default).");

    /// Which numbers, of when, and whether they are explained.
    OverPeriod:
        moment("from", "The first moment; the midnight before `until`."),
        moment("until", "The first moment after it; now. At most 366 days after `from`."),
        word("clock", "`wall` (default).", &CLOCKS),
        flag("compare", "The period of the same length just before, beside it."),
        number("weekday", "Monday is 1.", 1, WEEKDAY_MAX),
        number("hour", "Of the day in `TIMEZONE`.", 0, HOUR_MAX),
        number("atLeastMs", LONGER, 0, i64::MAX),
        number("belowMs", SHORTER, 1, i64::MAX);

    /// What is behind a number.
    Behind:
        flag("explain", "The chats and intervals behind the one `metric`."),
        limit(&format!("With `explain`: rows on a page; {LIMIT_DEFAULT}.")),
        page("With `explain`: which page, from 1.");

    /// How the answer is written.
    Written:
        word("format", "`json` (default), or as `Accept: text/csv` asks.", &FORMATS),
        word("separator", "Of CSV: by `Accept-Language` where it is left out.", &SEPARATOR_WORDS);

    /// Which metrics.
    AnyMetrics: of_form("metric", "Names, separated by commas; all. One with `explain`.", &names(|_| true));

    /// Which durations.
    Durations:
        of_form("metric", "Names of durations, separated by commas; all. One with `explain`.", &names(Metric::is_duration));

    /// How long the rows of a series are.
    Buckets: word("bucket", "`day` (default). At most 800 of the period.", &BUCKETS);
}

/// The form of a list of such metrics.
fn names(such: fn(Metric) -> bool) -> String {
    let such = Metric::ALL.into_iter().filter(|metric| such(*metric));
    let words = such.map(Metric::as_str).collect::<Vec<_>>().join("|");
    format!("^({words})(,({words}))*$")
}

/// `kind`, `sector`, `agent`, `channel`, `tag`.
pub fn filter(params: &mut Params, caller: &Caller, zone: &TimeZone) -> Result<Filter, ApiError> {
    Ok(Filter {
        kind: params.word("kind", &CHAT_KINDS)?.unwrap_or(ChatKind::Direct),
        sector: params.id("sector")?,
        agent: params.id("agent")?,
        channel: params.id("channel")?,
        tag: params.id("tag")?,
        weekday: None,
        hour: None,
        zone: zone.clone(),
        scope: std::sync::Arc::clone(&caller.scope),
    })
}

/// `weekday` and `hour`.
pub fn hours(params: &mut Params, filter: &mut Filter) -> Result<(), ApiError> {
    filter.weekday = params.number("weekday", 1, WEEKDAY_MAX)?;
    filter.hour = params.number("hour", 0, HOUR_MAX)?;
    Ok(())
}

/// `from` and `until`.
pub fn period(params: &mut Params, now: Timestamp, zone: &TimeZone) -> Result<Period, ApiError> {
    let (from, until) = (params.moment("from")?, params.moment("until")?);
    let until = until.unwrap_or(now);
    let from = from.unwrap_or_else(|| {
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

/// `compare`: the period of the same length just before.
pub fn previous(params: &mut Params, period: Period) -> Result<Option<Period>, ApiError> {
    if !is_asked(params, "compare")? {
        return Ok(None);
    }
    let from = period.from.checked_sub(period.until.duration_since(period.from));
    let from = from.map_err(|_before_time| ApiError::parameter("from", "has nothing before it"))?;
    Ok(Some(Period { from, until: period.from }))
}

/// `true` or `false`, which is the default.
fn is_asked(params: &mut Params, name: &str) -> Result<bool, ApiError> {
    Ok(params.word(name, &BOOLEANS)?.unwrap_or(false))
}

/// `clock`.
pub fn clock(params: &mut Params) -> Result<Clock, ApiError> {
    Ok(params.word("clock", &CLOCKS)?.unwrap_or(Clock::Wall))
}

/// `metric`: names, in the order of answers.
pub fn metrics(params: &mut Params) -> Result<Option<Vec<Metric>>, ApiError> {
    params.take("metric", |text| {
        let mut metrics = Vec::new();
        for word in text.split(',') {
            metrics.push(Metric::of(word).ok_or_else(|| {
                let words: Vec<&str> = Metric::ALL.iter().map(|metric| metric.as_str()).collect();
                format!("must name some of {}", words.join(", "))
            })?);
        }
        metrics.sort_unstable();
        metrics.dedup();
        Ok::<_, String>(metrics)
    })
}

/// `explain`, and `limit` and `page`, which are of no use without it.
pub fn explain(params: &mut Params) -> Result<Option<Page>, ApiError> {
    let explain = is_asked(params, "explain")?;
    let limit = params.number("limit", 1, LIMIT_MAX)?;
    let page = params.number("page", 1, PAGE_MAX)?;
    match (explain, limit, page) {
        (true, ..) => Ok(Some(Page { limit: limit.unwrap_or(LIMIT_DEFAULT), page: page.unwrap_or(1) })),
        (false, None, None) => Ok(None),
        (false, Some(_), _) => Err(only_explained("limit")),
        (false, None, Some(_)) => Err(only_explained("page")),
    }
}

/// `atLeastMs` and `belowMs`: which durations are explained.
pub fn lengths(params: &mut Params, is_explained: bool) -> Result<Option<Range<i64>>, ApiError> {
    let at_least = params.number("atLeastMs", 0, i64::MAX)?;
    let below = params.number("belowMs", 1, i64::MAX)?;
    let lengths = at_least.unwrap_or(0)..below.unwrap_or(i64::MAX);
    match (is_explained, at_least, below) {
        (_, None, None) => Ok(None),
        (false, Some(_), _) => Err(only_explained("atLeastMs")),
        (false, None, Some(_)) => Err(only_explained("belowMs")),
        (true, ..) if lengths.is_empty() => {
            Err(ApiError::parameter("belowMs", "must be more than atLeastMs"))
        }
        (true, ..) => Ok(Some(lengths)),
    }
}

/// Refuses what is asked for without `explain=true`.
pub fn only_explained(parameter: &str) -> ApiError {
    ApiError::parameter(parameter, "is taken only with explain=true")
}

/// `bucket`.
pub fn bucket(params: &mut Params) -> Result<Bucket, ApiError> {
    Ok(params.word("bucket", &BUCKETS)?.unwrap_or(Bucket::Day))
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
