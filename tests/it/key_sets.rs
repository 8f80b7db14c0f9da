//! Keys in a file that changes: `JWT_JWKS_FILE`.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::faults::{can_trace, skip};
use super::support::hub::{command, start_through};
use super::support::keys::{Signer, key_set, token_with};
use super::support::{Hub, PATIENCE, hub_with};

/// A hub that reads its keys from a file of this folder.
struct Keyed {
    hub: Hub,
    folder: TempDir,
}

impl Keyed {
    fn new(keys: &[&Signer]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.json");
        std::fs::write(&path, key_set(keys)).expect("written");
        let hub = hub_with(&[("JWT_JWKS_FILE", path.to_str().expect("a plain path"))]);
        Self { hub, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    /// Replaces the file as careful writers do: whole, or not at all.
    fn publishes(&self, content: &str) {
        let fresh = self.folder.path().join("fresh.json");
        std::fs::write(&fresh, content).expect("written");
        std::fs::rename(&fresh, self.path()).expect("replaced");
    }

    fn status(&self, token: &str) -> u16 {
        let answer = self.hub.get_with("/api/umbler/stats", &[("authorization", &format!("Bearer {token}"))]);
        answer.status
    }

    fn keys_in_health(&self) -> String {
        self.hub.json("/health")["signInKeys"].as_str().expect("a word").to_owned()
    }
}

fn ana() -> Value {
    json!({ "sub": "ana" })
}

#[test]
fn each_token_is_checked_with_the_key_that_it_names() {
    let signers = [
        Signer::new(Algorithm::RS256, "r"),
        Signer::new(Algorithm::ES256, "e"),
        Signer::new(Algorithm::EdDSA, "d"),
    ];
    let keyed = Keyed::new(&signers.iter().collect::<Vec<_>>());
    for signer in &signers {
        assert_eq!(keyed.status(&signer.token(ana())), 200);
        let mut screen = keyed.hub.screen().signed_in(&signer.token(ana()));
        screen.says("ping", json!({}));
        screen.hears("pong");
    }
    assert_eq!(keyed.keys_in_health(), "ok");
    // Another's name, no name among several, a name that nobody has, and a name that would be a path.
    for kid in [Some("e"), None, Some("x"), Some("../keys")] {
        assert_eq!(keyed.status(&signers[0].token_named(kid, ana())), 401, "{kid:?}");
    }
    // The public key is public: it must not count as a shared secret, whatever the header says.
    let public = signers[0].jwk()["n"].as_str().expect("a modulus").to_owned();
    assert_eq!(keyed.status(&token_with(&public, ana())), 401);
    // The right name with a key of the same kind that is not in the set.
    let stranger = Signer::new(Algorithm::EdDSA, "d");
    assert_eq!(keyed.status(&stranger.token(ana())), 401);
}

#[test]
fn the_only_key_needs_no_name() {
    let signer = Signer::new(Algorithm::ES256, "e");
    let keyed = Keyed::new(&[&signer]);
    assert_eq!(keyed.status(&signer.token_named(None, ana())), 200);
    assert_eq!(keyed.status(&signer.token_named(Some("other"), ana())), 401, "a name must be right");
}

#[test]
fn a_new_key_counts_from_its_first_token_and_an_old_one_ends_without_a_restart() {
    let (old, new) = (Signer::new(Algorithm::EdDSA, "old"), Signer::new(Algorithm::EdDSA, "new"));
    let keyed = Keyed::new(&[&old]);
    let mut open = keyed.hub.screen().signed_in(&old.token(ana()));
    keyed.publishes(&key_set(&[&old, &new]));
    assert_eq!(keyed.status(&new.token(ana())), 200, "an unknown name makes the hub look at once");
    assert_eq!(keyed.status(&old.token(ana())), 200, "both count while tokens change over");
    keyed.publishes(&key_set(&[&new]));
    // No token says that a key has gone: the hub looks every two seconds.
    while keyed.status(&old.token(ana())) == 200 {}
    assert_eq!(keyed.status(&new.token(ana())), 200);
    open.says("ping", json!({}));
    open.hears("pong");
}

#[test]
fn a_broken_file_changes_nothing_but_what_health_says() {
    let signer = Signer::new(Algorithm::EdDSA, "a");
    let keyed = Keyed::new(&[&signer]);
    keyed.publishes("{ \"keys\": [");
    while keyed.keys_in_health() == "ok" {}
    assert!(
        keyed.keys_in_health().starts_with("stale: the file is not valid JSON"),
        "{}",
        keyed.keys_in_health()
    );
    assert!(keyed.hub.get("/metrics").text.contains("umbler_hub_sign_in_keys_stale 1"));
    assert_eq!(keyed.status(&signer.token(ana())), 200);
    assert_eq!(keyed.status(&signer.token_named(Some("x"), ana())), 401);
    assert_eq!(keyed.status(&signer.token(ana())), 200, "still, after an unknown name made it look");
    assert_eq!(keyed.hub.log().matches("stay as they were").count(), 1, "said once: {}", keyed.hub.log());
    let next = Signer::new(Algorithm::EdDSA, "b");
    keyed.publishes(&key_set(&[&next]));
    while keyed.keys_in_health() != "ok" {}
    assert_eq!(keyed.status(&next.token(ana())), 200);
    assert!(keyed.hub.get("/metrics").text.contains("umbler_hub_sign_in_keys_stale 0"));
}

#[test]
fn a_file_without_a_key_that_counts_is_an_error_at_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    std::fs::write(&path, r#"{"keys":[{"kty":"oct","kid":"s","k":"c2VjcmV0"}]}"#).expect("written");
    let output = command(folder.path()).env("JWT_JWKS_FILE", &path).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("JWT_JWKS_FILE: the file has no key") && said.contains("JWT_SECRET"), "{said}");
    assert!(!said.contains("c2VjcmV0"), "{said}");
}

#[test]
fn the_command_line_names_the_key_of_the_token_that_it_makes() {
    let signer = Signer::new(Algorithm::EdDSA, "team-1");
    let keyed = Keyed::new(&[&signer, &Signer::new(Algorithm::EdDSA, "team-2")]);
    let private = keyed.folder.path().join("private.pem");
    signer.write_private_key(&private);
    let mint = |kid: &[&str]| minted(&keyed.hub, &private, kid);
    assert_eq!(keyed.status(&mint(&["--kid", "team-1"])), 200);
    assert_eq!(keyed.status(&mint(&[])), 401);
}

fn minted(hub: &Hub, private: &Path, kid: &[&str]) -> String {
    let output = command(hub.home())
        .args(["token", "--sub", "ana", "--private-key"])
        .arg(private)
        .args(kid)
        .output()
        .expect("the tool runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn strangers_cannot_make_the_hub_read_its_file_without_end() {
    let signer = Signer::new(Algorithm::EdDSA, "a");
    let keyed = Keyed::new(&[&signer]);
    // Each answer is a refusal; what they cost is bounded by the unit test of the file.
    for number in 0..200 {
        assert_eq!(keyed.status(&signer.token_named(Some(&number.to_string()), ana())), 401);
    }
    assert_eq!(keyed.status(&signer.token(ana())), 200);
}

#[test]
fn health_answers_although_the_disk_of_the_file_does_not() {
    if !can_trace() {
        return skip("strace is not installed, or may not trace");
    }
    let (home, signer) = (tempfile::tempdir().expect("a folder"), Signer::new(Algorithm::EdDSA, "a"));
    let at = |name: &str| home.path().join(name).to_str().expect("a plain path").to_owned();
    let [keys, fresh, good, slow, trace] = ["keys", "fresh", "good", "slow", "trace"].map(at);
    for file in [&good, &slow] {
        std::fs::write(file, key_set(&[&signer])).expect("written");
    }
    // A link to the file, as mounted secrets are.
    symlink(&good, &keys).expect("a link");
    let hang = "inject=read:delay_enter=20000000";
    let launcher =
        ["strace", "-D", "-f", "-qq", "-o", &trace, "-P", &slow, "-e", "trace=statx,read", "-e", hang];
    let hub = start_through(&launcher, home, &[("JWT_JWKS_FILE", &keys)]);
    symlink(&slow, &fresh).expect("a link");
    std::fs::rename(&fresh, &keys).expect("replaced");
    let traced = || std::fs::read_to_string(&trace).expect("a trace");
    let begun = Instant::now();
    // The open file is looked at, and then it is read.
    while !traced().contains("statx") {
        assert!(begun.elapsed() < PATIENCE, "the hub does not look at its file");
        std::thread::yield_now();
    }
    for _ in 0..20 {
        assert_eq!(hub.json("/health")["status"], "ok");
    }
    // A call that is not over may be in the trace already, but without its result.
    let is_read = |line: &str| line.contains("read") && line.contains(" = ");
    assert!(!traced().lines().any(is_read), "the disk answered before health did: {}", traced());
}
