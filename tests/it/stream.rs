//! The event stream, for networks that let no WebSocket through: the same envelopes, recovered the same way.

use std::io::{BufRead, BufReader, Read};

use serde_json::{Value, json};

use super::support::boards::Held;
use super::support::keys::{SECRET, now, token};
use super::support::{Hub, PATIENCE, hub_with, spawn_hub};

/// What clocks may differ, as the contract says.
const LEEWAY_SECONDS: i64 = 30;

/// One stream, read event by event.
pub struct Stream {
    lines: BufReader<Box<dyn Read>>,
    pub last_id: Option<String>,
}

impl Stream {
    pub fn open(hub: &Hub, query: &str, headers: &[(&str, &str)]) -> Self {
        let mut request = hub.agent().get(hub.url(&format!("/api/umbler/stream{query}")));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // A stream lives as long as its test, which reads when it wants to.
        let request = request.config().timeout_global(Some(PATIENCE * 6)).build();
        let response = request.call().expect("the hub answers");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { lines: BufReader::new(Box::new(response.into_body().into_reader())), last_id: None }
    }

    /// The next envelope; `None` at the end. Heartbeats come when they come and are left out.
    pub fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.lines.read_line(&mut line).expect("the stream is text") == 0 {
                return None;
            }
            if let Some(id) = line.strip_prefix("id: ") {
                self.last_id = Some(id.trim().to_owned());
            }
            if let Some(data) = line.strip_prefix("data: ") {
                let envelope: Value = serde_json::from_str(data).expect("an envelope");
                if envelope["event"] != "heartbeat" {
                    return Some(envelope);
                }
            }
        }
    }

    fn hears(&mut self, event: &str) -> Value {
        let envelope = self.next().expect("the stream goes on");
        assert_eq!(envelope["event"], event, "{envelope}");
        envelope
    }
}

#[test]
fn a_stream_brings_the_snapshot_and_then_what_the_socket_brings() {
    let hub = spawn_hub();
    hub.provider().says("a", "before");
    let mut socket = hub.screen().watching(&["updates"]);
    let mut stream = Stream::open(&hub, "?contacts=1", &[]);
    let greeting = stream.hears("connection_established");
    assert_eq!(
        (&greeting["data"]["protocol"], &greeting["data"]["authRequired"]),
        (&json!(1), &json!(false))
    );
    let subscribed = stream.hears("subscribed");
    assert_eq!(
        (&subscribed["data"]["recovered"], &subscribed["data"]["reason"]),
        (&json!(false), &json!("no_position"))
    );
    let snapshot = stream.hears("umbler_data");
    assert_eq!(
        (&snapshot["data"]["seq"], snapshot["data"]["chats"].as_array().map(Vec::len)),
        (&json!(1), Some(1))
    );
    hub.provider().says("a", "live");
    assert_eq!(stream.hears("umbler_update"), socket.hears_update("new_message"));
    let epoch = subscribed["data"]["epoch"].as_str().expect("an epoch");
    assert_eq!(stream.last_id, Some(format!("{epoch}:2")));
}

#[test]
fn a_stream_that_comes_back_with_its_last_event_misses_nothing() {
    let hub = spawn_hub();
    let mut stream = Stream::open(&hub, "?channels=chat:a,chat:b", &[]);
    for event in ["connection_established", "subscribed", "umbler_data"] {
        stream.hears(event);
    }
    hub.provider().says("a", "1");
    stream.hears("umbler_update");
    let last = stream.last_id.take().expect("an id");
    drop(stream);
    for chat in ["b", "c", "a"] {
        hub.provider().says(chat, "while it was away");
    }
    let hub = hub.restarted();
    let mut stream = Stream::open(&hub, "?channels=chat:a,chat:b", &[("last-event-id", &last)]);
    stream.hears("connection_established");
    let subscribed = stream.hears("subscribed");
    assert_eq!(
        (&subscribed["data"]["recovered"], &subscribed["data"]["replayed"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(stream.hears("umbler_update")["seq"], 2);
    assert_eq!(stream.hears("umbler_update")["seq"], 4);
    hub.provider().says("b", "live");
    assert_eq!(stream.hears("umbler_update")["seq"], 5);
}

#[test]
fn a_stream_wants_a_token_and_right_parameters() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    hub.get("/api/umbler/stream").refuses(401, "unauthorized");
    let bearer = format!("Bearer {}", token(json!({ "sub": "bia" })));
    let refused = |query: &str, extra: &[(&str, &str)]| {
        let headers: Vec<(&str, &str)> =
            [("authorization", bearer.as_str())].iter().chain(extra).copied().collect();
        hub.get_with(&format!("/api/umbler/stream{query}"), &headers)
    };
    for (query, parameter) in [
        ("?channels=x", "channels"),
        ("?since=1", "epoch"),
        ("?since=-1&epoch=e", "since"),
        ("?chats=201", "chats"),
        ("?token=x", "token"),
    ] {
        assert_eq!(refused(query, &[]).refuses(400, "bad_parameter")["parameter"], parameter, "{query}");
    }
    let error = refused("", &[("last-event-id", "nonsense")]).refuses(400, "bad_parameter");
    assert_eq!(error["parameter"], "Last-Event-ID");
    refused("?channels=user:caio", &[]).refuses(403, "forbidden");
    refused("", &[("origin", "https://evil.example")]).refuses(403, "forbidden");
    let mut stream = Stream::open(&hub, "?channels=user:bia", &[("authorization", &bearer)]);
    assert_eq!(stream.hears("connection_established")["data"]["authRequired"], true);
    assert_eq!(stream.hears("authenticated")["data"]["user"]["id"], "bia");
    stream.hears("subscribed");
}

#[test]
fn a_stream_ends_with_its_token_and_is_told_so() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    // Over, but for what clocks may differ: such a token is taken, and counts for a few seconds more.
    let all_but_over =
        |sub: &str| format!("Bearer {}", token(json!({ "sub": sub, "exp": now() - LEEWAY_SECONDS + 12 })));
    let mut stream = Stream::open(&hub, "", &[("authorization", &all_but_over("ana"))]);
    let mut lasting =
        Stream::open(&hub, "", &[("authorization", &format!("Bearer {}", token(json!({ "sub": "bia" }))))]);
    let heard: Vec<Value> = std::iter::from_fn(|| stream.next()).collect();
    let ends: Vec<&Value> = heard.iter().rev().take(2).map(|envelope| &envelope["data"]["code"]).collect();
    assert_eq!(ends, [&json!(4003), &json!("token_expired")], "{heard:?}");
    for event in ["connection_established", "authenticated", "subscribed", "umbler_data"] {
        lasting.hears(event);
    }
    hub.provider().says("a", "later");
    assert_eq!(lasting.hears("umbler_update")["seq"], 1, "another one goes on");
}

#[test]
fn a_stream_is_told_why_it_ends() {
    let mut hub = hub_with(&[("MAX_SESSIONS", "1")]);
    let mut first = Stream::open(&hub, "", &[]);
    first.hears("connection_established");
    let mut second = Stream::open(&hub, "", &[]);
    assert_eq!(second.hears("closed")["data"]["code"], 4502);
    assert!(second.next().is_none());
    for event in ["subscribed", "umbler_data"] {
        first.hears(event);
    }
    hub.terminate();
    let mut heard = Vec::new();
    while let Some(envelope) = first.next() {
        heard.push(envelope);
    }
    assert_eq!(heard.last().map(|last| &last["data"]["code"]), Some(&json!(4000)), "{heard:?}");
    assert!(hub.stop().success());
}

#[test]
fn a_stream_brings_boards_whole_and_then_what_changed() {
    let hub = spawn_hub();
    let mut stream = Stream::open(&hub, "?channels=metrics:live,metrics:tags", &[]);
    let mut held = Held::default();
    let mut reads_until = |open: i64| {
        while !held.0.contains_key("metrics:tags") || held.live("metrics:live", "", "open") != open {
            let envelope = stream.next().expect("the stream goes on");
            if envelope["event"] == "metrics_update" {
                held.takes(&envelope["data"]);
            }
        }
    };
    reads_until(0);
    hub.provider().says("a", "hello");
    reads_until(1);
    hub.provider().says("b", "hello");
    reads_until(2);
    assert_eq!(held.0["metrics:live"].whole, 1);
}

#[test]
fn a_stream_that_stops_reading_is_brought_up_to_date_when_it_reads_again() {
    let hub = hub_with(&[("UPDATES_IN_MEMORY", "4")]);
    let mut sleeper = Stream::open(&hub, "", &[]);
    for event in ["connection_established", "subscribed", "umbler_data"] {
        sleeper.hears(event);
    }
    let mut awake = hub.screen().watching(&["updates"]);
    // Until the kernel's buffers and the stream's queue are full, and then more than the hub keeps in memory: a few, because
    // one that reads nothing for 20 s is sent home.
    let text = "x".repeat(60_000);
    let is_behind = || hub.counter("umbler_hub_sessions_behind_total") > 0;
    let (mut count, mut left) = (0, 8);
    while left > 0 {
        hub.provider().says("a", &text);
        awake.hears_update("new_message");
        count += 1;
        left -= i64::from(is_behind());
    }
    hub.provider().says("a", "live again");
    let mut heard = Vec::new();
    while heard.last() != Some(&(count + 1)) {
        let envelope = sleeper.next().expect("the stream goes on");
        if envelope["event"] == "umbler_update" {
            heard.push(envelope["seq"].as_i64().expect("a position"));
        }
    }
    assert_eq!(heard, (1..=count + 1).collect::<Vec<_>>(), "each once");
}
