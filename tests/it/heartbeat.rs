//! The heartbeat proves the data path: a screen that counts otherwise knows that it missed something.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::thread;

use umbler_hub::protocol::HEARTBEAT_SECONDS;

use super::support::{PATIENCE, Screen, spawn_hub};

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
