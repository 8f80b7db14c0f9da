//! What happens to hubs of a cluster: they stand still, their clocks are wrong, their disks are full or damaged. The others
//! go on, and nothing that was acknowledged is lost or shown twice.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::cluster::{cluster, until, until_ready};
use super::support::faults::{limit_file_size, skip};
use super::support::hub::{command, refuses_to_serve};
use super::support::load::{Load, show_all_once};
use super::support::nats::{Nats, copy_of, nats};
use super::support::{Delivery, Hub};

/// Where the library is that gives a process another clock.
pub const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
/// Bytes that an inbox holds at the most (`INBOX_BYTES_MAX`).
const INBOX_BYTES_MAX: i64 = 1024 * 1024 * 1024;

/// Two hubs that are in step; the second with these settings.
fn pair(nats: &Nats, settings: &[(&str, &str)]) -> [Hub; 2] {
    let home = nats.begun();
    let copy = copy_of(home.path());
    let hubs = [nats.hub("a", home, &[]), nats.hub("b", copy, settings)];
    hubs.iter().for_each(until_ready);
    hubs
}

fn signal(hub: &Hub, signal: rustix::process::Signal) {
    let pid = i32::try_from(hub.pid()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    rustix::process::kill_process(pid, signal).expect("it runs");
}

#[test]
fn nobody_waits_for_a_hub_that_stands_still_and_it_catches_up() {
    let Some(nats) = nats() else { return };
    let [one, other] = pair(&nats, &[]);
    signal(&other, rustix::process::Signal::STOP);
    let load = Load::on(&[&one]);
    load.goes_on_for(300);
    assert_eq!(load.untaken(), 0);
    let ids = load.finish();
    assert_eq!(one.get("/health/ready").status, 200);
    signal(&other, rustix::process::Signal::CONT);
    show_all_once(&[&one, &other], &ids);
}

#[test]
fn a_hub_whose_clock_is_a_year_ahead_shows_what_the_others_show() {
    let Some(nats) = nats() else { return };
    if !Path::new(FAKETIME).exists() {
        return skip("faketime is not installed");
    }
    let ahead = [("LD_PRELOAD", FAKETIME), ("FAKETIME", "+365d"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let [one, other] = pair(&nats, &ahead);
    let load = Load::on(&[&one, &other]);
    load.goes_on_for(100);
    assert_eq!(load.untaken(), 0);
    show_all_once(&[&one, &other], &load.finish());
    // Who stored it does not matter to when it is said to have come.
    let path = "/api/umbler/chats/c1-1/messages";
    assert_eq!(one.json(path), other.json(path));
}

#[test]
fn a_hub_whose_disk_is_full_brings_deliveries_to_the_others_and_shows_them_once_it_has_room() {
    let Some(nats) = nats() else { return };
    let [one, other] = pair(&nats, &[]);
    let written = |name: &str| std::fs::metadata(other.home().join(name)).map_or(0, |file| file.len());
    // Not even the log of the database may grow.
    limit_file_size(&other, Some(written("hub.db-wal").max(written("hub.db"))));
    let load = Load::on(&[&one]);
    until("it cannot apply what comes", || other.get("/health/ready").status == 503);
    load.goes_on_for(1);
    let delivery = Delivery::message("c9").text("the stream has it, and the other hub shows it");
    assert_eq!(other.provider().posts(&delivery)["status"], "accepted");
    until("the other shows it", || one.get("/api/umbler/chats/c9").status == 200);
    assert_eq!(load.untaken(), 0);
    let mut ids = load.finish();
    limit_file_size(&other, None);
    until_ready(&other);
    ids.push(delivery.id().to_owned());
    show_all_once(&[&one, &other], &ids);
}

#[test]
fn a_hub_whose_disk_is_full_with_deliveries_in_its_inbox_takes_more_once_the_stream_is_back() {
    let Some(mut nats) = nats() else { return };
    let [one, other] = pair(&nats, &[]);
    nats.kill();
    let mut ids = Vec::new();
    let mut posted = |hub: &Hub| {
        let delivery = Delivery::message("c1");
        let answer = hub.provider().posts(&delivery);
        assert_eq!(answer["status"], "accepted", "{answer}");
        ids.push(delivery.id().to_owned());
        answer["seq"].clone()
    };
    for _ in 0..3 {
        assert_eq!(posted(&other), Value::Null);
    }
    // Not even the log of the inbox may grow.
    let log = std::fs::metadata(other.home().join("hub.db.inbox-wal")).expect("the file").len();
    limit_file_size(&other, Some(log));
    other.provider().post(Delivery::message("c1").bytes()).refuses(503, "unavailable");
    nats.restart();
    until("the stream has what waited", || cluster(&other)["inbox"] == 0);
    for _ in 0..3 {
        posted(&other);
    }
    until("the other hub shows it", || cluster(&one)["applied"] == cluster(&other)["newest"]);
    limit_file_size(&other, None);
    until_ready(&other);
    show_all_once(&[&one, &other], &ids);
    until("nothing is left in the file", || {
        let inbox = Connection::open(other.home().join("hub.db.inbox")).expect("the inbox");
        inbox.query_row("SELECT count(*) FROM inbox", [], |row| row.get(0)) == Ok(0)
    });
}

#[test]
fn a_hub_whose_database_is_damaged_goes_on_with_a_copy_of_another() {
    let Some(nats) = nats() else { return };
    let home = nats.begun();
    let copy = copy_of(home.path());
    let one = nats.hub("a", home, &[]);
    let secret = [("CLUSTER_SECRET", "a secret that only the hubs of the cluster know")];
    let (port, url) = (one.address().port().to_string(), format!("http://{}", one.address()));
    let mut told = nats.settings("a");
    told.extend([("PORT", port), ("NODE_URL", url), (secret[0].0, secret[0].1.to_owned())]);
    let told: Vec<(&str, &str)> = told.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut one = one;
    one.stop();
    let one = one.started_again_with(&told);
    let mut other = nats.hub("b", copy, &secret);
    [&one, &other].into_iter().for_each(until_ready);
    let load = Load::on(&[&one, &other]);
    load.goes_on_for(200);
    let mut ids = load.finish();
    other.stop();
    // Every page but the first is overwritten.
    let database = other.database();
    let file = File::options().write(true).open(&database).expect("the database");
    let length = file.metadata().expect("it is there").len();
    let junk = vec![0xA5; usize::try_from(length).expect("small") - 4_096];
    file.write_all_at(&junk, 4_096).expect("written");
    let (code, said) = refuses_to_serve(command(other.home()).envs(nats.settings("b")));
    assert!(code == Some(1) && said.contains("malformed"), "{code:?} {said}");
    // As docs/cluster.md says: moved away, all but the inbox.
    for name in ["hub.db", "hub.db-wal", "hub.db-shm"] {
        let path = other.home().join(name);
        if path.exists() {
            std::fs::rename(&path, other.home().join(format!("damaged-{name}"))).expect("moved");
        }
    }
    let after = Delivery::message("c1");
    one.provider().posts(&after);
    ids.push(after.id().to_owned());
    until("the other has told of itself", || !cluster(&one)["node"].is_null());
    let other = other.started_again();
    show_all_once(&[&one, &other], &ids);
}

#[test]
#[ignore = "fills a GiB of the disk"]
fn a_full_inbox_refuses_deliveries_and_takes_them_again_once_it_has_room() {
    let Some(mut nats) = nats() else { return };
    let [one, mut other] = pair(&nats, &[]);
    nats.kill();
    let kept = Delivery::message("c1").text("stored before it was full");
    assert_eq!(other.provider().posts(&kept)["seq"], Value::Null);
    other.stop();
    let path = other.home().join("hub.db.inbox");
    let inbox = Connection::open(&path).expect("the inbox");
    let held: i64 =
        inbox.query_row("SELECT sum(length(record)) FROM inbox", [], |row| row.get(0)).expect("a sum");
    // As many bytes as days without NATS would bring, but for one.
    let half = (INBOX_BYTES_MAX - held) / 2;
    for bytes in [half, INBOX_BYTES_MAX - held - half - 1] {
        let sql = "INSERT INTO inbox (message_id, kind, record) VALUES ('filler', 'delivery', zeroblob(?1))";
        inbox.execute(sql, [bytes]).expect("it fits");
    }
    drop(inbox);
    let mut other = other.started_again();
    let refused = other.provider().post(Delivery::message("c1").bytes());
    refused.refuses(503, "unavailable");
    assert!(refused.header("retry-after").is_some(), "a refusal says when to come back");
    // What fills it can never be published, so this one does not find room in it once the stream is back.
    nats.restart();
    let words: Vec<String> =
        (0_u32..50_000).map(|number| format!("{:x}", number.wrapping_mul(2_654_435_761))).collect();
    let straight = Delivery::message("c1").text(&words.join(" "));
    let mut answer = other.provider().post(straight.bytes());
    until("it is taken in", || {
        answer = other.provider().post(straight.bytes());
        answer.status == 200
    });
    assert!(answer.json()["seq"].is_i64(), "it went straight into the stream: {}", answer.text);
    nats.kill();
    other.stop();
    let inbox = Connection::open(&path).expect("the inbox");
    inbox.execute("DELETE FROM inbox WHERE message_id = 'filler'", []).expect("removed");
    drop(inbox);
    let other = other.started_again();
    let again = Delivery::message("c1").text("there is room");
    assert_eq!(other.provider().posts(&again)["seq"], json!(null));
    nats.restart();
    let ids = [&kept, &straight, &again].map(|delivery| delivery.id().to_owned());
    show_all_once(&[&one, &other], &ids);
}
