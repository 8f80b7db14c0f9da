//! A person answers a customer: the message goes out once, and everybody sees what becomes of it.

use serde_json::{Value, json};
use umbler_hub::facade::testing::{Echo, StateOrder};

use super::support::api::ago;
use super::support::keys::SECRET;
use super::support::sending::{Sending, bearer, hears_entry};
use super::support::{Delivery, spawn_hub};

#[test]
fn an_answer_reaches_the_provider_and_comes_back_delivered_and_read() {
    let sending = Sending::new(&[]);
    sending.chat("ana", 60);
    let mut screen = sending.hub.screen().watching(&["updates"]);
    let id = sending.sends("ana", "Olá, Ana!");
    let told: Vec<Value> =
        ["queued", "sending", "sent"].map(|_| hears_entry(&mut screen)["state"].clone()).to_vec();
    assert_eq!(told, ["queued", "sending", "sent"]);
    let entry = sending.entry(&id);
    assert_eq!((&entry["text"], &entry["chatId"]), (&json!("Olá, Ana!"), &json!("ana")), "{entry}");
    let message = sending.message("ana", &entry["messageId"], |message| message["state"] == "Read");
    assert_eq!((&message["text"], &message["direction"]), (&json!("Olá, Ana!"), &json!("out")), "{message}");
    assert_eq!(message["sentBy"], json!({ "id": "anonymous", "name": null }), "{message}");
    assert_eq!(message["author"]["id"], "Z4ELwFoR_gAGENT1", "the provider shows the token's owner");
    let chat = sending.hub.json("/api/umbler/chats/ana")["chat"].clone();
    assert_eq!(chat["waitingSince"], Value::Null, "the wait is over: {chat}");
    let list = sending.hub.json("/api/umbler/chats/ana/outbox");
    assert_eq!(list["outbox"], json!([]), "what the chat shows is not listed: {list}");
    assert_eq!(sending.api.sent().len(), 1);
}

#[test]
fn the_same_temp_id_twice_is_one_message() {
    let sending = Sending::new(&[]);
    sending.chat("ana", 60);
    sending.chat("bob", 60);
    let body = json!({ "text": "once", "tempId": "my-id" });
    let first = sending.asks("ana", &body).json();
    let entry = sending.becomes(first["outboxId"].as_str().expect("an id"), &["sent"]);
    let second = sending.asks("ana", &body);
    assert_eq!(second.status, 202, "{}", second.text);
    let second = second.json();
    assert_eq!((&second["outboxId"], &second["seq"]), (&first["outboxId"], &first["seq"]));
    assert_eq!((&second["state"], &entry["tempId"]), (&json!("sent"), &json!("my-id")));
    sending.asks("bob", &body).refuses(409, "temp_id_used");
    sending.asks("ana", &json!({ "text": "other", "tempId": "my-id" })).refuses(409, "temp_id_used");
    let last = sending.sends("bob", "last");
    sending.becomes(&last, &["sent"]);
    let texts: Vec<String> = sending.api.sent().into_iter().map(|sent| sent.text).collect();
    assert_eq!(texts, ["once", "last"]);
}

#[test]
fn a_closed_chat_and_a_window_that_is_over_take_no_message() {
    let sending = Sending::new(&[]);
    sending.chat("late", 86_400 + 600);
    sending.chat("ana", 60);
    let error = sending.asks("late", &json!({ "text": "too late" })).refuses(409, "window_closed");
    let list = sending.hub.json("/api/umbler/chats/late/outbox");
    assert_eq!(list["writing"]["refused"], "window_closed", "{list}");
    assert_eq!(error["closedAt"], list["writing"]["windowUntil"], "{error}");
    // A note does not leave the team.
    let note = sending.asks("late", &json!({ "text": "a note", "private": true })).json();
    let note = sending.becomes(note["outboxId"].as_str().expect("an id"), &["sent"]);
    let message = sending.message("late", &note["messageId"], |_| true);
    assert_eq!(message["private"], true, "{message}");
    let closed = sending.said("ana", 30).chat_field("Open", json!(false));
    sending.hub.provider().posts(&closed.set("/Type", json!("ChatClosed")).set("/EventId", json!("closing")));
    sending.asks("ana", &json!({ "text": "hello?" })).refuses(409, "chat_closed");
    assert_eq!(sending.hub.json("/api/umbler/chats/ana/outbox")["writing"]["refused"], "chat_closed");
    sending.asks("nobody", &json!({ "text": "hello?" })).refuses(404, "not_found");
    // When the customer wrote last is not known: the provider decides.
    sending.hub.provider().posts(&Delivery::of_type("NewChat", "new"));
    assert_eq!(sending.asks("new", &json!({ "text": "hello" })).status, 202);
}

#[test]
fn without_the_setting_nothing_is_sent_and_that_is_said() {
    let hub = spawn_hub();
    hub.provider().says("ana", "hello");
    let headers = [("content-type", "application/json")];
    let answer = hub.provider().post_to("/api/umbler/chats/ana/messages", &headers, r#"{"text":"x"}"#);
    let error = answer.refuses(409, "sending_off");
    assert!(error["message"].as_str().expect("a text").contains("UMBLER_SEND"), "{error}");
    assert_eq!(hub.json("/api/umbler/chats/ana/outbox")["writing"]["refused"], "sending_off");
}

#[test]
fn who_may_send_is_decided_by_the_token() {
    let sending = Sending::new(&[("JWT_SECRET", SECRET)]);
    let of = |chat: &str, sector: &str| {
        let delivery = sending.said(chat, 60).chat_field("Sector", json!({ "Id": sector, "Name": sector }));
        sending.hub.provider().posts(&delivery);
        sending.api.world(|world| world.absorb(&delivery.bytes()));
    };
    of("ana", "sales");
    of("bob", "support");
    let asks = |chat: &str, bearer: &str| {
        let headers = [("content-type", "application/json"), ("authorization", bearer)];
        let path = format!("/api/umbler/chats/{chat}/messages");
        sending.hub.provider().post_to(&path, &headers, r#"{"text":"Olá"}"#)
    };
    let agent = bearer(json!({ "sub": "bia", "name": "Bia", "role": "agent", "sectors": ["sales"] }));
    let viewer = bearer(json!({ "sub": "vera", "role": "viewer" }));
    asks("ana", &viewer).refuses(403, "forbidden");
    asks("ana", &bearer(json!({ "sub": "caio", "role": "agent", "send": false }))).refuses(403, "forbidden");
    asks("bob", &agent).refuses(404, "not_found");
    let answer = asks("ana", &agent);
    assert_eq!(answer.status, 202, "{}", answer.text);
    let path = format!("/api/umbler/outbox/{}", answer.json()["outboxId"].as_str().expect("an id"));
    let reads = |bearer: &str| sending.hub.get_with(&path, &[("authorization", bearer)]);
    let entry = loop {
        let entry = reads(&agent).json()["outbox"].clone();
        if entry["state"] == "sent" {
            break entry;
        }
    };
    assert_eq!((&entry["prefix"], &entry["sentBy"]["name"]), (&json!("*Bia:*"), &json!("Bia")), "{entry}");
    assert_eq!(sending.api.sent()[0].message["Prefix"], "*Bia:*");
    let seen = reads(&viewer).json()["outbox"].clone();
    assert_eq!((&seen["text"], &seen["sentBy"]["name"]), (&Value::Null, &json!("B•••")), "{seen}");
    let other = bearer(json!({ "sub": "duda", "role": "agent", "sectors": ["support"] }));
    reads(&other).refuses(404, "not_found");
}

#[test]
fn one_user_sends_sixty_messages_a_minute_and_no_more() {
    let sending = Sending::new(&[]);
    sending.chat("ana", 60);
    let note = |number: usize| {
        sending.asks(
            "ana",
            &json!({ "text": "the same", "tempId": format!("n{}", number % 2), "private": true }),
        )
    };
    // One more comes back every second, and this takes less than a minute.
    let refused = (0..120).map(note).find(|answer| answer.status != 202).expect("there is a bound");
    refused.refuses(429, "too_many_messages");
    let seconds: u64 = refused.header("retry-after").expect("a pause").parse().expect("seconds");
    assert_eq!(seconds, 1);
}

#[test]
fn the_reply_counts_for_whoever_wrote_it_and_a_second_copy_counts_for_nobody() {
    let sending = Sending::new(&[("JWT_SECRET", SECRET), ("UMBLER_SEND_PREFIX", "none")]);
    sending.api.behave(|behavior| behavior.echo = Echo::Twice);
    let admin = bearer(json!({ "sub": "Z4ELwFoR_gAGENT2", "name": "Bia", "role": "admin" }));
    // The directory has an agent of this id, so the user is this agent.
    sending.hub.names("Z4ELwFoR_gAGENT2", Some("Bia"), admin.trim_start_matches("Bearer "));
    sending.chat("ana", 60);
    let headers = [("content-type", "application/json"), ("authorization", &*admin)];
    let body = r#"{"text":"Pois não?"}"#;
    let answer = sending.hub.provider().post_to("/api/umbler/chats/ana/messages", &headers, body);
    assert_eq!(answer.status, 202, "{}", answer.text);
    let outbox = answer.json()["outboxId"].clone();
    let messages = loop {
        let list = sending.hub.get_with("/api/umbler/chats/ana/messages", &headers[1..]).json();
        let list = list["messages"].as_array().expect("a list").clone();
        if list.len() == 3
            && list
                .iter()
                .filter(|message| message["source"] == "Member")
                .all(|message| message["state"] == "Read")
        {
            break list;
        }
    };
    let copy = messages.iter().find(|message| message["source"] == "External").expect("a copy");
    assert_eq!((&copy["echoOf"], &copy["sentBy"]), (&outbox, &Value::Null), "{copy}");
    let own = messages.iter().find(|message| message["source"] == "Member").expect("the reply");
    assert_eq!((own["sentBy"]["name"].as_str(), &own["echoOf"]), (Some("Bia"), &Value::Null), "{own}");
    let newest = sending.hub.json("/health")["seq"].as_i64();
    let (from, until) = (ago(3_600), ago(-3_600));
    let path =
        format!("/api/umbler/metrics/agents?from={from}&until={until}&metric=replyTime,messagesMember");
    let metrics = loop {
        let answer = sending.hub.get_with(&path, &headers[1..]);
        if answer.status == 200 && answer.json()["asOfSeq"].as_i64() >= newest {
            break answer.json();
        }
        assert!(answer.status == 200 || answer.status == 503, "{}", answer.text);
    };
    let text = metrics.to_string();
    assert!(text.contains("Z4ELwFoR_gAGENT2") && !text.contains("Z4ELwFoR_gAGENT1"), "{metrics:#}");
}

#[test]
fn a_note_is_a_note_and_has_no_prefix() {
    let sending = Sending::new(&[("UMBLER_SEND_PREFIX", "Loja:")]);
    sending.chat("ana", 60);
    let note = sending.asks("ana", &json!({ "text": "só para nós", "private": true })).json();
    let note = sending.becomes(note["outboxId"].as_str().expect("an id"), &["sent"]);
    assert_eq!((&note["private"], &note["prefix"]), (&json!(true), &Value::Null), "{note}");
    let message = sending.message("ana", &note["messageId"], |_| true);
    assert_eq!((&message["private"], &message["text"]), (&json!(true), &json!("só para nós")), "{message}");
    let chat = sending.hub.json("/api/umbler/chats/ana")["chat"].clone();
    assert_ne!(chat["waitingSince"], Value::Null, "the customer still waits: {chat}");
    let own = sending.asks("ana", &json!({ "text": "x", "prefix": "Eu:" })).json();
    let own = sending.becomes(own["outboxId"].as_str().expect("an id"), &["sent"]);
    assert_eq!(own["prefix"], "Eu:");
    let plain = sending.sends("ana", "y");
    assert_eq!(sending.entry(&plain)["prefix"], "Loja:");
}

#[test]
fn what_comes_as_if_from_outside_is_the_reply_all_the_same() {
    let sending = Sending::new(&[]);
    sending.api.behave(|behavior| behavior.echo = Echo::External);
    sending.chat("ana", 60);
    let entry = sending.becomes(&sending.sends("ana", "Olá"), &["sent"]);
    let message = sending.message("ana", &entry["messageId"], |_| true);
    assert_eq!((&message["source"], &message["echoOf"]), (&json!("External"), &Value::Null), "{message}");
    assert_eq!(message["sentBy"]["id"], "anonymous");
    let chat = sending.hub.json("/api/umbler/chats/ana")["chat"].clone();
    assert_eq!(chat["waitingSince"], Value::Null, "{chat}");
}

#[test]
fn states_that_overtake_each_other_end_in_the_furthest() {
    let sending = Sending::new(&[]);
    sending.api.behave(|behavior| behavior.states = StateOrder::Reversed);
    sending.chat("ana", 60);
    let mut screen = sending.hub.screen().watching(&["updates"]);
    let entry = sending.becomes(&sending.sends("ana", "Olá"), &["sent"]);
    sending.message("ana", &entry["messageId"], |message| message["state"] == "Read");
    // The state that came late is taken in and changes nothing.
    while screen.hears("umbler_update")["message"]["state"] != "Read" {}
    screen.hears("umbler_update");
    sending.message("ana", &entry["messageId"], |message| message["state"] == "Read");
}

#[test]
fn a_message_that_could_not_be_delivered_has_failed_and_is_sent_again_when_asked() {
    let sending = Sending::new(&[]);
    sending.api.behave(|behavior| behavior.states = StateOrder::Failed);
    sending.chat("ana", 60);
    let id = sending.sends("ana", "Olá");
    let entry = sending.becomes(&id, &["failed"]);
    assert_eq!(entry["reason"], "undelivered", "{entry}");
    let listed = sending.hub.json("/api/umbler/chats/ana/outbox")["outbox"].clone();
    assert_eq!(listed[0]["id"], json!(id), "{listed}");
    sending.api.behave(|behavior| behavior.states = StateOrder::InOrder);
    let path = format!("/api/umbler/outbox/{id}/resend");
    assert_eq!(sending.hub.provider().post_to(&path, &[], "").status, 200);
    let again = sending.becomes(&id, &["sent"]);
    assert_ne!(again["messageId"], entry["messageId"], "another message: {again}");
    assert_eq!((sending.api.sent().len(), &again["attempts"]), (2, &json!(2)));
    sending.hub.provider().post_to(&path, &[], "").refuses(409, "not_undelivered");
}

#[test]
fn a_deleted_message_leaves_no_words_in_the_outbox() {
    let sending = Sending::new(&[]);
    sending.chat("ana", 60);
    let entry = sending.becomes(&sending.sends("ana", "a secret word"), &["sent"]);
    sending.message("ana", &entry["messageId"], |message| message["state"] == "Read");
    let deletion = Delivery::message("ana")
        .message_id(entry["messageId"].as_str().expect("an id"))
        .message_field("Content", Value::Null)
        .message_field("Source", json!("Member"))
        .message_field("IsDeleted", json!(true));
    sending.hub.provider().posts(&deletion);
    let updates = sending.hub.get("/api/umbler/updates?after=0&limit=1000").text;
    assert!(updates.contains("outbox_updated") && !updates.contains("a secret word"), "{updates}");
    assert_eq!(sending.entry(entry["id"].as_str().expect("an id"))["text"], Value::Null);
}
