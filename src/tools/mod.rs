//! What the command line does besides serving.

pub mod check;
pub mod token;

use std::io::{self, Write};

use crate::auth::AuthError;
use crate::config::ConfigError;

/// Why a tool did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key or the token is wrong.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A file or the terminal.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// What was looked at is not as it should be; the reasons are printed already.
    #[error("{0}")]
    Found(String),
}

impl ToolError {
    /// A failure of reading or writing.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// Prints lines for people or pipes.
pub fn print(text: &str) -> Result<(), ToolError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(ToolError::io("cannot write the output"))
}
