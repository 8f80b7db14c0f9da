//! A database that holds less than was committed to it is a clear error with a way out, never a fresh start.

use std::path::{Path, PathBuf};
use std::process::Output;

use rusqlite::Connection;
use serde_json::json;

use super::support::hub::{command, refuses_to_serve};
use super::support::{Hub, spawn_hub};

/// Deliveries that the hubs of these tests were given.
const DELIVERIES: i64 = 5;

/// A hub that took deliveries in and was stopped.
fn stopped_hub() -> Hub {
    let mut hub = spawn_hub();
    (0..DELIVERIES).for_each(|_| drop(hub.provider().says("a", "hello")));
    assert!(hub.stop().success());
    hub
}

fn run(hub: &Hub, arguments: &[&str]) -> (Option<i32>, String) {
    let output = command(hub.home()).args(arguments).output().expect("the program runs");
    (output.status.code(), text(&output))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// It does not start, says what is lost and names both ways out; what is there is not touched.
fn refuses_to_start(hub: &Hub, because: &str) {
    let before = std::fs::read(hub.database()).ok();
    let (code, said) = refuses_to_serve(&mut command(hub.home()));
    assert_eq!(code, Some(1), "{said}");
    for words in ["has lost deliveries", because, "umbler-hub restore", "umbler-hub accept-data-loss"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(std::fs::read(hub.database()).ok(), before, "nothing was written");
}

fn beside(hub: &Hub, suffix: &str) -> PathBuf {
    hub.home().join(format!("hub.db{suffix}"))
}

fn seq_of(path: &Path) -> i64 {
    let database = Connection::open(path).expect("a database");
    database.query_row("SELECT coalesce(max(seq), 0) FROM journal", [], |row| row.get(0)).expect("a row")
}

#[test]
fn a_deleted_database_is_not_begun_anew_until_its_operator_says_so() {
    let hub = stopped_hub();
    std::fs::remove_file(hub.database()).expect("deleted");
    refuses_to_start(&hub, "the file is missing, and 5 deliveries were committed");
    let (code, said) = run(&hub, &["accept-data-loss"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the next start begins with an empty database"), "{said}");
    let hub = hub.started_again();
    assert_eq!(hub.json("/health")["seq"], 0);
    assert_eq!(hub.provider().says("a", "hello")["seq"], 1);
}

#[test]
fn an_emptied_database_is_not_begun_anew_until_its_operator_says_so() {
    let hub = stopped_hub();
    std::fs::write(hub.database(), "").expect("emptied");
    refuses_to_start(&hub, "the file was emptied");
    let (code, said) = run(&hub, &["accept-data-loss"]);
    assert_eq!((code, said.contains("the previous database is kept")), (Some(0), true), "{said}");
    assert_eq!(hub.started_again().json("/health")["seq"], 0);
}

#[test]
fn emptied_tables_are_no_fresh_start() {
    let hub = stopped_hub();
    let database = Connection::open(hub.database()).expect("the database");
    database.execute_batch("DROP TABLE journal").expect("dropped");
    drop(database);
    refuses_to_start(&hub, "its tables are gone");
}

#[test]
fn an_older_copy_that_was_put_in_place_by_hand_is_noticed_and_gets_a_new_epoch() {
    let mut hub = stopped_hub();
    let old = hub.home().join("old.db");
    std::fs::copy(hub.database(), &old).expect("copied");
    hub = hub.started_again();
    let epoch = hub.json("/health")["epoch"].clone();
    (0..3).for_each(|_| drop(hub.provider().says("a", "later")));
    hub.stop();
    std::fs::copy(&old, hub.database()).expect("copied");
    refuses_to_start(&hub, "its history ends at delivery 5, and 8 deliveries were committed");

    assert_eq!(run(&hub, &["accept-data-loss"]).0, Some(0));
    let hub = hub.started_again();
    let health = hub.json("/health");
    assert_eq!(health["seq"], 5, "the rows that are there are kept");
    assert_ne!(health["epoch"], epoch, "a position of the lost history must not be taken for one of the new");
    let epoch = epoch.as_str().expect("a text");
    hub.get(&format!("/api/umbler/updates?after=5&epoch={epoch}")).refuses(410, "epoch_changed");
}

#[test]
fn a_database_without_its_write_ahead_log_is_noticed() {
    let mut hub = spawn_hub();
    (0..DELIVERIES).for_each(|_| drop(hub.provider().says("a", "hello")));
    hub.kill();
    // What was committed stands in the log until it is copied back.
    std::fs::remove_file(beside(&hub, "-wal")).expect("deleted");
    refuses_to_start(&hub, "5 deliveries were committed");
}

#[test]
fn the_database_of_another_hub_is_noticed() {
    let (hub, other) = (stopped_hub(), stopped_hub());
    std::fs::copy(other.database(), hub.database()).expect("copied");
    refuses_to_start(&hub, "it holds another history");
}

#[test]
fn a_log_without_its_database_is_not_thrown_away() {
    let mut hub = spawn_hub();
    hub.provider().says("a", "hello");
    hub.kill();
    for suffix in ["", ".lineage"] {
        std::fs::remove_file(beside(&hub, suffix)).expect("deleted");
    }
    let log = std::fs::read(beside(&hub, "-wal")).expect("the log");
    refuses_to_start(&hub, "its write-ahead log is there");
    assert_eq!(std::fs::read(beside(&hub, "-wal")).expect("the log"), log);
}

#[test]
fn a_whole_database_has_no_loss_to_accept() {
    let hub = stopped_hub();
    let (code, said) = run(&hub, &["accept-data-loss"]);
    assert_eq!((code, said.contains("there is no loss to accept")), (Some(1), true), "{said}");
    assert_eq!(seq_of(&hub.database()), DELIVERIES);
    let home = tempfile::tempdir().expect("a folder");
    let output = command(home.path()).arg("accept-data-loss").output().expect("the program runs");
    assert!(text(&output).contains("there is no file"), "{}", text(&output));
    let running = spawn_hub();
    let (_, said) = run(&running, &["accept-data-loss"]);
    assert!(said.contains("another process uses this database"), "{said}");
}

#[test]
fn a_damaged_database_is_kept_aside_when_its_loss_is_accepted() {
    let hub = stopped_hub();
    std::fs::write(hub.database(), vec![0xaa; 40_960]).expect("overwritten");
    let (code, said) = refuses_to_serve(&mut command(hub.home()));
    assert_eq!(code, Some(1));
    assert!(said.contains("is damaged") && said.contains("umbler-hub restore FILE"), "{said}");
    let (code, said) = run(&hub, &["accept-data-loss"]);
    assert_eq!(code, Some(0), "{said}");
    let aside =
        said.lines().find_map(|line| line.strip_prefix("the previous database is kept: ")).expect("a path");
    assert_eq!(std::fs::read(aside).expect("the file"), vec![0xaa; 40_960]);
    assert_eq!(hub.started_again().json("/health")["seq"], 0);
}

#[test]
fn a_marker_that_is_missing_behind_or_torn_stops_nobody() {
    let marker = |hub: &Hub| std::fs::read(beside(hub, ".lineage")).expect("the marker");
    let mut hub = stopped_hub();
    // A database from before there were markers, or one that was carried here alone.
    std::fs::remove_file(beside(&hub, ".lineage")).expect("deleted");
    hub = hub.started_again();
    assert_eq!(hub.json("/health")["seq"], DELIVERIES);
    let behind = marker(&hub);
    hub.provider().says("a", "later");
    let newest = marker(&hub);
    hub.kill();
    // After a power cut it may be behind, as it is never synced,
    std::fs::write(beside(&hub, ".lineage"), &behind).expect("written");
    hub = hub.started_again();
    assert_eq!(hub.json("/health")["seq"], DELIVERIES + 1);
    hub.kill();
    // or half of it the old one.
    let torn: Vec<u8> = newest
        .iter()
        .zip(&behind)
        .enumerate()
        .map(|(at, (new, old))| if at % 4_096 < 70 { *new } else { *old })
        .collect();
    std::fs::write(beside(&hub, ".lineage"), torn).expect("written");
    hub = hub.started_again();
    assert_eq!(hub.json("/health")["seq"], DELIVERIES + 1);
    hub.kill();
    std::fs::write(beside(&hub, ".lineage"), "no marker at all").expect("written");
    hub = hub.started_again();
    assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], json!(DELIVERIES + 1));
    assert!(hub.log().contains("the lineage marker could not be read"), "{}", hub.log());
}
