//! `umbler-hub backup` while the hub works, and `umbler-hub restore` when something went wrong.

use std::sync::atomic::{AtomicBool, Ordering};

use rand::{RngExt, SeedableRng};
use rusqlite::Connection;
use serde_json::Value;

use super::support::hub::{command, command_through, refuses_to_serve};
use super::support::{Delivery, Hub, OverAtDrop, spawn_hub};

fn tool(hub: &Hub, arguments: &[&str]) -> (bool, String) {
    let output = command(hub.home()).args(arguments).output().expect("the tool runs");
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    (output.status.success(), said)
}

fn does(hub: &Hub, arguments: &[&str]) -> String {
    let (done, said) = tool(hub, arguments);
    assert!(done, "{arguments:?}: {said}");
    said
}

fn refuses(hub: &Hub, arguments: &[&str], because: &str) {
    let (done, said) = tool(hub, arguments);
    assert!(!done && said.contains(because), "{arguments:?} must be refused because of {because}: {said}");
}

/// Positions of the journal in a file, and the messages that its counters tell.
fn content(hub: &Hub, file: &str) -> (i64, i64) {
    let database = Connection::open(hub.home().join(file)).expect("a database");
    let count = |sql| database.query_row(sql, [], |row| row.get(0)).expect("a row");
    (count("SELECT count(*) FROM journal"), count("SELECT total_messages FROM counters"))
}

fn files(hub: &Hub) -> Vec<String> {
    let entries = std::fs::read_dir(hub.home()).expect("a folder").map(|entry| entry.expect("an entry"));
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_backup_under_load_is_one_consistent_moment() {
    let hub = spawn_hub();
    // Large enough that the copy takes many steps, between which deliveries are committed. Bytes that do not compress.
    let mut random = rand::rngs::StdRng::seed_from_u64(1);
    for _ in 0..4 {
        let media: String = (0..8_000_000).map(|_| char::from(random.random_range(b'0'..b'z'))).collect();
        let media = media.replace('\\', "A");
        hub.provider()
            .posts(&Delivery::message("media").message_field("File", serde_json::json!({ "Data": media })));
    }
    let (url, over) = (hub.url("/api/umbler/webhook"), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let end = OverAtDrop(&over);
        for connection in 0..4 {
            let (url, over) = (&url, &over);
            scope.spawn(move || {
                let agent = ureq::Agent::new_with_defaults();
                while !over.load(Ordering::Acquire) {
                    let delivery = Delivery::message(&format!("chat-{connection}"));
                    agent.post(url).send(&delivery.bytes()).expect("the hub answers");
                }
            });
        }
        let mut last = 0;
        for number in 0..5 {
            let before = hub.json("/health")["seq"].as_i64().expect("a position");
            let file = format!("backup-{number}.db");
            // A copy that was begun anew at each commit might never end.
            let mut tool = command_through(&["timeout", "20"], hub.home());
            let output = tool.args(["backup", &file]).output().expect("the tool runs");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{output:?}");
            let (rows, messages) = content(&hub, &file);
            assert!(rows >= before && rows >= last, "acknowledged before, and not in the backup: {said}");
            assert_eq!(rows, messages, "journal and counters are of the same moment");
            assert!(said.contains(&format!("{rows} deliveries")), "{said}");
            last = rows;
        }
        drop(end);
    });
    let left: Vec<String> = files(&hub).into_iter().filter(|name| name.contains("partial")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_backup_overwrites_nothing_unasked_and_never_the_database_itself() {
    let hub = spawn_hub();
    hub.provider().says("a", "hello");
    std::fs::write(hub.home().join("letter"), "somebody's letter").expect("written");
    refuses(&hub, &["backup", "letter"], "exists already");
    assert_eq!(std::fs::read(hub.home().join("letter")).expect("read"), b"somebody's letter");
    does(&hub, &["backup", "letter", "--force"]);
    assert_eq!(content(&hub, "letter"), (1, 1));
    refuses(&hub, &["backup", "hub.db", "--force"], "is the database itself");
    refuses(&hub, &["restore", "hub.db"], "is the database itself");
    refuses(&hub, &["backup", "nowhere/file.db"], "nowhere/file.db");
    refuses(&hub, &["backup", "x.db", "--database-path", "missing.db"], "there is no file missing.db");
}

#[test]
fn a_restored_hub_begins_a_new_epoch_and_the_database_before_is_kept() {
    let mut hub = spawn_hub();
    let health = hub.json("/health");
    (0..3).for_each(|_| drop(hub.provider().says("a", "before")));
    does(&hub, &["backup", "backup.db"]);
    (0..4).for_each(|_| drop(hub.provider().says("a", "after")));
    refuses(&hub, &["restore", "backup.db"], "another process uses this database");
    // Killed, so that the newest deliveries stand in the write-ahead log only: it must be kept as well.
    hub.kill();
    let said = does(&hub, &["restore", "backup.db"]);
    assert!(said.contains("3 deliveries, sound; a new epoch begins"), "{said}");
    let aside =
        said.lines().find_map(|line| line.strip_prefix("the previous database is kept: ")).expect("a path");
    assert_eq!(content(&hub, aside), (7, 7), "all of the old one is there, its log included");

    let hub = hub.started_again();
    let now = hub.json("/health");
    assert_eq!(now["seq"], 3);
    assert_ne!(now["epoch"], health["epoch"]);
    assert_eq!(hub.provider().says("a", "goes on")["seq"], 4);
    let old = health["epoch"].as_str().expect("a text");
    hub.get(&format!("/api/umbler/updates?after=3&epoch={old}")).refuses(410, "epoch_changed");
    assert_eq!(content(&hub, "backup.db"), (3, 3), "the backup itself is not touched");
}

#[test]
fn a_backup_is_the_way_out_of_a_lost_database() {
    let mut hub = spawn_hub();
    (0..3).for_each(|_| drop(hub.provider().says("a", "hello")));
    does(&hub, &["backup", "backup.db"]);
    hub.provider().says("a", "lost");
    hub.stop();
    std::fs::remove_file(hub.database()).expect("deleted");
    assert!(refuses_to_serve(&mut command(hub.home())).1.contains("has lost deliveries"));
    does(&hub, &["restore", "backup.db"]);
    let hub = hub.started_again();
    assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], 3);
}

#[test]
fn what_is_no_sound_backup_changes_nothing() {
    let mut hub = spawn_hub();
    for number in 0..200 {
        hub.provider().says(&format!("chat-{number}"), "hello");
    }
    does(&hub, &["backup", "backup.db"]);
    hub.stop();
    let before = std::fs::read(hub.database()).expect("read");
    let whole = std::fs::read(hub.home().join("backup.db")).expect("read");
    let mut damaged = whole.clone();
    let page = whole.len() / 4_096 / 2;
    damaged[page * 4_096..(page + 1) * 4_096].fill(0xaa);
    std::fs::write(hub.home().join("damaged.db"), damaged).expect("written");
    std::fs::write(hub.home().join("short.db"), &whole[..whole.len() / 2]).expect("written");
    std::fs::write(hub.home().join("letter"), "no database ".repeat(1_000)).expect("written");
    let foreign = Connection::open(hub.home().join("foreign.db")).expect("a database");
    foreign.execute_batch("CREATE TABLE letters (text)").expect("made");
    drop(foreign);
    std::fs::copy(hub.home().join("backup.db"), hub.home().join("newer.db")).expect("copied");
    let newer = Connection::open(hub.home().join("newer.db")).expect("a database");
    newer.pragma_update(None, "user_version", 99).expect("set");
    drop(newer);
    refuses(&hub, &["restore", "damaged.db"], "did not pass the check");
    refuses(&hub, &["restore", "short.db"], "did not pass the check");
    refuses(&hub, &["restore", "letter"], "not a database");
    refuses(&hub, &["restore", "foreign.db"], "is not a database of umbler-hub");
    refuses(&hub, &["restore", "newer.db"], "was written by a newer umbler-hub");
    refuses(&hub, &["restore", "missing.db"], "there is no file missing.db");
    assert_eq!(std::fs::read(hub.database()).expect("read"), before);
    assert!(!files(&hub).iter().any(|name| name.contains("before") || name.contains("restoring")));
    let hub = hub.started_again();
    assert_eq!(hub.json("/health")["seq"], 200);
}

#[test]
fn a_damaged_database_gives_no_backup() {
    let mut hub = spawn_hub();
    for number in 0..200 {
        hub.provider().says(&format!("chat-{number}"), "hello");
    }
    hub.stop();
    let mut bytes = std::fs::read(hub.database()).expect("read");
    let page = bytes.len() / 4_096 / 2;
    bytes[page * 4_096..(page + 1) * 4_096].fill(0xaa);
    std::fs::write(hub.database(), bytes).expect("written");
    refuses(&hub, &["backup", "backup.db"], "did not pass the check");
    assert!(!files(&hub).iter().any(|name| name.starts_with("backup.db")), "{:?}", files(&hub));
}

#[test]
fn updates_after_a_restore_are_those_of_the_backup() {
    let mut hub = spawn_hub();
    (0..3).for_each(|_| drop(hub.provider().says("a", "hello")));
    does(&hub, &["backup", "backup.db"]);
    let ids = |hub: &Hub| -> Vec<Value> {
        let page = hub.json("/api/umbler/updates?after=0");
        page["updates"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|update| update["data"]["eventId"].clone())
            .collect()
    };
    let before = ids(&hub);
    hub.kill();
    does(&hub, &["restore", "backup.db"]);
    assert_eq!(ids(&hub.started_again()), before);
}
