//! `umbler-hub restore` and `umbler-hub accept-data-loss`: the two ways to continue after a database was lost
//! or damaged.

use std::path::PathBuf;

use super::{Bar, DatabaseArgs, ToolError, print};
use crate::journal::replace::{self, Replaced};
use crate::telemetry::clock;

/// Which backup to restore, and where.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// A file that `backup` created.
    file: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Which database to continue with.
#[derive(Debug, clap::Args)]
pub struct AcceptArgs {
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Replaces the database by a backup.
pub fn restore(args: &RestoreArgs) -> Result<(), ToolError> {
    let path = args.database.path()?;
    let bar = Bar::new("copying");
    let replaced = replace::restore(&args.file, &path, clock::now(), &bar.progress("checking"))?;
    drop(bar);
    print(&format!("{}: {}", path.display(), describe(&replaced)))
}

/// Continues without what was lost.
pub fn accept(args: &AcceptArgs) -> Result<(), ToolError> {
    let path = args.database.path()?;
    let replaced = replace::accept_loss(&path, clock::now())?;
    print(&format!("{}: {}", path.display(), describe(&replaced)))
}

fn describe(replaced: &Replaced) -> String {
    let now = replaced.now.as_ref().map_or_else(
        || "nothing is left of it; the next start begins with an empty database\n".to_owned(),
        |now| format!("{} deliveries, sound; a new epoch begins: {}\n", now.seq, now.epoch),
    );
    let aside = replaced.aside.as_ref();
    let aside = aside.map(|aside| format!("the previous database is kept: {}\n", aside.display()));
    now + &aside.unwrap_or_default()
}
