//! A secret that cannot get into a log by accident.

use std::fmt;

use subtle::ConstantTimeEq;

/// A secret text. It is shown as `***` wherever it is printed, and compared in constant time.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, which no log may get.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True for the same text. The time that it takes tells nothing but the length.
    pub fn matches(&self, other: &str) -> bool {
        self.0.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
