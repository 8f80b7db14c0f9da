//! `umbler-hub backup`: a checked copy of the database, while the hub runs; or with `--verify`, a look at whether what is in
//! the bucket can be restored.

use std::path::{Path, PathBuf};

use super::bucket::{self, BucketArgs};
use super::{Bar, DatabaseArgs, ToolError, print};
use crate::journal::{copies, replace};

/// What to copy, and where to.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The file to create: one complete database, which `restore` accepts.
    #[arg(required_unless_present = "verify")]
    file: Option<PathBuf>,
    /// Overwrite the file if it exists.
    #[arg(long, conflicts_with = "verify")]
    force: bool,
    /// Download the newest backup from the bucket of `BACKUP_S3_URL` instead, put it together as `restore` does, and read every
    /// page of it. Nothing is kept. Needs the size of the database on its disk.
    #[arg(long, conflicts_with = "file")]
    verify: bool,
    #[command(flatten)]
    bucket: BucketArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Copies the database, checks the copy, and prints what it contains.
pub fn run(args: &BackupArgs) -> Result<(), ToolError> {
    let path = args.database.path()?;
    match &args.file {
        Some(file) => copy(&path, file, args.force),
        None => verify(&path, &args.bucket),
    }
}

fn copy(path: &Path, file: &Path, force: bool) -> Result<(), ToolError> {
    let bar = Bar::new("copying");
    let copied = replace::backup(path, file, force, &bar.progress("checking"))?;
    drop(bar);
    print(&format!(
        "{}: {} deliveries, epoch {}, {} KiB, sound\n",
        file.display(),
        copied.seq,
        copied.epoch,
        copied.bytes / 1024
    ))
}

fn verify(path: &Path, args: &BucketArgs) -> Result<(), ToolError> {
    let bucket = bucket::open(None, args)?;
    let bar = Bar::new("downloading");
    let mut found = None;
    let copied = copies::rehearse(path, |file| {
        found = Some(bucket.fetch(file, &bar.progress("applying records"))?);
        Ok::<(), ToolError>(())
    })?;
    drop(bar);
    let Some(fetched) = found else { return Ok(()) };
    print(&format!(
        "{}: {} deliveries, epoch {}, {} KiB, sound\n",
        bucket::describe(&fetched),
        copied.seq,
        copied.epoch,
        copied.bytes / 1024
    ))?;
    bucket::complain(&fetched)
}
