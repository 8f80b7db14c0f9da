//! Keys made for one test run, and tokens signed with them.

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use serde_json::{Value, json};

/// A secret of the least length that is taken.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A token of this secret that says this; `exp` is added where it is missing.
pub fn token_with(secret: &str, mut claims: Value) -> String {
    if claims.get("exp").is_none() {
        claims["exp"] = json!(now() + 3_600);
    }
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("a token")
}

/// A token of [`SECRET`].
pub fn token(claims: Value) -> String {
    token_with(SECRET, claims)
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a test is a place where wall time comes from")]
pub fn now() -> i64 {
    Timestamp::now().as_second()
}

/// A private and a public key of this kind, made by openssl into this folder.
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
