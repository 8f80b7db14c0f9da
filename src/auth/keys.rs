//! Keys that verify tokens. Each is bound to the one algorithm that its kind allows.

use std::ops::RangeInclusive;

use aws_lc_rs::signature::RsaParameters;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use super::{AuthError, Secret};

/// Two coordinates of 32 bytes, and one byte that marks an uncompressed point.
const P256_POINT_BYTES: usize = 65;

/// Bits of an RSA modulus. RFC 7518, section 3.3, requires 2048 or more; the library refuses every signature of
/// shorter and of longer keys.
const RSA_BITS: RangeInclusive<u64> = 2_048..=8_192;

/// Refuses an RSA key of a size with which every signature would be refused.
pub(super) fn check_rsa_bits(bits: u64) -> Result<(), &'static str> {
    if bits < *RSA_BITS.start() {
        return Err("an RSA key must have 2048 bits or more");
    }
    if bits > *RSA_BITS.end() {
        return Err("an RSA key must have 8192 bits or less");
    }
    Ok(())
}

/// A key with its algorithm. The algorithm in a token's header is compared with it, and never used to choose
/// one.
#[derive(Clone)]
pub(super) struct BoundKey {
    /// The name of the key in a key set.
    pub kid: Option<String>,
    pub algorithm: Algorithm,
    pub key: DecodingKey,
}

impl BoundKey {
    /// A shared secret, for HS256.
    pub(super) fn secret(secret: &Secret) -> Self {
        let key = DecodingKey::from_secret(secret.expose().as_bytes());
        Self { kid: None, algorithm: Algorithm::HS256, key }
    }

    /// The key in a PEM file, with the one algorithm that its kind allows.
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

/// What a token must say, besides having a valid signature.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    /// The required `iss`; `None`: not checked.
    pub issuer: Option<String>,
    /// The audience that `aud` must contain; `None`: not checked.
    pub audience: Option<String>,
}

impl Expected {
    /// The library's checks for tokens of this algorithm.
    pub(super) fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        // The current time is a value of the caller, so times are checked in `verify`.
        validation.validate_exp = false;
        validation.validate_aud = self.audience.is_some();
        // `exp` and `sub` are checked in `verify` too: the library takes a time that does not fit its own
        // integers for missing.
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

/// The keys that are in force at present.
pub(super) struct KeyRing {
    keys: Vec<(BoundKey, Validation)>,
    /// True where tokens name their key. Where false, there is one key, and a name in the token does not
    /// matter.
    named: bool,
}

/// The result of looking for a token's key.
#[derive(Clone, Copy)]
pub(super) enum KeyMatch<'a> {
    /// The key, and the checks that go with its algorithm.
    Key(&'a DecodingKey, &'a Validation),
    /// No key has this name; a newer file may have it.
    UnknownName,
    /// There are several keys, and the token names none.
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

    /// Several keys, which tokens choose by name.
    pub(super) fn named(keys: Vec<BoundKey>, expected: &Expected) -> Self {
        let bind = |key: BoundKey| {
            let validation = expected.validation(key.algorithm);
            (key, validation)
        };
        Self { keys: keys.into_iter().map(bind).collect(), named: true }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key for a token with this header.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> KeyMatch<'_> {
        let kid = match (self.named, kid) {
            (true, Some(kid)) => kid,
            (true, None) if self.keys.len() > 1 => return KeyMatch::Unnamed,
            // The library refuses a token with another algorithm than the key's.
            (true, None) | (false, _) => {
                return self
                    .keys
                    .first()
                    .map_or(KeyMatch::Unnamed, |(key, checks)| KeyMatch::Key(&key.key, checks));
            }
        };
        let mut of_this_name = self.keys.iter().filter(|(key, _)| key.kid.as_deref() == Some(kid)).peekable();
        if of_this_name.peek().is_none() {
            return KeyMatch::UnknownName;
        }
        of_this_name
            .find(|(key, _)| key.algorithm == algorithm)
            .map_or(KeyMatch::OtherAlgorithm, |(key, checks)| KeyMatch::Key(&key.key, checks))
    }
}
