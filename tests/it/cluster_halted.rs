//! How hubs of a cluster store: records that cannot be stored, hubs that end meanwhile, and the log that grows.

use rusqlite::Connection;

use super::cluster::{cluster, until, until_ready};
use super::cluster_across::pair;
use super::support::load::{Load, all_updates, show_all_once};
use super::support::nats::nats;
use super::support::{Delivery, Hub};

/// From now on the database refuses to store this event, as one would that has no room for what it says.
fn refuses(hub: &Hub, event_id: &str) {
    let trigger = format!(
        "CREATE TRIGGER refuses BEFORE INSERT ON journal WHEN NEW.event_id = '{event_id}'
         BEGIN SELECT RAISE(ABORT, 'nobody can store this'); END"
    );
    let database = Connection::open(hub.database()).expect("the database");
    database.execute_batch(&trigger).expect("SQL");
}

/// The record that a hub stands at, as it says.
fn stands_at(hub: &Hub) -> i64 {
    until("the hub says where it stands", || cluster(hub)["halted"].is_string());
    let why = cluster(hub)["halted"].as_str().expect("words").to_owned();
    assert!(why.contains("nobody can store this") && why.contains("umbler-hub cluster skip"), "{why}");
    let (_, position) = why.split_once("the record at position ").expect("the position");
    position.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn a_record_that_no_hub_can_store_is_named_and_passed_over_once_an_operator_says_so() {
    let Some(nats) = nats() else { return };
    let hubs = pair(&nats, &[]);
    for hub in &hubs {
        refuses(hub, "poison");
    }
    let [one, other] = &hubs;
    let mut ids = Vec::new();
    let mut posts = |hub: &Hub, delivery: Delivery| {
        assert_eq!(hub.provider().posts(&delivery)["status"], "accepted");
        ids.push(delivery.id().to_owned());
    };
    // The one gets all three in one batch.
    one.stand_still(true);
    posts(other, Delivery::message("before"));
    posts(other, Delivery::message("c1").event_id("poison"));
    posts(other, Delivery::message("behind"));
    one.stand_still(false);
    let poison = stands_at(one);
    assert_eq!(stands_at(other), poison);
    for hub in &hubs {
        assert_eq!(cluster(hub)["applied"], poison - 1, "what came before it is stored");
        assert_eq!(hub.get("/api/umbler/chats/before").status, 200);
        assert_eq!(hub.get("/health/ready").status, 503);
    }
    // A hub that could store it would go on, so deliveries are brought into the stream.
    posts(one, Delivery::message("meanwhile"));
    until("the stream has them", || hubs.iter().all(|hub| cluster(hub)["inbox"] == 0));
    let tool = tempfile::tempdir().expect("a folder");
    // Hubs tell every few seconds where they stand. Until both have, it is refused.
    until("it is skipped", || {
        let (succeeded, said) = nats.tool(tool.path(), &["cluster", "skip", &poison.to_string()]);
        assert!(succeeded || said.contains("does not stand at it"), "{said}");
        assert!(!succeeded || said.contains("start each hub again"), "{said}");
        succeeded
    });
    let [one, other] = hubs.map(Hub::restarted);
    until_ready(&one);
    until_ready(&other);
    ids.retain(|id| id != "poison");
    ids.push(format!("skipped:{poison}"));
    show_all_once(&[&one, &other], &ids);
    let kept = all_updates(&one).into_iter().find(|update| update["seq"] == poison).expect("it is kept");
    assert_eq!(kept["data"]["eventId"], format!("skipped:{poison}"));
}

#[test]
fn what_a_hub_could_not_store_while_it_ended_its_next_start_stores() {
    let Some(nats) = nats() else { return };
    let mut hub = nats.hub("a", nats.begun(), &[]);
    until_ready(&hub);
    until("it has the duties", || cluster(&hub)["duties"] == true);
    let database = Connection::open(hub.database()).expect("the database");
    database.execute_batch("BEGIN IMMEDIATE").expect("it is locked");
    // The writer tries for two seconds to store the first, and the others are behind it.
    let deliveries = ["first", "second", "third"].map(Delivery::message);
    std::thread::scope(|scope| {
        for delivery in &deliveries {
            scope.spawn(|| assert_eq!(hub.provider().posts(delivery)["status"], "accepted"));
        }
    });
    hub.terminate();
    until("it gives up", || hub.log().contains("the last records were not stored"));
    database.execute_batch("ROLLBACK").expect("it is unlocked");
    hub.stop();
    let hub = hub.started_again();
    show_all_once(&[&hub], &deliveries.map(|delivery| delivery.id().to_owned()));
}

#[test]
fn the_log_of_a_database_in_a_cluster_stays_bounded() {
    let Some(nats) = nats() else { return };
    let hub = nats.hub("a", nats.begun(), &[]);
    until_ready(&hub);
    let load = Load::on(&[&hub]);
    // Each is a transaction of its own, of about a dozen pages.
    for _ in 0..20 {
        load.goes_on_for(100);
    }
    let ids = load.finish();
    show_all_once(&[&hub], &ids);
    // The bound (64 MiB), and what one transaction adds at the most.
    let log = std::fs::metadata(hub.home().join("hub.db-wal")).expect("the log").len();
    println!("{log} bytes");
    assert!(log < 80 * 1024 * 1024, "{log} bytes");
}
