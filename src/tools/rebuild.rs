//! `umbler-hub rebuild`: computes everything that follows from the records again, and replaces the stored state
//! by it.

use super::{Bar, DatabaseArgs, ToolError, print};
use crate::derived;
use crate::journal::rebuild::{self, Comparison};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;

/// Which database to rebuild from its records.
#[derive(Debug, clap::Args)]
pub struct RebuildArgs {
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Rebuilds the database and prints how the result differs.
pub fn run(args: &RebuildArgs) -> Result<(), ToolError> {
    let path = args.database.path()?;
    let bar = Bar::new("applying records");
    let (replaced, comparison) = rebuild::rebuild(&path, clock::now(), &bar.progress("comparing"))?;
    drop(bar);
    if !comparison.is_equal() {
        derived::remove_files(&path).map_err(|error| ToolError::Found(chain(&error)))?;
    }
    print(&format!("{}: {}\n", path.display(), describe(&comparison)))?;
    let aside = replaced.aside.map(|aside| format!("the previous database is kept: {}\n", aside.display()));
    print(&aside.unwrap_or_default())
}

/// The outcome of the comparison, in one line.
pub(super) fn describe(found: &Comparison) -> String {
    let mut parts = vec![format!("{} positions applied again", found.seq)];
    if found.taken_over > 0 {
        parts.push(format!("{} events of older releases taken over unchanged", found.taken_over));
    }
    if found.is_equal() {
        parts.push("the result is what was stored".to_owned());
    }
    if !found.tables.is_empty() {
        parts.push(format!("it differs in {}", found.tables.join(", ")));
    }
    if let Some(first) = found.block {
        parts.push(format!("updates differ from position {first} on"));
    }
    parts.join("; ")
}
