//! Who speaks: tokens are checked here, and nowhere else.
//!
//! # Contract
//!
//! 1. The algorithm is bound to the key that the operator set, never chosen by the token's header.
//! 2. A claim of the wrong type refuses the token: it must not count as absent, which would widen what it allows.
//! 3. A user who was revoked is refused wherever a token is shown, for there is no other place that checks them.
//! 4. Time is a value of the caller; a token counts for [`LEEWAY_SECONDS`] past its `exp` and before its `nbf`.

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
pub use scope::Scope;
pub use secret::Secret;
pub use verify::{AuthKey, AuthSettings, Authenticator};

/// Clocks of two machines may differ by this many seconds (contract, section 3).
pub const LEEWAY_SECONDS: i64 = 30;
/// Longest token that is looked at, in bytes; real ones have a few hundred.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// Longest `sub`, in bytes.
pub const SUBJECT_BYTES_MAX: usize = 256;

/// What a person may do; the first may most.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Admin,
    /// All chats of the scope.
    Supervisor,
    /// The chats of the scope.
    Agent,
    /// Looks on; the role of a token that names none.
    Viewer,
}

/// Who speaks, as a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's id.
    pub sub: String,
    /// The user's name, if the token tells it.
    pub name: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Organizations the token is limited to; `None`: all.
    pub orgs: Option<Vec<String>>,
    /// Sectors the token is limited to; `None`: all.
    pub sectors: Option<Vec<String>>,
    /// Channels the token is limited to; `None`: all.
    pub channels: Option<Vec<String>>,
    /// Members whose chats the token is limited to; `None`: all.
    pub members: Option<Vec<String>>,
    /// When the token was made, if it tells it.
    pub issued_at: Option<Timestamp>,
    /// When the token ends, without leeway; `None` only for the anonymous admin.
    pub expires_at: Option<Timestamp>,
}

impl Identity {
    /// The first channel that the token does not allow: another user's own, except for admins.
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

    /// Everybody, where no key is set.
    pub fn anonymous() -> Self {
        Self {
            sub: "anonymous".to_owned(),
            name: None,
            role: Role::Admin,
            orgs: None,
            sectors: None,
            channels: None,
            members: None,
            issued_at: None,
            expires_at: None,
        }
    }
}

/// Why a token, or a key, is refused.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Not a signed token of ours: its shape, its algorithm or its signature.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
    /// Its time is over.
    #[error("the token's time is over")]
    Expired,
    /// Its time has not begun.
    #[error("the token is not valid yet")]
    NotYet,
    /// A claim is missing or says something that is not understood.
    #[error("the token's claim {0} is missing or wrong")]
    Claim(&'static str),
    /// The user's tokens of its time do not count any more.
    #[error("the token was revoked")]
    Revoked,
    /// A file of keys cannot be used.
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
            ErrorKind::InvalidSignature => Self::Invalid("its signature does not fit the key"),
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
