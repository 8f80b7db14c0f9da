//! Checks tokens: signature, issuer, audience, time, and the claims of the contract.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::{AuthError, Identity, LEEWAY_SECONDS, Role, SUBJECT_BYTES_MAX, Secret, TOKEN_BYTES_MAX};

/// The key that signs, or verifies, tokens.
#[derive(Debug, Clone)]
pub enum AuthKey {
    /// A shared secret: HS256.
    Secret(Secret),
    /// A public key in PEM: RS256, ES256 or `EdDSA`, as its kind says.
    Pem(Vec<u8>),
}

/// What tokens are checked against.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    /// The key.
    pub key: AuthKey,
    /// What `iss` must be; `None`: not checked.
    pub issuer: Option<String>,
    /// What `aud` must name; `None`: not checked.
    pub audience: Option<String>,
}

/// Checks tokens against one key.
pub struct Authenticator {
    key: DecodingKey,
    validation: Validation,
}

#[derive(Deserialize)]
struct Claims {
    // Optional here, so that a missing one is named.
    #[serde(default)]
    sub: Option<String>,
    /// Seconds since 1970; RFC 7519 allows a fraction.
    #[serde(default)]
    exp: Option<f64>,
    #[serde(default)]
    nbf: Option<f64>,
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
}

impl Authenticator {
    /// Binds the algorithm to the key; errors where the key is of no use.
    pub fn new(settings: &AuthSettings) -> Result<Self, AuthError> {
        let (algorithm, key) = match &settings.key {
            AuthKey::Secret(secret) => {
                (Algorithm::HS256, DecodingKey::from_secret(secret.expose().as_bytes()))
            }
            AuthKey::Pem(pem) => public_key(pem)?,
        };
        let mut validation = Validation::new(algorithm);
        // The clock is the caller's, so time is checked below.
        validation.validate_exp = false;
        validation.validate_aud = settings.audience.is_some();
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &settings.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &settings.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        Ok(Self { key, validation })
    }

    /// Who the token says it is, if all of it holds at `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Identity, AuthError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(AuthError::Invalid("it is too long"));
        }
        let header = decode_header(token).map_err(|error| AuthError::from(&error))?;
        if header.crit.is_some() {
            // RFC 7515 4.1.11: extensions that are not understood must be refused.
            return Err(AuthError::Invalid("it asks for extensions that are not supported"));
        }
        let claims = decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|error| AuthError::from(&error))?
            .claims;
        identity(claims, now)
    }
}

fn identity(claims: Claims, now: Timestamp) -> Result<Identity, AuthError> {
    let expires_at = claims.exp.and_then(moment).ok_or(AuthError::Claim("exp"))?;
    if expires_at.as_second().saturating_add(LEEWAY_SECONDS) <= now.as_second() {
        return Err(AuthError::Expired);
    }
    if let Some(nbf) = claims.nbf {
        let begins_at = moment(nbf).ok_or(AuthError::Claim("nbf"))?;
        if begins_at.as_second().saturating_sub(LEEWAY_SECONDS) > now.as_second() {
            return Err(AuthError::NotYet);
        }
    }
    let sub = claims
        .sub
        .filter(|sub| (1..=SUBJECT_BYTES_MAX).contains(&sub.len()))
        .ok_or(AuthError::Claim("sub"))?;
    Ok(Identity {
        role: role(claims.role.as_deref())?,
        sub,
        name: claims.name,
        orgs: claims.orgs,
        sectors: claims.sectors,
        channels: claims.channels,
        members: claims.members,
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

/// `NumericDate` of RFC 7519; `None` outside the years that a clock can show.
fn moment(seconds: f64) -> Option<Timestamp> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and the timestamp's bounds refuse that"
    )]
    let whole = seconds.floor() as i64;
    Timestamp::from_second(whole).ok()
}

/// The key of a PEM file, with the one algorithm that its kind allows.
fn public_key(pem: &[u8]) -> Result<(Algorithm, DecodingKey), AuthError> {
    let text = String::from_utf8_lossy(pem);
    if text.contains("PRIVATE KEY") {
        return Err(AuthError::Key("this is a private key; the hub needs the public one only"));
    }
    if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
        return Ok((Algorithm::RS256, key));
    }
    if let Ok(key) = DecodingKey::from_ed_pem(pem) {
        return Ok((Algorithm::EdDSA, key));
    }
    match DecodingKey::from_ec_pem(pem) {
        Ok(key) if key.try_get_as_bytes().is_ok_and(|point| point.len() == P256_POINT_BYTES) => {
            Ok((Algorithm::ES256, key))
        }
        Ok(_) => Err(AuthError::Key("an elliptic-curve key must be of the curve P-256 (ES256)")),
        Err(_) => Err(AuthError::Key("not a public key in PEM of the kinds RSA, P-256 or Ed25519")),
    }
}

/// Two coordinates of 32 bytes and the mark of an uncompressed point.
const P256_POINT_BYTES: usize = 65;
