//! `umbler-hub check`: the settings in force, secrets masked, and what is wrong; with `--deep`, the whole database.

use std::fmt::Write;
use std::path::Path;

use super::{ToolError, print};
use crate::config::table::TABLE;
use crate::config::values::Origin;
use crate::config::{ServeArgs, Settings, Values};
use crate::sqlite::open::deep_check;

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Read the whole database too: about four seconds per million messages. The hub may run meanwhile.
    #[arg(long)]
    deep: bool,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Prints what it finds; an error where something is wrong.
pub fn run(args: &CheckArgs) -> Result<(), ToolError> {
    let values = Values::collect(&args.serve)?;
    print(&describe(&values))?;
    let settings = Settings::read(&values)?;
    for warning in settings.warnings() {
        print(&format!("note: {warning}\n"))?;
    }
    if args.deep {
        check_database(&settings.database_path)?;
    }
    print("ok\n")
}

/// One line per setting: name, value, where it came from.
fn describe(values: &Values) -> String {
    let mut text = String::new();
    for setting in TABLE {
        let value = match values.get(setting.name) {
            Some(_) if setting.secret => "***",
            Some(value) => value,
            None => "(unset)",
        };
        let origin = values.origin(setting.name);
        let origin =
            if origin == Origin::Default { String::new() } else { format!("  [{}]", origin.as_str()) };
        // Writing to a string does not fail.
        writeln!(text, "{:<32}{value}{origin}", setting.name).unwrap_or_default();
    }
    text
}

fn check_database(path: &Path) -> Result<(), ToolError> {
    if !path.exists() {
        return print(&format!("database {}: not there yet; the hub creates it\n", path.display()));
    }
    let findings = deep_check(path)
        .map_err(|error| ToolError::Found(format!("the database cannot be read: {error}")))?;
    if findings.is_empty() {
        return print(&format!("database {}: sound\n", path.display()));
    }
    let findings = findings.join("\n  ");
    Err(ToolError::Found(format!(
        "the database {} is damaged:\n  {findings}\nrestore a backup",
        path.display()
    )))
}
