//! The answers of the metrics as they are described to programs. They are written cell by cell, see [`super::sheet`].
#![expect(dead_code, reason = "only described here: JSON and CSV are made of one table of cells")]

use jiff::Timestamp;
use utoipa::{IntoParams, ToSchema};

/// What every route over a period takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct PeriodParams {
    /// The first moment; the midnight before `until`.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// The first moment after it; now.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Names, separated by commas; all.
    metric: Option<String>,
    /// `wall` (default) or `business`.
    clock: Option<String>,
    /// The period of the same length just before, beside it.
    compare: Option<bool>,
    /// Monday is 1.
    #[param(minimum = 1, maximum = 7)]
    weekday: Option<u8>,
    /// Of the day in `TIMEZONE`.
    #[param(minimum = 0, maximum = 23)]
    hour: Option<u8>,
    /// A sector's id.
    sector: Option<String>,
    /// An agent's id.
    agent: Option<String>,
    /// A line's id.
    channel: Option<String>,
    /// A tag's id.
    tag: Option<String>,
    /// `direct` (default), `group` or `internal`.
    kind: Option<String>,
    /// The chats and intervals behind the one `metric`.
    explain: Option<bool>,
    /// With `explain` of durations: only those of at least so many milliseconds on the asked clock.
    #[param(minimum = 0)]
    at_least_ms: Option<i64>,
    /// With `explain` of durations: only those of fewer milliseconds on the asked clock.
    #[param(minimum = 1)]
    below_ms: Option<i64>,
    /// With `explain`: rows on a page; 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// With `explain`: which page, from 1.
    #[param(minimum = 1)]
    page: Option<u32>,
    /// `json` (default) or `csv`, as `Accept: text/csv` is.
    format: Option<String>,
    /// Of CSV: `comma` or `semicolon`; by `Accept-Language` otherwise.
    separator: Option<String>,
}

/// While history is computed anew.
#[derive(ToSchema)]
pub struct Rebuilding {
    /// Chats that are done.
    done: i64,
    /// Of so many.
    total: i64,
}

/// A table of numbers.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct MetricsTable {
    /// Every delivery up to here is in it.
    as_of_seq: i64,
    /// `null`, except while history is computed anew.
    rebuilding: Option<Rebuilding>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    timezone: String,
    /// `wall` or `business`.
    clock: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_until: Option<Timestamp>,
    rows: Vec<MetricsRow>,
}

/// How many durations lie between which bounds.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Distribution {
    /// Every delivery up to here is in it.
    as_of_seq: i64,
    /// `null`, except while history is computed anew.
    rebuilding: Option<Rebuilding>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    timezone: String,
    /// `wall` or `business`.
    clock: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_until: Option<Timestamp>,
    rows: Vec<DistributionRow>,
}

/// One stretch of lengths; `previousN` is there with `compare=true`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct DistributionRow {
    from_ms: i64,
    /// Not included; `null`: no bound.
    until_ms: Option<i64>,
    metric: String,
    n: i64,
    #[schema(required = false)]
    previous_n: Option<i64>,
}

/// One row. Which of the first columns it has is the route's; the `previous…` ones are there with `compare=true`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct MetricsRow {
    /// `/series`: where the bucket begins.
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    start: Option<Timestamp>,
    /// `/series`: where it ends.
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    end: Option<Timestamp>,
    /// `/heatmap`: Monday is 1.
    #[schema(required = false)]
    weekday: Option<i8>,
    /// `/heatmap`.
    #[schema(required = false)]
    hour: Option<i8>,
    /// `/agents` and so on; `null`: nobody's.
    #[schema(required = false)]
    id: Option<String>,
    #[schema(required = false)]
    name: Option<String>,
    metric: String,
    n: i64,
    median_ms: Option<i64>,
    mean_ms: Option<i64>,
    p75_ms: Option<i64>,
    p90_ms: Option<i64>,
    p95_ms: Option<i64>,
    max_ms: Option<i64>,
    #[schema(required = false)]
    previous_n: Option<i64>,
    #[schema(required = false)]
    previous_median_ms: Option<i64>,
    #[schema(required = false)]
    previous_mean_ms: Option<i64>,
    #[schema(required = false)]
    previous_p75_ms: Option<i64>,
    #[schema(required = false)]
    previous_p90_ms: Option<i64>,
    #[schema(required = false)]
    previous_p95_ms: Option<i64>,
    #[schema(required = false)]
    previous_max_ms: Option<i64>,
}

/// The live metrics: one row, or with `by` one for each.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct LiveMetrics {
    /// Every delivery up to here is in it.
    as_of_seq: i64,
    /// `null`, except while history is computed anew.
    rebuilding: Option<Rebuilding>,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    rows: Vec<LiveRow>,
}

/// Open chats, counted.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct LiveRow {
    /// With `by`; `null`: nobody's.
    #[schema(required = false)]
    id: Option<String>,
    /// With `by`.
    #[schema(required = false)]
    name: Option<String>,
    open: i64,
    waiting: i64,
    unattended: i64,
    unassigned: i64,
    with_bot: i64,
    waiting_for_customer: i64,
    idle: i64,
    window_open: i64,
    window_closed: i64,
    unanswered: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    longest_wait_since: Option<Timestamp>,
    longest_wait_chat_id: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    average_wait_since: Option<Timestamp>,
    longest_wait_business_ms: Option<i64>,
    average_wait_business_ms: Option<i64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_window_closes_at: Option<Timestamp>,
}

/// What is behind a number: the answer of every route with `explain=true`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct MetricsExplained {
    /// Every delivery up to here is in it.
    as_of_seq: i64,
    /// `null`, except while history is computed anew.
    rebuilding: Option<Rebuilding>,
    metric: String,
    /// The rule in one sentence.
    rule: String,
    total: i64,
    page: u32,
    limit: u32,
    rows: Vec<BehindRow>,
}

/// One interval of one chat.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct BehindRow {
    chat_id: String,
    contact_id: Option<String>,
    contact_name: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    wall_ms: i64,
    business_ms: i64,
    agent: Option<String>,
    sector: Option<String>,
    channel: Option<String>,
    tags: Vec<String>,
}
