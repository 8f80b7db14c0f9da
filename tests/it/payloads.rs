//! Every delivery that is known of the provider, through the front door.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::{Answer, fixture, fixtures, spawn_hub};

fn manifest() -> Vec<Value> {
    serde_json::from_slice(&fixture("manifest.json")).expect("the manifest is JSON")
}

/// Posts each delivery of the manifest with its headers; the answers by file.
fn post_all(hub: &super::support::Hub) -> Vec<(String, Answer)> {
    let post = |entry: &Value| {
        let file = entry["file"].as_str().expect("a file");
        let headers = entry["headers"].as_object().expect("headers");
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str().expect("text"))).collect();
        (file.to_owned(), hub.provider().post_to("/api/umbler/webhook", &headers, fixture(file)))
    };
    manifest().iter().map(post).collect()
}

#[test]
fn every_known_delivery_becomes_an_update_in_order() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["updates"]);
    let (mut updates, mut repeated) = (Vec::new(), Vec::new());
    for (file, answer) in post_all(&hub) {
        assert_eq!(answer.status, 200, "{file}: {}", answer.text);
        let answer = answer.json();
        if answer["status"] == "duplicate" {
            repeated.push(file);
            continue;
        }
        assert_eq!(answer["status"], "accepted", "{file}: {answer}");
        let mut update = screen.hears_anything();
        assert_eq!(update["event"], "umbler_update");
        assert_eq!(update["seq"], answer["seq"], "{file}");
        assert_eq!(update["data"]["eventId"], answer["eventId"], "{file}");
        assert_eq!(update["data"]["reason"], answer["reason"], "{file}");
        update["timestamp"] = json!("(now)");
        updates.push(json!({ "file": file, "update": update }));
    }
    assert!(screen.catches_up().is_empty(), "nothing else was sent");
    assert_eq!(
        repeated,
        ["23_camel_case_variant.json", "24_retry_of_01.json"],
        "they carry ids that came before"
    );
    insta::assert_json_snapshot!("updates_of_all_known_deliveries", updates);
}

#[test]
fn every_fixture_is_in_the_manifest() {
    let listed: BTreeSet<String> =
        manifest().iter().map(|entry| entry["file"].as_str().expect("a file").to_owned()).collect();
    let there =
        std::fs::read_dir(fixtures()).expect("the fixtures").map(|entry| entry.expect("a file").file_name());
    let there: BTreeSet<String> = there
        .filter(|name| name != "manifest.json" && !name.as_encoded_bytes().ends_with(b".txt"))
        .map(|name| name.into_string().expect("a name"))
        .collect();
    assert_eq!(listed, there);
}

#[test]
fn the_state_after_all_known_deliveries_is_whole() {
    let hub = spawn_hub();
    post_all(&hub);
    let mut screen = hub.screen().watching(&["updates"]);
    let mut snapshot = screen.snapshot();
    snapshot["epoch"] = json!("(random)");
    insta::assert_json_snapshot!("snapshot_after_all_known_deliveries", snapshot);
}

#[test]
fn no_base64_of_media_leaves_the_hub() {
    let hub = spawn_hub();
    let secret = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo".repeat(40);
    for file in ["06c_message_image_ready.json", "08b_message_video_thumbnail.json"] {
        let mut body: Value = serde_json::from_slice(&fixture(file)).expect("JSON");
        body["Payload"]["Content"]["LastMessage"]["File"]["Data"] = json!(secret);
        body["Payload"]["Content"]["LastMessage"]["Thumbnail"] = json!({ "Data": secret });
        assert_eq!(hub.provider().post(body.to_string()).status, 200);
    }
    let mut screen = hub.screen().watching(&["updates"]);
    assert!(!screen.snapshot().to_string().contains("QUJDREVGR0hJSktM"));
}

#[test]
fn the_forms_of_2022_are_refused_as_no_json() {
    let hub = spawn_hub();
    for file in ["legacy_2022_form_ack.txt", "legacy_2022_form_chat.txt"] {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = hub.provider().post_to("/api/umbler/webhook", &headers, fixture(file));
        answer.refuses(400, "bad_request");
    }
    assert_eq!(hub.json("/health")["seq"], 0);
}

#[test]
fn camel_case_says_the_same_as_pascal_case() {
    let shown = |file: &str| {
        let hub = spawn_hub();
        hub.provider().posts_fixture(file);
        let mut snapshot = hub.screen().snapshot();
        snapshot["epoch"] = json!("(random)");
        snapshot
    };
    let camel: Value = serde_json::from_slice(&fixture("23_camel_case_variant.json")).expect("JSON");
    let twin =
        manifest().iter().map(|entry| entry["file"].as_str().expect("a file").to_owned()).find(|file| {
            let body: Value = serde_json::from_slice(&fixture(file)).expect("JSON");
            body["EventId"] == camel["eventId"]
        });
    assert_eq!(shown("23_camel_case_variant.json"), shown(&twin.expect("a delivery with the same id")));
}
