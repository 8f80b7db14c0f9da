//! Limits, each tried at its limit: of one socket, of one user, of one address, and of a request's time and depth.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::hub::start_through;
use super::support::keys::{SECRET, token};
use super::support::raw::{RawSocket, frame, handshake, header};
use super::support::{Delivery, Hub, PATIENCE, Screen, hub_with, spawn_hub};

fn of(sub: &str) -> String {
    token(json!({ "sub": sub }))
}

fn guarded(settings: &[(&str, &str)]) -> Hub {
    hub_with(&[&[("JWT_SECRET", SECRET)], settings].concat())
}

#[test]
fn a_user_has_as_many_sessions_as_the_limit_and_others_have_theirs() {
    let hub = guarded(&[("MAX_SESSIONS_PER_USER", "2")]);
    let first = hub.screen().signed_in(&of("ana"));
    let mut second = hub.screen().signed_in(&of("ana"));
    let mut third = hub.screen();
    third.says("authenticate", json!({ "token": of("ana") }));
    assert_eq!(third.is_closed_with(), 4502);
    let _other = hub.screen().signed_in(&of("eve"));
    second.says("authenticate", json!({ "token": of("ana") }));
    second.hears("authenticated");
    drop(first);
    while hub.json("/health")["sessions"] != 2 {}
    // The place is free. Coming and going has a limit of its own, told as something that passes.
    loop {
        let mut fourth = hub.screen();
        fourth.says("authenticate", json!({ "token": of("ana") }));
        let answer = fourth.hears_anything();
        if answer["event"] == "authenticated" {
            break;
        }
        assert_eq!(answer["data"]["code"], "too_many_requests", "{answer}");
    }
}

#[test]
fn a_user_who_signs_in_again_and_again_is_told_to_slow_down() {
    let hub = guarded(&[("MAX_SESSIONS_PER_USER", "3")]);
    let comes_and_goes = |sub: &str| {
        let mut screen = hub.screen();
        screen.says("authenticate", json!({ "token": of(sub) }));
        screen.hears_anything()
    };
    // As many at once as a user may have, then one in a while: on a slow machine many come before one is refused.
    let begun = Instant::now();
    let mut admitted = 0;
    let refused = loop {
        assert!(begun.elapsed() < PATIENCE, "nobody is refused");
        let answer = comes_and_goes("ana");
        while hub.json("/health")["sessions"] != 0 {}
        if answer["event"] == "error" {
            break answer;
        }
        admitted += 1;
    };
    assert!(admitted >= 3, "{admitted}");
    assert_eq!(
        (&refused["data"]["code"], &refused["data"]["temporary"]),
        (&json!("too_many_requests"), &json!(true))
    );
    assert_eq!(comes_and_goes("eve")["event"], "authenticated");
}

#[test]
fn a_user_follows_as_many_channels_as_the_limit_over_all_sessions() {
    let hub = guarded(&[]);
    let channels =
        |from: usize, count: usize| (from..from + count).map(|n| format!("chat:{n}")).collect::<Vec<_>>();
    let mut screens: Vec<Screen> = (0..10).map(|_| hub.screen().signed_in(&of("ana"))).collect();
    for screen in &mut screens {
        for from in [0, 100] {
            screen.says("subscribe_updates", json!({ "channels": channels(from, 100) }));
            screen.hears("subscribed");
        }
    }
    let mut one_more = hub.screen().signed_in(&of("ana"));
    one_more.says("subscribe_updates", json!({ "channels": ["chat:0"] }));
    assert_eq!(one_more.hears_error("too_many_requests")["temporary"], true);
    // What is followed already is no more; another user has a limit of their own; what is let go makes room.
    screens[0].says("subscribe_updates", json!({ "channels": ["chat:7"] }));
    screens[0].hears("subscribed");
    hub.screen().signed_in(&of("eve")).watching(&["chat:0"]);
    screens[0].says("unsubscribe_updates", json!({ "channels": ["chat:7"] }));
    screens[0].hears("unsubscribed");
    one_more.says("subscribe_updates", json!({ "channels": ["chat:0"] }));
    one_more.hears("subscribed");
    hub.provider().says("0", "heard");
    one_more.hears_update("new_message");
}

#[test]
fn a_user_sends_as_many_frames_as_the_limit_over_all_sessions() {
    let hub = guarded(&[]);
    let mut refused = 0;
    let mut screens: Vec<Screen> = (0..10).map(|_| hub.screen().signed_in(&of("ana"))).collect();
    // Each session keeps its own limit of a hundred at once; together they are double the user's. All are sent before any
    // answer is read, so that they come together on a slow machine too.
    for screen in &mut screens {
        for _ in 0..90 {
            screen.sends(r#"{"event":"ping"}"#);
        }
    }
    for screen in &mut screens {
        for _ in 0..90 {
            let heard = screen.hears_anything();
            if heard["event"] == "error" {
                let message = heard["data"]["message"].as_str().expect("text");
                assert!(
                    heard["data"]["code"] == "too_many_requests" && message.contains("of a user"),
                    "{heard}"
                );
                refused += 1;
                break;
            }
        }
    }
    assert!(refused > 0);
    let mut other = hub.screen().signed_in(&of("eve"));
    other.says("ping", json!({}));
    other.hears("pong");
}

#[test]
fn frames_of_every_kind_count_against_the_limit_of_a_socket() {
    let hub = spawn_hub();
    for (what, flood) in [
        ("pings", frame(0x89, b"")),
        ("pongs", frame(0x8a, b"")),
        ("binary frames", frame(0x82, b"x")),
        ("fragments", frame(0x00, b"")),
    ] {
        let mut socket = RawSocket::upgraded(&hub);
        if what == "fragments" {
            socket.sends(&frame(0x01, b""));
        }
        // A hundred at once are allowed; fifty refusals in a row close, or a thousand that are only temporary.
        socket.sends(&flood.repeat(1_500));
        let mut errors = Vec::new();
        let code = loop {
            let heard = socket.frame().unwrap_or_else(|| panic!("{what}: the end without a close"));
            match heard.first {
                0x88 => break u16::from_be_bytes([heard.payload[0], heard.payload[1]]),
                0x81 => errors.push(serde_json::from_slice::<Value>(&heard.payload).expect("JSON")),
                _ => {}
            }
        };
        assert_eq!(code, 4503, "{what}");
        let last = errors.last().expect("refusals");
        let refusals = if what == "binary frames" { 50 } else { 1_000 };
        assert_eq!(errors.len(), refusals, "{what}: {last}");
    }
}

#[test]
fn a_message_whose_pieces_come_too_fast_is_left_out_whole() {
    let hub = spawn_hub();
    let mut socket = RawSocket::upgraded(&hub);
    let mut flood = frame(0x81, br#"{"event":"ping","id":1}"#).repeat(99);
    flood.extend(frame(0x01, br#"{"event":"#));
    // One of these is the hundred and first.
    for _ in 0..5 {
        flood.extend(frame(0x00, b""));
    }
    flood.extend(frame(0x80, br#""ping","id":"torn"}"#));
    socket.sends(&flood);
    socket.sends(&frame(0x88, b""));
    let (mut refused, mut answered, mut torn) = (false, false, 0);
    while let Some(heard) = socket.frame().filter(|heard| heard.first != 0x88) {
        let envelope: Value = serde_json::from_slice(&heard.payload).expect("JSON");
        refused |= envelope["data"]["code"] == "too_many_requests";
        answered |= envelope["id"] == "torn";
        torn += usize::from(envelope["data"]["code"] == "bad_envelope");
    }
    assert_eq!(torn, 0);
    // Where the machine is so slow that none came too fast, the message is whole and answered.
    assert!(refused != answered, "refused {refused}, answered {answered}");
}

#[test]
fn an_announced_tebibyte_takes_no_memory() {
    // The hub has less memory than these send: if it kept that, it would end.
    let home = tempfile::tempdir().expect("a folder");
    let hub = start_through(&["prlimit", "--data=268435456"], home, &[]);
    let mut sockets: Vec<RawSocket> = (0..8).map(|_| RawSocket::upgraded(&hub)).collect();
    let chunk = vec![0; 64 * 1024];
    for socket in &mut sockets {
        socket.sends(&[header(0x81, 1 << 40, true), vec![1, 2, 3, 4]].concat());
        // As much of it as the hub takes, 64 MiB at most.
        for _ in 0..1_024 {
            if socket.tries_to_send(&chunk).is_err() {
                break;
            }
        }
    }
    hub.screen();
    // One that is read while it is told hears why.
    let mut socket = RawSocket::upgraded(&hub);
    socket.sends(&[header(0x82, 1 << 40, true), vec![1, 2, 3, 4]].concat());
    assert_eq!(socket.is_closed(), Some(1009));
}

#[test]
fn json_that_nests_without_end_is_an_error_and_no_crash() {
    let hub = spawn_hub();
    let nested =
        |open: &str, close: &str, depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let mut screen = hub.screen();
    for data in
        [nested("[", "]", 30_000), nested(r#"{"a":"#, "}", 9_000).replace(":}", ":1}"), "[".repeat(60_000)]
    {
        screen.sends(&format!(r#"{{"event":"subscribe_updates","data":{data}}}"#));
        screen.hears_error("bad_envelope");
    }
    screen.sends(&format!(r#"{{"event":"ping","data":{}}}"#, nested("[", "]", 31)));
    screen.hears("pong");
    screen.sends(&format!(r#"{{"event":"ping","data":{}}}"#, nested("[", "]", 32)));
    screen.hears_error("bad_envelope");

    let deep = nested("[", "]", 4_000_000);
    hub.provider().post(&deep).refuses(400, "bad_request");
    hub.provider().post(&deep[..deep.len() / 2]).refuses(400, "bad_request");
    for body in [
        format!(r#"{{"EventId":"deep-1","Type":"Message","Payload":{deep}}}"#),
        format!(r#"{{"EventId":"deep-2","Type":"Message","Payload":{{"Content":{deep}}}}}"#),
    ] {
        let answer = hub.provider().post(body).json();
        assert_eq!(answer["status"], "accepted");
        assert!(answer["reason"].is_string(), "{answer}");
    }
    let odd_field =
        Delivery::message("a").chat_field("Odd", json!("HERE")).0.to_string().replace("\"HERE\"", &deep);
    let answer = hub.provider().post(odd_field).json();
    assert_eq!((&answer["status"], &answer["reason"]), (&json!("accepted"), &Value::Null));
    assert_eq!(hub.json("/health")["status"], "ok");
}

#[test]
fn a_body_that_trickles_is_ended_although_it_never_stops() {
    let hub = hub_with(&[("REQUEST_BODY_SECONDS", "1")]);
    let mut socket = RawSocket::connect(&hub);
    let address = hub.address();
    socket.sends(
        format!("POST /api/umbler/webhook HTTP/1.1\r\nhost: {address}\r\ncontent-length: 1000000\r\n\r\n")
            .as_bytes(),
    );
    let begun = Instant::now();
    while !socket.has_spoken_within(Duration::from_millis(50)) {
        socket.sends(b" ");
        assert!(begun.elapsed() < PATIENCE, "the trickle goes on");
    }
    let answer = socket.rest();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("body_timeout"), "{answer}");
}

#[test]
fn a_head_that_does_not_end_is_ended() {
    let hub = hub_with(&[("REQUEST_HEAD_SECONDS", "1")]);
    let head = handshake(&hub, &[]);
    let unfinished = &head[..head.len() - 2];
    for start in ["", "GET /ws HT", unfinished] {
        let mut socket = RawSocket::connect(&hub);
        socket.sends(start.as_bytes());
        let begun = Instant::now();
        // One more header whenever the hub has been silent for a moment.
        while !socket.has_spoken_within(Duration::from_millis(50)) {
            if start == unfinished {
                socket.sends(b"x: y\r\n");
            }
            assert!(begun.elapsed() < PATIENCE, "{start:?} is waited for");
        }
        let answer = socket.rest();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    hub.screen();
}

#[test]
fn an_address_holds_as_many_connections_as_the_limit_however_idle_they_are() {
    let hub = hub_with(&[("MAX_SESSIONS_PER_ADDRESS", "1")]);
    let live = |socket: &mut RawSocket| socket.asks("GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n");
    let mut sockets: Vec<RawSocket> = (0..1_001).map(|_| RawSocket::connect(&hub)).collect();
    for socket in &mut sockets {
        assert!(live(socket).starts_with("HTTP/1.1 200 "));
        // Half a second head: actix has no time limit for it, so their number must have one.
        socket.sends(b"GET /hea");
    }
    let mut one_more = RawSocket::connect(&hub);
    assert_eq!(one_more.rest(), "", "it is ended without a word");
    sockets.pop();
    // The place is free once the hub has noticed.
    let begun = Instant::now();
    loop {
        let mut socket = RawSocket::connect(&hub);
        socket.sends(b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        if socket.rest().starts_with("HTTP/1.1 200 ") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the place is not given back");
    }
}
