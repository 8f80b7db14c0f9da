//! Files of messages: where they are, and what is told of one that did not come or can no longer be had.

use serde_json::{Value, json};
use umbler_hub::facade::testing::FakeApi;

use super::support::api::{ago, api, deliver, linked, until_linked};
use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, spawn_hub};

/// A picture without an address, so many seconds ago.
pub fn picture(id: &str, seconds: i64) -> Delivery {
    let then = json!(format!("{:.3}", ago(seconds)));
    Delivery::message("ana")
        .message_id(id)
        .set("/EventDate", json!(format!("{:.7}", ago(seconds))))
        .message_field("EventAtUTC", then.clone())
        .message_field("CreatedAtUTC", then)
        .message_field("MessageType", json!("Image"))
        .message_field("File", json!({ "Url": null, "ContentType": "image/png", "OriginalName": "a.png" }))
}

fn path(id: &str, question: &str) -> String {
    format!("/api/umbler/messages/{id}/file?{question}")
}

fn asked(api: &FakeApi) -> usize {
    api.requests().iter().filter(|seen| seen.route == "message").count()
}

fn is_at(api: &FakeApi, id: &str, url: &str) {
    api.world(|world| world.files.insert(id.to_owned(), url.to_owned()));
}

fn url_of(hub: &Hub, id: &str) -> Value {
    let messages = hub.json("/api/umbler/chats/ana/messages")["messages"].clone();
    let messages = messages.as_array().expect("messages").iter();
    messages.filter(|message| message["id"] == id).map(|message| message["file"]["url"].clone()).collect()
}

#[test]
fn a_file_whose_address_is_missing_or_refused_is_asked_for_once_and_by_one_request() {
    let api = api();
    let hub = linked(&api, &[]);
    let (first, second) = (format!("{}/pictures/a.svg", api.url()), format!("{}/pictures/b.svg", api.url()));
    deliver(&api, &hub, &[picture("photo", 10).bytes()]);
    is_at(&api, "photo", &first);
    let told = hub.json(&path("photo", "format=json"));
    assert_eq!(told, json!({ "state": "ready", "url": first }));
    assert_eq!(url_of(&hub, "photo"), json!([first]), "it came in by the one door");
    assert_eq!(asked(&api), 1);

    // The storage refuses the address that the message keeps, and Umbler has another one.
    is_at(&api, "photo", &second);
    assert_eq!(
        hub.json(&path("photo", "format=json&refused=true"))["url"],
        first,
        "it was asked a moment ago"
    );
    assert_eq!(hub.json(&path("photo", "format=json"))["url"], first);
    assert_eq!(asked(&api), 1);
    let hub = hub.restarted();
    until_linked(&hub);
    for _ in 0..2 {
        assert_eq!(hub.json(&path("photo", "format=json&refused=true"))["url"], second);
    }
    assert_eq!(asked(&api), 2, "and its answer counts for ten minutes");
    let answer = hub.get(&path("photo", "refused=true"));
    assert!(
        answer.header("location") == Some(second.as_str()) || answer.text.contains("<svg"),
        "{}",
        answer.text
    );
}

#[test]
fn a_file_that_has_not_come_yet_is_pending_and_one_of_an_unknown_message_is_unavailable() {
    let api = api();
    let hub = linked(&api, &[]);
    deliver(&api, &hub, &[picture("photo", 10).bytes()]);
    assert_eq!(hub.json(&path("photo", "format=json")), json!({ "state": "pending", "url": null }));
    let answer = hub.get(&path("photo", ""));
    answer.refuses(503, "unavailable");
    assert!(answer.header("retry-after").is_some());
    // Umbler does not know this one.
    hub.provider().posts(&picture("gone", 10));
    assert_eq!(hub.json(&path("gone", "format=json")), json!({ "state": "unavailable", "url": null }));
    hub.get(&path("gone", "")).refuses(404, "not_found");
    hub.get(&path("nobody", "")).refuses(404, "not_found");
    hub.get(&path("photo", "format=xml")).refuses(400, "bad_parameter");
    hub.provider().posts(&Delivery::message("ana").message_id("text"));
    let error = hub.get(&path("text", "")).refuses(404, "not_found");
    assert!(error.to_string().contains("no file"), "{error}");
}

#[test]
fn who_may_not_see_a_chat_is_not_told_of_its_files() {
    let hub = super::support::hub_with(&[("JWT_SECRET", SECRET)]);
    let url = "https://files.example.com/a.png";
    let known = picture("photo", 10).message_field("File", json!({ "Url": url, "ContentType": "image/png" }));
    hub.provider().posts(&known.chat_field("Sector", json!({ "Id": "sales", "Name": "Sales" })));
    let asks = |claims: Value| {
        let bearer = format!("Bearer {}", token(claims));
        hub.get_with(&path("photo", "format=json"), &[("authorization", &bearer)])
    };
    let of = |sector: &str| asks(json!({ "sub": "x", "role": "agent", "sectors": [sector] }));
    assert_eq!(of("sales").json()["url"], url);
    of("support").refuses(404, "not_found");
    asks(json!({ "sub": "v", "role": "viewer" })).refuses(403, "forbidden");
    hub.get(&path("photo", "")).refuses(401, "unauthorized");
}

#[test]
fn without_a_link_a_known_address_is_answered_and_an_unknown_one_is_unavailable() {
    let hub = spawn_hub();
    hub.provider().posts(&picture("photo", 10));
    assert_eq!(hub.json(&path("photo", "format=json"))["state"], "unavailable");
}

#[test]
fn a_file_that_no_webhook_brought_is_asked_for_after_a_minute() {
    let api = api();
    let hub = linked(&api, &[]);
    deliver(&api, &hub, &[picture("old", 90).bytes(), picture("young", 1).bytes()]);
    for id in ["old", "young"] {
        is_at(&api, id, "https://files.example.com/a.png");
    }
    // A hub that starts looks back.
    let hub = hub.restarted();
    while url_of(&hub, "old") == json!([null]) {}
    assert_eq!(url_of(&hub, "old"), json!(["https://files.example.com/a.png"]));
    let metrics = hub.get("/metrics").text;
    assert!(metrics.contains(r#"umbler_hub_reconciled_total{what="file"} 1"#), "{metrics}");
}
