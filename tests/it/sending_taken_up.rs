//! A hub takes up what another life of it, or another hub, had not finished, however much that is.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use umbler_hub::facade::testing::{ApiFault, Echo};

use super::cluster::until;
use super::support::sending::Sending;

/// More messages than the outbox works on at the same time (`TASKS_MAX`).
const WAITING: i64 = 2_100;

#[test]
fn a_message_that_was_being_handed_over_is_looked_for_however_many_wait_before_it() {
    let sending = Sending::new(&[("RUST_LOG", "warn")]);
    sending.api.behave(|behavior| behavior.echo = Echo::Never);
    sending.chat("ana", 60);
    let closed = sending.said("bia", 60).chat_field("Open", json!(false)).set("/Type", json!("ChatClosed"));
    sending.hub.provider().posts(&closed);
    sending.api.fail("messages", &ApiFault::Slow(Duration::from_mins(1)), 1);
    let id = sending.sends("ana", "Olá");
    until("the provider has it", || sending.api.sent().len() == 1);
    let (hub, api) = sending.killed();
    // As many as several hubs may have queued while the provider could not be reached, all before this one.
    let database = Connection::open(hub.database()).expect("the database");
    let queued = database.execute(
        "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1)
         INSERT INTO outbox (id, temp_id, chat_id, state, text, private, user_id, queued_at, changed_at, seq)
         SELECT 'w' || number, 'w' || number, 'bia', 'queued', 'Olá', 0, 'anonymous', number, number, 1 FROM numbers",
        [WAITING],
    );
    assert_eq!(i64::try_from(queued.expect("inserted")), Ok(WAITING));
    drop(database);
    let sending = Sending::of(hub.started_again(), api);
    let entry = sending.becomes(&id, &["sent", "unconfirmed", "failed"]);
    assert_eq!((&entry["state"], sending.api.sent().len()), (&json!("sent"), 1), "{entry}");
    // The others have their turn, too: their chat is closed.
    for number in [1, WAITING / 2, WAITING - 1, WAITING] {
        let entry = sending.becomes(&format!("w{number}"), &["failed"]);
        assert_eq!(entry["reason"], "chat_closed", "{entry}");
    }
}
