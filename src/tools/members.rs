//! `umbler-hub members import`: gives a running hub the names of agents from a CSV file.

use std::path::PathBuf;

use serde::Deserialize;

use super::post::{agent, hub_url};
use super::{ToolError, print};
use crate::auth::mint::{SigningKey, TokenClaims, mint};
use crate::auth::{Role, Secret};
use crate::config::{ServeArgs, Values};
use crate::telemetry::clock;

/// Seconds for which the token of one request is valid.
const TOKEN_SECONDS: i64 = 60;

/// What to do with the directory of agents.
#[derive(Debug, clap::Args)]
pub struct MembersArgs {
    #[command(subcommand)]
    command: MembersCommand,
}

#[derive(Debug, clap::Subcommand)]
enum MembersCommand {
    /// Set the entries of a CSV file with the columns id, name, photoUrl and sectorId in any order: all of
    /// them, or none.
    Import(ImportArgs),
}

/// Which file to import, and into which hub.
#[derive(Debug, clap::Args)]
struct ImportArgs {
    /// The CSV file to import, in UTF-8.
    file: PathBuf,
    /// Address of the hub, like <https://hub.example.com>. Default: the hub of the settings in this folder.
    #[arg(long)]
    url: Option<String>,
    /// A file that contains an admin's token. Default: a token for this request, signed with `JWT_SECRET` where
    /// that is set.
    #[arg(long)]
    token_file: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Imported {
    entries: usize,
    seq: Option<i64>,
}

#[derive(Deserialize)]
struct Refused {
    error: Reason,
}

#[derive(Deserialize)]
struct Reason {
    message: String,
}

/// Runs the subcommand and prints the outcome.
pub fn run(args: &MembersArgs) -> Result<(), ToolError> {
    let MembersCommand::Import(args) = &args.command;
    let values = Values::collect(&ServeArgs::default())?;
    let url = hub_url(args.url.as_deref(), &values)?;
    let csv =
        std::fs::read(&args.file).map_err(ToolError::io(format!("cannot read {}", args.file.display())))?;
    let mut request =
        agent(&url)?.post(format!("{url}/api/umbler/members/import")).header("content-type", "text/csv");
    if let Some(token) = token(args, &values)? {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let away = |error: ureq::Error| ToolError::Found(format!("{url} does not answer: {error}"));
    let mut response = request.send(&csv[..]).map_err(away)?;
    if response.status() != 200 {
        let status = response.status();
        let reason = response.body_mut().read_json::<Refused>().map(|refused| refused.error.message);
        let reason = reason.unwrap_or_else(|_no_json| format!("status {status}"));
        return Err(ToolError::Found(format!(
            "nothing was imported: {}",
            reason.replace("; line ", "\nline ")
        )));
    }
    let imported: Imported = response.body_mut().read_json().map_err(away)?;
    let outcome = match imported.seq {
        Some(seq) => format!("sent to every screen at position {seq}"),
        None => "nothing changed".to_owned(),
    };
    print(&format!("{} entries: {outcome}\n", imported.entries))
}

fn token(args: &ImportArgs, values: &Values) -> Result<Option<String>, ToolError> {
    if let Some(path) = &args.token_file {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(ToolError::io(format!("cannot read {}", path.display())))?;
        return Ok(Some(text.trim().to_owned()));
    }
    let owned = |name| values.get(name).map(str::to_owned);
    let Some(secret) = owned("JWT_SECRET") else { return Ok(None) };
    let claims = TokenClaims {
        iss: owned("JWT_ISSUER"),
        aud: owned("JWT_AUDIENCE"),
        ..TokenClaims::new("umbler-hub members import", Role::Admin, clock::now(), TOKEN_SECONDS)
    };
    Ok(Some(mint(&claims, &SigningKey::Secret(Secret::new(secret.trim())), None)?))
}
