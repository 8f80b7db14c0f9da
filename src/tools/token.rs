//! `umbler-hub token`: makes a token that the hub of these settings accepts.

use std::path::PathBuf;

use super::{ToolError, print};
use crate::auth::mint::{SigningKey, TokenClaims, mint};
use crate::auth::{Role, Secret};
use crate::config::{ConfigError, ServeArgs, Values};
use crate::telemetry::clock;

/// Longest life of a token made by hand: a month.
const HOURS_MAX: i64 = 31 * 24;

/// What the token is to say.
#[derive(Debug, clap::Args)]
pub struct TokenArgs {
    /// The user's id.
    #[arg(long)]
    sub: String,
    /// What they may do.
    #[arg(long, value_enum, default_value = "viewer")]
    role: Role,
    /// The user's name.
    #[arg(long)]
    name: Option<String>,
    /// Hours until it ends.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(i64).range(1..=HOURS_MAX))]
    hours: i64,
    /// Limit to this organization; may be given several times.
    #[arg(long = "org")]
    orgs: Option<Vec<String>>,
    /// Limit to this sector; may be given several times.
    #[arg(long = "sector")]
    sectors: Option<Vec<String>>,
    /// Limit to this channel; may be given several times.
    #[arg(long = "channel")]
    channels: Option<Vec<String>>,
    /// Limit to the chats of this member; may be given several times.
    #[arg(long = "member")]
    members: Option<Vec<String>>,
    /// A private key in PEM to sign with, where the hub has `JWT_PUBLIC_KEY` or `JWT_JWKS_FILE`; else `JWT_SECRET` signs.
    #[arg(long)]
    private_key: Option<PathBuf>,
    /// The name of the key, where the hub has `JWT_JWKS_FILE` with several.
    #[arg(long)]
    kid: Option<String>,
}

/// Prints the token, and nothing else.
pub fn run(args: TokenArgs) -> Result<(), ToolError> {
    let values = Values::collect(&ServeArgs::default())?;
    let owned = |name| values.get(name).map(str::to_owned);
    let key = match (&args.private_key, values.get("JWT_SECRET")) {
        (Some(path), _) => {
            let pem =
                std::fs::read(path).map_err(ToolError::io(format!("cannot read {}", path.display())))?;
            SigningKey::Pem(pem)
        }
        (None, Some(secret)) => SigningKey::Secret(Secret::new(secret.trim())),
        (None, None) => {
            let missing = "JWT_SECRET is not set: set it as the hub has it, or give --private-key".to_owned();
            return Err(ConfigError::Wrong(vec![missing]).into());
        }
    };
    let claims = TokenClaims {
        name: args.name,
        iss: owned("JWT_ISSUER"),
        aud: owned("JWT_AUDIENCE"),
        orgs: args.orgs,
        sectors: args.sectors,
        channels: args.channels,
        members: args.members,
        ..TokenClaims::new(args.sub, args.role, clock::now(), args.hours * 3_600)
    };
    print(&format!("{}\n", mint(&claims, &key, args.kid.as_deref())?))
}
