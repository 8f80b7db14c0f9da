//! `umbler-hub recompute`: computes the metrics again from what is kept for good, with a progress bar. A hub
//! that starts does the same in the background where rules or hours have changed.

use indicatif::{ProgressBar, ProgressStyle};

use super::{ToolError, print};
use crate::config::{Config, ServeArgs, Values};
use crate::derived::analytics::file;
use crate::derived::analytics::project::Projector;
use crate::journal::schema;
use crate::sqlite::DbError;
use crate::sqlite::files::{self, beside};
use crate::telemetry::causes::chain;

/// Which database, and the settings with the working hours.
#[derive(Debug, clap::Args)]
pub struct RecomputeArgs {
    #[command(flatten)]
    serve: ServeArgs,
}

pub fn run(args: &RecomputeArgs) -> Result<(), ToolError> {
    let settings = Config::read(&Values::collect(&args.serve)?)?;
    let path = settings.database_path.clone();
    if !path.exists() {
        return Err(ToolError::Found(format!("there is no database {}", path.display())));
    }
    // Takes the lock, so that no hub writes meanwhile, and brings an older schema up to date.
    let opened = schema::open_any(&path).map_err(|error| ToolError::Found(chain(&error)))?;
    let failed = |error: DbError| ToolError::Found(chain(&error));
    let file = beside(&path, file::ENDING);
    files::remove(&file).map_err(failed)?;
    let mut projector = Projector::open(&path, &file, &settings.calendar()).map_err(failed)?;
    let chats = projector.standing().total;
    let bar = ProgressBar::new(u64::try_from(chats).unwrap_or_default()).with_message("recomputing");
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos} of {len} chats, {eta} left");
    bar.set_style(style.unwrap_or_else(|_wrong| ProgressStyle::default_bar()));
    while projector.advance().map_err(failed)? {
        bar.set_position(u64::try_from(projector.standing().done).unwrap_or_default());
    }
    bar.finish_and_clear();
    drop(opened);
    print(&format!("{chats} chats, up to position {}\n", projector.standing().position))
}
