//! What is too old is deleted, and nothing else.

use std::time::Instant;

use rusqlite::Connection;
use serde_json::{Value, json};
use umbler_hub::facade::journal::digest_tables;
use umbler_hub::facade::testing::clock;

use super::support::hub::command;
use super::support::person::{is_gone, said};
use super::support::{Delivery, Hub, PATIENCE, hub_with, spawn_hub};

fn does(hub: &Hub, arguments: &[&str]) -> String {
    let output = command(hub.home()).args(arguments).output().expect("the tool runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

fn database(hub: &Hub) -> Connection {
    Connection::open(hub.database()).expect("the database")
}

fn one<T: rusqlite::types::FromSql>(hub: &Hub, sql: &str) -> T {
    database(hub).query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Waits until a count in the database is this.
fn becomes(hub: &Hub, sql: &str, expected: i64) {
    let begun = Instant::now();
    while one::<i64>(hub, sql) != expected {
        assert!(begun.elapsed() < PATIENCE, "{sql}: {}", one::<i64>(hub, sql));
        std::thread::yield_now();
    }
}

/// Makes everything that was received older by a hundred days, as if the hub had run for so long.
fn ages(hub: &Hub, positions: i64) {
    let changed = database(hub).execute(
        "UPDATE journal SET received_at = received_at - 8640000000000000 WHERE seq <= ?1",
        [positions],
    );
    assert!(changed.expect("altered") > 0);
    // Updates tell when their delivery was received, so their digests cannot be made again.
    database(hub).execute("DELETE FROM blocks", []).expect("deleted");
}

/// Older than anything that a test keeps.
const OLD: &str = "2020-03-02T13:00:00Z";

/// A delivery of a message that is [`OLD`].
fn old(delivery: Delivery) -> Delivery {
    let at = json!(OLD);
    delivery
        .message_field("EventAtUTC", at.clone())
        .message_field("CreatedAtUTC", at.clone())
        .set("/EventDate", at)
}

const REDUCED: &str = "SELECT count(*) FROM journal WHERE kind = 12";

/// A hub with 450 deliveries, which takes three steps, and then a few younger ones; it is stopped.
fn old_hub() -> Hub {
    let mut hub = spawn_hub();
    for number in 0..450 {
        hub.provider().says(&format!("chat-{}", number % 7), &format!("texto {number}"));
    }
    hub.stop();
    ages(&hub, 450);
    let hub = hub.started_again();
    becomes(&hub, REDUCED, 450);
    hub
}

#[test]
fn deliveries_of_more_than_ninety_days_are_reduced_to_what_was_read_of_them_and_make_the_same_state() {
    let mut hub = old_hub();
    hub.provider().says("chat-1", "nova");
    assert_eq!(one::<i64>(&hub, REDUCED), 450, "a young one stays as it came");
    let messages = hub.json("/api/umbler/messages?limit=200");
    assert_eq!(messages["total"], 451);
    assert!(messages.to_string().contains("texto 449"), "texts have an age of their own");
    hub.stop();
    let said = does(&hub, &["check", "--deep"]);
    assert!(said.contains("the result is what was stored"), "{said}");
    let digests = |hub: &Hub| {
        let mut digests = digest_tables(&database(hub)).expect("digests");
        digests.remove("blocks");
        digests
    };
    let before = digests(&hub);
    does(&hub, &["rebuild"]);
    assert_eq!(digests(&hub), before);
}

#[test]
fn a_database_of_an_older_release_keeps_its_deliveries_until_the_operator_says_otherwise() {
    let mut hub = spawn_hub();
    hub.provider().says("a", "antiga");
    hub.stop();
    ages(&hub, 1);
    database(&hub)
        .execute("DELETE FROM meta WHERE key = 'retention'", [])
        .expect("as an older release left it");
    let mut hub = hub.started_again();
    let begun = Instant::now();
    while !hub.log().contains("set RETAIN_RAW=90 to keep only what was read of them") {
        assert!(begun.elapsed() < PATIENCE, "{}", hub.log());
    }
    hub.stop();
    assert_eq!(one::<i64>(&hub, REDUCED), 0);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(hub.database(), folder.path().join("hub.db")).expect("copied");
    let hub = super::support::hub::start_through(&[], folder, &[("RETAIN_RAW", "90")]);
    becomes(&hub, REDUCED, 1);
}

#[test]
fn texts_that_are_too_old_are_gone_everywhere_and_what_is_told_again_of_them_too() {
    let hub = hub_with(&[("RETAIN_TEXTS", "30"), ("RETAIN_RAW", "0")]);
    hub.provider().posts(&old(said(1, "m1").text("um Xilofone velho")));
    let now = format!("{:.3}", clock::now());
    let young = Delivery::message("maria").text("recente").message_field("EventAtUTC", json!(now));
    hub.provider().posts(&young.message_field("CreatedAtUTC", json!(now)).set("/EventDate", json!(now)));
    let mut hub = hub;
    hub.stop();
    // The bodies of that time are older than the young one.
    ages(&hub, 1);
    let mut hub = hub.started_again();
    becomes(&hub, "SELECT count(*) FROM messages WHERE search_key IS NULL", 1);
    becomes(&hub, REDUCED, 1);
    let begun = Instant::now();
    while hub.json("/api/umbler/search?q=xilofone")["messages"] != json!([]) {
        assert!(begun.elapsed() < PATIENCE, "the word is still found");
    }
    hub.provider()
        .posts(&old(said(2, "m1").text("um Xilofone velho").message_field("MessageState", json!("Read"))));
    let texts: Vec<[Value; 2]> = hub.json("/api/umbler/chats/maria/messages")["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|message| [message["text"].clone(), message["erased"].clone()])
        .collect();
    assert_eq!(texts, [[json!("recente"), Value::Null], [Value::Null, json!(true)]]);
    assert!(!hub.get("/api/umbler/updates?after=0").text.contains("velho"));
    hub.stop();
    let said = does(&hub, &["check", "--deep"]);
    assert!(said.contains("the result is what was stored"), "{said}");
}

#[test]
fn a_person_whose_chats_are_all_closed_for_long_is_erased_and_one_with_an_open_chat_is_not() {
    let hub = hub_with(&[("RETAIN_CLOSED_CHATS", "30"), ("RETAIN_RAW", "0")]);
    let old_chat = |delivery: Delivery| {
        let at = json!(OLD);
        old(delivery).set("/Payload/Content/Contact/LastActiveUTC", at.clone()).chat_field("EventAtUTC", at)
    };
    hub.provider().posts(&old_chat(said(1, "m1").text("um Xilofone").closed(1)));
    hub.provider().posts(&old_chat(Delivery::message("aberta").text("ainda aqui")));
    let mut hub = hub;
    hub.stop();
    let mut hub = hub.started_again();
    becomes(&hub, "SELECT count(*) FROM erasures WHERE by = 'hub' AND reason = 'RETAIN_CLOSED_CHATS'", 1);
    is_gone(&hub, &[]);
    assert!(hub.json("/api/umbler/chats/aberta/messages").to_string().contains("ainda aqui"));
    hub.stop();
    let said = does(&hub, &["check", "--deep"]);
    assert!(said.contains("the result is what was stored"), "{said}");
}

#[test]
fn what_is_too_old_is_deleted_soon_after_a_fault_and_not_only_on_the_next_day() {
    let mut hub = spawn_hub();
    for number in 0..10 {
        hub.provider().says("chat", &format!("texto {number}"));
    }
    hub.stop();
    ages(&hub, 10);
    let fault = "CREATE TRIGGER fault BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'a fault'); END";
    database(&hub).execute_batch(fault).expect("a trigger");
    let hub = hub.started_again();
    let begun = Instant::now();
    while !hub.log().contains("the journal cannot write") {
        assert!(begun.elapsed() < PATIENCE, "{}", hub.log());
        std::thread::yield_now();
    }
    database(&hub).execute_batch("DROP TRIGGER fault").expect("none");
    becomes(&hub, REDUCED, 10);
    assert!(hub.log().contains("what is too old could not be deleted"), "{}", hub.log());
}
