//! The record is the truth: whatever is stored and told follows from the records, and from nothing else.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::{Value, json};
use umbler_hub::facade::journal::{Entry, ErasureRequest, Kind, Payload, digest_tables};

use super::alerts::{acknowledges, answer, question, saves, thresholds};
use super::support::faults::damage;
use super::support::hub::{command, start_in};
use super::support::keys::{SECRET, token};
use super::support::log::{Database, log, log_of_a_steady_clock, own, posted_entry};
use super::support::{Delivery, Hub, hub_with, spawn_hub, town};

/// Applies a log in batches that end where `ends` says, and starts anew after every so-manieth batch.
fn applied(entries: &[Entry], ends: &[usize], retained: i64, restart_every: usize) -> Database {
    let mut database = Database::new(retained);
    let (mut rest, mut batches) = (entries, 0);
    for size in ends.iter().copied().cycle() {
        let (batch, left) = rest.split_at(size.min(rest.len()));
        if batch.is_empty() {
            break;
        }
        database.commit(batch);
        (rest, batches) = (left, batches + 1);
        if batches % restart_every == 0 {
            database.restart();
        }
    }
    database.close();
    database
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_records_end_in_the_same_state_wherever_batches_end_and_however_often_it_is_started(
        seed in any::<u64>(),
        ends in prop::collection::vec(1..40usize, 1..12),
        restart_every in 1..9usize,
        retained in 20..400i64,
    ) {
        let entries = log(seed, 70);
        let one_by_one = applied(&entries, &[1], 1_000_000, usize::MAX);
        let other = applied(&entries, &ends, retained, restart_every);
        prop_assert_eq!(&one_by_one.frames, &other.frames);
        prop_assert_eq!(one_by_one.digests(), other.digests());
        let kept = other.kept_frames();
        let mut whole = one_by_one.kept_frames();
        whole.retain(|seq, _| kept.contains_key(seq));
        prop_assert_eq!(kept, whole);
    }
}

#[test]
fn every_kind_of_record_is_in_the_log_that_is_applied_twice() {
    let found: BTreeSet<Kind> = log(1, 70).iter().map(|entry| entry.kind).collect();
    let missing: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| !found.contains(kind)).collect();
    assert!(missing.is_empty(), "not in tests/it/support/log.rs: {missing:?}");
}

#[test]
fn more_than_a_block_of_simulated_days_comes_out_the_same_in_one_batch_and_in_many() {
    let entries = log(7, 700);
    let (whole, parts) =
        (applied(&entries, &[256], 1_000, usize::MAX), applied(&entries, &[1, 100, 3], 1_000, 5));
    let last = whole.frames.last().expect("updates").0;
    assert!(last.0 > 1_000, "one block ended: {last}");
    assert_eq!(whole.frames, parts.frames);
    assert_eq!(whole.digests(), parts.digests());
}

#[test]
fn a_check_understands_what_was_forgotten_although_the_updates_that_told_it_are_not_kept() {
    for seed in [11, 12] {
        let database = applied(&log_of_a_steady_clock(seed, 120), &[16], 30, usize::MAX);
        let home = database.path().parent().expect("a folder").to_owned();
        let output = command(&home).args(["check", "--deep"]).output().expect("the tool runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && said.contains("the result is what was stored"), "{said}");
    }
}

#[test]
fn who_must_not_be_stored_again_is_not_after_a_restart_either_although_the_clock_was_set_back() {
    let moment = |text: &str| text.parse().expect("a moment");
    let erasure = |id: &str, at: &str, block: bool| {
        let (contact, reason) = ("contact-1".into(), "asked for".to_owned());
        let request = ErasureRequest { contact, former_chats: Vec::new(), reason, block };
        own(Payload::Erasure(request), Some(id), moment(at))
    };
    let said = |id: &str, second: i64| {
        let said = Delivery::message("chat-1").event_id(id).message_id(id).at(second).text("the words");
        let said = said.set("/Payload/Content/Contact/Id", json!("contact-1"));
        posted_entry(&said.bytes(), None, moment("2026-03-02T18:00:00Z"))
    };
    let names = |database: &Database| -> Option<String> {
        database.connection().query_row("SELECT name FROM contacts", [], |row| row.get(0)).expect("a contact")
    };
    let mut database = Database::new(1_000);
    database.commit(&[said("first", 1)]);
    assert!(names(&database).is_some());
    database.commit(&[
        erasure("until-he-writes", "2026-03-02T15:00:00Z", false),
        erasure("for-good", "2026-03-02T14:00:00Z", true),
    ]);
    database.restart();
    database.commit(&[said("second", 15_000)]);
    assert_eq!(names(&database), None);
}

#[test]
fn a_record_that_is_left_out_is_noticed_from_its_block_on() {
    let entries = log(3, 60);
    let mut fewer = entries.clone();
    let is_settings = |entry: &Entry| entry.id.as_ref().is_some_and(|id| id.as_str().starts_with("settings"));
    fewer.remove(entries.iter().position(is_settings).expect("settings"));
    let (whole, without) = (applied(&entries, &[7], 1_000, 100), applied(&fewer, &[7], 1_000, 100));
    assert_ne!(whole.digests()["blocks"], without.digests()["blocks"]);
}

/// Runs a tool on the database of a stopped hub, in a zone of the machine that is not the team's.
fn tool(hub: &Hub, args: &[&str]) -> (Option<i32>, String) {
    let output = command(hub.home()).args(args).env("TZ", "Asia/Tokyo").output().expect("the tool runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn database(hub: &Hub) -> Connection {
    Connection::open(hub.database()).expect("the database")
}

/// A hub in which everything happened that is recorded, alerts that it raised itself included; it is stopped.
fn busy_hub() -> Hub {
    let mut hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let admin = format!("Bearer {}", token(json!({ "sub": "root", "role": "admin" })));
    let headers = [("authorization", &*admin), ("content-type", "application/json")];
    saves(&hub, Some(&admin), &thresholds(&[("waitingSeconds", 60)]), &json!({}));
    let mut screen = hub.screen().signed_in(&token(json!({ "sub": "root", "role": "admin" })));
    screen = screen.watching(&["updates"]);
    hub.provider().posts(&question("asks", 100));
    screen.hears_update("new_message");
    let alert = screen.hears_update("alert_raised")["data"]["alert"]["id"].clone();
    assert_eq!(acknowledges(&hub, alert.as_str().expect("an id"), &admin).status, 200);
    screen.hears_update("alert_acknowledged");
    hub.provider().posts(&answer("asks"));
    screen.hears_update("new_message");
    screen.hears_update("alert_cleared");
    town::settle(&hub);
    let said = Delivery::message("ana").message_id("gone").text("a secret");
    hub.provider().posts(&said);
    let deletion = said.clone().event_id("deletion").message_field("Content", Value::Null);
    hub.provider().posts(&deletion.message_field("IsDeleted", json!(true)));
    hub.provider().posts(&said);
    hub.provider().post(br#"{"EventId":"no-type"}"#);
    hub.names("bia", Some("Bia"), &token(json!({ "sub": "root", "role": "admin" })));
    for (path, body) in [
        ("/api/umbler/notify", json!({ "user": "bia", "data": [1.50, null] })),
        ("/api/umbler/revocations", json!({ "user": "caio" })),
    ] {
        let answer = hub.provider().post_to(path, &headers, body.to_string());
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    hub.stop();
    hub
}

#[test]
fn everything_that_follows_from_the_records_can_be_made_again_and_is_the_same() {
    let hub = busy_hub();
    let before = digest_tables(&database(&hub)).expect("digests");
    let (code, said) = tool(&hub, &["rebuild"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the result is what was stored"), "{said}");
    assert!(said.contains("the previous database is kept"), "{said}");
    assert_eq!(digest_tables(&database(&hub)).expect("digests"), before);

    // Positions mean what they meant: a screen that comes back is given what it missed, and nothing more.
    let epoch: String = database(&hub)
        .query_row("SELECT value FROM meta WHERE key = 'epoch'", [], |row| row.get(0))
        .expect("an epoch");
    let hub = hub.started_again();
    let health = hub.json("/health");
    assert_eq!((health["epoch"].as_str(), &health["status"]), (Some(&*epoch), &json!("ok")), "{health}");
    hub.provider().says("ana", "and it goes on");
}

#[test]
fn a_check_finds_a_state_that_no_record_made_and_a_rebuild_mends_it() {
    let hub = busy_hub();
    let (code, said) = tool(&hub, &["check", "--deep"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the result is what was stored"), "{said}");

    let before = digest_tables(&database(&hub)).expect("digests");
    database(&hub).execute("UPDATE counters SET total_messages = total_messages + 1", []).expect("altered");
    let (code, said) = tool(&hub, &["check", "--deep"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("differs in counters"), "{said}");

    let (code, said) = tool(&hub, &["rebuild"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("differs in counters"), "{said}");
    assert_eq!(digest_tables(&database(&hub)).expect("digests"), before);
}

#[test]
fn a_rebuild_mends_damaged_pages_as_long_as_the_records_can_be_read() {
    let hub = busy_hub();
    let before = digest_tables(&database(&hub)).expect("digests");
    for table in ["messages", "contacts"] {
        damage(&hub.database(), table);
    }
    let (code, said) = tool(&hub, &["backup", "damaged.db"]);
    assert_eq!(code, Some(1), "{said}");
    let (code, said) = tool(&hub, &["rebuild"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("it differs in ") && said.contains("messages"), "{said}");
    assert_eq!(digest_tables(&database(&hub)).expect("digests"), before);

    damage(&hub.database(), "raw_deliveries");
    let (code, said) = tool(&hub, &["rebuild"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("malformed"), "{said}");
}

#[test]
fn a_check_finds_a_record_that_is_gone() {
    let hub = busy_hub();
    let third = "SELECT seq FROM journal ORDER BY seq LIMIT 1 OFFSET 2";
    let third: i64 = database(&hub).query_row(third, [], |row| row.get(0)).expect("a record");
    for table in ["journal", "raw_deliveries", "frames"] {
        database(&hub).execute(&format!("DELETE FROM {table} WHERE seq = ?1"), [third]).expect("deleted");
    }
    let (code, said) = tool(&hub, &["check", "--deep"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("updates differ from position 1 on"), "{said}");
}

#[test]
fn a_check_while_the_hub_runs_finds_nothing_wrong() {
    let hub = spawn_hub();
    town::settle(&hub);
    let (code, said) = tool(&hub, &["check", "--deep"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("7 positions applied again; the result is what was stored"), "{said}");
    let (code, said) = tool(&hub, &["rebuild"]);
    assert_eq!(code, Some(1), "a rebuild needs the hub stopped: {said}");
    hub.provider().says("ana", "it was not touched");
}

#[test]
fn a_hole_in_the_positions_is_no_damage() {
    let mut hub = spawn_hub();
    for _ in 0..5 {
        hub.provider().says("a", "hello");
    }
    hub.stop();
    for table in ["journal", "raw_deliveries", "frames"] {
        database(&hub).execute(&format!("DELETE FROM {table} WHERE seq = 3"), []).expect("deleted");
    }
    let hub = hub.started_again();
    assert_eq!(hub.provider().says("a", "and on")["seq"], 6);
    let updates = hub.json("/api/umbler/updates?after=0");
    let seqs: Vec<i64> = updates["updates"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|update| update["seq"].as_i64())
        .collect();
    assert_eq!(seqs, [1, 2, 4, 5, 6]);
}

#[test]
fn what_a_release_before_records_kept_is_filled_in_and_can_be_made_again() {
    let home = tempfile::tempdir().expect("a folder");
    let old = Connection::open(home.path().join("hub.db")).expect("a database");
    // The updates of the first four events are no longer kept: an alert that was raised and acknowledged, and settings.
    old.execute_batch(include_str!("../fixtures/databases/before-records.sql")).expect("the dump");
    old.pragma_update(None, "user_version", 9).expect("set");
    drop(old);
    let mut hub = start_in(home);
    assert_eq!(alerts_of(&hub).len(), 2);
    hub.stop();
    let (code, said) = tool(&hub, &["rebuild"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("positions applied again; the result is what was stored"), "{said}");
    let bodies =
        "SELECT count(*) FROM journal JOIN raw_deliveries USING (seq) WHERE kind = 4 AND length(body) < 20";
    let empty: i64 = database(&hub).query_row(bodies, [], |row| row.get(0)).expect("counted");
    assert_eq!(empty, 0, "each alert's record says what happened to it");
    assert_eq!(alerts_of(&hub.started_again()).len(), 2);
}

/// Ids only: whether one stands depends on the day of the test.
fn alerts_of(hub: &Hub) -> BTreeSet<String> {
    let alerts = hub.json("/api/umbler/alerts?state=all")["alerts"].clone();
    alerts.as_array().expect("a list").iter().map(|alert| alert["id"].to_string()).collect()
}
