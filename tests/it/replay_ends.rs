//! How a replay ends: stopped, begun anew, with its token, with the hub; and where its session stands then.

use jiff::SignedDuration;
use serde_json::{Value, json};
use umbler_hub::facade::testing::{REPLAYS_MAX, REPLAYS_PER_USER_MAX, clock};

use super::support::keys::{SECRET, now, token};
use super::support::{Delivery, Hub, Screen, hub_with, spawn_hub};

/// Asks for the last hour: where nothing was received in most of it, five seconds of silence come first.
fn ask_for_the_last_hour() -> Value {
    json!({ "replayFrom": (clock::now() - SignedDuration::from_hours(1)).to_string() })
}

/// A replay that is in its first silence.
fn replaying(mut screen: Screen) -> Screen {
    screen.says("subscribe_updates", ask_for_the_last_hour());
    assert_eq!(screen.hears("subscribed")["replay"]["updates"], 1);
    screen
}

fn hub_with_an_update(settings: &[(&str, &str)]) -> Hub {
    let hub = hub_with(settings);
    hub.provider().says("a", "in the past");
    hub
}

/// A replay from the first update on, as fast as there is, to its end.
fn replays_all(screen: &mut Screen, hub: &Hub, bearer: &str) -> Vec<Value> {
    let headers = [("authorization", &*format!("Bearer {bearer}"))];
    let updates = hub.get_with("/api/umbler/updates?after=0", &headers).json();
    screen.says(
        "subscribe_updates",
        json!({ "replayFrom": updates["updates"][0]["timestamp"], "speed": 1000 }),
    );
    screen.hears("subscribed");
    let mut heard = Vec::new();
    loop {
        let envelope = screen.hears_anything();
        if envelope["event"] == "replay_ended" {
            assert_eq!(envelope["data"]["reason"], "done");
            return heard;
        }
        heard.push(envelope["seq"].clone());
    }
}

#[test]
fn a_replay_is_stopped_by_its_screen() {
    let hub = hub_with_an_update(&[]);
    let mut screen = replaying(hub.screen());
    screen.says("unsubscribe_updates", json!({}));
    assert_eq!(screen.hears("unsubscribed"), json!({ "channels": ["updates"] }));
    assert_eq!(screen.hears("replay_ended"), json!({ "reason": "stopped", "seq": 0 }));
    screen.says("unsubscribe_updates", json!({}));
    assert_eq!(screen.hears("unsubscribed"), json!({ "channels": [] }), "it is told once");
    assert_eq!(replays_all(&mut screen, &hub, "none"), [1], "and another one may follow");
}

#[test]
fn a_replay_that_is_asked_for_anew_starts_over() {
    let hub = hub_with_an_update(&[]);
    let mut screen = replaying(hub.screen());
    assert_eq!(replays_all(&mut screen, &hub, "none"), [1], "nothing of the first one comes between");
}

#[test]
fn after_a_replay_a_screen_goes_on_from_its_position() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["updates"]);
    hub.provider().says("a", "heard");
    let known = screen.hears_update("new_message")["seq"].clone();
    let mut screen = replaying(screen);
    hub.provider().says("a", "missed during the replay");
    let epoch = &hub.json("/health")["epoch"];
    screen.says("subscribe_updates", json!({ "since": known, "epoch": epoch }));
    assert_eq!(screen.hears("replay_ended")["reason"], "stopped");
    let subscribed = screen.hears("subscribed");
    assert_eq!((&subscribed["recovered"], &subscribed["replayed"]), (&json!(true), &json!(1)));
    assert_eq!(screen.hears_updates_until(2), [2]);
    hub.provider().says("a", "live");
    assert_eq!(screen.hears_updates_until(3), [3]);

    assert_eq!(replays_all(&mut screen, &hub, "none"), [1, 2, 3]);
    screen.says("subscribe_updates", json!({}));
    assert_eq!(screen.hears("subscribed")["reason"], "no_position", "it has to take a snapshot");
    hub.provider().says("a", "live again");
    assert_eq!(screen.hears_updates_until(4), [4]);
}

#[test]
fn no_heartbeat_of_a_replay_tells_a_position() {
    let hub = spawn_hub();
    // Live first: the position that its client keeps must not be moved past what it was not told.
    let mut over = hub.screen().watching(&["updates"]);
    hub.provider().says("a", "in the past");
    over.hears_update("new_message");
    assert_eq!(replays_all(&mut over, &hub, "none"), [1]);
    let mut during = replaying(hub.screen());
    hub.provider().says("a", "live");
    let beats = std::thread::scope(|scope| {
        let over = scope.spawn(|| over.hears_until_heartbeat().expect("a heartbeat").1);
        let during = scope.spawn(|| during.hears_until_heartbeat().expect("a heartbeat").1);
        [over.join().expect("no panic"), during.join().expect("no panic")]
    });
    assert_eq!(beats[0], json!({ "seq": 0, "sent": 2 }), "one live, one replayed");
    assert_eq!(beats[1]["seq"], 0);
}

#[test]
fn a_hub_plays_so_many_replays_at_once_and_no_more() {
    let hub = hub_with_an_update(&[]);
    let mut screens: Vec<Screen> = (0..REPLAYS_MAX).map(|_| replaying(hub.screen())).collect();
    let mut late = hub.screen();
    late.says("subscribe_updates", ask_for_the_last_hour());
    late.hears_error("too_many_requests");
    let last = screens.last_mut().expect("one of them");
    last.says("unsubscribe_updates", json!({}));
    last.hears("unsubscribed");
    last.hears("replay_ended");
    replaying(late);
}

#[test]
fn one_user_does_not_take_the_replays_of_all() {
    let hub = hub_with_an_update(&[("JWT_SECRET", SECRET)]);
    let of = |user: &str| token(json!({ "sub": user, "role": "admin" }));
    let mut screens: Vec<Screen> =
        (0..REPLAYS_PER_USER_MAX).map(|_| replaying(hub.screen().signed_in(&of("ana")))).collect();
    let mut late = hub.screen().signed_in(&of("ana"));
    late.says("subscribe_updates", ask_for_the_last_hour());
    late.hears_error("too_many_requests");
    replaying(hub.screen().signed_in(&of("bia")));
    let own = screens.pop().expect("one of them");
    replaying(own);
}

#[test]
fn a_replay_ends_with_the_scope_that_it_was_read_for() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let agent = |sector: &str| token(json!({ "sub": "bia", "role": "agent", "sectors": [sector] }));
    hub.provider().posts(&Delivery::message("a").chat_field("Sector", json!({ "Id": "sales" })));
    let mut screen = replaying(hub.screen().signed_in(&agent("sales")));
    screen.says("authenticate", json!({ "token": agent("sales") }));
    screen.hears("authenticated");
    screen.says("authenticate", json!({ "token": agent("support") }));
    let heard: Vec<Value> = (0..3).map(|_| screen.hears_anything()).collect();
    let events: Vec<&str> = heard.iter().filter_map(|envelope| envelope["event"].as_str()).collect();
    for event in ["resync_required", "replay_ended", "authenticated"] {
        assert!(events.contains(&event), "{heard:?}");
    }
    screen.says("subscribe_updates", ask_for_the_last_hour());
    assert_eq!(screen.hears("subscribed")["replay"]["updates"], 0, "another sector's past");
    screen.hears("replay_ended");
}

#[test]
fn a_replay_ends_with_its_user_its_token_and_its_hub() {
    let mut hub = hub_with_an_update(&[("JWT_SECRET", SECRET)]);
    let admin = token(json!({ "sub": "root", "role": "admin" }));
    let mut revoked = replaying(hub.screen().signed_in(&token(json!({ "sub": "eve", "role": "admin" }))));
    let headers = [("authorization", &*format!("Bearer {admin}")), ("content-type", "application/json")];
    let revocation = json!({ "user": "eve" }).to_string();
    assert_eq!(hub.provider().post_to("/api/umbler/revocations", &headers, revocation).status, 200);
    assert_eq!(revoked.is_closed_with(), 4500);

    // Its leeway ends in four seconds, the silence of a replay that begins later after five.
    let short = token(json!({ "sub": "ana", "role": "admin", "exp": now() - 26 }));
    let mut expired = replaying(hub.screen().signed_in(&short));
    expired.hears_error("token_expired");
    assert_eq!(expired.is_closed_with(), 4003);

    let mut screen = replaying(hub.screen().signed_in(&admin));
    hub.terminate();
    let heard = screen.hears_until_it_breaks();
    let events: Vec<&str> = heard.iter().filter_map(|envelope| envelope["event"].as_str()).collect();
    assert_eq!(events, ["hub_status", "replay_ended", "going_away"], "{heard:?}");
    assert!(hub.stop().success());
}
