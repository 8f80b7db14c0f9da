//! A simulated day holds everything that a real one may hold, and the hub understands all of it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Day;
use crate::domain::DeliveryBody;
use crate::umbler::{KNOWN_TYPES, Reading, read};

fn start() -> Timestamp {
    "2026-03-02T11:00:00Z".parse().unwrap()
}

fn day(seed: u64, count: i64) -> Vec<(u32, Vec<u8>)> {
    let mut day = Day::new(seed, start());
    let step = |second| {
        let delivery = day.step(start() + SignedDuration::from_secs(second));
        (delivery.attempt, delivery.body)
    };
    (0..count).map(step).collect()
}

fn bodies(seed: u64, count: i64) -> Vec<Value> {
    day(seed, count).iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_other_ids() {
    assert_eq!(day(7, 500), day(7, 500));
    let ids =
        |seed| bodies(seed, 500).iter().map(|body| body["EventId"].to_string()).collect::<BTreeSet<_>>();
    assert!(ids(7).is_disjoint(&ids(8)));
}

#[test]
fn every_delivery_is_understood_but_those_of_the_type_that_nobody_knows() {
    for (attempt, body) in day(1, 4_000) {
        let Reading::Event(delivery) = read(&body, Some(attempt), start()).unwrap() else {
            panic!("ignored")
        };
        match delivery.body {
            DeliveryBody::Understood(_) => {}
            DeliveryBody::Unrecognized { reason } => {
                assert_eq!(delivery.event_type, "ChatRatingReceived", "{reason}");
            }
        }
    }
}

#[test]
fn a_day_holds_every_type_and_every_trap() {
    let all = bodies(1, 6_000);
    let types: BTreeSet<&str> = all.iter().map(|body| body["Type"].as_str().unwrap()).collect();
    for known in KNOWN_TYPES {
        assert!(types.contains(known), "{known}: {types:?}");
    }
    let content = |body: &Value| body["Payload"]["Content"].clone();
    let messages: Vec<Value> = all.iter().map(|body| content(body)["LastMessage"].clone()).collect();
    let words = |key: &str| {
        messages.iter().filter_map(|m| m[key].as_str().map(str::to_owned)).collect::<BTreeSet<_>>()
    };
    for (key, expected) in [
        ("Source", &["Contact", "Member", "Bot", "External"][..]),
        ("MessageState", &["Processing", "Sent", "Delivered", "Read", "Failed"]),
        (
            "MessageType",
            &[
                "Text",
                "Image",
                "Audio",
                "File",
                "Video",
                "Location",
                "Contact",
                "ButtonReply",
                "CallAttempt",
                "Unsupported",
            ],
        ),
    ] {
        for word in expected {
            assert!(words(key).contains(*word), "{key} {word}");
        }
    }
    let has = |what: &str, holds: &dyn Fn(&Value) -> bool| assert!(all.iter().any(holds), "{what}");
    has("a private note", &|b| content(b)["LastMessage"]["IsPrivate"] == true);
    has("an edit", &|b| content(b)["LastMessage"]["LatestEdit"].is_object());
    has("a reaction", &|b| content(b)["LastMessageReaction"].is_object());
    has("a group", &|b| content(b)["Contact"]["ContactType"] == "Group");
    has("an internal chat", &|b| content(b)["Contact"]["ContactType"] == "MemberDirectMessage");
    has("a campaign", &|b| content(b)["LastMessage"]["BulkSendSession"].is_object());
    has("a scheduled message", &|b| content(b)["LastMessage"]["ScheduledMessage"].is_object());
    has("a transfer to nobody", &|b| {
        b["Type"] == "MemberTransfer" && content(b)["OrganizationMember"].is_null()
    });
    has("a tag", &|b| b["Type"] == "ChatTagChanged" && content(b)["Tags"][0].is_object());
    has("a private chat", &|b| content(b)["Private"] == true);
    assert!(day(1, 6_000).iter().any(|(attempt, _)| *attempt == 2), "a retry");
    let ids: Vec<String> = all.iter().map(|body| body["EventId"].to_string()).collect();
    assert!(ids.iter().collect::<BTreeSet<_>>().len() < ids.len(), "a retry repeats its id");
    let closed: Vec<Value> =
        all.iter().filter(|b| content(b)["Open"] == false).map(|b| content(b)["Id"].clone()).collect();
    let is = |body: &Value, chat: &Value, open: bool| {
        content(body)["Id"] == *chat && content(body)["Open"] == open
    };
    let last_close = |chat: &Value| all.iter().position(|body| is(body, chat, false));
    let reopened = |chat: &Value| {
        let after = last_close(chat).map_or(0, |at| at + 1);
        all[after..].iter().any(|body| is(body, chat, true))
    };
    assert!(closed.iter().any(reopened), "a chat comes back");
}
