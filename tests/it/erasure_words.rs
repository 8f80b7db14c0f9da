//! What the hub itself says of a person goes with the person: messages that it sent, notices, and alerts that it is to post.

use std::sync::Arc;

use serde_json::{Value, json};

use super::alert_webhook::{hub_that_posts_to, only_waiting, waits};
use super::support::api::{api, link_settings, until_linked};
use super::support::held::held_line;
use super::support::hub::command;
use super::support::person::{CONTACT, erases, is_gone, traces};
use super::support::receiver::Receiver;
use super::support::sending::{SENDING, Sending};
use super::support::{Delivery, Hub, hub_with, spawn_hub};
use umbler_hub::facade::testing::ApiFault;

/// What is stored is what the records say.
fn is_as_recorded(hub: &mut Hub) {
    hub.stop();
    let output = command(hub.home()).args(["check", "--deep"]).output().expect("the tool runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("the result is what was stored"), "{said}");
}

#[test]
fn texts_that_went_out_or_were_about_to_are_erased_and_nothing_more_goes_out() {
    let mut sending = Sending::new(&[]);
    sending.chat("maria", 60);
    let sent = sending.sends("maria", "o Xilofone chega amanhã");
    sending.becomes(&sent, &["sent"]);
    sending.api.fail("messages", &ApiFault::Status(429), 10_000);
    let waiting = sending.sends("maria", "e o berimbau também");
    let kept = sending.hub.get(&format!("/api/umbler/outbox/{waiting}")).text;
    assert!(kept.contains("berimbau"), "{kept}");
    assert!(!traces(&sending.hub, &[]).is_empty(), "the words are there before");

    let answer = erases(&sending.hub, "", &[]);
    assert_eq!(answer.json()["blanked"]["outbox"], 2, "{}", answer.text);
    is_gone(&sending.hub, &[]);
    // One that is between two tries fails with the next.
    sending.api.fail("messages", &ApiFault::Status(429), 0);
    sending.becomes(&waiting, &["discarded", "failed"]);
    for entry in [&sent, &waiting] {
        assert_eq!(sending.entry(entry)["text"], Value::Null);
    }
    let told = sending.hub.get("/api/umbler/updates?after=0").text;
    assert!(!told.contains("Xilofone") && !told.contains("berimbau"), "{told}");
    assert_eq!(sending.api.sent().len(), 1, "what waited was not sent");
    is_as_recorded(&mut sending.hub);
    is_gone(&sending.hub, &[]);
}

#[test]
fn a_message_whose_text_was_erased_is_not_sent_again_without_it() {
    let sending = Sending::new(&[]);
    sending.chat("maria", 60);
    sending.api.fail("messages", &ApiFault::Status(400), 1);
    let refused = sending.sends("maria", "um Xilofone");
    sending.becomes(&refused, &["failed"]);
    assert_eq!(erases(&sending.hub, "", &[]).status, 200);
    let path = format!("/api/umbler/outbox/{refused}/resend");
    sending.hub.provider().post_to(&path, &[], "").refuses(409, "not_undelivered");
    assert_eq!(sending.entry(&refused)["state"], "failed");
    // What is sent later proves that nothing went before it.
    let later = sending.sends("maria", "outra");
    sending.becomes(&later, &["sent"]);
    assert_eq!(sending.api.sent().len(), 1);
}

#[test]
fn what_the_provider_said_of_a_message_that_it_refused_is_erased_too() {
    let mut sending = Sending::new(&[]);
    sending.chat("maria", 60);
    sending.api.fail(
        "messages",
        &ApiFault::Says(400, "número +55 11 98765-4321 inválido: Pandeiro".to_owned()),
        1,
    );
    let refused = sending.sends("maria", "um Xilofone");
    let entry = sending.becomes(&refused, &["failed"]);
    assert!(entry["detail"].as_str().is_some_and(|words| words.contains("Pandeiro")), "{entry}");
    assert_eq!(erases(&sending.hub, "", &[]).status, 200);
    assert_eq!(sending.entry(&refused)["detail"], Value::Null);
    let told = sending.hub.get("/api/umbler/updates?after=0").text;
    assert!(!told.contains("98765-4321") && !told.contains("Pandeiro"), "{told}");
    is_gone(&sending.hub, &[]);
    is_as_recorded(&mut sending.hub);
}

#[test]
fn an_erasure_holds_up_no_delivery_while_somebody_reads_the_database() {
    let hub = spawn_hub();
    hub.provider().posts(&Delivery::message("maria").text("um Xilofone"));
    let mut reading = rusqlite::Connection::open(hub.database()).expect("the database");
    let reads = reading.transaction().expect("a transaction");
    let count = |reads: &rusqlite::Connection| {
        reads.query_row("SELECT count(*) FROM journal", [], |row| row.get::<_, i64>(0)).expect("a count")
    };
    assert_eq!(count(&reads), 1);
    assert_eq!(erases(&hub, "", &[]).status, 200);
    hub.provider().posts(&Delivery::message("joao").text("outra pessoa"));
    // Its reader began before the erasure and is still there after the delivery was acknowledged.
    assert_eq!(count(&reads), 1);
    drop(reads);
    is_gone(&hub, &[]);
}

#[test]
fn notices_that_name_an_erased_person_say_nothing_any_more_and_others_stay() {
    let mut hub = spawn_hub();
    hub.provider()
        .posts(&Delivery::message("maria").set("/Payload/Content/Contact/Name", json!("Zulmira Quixote")));
    let notice = |data: Value| {
        let headers = [("content-type", "application/json")];
        let body = json!({ "user": "bia", "data": data }).to_string();
        let answer = hub.provider().post_to("/api/umbler/notify", &headers, body);
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    notice(json!({ "text": "Zulmira Quixote comprou um Xilofone" }));
    notice(json!({ "contact": CONTACT, "text": "zabumba" }));
    notice(json!({ "text": "outra pessoa" }));
    let answer = erases(&hub, "", &[]);
    // The delivery of the person and two notices.
    assert_eq!(answer.json()["blanked"]["rawDeliveries"], 3, "{}", answer.text);
    is_gone(&hub, &[]);
    // They are shown to their user alone, so they are read where they are stored.
    let database = rusqlite::Connection::open(hub.database()).expect("the database");
    let mut select = database
        .prepare("SELECT frame FROM frames JOIN journal USING (seq) WHERE update_type = 'notification'")
        .expect("the tables");
    let told: Vec<String> =
        select.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("texts");
    drop(select);
    drop(database);
    assert_eq!(told.len(), 3, "positions stay: {told:?}");
    let told = told.concat();
    assert!(told.contains("outra pessoa") && !told.contains("zabumba"), "{told}");
    is_as_recorded(&mut hub);
}

#[test]
fn an_alert_that_is_posted_again_after_an_erasure_does_not_name_the_person() {
    let receiver = Receiver::new();
    let hub = hub_that_posts_to(&receiver);
    only_waiting(&hub);
    waits(&hub, "maria");
    let first = receiver.hears();
    assert!(first.body.contains("Marina Exemplo"), "{}", first.body);
    assert_eq!(erases(&hub, "", &[]).status, 200);
    first.answers(503);
    let again = receiver.hears();
    let update: Value = serde_json::from_str(&again.body).expect("JSON");
    assert_eq!(update["data"]["type"], "alert_raised", "{update}");
    assert!(!again.body.contains("Marina Exemplo"), "{update}");
    again.answers(204);
}

#[test]
fn what_the_provider_says_of_a_message_that_was_on_its_way_when_its_person_was_erased_is_not_kept() {
    let api = Arc::new(api());
    let line =
        held_line(api.address(), |request| request.starts_with("POST ") && request.contains("/messages"));
    let url = format!("http://{}/api", line.address);
    let settings: Vec<_> = link_settings(&url).into_iter().chain(SENDING).collect();
    let hub = hub_with(&settings);
    until_linked(&hub);
    let mut sending = Sending::of(hub, api);
    sending.chat("maria", 60);
    let words = "número +55 11 98765-4321 inválido: Pandeiro";
    sending.api.fail("messages", &ApiFault::Says(400, words.to_owned()), 2);
    let refused = sending.sends("maria", "um Xilofone");
    let answer = line.holds();
    assert_eq!(erases(&sending.hub, "", &[]).status, 200);
    drop(answer);
    let entry = sending.becomes(&refused, &["failed"]);
    assert_eq!((&entry["reason"], &entry["detail"]), (&json!("refused"), &Value::Null));
    // What is written later is of a new person, and its refusal is told.
    line.opens();
    let later = sending.sends("maria", "outra vez");
    assert_eq!(sending.becomes(&later, &["failed"])["detail"], words);
    assert_eq!(erases(&sending.hub, "", &[]).status, 200);
    let told = sending.hub.get("/api/umbler/updates?after=0").text;
    assert!(!told.contains("98765-4321") && !told.contains("Pandeiro"), "{told}");
    is_gone(&sending.hub, &[]);
    is_as_recorded(&mut sending.hub);
}
