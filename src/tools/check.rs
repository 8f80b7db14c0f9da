//! `umbler-hub check`: shows the settings in force with secrets masked, and what is wrong with them; with
//! `--deep`, also checks the whole database.

use std::fmt::Write;
use std::path::Path;

use super::{Bar, ToolError, print};
use crate::app;
use crate::config::table::TABLE;
use crate::config::values::ValueSource;
use crate::config::{Config, ServeArgs, UmblerApi, Values};
use crate::domain::calendar::Calendar;
use crate::journal::rebuild;
use crate::link::probe::{Proof, Verdict, probe};
use crate::sqlite::open::deep_check;
use crate::telemetry::metrics::Metrics;

/// What `umbler-hub check` looks at.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Also read the whole database, and compare everything in it with what follows from its records. This
    /// takes minutes per million messages, and meanwhile twice the size of the database on its disk. The hub
    /// may be running.
    #[arg(long)]
    deep: bool,
    /// Also ask every route of Umbler's API that the hub uses, once, and print which assumptions about the API the answers confirm.
    #[arg(long)]
    umbler: bool,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Prints what it finds. Fails where something is wrong.
pub fn run(args: &CheckArgs) -> Result<(), ToolError> {
    let values = Values::collect(&args.serve)?;
    print(&describe(&values))?;
    let settings = Config::read(&values)?;
    for warning in settings.warnings() {
        print(&format!("note: {warning}\n"))?;
    }
    if args.deep {
        check_database(&settings.database_path)?;
    }
    if args.umbler {
        check_umbler(settings.link.as_ref(), settings.calendar())?;
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
            if origin == ValueSource::Default { String::new() } else { format!("  [{}]", origin.as_str()) };
        // Writing to a string does not fail.
        writeln!(text, "{:<35}{value}{origin}", setting.name).unwrap_or_default();
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
        print(&format!("database {}: sound\n", path.display()))?;
        return compare(path);
    }
    let findings = findings.join("\n  ");
    Err(ToolError::Found(format!(
        "the database {} is damaged:\n  {findings}\nrestore a backup",
        path.display()
    )))
}

fn check_umbler(api: Option<&UmblerApi>, hours: Calendar) -> Result<(), ToolError> {
    let missing = || ToolError::Found("UMBLER_API_TOKEN is not set".to_owned());
    let api = api.ok_or_else(missing)?;
    let token = api.token.clone().ok_or_else(missing)?;
    let link = app::link::settings(api, token, hours).map_err(ToolError::Found)?;
    let metrics = Metrics::new().map_err(|error| ToolError::Found(error.to_string()))?;
    let (proofs, outcome) = probe(&link, &metrics);
    for Proof { of, verdict, seen } in &proofs {
        print(&format!("{of:<20} {:<6} {seen}\n", verdict.as_str()))?;
    }
    outcome.map_err(|error| ToolError::Found(error.to_string()))?;
    let wrong: Vec<&str> =
        proofs.iter().filter(|proof| proof.verdict == Verdict::Fails).map(|proof| proof.of).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(ToolError::Found(format!(
        "assumptions about the API that do not hold: {}; correct them in the file that UMBLER_API_DIALECT names",
        wrong.join(", ")
    )))
}

/// Applies all records again, and compares. Only what the present rules made has to be equal.
fn compare(path: &Path) -> Result<(), ToolError> {
    let bar = Bar::new("applying records");
    let comparison = rebuild::compare(path, &bar.progress("comparing"))?;
    drop(bar);
    let found = super::rebuild::describe(&comparison);
    if comparison.is_equal() || !comparison.is_of_present_rules {
        let older = if comparison.is_equal() { "" } else { " (an older release made part of it)" };
        return print(&format!("records: {found}{older}\n"));
    }
    Err(ToolError::Found(format!(
        "the database {} differs from what follows from its records: {found}\n\
         umbler-hub rebuild computes it again from the records",
        path.display()
    )))
}
