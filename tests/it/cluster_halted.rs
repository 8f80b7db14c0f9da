//! How hubs of a cluster store: records that cannot be stored, hubs that end meanwhile, and the log that grows.

use rusqlite::Connection;

use super::cluster::{cluster, until, until_ready};
use super::support::load::{Load, show_all_once};
use super::support::nats::nats;
use super::support::Delivery;

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
