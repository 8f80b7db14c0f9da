//! Hubs of a cluster that cannot be trusted: one whose clock is wrong, one whose database was altered, and a record that nobody can
//! read.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::{Value, json};
use umbler_hub::facade::program::EXIT_ANEW;

use super::alerts::{listed, question, saves, thresholds};
use super::cluster::{cluster, posted, until, until_ready, until_shown};
use super::cluster_across::pair;
use super::cluster_fences::publishes;
use super::support::faults::skip;
use super::support::keys::now;
use super::support::nats::{Nats, copy_of, nats};
use super::support::{Delivery, Hub};

/// Positions and times of receipt, as a hub stored them.
fn received(hub: &Hub) -> Vec<(i64, i64)> {
    let database = Connection::open(hub.database()).expect("the database");
    let mut select = database.prepare("SELECT seq, received_at FROM journal ORDER BY seq").expect("SQL");
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.collect::<Result<_, _>>().expect("positions")
}

/// Settings that move the clock of a program; `None` where `faketime` is not installed.
fn clock_moved(by: &str) -> Option<Vec<(&'static str, String)>> {
    let print = ["-m", "-f", "+0", "sh", "-c", "printf %s \"$LD_PRELOAD\""];
    let printed = Command::new("faketime").args(print).output().ok().filter(|output| output.status.success());
    let Some(printed) = printed else {
        skip("faketime is not installed");
        return None;
    };
    let library = String::from_utf8(printed.stdout).expect("a path");
    Some(vec![
        ("LD_PRELOAD", library),
        ("FAKETIME", by.to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ])
}

#[test]
fn a_hub_whose_clock_is_a_year_ahead_files_nothing_in_the_future_and_says_that_its_clock_is_wrong() {
    let Some(nats) = nats() else { return };
    let Some(moved) = clock_moved("+365d") else { return };
    let moved: Vec<(&str, &str)> = moved.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let home = nats.begun();
    let copy = copy_of(home.path());
    let (ahead, right) = (nats.hub("a", home, &moved), nats.hub("b", copy, &[]));
    until_ready(&ahead);
    until_ready(&right);
    let mut last = 0;
    for _ in 0..3 {
        for hub in [&ahead, &right] {
            last = posted(hub, "c1");
        }
    }
    until_shown(&ahead, last);
    until_shown(&right, last);
    let stored = received(&right);
    assert_eq!(stored, received(&ahead));
    assert_eq!(stored.len(), 6);
    assert!(stored.is_sorted_by_key(|(_, at)| *at), "{stored:?}");
    // The second that runs, and the two that a receipt may be later than the stream.
    let latest = i128::from(now() + 3) * 1_000_000_000;
    assert!(stored.iter().all(|(_, at)| i128::from(*at) <= latest), "{stored:?}");
    let year = 365 * 86_400;
    until("it says so", || cluster(&ahead)["clockAheadSeconds"].as_i64() > Some(year - 60));
    assert!(ahead.counter("umbler_hub_cluster_clock_off_seconds") > 360 * 86_400);
    assert_eq!(cluster(&right)["clockAheadSeconds"], 0);
    // What is stored follows from what was recorded.
    let (mut ahead, mut right) = (ahead, right);
    ahead.stop();
    right.stop();
    for hub in [&ahead, &right] {
        let (succeeded, said) = nats.tool(hub.home(), &["check", "--deep"]);
        assert!(succeeded, "{said}");
    }
}

#[test]
fn a_delivery_that_waited_in_an_inbox_is_filed_where_it_stands() {
    let Some(mut nats) = nats() else { return };
    let [one, other] = pair(&nats, &[]);
    nats.kill();
    assert_eq!(other.provider().says("c1", "waits")["seq"], Value::Null);
    let mut other = other;
    other.kill();
    nats.restart();
    until("the stream takes records", || one.provider().says("c2", "meanwhile")["seq"].is_i64());
    let before = posted(&one, "c2");
    let other = other.started_again();
    until("the inbox is empty", || cluster(&other)["inbox"] == 0);
    let last = posted(&one, "c2");
    until_shown(&other, last);
    let stored = received(&one);
    assert_eq!(stored, received(&other));
    assert!(stored.is_sorted_by_key(|(_, at)| *at), "{stored:?}");
    assert!(stored.iter().any(|(seq, _)| (before + 1..last).contains(seq)), "it came behind: {stored:?}");
}

#[test]
fn a_record_that_no_hub_can_read_is_passed_over_once_an_operator_says_so() {
    let Some(nats) = nats() else { return };
    let [one, other] = pair(&nats, &[]);
    let tool = tempfile::tempdir().expect("a folder");
    let skips = |position: i64| nats.tool(tool.path(), &["cluster", "skip", &position.to_string()]);
    let good = posted(&one, "c1");
    until_shown(&other, good);
    let (succeeded, said) = skips(good);
    assert!(!succeeded && said.contains("it can be read"), "{said}");
    let (succeeded, said) = skips(good + 100);
    assert!(!succeeded && said.contains("the stream has no record there"), "{said}");
    let poison = publishes(&nats, "delivery", b"\x01 no record of any hub".to_vec());
    for hub in [&one, &other] {
        until("the hub halts at it", || cluster(hub)["halted"].is_string());
    }
    assert_eq!(one.provider().says("c1", "meanwhile")["seq"], Value::Null, "it is taken all the same");
    let one = one.restarted();
    until("it stands there again", || cluster(&one)["halted"].is_string());
    // It has looked at the stream, and is halted all the same.
    until("it has looked", || cluster(&one)["replicas"] == 1);
    assert_eq!(one.provider().says("c1", "after a restart")["seq"], Value::Null);
    // Hubs tell every few seconds where they stand. Until both have, it is refused.
    until("it is skipped", || {
        let (succeeded, said) = skips(poison);
        assert!(succeeded || said.contains("does not stand at it"), "{said}");
        succeeded
    });
    until_ready(&one);
    until_ready(&other);
    let last = posted(&other, "c1");
    until_shown(&one, last);
    let path = "/api/umbler/updates?after=0&limit=1000";
    assert_eq!(one.json(path)["updates"], other.json(path)["updates"]);
    for hub in [&one, &other] {
        let database = Connection::open(hub.database()).expect("the database");
        let sql = "SELECT event_id, reason FROM journal WHERE seq = ?1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (id, reason): (String, String) = database.query_row(sql, [poison], read).expect("it is kept");
        assert_eq!(
            (&*id, &*reason),
            (&*format!("skipped:{poison}"), "the type \"SkippedRecord\" is not known")
        );
    }
    // Also by a hub that starts again behind it.
    let one = one.restarted();
    until_ready(&one);
    until("it is refused", || skips(poison).1.contains("is past it"));
}

/// The digests of a hub's tables, as the tool prints them.
fn digests(nats: &Nats, home: &Path) -> String {
    let (succeeded, said) = nats.tool(home, &["cluster", "compare"]);
    assert!(succeeded, "{said}");
    said
}

/// Three hubs that are in step.
fn three(nats: &Nats, settings: &[(&str, &str)]) -> [Hub; 3] {
    let home = nats.begun();
    let (second, third) = (copy_of(home.path()), copy_of(home.path()));
    let hubs = [("a", home), ("b", second), ("c", third)].map(|(node, home)| nats.hub(node, home, settings));
    hubs.iter().for_each(until_ready);
    hubs
}

#[test]
fn hubs_that_applied_the_same_records_print_the_same_digests() {
    let Some(nats) = nats() else { return };
    let [one, two, mut three] = three(&nats, &[]);
    saves(&one, None, &thresholds(&[("waitingWarnSeconds", 60)]), &json!({}));
    for round in 0..60 {
        let chat = format!("c{}", round % 7);
        let hub = [&one, &two, &three][round % 3];
        let hub = if round > 30 && round % 3 == 2 { &one } else { hub };
        match round % 5 {
            0 => drop(hub.provider().posts(&question(&chat, 120))),
            1 => drop(hub.provider().post("{}")),
            2 => drop(hub.provider().posts(&Delivery::message(&chat).by_member("ana"))),
            3 => drop(hub.provider().posts(&Delivery::of_any_type("ChatRated", &chat))),
            _ => drop(hub.provider().says(&chat, &format!("number {round}"))),
        }
        if round == 30 {
            three.kill();
        }
    }
    let three = three.started_again();
    until_ready(&three);
    let all = [&one, &two, &three];
    one.names("ana", Some("Ana"), "");
    for chat in ["q1", "q2"] {
        two.provider().posts(&question(chat, 120));
    }
    let is_of = |alert: &Value| alert["chatId"] == "q1" || alert["chatId"] == "q2";
    until("alerts are raised", || listed(&one, "").iter().filter(|alert| is_of(alert)).count() == 2);
    // Whatever the owner of the duties still proposes is done once all stand at one position for a while.
    until("all stand at one position", || {
        let applied: BTreeSet<String> = all.iter().map(|hub| cluster(hub)["applied"].to_string()).collect();
        let printed: BTreeSet<String> = all.iter().map(|hub| digests(&nats, hub.home())).collect();
        let after: BTreeSet<String> = all.iter().map(|hub| cluster(hub)["applied"].to_string()).collect();
        let stood_still = applied.len() == 1 && applied == after;
        assert!(!stood_still || printed.len() == 1, "{printed:#?}");
        stood_still
    });
    for hub in all {
        assert_eq!(hub.counter("umbler_hub_cluster_diverged"), 0);
    }
}

/// Gives the contacts of a stopped hub other names, as a fault of its disk could.
fn alter(hub: &Hub) {
    let database = Connection::open(hub.database()).expect("the database");
    let sql = "UPDATE contacts SET state = replace(state, name, 'Altered'), name = 'Altered'";
    assert!(database.execute(sql, []).expect("SQL") > 0);
}

/// The first hub, started again so that others get copies of its database.
fn gives_copies(nats: &Nats, mut hub: Hub, secret: (&str, &str)) -> Hub {
    let (port, url) = (hub.address().port().to_string(), format!("http://{}", hub.address()));
    hub.stop();
    let mut settings = nats.settings("a");
    settings.extend([("PORT", port), ("NODE_URL", url)]);
    let mut settings: Vec<(&str, &str)> =
        settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    settings.push(secret);
    let hub = hub.started_again_with(&settings);
    until_ready(&hub);
    hub
}

#[test]
fn a_hub_whose_database_was_altered_ends_by_itself_where_its_next_start_gets_a_copy() {
    let Some(nats) = nats() else { return };
    let secret = ("CLUSTER_SECRET", "a secret that only the hubs of the cluster know");
    let [one, _two, mut three] = three(&nats, &[secret]);
    let one = gives_copies(&nats, one, secret);
    let last = posted(&one, "c1");
    until_shown(&three, last);
    three.stop();
    alter(&three);
    let mut three = three.started_again();
    until_ready(&three);
    one.provider().posts(&Delivery::message("c1").chat_field("Contact", Value::Null));
    assert_eq!(three.wait().code(), Some(EXIT_ANEW.into()), "{}", three.log());
    let three = three.started_again();
    until_ready(&three);
    let path = "/api/umbler/chats/c1";
    assert_eq!(three.json(path)["chat"], one.json(path)["chat"]);
}

#[test]
fn a_hub_whose_database_was_altered_halts_and_begins_anew_with_a_copy() {
    let Some(nats) = nats() else { return };
    let secret = ("CLUSTER_SECRET", "a secret that only the hubs of the cluster know");
    let [one, two, mut three] = three(&nats, &[secret]);
    for _ in 0..5 {
        posted(&one, "c1");
    }
    until("the third has them, too", || cluster(&three)["applied"] == cluster(&one)["applied"]);
    three.stop();
    alter(&three);
    let three = three.started_again();
    until_ready(&three);
    // Nothing shows before something follows from what was altered.
    one.provider().posts(&Delivery::message("c1").chat_field("Contact", Value::Null));
    until("the third halts", || cluster(&three)["halted"].is_string());
    assert_eq!(three.get("/health/ready").status, 503);
    assert_eq!(three.counter("umbler_hub_cluster_diverged"), 1);
    let halted = cluster(&three)["halted"].clone();
    assert!(halted.as_str().is_some_and(|why| why.contains("is not what")), "{halted}");
    assert_eq!(three.provider().says("c2", "taken all the same")["seq"], Value::Null);
    for hub in [&one, &two] {
        assert!(cluster(hub)["halted"].is_null(), "they agree");
        until("the others know why it halted", || {
            let told = cluster(hub)["peers"].clone();
            told.as_array().is_some_and(|peers| peers.iter().any(|peer| peer["halted"] == halted))
        });
    }
    let bearer = format!("Bearer {}", secret.1);
    let gives_copy = |hub: &Hub| {
        let asked = hub.agent().get(hub.url("/cluster/snapshot")).header("authorization", &bearer).call();
        asked.expect("an answer").status().as_u16()
    };
    assert_eq!((gives_copy(&three), gives_copy(&two)), (503, 200), "what differs is not handed on");
    // Nobody gives it a copy yet: it takes deliveries, and nothing else.
    let three = three.restarted();
    assert_eq!(cluster(&three)["halted"], halted);
    let one = gives_copies(&nats, one, secret);
    until_ready(&one);
    until("the first has told where it gives copies", || {
        cluster(&two)["peers"].as_array().is_some_and(|peers| peers.iter().any(|peer| peer["node"] == "a"))
    });
    let three = three.restarted();
    until_ready(&three);
    until("its inbox is empty", || cluster(&three)["inbox"] == 0);
    let path = "/api/umbler/chats/c1";
    assert_eq!(three.json(path)["chat"], one.json(path)["chat"]);
    assert_eq!(three.counter("umbler_hub_cluster_diverged"), 0);
}
