//! Connecting a new hub to the provider: the secret of the webhook is shown until the first delivery, and a token never.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use umbler_hub::facade::testing::{ApiFault, TOKEN};

use super::support::api::{api, linked, rechecked};
use super::support::keys::{SECRET, token};
use super::support::sending::Sending;
use super::support::{Answer, Hub, PATIENCE, hub_with};

fn enters(hub: &Hub, token: &str) -> Answer {
    hub.put("/api/umbler/setup/token", &[], &json!({ "token": token }))
}

#[test]
fn a_token_that_an_admin_enters_starts_the_link_and_is_found_in_its_file_alone() {
    let api = api();
    let hub = hub_with(&[
        ("UMBLER_API_URL", &api.url()),
        ("UMBLER_RECONCILE_SECONDS", "86400"),
        ("RUST_LOG", "trace"),
    ]);
    assert_eq!(hub.json("/api/umbler/setup")["token"], json!(null));
    let error = enters(&hub, "another-token").refuses(400, "bad_parameter");
    assert!(!error.to_string().contains("another-token"), "{error}");
    for wrong in ["", "two words", &"x".repeat(5_000)] {
        enters(&hub, wrong).refuses(400, "bad_parameter");
    }
    assert_eq!(hub.json("/api/umbler/link")["state"], "off", "nothing was stored");

    assert_eq!(enters(&hub, TOKEN).json(), json!({ "started": true }));
    assert_eq!(rechecked(&hub)["state"], "ok");
    let file = hub.database().with_extension("db.umbler-token");
    assert_eq!(std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), TOKEN);
    for path in ["/api/umbler/setup", "/api/umbler/link", "/api/umbler/settings", "/metrics", "/health"] {
        assert!(!hub.get(path).text.contains(TOKEN), "{path}");
    }
    assert!(!hub.log().contains(TOKEN), "the token is in the log");

    let hub = hub.restarted();
    assert_eq!(hub.json("/api/umbler/setup")["token"], "stored");
    assert_eq!(rechecked(&hub)["state"], "ok", "and it is used again after a restart");
}

#[test]
fn a_token_that_an_admin_replaces_is_used_at_once() {
    let api = api();
    let hub = hub_with(&[("UMBLER_API_URL", &api.url()), ("UMBLER_RECONCILE_SECONDS", "86400")]);
    assert_eq!(enters(&hub, TOKEN).json(), json!({ "started": true }));
    assert_eq!(rechecked(&hub)["state"], "ok");
    // The first token expires, and its owner belongs to another organization.
    api.behave(|behavior| behavior.token = "the-second-token");
    assert_eq!(rechecked(&hub)["state"], "not_allowed");
    api.world(|world| world.organization = "another-organization".to_owned());
    assert_eq!(enters(&hub, "the-second-token").json(), json!({ "started": false }));
    // Nobody asks for a check: the new token is reason enough.
    let begun = std::time::Instant::now();
    while hub.json("/api/umbler/link")["state"] != "ok" {
        assert!(begun.elapsed() < PATIENCE, "{}", hub.json("/api/umbler/link"));
        std::thread::yield_now();
    }
    let file = hub.database().with_extension("db.umbler-token");
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "the-second-token");
}

#[test]
fn messages_are_sent_with_a_token_that_an_admin_entered_and_again_after_a_restart() {
    let sending = Sending::without_token();
    sending.chat("ana", 60);
    let error = sending.asks("ana", &json!({ "text": "too early" })).refuses(409, "sending_off");
    assert!(error["message"].as_str().expect("a text").contains("no token"), "{error}");
    let refused =
        |sending: &Sending| sending.hub.json("/api/umbler/chats/ana/outbox")["writing"]["refused"].clone();
    assert_eq!(refused(&sending), "sending_off");

    assert_eq!(enters(&sending.hub, TOKEN).json(), json!({ "started": true }));
    assert_eq!(refused(&sending), json!(null), "nobody has to restart the hub");
    sending.becomes(&sending.sends("ana", "Olá"), &["sent"]);

    let sending = sending.killed_and_started_again();
    sending.becomes(&sending.sends("ana", "Tudo bem?"), &["sent"]);
    let texts: Vec<String> = sending.api.sent().into_iter().map(|sent| sent.text).collect();
    assert_eq!(texts, ["Olá", "Tudo bem?"]);
}

#[test]
fn a_token_of_the_environment_wins_and_none_can_be_entered() {
    let api = api();
    let hub = linked(&api, &[]);
    assert_eq!(hub.json("/api/umbler/setup")["token"], "environment");
    enters(&hub, TOKEN).refuses(403, "forbidden");
}

#[test]
fn the_secret_of_the_webhook_is_shown_to_admins_until_the_first_delivery() {
    let secret = ("WEBHOOK_SECRET", "a secret of the webhook");
    let hub = hub_with(&[secret, ("JWT_SECRET", SECRET), ("UMBLER_WEBHOOK_URL", "https://hub.example/w")]);
    let asks = |role: &str| {
        let bearer = format!("Bearer {}", token(json!({ "sub": "x", "role": role })));
        hub.provider().post_to("/api/umbler/setup/webhook", &[("authorization", &bearer)], "")
    };
    asks("supervisor").refuses(403, "forbidden");
    let shown = json!({ "url": "https://hub.example/w", "path": "/api/umbler/webhook", "secret": secret.1 });
    assert_eq!(asks("admin").json(), shown);
    assert_eq!(asks("admin").json(), shown, "as often as needed");
    let path = "/api/umbler/webhook?token=a%20secret%20of%20the%20webhook";
    let delivery = r#"{"EventId":"first-event-0001","Type":"Message"}"#;
    assert_eq!(hub.provider().post_to(path, &[], delivery).status, 200);
    let error = asks("admin").refuses(403, "forbidden");
    assert!(!error.to_string().contains(secret.1), "{error}");
}

/// More than a worker has threads for what may take long.
const IMPATIENT_CLICKS: usize = 24;

#[test]
fn large_deliveries_are_taken_in_while_many_tokens_wait_for_an_api_that_does_not_answer() {
    let api = api();
    let hub =
        hub_with(&[("UMBLER_API_URL", &api.url()), ("UMBLER_RECONCILE_SECONDS", "86400"), ("WORKERS", "1")]);
    api.fail("members", &ApiFault::Slow(Duration::from_secs(9)), IMPATIENT_CLICKS);
    let is_first_answered = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(enters(&hub, TOKEN).json(), json!({ "started": true }));
            is_first_answered.store(true, Ordering::SeqCst);
        });
        while api.requests().is_empty() {
            std::thread::yield_now();
        }
        for _ in 0..IMPATIENT_CLICKS {
            scope.spawn(|| drop(enters(&hub, TOKEN)));
        }
        for number in 0..50 {
            hub.provider().says(&format!("chat-{number}"), &"x".repeat(100_000));
        }
        assert!(!is_first_answered.load(Ordering::SeqCst), "deliveries waited for the API");
    });
}
