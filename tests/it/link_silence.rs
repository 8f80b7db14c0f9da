//! Silence: whether nothing was said or what was said did not deliver, and what is told of it until it is over.

use serde_json::{Value, json};
use umbler_hub::facade::testing::{ApiFault, FakeApi};

use super::support::Hub;
use super::support::api::{api, deliver, linked, lose, message_ids, rechecked, said};

const ALL_HOURS: (&str, &str) = ("BUSINESS_HOURS", "Mon-Sun 00:00-24:00");

fn requests(api: &FakeApi, route: &str) -> usize {
    api.requests().iter().filter(|seen| seen.route == route).count()
}

/// The kinds of what is wrong, as everybody is told.
fn wrong(hub: &Hub) -> Vec<Value> {
    let alerts = hub.json("/api/umbler/link")["alerts"].clone();
    alerts.as_array().expect("a list").iter().map(|alert| alert["kind"].clone()).collect()
}

#[test]
fn a_silence_in_business_hours_has_everything_looked_at_at_once() {
    let api = api();
    let hub = linked(&api, &[ALL_HOURS, ("UMBLER_SILENCE_SECONDS", "1")]);
    deliver(&api, &hub, &[said("ana", 0).bytes()]);
    rechecked(&hub);
    let (sweeps, looks) = (requests(&api, "chats"), requests(&api, "webhooks"));
    lose(&api, &[said("bia", 400).bytes()]);
    // Nothing asks for it, and the next comparison is due in a day.
    while message_ids(&hub).len() < 2 {}
    while requests(&api, "webhooks") == looks {}
    assert!(requests(&api, "chats") > sweeps);
    while wrong(&hub) != [json!("deliveries_lost")] {}
}

#[test]
fn lost_deliveries_stay_told_until_webhooks_come_again_even_over_a_restart() {
    let api = api();
    let hub = linked(&api, &[]);
    rechecked(&hub);
    lose(&api, &[said("ana", 400).bytes(), said("bia", 300).bytes()]);
    let link = rechecked(&hub);
    assert_eq!(
        (&link["silence"]["finding"], &link["silence"]["lost"]),
        (&json!("deliveries_lost"), &json!(2))
    );
    let first = link["alerts"].clone();
    assert_eq!((&first[0]["kind"], &first[0]["count"]), (&json!("deliveries_lost"), &json!(2)), "{link}");

    assert_eq!(
        rechecked(&hub)["alerts"],
        first,
        "that nothing new is missing does not show that webhooks come"
    );
    api.fail("chats", &ApiFault::Status(404), 1);
    assert_eq!(rechecked(&hub)["alerts"], first, "what was not compared ends nothing");
    let hub = hub.restarted();
    api.fail("chats", &ApiFault::Status(404), 1);
    assert_eq!(rechecked(&hub)["alerts"], first, "a restart mends nothing");

    deliver(&api, &hub, &[said("caio", 0).bytes()]);
    assert_eq!(rechecked(&hub)["alerts"], json!([]), "one came, and nothing is missing");
}

#[test]
fn a_paused_webhook_stays_told_over_a_restart_until_it_is_looked_at() {
    let api = api();
    let url = "https://hub.example/w";
    api.world(|world| {
        world.posts_to(url);
        world.pause_webhooks();
    });
    let hub = linked(&api, &[("UMBLER_WEBHOOK_URL", url)]);
    assert_eq!(rechecked(&hub)["alerts"][0]["kind"], "webhook_paused");
    api.world(|world| world.posts_to(url));
    let seq = hub.json("/health")["seq"].clone();
    let hub = hub.restarted();
    assert_eq!(rechecked(&hub)["alerts"], json!([]));
    let updates = hub.json(&format!("/api/umbler/updates?after={seq}&limit=100"))["updates"].clone();
    let told: Vec<&Value> =
        updates.as_array().expect("updates").iter().map(|update| &update["data"]["linkAlerts"]).collect();
    assert_eq!(told, [&json!([])], "it is told once that it is over");
}
