//! A stretch of the past, played to a screen: what comes, in which order, for whom, and what is refused.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use umbler_hub::facade::testing::{PART_UPDATES_MAX, clock};

use super::support::hub::start_through;
use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, Screen, hub_with, spawn_hub};

/// Every update that a token's REST answers with, in order.
fn updates(hub: &Hub, bearer: Option<&str>) -> Vec<Value> {
    let bearer = bearer.map(|bearer| format!("Bearer {bearer}"));
    let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", &**bearer)).collect();
    let answer = hub.get_with("/api/umbler/updates?after=0&limit=1000", &headers);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["updates"].as_array().expect("a list").clone()
}

fn received_at(update: &Value) -> Timestamp {
    update["timestamp"].as_str().and_then(|at| at.parse().ok()).expect("a moment")
}

/// Has a stretch played as fast as there is; what `subscribed` said.
#[expect(clippy::needless_pass_by_value, reason = "tests write `json!` in place")]
fn replays(screen: &mut Screen, from: impl ToString, more: Value) -> Value {
    let mut data = json!({ "replayFrom": from.to_string(), "speed": 1000 });
    for (name, value) in more.as_object().expect("fields") {
        data[name] = value.clone();
    }
    screen.says("subscribe_updates", data);
    let subscribed = screen.hears("subscribed");
    assert_eq!(
        (&subscribed["recovered"], &subscribed["replayed"], &subscribed["reason"]),
        (&json!(false), &json!(0), &json!("replay"))
    );
    subscribed
}

/// What is played, and the word of its end.
fn played(screen: &mut Screen) -> (Vec<Value>, Value) {
    let mut heard = Vec::new();
    loop {
        let envelope = screen.hears_anything();
        if envelope["event"] == "replay_ended" {
            return (heard, envelope["data"].clone());
        }
        assert_eq!(envelope["event"], "umbler_update", "{envelope}");
        heard.push(envelope);
    }
}

#[test]
fn a_stretch_of_the_past_comes_as_it_was_sent_and_nothing_live_with_it() {
    let hub = spawn_hub();
    let mut live = hub.screen().watching(&["updates"]);
    for text in ["one", "two", "three", "four", "five"] {
        hub.provider().says("a", text);
    }
    let sent: Vec<Value> = (0..5).map(|_| live.hears_anything()).collect();
    let mut screen = hub.screen().watching(&["updates", "stats"]);
    let (from, until) = (&sent[1]["timestamp"], &sent[3]["timestamp"]);
    screen.hears("umbler_stats");
    let subscribed = replays(&mut screen, from.as_str().expect("a moment"), json!({ "replayUntil": until }));
    assert_eq!(subscribed["replay"], json!({ "from": from, "until": until, "speed": 1000.0, "updates": 3 }));
    assert_eq!(subscribed["seq"], 5);
    assert_eq!(played(&mut screen), (sent[1..4].to_vec(), json!({ "reason": "done", "seq": 4 })));
    hub.provider().says("a", "live");
    live.hears_update("new_message");
    assert!(screen.catches_up().is_empty(), "it follows nothing any more");
}

#[test]
fn a_long_stretch_is_read_in_parts_and_comes_whole_after_a_restart_too() {
    let hub = hub_with(&[("UPDATES_IN_MEMORY", "16")]);
    let count = PART_UPDATES_MAX + 100;
    for _ in 0..count {
        hub.provider().says("a", "again");
    }
    let hub = hub.restarted();
    let from = received_at(&hub.json("/api/umbler/updates?after=0&limit=1")["updates"][0]);
    let mut screen = hub.screen();
    assert_eq!(replays(&mut screen, from, json!({}))["replay"]["updates"], count);
    let (heard, ended) = played(&mut screen);
    let positions: Vec<i64> = heard.iter().filter_map(|update| update["seq"].as_i64()).collect();
    assert_eq!(positions, (1..=i64::try_from(count).expect("few")).collect::<Vec<_>>());
    assert_eq!(ended, json!({ "reason": "done", "seq": count }));
}

#[test]
fn a_stretch_in_which_nothing_happened_ends_at_once() {
    let hub = spawn_hub();
    let before = clock::now() - SignedDuration::from_hours(2);
    hub.provider().says("a", "now");
    let mut screen = hub.screen();
    // At this speed any wait would be seen: the silence before the end is none.
    let more = json!({ "replayUntil": (before + SignedDuration::from_hours(1)).to_string(), "speed": 0.1 });
    assert_eq!(replays(&mut screen, before, more)["replay"]["updates"], 0);
    assert_eq!(played(&mut screen), (vec![], json!({ "reason": "done", "seq": 0 })));
    let after = clock::now();
    assert_eq!(replays(&mut screen, after, json!({}))["replay"]["updates"], 0);
    assert_eq!(played(&mut screen), (vec![], json!({ "reason": "done", "seq": 0 })));
}

#[test]
fn a_replay_holds_the_channels_that_were_asked_for() {
    let hub = spawn_hub();
    for chat in ["a", "b", "a", "c", "b"] {
        hub.provider().says(chat, "hello");
    }
    let from = received_at(&updates(&hub, None)[0]);
    let mut screen = hub.screen();
    let subscribed = replays(&mut screen, from, json!({ "channels": ["chat:a", "contact:contact-of-c"] }));
    assert_eq!(
        (&subscribed["channels"], &subscribed["replay"]["updates"]),
        (&json!(["chat:a", "contact:contact-of-c"]), &json!(3))
    );
    let (heard, _) = played(&mut screen);
    assert_eq!(heard.iter().map(|update| &update["seq"]).collect::<Vec<_>>(), [1, 3, 4]);
}

#[test]
fn a_replay_shows_what_its_token_sees_and_in_the_form_in_which_it_sees_it() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let in_sector = |chat: &str, sector: &str| {
        Delivery::message(chat).chat_field("Sector", json!({ "Id": sector, "Name": sector }))
    };
    for (chat, sector) in
        [("a", "sales"), ("b", "support"), ("a", "support"), ("a", "sales"), ("b", "support")]
    {
        hub.provider().posts(&in_sector(chat, sector));
    }
    let admin = token(json!({ "sub": "root", "role": "admin" }));
    let agent = token(json!({ "sub": "bia", "role": "agent", "sectors": ["sales"] }));
    let viewer = token(json!({ "sub": "vera" }));
    let from = received_at(&updates(&hub, Some(&admin))[0]);
    for (bearer, count) in [(&admin, 5), (&agent, 3), (&viewer, 5)] {
        let seen = updates(&hub, Some(bearer));
        let mut screen = hub.screen().signed_in(bearer);
        assert_eq!(replays(&mut screen, from, json!({}))["replay"]["updates"], count);
        let (heard, ended) = played(&mut screen);
        assert_eq!(ended["reason"], "done");
        assert_eq!(heard, seen);
    }
    let types: Vec<Value> =
        updates(&hub, Some(&agent)).iter().map(|update| update["data"]["type"].clone()).collect();
    assert_eq!(
        types,
        ["new_message", "chat_gone", "chat_entered"],
        "what crossed the scope is told as it was"
    );
    let mut agent = hub.screen().signed_in(&agent);
    agent.says("subscribe_updates", json!({ "channels": ["user:eve"], "replayFrom": from.to_string() }));
    agent.hears_error("forbidden");
}

#[test]
fn what_cannot_be_replayed_is_refused_and_changes_nothing() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["updates"]);
    hub.provider().says("a", "one");
    screen.hears_update("new_message");
    let now = clock::now();
    let past = (now - SignedDuration::from_hours(1)).to_string();
    let soon = (now + SignedDuration::from_hours(1)).to_string();
    for (data, field) in [
        (json!({ "replayFrom": soon }), "data.replayFrom lies in the future"),
        (json!({ "replayFrom": past, "replayUntil": soon }), "data.replayUntil lies in the future"),
        (json!({ "replayFrom": now.to_string(), "replayUntil": past }), "data.replayUntil lies before"),
        (json!({ "replayFrom": past, "speed": 1001 }), "data.speed"),
        (json!({ "replayFrom": past, "since": 1, "epoch": "e" }), "data.since"),
        (json!({ "replayFrom": past, "channels": ["stats"] }), "data.channels"),
        (json!({ "replayFrom": past, "sped": 2 }), "data.sped"),
        (json!({ "speed": 2 }), "data.speed"),
    ] {
        screen.says("subscribe_updates", data);
        let message = screen.hears_error("bad_request")["message"].as_str().expect("words").to_owned();
        assert!(message.starts_with(field), "{message}");
    }
    hub.provider().says("a", "two");
    assert_eq!(screen.hears_update("new_message")["seq"], 2, "it is live as before");
}

#[test]
fn what_is_not_kept_any_more_is_refused_with_the_reason() {
    let hub = hub_with(&[("UPDATES_RETAINED", "1000")]);
    hub.provider().says("a", "the first");
    let first = received_at(&updates(&hub, None)[0]);
    for _ in 0..1_009 {
        hub.provider().says("a", "more");
    }
    let mut screen = hub.screen();
    screen.says("subscribe_updates", json!({ "replayFrom": first.to_string(), "speed": 1000 }));
    let refused = screen.hears_error("bad_request");
    assert_eq!(refused["reason"], "too_old");
    let mut oldest = hub.json("/api/umbler/updates?after=10&limit=1")["updates"][0].take();
    let message = refused["message"].as_str().expect("words");
    assert!(message.contains(oldest["timestamp"].as_str().expect("a moment")), "{message}");
    let from = received_at(&oldest.take());
    assert_eq!(replays(&mut screen, from, json!({}))["replay"]["updates"], 1_000);
    let (heard, _) = played(&mut screen);
    assert_eq!((heard.len(), &heard[0]["seq"]), (1_000, &json!(11)));
}

#[test]
fn a_screen_that_reads_slowly_slows_its_own_replay_and_nobody_else() {
    /// Sleepers. Whoever read all of their replays into memory would hold more than the hub is given.
    const SLEEPERS: usize = 12;
    let home = tempfile::tempdir().expect("a folder");
    let hub = start_through(&["prlimit", "--data=268435456"], home, &[]);
    // More than the kernel's buffers and the session's queue hold together.
    let (count, text) = (250, "x".repeat(60_000));
    for _ in 0..count {
        hub.provider().says("a", &text);
    }
    let from = received_at(&hub.json("/api/umbler/updates?after=0&limit=1")["updates"][0]);
    let mut sleepers: Vec<Screen> = (0..SLEEPERS).map(|_| hub.screen()).collect();
    for sleeper in &mut sleepers {
        replays(sleeper, from, json!({}));
    }
    let mut awake = hub.screen();
    replays(&mut awake, from, json!({}));
    assert_eq!(played(&mut awake).0.len(), count, "another replay goes on meanwhile");
    let mut live = hub.screen().watching(&["updates"]);
    hub.provider().says("a", "live");
    live.hears_update("new_message");
    let (heard, ended) = played(&mut sleepers[0]);
    let positions: Vec<i64> = heard.iter().filter_map(|update| update["seq"].as_i64()).collect();
    assert_eq!(positions, (1..=i64::try_from(count).expect("few")).collect::<Vec<_>>());
    assert_eq!(ended["reason"], "done");
}
