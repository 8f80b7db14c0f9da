//! The answers of the metrics as they are described to programs. They are written cell by cell, see [`super::sheet`].
#![expect(dead_code, reason = "only described here: JSON and CSV are made of one table of cells")]

use jiff::Timestamp;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::reads::analytics::LiveField;

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

/// Open chats, counted: a row with a count for each [`LiveField`].
struct LiveRow;

impl PartialSchema for LiveRow {
    fn schema() -> RefOr<Schema> {
        with_counts(LiveWaits::schema())
    }
}

impl ToSchema for LiveRow {}

/// What a row of open chats holds besides the counts.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct LiveWaits {
    /// With `by`; `null`: nobody's.
    id: Option<String>,
    /// With `by`.
    name: Option<String>,
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

/// This object with a count for each [`LiveField`].
pub fn with_counts(schema: RefOr<Schema>) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut object)) = schema else { return schema };
    for field in LiveField::ALL {
        object.properties.insert(field.as_str().to_owned(), i64::schema());
    }
    RefOr::T(Schema::Object(object))
}

/// How many chats were open along a period.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct MetricsTrend {
    /// Every delivery up to here is in it.
    as_of_seq: i64,
    /// `null`, except while history is computed anew.
    rebuilding: Option<Rebuilding>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    rows: Vec<TrendRow>,
}

/// How things stood at one moment.
#[derive(ToSchema)]
struct TrendRow {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Open chats.
    open: i64,
    /// Of them, those in the waiting list.
    waiting: i64,
    /// Of them, those without an owner.
    unassigned: i64,
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
