//! Keys made for one test run, and tokens signed with them.

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// A secret of the smallest allowed length.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A token with these claims, signed with this secret; `exp` is added where it is missing.
pub fn token_with(secret: &str, mut claims: Value) -> String {
    if claims.get("exp").is_none() {
        claims["exp"] = json!(now() + 3_600);
    }
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::default(), &claims, &key).expect("a token")
}

/// A token signed with [`SECRET`].
pub fn token(claims: Value) -> String {
    token_with(SECRET, claims)
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a test is a place where wall time comes from")]
pub fn now() -> i64 {
    Timestamp::now().as_second()
}

/// Reads a private key of one kind.
type ReadKey = fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>;

/// Signs tokens with a key of a key set.
pub struct Signer {
    kid: String,
    algorithm: Algorithm,
    key: EncodingKey,
    pem: Vec<u8>,
}

impl Signer {
    /// A new key of this algorithm.
    pub fn new(algorithm: Algorithm, kid: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (options, read): (&[&str], ReadKey) = if algorithm == Algorithm::RS256 {
            (&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], EncodingKey::from_rsa_pem)
        } else if algorithm == Algorithm::ES256 {
            (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], EncodingKey::from_ec_pem)
        } else {
            (&["-algorithm", "ED25519"], EncodingKey::from_ed_pem)
        };
        let (private, _) = key_pair(folder.path(), options);
        let pem = std::fs::read(private).expect("the key");
        let key = read(&pem);
        Self { kid: kid.to_owned(), algorithm, key: key.expect("a key"), pem }
    }

    /// Its public key in the form of a key set.
    pub fn jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.key, self.algorithm).expect("a public key");
        let mut jwk = serde_json::to_value(jwk).expect("JSON");
        jwk["kid"] = json!(self.kid);
        jwk
    }

    /// Writes its private key in PEM into a file.
    pub fn write_private_key(&self, path: &Path) {
        std::fs::write(path, &self.pem).expect("written");
    }

    /// A token with these claims that is valid for an hour and names its key.
    pub fn token(&self, claims: Value) -> String {
        self.token_named(Some(&self.kid), claims)
    }

    /// A token that names this key, or none.
    pub fn token_named(&self, kid: Option<&str>, mut claims: Value) -> String {
        claims["exp"] = json!(now() + 3_600);
        let mut header = Header::new(self.algorithm);
        header.kid = kid.map(str::to_owned);
        jsonwebtoken::encode(&header, &claims, &self.key).expect("a token")
    }
}

/// A key set with these keys.
pub fn key_set(keys: &[&Signer]) -> String {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() }).to_string()
}

/// A private and a public key of this kind, which openssl writes into this folder.
pub fn key_pair(folder: &Path, kind: &[&str]) -> (std::path::PathBuf, std::path::PathBuf) {
    let (private, public) = (folder.join("private.pem"), folder.join("public.pem"));
    let run = |arguments: &[&str]| {
        let done = Command::new("openssl").args(arguments).output().expect("openssl is installed");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let text = |path: &Path| path.to_str().expect("a plain path").to_owned();
    let (private_text, public_text) = (text(&private), text(&public));
    run(&[&["genpkey", "-out", &private_text], kind].concat());
    run(&["pkey", "-in", &private_text, "-pubout", "-out", &public_text]);
    (private, public)
}
