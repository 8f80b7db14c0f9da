//! A person's data are erased, wherever they are, and do not come back.

use rusqlite::Connection;
use serde_json::{Value, json};
use umbler_hub::facade::journal::digest_tables;
use umbler_hub::facade::testing::clock;

use super::support::hub::command;
use super::support::keys::{SECRET, token};
use super::support::person::{CONTACT, WORDS, erases, is_gone, lives, said, traces};
use super::support::{Delivery, Hub, hub_with, spawn_hub};

fn tool(hub: &Hub, arguments: &[&str]) -> (bool, String) {
    let output = command(hub.home()).args(arguments).output().expect("the tool runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn does(hub: &Hub, arguments: &[&str]) -> String {
    let (done, said) = tool(hub, arguments);
    assert!(done, "{arguments:?}: {said}");
    said
}

fn shows_nothing(text: &str, of: &str) {
    for word in WORDS {
        assert!(!text.contains(word), "{of} tells {word}: {text}");
    }
}

/// Everything that the API tells about the person.
fn answers_tell_nothing(hub: &Hub) {
    for path in [
        &*format!("/api/umbler/contacts/{CONTACT}"),
        "/api/umbler/contacts",
        "/api/umbler/chats",
        "/api/umbler/messages",
        "/api/umbler/updates?after=0",
        "/api/umbler/webhook/status",
        "/api/umbler/search?q=xilofone",
        "/api/umbler/search?q=zulmira",
        "/api/umbler/search?q=987654321",
    ] {
        let answer = hub.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        shows_nothing(&answer.text.replace("\"q\":", ""), path);
    }
}

#[test]
fn nothing_of_an_erased_person_is_left_in_any_file_or_answer_and_positions_and_metrics_stay() {
    let mut hub = spawn_hub();
    lives(&hub);
    assert!(!traces(&hub, &[]).is_empty(), "the words are there before");
    let (health, metrics) = (hub.json("/health"), hub.caught_up_metrics());
    let stats = hub.json("/api/umbler/stats");
    let mut screen = hub.screen().watching(&["updates"]);

    let answer = erases(&hub, "", &[]);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let erased = answer.json();
    assert_eq!(erased["contactId"], CONTACT);
    let blanked = &erased["blanked"];
    for (table, rows) in [
        ("contacts", 1),
        ("chats", 2),
        ("messages", 6),
        ("parkedReactions", 1),
        ("rawDeliveries", 9),
        ("ignoredDeliveries", 1),
        ("frames", 8),
    ] {
        assert_eq!(blanked[table], rows, "{table}: {blanked}");
    }
    let update = screen.hears_update("contact_erased");
    assert_eq!(update["data"]["erasedContactId"], CONTACT);
    assert_eq!(update["seq"], erased["seq"]);
    answers_tell_nothing(&hub);
    is_gone(&hub, &[]);

    assert_eq!(health["seq"].as_i64().map(|seq| seq + 1), hub.json("/health")["seq"].as_i64());
    let mut later = hub.json("/api/umbler/stats");
    later["asOfSeq"] = stats["asOfSeq"].clone();
    assert_eq!(later, stats);
    assert_eq!(hub.caught_up_metrics()["metrics"], metrics["metrics"]);
    let contact = hub.json(&format!("/api/umbler/contacts/{CONTACT}"))["contact"].clone();
    assert_eq!(
        (&contact["name"], &contact["phone"], &contact["tags"]),
        (&Value::Null, &Value::Null, &json!([]))
    );

    // A screen that comes back is given what it missed, without the person.
    let mut late = hub.screen();
    late.says("subscribe_updates", json!({ "since": 0, "epoch": hub.json("/health")["epoch"] }));
    assert_eq!(late.hears("subscribed")["recovered"], true);
    for update in late.catches_up() {
        shows_nothing(&update.to_string(), "a replayed update");
    }
    hub.stop();
    is_gone(&hub, &[]);
    let hub = hub.started_again();
    answers_tell_nothing(&hub);
}

#[test]
fn a_message_whose_content_was_erased_says_so_and_one_that_had_none_does_not() {
    let hub = spawn_hub();
    lives(&hub);
    let call =
        said(10, "call").message_field("MessageType", json!("Call")).message_field("Content", Value::Null);
    hub.provider().posts(&call);
    assert_eq!(erases(&hub, "", &[]).status, 200);
    // A receipt and a deletion for everyone of what was erased.
    hub.provider().posts(&said(20, "m2").text("foto").message_field("MessageState", json!("Failed")));
    hub.provider().posts(&said(21, "m3").message_field("IsDeleted", json!(true)));
    let shown = hub.json("/api/umbler/messages");
    let erased = |id: &str| {
        let all = shown["messages"].as_array().expect("a list");
        let message = all.iter().find(|message| message["id"] == id).expect("the message");
        (message["type"].clone(), message["erased"].clone(), message["deleted"].clone())
    };
    assert_eq!(erased("m2").1, true, "a file: {shown}");
    assert_eq!(erased("m3"), (json!("Text"), Value::Null, json!(true)));
    assert_eq!(erased("m4").1, true, "a contact card: {shown}");
    assert_eq!(erased("call"), (json!("Call"), Value::Null, json!(false)));
    let updates = hub.json("/api/umbler/updates?after=0");
    let told: Vec<&Value> = updates["updates"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|update| &update["data"]["message"])
        .collect();
    let of_file: Vec<&Value> = told.into_iter().filter(|message| message["id"] == "m2").collect();
    assert!(of_file.len() == 2 && of_file.iter().all(|message| message["erased"] == true), "{of_file:?}");
}

#[test]
fn what_is_left_of_an_erased_person_follows_from_what_is_left_of_the_records() {
    let mut hub = spawn_hub();
    lives(&hub);
    assert_eq!(erases(&hub, "", &[]).status, 200);
    hub.provider()
        .posts(&said(20, "m1").text("quero um Xilofone").message_field("MessageState", json!("Read")));
    hub.provider().says("joao", "e eu continuo");
    hub.stop();
    let said = does(&hub, &["check", "--deep"]);
    assert!(said.contains("the result is what was stored"), "{said}");
    let digests =
        |hub: &Hub| digest_tables(&Connection::open(hub.database()).expect("open")).expect("digests");
    let before = digests(&hub);
    let said = does(&hub, &["rebuild"]);
    assert!(said.contains("the result is what was stored"), "{said}");
    assert_eq!(digests(&hub), before);
}

#[test]
fn what_was_said_before_an_erasure_does_not_come_back_and_what_is_said_later_is_of_a_new_person() {
    let mut hub = spawn_hub();
    lives(&hub);
    assert_eq!(erases(&hub, "", &[]).status, 200);
    // A receipt repeats the old text, and a reconciliation may bring all of it.
    hub.provider()
        .posts(&said(20, "m1").text("quero um Xilofone").message_field("MessageState", json!("Read")));
    hub.provider().posts(&said(21, "m9").text("um Xilofone que ficou para trás"));
    answers_tell_nothing(&hub);
    is_gone(&hub, &[]);

    let now = clock::now() + jiff::SignedDuration::from_secs(1);
    let later = said(0, "later").text("sou eu de novo").set("/EventDate", json!(format!("{now:.3}")));
    let later = later.message_field("EventAtUTC", json!(format!("{now:.3}")));
    hub.provider().posts(&later.message_field("CreatedAtUTC", json!(format!("{now:.3}"))));
    let contact = hub.json(&format!("/api/umbler/contacts/{CONTACT}"))["contact"].clone();
    assert_eq!(
        (&contact["name"], &contact["lastMessage"]["text"]),
        (&json!("Zulmira Quixote"), &json!("sou eu de novo"))
    );

    assert_eq!(erases(&hub, "&block=true", &[]).json()["blocked"], true);
    let even_later =
        said(1, "even-later").text("Xilofone outra vez").set("/EventDate", json!("2036-01-01T00:00:00Z"));
    hub.provider().posts(&even_later.message_field("EventAtUTC", json!("2036-01-01T00:00:00Z")));
    answers_tell_nothing(&hub);
    is_gone(&hub, &[]);
    hub.stop();
    let said = does(&hub, &["check", "--deep"]);
    assert!(said.contains("the result is what was stored"), "{said}");
}

#[test]
fn a_restored_older_backup_erases_again_by_the_list_beside_the_database_or_by_a_given_one() {
    let mut hub = spawn_hub();
    lives(&hub);
    does(&hub, &["backup", "backup.db"]);
    let elsewhere = tempfile::tempdir().expect("a folder");
    std::fs::rename(hub.home().join("backup.db"), elsewhere.path().join("backup.db")).expect("moved");
    let backup = elsewhere.path().join("backup.db");
    let backup = backup.to_str().expect("a path");
    assert_eq!(erases(&hub, "", &[]).status, 200);
    is_gone(&hub, &[]);
    hub.stop();
    let list = std::fs::read_to_string(hub.home().join("hub.db.erasures")).expect("a list");
    assert!(list.contains(CONTACT) && list.lines().count() == 1, "{list}");

    let told = does(&hub, &["restore", backup]);
    assert!(!told.contains("erased after this backup"), "{told}");
    is_gone(&hub, &[]);

    // Without the list, the database that is replaced knows.
    std::fs::remove_file(hub.home().join("hub.db.erasures")).expect("removed");
    does(&hub, &["restore", backup]);
    is_gone(&hub, &[]);

    // On another machine there is neither, and the restore says so.
    let other = tempfile::tempdir().expect("a folder");
    let given = elsewhere.path().join("erasures");
    std::fs::write(&given, list).expect("written");
    let restored = |more: &[&str]| {
        let output =
            command(other.path()).args(["restore", backup]).args(more).output().expect("the tool runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).contains("nothing here says who was erased after this backup")
    };
    assert!(restored(&[]));
    std::fs::remove_file(other.path().join("hub.db")).expect("it was restored");
    assert!(!restored(&["--erasures", given.to_str().expect("a path")]));
    let bytes = std::fs::read(other.path().join("hub.db")).expect("restored");
    for word in WORDS {
        assert!(!bytes.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
    }
    let hub = hub.started_again();
    answers_tell_nothing(&hub);
    hub.provider().posts(&said(30, "m1").text("quero um Xilofone"));
    answers_tell_nothing(&hub);
}

#[test]
fn a_person_is_erased_in_the_database_of_a_stopped_hub_too() {
    let mut hub = spawn_hub();
    lives(&hub);
    let erase = ["erase", "--contact", CONTACT, "--reason", "pedido 18"];
    let (done, said) = tool(&hub, &erase);
    assert!(!done && said.contains("DELETE /api/umbler/contacts/"), "{said}");
    hub.stop();
    let (done, said) = tool(&hub, &["erase", "--contact", "nobody", "--reason", "x"]);
    assert!(!done && said.contains("there is no contact with the id nobody"), "{said}");
    let (done, said) = tool(&hub, &["erase", "--contact", CONTACT, "--reason", "pedido da Zulmira"]);
    assert!(!done && said.contains("--reason must not contain"), "{said}");
    let aside = format!("{}.before-20260302T130000", hub.database().display());
    std::fs::copy(hub.database(), &aside).expect("an older database");
    let said = does(&hub, &erase);
    assert!(
        said.contains("erased: 1 contact, 2 chats, 6 messages") && said.contains(" 0 messages of the outbox"),
        "{said}"
    );
    assert!(said.contains("hub.db.before-20260302T130000"), "{said}");
    std::fs::remove_file(aside).expect("deleted, as it says");
    is_gone(&hub, &[]);
    let hub = hub.started_again();
    answers_tell_nothing(&hub);
}

#[test]
fn only_an_admin_without_limits_erases_and_the_reason_tells_nobody() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    hub.provider()
        .posts(&Delivery::message("maria").set("/Payload/Content/Contact/Name", json!("Zulmira Quixote")));
    let bearer = |claims: Value| format!("Bearer {}", token(claims));
    let path = |query: &str| format!("/api/umbler/contacts/{CONTACT}/personal-data{query}");
    let admin = bearer(json!({ "sub": "root", "role": "admin" }));
    let as_admin = [("authorization", &*admin)];
    for (claims, code) in [
        (json!({ "sub": "bia", "role": "agent" }), "forbidden"),
        (json!({ "sub": "root", "role": "admin", "sectors": ["s"] }), "forbidden"),
    ] {
        let bearer = bearer(claims);
        hub.delete(&path("?reason=x"), &[("authorization", &bearer)]).refuses(403, code);
    }
    hub.delete(&path("?reason=x"), &[]).refuses(401, "unauthorized");
    assert_eq!(hub.delete(&path(""), &as_admin).refuses(400, "bad_parameter")["parameter"], "reason");
    let telling = hub.delete(&path("?reason=a+ZULMIRA+pediu"), &as_admin).refuses(400, "bad_parameter");
    assert_eq!(telling["parameter"], "reason");
    let long = "x".repeat(201);
    hub.delete(&path(&format!("?reason={long}")), &as_admin).refuses(400, "bad_parameter");
    let longest = "x".repeat(200);
    assert_eq!(hub.delete(&path(&format!("?reason={longest}")), &as_admin).status, 200);
    hub.delete("/api/umbler/contacts/nobody/personal-data?reason=x", &as_admin).refuses(404, "not_found");
}
