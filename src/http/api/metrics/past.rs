//! A question to the metrics about the past: how many chats were open during a period.

use actix_web::HttpRequest;
use jiff::Timestamp;
use serde_json::json;

use super::answers::MetricsTrend;
use super::explained::Tabled;
use super::questions::{Between, Whose};
use super::sheet::{Format, FormatFields, Sheet};
use super::work::ask;
use crate::http::caller::{Caller, UserState};
use crate::http::error::ApiError;
use crate::http::question::{QueryString, question};
use crate::reads::analytics::{Period, Trend, Trended};
use crate::telemetry::clock;

/// Points of a trend where no number is given.
const POINTS_DEFAULT: usize = 48;
/// Fewest points of a trend.
const POINTS_MIN: usize = 2;
/// Most points of a trend.
pub const POINTS_MAX: usize = 200;

question! {
    /// How many chats were open during a period.
    pub struct TrendQuestion {
        /// From the first moment to the last one, which is not in the future.
        between: Between,
        /// Number of moments, evenly spread.
        points: usize [POINTS_MIN..=POINTS_MAX] = POINTS_DEFAULT,
        /// Whose chats count in the answer.
        whose: Whose,
        /// The format of the answer.
        written: FormatFields,
    }
}

pub async fn trend(
    caller: Caller,
    QueryString(question): QueryString<TrendQuestion>,
    request: HttpRequest,
    state: UserState,
) -> Result<Tabled<MetricsTrend>, ApiError> {
    let format = Format::of(&question.written, request.headers());
    let zone = state.reads.analytics.calendar().zone().clone();
    let now = clock::now();
    let period = question.between.period(now, &zone)?;
    if period.until > now {
        return Err(ApiError::parameter("until", "is in the future"));
    }
    let filter = question.whose.filter(&caller, &zone);
    let found = ask(&state, Trend { filter, points: spread(period, question.points) }).await?;
    trend_sheet(&found, period).respond(format).map(Tabled::from)
}

/// Moments from the first to the last of a period.
fn spread(period: Period, points: usize) -> Vec<Timestamp> {
    let (from, until) = (period.from.as_nanosecond(), period.until.as_nanosecond());
    let steps = i128::try_from(points).unwrap_or_default() - 1;
    let at = |step| Timestamp::from_nanosecond(from + (until - from) * step / steps).unwrap_or(period.until);
    (0..=steps).map(at).collect()
}

fn trend_sheet(found: &Trended, period: Period) -> Sheet {
    let rows = found.rows.iter().map(|(at, counts)| {
        vec![json!(at), json!(counts.open), json!(counts.waiting), json!(counts.unassigned)]
    });
    Sheet {
        progress: found.progress,
        about: vec![("from", json!(period.from)), ("until", json!(period.until))],
        columns: vec!["at", "open", "waiting", "unassigned"],
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_run_evenly_from_the_first_to_the_last_moment() {
        let moment = |second| Timestamp::from_second(second).unwrap();
        let of = |from, until, points| spread(Period { from: moment(from), until: moment(until) }, points);
        assert_eq!(of(0, 30, 4), [moment(0), moment(10), moment(20), moment(30)]);
        assert_eq!(of(5, 5, 2), [moment(5), moment(5)]);
        let many = of(0, 1, POINTS_MAX);
        assert_eq!((many.len(), many.last()), (POINTS_MAX, Some(&moment(1))));
    }
}
