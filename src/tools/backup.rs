//! `umbler-hub backup`: a checked copy of the database, while the hub runs.

use std::path::PathBuf;

use super::{Bar, DatabaseArgs, ToolError, print};
use crate::journal::replace;

/// What to copy, and where to.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The file to create: one complete database, which `restore` accepts.
    file: PathBuf,
    /// Overwrite the file if it exists.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Copies the database, checks the copy, and prints what it contains.
pub fn run(args: &BackupArgs) -> Result<(), ToolError> {
    let path = args.database.path()?;
    let bar = Bar::new("copying");
    let copied = replace::backup(&path, &args.file, args.force, &bar.progress("checking"))?;
    drop(bar);
    print(&format!(
        "{}: {} deliveries, epoch {}, {} KiB, sound\n",
        args.file.display(),
        copied.seq,
        copied.epoch,
        copied.bytes / 1024
    ))
}
