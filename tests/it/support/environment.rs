//! What whoever runs the long tests may choose.

use std::str::FromStr;

/// The value of an environment variable; `None` if it is not set.
pub fn from_environment<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var_os(name)?;
    Some(text.to_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{name} is no number")))
}
