//! No token and no secret in any log, however much is logged.

use serde_json::json;

use super::support::hub::Answer;
use super::support::keys::{SECRET, now, token, token_with};
use super::support::{Delivery, Screen, hub_with};

const WEBHOOK_SECRET: &str = "a-secret-of-the-webhook";
const OTHER_SECRET: &str = "another-secret-another-secret-an";

#[test]
fn the_log_of_a_whole_run_at_trace_level_holds_no_token_and_no_secret() {
    holds_no_token_and_no_secret("text", " TRACE ");
}

#[test]
fn a_log_of_json_at_trace_level_holds_no_token_and_no_secret_either() {
    holds_no_token_and_no_secret("json", r#""level":"TRACE""#);
}

fn holds_no_token_and_no_secret(format: &str, trace: &str) {
    let hub = hub_with(&[
        ("JWT_SECRET", SECRET),
        ("WEBHOOK_SECRET", WEBHOOK_SECRET),
        ("RUST_LOG", "trace"),
        ("LOG_FORMAT", format),
    ]);
    let good = token(json!({ "sub": "ana", "iat": now() - 100 }));
    let admin = token(json!({ "sub": "root", "role": "admin", "iat": now() }));
    let forged = token_with(OTHER_SECRET, json!({ "sub": "eve" }));
    let expired = token(json!({ "sub": "ana", "exp": now() - 100 }));
    let odd = token(json!({ "sub": "ana", "role": "emperor", "sectors": 7 }));
    let tokens = [&good, &admin, &forged, &expired, &odd];

    for token in tokens {
        let authorization = format!("Bearer {token}");
        hub.get_with("/api/umbler/stats", &[("authorization", &authorization)]);
        hub.get_with("/metrics", &[("authorization", &authorization), ("x-forwarded-for", "10.0.0.1")]);
        // What a careless developer tries.
        hub.get(&format!("/api/umbler/stats?token={token}"));
        hub.get(&format!("/nowhere?access_token={token}"));
        drop(Screen::connect_with(&hub, &[("authorization", &authorization)]));
        let mut screen = hub.screen();
        screen.says("authenticate", json!({ "token": token }));
        screen.hears_anything();
        screen.sends(&format!(r#"{{"event":"{token}"}}"#));
        screen.sends(&format!(r#"{{"event":"authenticate","data":{{"jwt":"{token}"}}}}"#));
        screen.sends(&format!(r#"{{"token":"{token}""#));
        screen.catches_up();
    }
    let webhook = |path: &str, headers: &[(&str, &str)]| -> Answer {
        hub.provider().post_to(path, headers, Delivery::message("a").bytes())
    };
    let path = format!("/api/umbler/webhook?token={WEBHOOK_SECRET}");
    assert_eq!(webhook(&path, &[]).status, 200);
    let authorization = format!("Bearer {WEBHOOK_SECRET}");
    assert_eq!(webhook("/api/umbler/webhook", &[("authorization", &authorization)]).status, 200);
    webhook(&format!("/api/umbler/webhook?token={forged}"), &[]).refuses(401, "unauthorized");
    webhook(&path, &[("content-encoding", "gzip")]).refuses(415, "unsupported_encoding");
    let admins = format!("Bearer {admin}");
    let json = [("authorization", admins.as_str()), ("content-type", "application/json")];
    let mut open = hub.screen().signed_in(&good);
    assert_eq!(hub.provider().post_to("/api/umbler/revocations", &json, r#"{"user":"ana"}"#).status, 200);
    assert_eq!(open.is_closed_with(), 4500);

    let log = hub.log();
    assert!(log.contains(trace) && log.contains("GET /api/umbler/stats 200"), "the run was logged: {log}");
    assert!(log.contains("POST /api/umbler/webhook 200"), "{log}");
    for secret in [SECRET, WEBHOOK_SECRET, OTHER_SECRET] {
        assert!(!log.contains(secret), "{}", line_with(&log, secret));
    }
    for token in tokens {
        // The header is the same for all; claims and signature are what nobody may see.
        for part in token.split('.').skip(1) {
            assert!(!log.contains(part), "{}", line_with(&log, part));
        }
    }
}

fn line_with<'a>(log: &'a str, text: &str) -> &'a str {
    log.lines().find(|line| line.contains(text)).unwrap_or_default()
}
