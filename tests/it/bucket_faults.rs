//! Backups over a bad line: whatever happens on the way, everything arrives later, and nothing waits for it.

use super::bucket::{has_a_snapshot, hub_on, is_covered, tool};
use super::support::bucket::LineFault::{AnswerLost, None, Reset, Slow, Status500, Truncated};
use super::support::bucket::{LineFault, bad_line, s3, settings_at};

/// Every fault, and enough between them that a request which is tried five times arrives.
const BAD: &[LineFault] =
    &[Reset, Slow, Status500, None, Truncated, None, AnswerLost, Status500, None, Slow, Reset];

#[test]
fn over_a_bad_line_everything_arrives_later() {
    let Some(server) = s3() else { return };
    let line = bad_line(server.address(), BAD);
    let settings = settings_at(line.address);
    let mut hub = hub_on(&settings);
    for number in 0..40 {
        assert_eq!(hub.provider().says(&format!("chat-{}", number % 3), "hello")["status"], "accepted");
        if number % 10 == 0 {
            is_covered(&hub);
        }
    }
    has_a_snapshot(&hub);
    is_covered(&hub);
    assert!(line.requests() > BAD.len(), "{}", line.requests());
    hub.kill();
    for settings in [settings, server.settings()] {
        let home = tempfile::tempdir().expect("a folder");
        let (done, said) = tool(home.path(), &settings, &["restore", "s3://shop/hub"]);
        assert!(done && said.contains("40 deliveries, sound"), "{said}");
    }
}

#[test]
fn a_bucket_that_cannot_be_reached_delays_the_backup_and_nothing_else() {
    let Some(server) = s3() else { return };
    let line = bad_line(server.address(), &[Reset]);
    let mut hub = hub_on(&settings_at(line.address));
    // Either thread may be the first to give up.
    for thread in ["records are not sent", "no snapshot"] {
        while !hub.log().contains(&format!("backup: {thread}: the bucket: the server did not answer")) {}
    }
    assert!(hub.counter("umbler_hub_backup_failures_total") >= 2);
    for _ in 0..10 {
        assert_eq!(hub.provider().says("a", "hello")["status"], "accepted");
    }
    assert_eq!(hub.json("/health")["status"], "ok");
    assert_eq!(hub.counter("umbler_hub_backup_snapshot_timestamp_seconds"), 0);
    assert!(hub.stop().success(), "a hub that waits for the bucket stops as any other");
    let settings = server.settings();
    let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut hub = hub.started_again_with(&borrowed);
    has_a_snapshot(&hub);
    is_covered(&hub);
    hub.kill();
    let home = tempfile::tempdir().expect("a folder");
    let (done, said) = tool(home.path(), &settings, &["restore", "s3://shop/hub"]);
    assert!(done && said.contains("10 deliveries, sound"), "{said}");
}

#[test]
fn a_backup_is_verified_on_a_machine_that_has_not_even_the_folder_of_the_database() {
    let Some(server) = s3() else { return };
    let hub = hub_on(&server.settings());
    hub.provider().says("a", "hello");
    has_a_snapshot(&hub);
    is_covered(&hub);
    let home = tempfile::tempdir().expect("a folder");
    let mut settings = server.settings();
    settings.push(("DATABASE_PATH", "not/there/hub.db".to_owned()));
    let (done, said) = tool(home.path(), &settings, &["backup", "--verify"]);
    assert!(done && said.contains("1 deliveries"), "{said}");
    let (done, said) = tool(home.path(), &settings, &["restore", "s3://shop/hub"]);
    assert!(done && home.path().join("not/there/hub.db").exists(), "{said}");
}
