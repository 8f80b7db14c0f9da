//! The JSON cells of rows of numbers, the same for REST and for boards.

use serde_json::{Value, json};

use super::live::LiveField;
use super::live_table::LiveTableRow;
use super::table::{GroupKey, Statistics};

/// Columns of a metric over a period.
pub const STATISTICS: [&str; 7] = ["n", "medianMs", "meanMs", "p75Ms", "p90Ms", "p95Ms", "maxMs"];

/// Columns of the live metrics that are about waits and windows.
const WAITS: [&str; 6] = [
    "longestWaitSince",
    "longestWaitChatId",
    "averageWaitSince",
    "longestWaitBusinessMs",
    "averageWaitBusinessMs",
    "nextWindowClosesAt",
];

/// Cells in the order of [`STATISTICS`].
pub fn statistics(numbers: Statistics) -> [Value; 7] {
    let of = numbers.spread;
    [
        json!(numbers.n),
        json!(of.map(|spread| spread.median)),
        json!(of.map(|spread| spread.mean)),
        json!(of.map(|spread| spread.p75)),
        json!(of.map(|spread| spread.p90)),
        json!(of.map(|spread| spread.p95)),
        json!(of.map(|spread| spread.max)),
    ]
}

/// Columns of the live metrics.
pub fn live_columns() -> impl Iterator<Item = &'static str> {
    LiveField::ALL.into_iter().map(LiveField::as_str).chain(WAITS)
}

/// Cells in the order of [`live_columns`].
pub fn live(row: &LiveTableRow) -> Vec<Value> {
    let numbers = &row.numbers;
    let longest = numbers.longest.as_ref();
    let waits = [
        json!(longest.map(|(since, _, _)| since)),
        json!(longest.map(|(_, chat, _)| chat)),
        json!(numbers.average.map(|(since, _)| since)),
        json!(longest.map(|(_, _, worked)| worked)),
        json!(numbers.average.map(|(_, worked)| worked)),
        json!(numbers.next_window_closes_at),
    ];
    numbers.counts.iter().map(|count| json!(count)).chain(waits).collect()
}

/// True for columns whose value grows with the clock. Boards leave them out, because they would change all
/// the time.
pub fn ticks(column: &str) -> bool {
    matches!(column, "longestWaitBusinessMs" | "averageWaitBusinessMs")
}

/// Cells of the columns `id` and `name`.
pub fn who(key: &GroupKey, name: Option<&String>) -> [Value; 2] {
    match key {
        GroupKey::Id(id) => [json!(id), json!(name)],
        GroupKey::Nobody
        | GroupKey::Whole
        | GroupKey::DurationBucket(_)
        | GroupKey::Bucket(_)
        | GroupKey::Hour(..) => [Value::Null, Value::Null],
    }
}
