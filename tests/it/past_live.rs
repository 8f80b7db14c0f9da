//! The live metrics of the past: `live?at=` says what a hub said that had heard of nothing later, and a trend says at
//! each of its points what the counters say there; to each token, what stood in its scope.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::past::{CHATS, Shown, get, tokens, what};
use super::support::keys::{SECRET, token};
use super::support::provider::moment;
use super::support::{Delivery, Hub, hub_with, spawn_hub};

/// Asks until the metrics have caught up with what is acknowledged.
fn settled(hub: &Hub, token: &str, path: &str) -> Value {
    let newest = hub.json("/health")["seq"].as_i64();
    loop {
        let (status, mut answer) = get(hub, token, path);
        assert_eq!(status, 200, "{path}: {answer}");
        if answer["asOfSeq"].as_i64() >= newest && answer["rebuilding"].is_null() {
            answer["asOfSeq"].take();
            // Names and phones are those of today, as far as anything says them.
            for row in answer["rows"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                row.retain(|column, _| !["name", "contactName", "contactPhone"].contains(&column.as_str()));
            }
            return answer;
        }
    }
}

/// The rows, by name, without columns that follow from the clock.
fn timeless(mut answer: Value) -> Value {
    let clocked = [
        "idle",
        "windowOpen",
        "windowClosed",
        "nextWindowClosesAt",
        "longestWaitBusinessMs",
        "averageWaitBusinessMs",
        "end",
        "wallMs",
        "businessMs",
    ];
    for row in answer["rows"].as_array_mut().expect("rows") {
        let cells = row.as_object_mut().expect("a row");
        cells.retain(|column, _| !clocked.contains(&column.as_str()));
    }
    answer["rows"].take()
}

const QUESTIONS: [&str; 13] = [
    "",
    "sector=sales",
    "agent=bia",
    "tag=t1",
    "kind=group",
    "by=agent",
    "by=sector",
    "by=tag&sector=support",
    "by=channel",
    "explain=true&metric=open",
    "explain=true&metric=waiting",
    "explain=true&metric=unanswered&sector=sales",
    "explain=true&metric=waitingForCustomer",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn at_any_moment_between_deliveries_the_live_metrics_are_what_a_fresh_hub_said_then(
        steps in prop::collection::vec((0..CHATS.len(), what()), 1..12),
    ) {
        let past = hub_with(&[("JWT_SECRET", SECRET)]);
        let mut shown = [Shown::default(), Shown::default(), Shown::default()];
        let deliveries: Vec<Delivery> = (10..)
            .step_by(10)
            .zip(&steps)
            .map(|(second, (chat, what))| shown[*chat].delivery(CHATS[*chat], what, second))
            .collect();
        for delivery in &deliveries {
            past.provider().posts(delivery);
        }
        let fresh = hub_with(&[("JWT_SECRET", SECRET)]);
        for (second, delivery) in (5..).step_by(10).zip(&deliveries) {
            for token in tokens() {
                for question in QUESTIONS {
                    let then = format!("/metrics/live?at={}&{question}", moment(second));
                    let was = settled(&past, &token, &then);
                    // To the fresh hub nothing happened since: it answers from what it keeps of open chats.
                    prop_assert_eq!(&was, &settled(&fresh, &token, &then), "{}", then);
                    let now = timeless(settled(&fresh, &token, &format!("/metrics/live?{question}")));
                    prop_assert_eq!(timeless(was), now, "{}", then);
                }
            }
            fresh.provider().posts(delivery);
        }
        // Points at 5, 15, 25, …
        let last = 5 + 10 * i64::try_from(deliveries.len()).expect("few");
        for token in tokens() {
            let path = format!(
                "/metrics/trend?from={}&until={}&points={}", moment(5), moment(last), deliveries.len() + 1
            );
            for row in settled(&past, &token, &path)["rows"].as_array().expect("rows") {
                let at = row["at"].as_str().expect("a moment");
                let (_, stats) = get(&past, &token, &format!("/stats?at={at}"));
                let live = settled(&past, &token, &format!("/metrics/live?at={at}"));
                prop_assert_eq!(&row["open"], &stats["openChats"]);
                prop_assert_eq!(&row["waiting"], &stats["waitingChats"]);
                for column in ["open", "waiting", "unassigned"] {
                    prop_assert_eq!(&row[column], &live["rows"][0][column], "{} at {}", column, at);
                }
            }
        }
    }
}

#[test]
fn what_the_clock_says_is_said_as_of_the_moment() {
    let hub = spawn_hub();
    hub.provider().posts(&Delivery::message("a").at(0));
    hub.provider().posts(&Delivery::message("a").at(60).by_member("ana").owner("ana").waiting(false));
    hub.provider().posts(&Delivery::of_type("ChatClosed", "a").emitted_at(200_000).closed(200_000));
    let at = |second: i64| {
        let answer = settled(&hub, "", &format!("/metrics/live?at={}", moment(second)));
        assert_eq!(answer["now"], json!(moment(second).parse::<jiff::Timestamp>().expect("a moment")));
        answer["rows"][0].clone()
    };
    let counts = |second: i64, column: &str| at(second)[column].clone();
    assert_eq!(counts(-1, "open"), 0);
    assert_eq!(
        (counts(0, "open"), counts(0, "unanswered"), counts(0, "unassigned")),
        (json!(1), json!(1), json!(1))
    );
    assert_eq!(at(59)["longestWaitSince"], json!("2026-03-02T13:00:00Z"));
    assert_eq!(at(59)["longestWaitBusinessMs"], 59_000);
    assert_eq!((counts(60, "unanswered"), counts(60, "waitingForCustomer")), (json!(0), json!(1)));
    assert_eq!((counts(60 + 1_799, "idle"), counts(60 + 1_800, "idle")), (json!(0), json!(1)));
    assert_eq!((counts(86_399, "windowOpen"), counts(86_399, "windowClosed")), (json!(1), json!(0)));
    assert_eq!(at(86_399)["nextWindowClosesAt"], json!("2026-03-03T13:00:00Z"));
    assert_eq!((counts(86_400, "windowOpen"), counts(86_400, "windowClosed")), (json!(0), json!(1)));
    assert_eq!((counts(199_999, "open"), counts(200_000, "open")), (json!(1), json!(0)));
}

#[test]
fn a_late_delivery_moves_the_past_and_a_file_made_anew_says_the_same() {
    let mut hub = spawn_hub();
    hub.provider().posts(&Delivery::message("a").at(0));
    hub.provider().posts(&Delivery::message("a").at(100));
    let trend = |hub: &Hub| {
        let path = format!("/metrics/trend?from={}&until={}&points=11", moment(0), moment(100));
        settled(hub, "", &path)["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row["open"].as_i64())
            .collect()
    };
    let before: Vec<Option<i64>> = trend(&hub);
    assert_eq!(before, [Some(1); 11]);
    hub.provider().posts(&Delivery::of_type("ChatClosed", "a").emitted_at(40).closed(40));
    let after: Vec<Option<i64>> = trend(&hub);
    assert_eq!(
        after.iter().flatten().sum::<i64>(),
        5,
        "closed from 40 until it is seen open at 100: {after:?}"
    );
    assert!(hub.stop().success());
    for end in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(hub.home().join(format!("hub.db.metrics{end}"))));
    }
    let hub = hub.started_again();
    assert_eq!(trend(&hub) as Vec<Option<i64>>, after);
}

#[test]
fn where_a_chat_stood_then_decides_who_sees_it_then() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let sector = |name: &str| json!({ "Id": name, "Name": name });
    let in_sector = |at: i64, name: &str| Delivery::message("a").at(at).chat_field("Sector", sector(name));
    hub.provider().posts(&in_sector(10, "sales"));
    hub.provider().posts(&in_sector(20, "support"));
    hub.provider().posts(&in_sector(30, "support").chat_field("Private", json!(true)));
    let seller = token(json!({ "sub": "ana", "role": "agent", "sectors": ["sales"] }));
    let helper = token(json!({ "sub": "bia", "role": "agent", "sectors": ["support"] }));
    let open = |token: &str, second: i64| {
        let at = moment(second);
        let live = settled(&hub, token, &format!("/metrics/live?at={at}"))["rows"][0]["open"].clone();
        let (_, stats) = get(&hub, token, &format!("/stats?at={at}"));
        let trend = settled(&hub, token, &format!("/metrics/trend?from={at}&until={at}&points=2"));
        let explained =
            settled(&hub, token, &format!("/metrics/live?at={at}&explain=true&metric=open"))["total"].clone();
        assert_eq!((&live, &live, &live), (&stats["openChats"], &trend["rows"][1]["open"], &explained));
        assert_eq!((&stats["totalChats"], &stats["totalContacts"]), (&live, &live));
        let said = if live == 0 { 0 } else { second / 10 };
        assert_eq!((&stats["totalMessages"], &stats["messagesToday"]), (&json!(said), &json!(said)));
        live.as_i64()
    };
    assert_eq!([5, 15, 25, 35].map(|at| open(&seller, at)), [Some(0), Some(1), Some(0), Some(0)]);
    assert_eq!([5, 15, 25, 35].map(|at| open(&helper, at)), [Some(0), Some(0), Some(1), Some(0)]);
}

#[test]
fn what_cannot_be_asked_of_the_past_is_refused() {
    let hub = spawn_hub();
    hub.provider().posts(&Delivery::message("a"));
    let refused = |path: &str, parameter: &str| {
        let answer = hub.get(&format!("/api/umbler/metrics{path}"));
        assert_eq!(answer.refuses(400, "bad_parameter")["parameter"], parameter, "{path}");
    };
    for at in ["2999-01-01T00:00:00Z", "yesterday", ""] {
        refused(&format!("/live?at={at}"), "at");
        refused(&format!("/trend?until={at}"), "until");
    }
    for points in ["1", "201", "many"] {
        refused(&format!("/trend?points={points}"), "points");
    }
    refused("/trend?from=2026-03-02T13:00:00Z&until=2026-03-02T12:00:00Z", "until");
    refused("/trend?from=2020-03-02T13:00:00Z&until=2026-03-02T12:00:00Z", "from");
    refused("/trend?at=2026-03-02T13:00:00Z", "at");
    refused("/trend?explain=true", "explain");
    refused("/summary?at=2026-03-02T13:00:00Z", "at");
}

#[test]
fn a_trend_is_a_table_in_json_and_in_csv() {
    let hub = spawn_hub();
    hub.provider().posts(&Delivery::message("a").at(0).waiting(true));
    hub.provider().posts(&Delivery::message("a").at(20).by_member("ana").owner("ana").waiting(false));
    let path = format!("/metrics/trend?from={}&until={}&points=3", moment(-10), moment(30));
    let json = settled(&hub, "", &path);
    assert_eq!(
        (&json["from"], &json["until"]),
        (&json!("2026-03-02T12:59:50Z"), &json!("2026-03-02T13:00:30Z"))
    );
    assert_eq!(
        json["rows"],
        json!([
            { "at": "2026-03-02T12:59:50Z", "open": 0, "waiting": 0, "unassigned": 0 },
            { "at": "2026-03-02T13:00:10Z", "open": 1, "waiting": 1, "unassigned": 1 },
            { "at": "2026-03-02T13:00:30Z", "open": 1, "waiting": 0, "unassigned": 0 },
        ])
    );
    let csv = hub.get(&format!("/api/umbler{path}&format=csv"));
    assert_eq!(csv.header("x-as-of-seq"), Some("2"));
    assert_eq!(
        csv.text,
        "at,open,waiting,unassigned\r\n2026-03-02T12:59:50Z,0,0,0\r\n2026-03-02T13:00:10Z,1,1,1\r\n\
         2026-03-02T13:00:30Z,1,0,0\r\n"
    );
    let live = hub.get(&format!("/api/umbler/metrics/live?at={}&format=csv", moment(10)));
    let lines: Vec<&str> = live.text.lines().collect();
    assert!(
        lines[0].starts_with("open,waiting,unattended,") && lines[1].starts_with("1,1,1,1,"),
        "{lines:?}"
    );
    assert_eq!(hub.json("/api/umbler/metrics/trend")["rows"].as_array().map(Vec::len), Some(48));
}
