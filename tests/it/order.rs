//! Messages of one instant stand in the order in which the provider made them, wherever they are shown; whoever wrote last
//! by that order waits; nothing happened after it was received; and a reply that failed reached nobody.

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json};
use umbler_hub::facade::testing::clock;

use super::metrics::ask;
use super::support::provider::{fault, moment};
use super::support::{Delivery, Hub, spawn_hub};

const DAY: &str = "from=2026-03-02T03:00:00Z&until=2026-03-03T03:00:00Z";
const IN_ORDER: [&str; 5] = ["parte 1", "parte 2", "parte 3", "parte 4", "parte 5"];

/// The texts of a list of messages.
fn texts(messages: &Value) -> Vec<&str> {
    let messages = messages.as_array().expect("a list").iter();
    messages.map(|message| message["text"].as_str().expect("a text")).collect()
}

/// The texts of a list that is read page by page.
fn paged(hub: &Hub, path: &str) -> Vec<String> {
    let (mut read, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = hub.json(&format!("{path}?limit=2{cursor}"));
        read.extend(texts(&page["messages"]).into_iter().map(str::to_owned));
        let Some(next) = page["nextCursor"].as_str() else { return read };
        cursor = format!("&cursor={next}");
    }
}

/// What every place that shows messages says of `same-second-ids`.
fn stands_in_order(hub: &Hub) {
    let newest_first: Vec<&str> = IN_ORDER.into_iter().rev().collect();
    for path in ["/api/umbler/messages", "/api/umbler/chats/tie-ids/messages"] {
        assert_eq!(texts(&hub.json(path)["messages"]), newest_first, "{path}");
        assert_eq!(paged(hub, path), newest_first, "{path}, page by page");
    }
    let past = "/api/umbler/chats/tie-ids/messages?until=2026-03-02T13:01:01Z";
    assert_eq!(texts(&hub.json(past)["messages"]), newest_first, "{past}");
    for query in
        ["source=Contact", "contactId=ct-tie-ids", "since=2026-03-02T13:01:00Z&until=2026-03-02T13:01:01Z"]
    {
        let found = hub.json(&format!("/api/umbler/messages?{query}"));
        assert_eq!(texts(&found["messages"]), newest_first, "{query}");
    }
    assert_eq!(texts(&hub.screen().snapshot()["recentMessages"]), newest_first);
    for (path, list) in [
        ("/api/umbler/chats", "chats"),
        ("/api/umbler/contacts", "contacts"),
        ("/api/umbler/chats?at=2026-03-02T14:00:00Z", "chats"),
    ] {
        let page = hub.json(path);
        assert_eq!(page[list][0]["lastMessage"]["text"], "parte 5", "{path}: {page}");
    }
    let export = "/api/umbler/contacts/ct-tie-ids/personal-data";
    assert_eq!(texts(&hub.json(export)["messages"]), newest_first, "{export}");
    let page = hub.get(&format!("{export}?format=html")).text;
    let places = IN_ORDER.map(|text| page.find(text).expect("each part"));
    assert!(places.iter().rev().is_sorted(), "{places:?}");
    let then = moment(3_600);
    for (path, what) in [
        ("/api/umbler/chats/tie-ids".to_owned(), "chat"),
        (format!("/api/umbler/chats/tie-ids?at={then}"), "chat"),
        ("/api/umbler/contacts/ct-tie-ids".to_owned(), "contact"),
    ] {
        assert_eq!(hub.json(&path)[what]["lastMessage"]["text"], "parte 5", "{path}");
    }
}

#[test]
fn messages_of_one_second_are_shown_in_the_order_in_which_they_were_written() {
    let ids = || fault("same-second-ids.ndjson");
    let reversed = ids().into_iter().rev().collect();
    // A later event of the chat shows its last message again, and moves the moment that `?at=` asks for.
    let rest = Delivery::of_type("ChatTagChanged", "tie-ids").emitted_at(7_200);
    for deliveries in [ids(), reversed, [ids(), ids()].concat()] {
        let mut hub = spawn_hub();
        for delivery in &deliveries {
            hub.provider().posts(delivery);
        }
        hub.provider().posts(&rest.clone().set("/Payload/Content/Contact/Id", json!("ct-tie-ids")));
        stands_in_order(&hub);
        hub = hub.restarted();
        stands_in_order(&hub);
    }
}

#[test]
fn ids_count_up_as_their_bytes_where_nothing_else_tells_messages_apart() {
    let hub = spawn_hub();
    for mut delivery in fault("same-second-ids.ndjson").into_iter().rev() {
        delivery.0["Payload"]["Content"]["LastMessage"]["CreatedAtUTC"] = Value::Null;
        hub.provider().posts(&delivery);
    }
    assert_eq!(
        texts(&hub.json("/api/umbler/messages")["messages"]),
        ["parte 5", "parte 4", "parte 3", "parte 2", "parte 1"]
    );
    assert_eq!(hub.json("/api/umbler/chats/tie-ids")["chat"]["lastMessage"]["text"], "parte 5");
}

/// Who waits, and since when, as the chat and as the metrics say it.
fn waits(hub: &Hub, chat: &str) -> (Value, u64) {
    let since = hub.json(&format!("/api/umbler/chats/{chat}"))["chat"]["waitingSince"].clone();
    let live = ask(hub, "/live").json()["rows"][0].clone();
    assert_eq!(live["longestWaitSince"], since, "{live}");
    (since, live["unanswered"].as_u64().expect("a count"))
}

#[test]
fn a_chat_that_went_into_the_waiting_list_after_our_reply_is_no_wait() {
    let hub = spawn_hub();
    hub.provider().posts(&Delivery::message("a").at(0));
    assert_eq!(waits(&hub, "a").1, 1);
    hub.provider().posts(&Delivery::message("a").by_member("mem1").at(10).waiting(false));
    let transferred = Delivery::of_type("ChatSectorChanged", "a").emitted_at(20).waiting(true);
    hub.provider().posts(&transferred.chat_field("WaitingSinceUTC", json!(moment(0))));
    assert_eq!(hub.json("/api/umbler/chats/a")["chat"]["status"], "waiting");
    assert_eq!(waits(&hub, "a"), (Value::Null, 0));
}

#[test]
fn a_customer_who_writes_in_the_second_of_our_reply_waits() {
    let in_order = fault("same-second-after-reply.ndjson");
    let reversed = in_order.iter().rev().cloned().collect();
    for deliveries in [in_order, reversed] {
        let hub = spawn_hub();
        for delivery in &deliveries {
            hub.provider().posts(delivery);
        }
        assert_eq!(waits(&hub, "tie2"), (json!("2026-03-02T13:02:40Z"), 1));
        let chat = &hub.json("/api/umbler/chats/tie2")["chat"];
        assert_eq!(chat["lastMessage"]["text"], "nova pergunta");
        let past = &hub.json("/api/umbler/chats/tie2?at=2026-03-02T13:02:41.5Z")["chat"];
        assert_eq!(
            (&past["waitingSince"], &past["lastMessage"]["text"]),
            (&json!("2026-03-02T13:02:40Z"), &json!("nova pergunta"))
        );
        // The first question was answered; the second one is not.
        let replies = ask(&hub, &format!("/summary?{DAY}&metric=firstResponse,replyTime")).json();
        let counts: Vec<&Value> =
            replies["rows"].as_array().expect("rows").iter().map(|row| &row["n"]).collect();
        assert_eq!(counts, [1, 1]);
    }
}

#[test]
fn a_customer_who_wrote_before_our_reply_in_its_second_does_not_wait() {
    let hub = spawn_hub();
    for mut delivery in fault("same-second-after-reply.ndjson") {
        if delivery.0["Payload"]["Content"]["LastMessage"]["Id"] == "t2c" {
            delivery = delivery.message_field("CreatedAtUTC", json!("2026-03-02T13:02:40.100Z"));
        }
        hub.provider().posts(&delivery);
    }
    assert_eq!(waits(&hub, "tie2"), (Value::Null, 0));
    assert_eq!(hub.json("/api/umbler/chats/tie2")["chat"]["lastMessage"]["text"], "resposta");
}

/// A chat that is closed at 60.25 s, as is told at 60.5 s.
fn closed() -> Delivery {
    let delivery = Delivery::of_type("ChatClosed", "a").closed(60);
    delivery
        .chat_field("ClosedAtUTC", json!("2026-03-02T13:01:00.250Z"))
        .set("/EventDate", json!("2026-03-02T13:01:00.500Z"))
}

/// A customer writes in the second of the close, and it is told later.
fn wrote(created_at: &str) -> Delivery {
    let delivery = Delivery::message("a").at(60).message_field("CreatedAtUTC", json!(created_at));
    delivery.set("/EventDate", json!("2026-03-02T13:01:01.900Z"))
}

#[test]
fn a_customer_who_writes_in_the_second_of_the_close_reopens_the_chat_and_waits() {
    let question = || Delivery::message("a").at(0);
    let after = || wrote("2026-03-02T13:01:00.900Z");
    for deliveries in [[question(), closed(), after()], [after(), closed(), question()]] {
        let hub = spawn_hub();
        for delivery in &deliveries {
            hub.provider().posts(delivery);
        }
        assert_eq!(waits(&hub, "a"), (json!("2026-03-02T13:01:00Z"), 1));
        let counts = ask(&hub, &format!("/summary?{DAY}&metric=abandoned,reopened")).json();
        let counts: Vec<&Value> =
            counts["rows"].as_array().expect("rows").iter().map(|row| &row["n"]).collect();
        assert_eq!(counts, [1, 1], "the first question was abandoned, the second one is open");
    }
    let hub = spawn_hub();
    for delivery in [
        question(),
        wrote("2026-03-02T13:01:00.100Z"),
        closed(),
        Delivery::of_type("MemberTransfer", "a").emitted_at(70),
    ] {
        hub.provider().posts(&delivery);
    }
    assert_eq!(hub.json("/api/umbler/chats/a")["chat"]["open"], true);
    assert_eq!(ask(&hub, "/live").json()["rows"][0]["unanswered"], 0, "that was before the close");
}

#[test]
fn a_close_that_is_told_again_later_ends_no_wait_that_began_since() {
    let told_again = Delivery::of_type("ChatTagChanged", "a")
        .closed(60)
        .chat_field("ClosedAtUTC", json!("2026-03-02T13:01:00.000Z"))
        .set("/EventDate", json!("2026-03-02T13:01:00.950Z"));
    let close = || closed().chat_field("ClosedAtUTC", json!("2026-03-02T13:01:00.000Z"));
    let after = || wrote("2026-03-02T13:01:00.900Z");
    for deliveries in [[close(), told_again.clone(), after()], [told_again, after(), close()]] {
        let hub = spawn_hub();
        for delivery in &deliveries {
            hub.provider().posts(delivery);
        }
        assert_eq!(waits(&hub, "a"), (json!("2026-03-02T13:01:00Z"), 1));
    }
}

#[test]
fn a_message_from_the_future_happened_when_it_was_received() {
    let hub = spawn_hub();
    let deliveries = fault("future-message.ndjson");
    for delivery in &deliveries {
        hub.provider().posts(delivery);
    }
    let now = clock::now();
    let messages = &hub.json("/api/umbler/messages")["messages"];
    assert_eq!(texts(messages)[0], "relógio adiantado");
    for field in ["at", "createdAt"] {
        let stamp: Timestamp = messages[0][field].as_str().and_then(|at| at.parse().ok()).expect("a moment");
        assert!(stamp <= now, "{field}: {stamp}");
    }
    // The real reply comes now.
    let reply = Delivery::message("fut1").by_member("mem1").waiting(false);
    let later = (clock::now() + jiff::SignedDuration::from_secs(3_600)).to_string();
    let reply = reply.set("/EventDate", json!(later)).message_field("EventAtUTC", json!(later));
    hub.provider().posts(&reply.chat_field("WaitingSinceUTC", Value::Null));
    assert_eq!(hub.json("/api/umbler/chats/fut1")["chat"]["waitingSince"], Value::Null);
    let chat = hub.json("/api/umbler/chats/fut1")["chat"].clone();
    let hub = hub.restarted();
    assert_eq!(hub.json("/api/umbler/chats/fut1")["chat"], chat);
}

#[test]
fn an_event_from_the_future_freezes_no_chat() {
    let hub = spawn_hub();
    for delivery in fault("future-eventdate.ndjson") {
        hub.provider().posts(&delivery);
    }
    // It stands where it was received, and what is emitted after that counts.
    let closed = fault("future-eventdate.ndjson").pop().expect("a close");
    let emitted = clock::now().to_string();
    hub.provider().posts(&closed.event_id("closed-again").set("/EventDate", json!(emitted)));
    let chat = &hub.json("/api/umbler/chats/fut2")["chat"];
    assert_eq!((&chat["status"], &chat["waitingSince"]), (&json!("closed"), &Value::Null));
    let timeline = hub.json("/api/umbler/chats/fut2/timeline");
    let last = timeline["timeline"][0]["at"].as_str().expect("a moment");
    assert!(last.parse::<Timestamp>().expect("a moment") <= clock::now(), "{last}");
}

#[test]
fn a_reply_that_could_not_be_sent_leaves_the_customer_waiting() {
    let hub = spawn_hub();
    let [question, reply, failure] = fault("reply-that-failed.ndjson").try_into().expect("three deliveries");
    let asked = json!("2026-03-02T13:00:01Z");
    let answers =
        |hub: &Hub| ask(hub, &format!("/summary?{DAY}&metric=firstResponse")).json()["rows"][0]["n"].clone();
    hub.provider().posts(&question);
    hub.provider().posts(&reply);
    assert_eq!((waits(&hub, "fail1"), answers(&hub)), ((Value::Null, 0), json!(1)));
    hub.provider().posts(&failure);
    assert_eq!((waits(&hub, "fail1"), answers(&hub)), ((asked.clone(), 1), json!(0)), "it is taken back");
    let live = ask(&hub, "/live").json()["rows"][0].clone();
    assert_eq!((&live["unattended"], &live["waitingForCustomer"]), (&json!(1), &json!(0)));
    let shown = &hub.json("/api/umbler/chats/fail1")["chat"]["lastMessage"];
    assert_eq!((&shown["text"], &shown["state"]), (&json!("resposta"), &json!("Failed")));

    let other = spawn_hub();
    for delivery in [&failure, &question, &reply] {
        other.provider().posts(delivery);
    }
    assert_eq!((waits(&other, "fail1"), answers(&other)), ((asked, 1), json!(0)));
}

#[test]
fn an_older_database_is_brought_into_the_order_of_messages() {
    let home = tempfile::tempdir().expect("a folder");
    let database = Connection::open(home.path().join("hub.db")).expect("a database");
    database.execute_batch(include_str!("../fixtures/databases/before-message-order.sql")).expect("the dump");
    database.pragma_update(None, "user_version", 5).expect("set");
    drop(database);
    let hub = super::support::hub::start_in(home);
    stands_in_order_among_others(&hub);
    assert_eq!(hub.json("/api/umbler/chats/tie2")["chat"]["waitingSince"], "2026-03-02T13:02:40Z");
    assert_eq!(hub.json("/api/umbler/chats/tie2")["chat"]["lastMessage"]["text"], "nova pergunta");
    assert_eq!(hub.json("/api/umbler/chats/fail1")["chat"]["waitingSince"], "2026-03-02T13:00:01Z");
    // What was received in 2026 was not written in 2250.
    let newest = hub.json("/api/umbler/messages?limit=1")["messages"][0].clone();
    assert_eq!(newest["text"], "relógio adiantado");
    assert!(newest["at"].as_str().expect("a moment") < "2027", "{newest}");
    // It is counted on the day on which it was received.
    let database = Connection::open(hub.database()).expect("the database");
    let counted = "SELECT max(bucket) * 900 FROM message_buckets WHERE count > 0";
    let last: i64 = database.query_row(counted, [], |row| row.get(0)).expect("a bucket");
    let last = Timestamp::from_second(last).expect("a moment").to_string();
    assert!(last.as_str() < "2027", "{last}");
    // It goes on: what comes next is ordered among what was there.
    hub.provider().posts(
        &Delivery::message("tie-ids")
            .at(60)
            .message_id("aaWJ1VoR_gAHAAP8")
            .text("parte 2,5")
            .message_field("CreatedAtUTC", json!("2026-03-02T13:01:00.250Z")),
    );
    let chat = hub.json("/api/umbler/chats/tie-ids/messages");
    assert_eq!(
        texts(&chat["messages"]),
        ["parte 5", "parte 4", "parte 3", "parte 2,5", "parte 2", "parte 1"]
    );
}

fn stands_in_order_among_others(hub: &Hub) {
    let newest_first: Vec<&str> = IN_ORDER.into_iter().rev().collect();
    let path = "/api/umbler/chats/tie-ids/messages";
    assert_eq!(texts(&hub.json(path)["messages"]), newest_first);
    assert_eq!(paged(hub, path), newest_first);
    for (path, what) in
        [("/api/umbler/chats/tie-ids", "chat"), ("/api/umbler/contacts/ct-tie-ids", "contact")]
    {
        assert_eq!(hub.json(path)[what]["lastMessage"]["text"], "parte 5", "{path}");
    }
}
