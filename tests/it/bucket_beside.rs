//! What no position tells of is in the bucket too: what was mailed and posted, what was deleted for its age, what was refused.

use std::path::Path;
use std::time::Instant;

use jiff::tz::TimeZone;
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;
use serde_json::json;
use umbler_hub::facade::testing::clock;

use super::bucket::{digests, has_a_snapshot, hub_on, is_covered, restored, tool};
use super::daily_report::{MAILED, header, hub_that_mails, reports_from, yesterday};
use super::support::bucket::s3;
use super::support::hub::start_through;
use super::support::mail_server::{MailDoor, MailInbox};
use super::support::person::{CONTACT, WORDS, erases, is_gone, lives};
use super::support::receiver::Receiver;
use super::support::{Delivery, Hub, PATIENCE};

/// Waits until a query of the database counts so many.
fn becomes(hub: &Hub, sql: &str, expected: i64) {
    let begun = Instant::now();
    let count = || -> i64 {
        let database = Connection::open(hub.database()).expect("the database");
        database.query_row(sql, [], |row| row.get(0)).expect("a number")
    };
    while count() != expected {
        assert!(begun.elapsed() < PATIENCE, "{sql}: {}", count());
        std::thread::yield_now();
    }
}

/// Waits until it is stored under these keys that the daily report went out. A hub that is stopped before sends it again.
pub fn are_noted(hub: &Hub, keys: &[&str]) {
    let keys_of_sql = keys.iter().map(|key| format!("'{key}'")).collect::<Vec<_>>().join(", ");
    let noted = format!(
        "SELECT count(*) FROM meta WHERE key IN ({keys_of_sql})
           AND CAST(value AS INTEGER) >= (SELECT seq FROM journal WHERE update_type = 'daily_report')"
    );
    becomes(hub, &noted, i64::try_from(keys.len()).expect("few"));
}

/// What `meta` holds of how far mails, posts and comparisons are.
fn progress(database: &Path) -> Vec<(String, String)> {
    let database = Connection::open(database).expect("a database");
    let sql = "SELECT key, value FROM meta
               WHERE key IN ('alert_webhook_seq', 'daily_report_mailed_seq', 'link') ORDER BY key";
    let mut select = database.prepare(sql).expect("a table");
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.collect::<Result<_, _>>().expect("texts")
}

/// A zone in which today is another day than in the zone where it is noon now.
fn another_day() -> &'static str {
    if TimeZone::UTC.to_datetime(clock::now()).hour() >= 10 { "Etc/GMT-14" } else { "Etc/GMT+12" }
}

#[test]
fn a_report_that_was_mailed_and_posted_before_the_machine_was_lost_is_sent_no_second_time() {
    let Some(server) = s3() else { return };
    let (inbox, receiver) = (MailInbox::new(MailDoor::Plain), Receiver::new());
    let (posts, mails) = (format!("http://{}/", receiver.address()), inbox.url());
    let of_bucket = server.settings();
    let mut settings: Vec<(&str, &str)> =
        of_bucket.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let secret = "a secret of enough bytes";
    settings.extend([("ALERT_WEBHOOK_URL", posts.as_str()), ("ALERT_WEBHOOK_SECRET", secret)]);
    let mut hub = hub_that_mails(&inbox, &settings);
    has_a_snapshot(&hub);
    reports_from(&hub, "00:00", &[]);
    let day = yesterday();
    assert!(header(&inbox.takes(), "Message-ID").contains(&day));
    receiver.hears().answers(204);
    are_noted(&hub, &["alert_webhook_seq", MAILED]);
    is_covered(&hub);
    hub.kill();
    let was = progress(&hub.database());
    std::fs::remove_dir_all(hub.home()).expect("the machine is gone");

    let (home, _) = restored(&of_bucket);
    assert_eq!(progress(&home.path().join("hub.db")), was);
    // Order proves absence: were the old report sent again, it would come before the one of another day.
    settings.extend([("SMTP_URL", mails.as_str()), ("REPORT_FROM", "Umbler Hub <hub@example.com>")]);
    settings.extend([("REPORT_TO", "ana@example.com"), ("TIMEZONE", another_day())]);
    let again = start_through(&[], home, &settings);
    let next = header(&inbox.takes(), "Message-ID").to_owned();
    assert!(next.contains("daily-report.") && !next.contains(&day), "{next}");
    let posted = receiver.hears();
    assert!(!posted.body.contains(&day), "{}", posted.body);
    posted.answers(204);
    drop(again);
}

#[test]
fn texts_that_were_deleted_for_their_age_since_the_snapshot_are_deleted_in_what_is_restored() {
    const OLD: i64 = 250;
    let Some(server) = s3() else { return };
    let mut hub = hub_on(&server.settings());
    for number in 0..OLD {
        let at = json!("2020-03-02T13:00:00Z");
        let said =
            Delivery::message("maria").event_id(&format!("e{number}")).message_id(&format!("m{number}"));
        let said = said.text("um Xilofone velho").set("/EventDate", at.clone());
        hub.provider().posts(&said.message_field("EventAtUTC", at.clone()).message_field("CreatedAtUTC", at));
    }
    let now = json!(format!("{:.3}", clock::now()));
    let young = Delivery::message("maria").text("recente").set("/EventDate", now.clone());
    hub.provider().posts(&young.message_field("EventAtUTC", now.clone()).message_field("CreatedAtUTC", now));
    has_a_snapshot(&hub);
    is_covered(&hub);
    hub.stop();
    let mut settings = server.settings();
    settings.push(("RETAIN_TEXTS", "30".to_owned()));
    let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut hub = hub.started_again_with(&borrowed);
    becomes(&hub, "SELECT count(*) FROM messages WHERE search_key IS NULL", OLD);
    is_covered(&hub);
    hub.kill();
    let (home, _) = restored(&server.settings());
    assert_eq!(digests(&home.path().join("hub.db")), digests(&hub.database()));
    let database = Connection::open(home.path().join("hub.db")).expect("a database");
    let texts: i64 = database
        .query_row("SELECT count(*) FROM messages WHERE search_key IS NOT NULL", [], |row| row.get(0))
        .expect("a number");
    assert_eq!(texts, 1, "only what is young");
}

#[test]
fn what_was_refused_in_a_quiet_time_is_restored_once_however_much_it_was() {
    let Some(server) = s3() else { return };
    let mut hub = hub_on(&server.settings());
    hub.provider().says("a", "hello");
    has_a_snapshot(&hub);
    is_covered(&hub);
    let repeated = Delivery::message("b").event_id("twice").bytes();
    hub.provider().post(repeated.clone());
    hub.provider().post(repeated);
    is_covered(&hub);
    let mut random = rand::rngs::StdRng::seed_from_u64(1);
    // Bytes that do not compress below three quarters of this: two of them fill a segment.
    for _ in 0..3 {
        let noise: String = (0..4_000_000).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect();
        assert_eq!(hub.provider().post(json!({ "noise": noise }).to_string()).status, 200);
    }
    is_covered(&hub);
    hub.stop();
    // A hub that starts again does not know what was sent, so it sends it again.
    let settings = server.settings();
    let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut hub = hub.started_again_with(&borrowed);
    is_covered(&hub);
    assert_eq!(hub.provider().post(json!({ "one": "more" }).to_string()).status, 200);
    is_covered(&hub);
    hub.kill();
    let (home, _) = restored(&settings);
    assert_eq!(digests(&home.path().join("hub.db")), digests(&hub.database()));
}

#[test]
fn who_was_erased_since_the_snapshot_is_in_no_byte_of_what_is_restored() {
    let Some(server) = s3() else { return };
    let mut hub = hub_on(&server.settings());
    lives(&hub);
    has_a_snapshot(&hub);
    is_covered(&hub);
    let before = restored(&server.settings()).0;
    assert!(!words_in(before.path()).is_empty(), "the snapshot and the records hold the person");
    assert_eq!(erases(&hub, "", &[]).status, 200);
    is_gone(&hub, &[]);
    is_covered(&hub);
    hub.kill();
    let list = std::fs::read_to_string(hub.home().join("hub.db.erasures")).expect("a list");
    let (home, _) = restored(&server.settings());
    assert_eq!(words_in(home.path()), Vec::<String>::new());
    assert_eq!(digests(&home.path().join("hub.db")), digests(&hub.database()));

    // Where the record of the erasure is lost, a list tells of it.
    for key in server.keys() {
        if key.contains("/segments/") {
            server.delete(&key);
        }
    }
    let elsewhere = tempfile::tempdir().expect("a folder");
    let list_path = elsewhere.path().join("list");
    std::fs::write(&list_path, list).expect("written");
    let home = tempfile::tempdir().expect("a folder");
    let restore = ["restore", "s3://shop/hub", "--erasures", list_path.to_str().expect("plain")];
    let (done, said) = tool(home.path(), &server.settings(), &restore);
    assert!(done, "{said}");
    assert_eq!(words_in(home.path()), Vec::<String>::new());
    let erased: i64 = Connection::open(home.path().join("hub.db"))
        .and_then(|database| {
            let sql = "SELECT count(*) FROM erasures WHERE contact_id = ?1";
            database.query_row(sql, [CONTACT], |row| row.get(0))
        })
        .expect("a number");
    assert_eq!(erased, 1);
}

/// Words of the person in the bytes of the files of a folder, and in its compressed deliveries.
fn words_in(folder: &Path) -> Vec<String> {
    let mut texts: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .expect("a folder")
        .filter_map(|entry| std::fs::read(entry.expect("an entry").path()).ok())
        .collect();
    let database = Connection::open(folder.join("hub.db")).expect("a database");
    for table in ["raw_deliveries", "ignored_deliveries"] {
        let mut select = database.prepare(&format!("SELECT body FROM {table}")).expect("a table");
        let bodies = select.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        texts.extend(bodies.map(|body| zstd::decode_all(body.expect("a body").as_slice()).expect("zstd")));
    }
    let is_in =
        |word: &&str| texts.iter().any(|text| text.windows(word.len()).any(|part| part == word.as_bytes()));
    WORDS.into_iter().filter(|word| is_in(word)).map(str::to_owned).collect()
}
