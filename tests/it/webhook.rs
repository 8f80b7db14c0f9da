//! What the provider is answered.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::support::keys::{SECRET, token};
use super::support::provider::Delivery;
use super::support::{Hub, PATIENCE, fixture, hub_with, spawn_hub};

#[test]
fn a_delivery_posted_twice_is_counted_once_even_with_another_body() {
    let hub = spawn_hub();
    let delivery = Delivery::message("a").text("first");
    let first = hub.provider().posts(&delivery);
    assert_eq!(first["status"], "accepted");
    assert_eq!(first["seq"], 1);
    let mut screen = hub.screen().watching(&["updates"]);
    let again = hub.provider().posts(&delivery.clone().text("second"));
    assert_eq!(again, json!({ "status": "duplicate", "eventId": delivery.id(), "seq": 1 }));
    assert!(screen.catches_up().is_empty(), "a duplicate is no update");
    assert_eq!(screen.snapshot()["stats"]["totalMessages"], 1);
    assert_eq!(screen.snapshot()["recentMessages"][0]["text"], "first");
}

#[test]
fn a_delivery_that_is_not_understood_is_kept_and_shown_with_the_reason() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["updates"]);
    for (body, part) in [
        (json!({ "EventId": "e1", "Type": "ChatRated", "Payload": {} }), "ChatRated"),
        (json!({ "EventId": "e2", "Type": "Message", "Payload": { "Content": null } }), "Payload.Content"),
        (
            json!({ "EventId": "e3", "Type": "Message", "Payload": { "Content": { "Id": 7 } } }),
            "Payload.Content.Id",
        ),
    ] {
        let answer = hub.provider().posts(&Delivery(body.clone()));
        assert_eq!(answer["status"], "accepted");
        assert!(answer["reason"].as_str().expect("a reason").contains(part), "{answer}");
        let update = screen.hears_update("unrecognized");
        assert_eq!(update["data"]["reason"], answer["reason"]);
        assert_eq!(update["data"]["changes"], json!(["unrecognized"]));
        let again = hub.provider().posts(&Delivery(body));
        assert_eq!(again["status"], "duplicate");
    }
}

#[test]
fn an_object_without_id_or_type_is_ignored_without_an_update() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["updates"]);
    for (body, event_id) in [
        (json!({}), Value::Null),
        (json!({ "Type": "Message" }), Value::Null),
        (json!({ "EventId": "" , "Type": "Message" }), Value::Null),
        (json!({ "EventId": "e" }), json!("e")),
    ] {
        let answer = hub.provider().posts(&Delivery(body));
        assert_eq!((&answer["status"], &answer["seq"]), (&json!("ignored"), &Value::Null), "{answer}");
        assert_eq!(answer["eventId"], event_id);
        assert!(answer["reason"].is_string());
    }
    hub.provider().says("a", "the fence");
    let update = screen.hears_update("new_message");
    assert_eq!(update["seq"], 1, "what is ignored takes no position");
}

#[test]
fn what_is_no_json_object_is_refused() {
    let hub = spawn_hub();
    for body in ["", "null", "[]", "7", "{", "{}{}", "event=ack"] {
        let error = hub.provider().post(body).refuses(400, "bad_request");
        assert!(
            error["message"].as_str().expect("text").starts_with("the body is not a JSON object"),
            "{error}"
        );
    }
    hub.provider().post(b"{\"a\":\"\xff\"}").refuses(400, "bad_request");
    assert_eq!(hub.json("/health")["seq"], 0);
}

#[test]
fn the_content_type_does_not_matter() {
    let hub = spawn_hub();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "nonsense"] {
        let body = Delivery::message("a").bytes();
        let answer = hub.provider().post_to("/api/umbler/webhook", &[("content-type", content_type)], body);
        assert_eq!(answer.json()["status"], "accepted");
    }
}

#[test]
fn a_body_of_ten_mebibytes_is_taken_and_one_byte_more_is_not() {
    const LIMIT: usize = 10 * 1024 * 1024;
    let hub = spawn_hub();
    let empty = Delivery::message("a").message_field("File", json!({ "Data": "" })).bytes();
    let full = |bytes: usize| {
        let text = String::from_utf8(empty.clone()).expect("JSON is text");
        text.replace(r#""Data":"""#, &format!(r#""Data":"{}""#, "A".repeat(bytes - empty.len())))
    };
    assert_eq!(full(LIMIT).len(), LIMIT);
    assert_eq!(hub.provider().post(full(LIMIT)).json()["status"], "accepted");
    hub.provider().post(full(LIMIT + 1)).refuses(413, "body_too_large");
    assert_eq!(hub.json("/health")["seq"], 1);
}

#[test]
fn an_encoded_body_is_refused_clearly() {
    let hub = spawn_hub();
    let answer = hub.provider().post_to(
        "/api/umbler/webhook",
        &[("content-encoding", "gzip")],
        fixture("15_new_chat.json"),
    );
    answer.refuses(415, "unsupported_encoding");
}

/// Sends a head that announces a body, and a part of the body; what comes back.
fn half_a_request(hub: &Hub, head: &str, part: &[u8]) -> String {
    let mut stream = TcpStream::connect(hub.address()).expect("the hub listens");
    stream.set_read_timeout(Some(PATIENCE * 2)).expect("a timeout");
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(part).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the hub answers and closes");
    answer
}

#[test]
fn a_body_slower_than_twenty_seconds_is_ended() {
    let hub = spawn_hub();
    let head = format!(
        "POST /api/umbler/webhook HTTP/1.1\r\nhost: {}\r\ncontent-length: 100\r\n\r\n",
        hub.address()
    );
    let answer = half_a_request(&hub, &head, b"{\"EventId\":");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains(r#""code":"body_timeout""#), "{answer}");
}

#[test]
fn the_webhook_secret_is_asked_for_in_either_place() {
    let secret = "a-secret-of-the-webhook";
    let hub = hub_with(&[("WEBHOOK_SECRET", secret)]);
    let post = |path: &str, headers: &[(&str, &str)]| {
        hub.provider().post_to(path, headers, Delivery::message("a").bytes())
    };
    post("/api/umbler/webhook", &[]).refuses(401, "unauthorized");
    post("/api/umbler/webhook?token=wrong", &[]).refuses(401, "unauthorized");
    post("/api/umbler/webhook?token=", &[]).refuses(401, "unauthorized");
    post("/api/umbler/webhook", &[("authorization", "Bearer wrong")]).refuses(401, "unauthorized");
    assert_eq!(hub.json("/health")["seq"], 0);
    assert_eq!(post(&format!("/api/umbler/webhook?token={secret}"), &[]).status, 200);
    assert_eq!(post("/api/umbler/webhook", &[("authorization", &format!("Bearer {secret}"))]).status, 200);
    assert!(!hub.log().contains(secret), "no secret in the log: {}", hub.log());
    assert!(hub.log().contains("POST /api/umbler/webhook 200"), "{}", hub.log());
}

#[test]
fn the_webhook_is_never_rate_limited() {
    let hub = hub_with(&[("RATE_LIMIT_REST_PER_SECOND", "1"), ("RATE_LIMIT_CONNECTS_PER_SECOND", "1")]);
    for _ in 0..50 {
        hub.provider().says("a", "hello");
    }
    assert_eq!(hub.json("/health")["seq"], 50);
}

#[test]
fn every_deliverer_of_the_same_event_at_once_gets_the_same_position() {
    let hub = spawn_hub();
    let deliveries: Vec<Delivery> = (0..20).map(|_| Delivery::message("a")).collect();
    let address = hub.address();
    let seqs: Vec<Vec<Value>> = std::thread::scope(|scope| {
        let post_all = || {
            let agent = ureq::agent();
            let post = |delivery: &Delivery| {
                let url = format!("http://{address}/api/umbler/webhook");
                let mut answer = agent.post(url).send(&delivery.bytes()).expect("the hub answers");
                answer.body_mut().read_json::<Value>().expect("JSON")["seq"].clone()
            };
            deliveries.iter().map(post).collect()
        };
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(post_all)).collect();
        threads.into_iter().map(|thread| thread.join().expect("posted")).collect()
    });
    assert!(seqs.iter().all(|of_one| *of_one == seqs[0]), "{seqs:?}");
    assert_eq!(hub.json("/health")["seq"], 20);
}

#[test]
fn an_admin_sees_what_a_delivery_held_that_was_not_understood_and_nobody_else_does() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let body = r#"{ "EventId": "odd", "Type": "ChatRated", "Payload": { "Words": "bom dia, é urgente" } }"#;
    let seq = hub.provider().post(body).json()["seq"].as_i64().expect("a position");
    let understood = hub.provider().says("a", "hello")["seq"].as_i64().expect("a position");
    let bearer = |role: &str| format!("Bearer {}", token(json!({ "sub": role, "role": role })));
    let asks = |seq: i64, role: &str| {
        let path = format!("/api/umbler/webhook/undecodable/{seq}");
        hub.get_with(&path, &[("authorization", &bearer(role))])
    };
    let found = asks(seq, "admin").json();
    assert_eq!((&found["body"], &found["bytes"]), (&json!(body), &json!(body.len())));
    assert!(found["reason"].as_str().expect("a reason").contains("ChatRated"));
    for role in ["supervisor", "agent", "viewer"] {
        asks(seq, role).refuses(403, "forbidden");
    }
    for unknown in [understood, 99, -1] {
        asks(unknown, "admin").refuses(404, "not_found");
    }
    // A long one is cut, and says how long it is.
    let long = json!({ "EventId": "long", "Type": "ChatRated", "Payload": "x".repeat(300_000) }).to_string();
    let seq = hub.provider().post(long.as_str()).json()["seq"].as_i64().expect("a position");
    let found = asks(seq, "admin").json();
    assert_eq!(found["body"].as_str().expect("a text").len(), 256 * 1024);
    assert_eq!(found["bytes"], long.len());
}
