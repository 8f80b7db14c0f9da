//! The hub finds through the provider's API what no webhook brought, however the API behaves, and nothing is counted twice.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use umbler_hub::facade::testing::Day;
use umbler_hub::facade::testing::{ApiFault, FakeApi, FakeBehavior, OrderWord};

use super::support::api::{
    ago, all, api, complete_until, deliver, deliveries, linked, lose, message_ids, rechecked,
};
use super::support::{Delivery, Hub, spawn_hub};

/// A hub that knows everything that the API knows, and the simulated day, from which further deliveries may be taken.
fn in_step(api: &FakeApi, seed: u64) -> (Hub, Day) {
    let hub = linked(api, &[]);
    let mut day = Day::new(seed, ago(5_000));
    deliver(api, &hub, &deliveries(&mut day, ago(5_000), ago(800), 300));
    rechecked(&hub);
    (hub, day)
}

fn seq(hub: &Hub) -> i64 {
    hub.json("/health")["seq"].as_i64().expect("a position")
}

/// What a hub knows, for the comparison with another hub: messages, chats and totals. Three things are left out, because a hub that
/// was down cannot know them: when something was noticed, names of agents, and waits (a chat that was closed and reopened meanwhile
/// has a wait that began at the reopening, but the API does not tell of the close).
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
fn ten_minutes_of_lost_webhooks_are_found_and_nothing_is_counted_twice() {
    let api = api();
    let (hub, mut day) = in_step(&api, 11);
    let last_webhook = hub.json("/health")["lastWebhookAt"].clone();
    let lost = deliveries(&mut day, ago(560), ago(100), 300);
    lose(&api, &lost);

    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert_eq!(link["silence"]["finding"], "deliveries_lost", "{link}");
    assert!(link["sweep"]["messages"].as_u64() > Some(50), "{link}");
    assert_eq!(
        message_ids(&hub),
        api.world(|world| world.message_ids()),
        "nothing is missing and nothing is there twice"
    );
    assert_eq!(
        hub.json("/health")["lastWebhookAt"],
        last_webhook,
        "what was found does not count as a webhook"
    );

    // Webhooks that come late after all are not counted a second time.
    let total = hub.json("/api/umbler/stats")["totalMessages"].clone();
    for delivery in &lost {
        assert_eq!(hub.provider().post(delivery).status, 200);
    }
    assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], total);
    // The end of the alert is told once.
    assert_eq!(rechecked(&hub)["alerts"], json!([]));
    let seq = seq(&hub);
    rechecked(&hub);
    assert_eq!(self::seq(&hub), seq, "there is nothing more to find");
}

#[test]
fn a_hub_that_was_down_ends_up_like_one_that_never_was() {
    let (one, other) = (api(), spawn_hub());
    // The API refuses all comparisons until the webhooks are lost, so that nothing is found earlier.
    one.behave(|behavior| behavior.refuses_with = Some(403));
    let hub = linked(&one, &[]);
    let mut day = Day::new(5, ago(5_000));
    let parts = [
        deliveries(&mut day, ago(5_000), ago(2_000), 300),
        deliveries(&mut day, ago(2_000), ago(900), 300),
        deliveries(&mut day, ago(900), ago(200), 100),
    ];
    deliver(&one, &hub, &parts[0]);
    lose(&one, &parts[1]);
    deliver(&one, &hub, &parts[2]);
    for delivery in parts.iter().flatten() {
        assert_eq!(other.provider().post(delivery).status, 200);
    }
    one.behave(|behavior| behavior.refuses_with = None);
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
fn a_comparison_that_finds_nothing_records_no_event() {
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
    assert!(complete_until(&second).expect("a moment") <= ago(60), "never later than what was read");
    assert!(hub.counter("umbler_hub_complete_until_timestamp_seconds") > 0);
}

#[test]
fn after_lost_messages_comparisons_read_what_happened_since_until_one_finds_nothing() {
    let api = api();
    let (hub, mut day) = in_step(&api, 21);
    let reads = || {
        let count = || api.requests().iter().filter(|seen| seen.route == "relative-messages").count();
        let before = count();
        let link = rechecked(&hub);
        assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "gap and doubles: {link}");
        (count() - before, link)
    };
    lose(&api, &deliveries(&mut day, ago(560), ago(100), 200));
    let (first, link) = reads();
    assert_eq!(link["silence"]["finding"], "deliveries_lost", "{link}");
    // The API shows a message some seconds after it was sent: these are from before that comparison.
    lose(&api, &deliveries(&mut day, ago(50), ago(30), 10));
    let (second, _) = reads();
    assert!(0 < second && second < first / 2, "{first} requests, then {second}");
    let (third, _) = reads();
    assert!(third <= second, "{first} requests, then {second}, then {third}");
    // A receipt may come long after its message, so all of the gap is looked at again.
    let (fourth, _) = reads();
    // The gap begins where the comparison before ended, so a chat of its beginning may have left it meanwhile.
    assert!(fourth > first / 2, "{first} requests, then {second}, {third} and {fourth}");
}

#[test]
fn complete_until_survives_a_restart() {
    let api = api();
    let (hub, _) = in_step(&api, 4);
    let until = complete_until(&rechecked(&hub));
    api.behave(|behavior| behavior.refuses_with = Some(403));
    let hub = hub.restarted();
    let link = rechecked(&hub);
    assert_eq!((complete_until(&link), link["state"].as_str()), (until, Some("not_allowed")), "{link}");
    assert_eq!(hub.json("/health")["link"], "not_allowed");
    api.behave(|behavior| behavior.refuses_with = None);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert!(complete_until(&link) >= until, "{link}");
}

/// Checks that a hub without a single webhook finds everything at an API with this behaviour.
fn all_is_found_where(change: impl FnOnce(&mut FakeBehavior)) -> (FakeApi, Hub, Value) {
    let api = api();
    let mut day = Day::new(21, ago(5_000));
    lose(&api, &deliveries(&mut day, ago(5_000), ago(200), 400));
    api.behave(change);
    let hub = linked(&api, &[]);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "{link}");
    (api, hub, link)
}

#[test]
fn if_the_order_of_chats_is_ignored_all_open_and_recent_chats_are_read() {
    let (_, _, link) =
        all_is_found_where(|behavior| (behavior.order, behavior.take_max) = (OrderWord::Ignored, 7));
    assert!(link["sweep"]["problem"].as_str().expect("a problem").contains("order"), "{link}");
}

#[test]
fn nothing_is_lost_with_the_other_order_parameter_and_chats_that_move_between_pages() {
    let (_, _, link) = all_is_found_where(|behavior| {
        (behavior.order, behavior.take_max, behavior.slides) = (OrderWord::OrderBy, 7, 2);
    });
    assert_eq!(link["sweep"]["problem"], Value::Null, "{link}");
}

#[test]
fn chats_that_move_between_pages_are_found_also_if_the_providers_clock_is_ahead() {
    let (_, _, link) = all_is_found_where(|behavior| {
        (behavior.take_max, behavior.slides) = (7, 2);
        behavior.clock_ahead = SignedDuration::from_secs(30);
    });
    assert_eq!(link["sweep"]["problem"], Value::Null, "{link}");
}

#[test]
fn short_pages_of_messages_lose_nothing_whether_the_cursor_is_included_or_not() {
    for counts in [true, false] {
        all_is_found_where(|behavior| {
            (behavior.messages_take_max, behavior.cursor_is_included) = (3, counts);
        });
    }
}

/// Gives the API a chat with twelve messages of one instant and three earlier ones.
fn add_crowd(api: &FakeApi) {
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
        api.world(|world| world.absorb(&delivery.bytes()));
    }
}

#[test]
fn many_messages_in_one_instant_are_all_found() {
    for counts in [true, false] {
        let api = api();
        add_crowd(&api);
        api.behave(|behavior| (behavior.messages_take_max, behavior.cursor_is_included) = (13, counts));
        let hub = linked(&api, &[]);
        let link = rechecked(&hub);
        assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "{link}");
        assert_eq!(message_ids(&hub).len(), 15);
    }
}

/// Checks that a hub reports `misled` with this reason, keeps `completeUntil`, and recovers when the API behaves again.
fn is_misled_where(change: impl FnOnce(&mut FakeBehavior), reason: &str) {
    let api = api();
    let (hub, mut day) = in_step(&api, 8);
    let until = complete_until(&rechecked(&hub));
    lose(&api, &deliveries(&mut day, ago(560), ago(200), 200));
    api.behave(change);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "misled", "{link}");
    assert!(link["reason"].as_str().expect("a reason").contains(reason), "{link}");
    assert_eq!(complete_until(&link), until, "completeUntil stays: {link}");
    api.behave(|behavior| *behavior = FakeBehavior::default());
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "{link}");
}

#[test]
fn a_page_that_comes_again_and_again_is_an_error_and_does_not_move_complete_until() {
    is_misled_where(
        |behavior| (behavior.skip_is_ignored, behavior.take_max) = (true, 5),
        "same chats came again",
    );
}

#[test]
fn an_empty_list_is_an_error_if_the_hub_knows_chats() {
    is_misled_where(|behavior| behavior.is_emptied = true, "the list of chats is empty");
}

#[test]
fn a_cursor_that_is_ignored_is_an_error() {
    is_misled_where(
        |behavior| (behavior.cursor_is_ignored, behavior.messages_take_max) = (true, 2),
        "later than the moment that was asked for",
    );
}

#[test]
fn a_plan_that_hides_the_past_is_noticed_whatever_its_flag_says() {
    for tells in [true, false] {
        let api = api();
        let (hub, mut day) = in_step(&api, 9);
        deliver(&api, &hub, &deliveries(&mut day, ago(640), ago(450), 200));
        let cut = ago(420);
        lose(&api, &deliveries(&mut day, ago(400), ago(200), 200));
        api.behave(|behavior| (behavior.cut_before, behavior.tells_cut) = (Some(cut), tells));
        let link = rechecked(&hub);
        assert_eq!(link["state"], "ok", "{link}");
        let from: Timestamp = link["availableFrom"].as_str().expect("a moment").parse().expect("a moment");
        assert!(from >= cut, "flag {tells}: {link}");
        let known = message_ids(&hub);
        let shown = api.world(|world| world.message_ids_since(cut));
        assert!(shown.iter().all(|id| known.contains(id)), "all messages that the API shows are known");
    }
}

#[test]
fn an_api_that_fails_now_and_then_is_tried_again_until_everything_is_known() {
    let api = api();
    let (hub, mut day) = in_step(&api, 10);
    lose(&api, &deliveries(&mut day, ago(560), ago(200), 200));
    api.behave(|behavior| behavior.retry_after = Some(1));
    for fault in [ApiFault::Status(429), ApiFault::Html, ApiFault::Truncated] {
        api.fail("chats", &fault, 1);
    }
    for fault in [ApiFault::Status(500), ApiFault::Cut, ApiFault::Reset] {
        api.fail("relative-messages", &fault, 1);
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
fn a_route_never_gets_more_requests_in_five_seconds_than_are_allowed() {
    let api = api();
    let mut day = Day::new(33, ago(20_000));
    lose(&api, &deliveries(&mut day, ago(20_000), ago(200), 900));
    let hub = linked(&api, &[("UMBLER_API_REQUESTS_PER_5_SECONDS", "40")]);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    let seen: Vec<_> = api.requests().into_iter().filter(|seen| seen.route == "relative-messages").collect();
    assert!(seen.len() > 100, "{}", seen.len());
    for first in &seen {
        let until = first.at + std::time::Duration::from_secs(5);
        let count = seen.iter().filter(|other| other.at >= first.at && other.at < until).count();
        assert!(count <= 40, "{count} within five seconds");
    }
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()));
}

#[test]
fn a_wrong_clock_of_the_provider_does_not_make_later_webhooks_count_as_older() {
    let api = api();
    let (hub, _) = in_step(&api, 14);
    api.behave(|behavior| behavior.clock_ahead = SignedDuration::from_hours(1));
    let at = |seconds| json!(format!("{:.3}", ago(seconds)));
    let chat = |seconds: i64| {
        let then = at(seconds);
        Delivery::message("ana").set("/EventDate", then.clone()).message_field("EventAtUTC", then)
    };
    lose(&api, &[chat(300).bytes()]);
    assert_eq!(rechecked(&hub)["state"], "ok");
    assert_eq!(hub.json("/api/umbler/chats/ana")["chat"]["status"], "waiting");
    let answered = chat(-1).by_member("bia").owner("bia").waiting(false);
    hub.provider().posts(&answered);
    assert_eq!(hub.json("/api/umbler/chats/ana")["chat"]["owner"]["id"], "bia", "the webhook is newer");
}
