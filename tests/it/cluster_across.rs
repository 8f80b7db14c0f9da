//! What reaches across the hubs of a cluster beside records.

use serde_json::{Value, json};

use super::cluster::{cluster, posted, until, until_ready, until_shown};
use super::support::Hub;
use super::support::faults::limit_file_size;
use super::support::nats::{Nats, copy_of, nats};

/// Two hubs that are in step.
pub fn pair(nats: &Nats, settings: &[(&str, &str)]) -> [Hub; 2] {
    let home = nats.begun();
    let copy = copy_of(home.path());
    let hubs = [nats.hub("a", home, settings), nats.hub("b", copy, settings)];
    hubs.iter().for_each(until_ready);
    hubs
}

/// What a hub says of the other one; null where it knows of none.
pub fn peer(hub: &Hub) -> Value {
    cluster(hub)["peers"][0].clone()
}

#[test]
fn the_health_of_one_hub_shows_how_the_others_are() {
    let Some(nats) = nats() else { return };
    let [one, mut other] = pair(&nats, &[]);
    let _screen = other.screen();
    let seq = one.provider().says("c1", "hello")["seq"].clone();
    until("the other hub has told what it applied", || {
        let peer = peer(&one);
        peer["applied"].as_i64() >= seq.as_i64()
            && peer["sessions"] == 1
            && peer["duties"] == cluster(&other)["duties"]
    });
    let told = peer(&one);
    assert!(told["heardSecondsAgo"].as_u64().is_some_and(|seconds| seconds < 15), "{told}");
    let shown = [&told["node"], &told["ready"], &told["inbox"], &told["lagSeconds"], &told["halted"]];
    assert_eq!(shown, [&json!("b"), &json!(true), &json!(0), &json!(0), &Value::Null]);
    assert_eq!(told["version"], one.json("/health")["version"]);
    // It says that it ends.
    other.stop();
    until("the hub that has ended is not listed", || peer(&one).is_null());
    let mut other = other.started_again();
    until("it is listed again", || peer(&one)["ready"] == true);
    // Now it cannot say so.
    other.kill();
    until("the hub that was killed is not ready", || peer(&one)["ready"] == false);
}

#[test]
fn a_screen_that_is_ahead_of_a_hub_is_sent_on_with_its_position() {
    let Some(nats) = nats() else { return };
    let [one, other] = pair(&nats, &[]);
    until_shown(&other, posted(&one, "c1"));
    // From now on the other applies nothing, and sees that the stream goes on.
    let wal = std::fs::metadata(other.home().join("hub.db-wal")).expect("the file").len();
    limit_file_size(&other, Some(wal));
    let epoch = one.json("/health")["epoch"].clone();
    let seq = one.provider().says("c1", "applied by one")["seq"].as_i64().expect("a position");
    let mut screen = other.screen().ignoring_status();
    screen.says("subscribe_updates", json!({ "channels": ["updates"], "since": seq, "epoch": epoch }));
    let goodbye = screen.hears("going_away");
    assert_eq!(goodbye["reason"], "too_far_ahead");
    assert!(goodbye["retryAfterMs"].as_u64() >= Some(1_000), "{goodbye}");
    assert_eq!(screen.is_closed_with(), 4000);
    // A stream and a question are told the same.
    let epoch_text = epoch.as_str().expect("an epoch");
    let stream = other.get(&format!("/api/umbler/stream?since={seq}&epoch={epoch_text}")).text;
    assert!(stream.contains(r#""reason":"too_far_ahead""#) && stream.contains(r#""code":4000"#), "{stream}");
    assert!(!stream.contains("umbler_data"), "it takes no snapshot: {stream}");
    other.get(&format!("/api/umbler/updates?after={seq}")).refuses(503, "unavailable");
    assert_eq!(other.counter(r#"umbler_hub_recoveries_total{outcome="too_far_ahead"}"#), 2);

    limit_file_size(&other, None);
    let mut screen = other.screen().ignoring_status();
    until("the other hub has caught up", || other.json("/health")["seq"] == seq);
    screen.says("subscribe_updates", json!({ "channels": ["updates"], "since": seq, "epoch": epoch }));
    assert_eq!(screen.hears("subscribed")["recovered"], true);
}
