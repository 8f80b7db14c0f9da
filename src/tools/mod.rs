//! What the command line does besides serving.

pub mod check;
pub mod token;
mod tls;
pub mod post;
pub mod tally;
pub mod simulate;
pub mod replay;
pub mod health;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::auth::AuthError;
use crate::config::ConfigError;

/// How long a tool that is told to stop may go on sleeping.
const NAP: Duration = Duration::from_millis(50);

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

/// A flag that SIGINT and SIGTERM raise, so that a tool ends with its summary; a second signal ends it at once.
pub fn stop_on_signal() -> Result<Arc<AtomicBool>, ToolError> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    let failed = || ToolError::io("cannot listen for signals");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed())?;
    let wait = move || {
        runtime.block_on(crate::app::wait_for_signal());
        raised.store(true, Ordering::Relaxed);
        runtime.block_on(crate::app::wait_for_signal());
        std::process::exit(1);
    };
    std::thread::Builder::new().name("signals".into()).spawn(wait).map_err(failed())?;
    Ok(stop)
}

/// Sleeps until that moment, or until the program is told to stop.
fn pause_until(due: Instant, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(NAP));
    }
}
