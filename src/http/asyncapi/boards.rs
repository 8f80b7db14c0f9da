//! A `metrics_update` as it is described to programs. It is written cell by cell, see [`crate::reads::analytics::board_frame`].
#![expect(dead_code, reason = "only described here: a frame holds the cells that changed")]

use jiff::Timestamp;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::http::api::metrics::answers::with_counts;

/// While history is computed anew.
#[derive(ToSchema)]
struct MetricsRebuilding {
    /// Chats that are done.
    done: i64,
    /// Of so many.
    total: i64,
}

/// Numbers of the team: all of them, or the cells that changed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(super) struct MetricsUpdate {
    /// Which numbers.
    channel: String,
    /// True where this replaces everything; false where rows hold their key and the cells that changed.
    full: bool,
    /// Every delivery up to here is in it.
    as_of_seq: i64,
    /// `null`, except while history is computed anew.
    rebuilding: Option<MetricsRebuilding>,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// The midnight before, in `TIMEZONE`.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    live: LiveRows,
    today: TodayRows,
}

/// Open chats, counted.
#[derive(ToSchema)]
struct LiveRows {
    rows: Vec<LiveCells>,
    /// The ids of rows that are gone.
    gone: Vec<Option<String>>,
}

/// From midnight to now.
#[derive(ToSchema)]
struct TodayRows {
    rows: Vec<TodayCells>,
    /// The keys of rows that are gone.
    gone: Vec<TodayGone>,
}

/// A row of open chats; `id` is its key.
struct LiveCells;

impl PartialSchema for LiveCells {
    fn schema() -> RefOr<Schema> {
        with_counts(LiveWaits::schema())
    }
}

impl ToSchema for LiveCells {}

/// What it holds besides the counts.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct LiveWaits {
    /// Not on `metrics:live`; `null`: nobody's.
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

/// A row of today; `id` and `metric` are its key.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct TodayCells {
    /// Not on `metrics:live`; `null`: nobody's.
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

/// The key of a row of today that is gone.
#[derive(ToSchema)]
struct TodayGone {
    id: Option<String>,
    metric: String,
}
