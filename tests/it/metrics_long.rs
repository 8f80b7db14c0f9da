//! How lengths are spread, and long histories: what is sealed answers as what is not.

use std::thread;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::support::{Delivery, Hub, spawn_hub};

const DAY: &str = "from=2026-03-02T03:00:00Z&until=2026-03-03T03:00:00Z";

/// Answers once the metrics have caught up.
fn rows(hub: &Hub, path: &str) -> Vec<Value> {
    let newest = hub.json("/health")["seq"].as_i64();
    loop {
        let answer = hub.json(&format!("/api/umbler/metrics{path}"));
        if answer["asOfSeq"].as_i64() >= newest {
            return answer["rows"].as_array().expect("rows").clone();
        }
    }
}

/// A customer who asks at a second, and is answered after so many.
fn answered(hub: &Hub, chat: &str, at: i64, after: i64) {
    hub.provider().posts(&Delivery::message(chat).message_id(&format!("{chat}-asks")).at(at));
    let reply = Delivery::message(chat).message_id(&format!("{chat}-replies")).at(at + after);
    hub.provider().posts(&reply.by_member("ana").waiting(false));
}

#[test]
fn lengths_are_spread_between_bounds_and_each_stretch_shows_its_chats() {
    let hub = spawn_hub();
    for (chat, after) in [("a", 9), ("b", 10), ("c", 29), ("d", 700_000)] {
        answered(&hub, chat, 0, after);
    }
    let week = "from=2026-03-02T03:00:00Z&until=2026-03-12T03:00:00Z";
    let all = rows(&hub, &format!("/distribution?{week}&compare=true"));
    assert_eq!(all.len(), 16 * 5, "every stretch of every duration");
    let replies = rows(&hub, &format!("/distribution?{week}&metric=replyTime&compare=true"));
    let filled: Vec<&Value> = replies.iter().filter(|row| row["n"] != 0).collect();
    let row = |from: i64, until: Value, n: i64| json!({ "fromMs": from, "untilMs": until, "metric": "replyTime", "n": n, "previousN": 0 });
    let expected =
        [row(0, json!(10_000), 1), row(10_000, json!(30_000), 2), row(604_800_000, Value::Null, 1)];
    assert_eq!(filled, expected.iter().collect::<Vec<_>>());
    let total: i64 = replies.iter().map(|row| row["n"].as_i64().expect("a number")).sum();
    assert_eq!(json!(total), rows(&hub, &format!("/summary?{week}&metric=replyTime"))[0]["n"]);

    let behind = |bounds: &str| {
        let path = format!("/distribution?{week}&metric=replyTime&explain=true{bounds}");
        let chats = rows(&hub, &path);
        chats.iter().map(|row| row["chatId"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(behind("&atLeastMs=10000&belowMs=30000"), ["c", "b"]);
    assert_eq!(behind("&belowMs=10000"), ["a"]);
    assert_eq!(behind("&atLeastMs=604800000"), ["d"]);

    let csv = hub.get(&format!("/api/umbler/metrics/distribution?{week}&metric=replyTime&format=csv"));
    assert_eq!(csv.text.lines().next(), Some("fromMs,untilMs,metric,n"));
    assert_eq!(csv.text.lines().nth(2), Some("10000,30000,replyTime,2"));
    assert_eq!(csv.text.lines().last(), Some("604800000,,replyTime,1"));
    for (query, parameter) in [
        ("metric=created", "metric"),
        ("metric=replyTime&atLeastMs=5", "atLeastMs"),
        ("metric=replyTime&belowMs=5", "belowMs"),
        ("metric=replyTime&explain=true&atLeastMs=5&belowMs=5", "belowMs"),
        ("metric=replyTime&explain=true&atLeastMs=-5", "atLeastMs"),
    ] {
        let refused = hub.get(&format!("/api/umbler/metrics/distribution?{query}"));
        assert_eq!(refused.refuses(400, "bad_parameter")["parameter"], parameter, "{query}");
    }
    let counts = hub.get("/api/umbler/metrics/summary?metric=created&explain=true&belowMs=5");
    assert_eq!(counts.refuses(400, "bad_parameter")["parameter"], "metric");
}

const SENDERS: i64 = 8;
const MESSAGES_EACH: i64 = 800;

/// Customers write more than stays unsealed, all within the day.
fn busy_day() -> Hub {
    let hub = spawn_hub();
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let hub = &hub;
            scope.spawn(move || {
                for number in 0..MESSAGES_EACH {
                    let chat = format!("chat-{}-{}", sender, number % 20);
                    let message = Delivery::message(&chat).message_id(&format!("{sender}-{number}"));
                    let sector = json!({ "Id": format!("sector-{}", number % 3), "Name": "Setor" });
                    hub.provider().posts(&message.at(number * 5 + sender).chat_field("Sector", sector));
                }
            });
        }
    });
    hub
}

#[test]
fn a_long_history_is_sealed_and_answers_as_before() {
    let hub = busy_day();
    let questions =
        ["/summary?", "/series?bucket=hour&", "/heatmap?", "/sectors?", "/agents?sector=sector-1&"];
    let answers = |hub: &Hub| questions.map(|question| rows(hub, &format!("{question}{DAY}")));
    let before = answers(&hub);
    let total = before[0].iter().find(|row| row["metric"] == "messagesIn").expect("a row")["n"].clone();
    assert_eq!(total, SENDERS * MESSAGES_EACH);

    let file = Connection::open(hub.home().join("hub.db.metrics")).expect("the file of the metrics");
    let sealed = || -> i64 {
        let sql = "SELECT coalesce(sum(facts), 0) FROM segments";
        file.query_row(sql, [], |row| row.get(0)).expect("segments")
    };
    // The projector seals when it has nothing else to do.
    while sealed() == 0 {
        thread::yield_now();
    }
    assert_eq!(answers(&hub), before, "with {} sealed", sealed());

    // A late message changes what is sealed.
    hub.provider().posts(&Delivery::message("chat-0-0").message_id("late").at(1));
    let after = rows(&hub, &format!("/summary?{DAY}&metric=messagesIn"));
    assert_eq!(after[0]["n"], SENDERS * MESSAGES_EACH + 1);

    // A segment that does not fit is not believed: the file is made anew while the hub runs.
    let counted = answers(&hub);
    while sealed() == 0 {
        thread::yield_now();
    }
    file.execute("UPDATE segment_parts SET bytes = x'00'", []).expect("spoilt");
    drop(file);
    let asked = format!("/api/umbler/metrics/agents?sector=sector-1&{DAY}");
    assert_eq!(hub.get(&asked).status, 503);
    while hub.get(&asked).status != 200 {}
    hub.caught_up_metrics();
    assert_eq!(answers(&hub), counted);
}
