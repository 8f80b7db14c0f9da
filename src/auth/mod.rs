//! Checks tokens. Who somebody is, is decided here and nowhere else.
//!
//! # Contract
//!
//! 1. The algorithm belongs to the key that the operator set, and is never chosen by the token's header.
//! 2. A claim of the wrong type refuses the token. If it counted as absent, the token would allow more.
//! 3. A user who was revoked is refused wherever a token is shown, because tokens are checked nowhere else.
//! 4. The time is a value of the caller. A token is valid for [`LEEWAY_SECONDS`] after its `exp` and before its
//!    `nbf`.

pub mod secret;
pub mod revocations;
mod keys;
pub mod jwks;
pub mod key_file;
pub mod verify;
pub mod mint;
pub mod scope;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::protocol::Channel;

pub use key_file::KeyState;
pub use revocations::{Revocation, Revocations};
pub use scope::{Limit, Scope};
pub use secret::Secret;
pub use verify::{AuthKey, AuthSettings, Authenticator};

/// The clocks of two machines may differ by this many seconds (contract, section 3).
pub const LEEWAY_SECONDS: i64 = 30;
/// Longest token that is looked at, in bytes; real ones have a few hundred.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Longest `sub` of a token, in bytes.
pub const SUBJECT_BYTES_MAX: usize = 256;

/// What a person may do, from most to least.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything, including settings, names and revocations.
    Admin,
    /// All chats of the scope, including private ones of others.
    Supervisor,
    /// The chats of the scope, without private ones of others.
    Agent,
    /// Reads only, with names and phones masked and without texts. The role of a token that names none.
    Viewer,
}

impl Role {
    /// The role as tokens write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Supervisor => "supervisor",
            Self::Agent => "agent",
            Self::Viewer => "viewer",
        }
    }
}

/// Who somebody is, as a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub sub: String,
    /// The user's name, where the token has it.
    pub name: Option<String>,
    /// What the user may do.
    pub role: Role,
    /// Organizations that the token is limited to; `None`: all.
    pub orgs: Option<Vec<String>>,
    /// Sectors that the token is limited to; `None`: all.
    pub sectors: Option<Vec<String>>,
    /// Lines that the token is limited to; `None`: all.
    pub channels: Option<Vec<String>>,
    /// Agents whose chats the token is limited to; `None`: all.
    pub members: Option<Vec<String>>,
    /// False where the token says that its user sends nothing. Viewers send nothing whatever it says.
    pub may_send: bool,
    /// When the token was made, where it says so.
    pub issued_at: Option<Timestamp>,
    /// When the token expires, without leeway; `None` only for the anonymous admin.
    pub expires_at: Option<Timestamp>,
}

impl Identity {
    /// The first channel that the token does not allow: the own channel of another user, except for admins.
    pub fn forbidden_channel<'a>(&self, channels: &'a [Channel]) -> Option<&'a Channel> {
        channels.iter().find(|channel| match channel {
            Channel::User(sub) => self.role != Role::Admin && *sub != self.sub,
            Channel::Updates
            | Channel::Stats
            | Channel::Presence
            | Channel::Metrics(_)
            | Channel::Chat(_)
            | Channel::Contact(_)
            | Channel::Sector(_)
            | Channel::Member(_)
            | Channel::Line(_)
            | Channel::Tag(_) => false,
        })
    }

    /// The identity of everybody where no key is set: an admin.
    pub fn anonymous() -> Self {
        Self {
            sub: "anonymous".to_owned(),
            name: None,
            role: Role::Admin,
            orgs: None,
            sectors: None,
            channels: None,
            members: None,
            may_send: true,
            issued_at: None,
            expires_at: None,
        }
    }
}

/// Why a token, or a key, is refused.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Not a signed token of ours: its form, its algorithm or its signature is wrong.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
    #[error("the token has expired")]
    Expired,
    /// The token's `nbf` is in the future.
    #[error("the token is not valid yet")]
    NotYet,
    /// A claim is missing, or has a value that is not understood.
    #[error("the token's claim {0} is missing or wrong")]
    Claim(&'static str),
    /// The user's tokens of that time were revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The file of keys cannot be used.
    #[error("the file {0}")]
    KeyFile(#[from] jwks::JwksError),
    /// The key itself cannot be used.
    #[error("{0}")]
    Key(&'static str),
}

impl From<&jsonwebtoken::errors::Error> for AuthError {
    fn from(error: &jsonwebtoken::errors::Error) -> Self {
        use jsonwebtoken::errors::ErrorKind;
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the library's list is open; a stranger gets no details"
        )]
        match error.kind() {
            ErrorKind::InvalidSignature => Self::Invalid("its signature does not match the key"),
            ErrorKind::InvalidAlgorithm
            | ErrorKind::UnsupportedAlgorithm
            | ErrorKind::InvalidAlgorithmName => Self::Invalid("its algorithm is not the key's"),
            ErrorKind::InvalidIssuer => Self::Claim("iss"),
            ErrorKind::InvalidAudience => Self::Claim("aud"),
            ErrorKind::MissingRequiredClaim(claim) => Self::Claim(match claim.as_str() {
                "iss" => "iss",
                _ => "aud",
            }),
            ErrorKind::Json(error) if error.is_data() => {
                Self::Invalid("its claims are not of the right types")
            }
            _ => Self::Invalid("it is not a signed JSON Web Token"),
        }
    }
}
