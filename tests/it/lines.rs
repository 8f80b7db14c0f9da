//! What the hub sends goes past the connection's buffer, and what the session's actor says through it: they share a
//! socket, and each frame stays whole and in its place.

use std::collections::VecDeque;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};
use tungstenite::Message;

use super::support::{PATIENCE, hub_with, spawn_hub};

/// An update holds its text more than once: the first few fill the kernel's buffers, so that the socket is full amid a frame.
const TEXT_BYTES: usize = 20_000;
/// An update of so much text is below the bound of one, and more than the kernel's buffers.
const HALF_WRITTEN_BYTES: usize = 250_000;
/// Together they stay below what may wait for a session.
const UPDATES: i64 = 12;

#[test]
fn answers_and_updates_on_a_full_socket_are_whole_and_each_in_its_order() {
    let hub = spawn_hub();
    let mut sleeper = hub.screen().watching(&["updates"]);
    let mut awake = hub.screen().watching(&["updates"]);
    let text = "x".repeat(TEXT_BYTES);
    for number in 1..=UPDATES {
        hub.provider().says("a", &text);
        awake.hears_update("new_message");
        // Answered by the actor, by the frame layer, and by the hub.
        sleeper.sends(&json!({ "event": "ping", "id": number }).to_string());
        sleeper.send(Message::Ping(vec![7; 100].into()));
        sleeper.sends(
            &json!({ "event": "subscribe_updates", "id": -number, "data": { "channels": [format!("chat:{number}")] } })
                .to_string(),
        );
    }
    let mut updates = Vec::new();
    let (mut pongs, mut subscribed) = (Vec::new(), Vec::new());
    while updates.len() + pongs.len() + subscribed.len() < 3 * usize::try_from(UPDATES).unwrap() {
        let envelope = sleeper.hears_anything();
        let id = |envelope: &Value| envelope["id"].as_i64().expect("the id of the question");
        match envelope["event"].as_str() {
            Some("umbler_update") => updates.push(envelope["seq"].as_i64().expect("a position")),
            Some("pong") => pongs.push(id(&envelope)),
            Some("subscribed") => subscribed.push(-id(&envelope)),
            _ => panic!("{envelope}"),
        }
    }
    let expected: Vec<i64> = (1..=UPDATES).collect();
    assert_eq!((updates, pongs, subscribed), (expected.clone(), expected.clone(), expected));
    hub.provider().says("a", "live again");
    assert_eq!(sleeper.hears_updates_until(UPDATES + 1), [UPDATES + 1]);
}

#[test]
fn what_the_actor_says_behind_a_half_written_update_keeps_no_later_update_back() {
    let hub = spawn_hub();
    let mut sleeper = hub.screen().watching(&["updates"]);
    let mut awake = hub.screen().watching(&["updates"]);
    // Alone it is more than the kernel takes of it, and nothing of the hub's waits behind it.
    hub.provider().says("a", &"x".repeat(HALF_WRITTEN_BYTES));
    awake.hears_update("new_message");
    sleeper.sends("nothing that is known");
    let begun = Instant::now();
    while !hub.get("/metrics").text.lines().any(is_one_refused_frame) {
        assert!(begun.elapsed() < PATIENCE, "the actor has refused it");
    }
    assert_eq!(sleeper.hears_updates_until(1), [1]);
    sleeper.hears("error");
    hub.provider().says("a", "live again");
    assert_eq!(sleeper.hears_updates_until(2), [2]);
}

fn is_one_refused_frame(line: &str) -> bool {
    line.starts_with("umbler_hub_frames_refused_total") && line.ends_with(" 1")
}

#[test]
fn a_screen_that_reads_late_hears_every_update_then_the_goodbye_then_the_close() {
    let mut hub = spawn_hub();
    let mut sleeper = hub.screen().watching(&["updates"]);
    let mut awake = hub.screen().watching(&["updates"]);
    let text = "x".repeat(TEXT_BYTES);
    for _ in 0..UPDATES {
        hub.provider().says("a", &text);
        awake.hears_update("new_message");
    }
    hub.terminate();
    awake.hears("hub_status");
    awake.hears("going_away");
    assert_eq!(awake.is_closed_with(), 4000);
    assert_eq!(sleeper.hears_updates_until(UPDATES), (1..=UPDATES).collect::<Vec<_>>());
    sleeper.hears("hub_status");
    sleeper.hears("going_away");
    assert_eq!(sleeper.is_closed_with(), 4000);
    assert!(hub.wait().success());
}

#[test]
fn sockets_that_come_and_go_amid_updates_leave_nothing_to_whoever_takes_their_places() {
    const POSTS: i64 = 300;
    // One worker, so that all take each other's places.
    let hub = hub_with(&[
        ("WORKERS", "1"),
        ("MAX_SESSIONS_PER_ADDRESS", "0"),
        ("RATE_LIMIT_CONNECTS_PER_SECOND", "0"),
    ]);
    let mut witness = hub.screen().watching(&["updates"]);
    thread::scope(|scope| {
        // Reads while the others post: a screen that reads nothing for half a minute is closed, as it should be.
        let heard = scope.spawn(|| witness.hears_updates_until(POSTS));
        let posting = scope.spawn(|| {
            for _ in 0..POSTS {
                hub.provider().says("a", "going on");
            }
        });
        let mut leaving = VecDeque::new();
        while !posting.is_finished() {
            leaving.push_back(hub.screen().watching(&["updates"]));
            if leaving.len() > 5 {
                // With updates unread, so that the hub's next write fails.
                drop(leaving.pop_front());
            }
            let mut stranger = hub.screen();
            assert_eq!(stranger.catches_up(), Vec::<Value>::new(), "it follows nothing");
        }
        posting.join().expect("all posted");
        assert_eq!(heard.join().expect("all heard"), (1..=POSTS).collect::<Vec<_>>());
    });
    let begun = Instant::now();
    while hub.json("/health")["sessions"] != 1 {
        assert!(begun.elapsed() < PATIENCE, "whoever left is forgotten");
    }
}
