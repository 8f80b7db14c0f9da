//! Checks tokens: signature, issuer, audience, time, revocations, and the claims that the contract names.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use jsonwebtoken::{TokenData, decode, decode_header};
use serde::Deserialize;

use super::key_file::{KeyFile, KeyState};
use super::keys::{BoundKey, Expected, KeyMatch, KeyRing};
use super::revocations::Revocations;
use super::{AuthError, Identity, LEEWAY_SECONDS, Role, SUBJECT_BYTES_MAX, Secret, TOKEN_BYTES_MAX};
use crate::domain::visible::has_visible;

/// The key that verifies tokens.
#[derive(Debug, Clone)]
pub enum AuthKey {
    /// A shared secret, for HS256.
    Secret(Secret),
    /// A public key in PEM. Its kind decides between RS256, ES256 and `EdDSA`.
    Pem(Vec<u8>),
    /// A file with a JSON Web Key Set, which is read again when it changes.
    Jwks(PathBuf),
}

/// What tokens are checked against.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    pub key: AuthKey,
    /// The required `iss`; `None`: not checked.
    pub issuer: Option<String>,
    /// The audience that `aud` must contain; `None`: not checked.
    pub audience: Option<String>,
}

/// Checks tokens, with the keys that are in force at the moment.
pub struct Authenticator {
    keys: Keys,
    revocations: Arc<Revocations>,
}

enum Keys {
    /// The same keys until the hub stops.
    Fixed(KeyRing),
    /// Keys from a file that may change.
    File(KeyFile),
}

#[derive(Deserialize)]
struct Claims {
    // Optional here, so that the error for a missing claim can name it.
    #[serde(default)]
    sub: Option<String>,
    /// Seconds since 1970; RFC 7519 allows fractions.
    #[serde(default)]
    exp: Option<f64>,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    iat: Option<f64>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    orgs: Option<Vec<String>>,
    #[serde(default)]
    sectors: Option<Vec<String>>,
    #[serde(default)]
    channels: Option<Vec<String>>,
    #[serde(default)]
    members: Option<Vec<String>>,
    #[serde(default)]
    send: Option<bool>,
}

impl Authenticator {
    /// Binds an algorithm to each key. Fails where a key cannot be used.
    pub fn new(settings: &AuthSettings) -> Result<Self, AuthError> {
        let expected = Expected { issuer: settings.issuer.clone(), audience: settings.audience.clone() };
        let keys = match &settings.key {
            AuthKey::Secret(secret) => Keys::Fixed(KeyRing::single(BoundKey::secret(secret), &expected)),
            AuthKey::Pem(pem) => Keys::Fixed(KeyRing::single(BoundKey::pem(pem)?, &expected)),
            AuthKey::Jwks(path) => Keys::File(KeyFile::open(path, expected)?),
        };
        Ok(Self { keys, revocations: Arc::default() })
    }

    /// Refuses tokens that these revocations cover.
    #[must_use]
    pub fn with_revocations(self, revocations: Arc<Revocations>) -> Self {
        Self { revocations, ..self }
    }

    /// Checks whether a file of keys changed. This may read the file, so it is not for a thread that serves
    /// requests.
    pub fn look_at_keys(&self) {
        if let Keys::File(file) = &self.keys {
            file.look();
        }
    }

    /// The state of the keys of a file; `None` where the keys do not come from a file that is watched.
    pub fn key_state(&self) -> Option<KeyState> {
        match &self.keys {
            Keys::Fixed(_) => None,
            Keys::File(file) => Some(file.state()),
        }
    }

    /// Who the token says its user is, if all of the token is valid at `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Identity, AuthError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(AuthError::Invalid("it is too long"));
        }
        let identity = identity(self.claims(token)?, now)?;
        if self.revocations.cover(&identity.sub, identity.issued_at) {
            return Err(AuthError::Revoked);
        }
        Ok(identity)
    }

    fn claims(&self, token: &str) -> Result<Claims, AuthError> {
        let header = decode_header(token).map_err(|error| AuthError::from(&error))?;
        if header.crit.is_some() {
            // RFC 7515, section 4.1.11: extensions that are not understood must be refused.
            return Err(AuthError::Invalid("it asks for extensions that are not supported"));
        }
        match &self.keys {
            Keys::Fixed(ring) => decoded(token, ring.find(None, header.alg)),
            Keys::File(file) => {
                let mut ring = file.ring();
                let unknown = matches!(ring.find(header.kid.as_deref(), header.alg), KeyMatch::UnknownName);
                // The key may be new. The file is small and on this machine, and how often it is read is
                // bounded.
                if unknown && file.look_for_unknown_name(Instant::now()) {
                    ring = file.ring();
                }
                decoded(token, ring.find(header.kid.as_deref(), header.alg))
            }
        }
    }
}

fn decoded(token: &str, found: KeyMatch<'_>) -> Result<Claims, AuthError> {
    match found {
        KeyMatch::Key(key, validation) => decode(token, key, validation)
            .map(|data: TokenData<Claims>| data.claims)
            .map_err(|error| AuthError::from(&error)),
        KeyMatch::UnknownName => Err(AuthError::Invalid("its kid does not name a known key")),
        KeyMatch::Unnamed => Err(AuthError::Invalid("it has no kid, and there are several keys")),
        KeyMatch::OtherAlgorithm => Err(AuthError::Invalid("its algorithm is not the key's")),
    }
}

fn identity(claims: Claims, now: Timestamp) -> Result<Identity, AuthError> {
    let expires_at = moment(claims.exp.ok_or(AuthError::Claim("exp"))?);
    if expires_at.as_second().saturating_add(LEEWAY_SECONDS) <= now.as_second() {
        return Err(AuthError::Expired);
    }
    let begins_at = claims.nbf.map(moment);
    if begins_at.is_some_and(|at| at.as_second().saturating_sub(LEEWAY_SECONDS) > now.as_second()) {
        return Err(AuthError::NotYet);
    }
    let issued_at = claims.iat.map(moment);
    let sub = claims
        .sub
        .filter(|sub| (1..=SUBJECT_BYTES_MAX).contains(&sub.len()))
        .ok_or(AuthError::Claim("sub"))?;
    Ok(Identity {
        role: role(claims.role.as_deref())?,
        sub,
        name: claims.name.filter(|name| has_visible(name)),
        orgs: claims.orgs,
        sectors: claims.sectors,
        channels: claims.channels,
        members: claims.members,
        may_send: claims.send.unwrap_or(true),
        issued_at,
        expires_at: Some(expires_at),
    })
}

fn role(name: Option<&str>) -> Result<Role, AuthError> {
    match name {
        None | Some("viewer") => Ok(Role::Viewer),
        Some("agent") => Ok(Role::Agent),
        Some("supervisor") => Ok(Role::Supervisor),
        Some("admin") => Ok(Role::Admin),
        Some(_) => Err(AuthError::Claim("role")),
    }
}

/// `NumericDate` of RFC 7519, in whole seconds. Other platforms write "never" as their own last moment, which
/// may be later than ours (the end of the year 9999, or the largest integer). Such a time becomes our first or
/// last moment.
fn moment(seconds: f64) -> Timestamp {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and what it yields is cut to the bounds"
    )]
    let whole = seconds.floor() as i64;
    let cut = whole.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(cut).unwrap_or(Timestamp::MAX)
}
