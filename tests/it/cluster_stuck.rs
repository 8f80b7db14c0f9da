//! A server of NATS that answers and does not give what it should: a hub waits for it or goes around it, and takes nothing for granted.

use std::time::Duration;

use async_nats::jetstream;
use futures_util::TryStreamExt;
use rusqlite::Connection;

use super::cluster::{cluster, operates, posted, until, until_ready, until_shown};
use super::support::load::all_updates;
use super::support::nats::{Nats, Synced, copy_of, nats, servers};
use super::support::{Delivery, Hub};

/// From now on the database of a hub refuses to store this event.
fn refuses(hub: &Hub, event_id: &str) {
    let trigger = format!(
        "CREATE TRIGGER refuses BEFORE INSERT ON journal WHEN NEW.event_id = '{event_id}'
         BEGIN SELECT RAISE(ABORT, 'nobody can store this'); END"
    );
    Connection::open(hub.database()).expect("the database").execute_batch(&trigger).expect("SQL");
}

/// Has one server alone keep the skipped positions, and returns which.
fn on_one_server(nats: &Nats) -> usize {
    const SKIPS: &str = "KV_umbler-hub-skips";
    operates(nats, async |context| {
        let mut stream = context.get_stream(SKIPS).await.expect("the bucket");
        let config = stream.info().await.expect("what it is").config.clone();
        let config = jetstream::stream::Config { num_replicas: 1, ..config };
        context.update_stream(config).await.expect("it is changed");
    });
    let is_alone = || {
        operates(nats, async |context| {
            let stream = context.get_stream(SKIPS).await.ok()?;
            stream.cached_info().cluster.as_ref().map(|cluster| cluster.replicas.is_empty())
        })
    };
    until("one server has it", || is_alone() == Some(true));
    nats.leader(SKIPS)
}

#[test]
fn a_hub_that_cannot_know_what_is_skipped_waits_until_it_can() {
    let Some(mut nats) = servers(3, Synced::Always) else { return };
    let home = nats.begun();
    let (second, third) = (copy_of(home.path()), copy_of(home.path()));
    let hubs = [nats.hub("a", home, &[]), nats.hub("b", second, &[])];
    hubs.iter().for_each(until_ready);
    for hub in &hubs {
        refuses(hub, "poison");
    }
    hubs[0].provider().posts(&Delivery::message("c1").event_id("poison"));
    let at = |hub: &Hub| cluster(hub)["applied"].as_i64().expect("a position");
    until("both stand at it", || hubs.iter().all(|hub| cluster(hub)["halted"].is_string()));
    let poison = at(&hubs[0]) + 1;
    let tool = tempfile::tempdir().expect("a folder");
    until("it is skipped", || nats.tool(tool.path(), &["cluster", "skip", &poison.to_string()]).0);
    let [one, other] = hubs.map(Hub::restarted);
    [&one, &other].into_iter().for_each(until_ready);
    let alone = on_one_server(&nats);
    nats.kill_one(alone);
    // It could store the record, and does not know that the others pass it over.
    let third = nats.hub("c", third, &[]);
    until("it waits, or has gone on", || third.log().contains("records are skipped") || at(&third) >= poison);
    assert!(at(&third) < poison, "it waits");
    nats.restart_one(alone);
    until_ready(&third);
    let shows = |hub: &Hub| all_updates(hub).iter().map(ToString::to_string).collect::<Vec<_>>();
    until_shown(&third, poison);
    assert_eq!(shows(&third), shows(&one));
}

#[test]
fn a_hub_whose_reading_of_the_stream_stands_still_reads_it_anew() {
    let Some(nats) = nats() else { return };
    let hub = nats.hub("a", nats.begun(), &[]);
    until_ready(&hub);
    let first = posted(&hub, "c1");
    // A consumer that is paused says that it is there, and gives nothing, as one on a replica that is stuck.
    operates(&nats, async |context| {
        let stream = context.get_stream("umbler-hub").await.expect("the stream");
        let until = stream.cached_info().created + Duration::from_hours(1);
        let names: Vec<String> = stream.consumer_names().try_collect().await.expect("names");
        assert!(!names.is_empty());
        for name in names {
            stream.pause_consumer(&name, until).await.expect("paused");
        }
    });
    let seq = posted(&hub, "c1");
    assert!(seq > first);
    until_shown(&hub, seq);
    until_ready(&hub);
    assert!(hub.log().contains("the stream is read anew"), "it noticed by itself");
}
