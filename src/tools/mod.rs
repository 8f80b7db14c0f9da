//! The subcommands of the command line, except `serve`.

pub mod check;
pub mod token;
pub mod post;
pub mod tally;
pub mod simulate;
pub mod fake;
pub mod replay;
pub mod health;
pub mod bucket;
pub mod backup;
pub mod restore;
pub mod members;
pub mod recompute;
pub mod rebuild;
pub mod erase;
pub mod cluster;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::auth::AuthError;
use crate::backup::fetch::FetchError;
use crate::config::{ConfigError, ServeArgs, Values};
use crate::journal::replace_error::ReplaceError;
use crate::sqlite::lock;

/// How long a tool that is told to stop may go on sleeping.
const NAP: Duration = Duration::from_millis(50);

/// Why a subcommand did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key or the token is wrong.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A database was not copied or replaced.
    #[error(transparent)]
    Replace(#[from] ReplaceError),
    /// A backup could not be put together from a bucket.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A file or the terminal could not be used.
    #[error("{what}")]
    Io {
        /// What was tried, as the beginning of a sentence.
        what: String,
        source: io::Error,
    },
    /// What was checked is not as it should be. The text says what.
    #[error("{0}")]
    Found(String),
}

impl ToolError {
    /// A failure of reading or writing; `what` says what was tried.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// Prints text for people or pipes.
pub fn print(text: &str) -> Result<(), ToolError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(ToolError::io("cannot write the output"))
}

/// A flag that SIGINT and SIGTERM set, so that a tool can end with its summary. A second signal ends it at
/// once.
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

/// Which database a tool works on.
#[derive(Debug, clap::Args)]
pub struct DatabaseArgs {
    /// Path of the database. Default: the setting `DATABASE_PATH`.
    #[arg(long, value_name = "FILE")]
    database_path: Option<PathBuf>,
}

impl DatabaseArgs {
    /// Other settings do not matter here, so they may be wrong.
    fn path(&self) -> Result<PathBuf, ToolError> {
        if let Some(path) = &self.database_path {
            return Ok(lock::locate(path));
        }
        let values = Values::collect(&ServeArgs::default())?;
        Ok(lock::locate(Path::new(values.get("DATABASE_PATH").unwrap_or_default())))
    }
}

/// A progress bar over parts of a database: pages, or records.
struct Bar(ProgressBar);

impl Bar {
    fn new(doing: &'static str) -> Self {
        let bar = ProgressBar::new(0).with_message(doing);
        let style = ProgressStyle::with_template("{msg} {bar:40} {percent}% {eta} left");
        bar.set_style(style.unwrap_or_else(|_wrong| ProgressStyle::default_bar()));
        Self(bar)
    }

    /// Moves the bar; `afterwards` is shown once it is full.
    fn progress(&self, afterwards: &'static str) -> impl Fn(u64, u64) {
        move |done, all| {
            self.0.set_length(all);
            self.0.set_position(done);
            if done == all {
                self.0.set_message(afterwards);
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Sleeps until `due`, or until the program is told to stop.
fn pause_until(due: Instant, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(NAP));
    }
}
