//! A screen that was away misses nothing and hears nothing twice, however long it was away and whatever happened.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::support::{Delivery, Hub, OverAtDrop, Screen, hub_with, spawn_hub};

fn epoch(hub: &Hub) -> Value {
    hub.json("/health")["epoch"].clone()
}

/// Posts so many messages of this chat, from several connections at once.
fn posts(hub: &Hub, chat: &str, count: usize) {
    let lanes = 8;
    std::thread::scope(|scope| {
        for lane in 0..lanes {
            let (url, agent) = (hub.url("/api/umbler/webhook"), hub.agent().clone());
            scope.spawn(move || {
                for _ in (lane..count).step_by(lanes) {
                    let delivery = Delivery::message(chat).text("hello");
                    let answer = agent.post(&url).send(&delivery.bytes()).expect("the hub answers");
                    assert_eq!(answer.status(), 200);
                }
            });
        }
    });
}

fn back(hub: &Hub, since: i64) -> (Screen, Value) {
    let mut screen = hub.screen();
    let subscribed = screen.comes_back(&["updates"], since, &epoch(hub));
    (screen, subscribed)
}

#[test]
fn a_snapshot_that_others_have_asked_for_too_is_never_older_than_the_subscription() {
    let hub = hub_with(&[("RATE_LIMIT_CONNECTS_PER_SECOND", "0")]);
    posts(&hub, "a", 200);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let end = OverAtDrop(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                hub.provider().says("a", "going on");
            }
        });
        let screens: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..40 {
                        let mut screen = hub.screen();
                        screen.says("subscribe_updates", json!({}));
                        let subscribed = screen.hears("subscribed")["seq"].as_i64();
                        screen.says("request_umbler_data", json!({}));
                        let snapshot = past_updates(&mut screen);
                        assert_eq!(snapshot["event"], "umbler_data", "{snapshot}");
                        let snapshot = snapshot["data"]["seq"].as_i64();
                        assert!(snapshot >= subscribed, "{snapshot:?} is older than {subscribed:?}");
                    }
                })
            })
            .collect();
        for screen in screens {
            screen.join().expect("no snapshot is older");
        }
        drop(end);
    });
}

/// The next envelope that is no update.
fn past_updates(screen: &mut Screen) -> Value {
    loop {
        let envelope = screen.hears_anything();
        if envelope["event"] != "umbler_update" {
            return envelope;
        }
    }
}

#[test]
fn a_position_that_waits_for_the_disk_is_answered_whatever_is_asked_next() {
    let hub = hub_with(&[("UPDATES_IN_MEMORY", "16")]);
    posts(&hub, "a", 100);
    for _ in 0..10 {
        let mut screen = hub.screen();
        let since = json!({ "channels": ["updates"], "since": 0, "epoch": epoch(&hub) });
        screen.sends(&json!({ "event": "subscribe_updates", "id": "first", "data": since }).to_string());
        screen.sends(&json!({ "event": "unsubscribe_updates", "id": "second" }).to_string());
        let mut answered: Vec<Value> = [past_updates(&mut screen), past_updates(&mut screen)]
            .map(|envelope| envelope["id"].clone())
            .into();
        answered.sort_by_key(ToString::to_string);
        assert_eq!(answered, ["first", "second"]);
    }
}

#[test]
fn a_screen_that_reconnects_ten_times_misses_nothing() {
    let hub = spawn_hub();
    let mut known = 0;
    for round in 0..10 {
        for _ in 0..round {
            hub.provider().says("a", "while it was away");
        }
        let (mut screen, subscribed) = back(&hub, known);
        assert_eq!((&subscribed["recovered"], &subscribed["replayed"]), (&json!(true), &json!(round)));
        assert_eq!(subscribed["reason"], Value::Null);
        hub.provider().says("a", "live");
        let newest = known + round + 1;
        assert_eq!(screen.hears_updates_until(newest), (known + 1..=newest).collect::<Vec<_>>());
        assert!(screen.catches_up().is_empty());
        known = newest;
    }
}

#[test]
fn what_is_replayed_is_what_was_sent_live() {
    let hub = spawn_hub();
    let mut live = hub.screen().watching(&["updates"]);
    for file in ["01_message_text_contact.json", "02_message_text_member.json", "16_chat_closed.json"] {
        hub.provider().posts_fixture(file);
    }
    let sent: Vec<Value> = (0..3).map(|_| live.hears_anything()).collect();
    let (mut screen, _) = back(&hub, 0);
    assert_eq!(sent, (0..3).map(|_| screen.hears_anything()).collect::<Vec<_>>());
    assert_eq!(json!(sent), hub.json("/api/umbler/updates?after=0")["updates"]);
}

#[test]
fn a_screen_comes_back_after_a_kill_with_more_missed_than_memory_holds() {
    let hub = hub_with(&[("UPDATES_IN_MEMORY", "16")]);
    let mut screen = hub.screen().watching(&["updates"]);
    hub.provider().says("a", "before");
    assert_eq!(screen.hears_updates_until(1), [1]);
    posts(&hub, "a", 200);
    let hub = hub.restarted();
    posts(&hub, "b", 100);
    let (mut screen, subscribed) = back(&hub, 1);
    assert_eq!((&subscribed["recovered"], &subscribed["replayed"]), (&json!(true), &json!(300)));
    assert_eq!(screen.hears_updates_until(301), (2..=301).collect::<Vec<_>>());
    hub.provider().says("a", "live");
    assert_eq!(screen.hears_updates_until(302), [302]);
}

#[test]
fn a_screen_that_follows_one_chat_is_replayed_that_chat() {
    for in_memory in ["4096", "2"] {
        let hub = hub_with(&[("UPDATES_IN_MEMORY", in_memory)]);
        for chat in ["a", "b", "a", "c", "a", "b"] {
            hub.provider().says(chat, "hello");
        }
        let mut screen = hub.screen();
        let subscribed = screen.comes_back(&["chat:a", "contact:contact-of-c"], 1, &epoch(&hub));
        assert_eq!(subscribed["replayed"], 3, "with {in_memory} in memory");
        assert_eq!(screen.hears_updates_until(5), [3, 4, 5]);
        hub.provider().says("b", "not for this screen");
        hub.provider().says("a", "live");
        assert_eq!(screen.hears_updates_until(8), [8]);
    }
}

/// Comes back again and again until so many updates were heard and no more come: each once, in order.
fn comes_back_until(hub: &Hub, epoch: &Value, count: i64, over: &AtomicBool) {
    let mut known = 0;
    loop {
        let last_round = over.load(Ordering::Acquire);
        let mut screen = hub.screen();
        let subscribed = screen.comes_back(&["updates"], known, epoch);
        assert_eq!(subscribed["recovered"], true, "{subscribed}");
        for envelope in screen.catches_up() {
            known += 1;
            assert_eq!(envelope["seq"], known, "{envelope}");
        }
        if last_round {
            return assert_eq!(known, count);
        }
    }
}

#[test]
fn screens_that_come_back_while_updates_pour_in_hear_each_once() {
    let hub = hub_with(&[("UPDATES_IN_MEMORY", "32")]);
    let epoch = epoch(&hub);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _end = OverAtDrop(&over);
        for _ in 0..4 {
            scope.spawn(|| comes_back_until(&hub, &epoch, 600, &over));
        }
        posts(&hub, "a", 600);
    });
}

#[test]
fn a_position_that_cannot_be_replayed_is_answered_with_the_reason() {
    let hub =
        hub_with(&[("UPDATES_RETAINED", "1000"), ("UPDATES_IN_MEMORY", "8"), ("REPLAY_UPDATES_MAX", "1005")]);
    posts(&hub, "a", 1_010);
    for (since, reason) in [(1, "too_many"), (6, "too_old"), (9, "too_old")] {
        let (mut screen, subscribed) = back(&hub, since);
        assert_eq!(
            (&subscribed["recovered"], &subscribed["reason"]),
            (&json!(false), &json!(reason)),
            "{since}"
        );
        assert!(screen.catches_up().is_empty());
        assert_eq!(screen.snapshot()["seq"], 1_010);
    }
    let (mut screen, subscribed) = back(&hub, 10);
    assert_eq!(subscribed["replayed"], 1_000, "the oldest kept position");
    assert_eq!(screen.hears_updates_until(1_010).len(), 1_000);
}

#[test]
fn a_screen_that_stops_reading_is_brought_up_to_date_when_it_reads_again() {
    let hub = hub_with(&[("UPDATES_IN_MEMORY", "4")]);
    let mut sleeper = hub.screen().watching(&["updates"]);
    let mut awake = hub.screen().watching(&["updates"]);
    // Until the kernel's buffers and the session's queue are full, and then more than the hub keeps in memory: a few, because
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
    assert_eq!(sleeper.hears_updates_until(count), (1..=count).collect::<Vec<_>>());
    hub.provider().says("a", "live again");
    assert_eq!(sleeper.hears_updates_until(count + 1), [count + 1]);
    sleeper.says("ping", json!({}));
    sleeper.hears("pong");
}

#[test]
fn a_screen_that_had_received_nothing_yet_comes_back_to_what_it_missed() {
    let hub = spawn_hub();
    let since = hub.screen().welcome["seq"].as_i64().expect("a position");
    hub.provider().says("a", "first");
    let (mut screen, subscribed) = back(&hub, since);
    assert_eq!(subscribed["replayed"], 1);
    assert_eq!(screen.hears_updates_until(1), [1]);
}

#[test]
fn later_subscriptions_add_channels_without_repeating_anything() {
    let hub = spawn_hub();
    hub.provider().says("a", "1");
    hub.provider().says("b", "2");
    let mut screen = hub.screen();
    screen.comes_back(&["chat:a"], 0, &epoch(&hub));
    assert_eq!(screen.hears_updates_until(1), [1]);
    screen.says("subscribe_updates", json!({ "channels": ["updates"] }));
    screen.hears("subscribed");
    hub.provider().says("b", "3");
    hub.provider().says("a", "4");
    assert_eq!(screen.hears_updates_until(4), [3, 4]);
}
