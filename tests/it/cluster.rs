//! Several hubs on one stream: what one takes in, all show, and nothing that was acknowledged is lost.

use std::time::Instant;

use async_nats::jetstream::{self, Context};
use serde_json::{Value, json};

use super::support::nats::{Nats, Synced, copy_of, nats, servers};
use super::support::{Delivery, Hub, PATIENCE};

/// Waits until this is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "it did not happen: {what}");
        std::thread::yield_now();
    }
}

/// How a hub sees its cluster.
pub fn cluster(hub: &Hub) -> Value {
    hub.json("/health")["cluster"].clone()
}

/// Waits until a hub has applied everything of the stream.
pub fn until_ready(hub: &Hub) {
    until("the hub is ready", || hub.get("/health/ready").status == 200);
}

/// All updates of a hub, as they were sent.
fn updates(hub: &Hub) -> Value {
    hub.json("/api/umbler/updates?after=0&limit=1000")["updates"].clone()
}

/// Waits until a hub shows this position.
pub fn until_shown(hub: &Hub, seq: i64) {
    until("the position is shown", || hub.json("/health")["seq"].as_i64() >= Some(seq));
}

/// Posts a message, and returns its position.
pub fn posted(hub: &Hub, chat: &str) -> i64 {
    hub.provider().says(chat, "hello")["seq"].as_i64().expect("a position")
}

/// Talks to the servers as an operator does.
pub fn operates<T>(nats: &Nats, work: impl AsyncFnOnce(Context) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let servers: Vec<String> = nats.url().split(',').map(str::to_owned).collect();
        let client = async_nats::connect(servers).await.expect("a connection");
        work(jetstream::new(client)).await
    })
}

#[test]
fn a_hub_on_a_stream_keeps_every_promise_of_a_hub_on_its_own() {
    let Some(nats) = nats() else { return };
    let hub = nats.hub("a", nats.begun(), &[]);
    until_ready(&hub);
    let mut screen = hub.screen().watching(&["updates"]);
    let delivery = Delivery::message("c1").text("the first");
    let first = hub.provider().posts(&delivery);
    assert_eq!(first["status"], "accepted");
    let seq = first["seq"].as_i64().expect("a position");
    // Who reads back sees it, without waiting.
    assert_eq!(hub.json("/api/umbler/chats/c1")["chat"]["id"], "c1");
    assert_eq!(screen.hears_update("new_message")["seq"], seq);
    let again = hub.provider().posts(&delivery);
    assert_eq!((&again["status"], &again["seq"]), (&json!("duplicate"), &json!(seq)));
    let ignored = hub.provider().post("{}");
    assert_eq!((ignored.status, &ignored.json()["status"]), (200, &json!("ignored")));
    assert_eq!(hub.provider().post("no JSON").status, 400);
    // The repeat and the object without an event took positions of the stream.
    let later = hub.provider().says("c1", "the second");
    assert_eq!(later["status"], "accepted");
    assert!(later["seq"].as_i64() >= Some(seq + 3), "{later}");
    assert_eq!(screen.hears_update("new_message")["seq"], later["seq"]);

    let hub = hub.restarted();
    until_ready(&hub);
    assert_eq!(hub.provider().posts(&delivery)["status"], "duplicate");
    assert_eq!(updates(&hub).as_array().map(Vec::len), Some(2));
}

#[test]
fn two_hubs_show_each_others_deliveries_in_the_same_frames() {
    let Some(nats) = nats() else { return };
    let home = nats.begun();
    let copy = copy_of(home.path());
    let (one, other) = (nats.hub("a", home, &[]), nats.hub("b", copy, &[]));
    until_ready(&one);
    until_ready(&other);
    let mut screens = [&one, &other].map(|hub| hub.screen().watching(&["updates"]));
    let mut last = 0;
    for round in 0..10 {
        for hub in [&one, &other] {
            let answer = hub.provider().says(&format!("c{}", round % 3), "hello");
            last = answer["seq"].as_i64().expect("a position");
        }
    }
    let [heard, heard_there] = screens.each_mut().map(|screen| screen.hears_updates_until(last));
    assert_eq!(heard, heard_there);
    assert_eq!(heard.len(), 20);
    assert_eq!(updates(&one), updates(&other));
    // Deliveries that came to both are one.
    let delivery = Delivery::message("c9").text("twice");
    let outcomes = [&one, &other].map(|hub| hub.provider().posts(&delivery));
    assert_eq!(outcomes.each_ref().map(|outcome| outcome["status"].clone()), ["accepted", "duplicate"]);
    assert_eq!(outcomes[0]["seq"], outcomes[1]["seq"]);
}

#[test]
fn deliveries_are_taken_while_nats_is_away_and_are_shown_by_all_once_it_is_back() {
    let Some(mut nats) = nats() else { return };
    let home = nats.begun();
    let copy = copy_of(home.path());
    let (one, other) = (nats.hub("a", home, &[]), nats.hub("b", copy, &[]));
    until_ready(&one);
    until_ready(&other);
    let mut screens = [&one, &other].map(|hub| hub.screen().ignoring_status().watching(&["updates"]));
    nats.kill();
    for number in 0..5 {
        let answer = one.provider().says("c1", &format!("number {number}"));
        assert_eq!((&answer["status"], &answer["seq"]), (&json!("accepted"), &Value::Null));
    }
    assert_eq!(cluster(&one)["inbox"], 5);
    // What the hub itself or a user wants recorded is not put off: whoever asked can ask again.
    let notice = one.provider().post_to(
        "/api/umbler/notify",
        &[("content-type", "application/json")],
        json!({ "user": "bia", "data": ["anything"] }).to_string(),
    );
    notice.refuses(503, "unavailable");
    // Even if the hub is killed now.
    let one = one.restarted();
    assert_eq!(cluster(&one)["inbox"], 5);
    nats.restart();
    for _ in 0..5 {
        screens[1].hears_update("new_message");
    }
    until("the first shows them, too", || one.json("/api/umbler/stats")["totalMessages"] == 5);
    until("the inbox is empty", || cluster(&one)["inbox"] == 0);
    assert_eq!(updates(&one), updates(&other));
    let answer = one.provider().says("c1", "after");
    assert!(answer["seq"].is_i64(), "{answer}");
}

#[test]
fn a_hub_that_is_killed_comes_back_with_what_the_other_took_in_meanwhile() {
    let Some(nats) = nats() else { return };
    let home = nats.begun();
    let copy = copy_of(home.path());
    let (one, mut other) = (nats.hub("a", home, &[]), nats.hub("b", copy, &[]));
    until_ready(&one);
    until_ready(&other);
    for _ in 0..20 {
        other.provider().says("c1", "before");
    }
    other.kill();
    let mut last = 0;
    for _ in 0..50 {
        last = one.provider().says("c2", "meanwhile")["seq"].as_i64().expect("a position");
    }
    let other = other.started_again();
    until_ready(&other);
    until_shown(&other, last);
    assert_eq!(updates(&one), updates(&other));
}

#[test]
fn a_screen_goes_on_at_another_hub_and_misses_nothing() {
    let Some(nats) = nats() else { return };
    let home = nats.begun();
    let copy = copy_of(home.path());
    let (mut one, other) = (nats.hub("a", home, &[]), nats.hub("b", copy, &[]));
    until_ready(&one);
    until_ready(&other);
    let mut screen = one.screen().watching(&["updates"]);
    let epoch = screen.welcome["epoch"].clone();
    let seen = one.provider().says("c1", "seen")["seq"].as_i64().expect("a position");
    screen.hears_updates_until(seen);
    let missed = one.provider().says("c1", "missed")["seq"].as_i64().expect("a position");
    one.kill();
    let mut screen = other.screen();
    let answer = screen.comes_back(&["updates"], seen, &epoch);
    assert_eq!(answer["recovered"], true, "{answer}");
    assert_eq!(screen.hears_updates_until(missed), [missed]);
}

#[test]
fn a_killed_leader_of_the_stream_costs_no_delivery() {
    let Some(mut nats) = servers(3, Synced::Always) else { return };
    let hub = nats.hub("a", nats.begun(), &[]);
    until_ready(&hub);
    for _ in 0..10 {
        hub.provider().says("c1", "before");
    }
    nats.kill_leader("umbler-hub");
    for _ in 0..50 {
        hub.provider().says("c1", "while there is no leader");
    }
    until("the stream has everything", || {
        let state = cluster(&hub);
        state["inbox"] == 0 && state["applied"] == state["newest"]
    });
    assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], 60);
}
