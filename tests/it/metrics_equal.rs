//! Followed delivery by delivery or computed at once from what is kept for good: the metrics are the same.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use super::support::hub::command;
use super::support::{Delivery, Hub, spawn_hub};

const DAY: &str = "from=2026-03-02T03:00:00Z&until=2026-03-03T03:00:00Z";

fn file(home: &Path) -> std::path::PathBuf {
    home.join("hub.db.metrics")
}

/// Every row of the metrics, without the keys that only this file knows.
fn dump(home: &Path) -> BTreeSet<String> {
    let open = Connection::open_with_flags(file(home), OpenFlags::SQLITE_OPEN_READ_WRITE).expect("the file");
    let mut rows = BTreeSet::new();
    for sql in [
        "SELECT 'fact', json_array(facts.kind, metric, at, chats.id, ordinal, start, wall, business, agent, sector,
             channel, facts.tags) FROM facts JOIN chats ON chats.key = facts.chat",
        "SELECT 'chat', json_array(id, organization, contact_id, kind, channel_id, sector_id, owner_id, private, tags,
             open, waiting, whatsapp, since, attended, with_bot, ours_last, unanswered_since, quiet_since,
             last_customer_at) FROM chats",
        "SELECT 'member', json_array(member_id, chat_id) FROM chat_members",
        "SELECT 'known', json_array(chats.id, known.kind, known.contact_id, at, last_at)
             FROM known JOIN chats ON chats.key = known.chat",
        "SELECT 'stay', json_array(chats.id, began, ended, places.name, places.organization, places.channel_id,
             places.sector_id, places.owner_id, places.private, (SELECT json_group_array(member_id) FROM (
                 SELECT member_id FROM place_members WHERE place = places.id ORDER BY member_id)))
             FROM stays JOIN chats ON chats.key = stays.chat JOIN places ON places.id = stays.place",
        "SELECT 'span', json_array(chats.id, spans.began, spans.ended, places.name, spans.marks, spans.tags,
             times.began, times.ended, times.marks, times.marks_too) FROM spans
             JOIN chats ON chats.key = spans.chat LEFT JOIN places ON places.id = spans.place
             LEFT JOIN span_times AS times ON times.id = spans.id",
        "SELECT 'spans', json_array((SELECT count(*) FROM span_times), (SELECT count(*) FROM spans))",
        "SELECT 'said', json_array(chats.id, day, n) FROM said JOIN chats ON chats.key = said.chat",
        "SELECT 'day', json_array(day, n) FROM said_by_day",
        "SELECT 'line', json_array(id, whatsapp) FROM lines",
        "SELECT 'name', json_array(what, id, name) FROM names",
        "SELECT 'position', json_array(position, definition, epoch) FROM state",
    ] {
        let mut select = open.prepare(sql).expect("a table");
        let found = select.query_map([], |row| Ok(row.get::<_, String>(0)? + &row.get::<_, String>(1)?));
        rows.extend(found.expect("rows").map(|row| row.expect("a row")));
    }
    rows
}

fn remove(home: &Path) {
    for name in ["hub.db.metrics", "hub.db.metrics-wal", "hub.db.metrics-shm"] {
        // The side files are gone where the hub ended in order.
        drop(std::fs::remove_file(home.join(name)));
    }
}

#[derive(Debug, Clone)]
enum Step {
    Says(u8, i64),
    Replies(u8, i64, bool),
    Bot(u8, i64, bool),
    Owner(u8, i64, Option<u8>),
    Moves(u8, i64, u8),
    Closes(u8, i64),
    Again,
    Asks,
}

fn step() -> impl Strategy<Value = Step> {
    let chat = 0..3_u8;
    // Times come in any order, and often twice.
    let time = 0..120_i64;
    prop_oneof![
        4 => (chat.clone(), time.clone()).prop_map(|(chat, at)| Step::Says(chat, at)),
        3 => (chat.clone(), time.clone(), any::<bool>()).prop_map(|(chat, at, note)| Step::Replies(chat, at, note)),
        1 => (chat.clone(), time.clone(), any::<bool>()).prop_map(|(chat, at, runs)| Step::Bot(chat, at, runs)),
        2 => (chat.clone(), time.clone(), proptest::option::of(0..3_u8))
            .prop_map(|(chat, at, owner)| Step::Owner(chat, at, owner)),
        1 => (chat.clone(), time.clone(), 0..2_u8).prop_map(|(chat, at, sector)| Step::Moves(chat, at, sector)),
        2 => (chat, time).prop_map(|(chat, at)| Step::Closes(chat, at)),
        1 => Just(Step::Again),
        2 => Just(Step::Asks),
    ]
}

fn delivery(step: &Step) -> Option<Delivery> {
    let name = |chat: u8| format!("chat-{chat}");
    let minutes = |at: i64| at * 60;
    Some(match *step {
        Step::Says(chat, at) => Delivery::message(&name(chat)).at(minutes(at)),
        Step::Replies(chat, at, note) => Delivery::message(&name(chat))
            .at(minutes(at))
            .by_member("ana")
            .message_field("IsPrivate", json!(note))
            .waiting(false),
        Step::Bot(chat, at, runs) => {
            let bots =
                if runs { json!([{ "Id": "bot", "Name": "Bot", "Status": "Running" }]) } else { json!([]) };
            Delivery::message(&name(chat)).at(minutes(at)).source("Bot").chat_field("Bots", bots)
        }
        Step::Owner(chat, at, owner) => {
            let change = Delivery::of_type("MemberTransfer", &name(chat)).emitted_at(minutes(at));
            match owner {
                Some(owner) => change.owner(&format!("agent-{owner}")),
                None => change,
            }
        }
        Step::Moves(chat, at, sector) => Delivery::of_type("ChatSectorChanged", &name(chat))
            .emitted_at(minutes(at))
            .chat_field("Sector", json!({ "Id": format!("sector-{sector}"), "Name": "Setor" })),
        Step::Closes(chat, at) => {
            Delivery::of_type("ChatClosed", &name(chat)).emitted_at(minutes(at)).closed(minutes(at))
        }
        Step::Again | Step::Asks => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_following_it_comes_to_the_same_as_computing_it_anew(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let mut hub = spawn_hub();
        let mut last = None;
        for step in &steps {
            match (step, delivery(step), &last) {
                // Whoever asks makes the projector step in the middle.
                (Step::Asks, _, _) => drop(hub.caught_up_metrics()),
                (Step::Again, _, Some(again)) => drop(hub.provider().posts(again)),
                (_, Some(next), _) => {
                    hub.provider().posts(&next);
                    last = Some(next);
                }
                _ => {}
            }
        }
        let followed_live = hub.caught_up_metrics();
        for chat in hub.json("/api/umbler/chats?status=open")["chats"].as_array().expect("chats") {
            // The hub's own clock of the chat, kept by other code, says the same.
            let path = "/api/umbler/metrics/live?explain=true&metric=unanswered&limit=200";
            let behind = hub.json(path)["rows"].as_array().expect("rows").clone();
            let since = behind.iter().find(|row| row["chatId"] == chat["id"]).map(|row| row["start"].clone());
            prop_assert_eq!(since.unwrap_or_default(), chat["waitingSince"].clone(), "{}", chat);
        }
        prop_assert!(hub.stop().success());
        let followed = dump(hub.home());
        remove(hub.home());
        let mut hub = hub.started_again();
        let built_live = hub.caught_up_metrics();
        prop_assert!(hub.stop().success());
        prop_assert_eq!(followed, dump(hub.home()));
        let numbers = |live: &Value| {
            let mut row = live["rows"][0].clone();
            // These two tick.
            row["longestWaitBusinessMs"].take();
            row["averageWaitBusinessMs"].take();
            row
        };
        prop_assert_eq!(numbers(&followed_live), numbers(&built_live));
    }
}

#[test]
fn a_damaged_file_of_metrics_is_made_anew() {
    let mut hub = spawn_hub();
    hub.provider().says("a", "hello");
    hub.caught_up_metrics();
    assert!(hub.stop().success());
    let before = dump(hub.home());
    std::fs::write(file(hub.home()), b"this is no database, and never was one").expect("written");
    let mut hub = hub.started_again();
    hub.caught_up_metrics();
    assert!(hub.stop().success());
    assert_eq!(dump(hub.home()), before);
}

#[test]
fn damaged_pages_of_the_metrics_are_noticed_and_the_file_is_made_anew() {
    let mut hub = spawn_hub();
    for chat in ["a", "b", "c"] {
        hub.provider().says(chat, "hello");
    }
    hub.caught_up_metrics();
    assert!(hub.stop().success());
    let before = dump(hub.home());
    // The header and the place stand; what was counted does not.
    let mut bytes = std::fs::read(file(hub.home())).expect("the file");
    bytes[3 * 4_096..].fill(0xff);
    std::fs::write(file(hub.home()), bytes).expect("written");
    let mut hub = hub.started_again();
    hub.provider().says("a", "again");
    while hub.get("/api/umbler/metrics/live").status != 200 {}
    hub.caught_up_metrics();
    assert!(hub.stop().success());
    assert_eq!(dump(hub.home()).len(), before.len() + 1, "all of it, and one fact more");
}

#[test]
fn a_chat_that_cannot_be_read_keeps_no_other_from_being_counted() {
    let mut hub = spawn_hub();
    for chat in ["a", "b", "c"] {
        hub.provider().says(chat, "hello");
    }
    assert!(hub.stop().success());
    let database = Connection::open(hub.home().join("hub.db")).expect("the database");
    database.execute("UPDATE chats SET state = '{' WHERE id = 'b'", []).expect("spoilt");
    drop(database);
    remove(hub.home());
    let hub = hub.started_again();
    assert_eq!(hub.caught_up_metrics()["rows"][0]["open"], 2);
}

#[test]
fn other_hours_recompute_history_and_recompute_does_so_at_once() {
    let mut hub = spawn_hub();
    hub.provider().posts(&Delivery::message("a").at(0));
    hub.provider().posts(&Delivery::message("a").at(3_600).by_member("ana").waiting(false));
    hub.caught_up_metrics();
    let business = |hub: &Hub| {
        hub.caught_up_metrics();
        let path = format!("/api/umbler/metrics/summary?{DAY}&metric=replyTime&clock=business");
        hub.json(&path)["rows"][0]["medianMs"].clone()
    };
    assert_eq!(business(&hub), 3_600_000);
    let refused = command(hub.home()).arg("recompute").output().expect("the binary runs");
    assert!(!refused.status.success(), "a hub that runs keeps its files");
    assert!(hub.stop().success());

    // Ten to twelve past ten in the morning.
    let hours = ("BUSINESS_HOURS", "Mon 10:00-10:12");
    let done = command(hub.home()).env(hours.0, hours.1).arg("recompute").output().expect("the binary runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.contains("1 chats") && said.contains("position 2"), "{said}");
    let recomputed = dump(hub.home());
    assert!(recomputed.iter().any(|row| row.contains("720000")), "{recomputed:?}");

    let mut hub = hub.started_again();
    assert_eq!(business(&hub), 3_600_000, "these are the hours of the hub");
    assert!(hub.stop().success());
    assert_ne!(dump(hub.home()), recomputed);
}
