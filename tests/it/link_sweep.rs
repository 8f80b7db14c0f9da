//! What no webhook brought is found at the provider's API, whatever that does with a question, and nothing is doubled.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use umbler_hub::facade::testing::Day;
use umbler_hub::facade::testing::{ApiFault, FakeApi, OrderWord, Ways};

use super::support::api::{ago, all, api, come, deliveries, get_lost, linked, message_ids, rechecked};
use super::support::{Delivery, Hub, spawn_hub};

/// A hub and an API that know the same, and the day that goes on.
fn in_step(api: &FakeApi, seed: u64) -> (Hub, Day) {
    let hub = linked(api, &[]);
    let mut day = Day::new(seed, ago(5_000));
    come(api, &hub, &deliveries(&mut day, ago(5_000), ago(800), 300));
    rechecked(&hub);
    (hub, day)
}

fn seq(hub: &Hub) -> i64 {
    hub.json("/health")["seq"].as_i64().expect("a position")
}

fn complete_until(link: &Value) -> Option<Timestamp> {
    link["completeUntil"].as_str().map(|text| text.parse().expect("a moment"))
}

/// What is compared of a hub with another one: everything but when something was noticed, names of agents, and waits: a close that
/// was followed by a reopening is told nowhere, and a wait begins after it.
fn known(hub: &Hub) -> (Vec<Value>, Vec<Value>, Value) {
    let mut messages = all(hub, "/api/umbler/messages", "messages");
    for message in &mut messages {
        message["author"] = message["author"]["id"].take();
    }
    let chats = all(hub, "/api/umbler/chats", "chats").into_iter().map(|mut chat| {
        chat["owner"] = chat["owner"]["id"].take();
        let fields = ["id", "status", "owner", "sector", "tags", "private", "kind", "closedAt", "channel"];
        fields.iter().map(|name| chat[*name].clone()).collect()
    });
    let stats = hub.json("/api/umbler/stats");
    let totals = ["totalContacts", "totalMessages", "totalChats", "openChats", "waitingChats"];
    (messages, chats.collect(), totals.iter().map(|name| stats[*name].clone()).collect())
}

#[test]
fn ten_minutes_of_lost_webhooks_are_made_up_for_and_nothing_is_doubled() {
    let api = api();
    let (hub, mut day) = in_step(&api, 11);
    let last_webhook = hub.json("/health")["lastWebhookAt"].clone();
    let lost = deliveries(&mut day, ago(560), ago(100), 300);
    get_lost(&api, &lost);

    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert_eq!(link["silence"]["finding"], "deliveries_lost", "{link}");
    assert!(link["sweep"]["messages"].as_u64() > Some(50), "{link}");
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "gap and doubles");
    assert_eq!(hub.json("/health")["lastWebhookAt"], last_webhook, "none of it is a webhook");

    // Webhooks that come late after all double nothing.
    let total = hub.json("/api/umbler/stats")["totalMessages"].clone();
    for delivery in &lost {
        assert_eq!(hub.provider().post(delivery).status, 200);
    }
    assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], total);
    // That nothing is lost any more is told once.
    assert_eq!(rechecked(&hub)["alerts"], json!([]));
    let seq = seq(&hub);
    rechecked(&hub);
    assert_eq!(self::seq(&hub), seq, "and then everything is known");
}

#[test]
fn a_hub_that_was_down_ends_as_one_that_never_was() {
    let (one, other) = (api(), spawn_hub());
    // What was shown to a comparison is known; the first one that is allowed comes after all of this.
    one.ways(|ways| ways.refuses_with = Some(403));
    let hub = linked(&one, &[]);
    let mut day = Day::new(5, ago(5_000));
    let parts = [
        deliveries(&mut day, ago(5_000), ago(2_000), 300),
        deliveries(&mut day, ago(2_000), ago(900), 300),
        deliveries(&mut day, ago(900), ago(200), 100),
    ];
    come(&one, &hub, &parts[0]);
    get_lost(&one, &parts[1]);
    come(&one, &hub, &parts[2]);
    for delivery in parts.iter().flatten() {
        assert_eq!(other.provider().post(delivery).status, 200);
    }
    one.ways(|ways| ways.refuses_with = None);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    let ((messages, chats, totals), never_down) = (known(&hub), known(&other));
    for (one, other) in messages.iter().zip(&never_down.0).chain(chats.iter().zip(&never_down.1)) {
        assert_eq!(one, other);
    }
    let counts = (messages.len(), chats.len());
    assert_eq!((counts, totals), ((never_down.0.len(), never_down.1.len()), never_down.2));
}

#[test]
fn a_sweep_that_finds_nothing_journals_nothing() {
    let api = api();
    let (hub, _) = in_step(&api, 3);
    let first = rechecked(&hub);
    let seq = seq(&hub);
    let second = rechecked(&hub);
    assert_eq!(self::seq(&hub), seq);
    assert_eq!(
        (&second["sweep"]["messages"], &second["sweep"]["states"]),
        (&json!(0), &json!(0)),
        "{second}"
    );
    assert_eq!(second["state"], "ok", "{second}");
    assert!(complete_until(&second) >= complete_until(&first), "{second}");
    assert!(complete_until(&second).expect("a moment") <= ago(60), "never beyond what was read");
    assert!(hub.counter("umbler_hub_complete_until_timestamp_seconds") > 0);
}

#[test]
fn how_far_everything_is_known_survives_a_restart() {
    let api = api();
    let (hub, _) = in_step(&api, 4);
    let until = complete_until(&rechecked(&hub));
    api.ways(|ways| ways.refuses_with = Some(403));
    let hub = hub.restarted();
    let link = rechecked(&hub);
    assert_eq!((complete_until(&link), link["state"].as_str()), (until, Some("not_allowed")), "{link}");
    assert_eq!(hub.json("/health")["link"], "not_allowed");
    api.ways(|ways| ways.refuses_with = None);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert!(complete_until(&link) >= until, "{link}");
}

/// An API that does things in its own way, and a hub to which no webhook brings anything: all of it is found.
fn all_is_found_where(change: impl FnOnce(&mut Ways)) -> (FakeApi, Hub, Value) {
    let api = api();
    let mut day = Day::new(21, ago(5_000));
    get_lost(&api, &deliveries(&mut day, ago(5_000), ago(200), 400));
    api.ways(change);
    let hub = linked(&api, &[]);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "{link}");
    (api, hub, link)
}

#[test]
fn an_order_word_that_is_ignored_leads_to_a_wider_read() {
    let (_, _, link) = all_is_found_where(|ways| (ways.order, ways.take_max) = (OrderWord::Ignored, 7));
    assert!(link["sweep"]["problem"].as_str().expect("a problem").contains("order"), "{link}");
}

#[test]
fn the_other_order_word_and_pages_whose_items_slide_lose_nothing() {
    let (_, _, link) = all_is_found_where(|ways| {
        (ways.order, ways.take_max, ways.slides) = (OrderWord::OrderBy, 7, 2);
    });
    assert_eq!(link["sweep"]["problem"], Value::Null, "{link}");
}

#[test]
fn short_pages_of_messages_lose_nothing_whether_the_cursor_counts_or_not() {
    for counts in [true, false] {
        all_is_found_where(|ways| (ways.messages_take_max, ways.cursor_counts) = (3, counts));
    }
}

/// Twelve messages of one chat in one instant, and three before.
fn crowd(api: &FakeApi) {
    let at = |seconds| json!(format!("{:.3}", ago(seconds)));
    let (then, before) = (at(900), at(1_200));
    for number in 0..15 {
        let moment = if number < 12 { &then } else { &before };
        let delivery = Delivery::message("crowd")
            .set("/EventDate", json!(format!("{:.7}", ago(900 - number))))
            .message_field("EventAtUTC", moment.clone())
            .message_field("CreatedAtUTC", moment.clone())
            .chat_field("EventAtUTC", then.clone())
            .chat_field("Organization", json!({ "Id": api.world(|world| world.organization.clone()) }));
        api.world(|world| world.hears(&delivery.bytes()));
    }
}

#[test]
fn many_messages_in_one_instant_are_all_found() {
    for counts in [true, false] {
        let api = api();
        crowd(&api);
        api.ways(|ways| (ways.messages_take_max, ways.cursor_counts) = (13, counts));
        let hub = linked(&api, &[]);
        let link = rechecked(&hub);
        assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "{link}");
        assert_eq!(message_ids(&hub).len(), 15);
    }
}

/// What is claimed after an answer that cannot be trusted.
fn is_misled_where(change: impl FnOnce(&mut Ways), reason: &str) {
    let api = api();
    let (hub, mut day) = in_step(&api, 8);
    let until = complete_until(&rechecked(&hub));
    get_lost(&api, &deliveries(&mut day, ago(560), ago(200), 200));
    api.ways(change);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "misled", "{link}");
    assert!(link["reason"].as_str().expect("a reason").contains(reason), "{link}");
    assert_eq!(complete_until(&link), until, "nothing is claimed: {link}");
    api.ways(|ways| *ways = Ways::default());
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "{link}");
}

#[test]
fn a_page_that_comes_again_and_again_is_an_error_and_no_completeness() {
    is_misled_where(|ways| (ways.skip_is_ignored, ways.take_max) = (true, 5), "same chats came again");
}

#[test]
fn a_list_that_is_empty_although_chats_are_known_is_an_error() {
    is_misled_where(|ways| ways.is_emptied = true, "the list is empty");
}

#[test]
fn a_cursor_that_is_ignored_is_an_error() {
    is_misled_where(
        |ways| (ways.cursor_is_ignored, ways.messages_take_max) = (true, 2),
        "after the moment that was asked for",
    );
}

#[test]
fn a_plan_that_hides_the_past_is_told_whatever_its_flag_says() {
    for tells in [true, false] {
        let api = api();
        let (hub, mut day) = in_step(&api, 9);
        come(&api, &hub, &deliveries(&mut day, ago(640), ago(450), 200));
        let cut = ago(420);
        get_lost(&api, &deliveries(&mut day, ago(400), ago(200), 200));
        api.ways(|ways| (ways.cut_before, ways.tells_cut) = (Some(cut), tells));
        let link = rechecked(&hub);
        assert_eq!(link["state"], "ok", "{link}");
        let from: Timestamp = link["availableFrom"].as_str().expect("a moment").parse().expect("a moment");
        assert!(from >= cut, "flag {tells}: {link}");
        let known = message_ids(&hub);
        let shown = api.world(|world| world.message_ids_since(cut));
        assert!(shown.iter().all(|id| known.contains(id)), "what is shown is known");
    }
}

#[test]
fn an_api_that_fails_now_and_then_is_asked_again_until_everything_is_known() {
    let api = api();
    let (hub, mut day) = in_step(&api, 10);
    get_lost(&api, &deliveries(&mut day, ago(560), ago(200), 200));
    api.ways(|ways| ways.retry_after = Some(1));
    for fault in [ApiFault::Status(429), ApiFault::Html, ApiFault::Truncated] {
        api.fails("chats", &fault, 1);
    }
    for fault in [ApiFault::Status(500), ApiFault::Cut, ApiFault::Reset] {
        api.fails("relative-messages", &fault, 1);
    }
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()));
    let requests = hub.get("/metrics").text;
    for row in [r#"route="chats",status="429"} 1"#, r#"route="chats",status="502"} 1"#, r#"status="none"} 1"#]
    {
        assert!(requests.contains(row), "{row}");
    }
}

#[test]
fn no_five_seconds_see_more_requests_on_a_route_than_are_allowed() {
    let api = api();
    let mut day = Day::new(33, ago(20_000));
    get_lost(&api, &deliveries(&mut day, ago(20_000), ago(200), 900));
    let hub = linked(&api, &[("UMBLER_API_REQUESTS_PER_5_SECONDS", "40")]);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    let seen: Vec<_> = api.seen().into_iter().filter(|seen| seen.route == "relative-messages").collect();
    assert!(seen.len() > 100, "{}", seen.len());
    for first in &seen {
        let until = first.at + std::time::Duration::from_secs(5);
        let count = seen.iter().filter(|other| other.at >= first.at && other.at < until).count();
        assert!(count <= 40, "{count} within five seconds");
    }
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()));
}

#[test]
fn a_clock_of_the_provider_that_is_wrong_does_not_make_later_webhooks_lose() {
    let api = api();
    let (hub, _) = in_step(&api, 14);
    api.ways(|ways| ways.clock_ahead = SignedDuration::from_hours(1));
    let at = |seconds| json!(format!("{:.3}", ago(seconds)));
    let chat = |seconds: i64| {
        let then = at(seconds);
        Delivery::message("ana").set("/EventDate", then.clone()).message_field("EventAtUTC", then)
    };
    get_lost(&api, &[chat(300).bytes()]);
    assert_eq!(rechecked(&hub)["state"], "ok");
    assert_eq!(hub.json("/api/umbler/chats/ana")["chat"]["status"], "waiting");
    let answered = chat(-1).by_member("bia").owner("bia").waiting(false);
    hub.provider().posts(&answered);
    assert_eq!(hub.json("/api/umbler/chats/ana")["chat"]["owner"]["id"], "bia", "the webhook is newer");
}
