//! Backups on another machine: what is sent to the bucket, what is deleted there, and what a restore makes of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rusqlite::Connection;
use serde_json::{Value, json};
use umbler_hub::facade::journal::digest_tables;
use umbler_hub::facade::testing::clock;

use super::support::bucket::{S3, SECRET, s3};
use super::support::hub::{command, start_in};
use super::support::{Delivery, Hub, PATIENCE, hub_with, spawn_hub};

const NEWEST: &str = "umbler_hub_backup_snapshot_timestamp_seconds";
const COVERED: &str = "umbler_hub_backup_covered_until_timestamp_seconds";

/// How a segment begins.
const HEAD: &[u8] = b"umbler-hub segment 1\n";

/// A hub that keeps its backups there.
pub fn hub_on(settings: &[(&'static str, String)]) -> Hub {
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    hub_with(&settings)
}

/// Waits until a snapshot is in the bucket.
pub fn has_a_snapshot(hub: &Hub) {
    reaches(hub, NEWEST, |newest| newest > 0);
}

/// Waits until everything that was acknowledged so far is in the bucket.
pub fn is_covered(hub: &Hub) {
    let now = u64::try_from(clock::now().as_second()).expect("after 1970");
    reaches(hub, COVERED, |covered| covered > now);
}

/// Waits until a counter is as it should be.
fn reaches(hub: &Hub, name: &str, is_reached: impl Fn(u64) -> bool) {
    let begun = Instant::now();
    while !is_reached(hub.counter(name)) {
        assert!(begun.elapsed() < PATIENCE, "{name} is {}: {}", hub.counter(name), hub.log());
    }
}

/// Runs a tool in a folder with the settings of the bucket; whether it succeeded, and what it said.
pub fn tool(home: &Path, settings: &[(&'static str, String)], arguments: &[&str]) -> (bool, String) {
    let mut command = command(home);
    command.envs(settings.iter().map(|(name, value)| (*name, value.as_str())));
    let output = command.args(arguments).output().expect("the tool runs");
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    (output.status.success(), said)
}

/// Restores the newest backup in a new folder.
pub fn restored(settings: &[(&'static str, String)]) -> (tempfile::TempDir, String) {
    let home = tempfile::tempdir().expect("a folder");
    let (done, said) = tool(home.path(), settings, &["restore", "s3://shop/hub"]);
    assert!(done, "{said}");
    (home, said)
}

pub fn digests(database: &Path) -> BTreeMap<&'static str, String> {
    digest_tables(&Connection::open(database).expect("a database")).expect("its tables")
}

fn messages(home: &Path) -> i64 {
    let database = Connection::open(home.join("hub.db")).expect("a database");
    database.query_row("SELECT total_messages FROM counters", [], |row| row.get(0)).expect("a row")
}

/// A hub with a snapshot of some messages and records behind it; it has ended.
fn lived_in(server: &S3) -> Hub {
    let mut hub = spawn_hub();
    (0..3).for_each(|_| drop(hub.provider().says("a", "before")));
    hub.stop();
    let settings = server.settings();
    let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut hub = hub.started_again_with(&borrowed);
    has_a_snapshot(&hub);
    for round in 0..3 {
        for number in 0..4 {
            hub.provider().says(&format!("chat-{number}"), &format!("round {round}"));
        }
        is_covered(&hub);
    }
    hub.kill();
    hub
}

fn segments(server: &S3) -> Vec<String> {
    server.keys().into_iter().filter(|key| key.contains("/segments/")).collect()
}

fn snapshots(server: &S3) -> Vec<String> {
    server.keys().into_iter().filter(|key| key.contains("/snapshots/")).collect()
}

#[test]
fn what_is_restored_from_the_bucket_is_what_was_there() {
    let Some(server) = s3() else { return };
    let mut hub = hub_on(&server.settings());
    has_a_snapshot(&hub);
    let entries = std::fs::read_dir(super::support::fixtures()).expect("a folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    for (number, file) in files.into_iter().filter(|file| file.is_file()).enumerate() {
        hub.provider().post(std::fs::read(file).expect("read"));
        if number == 5 {
            is_covered(&hub);
        }
    }
    hub.names("M1", Some("Ana"), "");
    let saved = hub.json("/api/umbler/settings")["settings"].clone();
    hub.put("/api/umbler/settings", &[], &saved);
    is_covered(&hub);
    let sent = hub.json("/health")["seq"].clone();
    hub.stop();
    let (home, said) = restored(&server.settings());
    assert!(said.contains("records behind it") && said.contains("a new epoch begins"), "{said}");
    assert_eq!(digests(&home.path().join("hub.db")), digests(&hub.database()));
    let again = start_in(home);
    assert_eq!(again.json("/health")["seq"], sent);
    again.provider().says("a", "goes on");
}

#[test]
fn a_machine_that_is_gone_takes_nothing_with_it_that_was_covered() {
    let Some(server) = s3() else { return };
    let mut hub = hub_on(&server.settings());
    has_a_snapshot(&hub);
    for number in 0..300 {
        hub.provider().says(&format!("chat-{}", number % 7), "counted");
    }
    is_covered(&hub);
    let health = hub.json("/health");
    assert_eq!(health["backup"], "ok");
    for moment in ["backupTakenAt", "backupCoveredUntil"] {
        assert!(health[moment].as_str().is_some_and(|at| at.starts_with("20")), "{moment}: {health}");
    }
    let acknowledged = health["seq"].as_i64().expect("a position");
    // Perhaps sent, perhaps not.
    (0..20).for_each(|_| drop(hub.provider().says("late", "perhaps")));
    hub.kill();
    let (home, _) = restored(&server.settings());
    std::fs::remove_dir_all(hub.home()).expect("the machine is gone");
    let kept = messages(home.path());
    assert!((300..=320).contains(&kept), "{kept}");
    let again = start_in(home);
    assert!(again.json("/health")["seq"].as_i64() >= Some(acknowledged));
    assert_eq!(again.json("/api/umbler/chats/chat-0/messages?limit=1")["total"], 43);
}

#[test]
fn a_revoked_user_stays_revoked_after_a_restore() {
    let Some(server) = s3() else { return };
    let mut settings = server.settings();
    settings.push(("JWT_SECRET", "k".repeat(32)));
    let mut hub = hub_on(&settings);
    let token = |sub: &str, role: &str| {
        let (done, said) = tool(hub.home(), &settings, &["token", "--sub", sub, "--role", role]);
        assert!(done, "{said}");
        format!("Bearer {}", said.trim())
    };
    let (admin, eva) = (token("ana", "admin"), token("eva", "agent"));
    let metrics = |name: &str| {
        let text = hub.get_with("/metrics", &[("authorization", &admin)]).text;
        let said = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
        said.expect("a number")
    };
    while metrics(NEWEST) == 0 {}
    let body = json!({ "user": "eva" }).to_string();
    let revoked = hub.agent().post(hub.url("/api/umbler/revocations"));
    let revoked = revoked.header("authorization", &admin).content_type("application/json").send(body);
    assert!(revoked.expect("an answer").status().is_success());
    // No event was made, and it is sent all the same.
    while metrics("umbler_hub_backup_segments_total") == 0 {}
    hub.kill();
    let (home, _) = restored(&settings);
    let borrowed = [("JWT_SECRET", "k".repeat(32))];
    let borrowed: Vec<(&str, &str)> = borrowed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let again = super::support::hub::start_through(&[], home, &borrowed);
    again.get_with("/api/umbler/chats", &[("authorization", &eva)]).refuses(401, "unauthorized");
    assert_eq!(again.get_with("/api/umbler/chats", &[("authorization", &admin)]).status, 200);
}

#[test]
fn a_backup_is_verified_by_what_would_be_restored() {
    let Some(server) = s3() else { return };
    let hub = lived_in(&server);
    let settings = server.settings();
    let (done, said) = tool(hub.home(), &settings, &["backup", "--verify"]);
    assert!(done && said.contains("(3 deliveries), and 12 records behind it: 15 deliveries"), "{said}");
    assert!(
        !std::fs::read_dir(hub.home())
            .expect("a folder")
            .any(|entry| { entry.expect("an entry").file_name().to_string_lossy().contains("partial") })
    );

    // A newer snapshot that is damaged: the one before it is taken, with the records behind it.
    let key = snapshots(&server).into_iter().find(|key| key.ends_with(".db.zst")).expect("a snapshot");
    let (stem, _) = key.split_once("-20").expect("a time");
    let mut bytes = server.read(&key);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    server.write(&format!("{stem}-29990101T000000Z.db.zst"), &bytes);
    let manifest = server.read(&key.replace(".db.zst", ".json"));
    server.write(&format!("{stem}-29990101T000000Z.json"), &manifest);
    let (done, said) = tool(hub.home(), &settings, &["backup", "--verify"]);
    assert!(done && said.contains("15 deliveries"), "{said}");
    // And one that was cut short.
    server.write(&format!("{stem}-29990101T000000Z.db.zst"), &bytes[..middle]);
    let (done, said) = tool(hub.home(), &settings, &["backup", "--verify"]);
    assert!(done && said.contains("15 deliveries"), "{said}");

    // None is whole.
    server.write(&key, &bytes);
    let (done, said) = tool(hub.home(), &settings, &["backup", "--verify"]);
    assert!(!done && said.contains("no snapshot is whole"), "{said}");
    let home = tempfile::tempdir().expect("a folder");
    let (done, said) = tool(home.path(), &settings, &["restore", "s3://shop/hub"]);
    let is_named =
        ["is not what its manifest says", "cannot write the copy"].iter().any(|what| said.contains(what));
    assert!(!done && is_named, "{said}");
    assert!(!home.path().join("hub.db").exists());
}

#[test]
fn behind_a_missing_or_damaged_segment_nothing_is_applied() {
    let Some(server) = s3() else { return };
    let hub = lived_in(&server);
    let segments = segments(&server);
    assert!(segments.len() >= 3, "{segments:?}");
    let restores = |because: &str| {
        let home = tempfile::tempdir().expect("a folder");
        let (done, said) = tool(home.path(), &server.settings(), &["restore", "s3://shop/hub"]);
        assert!(!done && said.contains(because), "{said}");
        messages(home.path())
    };
    let second = server.read(&segments[1]);
    server.delete(&segments[1]);
    let left = restores("is missing");
    assert!((3..15).contains(&left), "{left}");
    server.write(&segments[1], &second[..second.len() / 2]);
    assert_eq!(restores("is damaged"), left);
    server.write(&segments[1], &second);
    let (done, said) = tool(hub.home(), &server.settings(), &["backup", "--verify"]);
    assert!(done && said.contains("15 deliveries"), "{said}");
}

#[test]
fn what_no_kept_snapshot_needs_is_deleted() {
    let Some(server) = s3() else { return };
    let mut hub = spawn_hub();
    (0..5).for_each(|_| drop(hub.provider().says("a", "hello")));
    let epoch = hub.json("/health")["epoch"].as_str().expect("a text").to_owned();
    hub.stop();
    let manifest = |epoch: &str, seq: i64| {
        json!({
            "format": 1, "version": "0.1.0", "epoch": epoch, "seq": seq, "takenAt": "2020-01-01T00:00:00Z", "pages": 1,
            "databaseBytes": 1, "bytes": 1, "sha256": "00", "everyHours": 24,
        })
        .to_string()
    };
    let old = |epoch: &str, seq: i64| format!("hub/{epoch}/snapshots/{seq:020}-20200101T000000Z");
    let segment =
        |epoch: &str, first: i64, last: i64| format!("hub/{epoch}/segments/{first:020}-{last:020}.zst");
    for (epoch, seq) in [(epoch.as_str(), 1), ("00000000000000aa", 9)] {
        server.write(&format!("{}.db.zst", old(epoch, seq)), b"x");
        server.write(&format!("{}.json", old(epoch, seq)), manifest(epoch, seq).as_bytes());
    }
    server.write(&format!("hub/{epoch}/snapshots/{:020}-20191231T000000Z.db.zst", 1), b"without a manifest");
    server.write(&segment(&epoch, 1, 4), b"x");
    server.write(&segment("00000000000000aa", 10, 11), b"x");
    server.write("hub/letter.txt", b"somebody else's");
    let mut settings = server.settings();
    settings.push(("BACKUP_KEEP", "1".to_owned()));
    let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let hub = hub.started_again_with(&borrowed);
    let left = loop {
        let keys = server.keys();
        if !keys.iter().any(|key| key.contains("2020") || key.contains("2019") || key.contains("00aa")) {
            break keys;
        }
    };
    let of = |end: &str| left.iter().filter(|key| key.ends_with(end)).count();
    assert_eq!((of(".db.zst"), of(".json"), of(".txt")), (1, 1, 1), "{left:?}");
    assert!(!left.contains(&segment(&epoch, 1, 4)), "{left:?}");
    let newest: Value =
        serde_json::from_slice(&server.read(left.iter().find(|key| key.contains(".json")).expect("one")))
            .expect("JSON");
    assert_eq!((&newest["seq"], &newest["epoch"]), (&json!(5), &json!(epoch)));
    drop(hub);
}

#[test]
fn a_delivery_that_was_erased_before_it_was_sent_is_a_hole_after_a_restore() {
    let Some(server) = s3() else { return };
    let mut hub = hub_on(&server.settings());
    has_a_snapshot(&hub);
    let epoch = hub.json("/health")["epoch"].as_str().expect("a text").to_owned();
    (0..3).for_each(|_| drop(hub.provider().says("a", "hello")));
    hub.stop();
    // Nothing was sent yet, and the second one has lost its content.
    for key in segments(&server) {
        server.delete(&key);
    }
    server.write(
        &format!("hub/{epoch}/segments/{:020}-{:020}.zst", 1, 0),
        &zstd::encode_all(HEAD, 1).expect("packed"),
    );
    let database = Connection::open(hub.database()).expect("a database");
    let nothing = zstd::encode_all(&b""[..], 1).expect("packed");
    database.execute("UPDATE raw_deliveries SET body = ?1 WHERE seq = 2", [nothing]).expect("erased");
    drop(database);
    let settings = server.settings();
    let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut hub = hub.started_again_with(&borrowed);
    is_covered(&hub);
    hub.kill();
    let (home, _) = restored(&settings);
    assert_eq!(messages(home.path()), 2);
    assert_eq!(start_in(home).json("/health")["seq"], 3);
}

#[test]
fn a_segment_ends_at_its_bound_and_the_next_one_goes_on() {
    let Some(server) = s3() else { return };
    let mut hub = spawn_hub();
    let mut random = rand::rngs::StdRng::seed_from_u64(1);
    for _ in 0..5 {
        // Bytes that do not compress below three quarters of this: two of them fill a segment.
        let media: String = (0..4_000_000).map(|_| char::from(random.random_range(b'0'..b'p'))).collect();
        let media = media.replace('\\', "A");
        hub.provider().posts(&Delivery::message("media").message_field("File", json!({ "Data": media })));
    }
    let epoch = hub.json("/health")["epoch"].as_str().expect("a text").to_owned();
    hub.stop();
    let key = |first: i64, last: i64| format!("hub/{epoch}/segments/{first:020}-{last:020}.zst");
    // A snapshot of the empty database, so new that no other is due, which would make these segments superfluous.
    let now = clock::now();
    let manifest = json!({
        "format": 1, "version": "0.1.0", "epoch": epoch, "seq": 0, "takenAt": now.to_string(), "pages": 1,
        "databaseBytes": 1, "bytes": 1, "sha256": "00", "everyHours": 24,
    });
    let name = format!("hub/{epoch}/snapshots/{:020}-{}.json", 0, now.strftime("%Y%m%dT%H%M%SZ"));
    server.write(&name, manifest.to_string().as_bytes());
    let settings = server.settings();
    let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let hub = hub.started_again_with(&borrowed);
    is_covered(&hub);
    assert_eq!(segments(&server), [key(1, 2), key(3, 4), key(5, 5)]);
}

#[test]
fn a_restart_sends_no_second_snapshot_before_its_time_and_no_record_twice() {
    let Some(server) = s3() else { return };
    let hub = lived_in(&server);
    let before = server.keys();
    let settings = server.settings();
    let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let hub = hub.started_again_with(&borrowed);
    has_a_snapshot(&hub);
    is_covered(&hub);
    assert_eq!(server.keys(), before);
    hub.provider().says("a", "goes on");
    is_covered(&hub);
    assert_eq!(server.keys().len(), before.len() + 1);
    let (done, said) = tool(hub.home(), &settings, &["backup", "--verify"]);
    assert!(done && said.contains("16 deliveries"), "{said}");
}

#[test]
fn a_bucket_that_refuses_is_told_without_its_secret_and_holds_nothing_up() {
    let Some(server) = s3() else { return };
    let mut settings = server.settings();
    settings[1].1 = "stranger".to_owned();
    let hub = hub_on(&settings);
    while hub.counter("umbler_hub_backup_failures_total") < 2 {}
    assert_eq!(hub.provider().says("a", "hello")["status"], "accepted");
    let log = hub.log();
    assert!(log.contains("the server answered 403 (InvalidAccessKeyId)"), "{log}");
    assert!(!log.contains(SECRET) && !log.contains("Signature"), "{log}");
    assert_eq!(hub.counter("umbler_hub_backup_interval_seconds"), 24 * 3_600);
    let (done, said) = tool(hub.home(), &settings, &["restore", "s3://shop/hub"]);
    assert!(!done && said.contains("another process uses this database"), "{said}");
    let home = tempfile::tempdir().expect("a folder");
    let (done, said) = tool(home.path(), &[], &["restore", "s3://shop/hub"]);
    assert!(!done && said.contains("BACKUP_S3_URL: must be set"), "{said}");
    let (done, said) = tool(home.path(), &server.settings(), &["restore", "s3://shop/nothing"]);
    assert!(!done && said.contains("there is no backup in"), "{said}");
    let (done, said) = tool(home.path(), &server.settings(), &["restore", "s3://nowhere/hub"]);
    assert!(!done && said.contains("NoSuchBucket"), "{said}");
}
