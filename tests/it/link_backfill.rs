//! What happened before the hub was linked is read from the provider's API, beside everything else, and goes on after a kill.

use std::time::Instant;

use serde_json::{Value, json};
use umbler_hub::facade::testing::{FakeApi, TOKEN};

use super::alerts::{listed, saves, thresholds};
use super::support::api::{ago, api, linked, lose, message_ids, rechecked};
use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, PATIENCE, hub_with, spawn_hub};

const DAY: i64 = 86_400;

/// A message in a chat that was created so many seconds ago and is closed unless it is said otherwise.
fn said(api: &FakeApi, chat: &str, created: i64, number: i64) -> Delivery {
    let at = |seconds: i64| json!(format!("{:.3}", ago(seconds)));
    let then = created - 60 * number;
    Delivery::message(chat)
        .message_id(&format!("{chat}-{number}"))
        .set("/EventDate", json!(format!("{:.7}", ago(then))))
        .message_field("EventAtUTC", at(then))
        .message_field("CreatedAtUTC", at(then))
        .chat_field("CreatedAtUTC", at(created))
        .chat_field("EventAtUTC", at(then))
        .chat_field("Organization", json!({ "Id": api.world(|world| world.organization.clone()) }))
        .chat_field("Open", json!(false))
        .chat_field("Waiting", json!(false))
        .chat_field("ClosedAtUTC", at(created - 600))
}

/// Chats that were created on each of so many days before yesterday, three messages each.
fn history(api: &FakeApi, days: i64) -> usize {
    for day in 0..days {
        for chat in ["a", "b"] {
            for number in 0..3 {
                let delivery = said(api, &format!("day-{day}-{chat}"), (day + 1) * DAY + 40_000, number);
                lose(api, &[delivery.bytes()]);
            }
        }
    }
    usize::try_from(days * 2).expect("a number")
}

pub fn orders(hub: &Hub, days: u32) {
    let headers = [("content-type", "application/json")];
    let answer =
        hub.provider().post_to("/api/umbler/link/backfill", &headers, json!({ "days": days }).to_string());
    assert_eq!((answer.status, answer.json()), (200, json!({ "days": days })), "{}", answer.text);
}

pub fn progress(hub: &Hub) -> Value {
    hub.json("/api/umbler/link")["backfill"].clone()
}

/// Waits until a backfill of so many days has come to its end.
fn ended(hub: &Hub, days: u32) -> Value {
    loop {
        let backfill = progress(hub);
        if backfill["days"] == days && !backfill["endedAt"].is_null() {
            return backfill;
        }
        assert!(!hub.log().contains("panicked"), "{}", hub.log());
    }
}

#[test]
fn chats_of_earlier_days_are_read_with_all_their_messages_and_ring_no_alert() {
    let api = api();
    let chats = history(&api, 4);
    // An open chat that is older than the period.
    for (id, seconds) in [("early", 20 * DAY), ("late", 3 * DAY)] {
        let delivery = said(&api, "open", 30 * DAY, 0)
            .message_id(id)
            .set("/EventDate", json!(format!("{:.7}", ago(seconds))))
            .message_field("EventAtUTC", json!(format!("{:.3}", ago(seconds))))
            .chat_field("Open", json!(true))
            .chat_field("Waiting", json!(true))
            .chat_field("ClosedAtUTC", Value::Null);
        lose(&api, &[delivery.bytes()]);
    }
    let hub = linked(&api, &[("UMBLER_API_REQUESTS_PER_5_SECONDS", "100")]);
    saves(&hub, None, &thresholds(&[("waitingSeconds", 60), ("idleSeconds", 60)]), &json!({}));
    assert_eq!(rechecked(&hub)["backfill"], Value::Null);
    assert_eq!(message_ids(&hub), Vec::<String>::new(), "a comparison goes back one day");

    orders(&hub, 7);
    let backfill = ended(&hub, 7);
    let counts = ["done", "total", "skipped", "problem"].map(|name| backfill[name].clone());
    assert_eq!(counts, [json!(chats + 1), json!(chats + 1), json!(0), Value::Null], "{backfill}");
    let all = api.world(|world| world.message_ids());
    assert_eq!(message_ids(&hub), all);
    assert_eq!(backfill["messages"], all.len(), "{backfill}");
    assert_eq!(hub.json("/api/umbler/chats/day-2-a")["chat"]["status"], "closed");
    assert_eq!(listed(&hub, ""), Vec::<Value>::new(), "what is over for a day rings nothing");
    assert_eq!(hub.counter("umbler_hub_backfill_chats_read"), chats as u64 + 1);
    let metrics = hub.get("/metrics").text;
    assert!(metrics.contains(r#"umbler_hub_reconciled_total{what="backfill"}"#), "{metrics}");
    assert!(!metrics.contains(r#"what="message""#), "they are no lost webhooks: {metrics}");
    assert!(hub.log().contains("backfill: 9 of 9 chats read"), "{}", hub.log());

    let updates = hub.json("/api/umbler/updates?after=0&limit=1000")["updates"].clone();
    let last = updates.as_array().expect("updates").last().cloned().expect("an update");
    assert_eq!(last["data"]["type"], "link_updated", "the end is told: {last}");
    assert_eq!(last["data"]["backfill"]["done"], chats + 1, "{last}");
    let seq = hub.json("/health")["seq"].as_i64().expect("a position");
    orders(&hub, 8);
    assert_eq!(ended(&hub, 8)["messages"], 0, "everything is known");
    let told = hub.json(&format!("/api/umbler/updates?after={seq}&limit=1000"))["updates"].clone();
    let told: Vec<Value> =
        told.as_array().expect("updates").iter().map(|update| update["data"]["type"].clone()).collect();
    assert!(told.iter().all(|kind| kind == "link_updated"), "{told:?}");
}

#[test]
fn a_backfill_that_was_killed_again_and_again_goes_on_and_doubles_nothing() {
    let api = api();
    let chats = history(&api, 6);
    let mut hub =
        linked(&api, &[("UMBLER_API_REQUESTS_PER_5_SECONDS", "100"), ("UMBLER_BACKFILL_DAYS", "7")]);
    let mut noted = 0;
    for least in [1, 4, 8] {
        while progress(&hub)["done"].as_u64() < Some(least) && progress(&hub)["endedAt"].is_null() {}
        hub.kill();
        hub = hub.started_again();
        rechecked(&hub);
        let done = progress(&hub)["done"].as_u64().expect("a count");
        assert!(done >= noted, "it goes on, and does not begin again: {done} after {noted}");
        noted = done;
    }
    let backfill = ended(&hub, 7);
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "{backfill}");
    assert_eq!(backfill["done"], chats, "{backfill}");
    let updates = hub.json("/api/umbler/updates?after=0&limit=1000")["updates"].clone();
    let of_messages = updates.as_array().expect("updates").iter();
    let of_messages = of_messages.filter(|update| update["data"]["type"] == "new_message").count();
    assert_eq!(of_messages, chats, "one delivery for each chat");
    // It is done once: a start with the same setting begins no other one.
    let before = backfill["begunAt"].clone();
    let hub = hub.restarted();
    rechecked(&hub);
    assert_eq!(progress(&hub)["begunAt"], before);
}

#[test]
fn webhooks_that_get_lost_are_found_while_a_backfill_runs() {
    let api = api();
    history(&api, 6);
    let hub = linked(&api, &[("UMBLER_API_REQUESTS_PER_5_SECONDS", "12"), ("UMBLER_BACKFILL_DAYS", "6")]);
    while progress(&hub)["done"].as_u64().unwrap_or_default() == 0 {}
    lose(&api, &[said(&api, "now", 300, 0).bytes()]);
    let link = rechecked(&hub);
    assert_eq!(link["backfill"]["endedAt"], Value::Null, "{link}");
    assert!(message_ids(&hub).contains(&"now-0".to_owned()), "{link}");
    let shown = api.requests();
    let of_backfill = shown.iter().filter(|seen| seen.route == "relative-messages").count();
    assert!(of_backfill > 1, "{of_backfill}");
}

#[test]
fn bounds_of_creation_that_are_ignored_are_noticed_and_nothing_is_missing() {
    let api = api();
    let chats = history(&api, 3);
    lose(&api, &[said(&api, "before", 20 * DAY, 0).bytes()]);
    api.behave(|behavior| (behavior.creation_is_ignored, behavior.take_max) = (true, 4));
    let hub = linked(&api, &[("UMBLER_API_REQUESTS_PER_5_SECONDS", "100")]);
    orders(&hub, 7);
    let backfill = ended(&hub, 7);
    assert!(backfill["problem"].as_str().expect("a problem").contains("bounds"), "{backfill}");
    assert_eq!((&backfill["done"], &backfill["total"]), (&json!(chats), &json!(chats)), "{backfill}");
    let mut all = api.world(|world| world.message_ids());
    all.retain(|id| id != "before-0");
    assert_eq!(message_ids(&hub), all);
}

#[test]
fn only_admins_begin_a_backfill_and_its_days_have_bounds() {
    let api = api();
    let hub = linked(&api, &[("JWT_SECRET", SECRET)]);
    let bearer = |role: &str| format!("Bearer {}", token(json!({ "sub": "x", "role": role })));
    let post = |role: &str, body: &str| {
        let (bearer, path) = (bearer(role), "/api/umbler/link/backfill");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        hub.provider().post_to(path, &headers, body)
    };
    post("supervisor", r#"{"days":1}"#).refuses(403, "forbidden");
    for wrong in [r#"{"days":0}"#, r#"{"days":1826}"#] {
        post("admin", wrong).refuses(400, "bad_parameter");
    }
    for wrong in ["{}", "[]", r#"{"days":"1"}"#, r#"{"days":1,"more":2}"#] {
        post("admin", wrong).refuses(400, "bad_request");
    }
    let alone = spawn_hub();
    let headers = [("content-type", "application/json")];
    let answer = alone.provider().post_to("/api/umbler/link/backfill", &headers, r#"{"days":1}"#);
    answer.refuses(400, "bad_request");
}

/// Waits until the backfill is as wanted, though not for ever.
fn becomes(hub: &Hub, is_wanted: impl Fn(&Value) -> bool) {
    let begun = Instant::now();
    while !is_wanted(&progress(hub)) {
        assert!(begun.elapsed() < PATIENCE, "{}", progress(hub));
        std::thread::yield_now();
    }
}

/// Waits until a backfill of so many days could not go on.
fn held_up(hub: &Hub, days: u32) {
    becomes(hub, |backfill| backfill["days"] == days && !backfill["problem"].is_null());
}

/// Waits until a backfill of so many days has come to its end.
fn ends_soon(hub: &Hub, days: u32) {
    becomes(hub, |backfill| backfill["days"] == days && !backfill["endedAt"].is_null());
}

#[test]
fn a_backfill_that_was_ordered_goes_on_after_a_kill_although_nothing_could_be_read_before() {
    let api = api();
    history(&api, 2);
    let mut hub = linked(&api, &[]);
    rechecked(&hub);
    api.behave(|behavior| behavior.refuses_with = Some(401));
    orders(&hub, 4);
    held_up(&hub, 4);
    hub.kill();
    api.behave(|behavior| behavior.refuses_with = None);
    let hub = hub.started_again();
    ends_soon(&hub, 4);
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()));
}

#[test]
fn a_longer_backfill_that_was_ordered_while_one_ran_comes_after_it_also_after_a_kill() {
    let api = api();
    history(&api, 3);
    let mut hub = linked(&api, &[]);
    rechecked(&hub);
    api.behave(|behavior| behavior.refuses_with = Some(401));
    orders(&hub, 2);
    held_up(&hub, 2);
    orders(&hub, 6);
    becomes(&hub, |backfill| backfill["nextDays"] == 6);
    hub.kill();
    api.behave(|behavior| behavior.refuses_with = None);
    let hub = hub.started_again();
    ends_soon(&hub, 6);
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()));
}

#[test]
fn a_backfill_that_a_refused_token_held_up_goes_on_with_the_next_token() {
    let api = api();
    history(&api, 2);
    let hub = hub_with(&[("UMBLER_API_URL", &api.url()), ("UMBLER_RECONCILE_SECONDS", "86400")]);
    let enters = |token: &str| hub.put("/api/umbler/setup/token", &[], &json!({ "token": token }));
    assert_eq!(enters(TOKEN).json(), json!({ "started": true }));
    rechecked(&hub);
    api.behave(|behavior| behavior.token = "the-second-token");
    orders(&hub, 4);
    held_up(&hub, 4);
    assert_eq!(enters("the-second-token").json(), json!({ "started": false }));
    ends_soon(&hub, 4);
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()));
}
