//! Alerts that are posted to another system: signed, in order, again until they are taken, and after a kill too.

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use umbler_hub::facade::testing::clock;

use super::support::hub::command;
use super::support::receiver::{Posted, Receiver};
use super::support::{Delivery, Hub, PATIENCE, hub_with};

const SECRET: &str = "a secret of enough bytes";

pub fn hub_that_posts_to(receiver: &Receiver) -> Hub {
    let url = format!("http://{}/alerts", receiver.address());
    hub_with(&[("ALERT_WEBHOOK_URL", &url), ("ALERT_WEBHOOK_SECRET", SECRET)])
}

/// A customer who has been waiting for long enough to raise one alert.
pub fn waits(hub: &Hub, chat: &str) {
    let at = format!("{:.3}", clock::now() - jiff::SignedDuration::from_secs(100));
    let question = Delivery::message(chat).message_field("EventAtUTC", json!(at));
    hub.provider().posts(&question.set("/EventDate", json!(at)));
}

pub fn only_waiting(hub: &Hub) {
    let default = json!({
        "waitingWarnSeconds": null, "waitingSeconds": 60, "idleSeconds": null,
        "firstResponseNearSeconds": null, "firstResponseSeconds": null, "windowClosingSeconds": null,
    });
    let body = json!({ "businessHours": {}, "thresholds": { "default": default } });
    assert_eq!(hub.put("/api/umbler/settings", &[], &body).status, 200);
}

/// The update, whose signature must hold.
fn checked(posted: &Posted) -> Value {
    let header = |name: &str| posted.headers[name].clone();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signed = format!("{}.{}", header("x-umbler-hub-timestamp"), posted.body);
    let signature = header("x-umbler-hub-signature");
    let digits = signature.strip_prefix("v1=").expect("a version");
    let bytes: Vec<u8> = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits"))
        .collect();
    hmac::verify(&key, signed.as_bytes(), &bytes).expect("the signature holds");
    let seconds: i64 = header("x-umbler-hub-timestamp").parse().expect("a number");
    let age = clock::now().as_second() - seconds;
    assert!((0..=PATIENCE.as_secs().cast_signed()).contains(&age), "signed {age} s ago");
    let update: Value = serde_json::from_str(&posted.body).expect("JSON");
    assert_eq!(header("x-umbler-hub-seq"), update["seq"].to_string());
    update
}

#[test]
fn what_happens_to_alerts_is_posted_signed_and_again_until_it_is_taken() {
    let receiver = Receiver::new();
    let hub = hub_that_posts_to(&receiver);
    only_waiting(&hub);
    let mut screen = hub.screen().watching(&["updates"]);
    waits(&hub, "a");
    screen.hears_update("new_message");
    let told = screen.hears_update("alert_raised");
    for status in [500, 302, 404] {
        let posted = receiver.hears();
        assert_eq!(checked(&posted), told, "the same as on the socket");
        posted.answers(status);
    }
    // Nobody waits for a receiver that does not answer.
    let slow = receiver.hears();
    assert_eq!(checked(&slow), told);
    waits(&hub, "b");
    screen.hears_update("new_message");
    let next = screen.hears_update("alert_raised");
    slow.answers_if_awaited(204);
    // On a slow machine the hub has given up waiting, and posts it once more.
    let posted = loop {
        let posted = receiver.hears();
        if checked(&posted) != told {
            break posted;
        }
        posted.answers(200);
    };
    assert_eq!(checked(&posted), next, "one after the other");
    posted.answers(200);
}

#[test]
fn a_kill_loses_no_post_and_repeats_none_that_was_noted() {
    let receiver = Receiver::new();
    let hub = hub_that_posts_to(&receiver);
    only_waiting(&hub);
    let of = |posted: &Posted| checked(posted)["data"]["alert"]["chatId"].clone();
    waits(&hub, "a");
    receiver.hears().answers(200);
    waits(&hub, "b");
    // That b is posted proves that a was noted.
    let posted = receiver.hears();
    assert_eq!(of(&posted), "b");
    let hub = hub.restarted();
    drop(posted);
    let posted = receiver.hears();
    assert_eq!(of(&posted), "b", "and not a");
    posted.answers(200);
    waits(&hub, "c");
    let posted = receiver.hears();
    assert_eq!(of(&posted), "c");
    posted.answers(200);
}

#[test]
fn an_address_without_a_good_secret_is_an_error_at_start() {
    let home = tempfile::tempdir().expect("a folder");
    let says = |url: &str, secret: &str| {
        let mut command = command(home.path());
        command.arg("check").env("ALERT_WEBHOOK_URL", url).env("ALERT_WEBHOOK_SECRET", secret);
        let output = command.output().expect("the binary runs");
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.success(), text)
    };
    for (url, secret, named) in [
        ("https://x.example/", "", "ALERT_WEBHOOK_SECRET"),
        ("https://x.example/", "short", "ALERT_WEBHOOK_SECRET"),
        ("ftp://x.example/", SECRET, "ALERT_WEBHOOK_URL"),
        ("x.example", SECRET, "ALERT_WEBHOOK_URL"),
    ] {
        let (fine, text) = says(url, secret);
        assert!(!fine && text.contains(named), "{url} {secret}: {text}");
    }
    let (fine, text) = says("https://x.example/", SECRET);
    assert!(fine && !text.contains(SECRET), "{text}");
}
