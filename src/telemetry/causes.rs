//! How an error is written into a log: together with its causes.

use std::error::Error;

/// An error and its causes, the outermost first, as one line for people.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
