//! Deleting by age reaches what is beside the messages: updates in memory, reactions that wait for their message, and
//! the provider's words about what was not sent.

use std::time::Instant;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::support::hub::command;
use super::support::person::{CONTACT, erases, is_gone, said};
use super::support::sending::Sending;
use super::support::{Delivery, Hub, PATIENCE, hub_with, spawn_hub};
use umbler_hub::facade::testing::ApiFault;

/// Older than anything that a test keeps.
const OLD: &str = "2020-03-02T13:00:00Z";
/// Texts alone are deleted by age.
const TEXTS: [(&str, &str); 2] = [("RETAIN_TEXTS", "30"), ("RETAIN_RAW", "0")];
/// How many messages still have their words.
const WITH_WORDS: &str = "SELECT count(*) FROM messages WHERE search_key IS NOT NULL";
/// How many stored deliveries were reduced.
const REDUCED: &str = "SELECT count(*) FROM journal WHERE kind = 12";

/// A delivery of a message that is [`OLD`].
fn old(delivery: Delivery) -> Delivery {
    let at = json!(OLD);
    delivery
        .message_field("EventAtUTC", at.clone())
        .message_field("CreatedAtUTC", at.clone())
        .set("/EventDate", at)
}

fn database(hub: &Hub) -> Connection {
    Connection::open(hub.database()).expect("the database")
}

/// Waits until a count in the database is this.
fn becomes(hub: &Hub, sql: &str, expected: i64) {
    let begun = Instant::now();
    let count = || database(hub).query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a count");
    while count() != expected {
        assert!(begun.elapsed() < PATIENCE, "{sql}: {}", count());
        std::thread::yield_now();
    }
}

/// What is stored is what the records say.
fn is_as_recorded(hub: &mut Hub) {
    hub.stop();
    let output = command(hub.home()).args(["check", "--deep"]).output().expect("the tool runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("the result is what was stored"), "{said}");
}

#[test]
fn a_screen_that_comes_back_does_not_hear_a_text_that_was_deleted_by_age_meanwhile() {
    let mut hub = hub_with(&TEXTS);
    hub.provider().posts(&old(said(1, "m1").text("um Xilofone velho")));
    hub.stop();
    // The deleting begins after the newest updates were loaded into memory.
    let hub = hub.started_again();
    becomes(&hub, WITH_WORDS, 0);
    // The hub has heard of the step when it acknowledges what comes after it.
    hub.provider().posts(&Delivery::message("joao").text("recente"));
    let mut screen = hub.screen();
    let epoch: Value = hub.json("/health")["epoch"].clone();
    assert_eq!(screen.comes_back(&["updates"], 0, &epoch)["recovered"], true);
    let heard: Vec<String> = screen.catches_up().iter().map(ToString::to_string).collect();
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard.iter().all(|update| !update.contains("Xilofone")), "{heard:?}");
}

#[test]
fn a_reaction_that_waits_for_its_message_goes_by_age_and_what_is_left_is_what_was_recorded() {
    let mut hub = spawn_hub();
    hub.provider().posts(&old(said(1, "m1").text("um Xilofone velho")));
    let reaction = json!({ "MessageId": "unknown-yet", "Id": "r1", "Emoji": "🪕", "Source": "Contact", "EventAtUTC": OLD });
    let reacted = said(2, "none").set("/EventDate", json!(OLD)).without_message();
    hub.provider().posts(&reacted.chat_field("LastMessageReaction", reaction));
    becomes(&hub, "SELECT count(*) FROM parked_reactions", 1);
    hub.stop();
    let aged = "UPDATE journal SET received_at = received_at - 8640000000000000";
    database(&hub).execute(aged, []).expect("older by a hundred days");
    // Updates tell when their delivery was received, so their digests cannot be made again.
    database(&hub).execute("DELETE FROM blocks", []).expect("deleted");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(hub.database(), folder.path().join("hub.db")).expect("copied");
    let mut hub = super::support::hub::start_through(&[], folder, &TEXTS);
    becomes(&hub, REDUCED, 2);
    is_as_recorded(&mut hub);
    let mut hub = hub.started_again();
    becomes(&hub, "SELECT count(*) FROM parked_reactions", 0);
    let answer = erases(&hub, "", &[]);
    assert_eq!((answer.status, answer.json()["contactId"].as_str()), (200, Some(CONTACT)), "{}", answer.text);
    is_as_recorded(&mut hub);
}

#[test]
fn what_the_provider_said_of_a_message_is_deleted_by_age_with_its_text() {
    let mut sending = Sending::new(&[]);
    sending.chat("maria", 60);
    sending.api.fail(
        "messages",
        &ApiFault::Says(400, "número +55 11 98765-4321 inválido: Pandeiro".to_owned()),
        1,
    );
    let refused = sending.sends("maria", "um Xilofone");
    sending.becomes(&refused, &["failed"]);
    sending.hub.stop();
    let aged = "UPDATE journal SET received_at = received_at - 8640000000000000;
         UPDATE outbox SET queued_at = queued_at - 8640000000000000, attempted_at = attempted_at - 8640000000000000,
             changed_at = changed_at - 8640000000000000";
    database(&sending.hub).execute_batch(aged).expect("older by a hundred days");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(sending.hub.database(), folder.path().join("hub.db")).expect("copied");
    let hub = super::support::hub::start_through(&[], folder, &TEXTS);
    becomes(&hub, "SELECT count(*) FROM outbox WHERE text IS NULL AND detail IS NULL", 1);
    is_gone(&hub, &[]);
    let told = hub.get("/api/umbler/updates?after=0").text;
    assert!(told.contains(&refused) && !told.contains("Pandeiro") && !told.contains("Xilofone"), "{told}");
}
