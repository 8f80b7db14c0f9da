//! What a screen says and hears.

use std::io::Write;

use serde_json::{Value, json};
use tungstenite::{Bytes, Message};

use super::support::provider::Delivery;
use super::support::{Screen, hub_with, spawn_hub};

#[test]
fn a_screen_is_welcomed_with_what_it_needs_to_know() {
    let hub = spawn_hub();
    hub.provider().says("a", "hello");
    let welcome = hub.screen().welcome;
    let epoch = hub.json("/health")["epoch"].clone();
    let id = welcome["sessionId"].as_str().expect("an id").to_owned();
    assert_eq!(
        welcome,
        json!({ "sessionId": id, "protocol": 1, "epoch": epoch, "seq": 1, "heartbeatSeconds": 25, "authRequired": false, "organization": null })
    );
    assert_ne!(hub.screen().welcome["sessionId"], json!(id), "each session has its own");
}

#[test]
fn an_answer_carries_the_id_of_its_question() {
    let hub = spawn_hub();
    let mut screen = hub.screen();
    for (id, event, answer) in [
        (json!("a"), "ping", "pong"),
        (json!(7), "subscribe_updates", "subscribed"),
        (json!("b"), "unsubscribe_updates", "unsubscribed"),
        (json!("c"), "request_umbler_data", "umbler_data"),
        (json!("d"), "nonsense", "error"),
    ] {
        screen.sends(&json!({ "event": event, "id": id }).to_string());
        let heard = screen.hears_anything();
        assert_eq!((&heard["event"], &heard["id"]), (&json!(answer), &id), "{heard}");
    }
    screen.sends(r#"{"event":"authenticate","id":"e","data":{"token":"any"}}"#);
    assert_eq!(screen.hears_anything()["id"], "e");
}

#[test]
fn everybody_is_the_anonymous_admin_where_no_key_is_set() {
    let hub = spawn_hub();
    let mut screen = hub.screen();
    screen.says("authenticate", json!({ "token": "anything" }));
    let user = json!({ "id": "anonymous", "name": null, "role": "admin" });
    assert_eq!(screen.hears("authenticated"), json!({ "success": true, "user": user, "expiresAt": null }));
}

#[test]
fn a_wrong_frame_is_answered_with_what_is_wrong_and_the_session_lives_on() {
    let hub = spawn_hub();
    let mut screen = hub.screen();
    let deep = format!(r#"{{"event":"ping","data":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    for (frame, code) in [
        ("", "bad_envelope"),
        ("hello", "bad_envelope"),
        ("[]", "bad_envelope"),
        ("{}", "bad_envelope"),
        (r#"{"event":7}"#, "bad_envelope"),
        (r#"{"event":"ping","id":{"a":1}}"#, "bad_envelope"),
        (r#"{"event":"dance"}"#, "unsupported_event"),
        (r#"{"event":"umbler_update"}"#, "unsupported_event"),
        (r#"{"event":"request_umbler_data","data":{"contacts":201}}"#, "bad_request"),
        (r#"{"event":"request_umbler_data","data":{"contacts":-1}}"#, "bad_request"),
        (r#"{"event":"request_umbler_data","data":{"chats":"ten"}}"#, "bad_request"),
        (r#"{"event":"subscribe_updates","data":[]}"#, "bad_request"),
        (r#"{"event":"subscribe_updates","data":{"channels":"updates"}}"#, "bad_request"),
        (r#"{"event":"subscribe_updates","data":{"channels":["rooms"]}}"#, "bad_request"),
        (r#"{"event":"subscribe_updates","data":{"channels":["chat:"]}}"#, "bad_request"),
        (r#"{"event":"subscribe_updates","data":{"since":1}}"#, "bad_request"),
        (r#"{"event":"subscribe_updates","data":{"since":-1,"epoch":"e"}}"#, "bad_request"),
    ] {
        screen.sends(frame);
        let error = screen.hears_error(code);
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
        assert_eq!(error["temporary"], false);
    }
    screen.sends(&deep);
    screen.hears_error("bad_envelope");
    screen.send(Message::Binary(Bytes::from_static(b"{}")));
    screen.hears_error("bad_envelope");
    screen.says("ping", json!({}));
    screen.hears("pong");
}

#[test]
fn a_screen_hears_its_own_chat_and_no_other() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["chat:a"]);
    hub.provider().says("b", "not for this screen");
    hub.provider().says("a", "for this screen");
    // Order proves absence: had the first one come through, it would be heard here.
    let update = screen.hears_update("new_message");
    assert_eq!(update["data"]["chat"]["id"], "a");
    assert_eq!(update["seq"], 2);
}

#[test]
fn each_kind_of_channel_brings_what_belongs_to_it() {
    let hub = spawn_hub();
    let delivery = Delivery::message("a")
        .owner("bia")
        .chat_field("OrganizationMembers", json!([{ "Id": "bia" }]))
        .chat_field("Tags", json!([{ "Id": "vip", "Name": "VIP" }]))
        .chat_field("Sector", json!({ "Id": "sales", "Name": "Sales" }))
        .set("/Payload/Content/Channel/Id", json!("line-1"));
    let channels = [
        "updates",
        "chat:a",
        "contact:contact-of-a",
        "sector:sales",
        "member:bia",
        "channel:line-1",
        "tag:vip",
    ];
    let mut screens: Vec<Screen> = channels.iter().map(|channel| hub.screen().watching(&[channel])).collect();
    let mut elsewhere =
        hub.screen().watching(&["chat:b", "sector:support", "member:caio", "tag:other", "user:anonymous"]);
    hub.provider().posts(&delivery);
    for screen in &mut screens {
        assert_eq!(screen.hears_update("new_message")["seq"], 1);
    }
    assert!(elsewhere.catches_up().is_empty());
    // What a chat leaves hears of it; what it comes to, too.
    let mut left = hub.screen().watching(&["sector:sales"]);
    let mut entered = hub.screen().watching(&["sector:support"]);
    let moved = Delivery::of_type("ChatSectorChanged", "a")
        .chat_field("Sector", json!({ "Id": "support", "Name": "Support" }));
    hub.provider().posts(&moved);
    for screen in [&mut left, &mut entered] {
        let update = screen.hears_anything();
        assert!(
            update["data"]["changes"].as_array().expect("a list").contains(&json!("chat_sector_changed")),
            "{update}"
        );
        assert_eq!(update["data"]["previous"]["sector"]["id"], "sales");
    }
}

#[test]
fn an_update_on_several_channels_comes_once() {
    let hub = spawn_hub();
    let mut both = hub.screen().watching(&["chat:a", "contact:contact-of-a"]);
    let mut all = hub.screen().watching(&["updates", "chat:a"]);
    hub.provider().says("a", "one");
    hub.provider().says("a", "two");
    for screen in [&mut both, &mut all] {
        assert_eq!(screen.hears_update("new_message")["seq"], 1);
        assert_eq!(screen.hears_update("new_message")["seq"], 2);
        assert!(screen.catches_up().is_empty());
    }
}

#[test]
fn who_unsubscribes_hears_no_more() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["chat:a", "chat:b"]);
    screen.says("unsubscribe_updates", json!({ "channels": ["chat:a", "chat:c"] }));
    assert_eq!(screen.hears("unsubscribed"), json!({ "channels": ["chat:a"] }));
    hub.provider().says("a", "no more");
    hub.provider().says("b", "still");
    assert_eq!(screen.hears_update("new_message")["data"]["chat"]["id"], "b");
    screen.says("unsubscribe_updates", json!({}));
    assert_eq!(screen.hears("unsubscribed"), json!({ "channels": ["chat:b"] }));
    hub.provider().says("b", "no more");
    assert!(screen.catches_up().is_empty());
}

#[test]
fn a_position_is_answered_with_the_reason_for_a_fresh_snapshot() {
    let hub = spawn_hub();
    hub.provider().says("a", "hello");
    let epoch = hub.json("/health")["epoch"].clone();
    for (data, reason) in [
        (json!({}), "no_position"),
        (json!({ "since": 0, "epoch": "another" }), "epoch_changed"),
        (json!({ "since": 2, "epoch": epoch }), "position_ahead"),
        (json!({ "since": 1, "epoch": epoch, "scope": "another" }), "scope_changed"),
    ] {
        let mut screen = hub.screen();
        screen.says("subscribe_updates", data);
        let subscribed = screen.hears("subscribed");
        assert_eq!(subscribed["channels"], json!(["updates"]));
        assert_eq!((&subscribed["seq"], &subscribed["epoch"]), (&json!(1), &epoch));
        assert_eq!((&subscribed["recovered"], &subscribed["replayed"]), (&json!(false), &json!(0)));
        assert_eq!(subscribed["reason"], reason);
        // A position belongs to the first request.
        screen.says("subscribe_updates", json!({ "channels": ["stats"], "since": 1, "epoch": epoch }));
        screen.hears_error("bad_request");
        screen.says("subscribe_updates", json!({ "channels": ["chat:a"] }));
        assert_eq!(screen.hears("subscribed")["reason"], Value::Null);
    }
}

#[test]
fn a_snapshot_and_the_updates_after_it_are_the_whole_truth() {
    let hub = spawn_hub();
    for chat in ["a", "b", "c"] {
        hub.provider().says(chat, "first");
    }
    hub.provider().posts(&Delivery::of_type("ChatClosed", "c").closed(9_000));
    let mut screen = hub.screen().watching(&["updates"]);
    let snapshot = screen.snapshot();
    assert_eq!(snapshot["seq"], 4);
    assert_eq!(snapshot["stats"], hub.json("/api/umbler/stats"));
    assert_eq!(snapshot["truncated"], json!([]));
    let ids = |list: &Value| {
        list.as_array().expect("a list").iter().map(|item| item["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&snapshot["chats"]).len(), 2, "closed chats are history");
    assert_eq!(ids(&snapshot["contacts"]), ids(&hub.json("/api/umbler/contacts")["contacts"]));
    assert_eq!(snapshot["recentMessages"], hub.json("/api/umbler/messages")["messages"]);
    hub.provider().says("a", "second");
    assert_eq!(screen.hears_update("new_message")["seq"], 5);
}

#[test]
fn a_snapshot_holds_as_much_as_was_asked_for_and_says_what_it_left_out() {
    let hub = spawn_hub();
    for chat in ["a", "b", "c"] {
        hub.provider().says(chat, "hello");
    }
    let mut screen = hub.screen();
    screen.says("request_umbler_data", json!({ "contacts": 2, "chats": 0, "messages": 3 }));
    let snapshot = screen.hears("umbler_data");
    let count = |list: &str| snapshot[list].as_array().expect("a list").len();
    assert_eq!((count("contacts"), count("chats"), count("recentMessages")), (2, 0, 3));
    assert_eq!(snapshot["truncated"], json!(["contacts", "chats"]));
}

#[test]
fn counters_come_at_once_and_whenever_they_change() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["stats"]);
    assert_eq!(screen.hears("umbler_stats")["totalMessages"], 0);
    for _ in 0..30 {
        hub.provider().says("a", "hello");
    }
    // They are conflated: not thirty, but the last one holds all.
    let mut seen = 0;
    let mut last = 0;
    while last < 30 {
        last = screen.hears("umbler_stats")["totalMessages"].as_i64().expect("a number");
        seen += 1;
    }
    assert_eq!(last, 30);
    assert!(seen < 30, "conflated to {seen}");
}

#[test]
fn a_page_of_another_site_is_not_let_in() {
    let hub = hub_with(&[("FRONTEND_URL", "http://localhost:5173,https://team.example.com")]);
    let own = format!("http://{}", hub.address());
    for origin in ["http://localhost:5173", "https://team.example.com", &own] {
        assert!(Screen::connect_with(&hub, &[("origin", origin)]).is_ok(), "{origin}");
    }
    for origin in
        ["https://evil.example", "null", "http://localhost:5174", "https://team.example.com.evil.example"]
    {
        assert_eq!(Screen::connect_with(&hub, &[("origin", origin)]).err(), Some(403), "{origin}");
    }
    assert!(Screen::connect_with(&hub, &[]).is_ok(), "programs send no Origin");
}

#[test]
fn a_frame_of_64_kib_is_read_and_one_byte_more_closes_with_1009() {
    const LIMIT: usize = 64 * 1024;
    let hub = spawn_hub();
    let empty = r#"{"event":"ping","data":""}"#;
    let frame = |bytes: usize| empty.replace(r#""""#, &format!("\"{}\"", "x".repeat(bytes - empty.len())));
    let mut screen = hub.screen();
    screen.sends(&frame(LIMIT));
    screen.hears("pong");
    screen.sends(&frame(LIMIT + 1));
    assert_eq!(screen.is_closed_with(), 1009);
}

#[test]
fn an_announced_tebibyte_is_refused_before_it_is_buffered() {
    let hub = spawn_hub();
    let mut screen = hub.screen();
    screen.sends(r#"{"event":"ping"}"#);
    let mut header = vec![0x81, 0xff];
    header.extend_from_slice(&(1u64 << 40).to_be_bytes());
    header.extend_from_slice(&[1, 2, 3, 4]);
    screen.stream().write_all(&header).expect("sent");
    screen.hears("pong");
    assert_eq!(screen.is_closed_with(), 1009);
}

#[test]
fn the_frames_of_one_message_count_together() {
    use tungstenite::protocol::frame::Frame;
    use tungstenite::protocol::frame::coding::{Data, OpCode};
    let hub = spawn_hub();
    let part = |text: &str, code: Data, last: bool| {
        Message::Frame(Frame::message(text.to_owned(), OpCode::Data(code), last))
    };
    let mut screen = hub.screen();
    screen.send(part(r#"{"event":"#, Data::Text, false));
    screen.send(part(r#""ping"}"#, Data::Continue, true));
    screen.hears("pong");
    let chunk = "x".repeat(40 * 1024);
    screen.send(part(&chunk, Data::Text, false));
    screen.send(part(&chunk, Data::Continue, false));
    assert_eq!(screen.is_closed_with(), 1009);
}

#[test]
fn who_speaks_nonsense_again_and_again_is_closed() {
    let hub = spawn_hub();
    let mut screen = hub.screen();
    for _ in 0..50 {
        screen.sends("nonsense");
    }
    assert_eq!(screen.is_closed_with(), 4503);
}

#[test]
fn who_speaks_too_fast_is_told_to_slow_down() {
    let hub = spawn_hub();
    let mut screen = hub.screen();
    for _ in 0..130 {
        screen.sends(r#"{"event":"ping"}"#);
    }
    let mut heard = Vec::new();
    while heard.len() < 130 {
        heard.push(screen.hears_anything());
    }
    let refused: Vec<&Value> = heard.iter().filter(|envelope| envelope["event"] == "error").collect();
    assert!(!refused.is_empty());
    assert!(
        refused
            .iter()
            .all(|error| error["data"]["code"] == "too_many_requests" && error["data"]["temporary"] == true)
    );
}

#[test]
fn one_session_too_many_is_closed_with_the_code_of_a_limit() {
    for limit in ["MAX_SESSIONS", "MAX_SESSIONS_PER_ADDRESS"] {
        let hub = hub_with(&[(limit, "2")]);
        let first = hub.screen();
        let _second = hub.screen();
        assert_eq!(Screen::connect_unwelcome(&hub).is_closed_with(), 4502, "{limit}");
        drop(first);
        // The place is free once the hub has heard of the end; health is answered by the same actor.
        while hub.json("/health")["sessions"] == 2 {}
        hub.screen();
    }
}

#[test]
fn one_channel_too_many_is_refused_and_none_is_lost() {
    let hub = spawn_hub();
    let mut screen = hub.screen();
    let channels =
        |from: usize, count: usize| (from..from + count).map(|n| format!("chat:{n}")).collect::<Vec<_>>();
    screen.says("subscribe_updates", json!({ "channels": channels(0, 101) }));
    screen.hears_error("bad_request");
    for from in [0, 100] {
        screen.says("subscribe_updates", json!({ "channels": channels(from, 100) }));
        screen.hears("subscribed");
    }
    screen.says("subscribe_updates", json!({ "channels": ["chat:one-more"] }));
    screen.hears_error("bad_request");
    hub.provider().says("7", "still followed");
    screen.hears_update("new_message");
}

#[test]
fn connects_are_limited_per_address() {
    let hub = hub_with(&[("RATE_LIMIT_CONNECTS_PER_SECOND", "2")]);
    let answers: Vec<_> = (0..8).map(|_| Screen::connect_with(&hub, &[]).err()).collect();
    assert!(answers.contains(&None) && answers.contains(&Some(429)), "{answers:?}");
}

#[test]
fn a_hub_that_stops_tells_its_screens_to_come_back() {
    let mut hub = spawn_hub();
    let mut screens: Vec<Screen> = (0..5).map(|_| hub.screen().watching(&["updates"])).collect();
    hub.provider().says("a", "hello");
    hub.terminate();
    for screen in &mut screens {
        screen.hears_update("new_message");
        assert_eq!(screen.is_closed_with(), 4000);
    }
    assert!(hub.stop().success());
    let hub = hub.started_again();
    assert_eq!(hub.json("/health")["seq"], 1);
}
