//! A `metrics_update`, as it is described to programs. The update itself is written cell by cell, see
//! [`crate::reads::analytics::board_frame`].
#![expect(dead_code, reason = "only described here: a frame holds the cells that changed")]

use jiff::Timestamp;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::http::api::metrics::answers::with_counts;

/// How far the metrics are while history is computed again.
#[derive(ToSchema)]
struct MetricsRebuilding {
    /// Number of chats that are done.
    done: i64,
    /// Number of chats in total.
    total: i64,
}

/// Numbers of the team: all of them, or the cells that changed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct MetricsUpdate {
    /// The channel that the numbers belong to.
    channel: String,
    /// True where this replaces everything; false where rows contain their key and the cells that changed.
    full: bool,
    /// The position up to which deliveries are counted.
    as_of_seq: i64,
    /// `null`, except while history is computed again.
    rebuilding: Option<MetricsRebuilding>,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// The last midnight in `TIMEZONE`.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    live: LiveRows,
    today: TodayRows,
}

/// Counts of open chats: all rows, or those that changed.
#[derive(ToSchema)]
struct LiveRows {
    rows: Vec<LiveCells>,
    /// Ids of the rows that no longer exist.
    gone: Vec<Option<String>>,
}

/// Metrics from midnight to now.
#[derive(ToSchema)]
struct TodayRows {
    rows: Vec<TodayCells>,
    /// Keys of the rows that no longer exist.
    gone: Vec<TodayGone>,
}

/// A row of open chats. Its key is `id`.
struct LiveCells;

impl PartialSchema for LiveCells {
    fn schema() -> RefOr<Schema> {
        with_counts(LiveWaits::schema())
    }
}

impl ToSchema for LiveCells {}

/// What the row contains besides the counts.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct LiveWaits {
    /// Of which agent, sector and so on; `null`: the row of what belongs to none. Not on `metrics:live`.
    id: Option<String>,
    name: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    longest_wait_since: Option<Timestamp>,
    longest_wait_chat_id: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    average_wait_since: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_window_closes_at: Option<Timestamp>,
}

/// A row of today. Its key is `id` and `metric`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct TodayCells {
    /// Of which agent, sector and so on; `null`: the row of what belongs to none. Not on `metrics:live`.
    id: Option<String>,
    name: Option<String>,
    metric: String,
    n: i64,
    median_ms: Option<i64>,
    mean_ms: Option<i64>,
    p75_ms: Option<i64>,
    p90_ms: Option<i64>,
    p95_ms: Option<i64>,
    max_ms: Option<i64>,
}

/// The key of a row of today that no longer exists.
#[derive(ToSchema)]
struct TodayGone {
    id: Option<String>,
    metric: String,
}
