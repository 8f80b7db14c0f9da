//! A hub that is cut off from its cluster, or behind it, says so on every screen; and sends screens to a better one.

use serde_json::{Value, json};

use super::cluster::{until, until_ready};
use super::cluster_across::{pair, peer};
use super::support::line::Line;
use super::support::nats::{copy_of, nats};
use super::support::{Hub, Screen};

const CLUSTER_SECRET: &str = "a secret that only the hubs of the cluster know";

/// Reads until the hub says this of itself; what it said before.
fn hears_status(screen: &mut Screen, status: &str) -> Vec<Value> {
    let mut before = Vec::new();
    loop {
        let envelope = screen.hears_anything();
        if envelope["event"] == "hub_status" && envelope["data"]["status"] == status {
            assert!(envelope["data"]["since"].is_string(), "{envelope}");
            return before;
        }
        before.push(envelope);
    }
}

fn uptime(hub: &Hub) -> u64 {
    hub.json("/health")["uptimeSeconds"].as_u64().expect("seconds")
}

#[test]
fn screens_are_told_that_their_hub_is_behind_until_it_has_caught_up() {
    let Some(mut nats) = nats() else { return };
    let hub = nats.hub("a", nats.begun(), &[]);
    until_ready(&hub);
    let mut screen = hub.screen().watching(&["updates"]);
    nats.kill();
    assert!(hears_status(&mut screen, "behind").is_empty());
    assert_eq!(hub.screen().hears("hub_status")["status"], "behind", "who comes now is told at once");
    // Deliveries are taken all the same.
    assert_eq!(hub.provider().says("c1", "kept")["status"], "accepted");
    nats.restart();
    let heard = hears_status(&mut screen, "ok");
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(heard[0]["data"]["type"], "new_message", "it is well only after what it had kept");
    assert!(hub.screen().catches_up().is_empty());
}

#[test]
fn a_hub_that_is_cut_off_sends_its_screens_to_one_that_is_ready() {
    let Some(nats) = nats() else { return };
    let line = Line::to(nats.address());
    let server = format!("nats://{}", line.address());
    let home = nats.begun();
    let copy = copy_of(home.path());
    let mut one = nats.hub("a", home, &[]);
    let url = one.url("");
    one.stop();
    let mut settings = nats.settings("a");
    settings.extend([
        ("PORT", one.address().port().to_string()),
        ("NODE_URL", url.trim_end_matches('/').to_owned()),
        ("CLUSTER_SECRET", CLUSTER_SECRET.to_owned()),
    ]);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let one = one.started_again_with(&settings);
    let other = nats.hub("b", copy, &[("NATS_URL", &server)]);
    until_ready(&one);
    until_ready(&other);
    until("the other knows that the one is ready", || peer(&other)["ready"] == true);

    let seq = one.provider().says("c1", "shown by both")["seq"].as_i64().expect("a position");
    let mut screen = other.screen();
    let epoch = screen.welcome["epoch"].clone();
    screen = screen.watching(&["updates"]);
    until("the other shows it", || other.json("/health")["seq"] == seq);
    line.cut();
    hears_status(&mut screen, "behind");
    let goodbye = screen.hears("going_away");
    assert_eq!(goodbye["reason"], "behind");
    assert!(goodbye["retryAfterMs"].as_u64() >= Some(1_000), "{goodbye}");
    assert_eq!(screen.is_closed_with(), 4000);
    let missed = one.provider().says("c1", "missed")["seq"].as_i64().expect("a position");
    let mut screen = one.screen();
    assert_eq!(screen.comes_back(&["updates"], seq, &epoch)["recovered"], true);
    assert_eq!(screen.hears_updates_until(missed), [missed]);

    line.mend();
    until_ready(&other);
    until("the other has caught up", || other.json("/health")["seq"] == missed);
}

#[test]
fn screens_stay_where_they_are_if_no_hub_is_better() {
    let Some(mut nats) = nats() else { return };
    let hubs = pair(&nats, &[]);
    until("each knows that the other is ready", || hubs.iter().all(|hub| peer(hub)["ready"] == true));
    let mut screens = hubs.each_ref().map(Hub::screen);
    nats.kill();
    until("none is ready", || hubs.iter().all(|hub| hub.get("/health/ready").status == 503));
    // Long enough for some looks at the other hub.
    let then = uptime(&hubs[0]) + 4;
    until("some time has passed", || uptime(&hubs[0]) >= then);
    nats.restart();
    for screen in &mut screens {
        hears_status(screen, "behind");
        let meanwhile = hears_status(screen, "ok");
        assert!(meanwhile.is_empty(), "{meanwhile:?}");
        screen.says("ping", json!({}));
        screen.hears("pong");
    }
}
