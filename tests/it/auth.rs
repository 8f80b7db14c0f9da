//! Who may speak, over REST and on the socket.

use serde_json::json;

use super::support::hub::command;
use super::support::keys::{SECRET, key_pair, now, token, token_with};
use super::support::{Hub, Screen, hub_with};

fn guarded() -> Hub {
    hub_with(&[("JWT_SECRET", SECRET)])
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn where_a_key_is_set_every_question_wants_a_token_and_the_rest_is_open() {
    let hub = guarded();
    let good = bearer(&token(json!({ "sub": "ana" })));
    for path in [
        "/stats",
        "/contacts",
        "/contacts/x",
        "/contacts/x/chats",
        "/chats",
        "/chats/x",
        "/chats/x/messages",
        "/messages",
        "/updates",
        "/webhook/status",
    ] {
        let path = format!("/api/umbler{path}");
        let refused = hub.get(&path);
        refused.refuses(401, "unauthorized");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        let status = hub.get_with(&path, &[("authorization", &good)]).status;
        assert!(status == 200 || status == 404 && path.contains("/x"), "{path}: {status}");
    }
    for path in ["/health", "/health/live", "/health/ready", "/", "/console", "/api/openapi.json", "/metrics"]
    {
        assert_eq!(hub.get(path).status, 200, "{path}");
    }
    hub.provider().says("a", "the webhook has its own secret");
}

#[test]
fn a_token_counts_only_if_all_of_it_holds() {
    let hub = guarded();
    let stats = |token: &str| hub.get_with("/api/umbler/stats", &[("authorization", &bearer(token))]);
    let good = json!({ "sub": "ana" });
    assert_eq!(stats(&token(good.clone())).status, 200);
    for (claims, named) in [
        (json!({}), "sub"),
        (json!({ "sub": "" }), "sub"),
        (json!({ "sub": "ana", "exp": now() - 31 }), "has expired"),
        (json!({ "sub": "ana", "nbf": now() + 60 }), "not valid yet"),
        (json!({ "sub": "ana", "role": "emperor" }), "role"),
        (json!({ "sub": "ana", "sectors": "all" }), "right types"),
        (json!({ "sub": "ana", "sectors": [7] }), "right types"),
    ] {
        let error = stats(&token(claims.clone())).refuses(401, "unauthorized");
        assert!(error["message"].as_str().expect("text").contains(named), "{claims}: {error}");
    }
    for allowed in [
        json!({ "sub": "ana", "exp": now() - 20 }),
        json!({ "sub": "ana", "nbf": now() + 20, "sectors": null }),
    ] {
        assert_eq!(stats(&token(allowed)).status, 200, "within the leeway");
    }
    let other_key = token_with("another-secret-another-secret-an", good.clone());
    for wrong in ["", "nonsense", "a.b.c", &other_key, &"x".repeat(9_000)] {
        stats(wrong).refuses(401, "unauthorized");
    }
    // The header must not choose the algorithm: neither none at all, nor another one of the same key.
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", token(good.clone()).split('.').nth(1).expect("claims"));
    stats(&unsigned).refuses(401, "unauthorized");
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS512);
    let longer =
        jsonwebtoken::encode(&header, &json!({ "sub": "ana", "exp": now() + 60 }), &key).expect("a token");
    stats(&longer).refuses(401, "unauthorized");
    assert!(!hub.log().contains(&token(good)[..20]), "no token in the log");
}

#[test]
fn issuer_and_audience_are_checked_where_they_are_set() {
    let hub =
        hub_with(&[("JWT_SECRET", SECRET), ("JWT_ISSUER", "https://team.example"), ("JWT_AUDIENCE", "hub")]);
    let status =
        |claims| hub.get_with("/api/umbler/stats", &[("authorization", &bearer(&token(claims)))]).status;
    assert_eq!(status(json!({ "sub": "ana", "iss": "https://team.example", "aud": "hub" })), 200);
    assert_eq!(status(json!({ "sub": "ana", "iss": "https://team.example", "aud": ["x", "hub"] })), 200);
    assert_eq!(status(json!({ "sub": "ana", "iss": "https://team.example" })), 401);
    assert_eq!(status(json!({ "sub": "ana", "iss": "https://team.example", "aud": "x" })), 401);
    assert_eq!(status(json!({ "sub": "ana", "iss": "other", "aud": "hub" })), 401);
    assert_eq!(status(json!({ "sub": "ana", "aud": "hub" })), 401);
}

#[test]
fn a_public_key_of_each_kind_checks_the_tokens_of_its_private_one() {
    for kind in [
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"][..],
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["-algorithm", "ED25519"],
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let (private, public) = key_pair(folder.path(), kind);
        let hub = hub_with(&[("JWT_PUBLIC_KEY", public.to_str().expect("a plain path"))]);
        let minted = command(hub.home())
            .args(["token", "--sub", "ana", "--role", "agent", "--private-key"])
            .arg(&private)
            .output()
            .expect("the tool runs");
        assert!(minted.status.success(), "{}", String::from_utf8_lossy(&minted.stderr));
        let token = String::from_utf8(minted.stdout).expect("text");
        let stats = |token: &str| hub.get_with("/api/umbler/stats", &[("authorization", &bearer(token))]);
        assert_eq!(stats(token.trim()).status, 200, "{kind:?}");
        // A public key is public: it must not count as a secret.
        let public_text = std::fs::read_to_string(&public).expect("the key");
        stats(&token_with(&public_text, json!({ "sub": "eve" }))).refuses(401, "unauthorized");
    }
}

#[test]
fn the_command_line_makes_a_token_that_the_hub_accepts() {
    let hub = guarded();
    let minted = command(hub.home())
        .env("JWT_SECRET", SECRET)
        .args(["token", "--sub", "ana", "--name", "Ana Lima", "--role", "supervisor", "--hours", "1"])
        .output()
        .expect("the tool runs");
    let token = String::from_utf8(minted.stdout).expect("text");
    let mut screen = hub.screen();
    screen.says("authenticate", json!({ "token": token.trim() }));
    let authenticated = screen.hears("authenticated");
    assert_eq!(authenticated["user"], json!({ "id": "ana", "name": "Ana Lima", "role": "supervisor" }));
    let without = command(hub.home()).args(["token", "--sub", "ana"]).output().expect("the tool runs");
    assert_eq!(without.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&without.stderr).contains("JWT_SECRET is not set"));
}

#[test]
fn before_signing_in_only_authenticate_and_ping_are_served() {
    let hub = guarded();
    let mut screen = hub.screen();
    assert_eq!(screen.welcome["authRequired"], true);
    for event in ["request_umbler_data", "subscribe_updates", "unsubscribe_updates"] {
        screen.says(event, json!({}));
        screen.hears_error("unauthorized");
    }
    screen.says("ping", json!({}));
    screen.hears("pong");
    hub.provider().says("a", "not for strangers");
    assert!(screen.catches_up().is_empty());
    let expires_at = now() + 600;
    screen.says("authenticate", json!({ "token": token(json!({ "sub": "ana", "exp": expires_at })) }));
    let authenticated = screen.hears("authenticated");
    assert_eq!(authenticated["user"], json!({ "id": "ana", "name": null, "role": "viewer" }));
    let said: jiff::Timestamp =
        authenticated["expiresAt"].as_str().expect("a moment").parse().expect("RFC 3339");
    assert_eq!(said.as_second(), expires_at);
    let mut screen = screen.watching(&["updates"]);
    hub.provider().says("a", "for ana");
    screen.hears_update("new_message");
}

#[test]
fn three_bad_tokens_close_the_socket() {
    let hub = guarded();
    let mut screen = hub.screen();
    for _ in 0..3 {
        screen.says("authenticate", json!({ "token": "nonsense" }));
        screen.hears_error("unauthorized");
    }
    assert_eq!(screen.is_closed_with(), 4501);
}

#[test]
fn who_does_not_sign_in_within_ten_seconds_is_closed() {
    let hub = guarded();
    assert_eq!(hub.screen().is_closed_with(), 4002);
}

#[test]
fn a_token_that_ends_closes_the_socket_after_the_leeway() {
    let hub = guarded();
    let mut screen = hub.screen().signed_in(&token(json!({ "sub": "ana", "exp": now() - 25 })));
    screen.hears_error("token_expired");
    assert_eq!(screen.is_closed_with(), 4003);
}

#[test]
fn a_new_token_of_the_same_user_keeps_the_socket_and_another_users_changes_nothing() {
    let hub = guarded();
    let mut screen =
        hub.screen().signed_in(&token(json!({ "sub": "ana", "exp": now() - 26 }))).watching(&["updates"]);
    screen.says("authenticate", json!({ "token": token(json!({ "sub": "eve" })) }));
    screen.hears_error("forbidden");
    screen.says("authenticate", json!({ "token": token(json!({ "sub": "ana" })) }));
    screen.hears("authenticated");
    // The old token would have ended before a later one; another socket's end proves that they have passed.
    let mut other = hub.screen().signed_in(&token(json!({ "sub": "eve", "exp": now() - 25 })));
    other.hears_error("token_expired");
    assert_eq!(other.is_closed_with(), 4003);
    hub.provider().says("a", "still here");
    screen.hears_update("new_message");
}

#[test]
fn another_users_own_channel_is_forbidden_except_to_admins() {
    let hub = guarded();
    let mut agent = hub.screen().signed_in(&token(json!({ "sub": "ana", "role": "agent" })));
    agent.says("subscribe_updates", json!({ "channels": ["user:ana"] }));
    agent.hears("subscribed");
    agent.says("subscribe_updates", json!({ "channels": ["updates", "user:eve"] }));
    agent.hears_error("forbidden");
    let mut admin = hub.screen().signed_in(&token(json!({ "sub": "root", "role": "admin" })));
    admin.says("subscribe_updates", json!({ "channels": ["user:eve"] }));
    admin.hears("subscribed");
}

#[test]
fn equal_claims_are_one_scope_and_others_another() {
    let hub = guarded();
    let scope = |claims| {
        let mut screen: Screen = hub.screen().signed_in(&token(claims));
        screen.says("subscribe_updates", json!({}));
        screen.hears("subscribed")["scope"].clone()
    };
    let ana = scope(json!({ "sub": "ana", "role": "agent", "sectors": ["a", "b"] }));
    assert_eq!(ana, scope(json!({ "sub": "eve", "role": "agent", "sectors": ["b", "a"] })));
    assert_ne!(ana, scope(json!({ "sub": "ana", "role": "agent", "sectors": ["a"] })));
    assert_ne!(ana, scope(json!({ "sub": "ana", "role": "viewer", "sectors": ["a", "b"] })));
}

#[test]
fn metrics_are_for_admins_and_for_the_same_machine() {
    let hub = guarded();
    assert_eq!(hub.get("/metrics").status, 200, "asked from loopback");
    let through_a_proxy = |token: Option<String>| {
        let mut headers = vec![("x-forwarded-for", "203.0.113.7".to_owned())];
        headers.extend(token.map(|token| ("authorization", bearer(&token))));
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        hub.get_with("/metrics", &headers)
    };
    through_a_proxy(None).refuses(401, "unauthorized");
    through_a_proxy(Some(token(json!({ "sub": "ana", "role": "supervisor" })))).refuses(403, "forbidden");
    assert_eq!(through_a_proxy(Some(token(json!({ "sub": "root", "role": "admin" })))).status, 200);
}
