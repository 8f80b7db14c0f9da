//! The answers of the metrics, as they are described to programs. The answers themselves are written cell by
//! cell, see [`super::sheet`].
#![expect(dead_code, reason = "only described here: JSON and CSV are made of one table of cells")]

use jiff::Timestamp;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::reads::analytics::LiveField;

/// How far the metrics are while history is computed again.
#[derive(ToSchema)]
pub struct Rebuilding {
    /// Number of chats that are done.
    done: i64,
    /// Number of chats in total.
    total: i64,
}

/// A table of the metrics' numbers.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct MetricsTable {
    /// The position up to which deliveries are counted.
    as_of_seq: i64,
    /// `null`, except while history is computed again.
    rebuilding: Option<Rebuilding>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    timezone: String,
    /// The clock that durations are measured on: `wall` or `business`.
    clock: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_until: Option<Timestamp>,
    rows: Vec<MetricsRow>,
}

/// How many durations are between which bounds.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Distribution {
    /// The position up to which deliveries are counted.
    as_of_seq: i64,
    /// `null`, except while history is computed again.
    rebuilding: Option<Rebuilding>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    timezone: String,
    /// The clock that durations are measured on: `wall` or `business`.
    clock: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_until: Option<Timestamp>,
    rows: Vec<DistributionRow>,
}

/// One range of durations. `previousN` is there with `compare=true`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct DistributionRow {
    from_ms: i64,
    /// End of the range in milliseconds, not included; `null`: no upper bound.
    until_ms: Option<i64>,
    metric: String,
    n: i64,
    #[schema(required = false)]
    previous_n: Option<i64>,
}

/// One row. The route decides which of the first columns it has; the `previous…` ones are there with
/// `compare=true`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct MetricsRow {
    /// In `/series`: where the bucket begins.
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    start: Option<Timestamp>,
    /// In `/series`: where the bucket ends.
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    end: Option<Timestamp>,
    /// In `/heatmap`: the weekday; Monday is 1.
    #[schema(required = false)]
    weekday: Option<i8>,
    /// In `/heatmap`: the hour of the day.
    #[schema(required = false)]
    hour: Option<i8>,
    /// In `/agents` and so on: the id; `null`: the row of what belongs to none.
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

/// The live metrics: one row, or one for each item of `by`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct LiveMetrics {
    /// The position up to which deliveries are counted.
    as_of_seq: i64,
    /// `null`, except while history is computed again.
    rebuilding: Option<Rebuilding>,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    rows: Vec<LiveRow>,
}

/// Counts of open chats: one for each [`LiveField`].
struct LiveRow;

impl PartialSchema for LiveRow {
    fn schema() -> RefOr<Schema> {
        with_counts(LiveWaits::schema())
    }
}

impl ToSchema for LiveRow {}

/// What a row of open chats contains besides the counts.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct LiveWaits {
    /// With `by`: the id; `null`: the row of what belongs to none.
    id: Option<String>,
    /// With `by`: the name, where it is known.
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

/// The schema of this object, with a count for each [`LiveField`] added.
pub fn with_counts(schema: RefOr<Schema>) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut object)) = schema else { return schema };
    for field in LiveField::ALL {
        object.properties.insert(field.as_str().to_owned(), i64::schema());
    }
    RefOr::T(Schema::Object(object))
}

/// How many chats were open at moments of a period.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct MetricsTrend {
    /// The position up to which deliveries are counted.
    as_of_seq: i64,
    /// `null`, except while history is computed again.
    rebuilding: Option<Rebuilding>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    rows: Vec<TrendRow>,
}

/// The open chats at one moment.
#[derive(ToSchema)]
struct TrendRow {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Number of open chats, waiting ones included.
    open: i64,
    /// Number of open chats in the waiting list.
    waiting: i64,
    /// Number of open chats without an owner.
    unassigned: i64,
}

/// The occurrences behind a number: the answer of every route with `explain=true`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct MetricsExplained {
    /// The position up to which deliveries are counted.
    as_of_seq: i64,
    /// `null`, except while history is computed again.
    rebuilding: Option<Rebuilding>,
    metric: String,
    /// The rule of the metric in one sentence.
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
    contact_phone: Option<String>,
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
