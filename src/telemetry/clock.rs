//! The only place that reads the wall clock; everywhere else the time is passed as a value.

use jiff::Timestamp;

/// The present moment, in UTC.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
