//! A fake of Umbler's API, a hub that is linked to it, and deliveries of which some webhooks never come.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use umbler_hub::facade::testing::Day;
use umbler_hub::facade::testing::clock;
use umbler_hub::facade::testing::{FakeApi, TOKEN};

use super::hub::{Hub, hub_with};
use super::provider::Delivery;

/// A fake API on a free port of this machine.
pub fn api() -> FakeApi {
    FakeApi::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port")
}

/// A hub that uses this API and has these further settings. It compares at its start and when a test requests it.
pub fn linked(api: &FakeApi, more: &[(&str, &str)]) -> Hub {
    let url = api.url();
    let settings: Vec<_> = link_settings(&url).into_iter().chain(more.iter().copied()).collect();
    let hub = hub_with(&settings);
    until_linked(&hub);
    hub
}

/// Waits until a hub of a cluster has taken its duties, of which the link is one.
pub fn until_linked(hub: &Hub) {
    while hub.json("/health")["link"] == "off" {}
}

/// The settings of a hub that uses the API at this address.
pub fn link_settings(url: &str) -> [(&str, &str); 3] {
    [("UMBLER_API_URL", url), ("UMBLER_API_TOKEN", TOKEN), ("UMBLER_RECONCILE_SECONDS", "86400")]
}

/// Requests a recheck, waits until it is finished, and returns the link's status.
pub fn rechecked(hub: &Hub) -> Value {
    loop {
        let answer = hub.provider().post_to("/api/umbler/link/recheck", &[], "");
        if answer.status == 503 {
            // A hub of a cluster that has no duties yet.
            continue;
        }
        assert_eq!(answer.status, 200, "{}", answer.text);
        let answer = answer.json();
        if answer["finished"] == true {
            return answer["link"].clone();
        }
    }
}

/// The moment up to which the hub knows everything; `None` until something was compared.
pub fn complete_until(link: &Value) -> Option<Timestamp> {
    link["completeUntil"].as_str().map(|text| text.parse().expect("a moment"))
}

/// Waits until the hub knows everything up to a moment, and returns how the link is then. `seen` is told of each comparison that ended.
pub fn until_complete(hub: &Hub, ended: Timestamp, mut seen: impl FnMut()) -> Value {
    let mut last = json!("not asked for yet");
    loop {
        let link = hub.json("/api/umbler/link");
        if complete_until(&link).is_some_and(|until| until >= ended) {
            return link;
        }
        if link["sweep"]["endedAt"] != last {
            last = link["sweep"]["endedAt"].clone();
            seen();
        }
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

/// The moment this many seconds before now. It uses the real clock, because the hub compares with the clock of the API.
pub fn ago(seconds: i64) -> Timestamp {
    clock::now() - SignedDuration::from_secs(seconds)
}

/// A message of the chat's customer, so many seconds ago.
pub fn said(chat: &str, seconds: i64) -> Delivery {
    emitted(Delivery::message(chat), seconds)
}

/// A delivery that was emitted so many seconds ago, and so was its message, if it has one.
pub fn emitted(delivery: Delivery, seconds: i64) -> Delivery {
    let then = json!(format!("{:.3}", ago(seconds)));
    let has_message = !delivery.0["Payload"]["Content"]["LastMessage"].is_null();
    let delivery = delivery.set("/EventDate", then.clone()).chat_field("EventAtUTC", then.clone());
    if !has_message {
        return delivery;
    }
    delivery.message_field("EventAtUTC", then.clone()).message_field("CreatedAtUTC", then)
}

/// `count` deliveries of a simulated team, evenly spread over a time, and those that belong to the last of these moments.
pub fn deliveries(day: &mut Day, from: Timestamp, until: Timestamp, count: i32) -> Vec<Vec<u8>> {
    let pause = until.duration_since(from) / count;
    let mut deliveries: Vec<_> = (0..count).map(|number| day.step(from + pause * number)).collect();
    deliveries.append(&mut day.rest_of_moment());
    deliveries.into_iter().map(|delivery| delivery.body).collect()
}

/// Deliveries that webhooks bring to the hub. The API knows them, too.
pub fn deliver(api: &FakeApi, hub: &Hub, deliveries: &[Vec<u8>]) {
    for delivery in deliveries {
        let answer = hub.provider().post(delivery);
        assert_eq!(answer.status, 200, "{}", answer.text);
        api.world(|world| world.absorb(delivery));
    }
}

/// Deliveries that only the API knows, because their webhooks were lost.
pub fn lose(api: &FakeApi, deliveries: &[Vec<u8>]) {
    api.world(|world| deliveries.iter().for_each(|delivery| world.absorb(delivery)));
}

/// All items of a list of the hub, sorted by id.
pub fn all(hub: &Hub, path: &str, name: &str) -> Vec<Value> {
    let mut items = Vec::new();
    for page in 1.. {
        let found = hub.json(&format!("{path}?limit=200&page={page}"))[name].clone();
        let found = found.as_array().expect("a list").clone();
        let is_last = found.len() < 200;
        items.extend(found);
        if is_last {
            break;
        }
    }
    items.sort_by_key(|item| item["id"].to_string());
    items
}

/// The ids of all messages, sorted.
pub fn message_ids(hub: &Hub) -> Vec<String> {
    let messages = all(hub, "/api/umbler/messages", "messages");
    let mut ids: Vec<String> =
        messages.iter().map(|message| message["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}
