//! Keys that verify tokens, each bound to the one algorithm that its kind allows.

use std::ops::RangeInclusive;

use aws_lc_rs::signature::RsaParameters;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use super::{AuthError, Secret};

/// Two coordinates of 32 bytes and the mark of an uncompressed point.
const P256_POINT_BYTES: usize = 65;

/// Bits of an RSA modulus: RFC 7518, 3.3 wants 2048 or more, and the library refuses every signature of shorter and of
/// longer ones.
const RSA_BITS: RangeInclusive<u64> = 2_048..=8_192;

/// Refuses an RSA key of a size that no signature is accepted of.
pub(super) fn check_rsa_bits(bits: u64) -> Result<(), &'static str> {
    if bits < *RSA_BITS.start() {
        return Err("an RSA key must have 2048 bits or more");
    }
    if bits > *RSA_BITS.end() {
        return Err("an RSA key must have 8192 bits or less");
    }
    Ok(())
}

/// A key with its algorithm; what a token's header says of the algorithm is compared, never believed.
#[derive(Clone)]
pub(super) struct BoundKey {
    /// Its name in a set of keys.
    pub kid: Option<String>,
    /// The one algorithm.
    pub algorithm: Algorithm,
    /// The key.
    pub key: DecodingKey,
}

impl BoundKey {
    /// A shared secret: HS256.
    pub(super) fn secret(secret: &Secret) -> Self {
        let key = DecodingKey::from_secret(secret.expose().as_bytes());
        Self { kid: None, algorithm: Algorithm::HS256, key }
    }

    /// The key of a PEM file, with the one algorithm that its kind allows.
    pub(super) fn pem(pem: &[u8]) -> Result<Self, AuthError> {
        let bound = |algorithm, key| Ok(Self { kid: None, algorithm, key });
        let text = String::from_utf8_lossy(pem);
        if text.contains("PRIVATE KEY") {
            return Err(AuthError::Key("this is a private key; the hub needs the public one only"));
        }
        if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
            let bits =
                key.try_get_as_bytes().ok().and_then(|der| RsaParameters::public_modulus_len(der).ok());
            let bits = bits.ok_or(AuthError::Key("this RSA key cannot be read"))?;
            check_rsa_bits(bits.into()).map_err(AuthError::Key)?;
            return bound(Algorithm::RS256, key);
        }
        if let Ok(key) = DecodingKey::from_ed_pem(pem) {
            return bound(Algorithm::EdDSA, key);
        }
        match DecodingKey::from_ec_pem(pem) {
            Ok(key) if key.try_get_as_bytes().is_ok_and(|point| point.len() == P256_POINT_BYTES) => {
                bound(Algorithm::ES256, key)
            }
            Ok(_) => Err(AuthError::Key("an elliptic-curve key must be of the curve P-256 (ES256)")),
            Err(_) => Err(AuthError::Key("not a public key in PEM of the kinds RSA, P-256 or Ed25519")),
        }
    }
}

/// What a token must say besides its signature.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    /// What `iss` must be; `None`: not checked.
    pub issuer: Option<String>,
    /// What `aud` must name; `None`: not checked.
    pub audience: Option<String>,
}

impl Expected {
    /// The library's checks for tokens of this algorithm.
    pub(super) fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        // The clock is the caller's, so time is checked by us.
        validation.validate_exp = false;
        validation.validate_aud = self.audience.is_some();
        // So are `exp` and `sub`: the library takes a moment for missing that does not fit its own integers.
        let mut required = Vec::new();
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        validation
    }
}

/// The keys that count at the moment.
pub(super) struct KeyRing {
    keys: Vec<(BoundKey, Validation)>,
    /// Tokens name their key; where it is false, there is one key and what they name does not matter.
    named: bool,
}

/// What a ring has for a token.
#[derive(Clone, Copy)]
pub(super) enum Found<'a> {
    /// This key.
    Key(&'a DecodingKey, &'a Validation),
    /// No key has the name: a newer file may have it.
    UnknownName,
    /// Several keys, and the token names none.
    Unnamed,
    /// The key of this name is for another algorithm.
    OtherAlgorithm,
}

impl KeyRing {
    /// One key for all tokens.
    pub(super) fn single(key: BoundKey, expected: &Expected) -> Self {
        let validation = expected.validation(key.algorithm);
        Self { keys: vec![(key, validation)], named: false }
    }

    /// Keys that tokens name.
    pub(super) fn named(keys: Vec<BoundKey>, expected: &Expected) -> Self {
        let bind = |key: BoundKey| {
            let validation = expected.validation(key.algorithm);
            (key, validation)
        };
        Self { keys: keys.into_iter().map(bind).collect(), named: true }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key for a token whose header says this.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Found<'_> {
        let kid = match (self.named, kid) {
            (true, Some(kid)) => kid,
            (true, None) if self.keys.len() > 1 => return Found::Unnamed,
            // The library refuses another algorithm than the key's.
            (true, None) | (false, _) => {
                return self
                    .keys
                    .first()
                    .map_or(Found::Unnamed, |(key, checks)| Found::Key(&key.key, checks));
            }
        };
        let mut of_this_name = self.keys.iter().filter(|(key, _)| key.kid.as_deref() == Some(kid)).peekable();
        if of_this_name.peek().is_none() {
            return Found::UnknownName;
        }
        of_this_name
            .find(|(key, _)| key.algorithm == algorithm)
            .map_or(Found::OtherAlgorithm, |(key, checks)| Found::Key(&key.key, checks))
    }
}
