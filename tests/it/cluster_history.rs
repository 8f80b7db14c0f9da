//! A stream that was put back to an older state, or begun anew, is told from the one that a hub has followed.

use serde_json::Value;

use super::cluster::{cluster, posted, until, until_ready, until_shown};
use super::cluster_fences::publishes;
use super::support::load::all_updates;
use super::support::nats::{Nats, copy_of, nats};
use super::support::{Delivery, Hub};

/// Three hubs that are in step, one of which has the duties.
fn three(nats: &Nats) -> [Hub; 3] {
    let home = nats.begun();
    let (second, third) = (copy_of(home.path()), copy_of(home.path()));
    let hubs = [("a", home), ("b", second), ("c", third)].map(|(node, home)| nats.hub(node, home, &[]));
    hubs.iter().for_each(until_ready);
    until("one has the duties", || hubs.iter().any(|hub| cluster(hub)["duties"] == true));
    hubs
}

#[test]
fn a_stream_that_was_put_back_and_filled_by_a_hub_that_lagged_is_not_gone_on_with() {
    let Some(mut nats) = nats() else { return };
    let [one, two, mut lagging] = three(&nats);
    lagging.stop();
    until_shown(&two, posted(&one, "c1"));
    nats.kill();
    let older = nats.stored();
    nats.restart();
    let mut last = Value::Null;
    until("the stream takes records", || {
        last = one.provider().says("c1", "acknowledged, and not in the older stream")["seq"].clone();
        last.is_i64()
    });
    for _ in 0..10 {
        last = posted(&one, "c1").into();
    }
    let last = last.as_i64().expect("a position");
    until_shown(&two, last);
    let ahead = [one, two];
    for hub in &ahead {
        hub.stand_still(true);
    }
    nats.kill();
    nats.put_back(&older);
    nats.restart();
    let lagging = lagging.started_again();
    until_ready(&lagging);
    until("the stream is longer than it was", || posted(&lagging, "c2") > last + 5);
    for hub in &ahead {
        hub.stand_still(false);
    }
    for hub in &ahead {
        until("it has halted", || cluster(hub)["halted"].is_string());
        let state = cluster(hub);
        let why = state["halted"].as_str().expect("words");
        assert!(why.contains("the stream has another record at position "), "{why}");
        assert_eq!((&state["applied"], hub.get("/api/umbler/chats/c2").status), (&last.into(), 404));
        assert_eq!(hub.provider().says("c1", "kept")["seq"], Value::Null);
    }
}

#[test]
fn a_skipped_position_is_forgotten_with_its_stream() {
    let Some(nats) = nats() else { return };
    let mut hub = nats.hub("a", nats.begun(), &[]);
    until_ready(&hub);
    until("it has the duties", || cluster(&hub)["duties"] == true);
    posted(&hub, "c1");
    hub.stop();
    let before = copy_of(hub.home());
    let mut hub = hub.started_again();
    until_ready(&hub);
    until("it has the duties again", || cluster(&hub)["duties"] == true);
    let poison = publishes(&nats, "delivery", b"\x01 no record of any hub".to_vec());
    let tool = tempfile::tempdir().expect("a folder");
    until("it is skipped", || nats.tool(tool.path(), &["cluster", "skip", &poison.to_string()]).0);
    until("it goes on", || cluster(&hub)["applied"].as_i64() >= Some(poison));
    hub.stop();

    nats.begin(before.path(), &["--replace"]);
    let hub = nats.hub("b", before, &[]);
    until_ready(&hub);
    let mut ids = Vec::new();
    until("its history is as long", || {
        let delivery = Delivery::message("c2");
        ids.push(delivery.id().to_owned());
        hub.provider().posts(&delivery)["seq"].as_i64() > Some(poison)
    });
    let updates = all_updates(&hub);
    assert_eq!(updates.iter().find(|update| update.to_string().contains("skipped:")), None);
    assert!(ids.iter().all(|id| updates.iter().any(|update| update.to_string().contains(id))));
}
