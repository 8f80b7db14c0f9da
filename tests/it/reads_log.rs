//! Who was shown personal data can be told afterwards.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::support::keys::{SECRET, token};
use super::support::sending::Sending;
use super::support::{Delivery, Hub, hub_with};

fn bearer(sub: &str, role: &str) -> String {
    format!("Bearer {}", token(json!({ "sub": sub, "role": role })))
}

fn reads(hub: &Hub, query: &str) -> Vec<Value> {
    let answer =
        hub.get_with(&format!("/api/umbler/reads{query}"), &[("authorization", &bearer("root", "admin"))]);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["reads"].as_array().expect("a list").clone()
}

#[test]
fn whoever_was_shown_a_chat_a_search_or_a_channel_is_noted_and_what_was_searched_for_is_not() {
    let mut hub = hub_with(&[("JWT_SECRET", SECRET)]);
    for chat in ["a", "b"] {
        hub.provider().says(chat, "segredo");
    }
    let bia = bearer("bia", "agent");
    for path in [
        "/chats/a",
        "/chats?limit=1",
        "/contacts/contact-of-b",
        "/messages?chatId=b",
        "/search?q=segredo",
        "/stats",
    ] {
        assert_eq!(
            hub.get_with(&format!("/api/umbler{path}"), &[("authorization", &bia)]).status,
            200,
            "{path}"
        );
    }
    hub.get_with("/api/umbler/chats/nothing", &[("authorization", &bia)]).refuses(404, "not_found");
    let mut screen = hub.screen().signed_in(&token(json!({ "sub": "caio", "role": "agent" })));
    screen = screen.watching(&["chat:a", "updates"]);
    screen.snapshot();

    let of_bia = reads(&hub, "?user=bia");
    let told: Vec<(&str, &Value, &Value, &Value)> = of_bia
        .iter()
        .rev()
        .map(|read| {
            (read["route"].as_str().expect("a route"), &read["chatId"], &read["contactId"], &read["count"])
        })
        .collect();
    assert_eq!(
        told,
        [
            ("/api/umbler/chats/{id}", &json!("a"), &Value::Null, &json!(1)),
            ("/api/umbler/chats", &Value::Null, &Value::Null, &json!(1)),
            ("/api/umbler/contacts/{id}", &Value::Null, &json!("contact-of-b"), &json!(1)),
            ("/api/umbler/messages", &json!("b"), &Value::Null, &json!(1)),
            ("/api/umbler/search", &Value::Null, &Value::Null, &json!(1)),
        ]
    );
    assert!(of_bia.iter().all(|read| read["role"] == "agent"));
    let of_caio: Vec<String> =
        reads(&hub, "?user=caio").iter().map(|read| read["route"].to_string()).collect();
    assert_eq!(
        of_caio,
        ["\"/ws request_umbler_data\"", "\"/ws subscribe_updates\"", "\"/ws subscribe_updates\""]
    );
    let of_chat: Vec<Value> = reads(&hub, "?chatId=a").iter().map(|read| read["user"].clone()).collect();
    assert_eq!(of_chat, [json!("caio"), json!("bia")]);

    let file = hub.home().join("hub.db.reads");
    assert_eq!(std::fs::metadata(&file).expect("the log").permissions().mode() & 0o777, 0o600);
    hub.stop();
    for name in ["hub.db.reads", "hub.db.reads-wal"] {
        let bytes = std::fs::read(hub.home().join(name)).unwrap_or_default();
        assert!(!bytes.windows(7).any(|part| part == b"segredo"), "{name}");
    }
}

#[test]
fn whoever_follows_a_chat_by_an_event_stream_is_noted_with_the_chat() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    hub.provider().says("a", "oi");
    let bia = bearer("bia", "agent");
    let path = "/api/umbler/stream?channels=chat:a,contact:contact-of-a,updates,stats&chats=3";
    let opened =
        hub.agent().get(hub.url(path)).header("authorization", &bia).call().expect("the hub answers");
    assert_eq!(opened.status(), 200);
    let told: Vec<Value> = reads(&hub, "?user=bia")
        .iter()
        .rev()
        .map(|read| json!([read["route"], read["chatId"], read["contactId"], read["count"]]))
        .collect();
    let route = "/api/umbler/stream";
    assert_eq!(
        told,
        [
            json!([route, "a", null, 1]),
            json!([route, null, "contact-of-a", 1]),
            json!([route, null, null, 1]),
            json!([route, null, null, 103]),
        ]
    );
}

#[test]
fn notes_of_reads_that_are_too_old_go_at_the_start_although_nobody_reads() {
    let mut hub = hub_with(&[("RETAIN_READS", "30")]);
    hub.provider().says("a", "oi");
    hub.json("/api/umbler/chats/a");
    hub.json("/api/umbler/contacts/contact-of-a");
    assert_eq!(reads(&hub, "").len(), 2);
    hub.stop();
    let log = rusqlite::Connection::open(hub.home().join("hub.db.reads")).expect("the log");
    let day = 86_400_000_000_000_i64;
    log.execute("UPDATE reads SET at = at - 31 * ?1 WHERE chat_id IS NOT NULL", [day]).expect("older");
    drop(log);
    let hub = hub.started_again();
    let left: Vec<Value> = reads(&hub, "").iter().map(|read| read["contactId"].clone()).collect();
    assert_eq!(left, [json!("contact-of-a")]);
}

#[test]
fn the_log_of_reads_is_read_page_by_page_and_by_admins_alone() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    hub.provider().says("a", "oi");
    let bia = bearer("bia", "agent");
    for _ in 0..5 {
        hub.get_with("/api/umbler/chats/a", &[("authorization", &bia)]);
    }
    hub.get_with("/api/umbler/reads", &[("authorization", &bia)]).refuses(403, "forbidden");
    let root = bearer("root", "admin");
    let page = |more: &str| {
        hub.get_with(&format!("/api/umbler/reads?user=bia&limit=2{more}"), &[("authorization", &root)]).json()
    };
    let (mut counts, mut more) = (Vec::new(), String::new());
    loop {
        let answer = page(&more);
        counts.push(answer["reads"].as_array().expect("a list").len());
        let Some(before) = answer["nextBefore"].as_i64() else { break };
        more = format!("&before={before}");
    }
    assert_eq!(counts, [2, 2, 1]);
    assert_eq!(reads(&hub, "?user=bia&until=2020-01-01T00:00:00Z").len(), 0);
}

#[test]
fn a_hub_that_is_to_note_nothing_keeps_no_log_of_reads() {
    let hub = hub_with(&[("RETAIN_READS", "0")]);
    hub.provider().says("a", "oi");
    hub.json("/api/umbler/chats/a");
    assert_eq!(hub.json("/api/umbler/reads")["reads"], json!([]));
    assert!(!hub.home().join("hub.db.reads").exists());
}

#[test]
fn whoever_was_shown_a_file_a_sent_message_a_raw_delivery_or_what_is_behind_a_number_is_noted() {
    let sending = Sending::new(&[]);
    sending.chat("maria", 60);
    let sent = sending.sends("maria", "segredo");
    sending.becomes(&sent, &["sent"]);
    let hub = &sending.hub;
    let file = json!({ "Url": "https://files.example/f", "OriginalName": "f.pdf", "ContentType": "application/pdf" });
    hub.provider().posts(&Delivery::message("joao").message_id("with-file").message_field("File", file));
    let odd = json!({ "EventId": "odd", "Type": "ChatRated", "Payload": { "who": "segredo" } });
    let seq = hub.provider().post(odd.to_string()).json()["seq"].to_string();
    let today = "from=2026-03-02T03:00:00Z&until=2026-03-03T03:00:00Z";
    let behind = format!("/metrics/summary?{today}&metric=replyTime&explain=true");
    for (path, status) in [
        ("/messages/with-file/file", 302),
        ("/messages/with-file/file?format=json", 200),
        (&*format!("/outbox/{sent}"), 200),
        (&*format!("/webhook/undecodable/{seq}"), 200),
        (&*behind, 200),
        (&*format!("/metrics/summary?{today}"), 200),
        ("/webhook/status", 200),
    ] {
        let answer = hub.get(&format!("/api/umbler{path}"));
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
    let noted = hub.json("/api/umbler/reads");
    let told: Vec<(&str, Option<&str>)> = noted["reads"]
        .as_array()
        .expect("a list")
        .iter()
        .rev()
        .map(|read| (read["route"].as_str().expect("a route"), read["chatId"].as_str()))
        .filter(|(route, _)| !route.starts_with("/ws"))
        .collect();
    assert_eq!(
        told[told.len() - 5..],
        [
            ("/api/umbler/messages/{id}/file", Some("joao")),
            ("/api/umbler/messages/{id}/file", Some("joao")),
            ("/api/umbler/outbox/{id}", Some("maria")),
            ("/api/umbler/webhook/undecodable/{id}", None),
            ("/api/umbler/metrics/summary", None),
        ]
    );
}
