//! Reads a JSON Web Key Set (RFC 7517): public keys with names, as sign-in services publish them.
//!
//! Keys of other kinds or for other uses are left out, because a service may publish them beside ours. A file
//! without a usable key is refused as a whole, and so is a file that contains a private key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::keys::{BoundKey, check_rsa_bits};

/// Largest file, in bytes; real ones have a few thousand.
pub const JWKS_BYTES_MAX: u64 = 256 * 1024;
/// Most keys in a file.
pub const JWKS_KEYS_MAX: usize = 100;
/// Bytes of one coordinate of P-256, and of a key of Ed25519.
const COORDINATE_BYTES: usize = 32;

/// Why a key set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// The path is a folder, a pipe or a device.
    #[error("is not a regular file")]
    NoFile,
    /// The file is larger than a key set can be.
    #[error("has more than {JWKS_BYTES_MAX} bytes")]
    TooLarge,
    /// The content is not JSON.
    #[error("is not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The content is JSON, but not a key set.
    #[error("is not a JSON Web Key Set: {0}")]
    Shape(&'static str),
    /// The file contains a private key, where only public ones belong.
    #[error("contains a private key (number {0}); the hub needs the public ones only")]
    Private(usize),
    /// Two keys have the same name and algorithm, so a token could belong to either.
    #[error("has two keys of one algorithm with the kid {0:?}")]
    Twice(String),
    /// All keys were left out; the reason is that of the first one.
    #[error("has no key for RS256, ES256 or EdDSA{}", .0.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    NoKey(Option<String>),
}

/// The content of a file.
pub(super) struct KeySet {
    /// The keys that verify tokens.
    pub keys: Vec<BoundKey>,
    /// Why other keys were left out, one sentence each.
    pub left_out: Vec<String>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    key_ops: Option<Vec<String>>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

pub(super) fn parse(text: &[u8]) -> Result<KeySet, JwksError> {
    let set: Value = serde_json::from_slice(text)?;
    let entries =
        set.get("keys").and_then(Value::as_array).ok_or(JwksError::Shape("it has no list named \"keys\""))?;
    if entries.len() > JWKS_KEYS_MAX {
        return Err(JwksError::Shape("it has more than 100 keys"));
    }
    let mut found = KeySet { keys: Vec::new(), left_out: Vec::new() };
    for (at, entry) in entries.iter().enumerate() {
        if entry.get("d").is_some() {
            return Err(JwksError::Private(at + 1));
        }
        match read(entry, entries.len()) {
            Ok(key) => found.keys.push(key),
            Err(reason) => found.left_out.push(format!("key {} is left out: {reason}", at + 1)),
        }
    }
    for (at, key) in found.keys.iter().enumerate() {
        let same = |other: &BoundKey| other.kid == key.kid && other.algorithm == key.algorithm;
        if found.keys[..at].iter().any(same) {
            return Err(JwksError::Twice(key.kid.clone().unwrap_or_default()));
        }
    }
    if found.keys.is_empty() { Err(JwksError::NoKey(found.left_out.into_iter().next())) } else { Ok(found) }
}

fn read(entry: &Value, of: usize) -> Result<BoundKey, &'static str> {
    let jwk = Jwk::deserialize(entry).map_err(|_wrong| "it is not a JSON Web Key")?;
    if of > 1 && jwk.kid.is_none() {
        return Err("it has no kid, and is not the only one");
    }
    let verifies = jwk.usage.as_deref().is_none_or(|usage| usage == "sig")
        && jwk.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    if !verifies {
        return Err("it is not for signatures");
    }
    let (algorithm, name, key) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => (Algorithm::RS256, "RS256", rsa(&jwk)?),
        ("EC", Some("P-256")) => (Algorithm::ES256, "ES256", ec(&jwk)?),
        ("EC", _) => return Err("its curve is not P-256"),
        ("OKP", Some("Ed25519")) => (Algorithm::EdDSA, "EdDSA", ed(&jwk)?),
        ("OKP", _) => return Err("its curve is not Ed25519"),
        ("oct", _) => return Err("it is a shared secret, which belongs into JWT_SECRET"),
        _ => return Err("its kind is unknown"),
    };
    if jwk.alg.as_deref().is_some_and(|alg| alg != name) {
        return Err("its alg is not RS256, ES256 or EdDSA, or does not match its kind");
    }
    Ok(BoundKey { kid: jwk.kid, algorithm, key })
}

fn bytes(text: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}

fn rsa(jwk: &Jwk) -> Result<DecodingKey, &'static str> {
    let (modulus, exponent) = bytes(jwk.n.as_deref())
        .zip(bytes(jwk.e.as_deref()))
        .ok_or("its n or e is missing or is not base64url")?;
    let leading_zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let modulus = &modulus[leading_zeros..];
    let unused_bits = modulus.first().map_or(0, |byte| u64::from(byte.leading_zeros()));
    check_rsa_bits(modulus.len() as u64 * 8 - unused_bits)?;
    Ok(DecodingKey::from_rsa_raw_components(modulus, &exponent))
}

fn ec(jwk: &Jwk) -> Result<DecodingKey, &'static str> {
    let (Some(x), Some(y)) = (jwk.x.as_deref(), jwk.y.as_deref()) else {
        return Err("its x or y is missing");
    };
    let fits = |text| bytes(Some(text)).is_some_and(|bytes| bytes.len() == COORDINATE_BYTES);
    if !fits(x) || !fits(y) {
        return Err("its x or y is not a coordinate of P-256");
    }
    DecodingKey::from_ec_components(x, y).map_err(|_wrong| "its x or y is not base64url")
}

fn ed(jwk: &Jwk) -> Result<DecodingKey, &'static str> {
    let key = bytes(jwk.x.as_deref()).filter(|key| key.len() == COORDINATE_BYTES);
    Ok(DecodingKey::from_ed_der(&key.ok_or("its x is not a key of Ed25519")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example keys of RFC 7517, A.1, and RFC 8037, A.2.
    fn ec_key() -> Value {
        json!({ "kty": "EC", "crv": "P-256", "kid": "ec",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" })
    }

    fn ed_key() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    fn set(keys: &[Value]) -> Result<KeySet, JwksError> {
        parse(json!({ "keys": keys }).to_string().as_bytes())
    }

    #[test]
    fn each_key_is_bound_to_the_algorithm_of_its_kind() {
        let found = set(&[ec_key(), ed_key()]).unwrap();
        let kinds: Vec<_> = found.keys.iter().map(|key| (key.kid.as_deref(), key.algorithm)).collect();
        assert_eq!(kinds, [(Some("ec"), Algorithm::ES256), (Some("ed"), Algorithm::EdDSA)]);
        assert!(found.left_out.is_empty());
    }

    #[test]
    fn keys_that_are_not_ours_are_left_out_with_the_reason() {
        for (odd, reason) in [
            (with(ed_key(), "use", json!("enc")), "not for signatures"),
            (with(ed_key(), "key_ops", json!(["sign"])), "not for signatures"),
            (with(ed_key(), "alg", json!("ES256")), "its alg is not"),
            (with(ed_key(), "crv", json!("X25519")), "not Ed25519"),
            (with(ed_key(), "x", json!("AAAA")), "not a key of Ed25519"),
            (with(ed_key(), "kid", Value::Null), "no kid"),
            (with(ec_key(), "crv", json!("P-384")), "not P-256"),
            (with(ec_key(), "y", json!("!")), "not a coordinate"),
            (json!({ "kty": "oct", "kid": "s", "k": "c2VjcmV0" }), "shared secret"),
            (json!({ "kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB" }), "2048 bits or more"),
            (json!({ "kty": "RSA", "kid": "r" }), "n or e is missing"),
            (json!({ "kty": "DH", "kid": "x" }), "kind is unknown"),
            (json!(7), "not a JSON Web Key"),
        ] {
            let found = set(&[odd.clone(), with(ed_key(), "kid", json!("good"))]).unwrap();
            assert_eq!(found.keys.len(), 1, "{odd}");
            assert!(found.left_out[0].contains(reason), "{:?}", found.left_out);
        }
    }

    #[test]
    fn a_file_without_a_key_that_counts_is_refused() {
        let refused = |text: &str| parse(text.as_bytes()).err().expect(text).to_string();
        assert!(refused("").starts_with("is not valid JSON"));
        assert!(refused("[]").contains("no list"));
        assert!(refused(r#"{"keys":{}}"#).contains("no list"));
        assert!(refused(r#"{"keys":[]}"#).contains("no key for RS256"));
        assert!(
            refused(&json!({ "keys": [with(ed_key(), "use", json!("enc"))] }).to_string())
                .contains("not for")
        );
        assert!(set(&[with(ed_key(), "d", json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))]).is_err());
        assert!(matches!(set(&[ed_key(), ed_key()]), Err(JwksError::Twice(kid)) if kid == "ed"));
        assert!(set(&vec![ed_key(); JWKS_KEYS_MAX + 1]).err().expect("too many").to_string().contains("100"));
        let deep = format!("{{\"keys\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(refused(&deep).starts_with("is not valid JSON"));
    }

    #[test]
    fn a_hundred_keys_are_taken() {
        let keys: Vec<Value> =
            (0..JWKS_KEYS_MAX).map(|number| with(ed_key(), "kid", json!(number.to_string()))).collect();
        assert_eq!(set(&keys).unwrap().keys.len(), JWKS_KEYS_MAX);
    }
}
