//! `umbler-hub restore` and `umbler-hub accept-data-loss`: the two ways to continue after a database was lost
//! or damaged.

use std::path::{Path, PathBuf};

use super::bucket::{self, BucketArgs};
use super::{Bar, DatabaseArgs, ToolError, print};
use crate::journal::copies;
use crate::journal::replace::{self, Replaced};
use crate::telemetry::clock;

/// What a restore prints that found no list of erasures.
const ERASURES_UNKNOWN: &str = "nothing here says who was erased after this backup was made: if anybody was, they are back; restore again \
     with --erasures FILE, the hub.db.erasures of the machine where they were erased\n";

/// Which backup to restore, and where.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// A file that `backup` created, or `s3://BUCKET/FOLDER`: the newest backup there, on the server of `BACKUP_S3_URL`.
    file: PathBuf,
    /// A list of erasures to apply besides those of the database that is replaced: the file `hub.db.erasures` of another
    /// machine.
    #[arg(long, value_name = "FILE")]
    erasures: Option<PathBuf>,
    #[command(flatten)]
    bucket: BucketArgs,
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
    if bucket::is_address(&args.file) {
        return restore_from_bucket(args, &path);
    }
    let bar = Bar::new("copying");
    let replaced = copies::restore(
        &args.file,
        &path,
        args.erasures.as_deref(),
        clock::now(),
        &bar.progress("checking"),
    )?;
    drop(bar);
    print(&format!("{}: {}", path.display(), describe(&replaced)))
}

/// What was erased after the snapshot was taken is erased again: the records behind it say so, and the lists of erasures.
fn restore_from_bucket(args: &RestoreArgs, path: &Path) -> Result<(), ToolError> {
    let source = bucket::open(args.file.to_str(), &args.bucket)?;
    let bar = Bar::new("downloading");
    let mut found = None;
    let replaced = copies::replace_by(path, args.erasures.as_deref(), clock::now(), |file| {
        found = Some(source.fetch(file, &bar.progress("applying records"))?);
        Ok::<(), ToolError>(())
    })?;
    drop(bar);
    let Some(fetched) = found else { return Ok(()) };
    print(&format!("{}\n{}: {}", bucket::describe(&fetched), path.display(), describe(&replaced)))?;
    bucket::complain(&fetched)
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
    let unknown = if replaced.knows_erasures { "" } else { ERASURES_UNKNOWN };
    now + &aside.unwrap_or_default() + unknown
}
