//! What the link must reach under load, with everything that is guessed about the provider both ways, and where it is killed again
//! and again. The long ones run with `cargo nextest run --run-ignored only -E 'test(/link_bars/)' --no-capture` and print figures.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use umbler_hub::facade::testing::{Day, FakeApi, FakeBehavior, OrderWord};

use super::link_backfill::{orders, progress};
use super::support::api::{
    ago, api, complete_until, deliver, deliveries, linked, lose, message_ids, rechecked,
};
use super::support::environment::from_environment;
use super::support::{Delivery, Hub};

/// Deliveries that are posted while an outage is made up for.
const LIVE_DELIVERIES: usize = 400;

/// Every message has one update that shows it first, and no other one.
pub fn no_message_is_doubled(hub: &Hub) {
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = hub.json(&format!("/api/umbler/updates?after={after}&limit=1000"));
        let updates = page["updates"].as_array().expect("updates");
        for update in updates.iter().filter(|update| update["data"]["type"] == "new_message") {
            let others = update["data"]["otherMessages"].as_array().into_iter().flatten();
            for message in others.chain([&update["data"]["message"]]) {
                let changed =
                    update["data"]["changes"].as_array().is_some_and(|changes| changes[0] == "new_message");
                if changed && let Some(id) = message["id"].as_str() {
                    *shown.entry(id.to_owned()).or_default() += 1;
                }
            }
        }
        let next = page["next"].as_i64().expect("a position");
        if next == after {
            break;
        }
        after = next;
    }
    let total = hub.json("/api/umbler/stats")["totalMessages"].as_u64().expect("a count");
    assert_eq!(total, message_ids(hub).len() as u64, "the counters count each message once");
    assert!(!shown.is_empty());
}

#[test]
fn an_outage_under_load_is_made_up_for() {
    let api = api();
    let hub = linked(&api, &[]);
    let mut day = Day::new(77, ago(3_000));
    deliver(&api, &hub, &deliveries(&mut day, ago(3_000), ago(700), 150));
    rechecked(&hub);
    // Nine minutes in which no webhook comes. The first comparison covered everything up to a minute ago, and the next one
    // begins ten minutes before that.
    lose(&api, &deliveries(&mut day, ago(640), ago(90), 1_200));
    let recovered = Instant::now();
    let link = std::thread::scope(|scope| {
        // Meanwhile others are posted as fast as the hub takes them.
        scope.spawn(|| {
            let mut live = Day::new(78, ago(60));
            for _ in 0..LIVE_DELIVERIES {
                let delivery = live.step(ago(0)).body;
                while hub.provider().post(&delivery).status == 503 {}
                api.world(|world| world.absorb(&delivery));
            }
        });
        rechecked(&hub)
    });
    let took = recovered.elapsed();
    let until = complete_until(&link).expect("a moment");
    assert!(until >= ago(90 + i64::try_from(took.as_secs()).expect("seconds")), "{link}");
    println!("made up for within {took:?}");
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "gap and doubles");
    no_message_is_doubled(&hub);
}

/// Behaviours of the provider in which every guess occurs both ways, and with every other one at least once.
fn guesses() -> Vec<FakeBehavior> {
    let orders = [OrderWord::ChatOrderBy, OrderWord::OrderBy, OrderWord::Ignored];
    (0..6_usize)
        .map(|number| FakeBehavior {
            order: orders[number % 3],
            take_max: [7, 100][number % 2],
            slides: [0, 2][number / 3],
            cursor_is_included: number % 2 == 0,
            messages_take_max: [3, 250][(number / 2) % 2],
            has_rows_about_chats: number < 3,
            creation_is_ignored: number % 2 == 1,
            ..FakeBehavior::default()
        })
        .collect()
}

#[test]
fn five_in_a_hundred_lost_webhooks_are_found_whichever_guess_is_right() {
    for (number, guess) in guesses().into_iter().enumerate() {
        let api = api();
        // What a comparison has covered is not looked at again, so the first one waits for all of it.
        api.behave(|behavior| behavior.refuses_with = Some(403));
        let hub = linked(&api, &[]);
        let mut day = Day::new(500 + number as u64, ago(1_900));
        // Thirty minutes of a simulated day.
        for (place, delivery) in deliveries(&mut day, ago(1_900), ago(100), 240).into_iter().enumerate() {
            if place % 20 == 7 {
                lose(&api, &[delivery]);
            } else {
                deliver(&api, &hub, &[delivery]);
            }
        }
        api.behave(|behavior| *behavior = guess);
        let link = rechecked(&hub);
        assert_eq!(link["state"], "ok", "{number}: {link}");
        assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "{number}: {link}");
        let seq = hub.json("/health")["seq"].clone();
        rechecked(&hub);
        // What was wrong may be over, which is told once; nothing else is recorded.
        let updates = hub.json(&format!("/api/umbler/updates?after={seq}&limit=100"))["updates"].clone();
        let kinds = updates.as_array().expect("updates").iter().map(|update| update["data"]["type"].clone());
        assert!(
            kinds.clone().all(|kind| kind == "link_updated"),
            "{number}: {:?}",
            kinds.collect::<Vec<_>>()
        );
        let limit = Duration::from_secs(5);
        let seen = api.requests();
        for first in &seen {
            let same = seen.iter().filter(|other| other.route == first.route && other.at >= first.at);
            let within = same.filter(|other| other.at < first.at + limit).count();
            assert!(within <= 100, "{number}: {within} requests to {} within five seconds", first.route);
        }
    }
}

#[test]
#[ignore = "twenty kills take a minute"]
fn a_sweep_that_is_killed_twenty_times_ends_with_everything_once() {
    let api = api();
    let mut hub = linked(&api, &[]);
    let mut day = Day::new(91, ago(30_000));
    deliver(&api, &hub, &deliveries(&mut day, ago(30_000), ago(20_000), 200));
    rechecked(&hub);
    hub.kill();
    for kill in 0..20_usize {
        let begun = 590 - 24 * i64::try_from(kill).expect("a small number");
        lose(&api, &deliveries(&mut day, ago(begun), ago(begun - 20), 40));
        hub = hub.started_again();
        // After so many requests of its first comparison, another number each time.
        let before = api.requests().len();
        let least = 1 + (kill * 7) % 23;
        while api.requests().len() < before + least && hub.json("/api/umbler/link")["sweep"].is_null() {}
        hub.kill();
    }
    let hub = hub.started_again();
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "gap and doubles: {link}");
    no_message_is_doubled(&hub);
    println!("20 kills, {} messages: gap 0, doubles 0", message_ids(&hub).len());
}

const DAY_SECONDS: i64 = 86_400;

/// So many chats over so many days, each with this many messages.
fn history(api: &FakeApi, chats: i64, days: i64, messages: i64) {
    let organization = api.world(|world| world.organization.clone());
    for chat in 0..chats {
        let created = 2 * DAY_SECONDS + (chat * days * DAY_SECONDS) / chats;
        let at = |seconds: i64| json!(format!("{:.3}", ago(seconds)));
        for number in 0..messages {
            let then = created - 30 * number;
            let delivery = Delivery::message(&format!("old-{chat:05}"))
                .message_id(&format!("old-{chat:05}-{number}"))
                .set("/EventDate", json!(format!("{:.7}", ago(then))))
                .message_field("EventAtUTC", at(then))
                .message_field("CreatedAtUTC", at(then))
                .chat_field("CreatedAtUTC", at(created))
                .chat_field("EventAtUTC", at(then))
                .chat_field("Organization", json!({ "Id": organization }))
                .chat_field("Open", json!(false))
                .chat_field("Waiting", json!(false));
            api.world(|world| world.absorb(&delivery.bytes()));
        }
    }
}

/// Milliseconds from a post to its update on a socket: median and the 99th in a hundred.
fn live(hub: &Hub, count: usize) -> (u128, u128) {
    let mut screen = hub.screen().watching(&["chat:live"]);
    let mut took: Vec<u128> = (0..count)
        .map(|number| {
            let begun = Instant::now();
            hub.provider().says("live", &format!("message {number}"));
            screen.hears_update("new_message");
            begun.elapsed().as_micros()
        })
        .collect();
    took.sort_unstable();
    (took[count / 2], took[count * 99 / 100])
}

/// At the provider's pace this takes hours. `BACKFILL_REQUESTS=1000` lets it send more requests in five seconds, for a `MEASURED_HUB`
/// that was built with a higher `REQUESTS_MAX`.
#[test]
#[ignore = "hours at the provider's pace; BACKFILL_CHATS=400 makes it shorter"]
fn a_backfill_of_forty_thousand_chats_goes_on_after_kills_and_doubles_nothing() {
    const MESSAGES: i64 = 25;
    const LOOK_EVERY: Duration = Duration::from_millis(200);
    let chats: i64 = from_environment("BACKFILL_CHATS").unwrap_or(40_000);
    let requests: usize = from_environment("BACKFILL_REQUESTS").unwrap_or(100);
    let api = api();
    api.behave(|behavior| behavior.per_5_seconds = requests);
    history(&api, chats, 20, MESSAGES);
    let most = requests.to_string();
    let mut hub = linked(&api, &[("UMBLER_API_REQUESTS_PER_5_SECONDS", &most), ("RUST_LOG", "warn")]);
    rechecked(&hub);
    orders(&hub, 40);
    let begun = Instant::now();
    for third in 1..=2 {
        let least = u64::try_from(chats * third / 3).expect("a count");
        while progress(&hub)["done"].as_u64().unwrap_or_default() < least {
            std::thread::park_timeout(LOOK_EVERY);
        }
        println!("killed at {} after {:?}", progress(&hub), begun.elapsed());
        hub.kill();
        hub = hub.started_again();
    }
    while progress(&hub)["endedAt"].is_null() {
        std::thread::park_timeout(LOOK_EVERY);
    }
    println!("{} after {:?}, {} requests", progress(&hub), begun.elapsed(), api.requests().len());
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "gap and doubles");
    assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], chats * MESSAGES);
}

#[test]
#[ignore = "a backfill at the provider's pace takes minutes"]
fn live_updates_are_as_fast_beside_a_backfill() {
    const CHATS: i64 = 400;
    let api = api();
    history(&api, CHATS, 20, 25);
    let hub = linked(&api, &[("UMBLER_API_REQUESTS_PER_5_SECONDS", "100")]);
    rechecked(&hub);
    live(&hub, 50);
    let without = live(&hub, 1_000);
    orders(&hub, 40);
    while progress(&hub)["done"].as_u64().unwrap_or_default() < 5 {}
    let begun = Instant::now();
    let with = live(&hub, 1_000);
    let running = progress(&hub);
    assert_eq!(running["endedAt"], Value::Null, "it ran meanwhile: {running}");
    while progress(&hub)["endedAt"].is_null() {}
    let ended = progress(&hub);
    println!(
        "{CHATS} chats of 25 messages: {ended}\nread in {:?} after the first five chats\nlive, in microseconds, median and p99: without {without:?}, with {with:?}",
        begun.elapsed(),
    );
    assert_eq!(ended["messages"], CHATS * 25, "{ended}");
    assert!(with.1 <= 2 * without.1.max(5_000), "p99 with {with:?}, without {without:?}");
}
