//! The metrics of the team: one question, one number, on whatever route and in whatever form it is asked; and nobody's
//! number holds a chat that they may not see.

use serde_json::{Value, json};

use super::support::keys::{SECRET, token};
use super::support::{Answer, Delivery, Hub, hub_with, spawn_hub};

/// The day of the test conversations, which begin at 10:00 in São Paulo on a Monday.
const DAY: &str = "from=2026-03-02T03:00:00Z&until=2026-03-03T03:00:00Z";

pub(super) fn ask(hub: &Hub, path: &str) -> Answer {
    ask_as(hub, "", path)
}

/// Asks until the metrics have caught up with what is acknowledged: they say how far they go.
pub(super) fn ask_as(hub: &Hub, token: &str, path: &str) -> Answer {
    let newest = hub.json("/health")["seq"].as_i64().expect("a position");
    let bearer = format!("Bearer {token}");
    let headers: &[(&str, &str)] = if token.is_empty() { &[] } else { &[("authorization", &bearer)] };
    loop {
        let answer = hub.get_with(&format!("/api/umbler/metrics{path}"), headers);
        if answer.status == 503 {
            // Their file is not there yet.
            continue;
        }
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let as_of = match answer.header("x-as-of-seq") {
            Some(seq) => seq.parse().expect("a position"),
            None => answer.json()["asOfSeq"].as_i64().expect("a position"),
        };
        if as_of >= newest {
            return answer;
        }
    }
}

fn rows(hub: &Hub, path: &str) -> Vec<Value> {
    ask(hub, path).json()["rows"].as_array().expect("rows").clone()
}

/// The row of a metric in the summary of the day.
fn summary(hub: &Hub, metric: &str, more: &str) -> Value {
    rows(hub, &format!("/summary?{DAY}&metric={metric}{more}")).remove(0)
}

fn n(rows: &[Value], metric: &str) -> i64 {
    rows.iter().filter(|row| row["metric"] == metric).map(|row| row["n"].as_i64().expect("a number")).sum()
}

/// A chat that a customer begins at a second and an agent takes, answers and closes.
fn conversation(hub: &Hub, chat: &str, begins: i64, agent: &str, reply_after: i64) {
    let provider = hub.provider();
    let created = super::support::provider::moment(begins);
    let of = |delivery: Delivery| delivery.chat_field("CreatedAtUTC", json!(created));
    let id = |what: &str| format!("{chat}-{what}");
    provider.posts(&of(Delivery::message(chat).message_id(&id("asks")).at(begins)));
    let taken = Delivery::of_type("MemberTransfer", chat).emitted_at(begins + 5).owner(agent).waiting(false);
    provider.posts(&of(taken));
    let reply = Delivery::message(chat).message_id(&id("replies")).at(begins + reply_after);
    provider.posts(&of(reply.by_member(agent).owner(agent).waiting(false)));
    let closed = begins + reply_after + 60;
    let close = Delivery::of_type("ChatClosed", chat).emitted_at(closed).owner(agent).closed(closed);
    provider.posts(&of(close));
}

/// Three conversations of two agents.
fn morning() -> Hub {
    let hub = spawn_hub();
    conversation(&hub, "a", 0, "ana", 30);
    conversation(&hub, "b", 100, "bia", 60);
    conversation(&hub, "c", 4_000, "ana", 90);
    hub
}

#[test]
fn a_conversation_reads_as_its_definitions_say() {
    let hub = spawn_hub();
    conversation(&hub, "a", 0, "ana", 30);
    for (metric, milliseconds) in [
        ("firstResponse", 30_000),
        ("replyTime", 30_000),
        ("queueTime", 5_000),
        ("handlingTime", 85_000),
        ("resolution", 90_000),
    ] {
        let row = summary(&hub, metric, "");
        let expected = json!({
            "metric": metric, "n": 1, "medianMs": milliseconds, "meanMs": milliseconds, "p75Ms": milliseconds,
            "p90Ms": milliseconds, "p95Ms": milliseconds, "maxMs": milliseconds,
        });
        assert_eq!(row, expected);
    }
    let all = rows(&hub, &format!("/summary?{DAY}"));
    let counts: Vec<(&str, i64)> = all
        .iter()
        .skip(5)
        .map(|row| (row["metric"].as_str().expect("a name"), row["n"].as_i64().expect("a number")))
        .collect();
    assert_eq!(
        counts,
        [
            ("created", 1),
            ("reopened", 0),
            ("closed", 1),
            ("abandoned", 0),
            ("transferred", 0),
            ("messagesIn", 1),
            ("messagesMember", 1),
            ("messagesBot", 0),
            ("messagesExternal", 0),
        ]
    );
}

#[test]
fn summary_series_heat_map_agents_and_what_is_behind_them_are_one_number() {
    let hub = morning();
    let whole = rows(&hub, &format!("/summary?{DAY}"));
    let agents = rows(&hub, &format!("/agents?{DAY}"));
    for row in &whole {
        let metric = row["metric"].as_str().expect("a name");
        let count = row["n"].as_i64().expect("a number");
        for path in
            ["/series?bucket=hour&", "/series?bucket=month&", "/heatmap?", "/agents?", "/channels?", "/tags?"]
        {
            assert_eq!(n(&rows(&hub, &format!("{path}{DAY}")), metric), count, "{path} {metric}");
        }
        let behind = ask(&hub, &format!("/summary?{DAY}&metric={metric}&explain=true")).json();
        assert_eq!(behind["total"], count, "{metric}");
        let mut durations: Vec<i64> = behind["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row["wallMs"].as_i64().expect("a duration"))
            .collect();
        assert_eq!(i64::try_from(durations.len()).expect("few"), count, "{metric}");
        durations.sort_unstable();
        if !row["medianMs"].is_null() {
            assert_eq!(row["medianMs"], durations[durations.len().div_ceil(2) - 1], "{metric}: nearest rank");
            assert_eq!(row["maxMs"], durations[durations.len() - 1], "{metric}");
        }
    }
    assert_eq!(whole[0]["medianMs"], 60_000);
    let of_ana: Vec<&Value> = agents.iter().filter(|row| row["id"] == "ana").collect();
    assert_eq!((of_ana[0]["metric"].as_str(), of_ana[0]["n"].as_i64()), (Some("firstResponse"), Some(2)));
    assert_eq!((&of_ana[0]["medianMs"], &of_ana[0]["maxMs"]), (&json!(30_000), &json!(90_000)));
    let narrowed = summary(&hub, "firstResponse", "&agent=ana");
    assert_eq!((&narrowed["n"], &narrowed["meanMs"]), (&json!(2), &json!(60_000)));
}

#[test]
fn a_spreadsheet_holds_the_same_cells() {
    let hub = morning();
    hub.provider().posts(&Delivery::message("d").chat_field("Sector", json!({ "Id": "s", "Name": "=1+1" })));
    for path in
        ["/summary?compare=true&", "/series?bucket=hour&", "/heatmap?", "/agents?", "/sectors?compare=true&"]
    {
        let question = format!("{path}{DAY}");
        let json = ask(&hub, &question).json();
        let csv = ask(&hub, &format!("{question}&format=csv"));
        assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
        let mut reader = csv::Reader::from_reader(csv.text.as_bytes());
        let head = reader.headers().expect("a head").clone();
        let records: Vec<csv::StringRecord> = reader.records().map(|record| record.expect("a row")).collect();
        let rows = json["rows"].as_array().expect("rows");
        assert_eq!(records.len(), rows.len(), "{question}");
        for (record, row) in records.iter().zip(rows) {
            assert_eq!(record.len(), row.as_object().expect("a row").len());
            for (column, cell) in head.iter().zip(record) {
                let expected = match &row[column] {
                    Value::Null => String::new(),
                    Value::String(text) if text == "=1+1" => "'=1+1".to_owned(),
                    Value::String(text) => text.clone(),
                    other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                        other.to_string()
                    }
                };
                assert_eq!(cell, expected, "{question} {column}");
            }
        }
    }
    let accept = hub.get_with(&format!("/api/umbler/metrics/agents?{DAY}"), &[("accept", "text/csv")]);
    assert!(accept.text.starts_with("id,name,metric,n,medianMs,"), "{}", accept.text);
}

#[test]
fn the_period_before_stands_beside_and_a_period_ends_before_its_end() {
    let hub = morning();
    let first = "from=2026-03-02T14:00:00Z&until=2026-03-02T15:00:00Z";
    let row = rows(&hub, &format!("/summary?{first}&metric=created&compare=true")).remove(0);
    assert_eq!((&row["n"], &row["previousN"]), (&json!(1), &json!(2)));
    let at = |from: &str, until: &str| {
        n(&rows(&hub, &format!("/summary?from={from}&until={until}&metric=created")), "created")
    };
    assert_eq!(at("2026-03-02T13:00:00Z", "2026-03-02T13:01:40Z"), 1, "the second begins at the end");
    assert_eq!(at("2026-03-02T13:01:40Z", "2026-03-02T13:01:40.001Z"), 1);
    let series = ask(&hub, &format!("/series?bucket=hour&metric=created&{first}&compare=true")).json();
    assert_eq!(series["previousFrom"], "2026-03-02T13:00:00Z");
    assert_eq!((&series["rows"][0]["n"], &series["rows"][0]["previousN"]), (&json!(1), &json!(2)));
    let monday = summary(&hub, "created", "&weekday=1&hour=10");
    assert_eq!(monday["n"], 2, "ten in the morning in São Paulo");
    assert_eq!(summary(&hub, "created", "&weekday=2")["n"], 0);
}

#[test]
fn the_business_clock_stops_when_the_team_goes_home() {
    let hub = hub_with(&[("BUSINESS_HOURS", "Mon-Fri 09:00-18:00")]);
    // Asked at 17:50, answered at 9:10 on Tuesday.
    let evening = 7 * 3_600 + 50 * 60;
    conversation(&hub, "a", evening, "ana", 15 * 3_600 + 20 * 60);
    let tuesday = "from=2026-03-03T03:00:00Z&until=2026-03-04T03:00:00Z&metric=firstResponse";
    let of = |clock: &str| rows(&hub, &format!("/summary?{tuesday}&clock={clock}"))[0]["medianMs"].clone();
    assert_eq!(of("wall"), (15 * 3_600 + 20 * 60) * 1_000);
    assert_eq!(of("business"), 20 * 60 * 1_000);
}

#[test]
fn groups_and_colleagues_are_out_unless_they_are_asked_for() {
    let hub = spawn_hub();
    hub.provider().posts(&Delivery::message("a").at(0));
    let other = |chat: &str, kind: &str| {
        hub.provider()
            .posts(&Delivery::message(chat).at(1).set("/Payload/Content/Contact/ContactType", json!(kind)));
    };
    other("g", "GroupMessage");
    other("i", "MemberDirectMessage");
    let live = |more: &str| ask(&hub, &format!("/live{more}")).json()["rows"][0]["open"].clone();
    assert_eq!((live(""), live("?kind=group"), live("?kind=internal")), (json!(1), json!(1), json!(1)));
    assert_eq!(summary(&hub, "messagesIn", "")["n"], 1);
    assert_eq!(summary(&hub, "messagesIn", "&kind=group")["n"], 1);
}

#[test]
fn live_numbers_say_who_waits_and_since_when() {
    let hub = spawn_hub();
    let provider = hub.provider();
    provider.posts(&Delivery::message("a").at(0));
    provider.posts(&Delivery::message("a").at(10));
    provider.posts(&Delivery::message("b").at(20));
    provider.posts(&Delivery::message("c").at(30));
    provider.posts(&Delivery::message("c").at(40).by_member("ana").owner("ana").waiting(false));
    let live = ask(&hub, "/live").json()["rows"][0].clone();
    for (field, count) in [
        ("open", 3),
        ("waiting", 2),
        ("unattended", 2),
        ("unassigned", 2),
        ("withBot", 0),
        ("waitingForCustomer", 1),
        ("idle", 3),
        ("windowOpen", 0),
        ("windowClosed", 3),
        ("unanswered", 2),
    ] {
        assert_eq!(live[field], count, "{field}: {live}");
        let behind = ask(&hub, &format!("/live?explain=true&metric={field}")).json();
        assert_eq!(behind["total"], count, "{field}");
    }
    assert_eq!(live["longestWaitSince"], "2026-03-02T13:00:00Z");
    assert_eq!(
        (&live["longestWaitChatId"], &live["averageWaitSince"]),
        (&json!("a"), &json!("2026-03-02T13:00:10Z"))
    );
    let first = ask(&hub, "/live?explain=true&metric=waiting&limit=1").json();
    assert_eq!(
        (&first["rows"][0]["chatId"], &first["rows"][0]["contactName"]),
        (&json!("a"), &json!("Marina Exemplo"))
    );
    assert_eq!(first["rows"].as_array().expect("rows").len(), 1);
    let second = ask(&hub, "/live?explain=true&metric=waiting&limit=1&page=2").json();
    assert_eq!(second["rows"][0]["chatId"], "b");
    assert_eq!(ask(&hub, "/live?agent=ana").json()["rows"][0]["open"], 1);
}

#[test]
fn a_number_holds_no_chat_that_its_reader_may_not_see() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let sector = |chat: &str, sector: &str| {
        Delivery::message(chat).at(0).chat_field("Sector", json!({ "Id": sector, "Name": sector }))
    };
    hub.provider().posts(&sector("a", "sales"));
    hub.provider().posts(&sector("b", "support"));
    hub.provider().posts(&sector("p", "sales").chat_field("Private", json!(true)).owner("bia"));
    let admin = token(json!({ "sub": "root", "role": "admin" }));
    let sales = token(json!({ "sub": "ana", "role": "agent", "sectors": ["sales"] }));
    let bia = token(json!({ "sub": "bia", "role": "agent", "members": ["bia"] }));
    let viewer = token(json!({ "sub": "vera", "role": "viewer" }));
    for (who, token, seen) in [
        ("admin", &admin, vec!["a", "b", "p"]),
        ("sales", &sales, vec!["a"]),
        ("bia", &bia, vec!["p"]),
        ("viewer", &viewer, vec!["a", "b"]),
    ] {
        let count = seen.len();
        let summary = ask_as(&hub, token, &format!("/summary?{DAY}&metric=created")).json();
        assert_eq!(summary["rows"][0]["n"], count, "{who}");
        assert_eq!(ask_as(&hub, token, "/live").json()["rows"][0]["open"], count, "{who}");
        for path in [
            format!("/summary?{DAY}&explain=true&metric=created"),
            "/live?explain=true&metric=open".to_owned(),
        ] {
            let behind = ask_as(&hub, token, &path).json();
            let mut chats: Vec<&str> = behind["rows"]
                .as_array()
                .expect("rows")
                .iter()
                .filter_map(|row| row["chatId"].as_str())
                .collect();
            chats.sort_unstable();
            assert_eq!(chats, seen, "{who} {path}");
        }
        let sectors = ask_as(&hub, token, &format!("/sectors?{DAY}&metric=messagesIn")).text;
        assert_eq!(sectors.contains("support"), seen.contains(&"b"), "{who}: {sectors}");
    }
    hub.names("bia", Some("Beatriz Exemplo"), &admin);
    let behind = ask_as(&hub, &viewer, &format!("/summary?{DAY}&explain=true&metric=created")).json();
    assert_eq!(behind["rows"][0]["contactName"], "M•••");
    assert_eq!(behind["rows"][0]["contactPhone"], "+55 11 •••• 0001");
    let named = |token: &str| ask_as(&hub, token, &format!("/agents?{DAY}&metric=created")).text;
    assert!(named(&admin).contains("Beatriz Exemplo"));
    assert!(!named(&viewer).contains("Beatriz"));
    assert_eq!(hub.get("/api/umbler/metrics/live").status, 401);
}

#[test]
fn what_is_wrong_with_a_question_is_told_by_name() {
    let hub = spawn_hub();
    for (path, query, parameter) in [
        ("summary", "from=yesterday", "from"),
        ("summary", "from=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", "until"),
        ("summary", "from=2024-03-01T00:00:00Z&until=2026-03-01T00:00:00Z", "from"),
        ("summary", "metric=speed", "metric"),
        ("summary", "metric=", "metric"),
        ("summary", "clock=sun", "clock"),
        ("summary", "kind=all", "kind"),
        ("summary", "compare=yes", "compare"),
        ("summary", "weekday=0", "weekday"),
        ("summary", "hour=24", "hour"),
        ("summary", "format=xml", "format"),
        ("summary", "sector=", "sector"),
        ("summary", "bucket=day", "bucket"),
        ("summary", "limit=5", "limit"),
        ("summary", "explain=true", "metric"),
        ("summary", "explain=true&metric=created,closed", "metric"),
        ("summary", "explain=true&metric=created&limit=201", "limit"),
        ("summary", "explain=true&metric=created&page=0", "page"),
        ("series", "bucket=minute", "bucket"),
        ("series", "bucket=hour&from=2026-01-01T00:00:00Z&until=2026-03-01T00:00:00Z", "bucket"),
        ("agents", "owner=a", "owner"),
        ("live", "from=2026-03-02T00:00:00Z", "from"),
        ("live", "compare=true", "compare"),
        ("live", "metric=open", "metric"),
        ("live", "by=owner", "by"),
        ("live", "explain=true&metric=created", "metric"),
        ("live", "explain=true", "metric"),
    ] {
        let error = hub.get(&format!("/api/umbler/metrics/{path}?{query}")).refuses(400, "bad_parameter");
        assert_eq!(error["parameter"], parameter, "{path}?{query}");
    }
    assert_eq!(hub.get("/api/umbler/metrics/speed").status, 404);
}

#[test]
fn without_a_period_it_is_today_until_now() {
    let hub = spawn_hub();
    let table = ask(&hub, "/summary").json();
    let moment = |name: &str| {
        table[name].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).expect("a moment")
    };
    let zone = jiff::tz::TimeZone::get("America/Sao_Paulo").expect("a zone");
    let (from, until) = (moment("from").to_zoned(zone.clone()), moment("until").to_zoned(zone));
    assert_eq!((from.hour(), from.minute(), from.date()), (0, 0, until.date()));
    assert_eq!(table["rows"].as_array().expect("rows").len(), 14, "{table}");
    assert!(table["rebuilding"].is_null());
}

#[test]
fn a_period_of_metrics_and_a_series_end_at_their_bounds() {
    let hub = spawn_hub();
    let year = |until: &str| format!("from=2025-01-01T00:00:00Z&until={until}");
    let (most, more) = (year("2026-01-02T00:00:00Z"), year("2026-01-02T00:00:00.001Z"));
    assert_eq!(
        rows(&hub, &format!("/series?{most}&metric=created")).len(),
        367,
        "366 days, cut by local midnights"
    );
    let error = hub.get(&format!("/api/umbler/metrics/summary?{more}")).refuses(400, "bad_parameter");
    assert_eq!(error["parameter"], "from");
}
