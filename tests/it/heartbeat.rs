//! The heartbeat proves the data path: a screen that counts otherwise knows that it missed something.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::thread;

use socket2::SockRef;
use umbler_hub::facade::wire::HEARTBEAT_SECONDS;

use super::support::raw::RawSocket;
use super::support::{Delivery, PATIENCE, Screen, spawn_hub};

#[test]
fn a_heartbeat_tells_how_many_updates_were_sent_on_its_socket() {
    let hub = spawn_hub();
    let (tell, told) = mpsc::channel();
    // Heartbeats of sockets that come together are spread over the round: with a round of sockets one comes soon.
    let screens: Vec<Screen> = (0..HEARTBEAT_SECONDS)
        .map(|number| hub.screen().watching(&[if number % 2 == 0 { "updates" } else { "chat:b" }]))
        .collect();
    for chat in ["a", "b", "a"] {
        hub.provider().says(chat, "counted");
    }
    for (number, mut screen) in screens.into_iter().enumerate() {
        let tell = tell.clone();
        thread::spawn(move || {
            let mut heard = 0;
            while let Some((updates, heartbeat)) = screen.hears_until_heartbeat() {
                heard += updates.len();
                // Later ones come when nobody listens any more.
                drop(tell.send((number % 2, heard, heartbeat)));
            }
        });
    }
    let mut complete = BTreeSet::new();
    while complete.len() < 2 {
        let (kind, heard, heartbeat) = told.recv_timeout(PATIENCE).expect("a heartbeat");
        assert_eq!(heartbeat["sent"], heard);
        if heartbeat["seq"] == 3 && heard == [3, 1][kind] {
            complete.insert(kind);
        }
    }
}

#[test]
fn a_heartbeat_amid_a_replay_tells_how_far_the_replay_got() {
    const MISSED: i64 = 60;
    let hub = spawn_hub();
    for _ in 0..MISSED {
        hub.provider()
            .posts(&Delivery::message("a").text(&"far more than fits into a socket ".repeat(2_000)));
    }
    let epoch = hub.screen().welcome["epoch"].clone();
    let mut behind: Vec<Screen> = (0..HEARTBEAT_SECONDS)
        .map(|_| {
            let mut screen = hub.screen();
            SockRef::from(&*screen.stream()).set_recv_buffer_size(64 * 1_024).expect("a small buffer");
            let subscribed = screen.comes_back(&["updates"], 0, &epoch);
            assert_eq!(subscribed["replayed"], MISSED, "{subscribed}");
            screen
        })
        .collect();
    // A round later, each has the second of the one before; the hub goes through them in the order in which they came.
    let (tell, told) = mpsc::channel();
    for number in 0..behind.len() {
        let (tell, mut screen) = (tell.clone(), hub.screen());
        thread::spawn(move || {
            screen.hears_until_heartbeat().expect("a heartbeat");
            // Later ones come when nobody listens any more.
            tell.send(number).ok();
        });
    }
    loop {
        let number = told.recv_timeout(PATIENCE).expect("a replay that stands still while nobody reads");
        let (updates, heartbeat) = behind[number].hears_until_heartbeat().expect("a heartbeat");
        let reached = updates.last().map_or(0, |update| update["seq"].as_i64().expect("a position"));
        assert_eq!(heartbeat["sent"], updates.len());
        assert_eq!(heartbeat["seq"], reached, "what comes after it is still missed");
        if reached < MISSED {
            let rest = behind[number].hears_updates_until(MISSED);
            return assert_eq!(rest, (reached + 1..=MISSED).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_peer_that_answers_no_ping_is_gone_before_the_next_one() {
    let hub = spawn_hub();
    // Pings come after 25 s and 50 s, and the end of patience after 35 s: their order shows it, however slow the machine is.
    assert_eq!(RawSocket::upgraded(&hub).pings_until_the_end(), 1);
    assert_eq!(hub.json("/health")["sessions"], 0);
}

#[test]
fn a_peer_that_answers_no_ping_is_gone_ten_seconds_after_it() {
    /// Heartbeats of a round of screens come one a second, by the hub's own clock. Of these the peer's end comes with the tenth.
    const BEATS: usize = 13;
    let hub = spawn_hub();
    let mut dead = RawSocket::upgraded(&hub);
    let (tell, told) = mpsc::channel();
    for mut screen in (0..HEARTBEAT_SECONDS).map(|_| hub.screen()).collect::<Vec<_>>() {
        let tell = tell.clone();
        thread::spawn(move || while screen.hears_until_heartbeat().is_some() && tell.send(()).is_ok() {});
    }
    dead.hears_ping();
    let before = told.try_iter().count();
    for _ in 0..BEATS {
        told.recv_timeout(PATIENCE).expect("a heartbeat");
    }
    assert!(dead.has_ended(), "nobody answered its ping; {before} heartbeats came before that");
}
