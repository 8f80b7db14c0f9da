//! What an operator sees of a hub at work: the lines of its log, the ids of requests, how fresh its screens are.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use umbler_hub::facade::testing::clock;

use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, hub_with, spawn_hub};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// A line that somebody would like to see in the log.
const FORGED: &str = "[2026-03-02T13:00:00Z INFO  access] forged";
/// The same behind whatever some reader takes for the end of a line.
const HOSTILE: &str = "ana\n[2026-03-02T13:00:00Z INFO  access] forged\r\n{\"target\":\"forged\"}\u{85}\u{2028}\u{9b}2J\u{1b}[2J\0\" b";

/// The lines of a log of JSON.
fn lines_of(hub: &Hub) -> Vec<Value> {
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
    hub.log().lines().map(read).collect()
}

/// The line of the access log about the request with this id.
fn access_line(hub: &Hub, request_id: &str) -> Value {
    let lines = lines_of(hub);
    lines.into_iter().find(|line| line["request_id"] == request_id).expect("a line")
}

#[test]
fn a_line_of_json_tells_who_asked_for_what_and_how_it_went() {
    let hub = hub_with(&[("LOG_FORMAT", "json"), ("JWT_SECRET", SECRET)]);
    let authorization = format!("Bearer {}", token(json!({ "sub": "ana" })));
    let headers = [
        ("authorization", authorization.as_str()),
        ("x-request-id", "asked-1"),
        ("traceparent", TRACEPARENT),
    ];
    let answer = hub.get_with("/api/umbler/chats/nobody?x=a-word-of-the-query", &headers);
    assert!([400, 404].contains(&answer.status), "{answer:?}");
    let mut line = access_line(&hub, "asked-1");
    let message = line["msg"].take();
    assert!(
        message.as_str().is_some_and(|text| text.contains(" GET /api/umbler/chats/nobody ")),
        "{message}"
    );
    assert!(line["ts"].take().as_str().is_some_and(|ts| ts.parse::<Timestamp>().is_ok()));
    assert!(line["ms"].take().is_number());
    assert_eq!(
        line,
        json!({
            "ts": null, "level": "INFO", "target": "access", "msg": null, "address": "127.0.0.1", "method": "GET",
            "route": "/api/umbler/chats/{id}", "path": "/api/umbler/chats/nobody", "status": answer.status,
            "bytes": answer.text.len(), "ms": null, "user": "ana", "request_id": "asked-1", "trace_id": TRACE,
        })
    );
    assert!(!hub.log().contains("a-word-of-the-query"));

    hub.get_with("/api/umbler/stats", &[("x-request-id", "nobody-1"), ("authorization", "Bearer forged")]);
    let line = access_line(&hub, "nobody-1");
    assert_eq!(
        (&line["status"], &line["user"], &line["trace_id"]),
        (&json!(401), &Value::Null, &Value::Null)
    );
    hub.get_with("/health", &[("x-request-id", "open-1")]);
    assert_eq!(access_line(&hub, "open-1")["user"], Value::Null, "where no token is needed");
}

#[test]
fn a_line_of_text_tells_who_asked() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let authorization = format!("Bearer {}", token(json!({ "sub": "ana b" })));
    let headers =
        [("authorization", authorization.as_str()), ("x-request-id", "7"), ("traceparent", TRACEPARENT)];
    assert_eq!(hub.get_with("/api/umbler/stats", &headers).status, 200);
    let log = hub.log();
    let line = log.lines().find(|line| line.contains("/api/umbler/stats")).expect("a line");
    assert!(line.contains(" INFO  access] 127.0.0.1 GET /api/umbler/stats 200 "), "{line}");
    assert!(line.ends_with(&format!(r#" user="ana b" request_id=7 trace_id={TRACE}"#)), "{line}");
}

#[test]
fn nobody_writes_a_line_of_their_own_into_the_log() {
    let authorization = format!("Bearer {}", token(json!({ "sub": HOSTILE })));
    let headers = [("authorization", authorization.as_str()), ("x-request-id", "h")];
    // At `trace` the log also holds what libraries make of a request.
    for (format, level) in [("text", "info"), ("text", "trace"), ("json", "info"), ("json", "trace")] {
        let hub = hub_with(&[("LOG_FORMAT", format), ("RUST_LOG", level), ("JWT_SECRET", SECRET)]);
        assert_eq!(hub.get_with("/api/umbler/stats", &headers).status, 200);
        let mut screen = hub.screen();
        screen.says(HOSTILE, json!({ "channels": [HOSTILE] }));
        screen.catches_up();
        hub.provider().posts(&Delivery::of_any_type(HOSTILE, HOSTILE).event_id(HOSTILE));
        let log = hub.log();
        let breaks = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
        assert!(!log.contains(breaks), "{format} {level}: {log}");
        if format == "json" {
            assert_eq!(access_line(&hub, "h")["user"], HOSTILE, "it is whole, and a value");
        } else {
            assert!(log.contains("user=\"ana\\n["), "{log}");
            for line in log.lines() {
                assert!(line.starts_with("[2") && !line.starts_with(FORGED), "{line}");
            }
        }
    }
}

#[test]
fn every_answer_carries_the_id_that_its_request_came_with_or_a_new_one() {
    let hub = hub_with(&[("WEBHOOK_SECRET", "a-secret-of-the-webhook")]);
    let id_of =
        |answer: &super::support::hub::Answer| answer.header("x-request-id").expect("an id").to_owned();
    for (path, status) in [("/", 200), ("/health", 200), ("/nothing", 404), ("/api/umbler/chats?x=1", 400)] {
        let answer = hub.get_with(path, &[("x-request-id", "mine/1")]);
        assert_eq!((answer.status, id_of(&answer).as_str()), (status, "mine/1"), "{path}");
        assert_ne!(id_of(&hub.get(path)), id_of(&hub.get(path)), "{path}: each has one of its own");
    }
    for odd in ["two words", &"x".repeat(129)] {
        let made = id_of(&hub.get_with("/health", &[("x-request-id", odd)]));
        assert!(made.parse::<u64>().is_ok(), "{odd}: {made}");
    }
    let page = [("origin", "http://localhost:5173")];
    let exposed = hub.get_with("/health", &page);
    let exposed = exposed.header("access-control-expose-headers").expect("names").to_lowercase();
    assert!(exposed.contains("x-request-id"), "a page may read it: {exposed}");
}

#[test]
fn a_delivery_is_found_by_the_trace_it_belongs_to_and_an_invalid_one_is_ignored() {
    let hub = hub_with(&[("LOG_FORMAT", "json")]);
    let post = |headers: &[(&str, &str)]| {
        let answer = hub.provider().post_to("/api/umbler/webhook", headers, Delivery::message("a").bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.header("x-request-id").expect("an id").to_owned()
    };
    assert_eq!(post(&[("traceparent", TRACEPARENT)]), TRACE);
    let line = access_line(&hub, TRACE);
    assert_eq!((&line["trace_id"], &line["route"]), (&json!(TRACE), &json!("/api/umbler/webhook")));
    for invalid in ["", "00-0-0-00", &TRACEPARENT.to_uppercase(), &format!("{TRACEPARENT}-more")] {
        let made = post(&[("traceparent", invalid)]);
        assert_eq!(access_line(&hub, &made)["trace_id"], Value::Null, "{invalid}");
    }
}

#[test]
fn each_new_delivery_is_measured_on_its_way_from_the_provider_to_the_screens() {
    let hub = hub_with(&[("WORKERS", "1")]);
    let mut screens = [hub.screen().watching(&["updates"]), hub.screen().watching(&["updates"])];
    let emitted = |minutes: i64| {
        let at = clock::now() - SignedDuration::from_mins(minutes);
        Delivery::message("a").set("/EventDate", json!(at.to_string()))
    };
    let (recent, late, ahead, repeated) = (emitted(5), emitted(120), emitted(-120), emitted(5));
    for delivery in [&recent, &recent, &late, &ahead] {
        hub.provider().posts(delivery);
    }
    let second_attempt = [("x-attempt", "2")];
    hub.provider().post_to("/api/umbler/webhook", &second_attempt, repeated.bytes());
    for screen in &mut screens {
        assert_eq!(screen.hears_updates_until(4), [1, 2, 3, 4]);
    }
    // The one worker wrote to the screens before it answers what comes next.
    for (row, count) in [
        ("freshness_provider_seconds_count", 2),
        (r#"freshness_provider_seconds_bucket{le="60"}"#, 1),
        (r#"freshness_provider_seconds_bucket{le="900"}"#, 2),
        ("freshness_store_seconds_count", 4),
        ("freshness_push_seconds_count", 4),
        (r#"freshness_exceptions_total{reason="late"}"#, 1),
        (r#"freshness_exceptions_total{reason="ahead"}"#, 1),
        (r#"freshness_exceptions_total{reason="repeated"}"#, 1),
    ] {
        assert_eq!(hub.counter(&format!("umbler_hub_{row}")), count, "{row}");
    }
}

#[test]
fn what_a_screen_catches_up_with_is_not_measured_as_fresh() {
    let hub = spawn_hub();
    hub.provider().says("a", "while nobody looks");
    let epoch = hub.json("/health")["epoch"].clone();
    let mut screen = hub.screen();
    screen.comes_back(&["updates"], 0, &epoch);
    assert_eq!(screen.hears_updates_until(1), [1]);
    assert_eq!(hub.counter("umbler_hub_freshness_push_seconds_count"), 0);
}
