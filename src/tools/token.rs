//! `umbler-hub token`: makes a token that a hub with these settings accepts.

use std::path::PathBuf;

use super::{ToolError, print};
use crate::auth::mint::{SigningKey, TokenClaims, mint};
use crate::auth::{Role, Secret};
use crate::config::{ConfigError, ServeArgs, Values};
use crate::telemetry::clock;

/// Longest validity of a token made by hand, in hours: a month.
const HOURS_MAX: i64 = 31 * 24;

/// What the token should say.
#[derive(Debug, clap::Args)]
pub struct TokenArgs {
    /// Id of the user (sub).
    #[arg(long)]
    sub: String,
    /// What the user may do.
    #[arg(long, value_enum, default_value = "viewer")]
    role: Role,
    /// Name of the user, shown to others.
    #[arg(long)]
    name: Option<String>,
    /// Hours until the token expires.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(i64).range(1..=HOURS_MAX))]
    hours: i64,
    /// Limit to this organization; may be given several times.
    #[arg(long = "org")]
    orgs: Option<Vec<String>>,
    /// Limit to this sector; may be given several times.
    #[arg(long = "sector")]
    sectors: Option<Vec<String>>,
    /// Limit to this line; may be given several times.
    #[arg(long = "channel")]
    channels: Option<Vec<String>>,
    /// Limit to the chats of this agent; may be given several times.
    #[arg(long = "member")]
    members: Option<Vec<String>>,
    /// The user reads, but sends no messages.
    #[arg(long)]
    no_send: bool,
    /// A private key in PEM to sign with, for a hub with `JWT_PUBLIC_KEY` or `JWT_JWKS_FILE`. Default:
    /// `JWT_SECRET` signs.
    #[arg(long)]
    private_key: Option<PathBuf>,
    /// The name of the key (kid), for a hub whose `JWT_JWKS_FILE` has several.
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
            let missing =
                "JWT_SECRET is not set; set the same one as the hub has, or use --private-key".to_owned();
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
        send: args.no_send.then_some(false),
        ..TokenClaims::new(args.sub, args.role, clock::now(), args.hours * 3_600)
    };
    print(&format!("{}\n", mint(&claims, &key, args.kid.as_deref())?))
}
