//! Makes tokens, for operators who try the hub and for tests. In production the company's own backend makes
//! them.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;

use super::{AuthError, Role, Secret};

/// The content of a token. A `None` is left out.
#[derive(Debug, Clone, Serialize)]
pub struct TokenClaims {
    pub sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the user may do.
    pub role: Role,
    /// When the token was made, in seconds since 1970.
    pub iat: i64,
    /// When the token expires, in seconds since 1970.
    pub exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// For whom the token is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// Organizations that the token is limited to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orgs: Option<Vec<String>>,
    /// Sectors that the token is limited to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sectors: Option<Vec<String>>,
    /// Lines that the token is limited to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<String>>,
    /// Agents that the token is limited to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<String>>,
    /// False for a user who sends nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<bool>,
}

impl TokenClaims {
    /// A token for this user and role that is valid from `now` for `seconds`.
    pub fn new(sub: impl Into<String>, role: Role, now: Timestamp, seconds: i64) -> Self {
        Self {
            sub: sub.into(),
            name: None,
            role,
            iat: now.as_second(),
            exp: now.as_second().saturating_add(seconds),
            iss: None,
            aud: None,
            orgs: None,
            sectors: None,
            channels: None,
            members: None,
            send: None,
        }
    }
}

/// The key that signs a token.
pub enum SigningKey {
    /// A shared secret, for HS256.
    Secret(Secret),
    /// A private key in PEM. Its kind decides between RS256, ES256 and `EdDSA`.
    Pem(Vec<u8>),
}

/// Signs the claims. `kid` names the key, for a hub with several keys.
pub fn mint(claims: &TokenClaims, key: &SigningKey, kid: Option<&str>) -> Result<String, AuthError> {
    let (algorithm, key) = match key {
        SigningKey::Secret(secret) => {
            (Algorithm::HS256, EncodingKey::from_secret(secret.expose().as_bytes()))
        }
        SigningKey::Pem(pem) => private_key(pem)?,
    };
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    encode(&header, claims, &key).map_err(|error| {
        log::debug!("a token could not be signed: {error}");
        AuthError::Key("the key cannot sign")
    })
}

fn private_key(pem: &[u8]) -> Result<(Algorithm, EncodingKey), AuthError> {
    EncodingKey::from_rsa_pem(pem)
        .map(|key| (Algorithm::RS256, key))
        .or_else(|_not_rsa| EncodingKey::from_ed_pem(pem).map(|key| (Algorithm::EdDSA, key)))
        .or_else(|_not_ed| EncodingKey::from_ec_pem(pem).map(|key| (Algorithm::ES256, key)))
        .map_err(|_not_ec| {
            AuthError::Key("not a private key in PEM (PKCS#8) of the kinds RSA, P-256 or Ed25519")
        })
}
