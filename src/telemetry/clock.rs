//! The one place that reads the wall clock; everywhere else time is a value.

use jiff::Timestamp;

/// Now, in UTC.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
