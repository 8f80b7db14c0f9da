//! A snapshot for the bucket that is being made when a person is erased does not outlive the erasure.

use super::bucket::{has_a_snapshot, is_covered, tool};
use super::support::bucket::{s3, settings_at};
use super::support::held::held_line;
use super::support::person::{WORDS, erases, is_gone, lives, traces};
use super::support::spawn_hub;

#[test]
fn a_snapshot_that_is_being_sent_when_somebody_is_erased_is_taken_back_and_made_anew() {
    let Some(server) = s3() else { return };
    let line = held_line(server.address(), |request| request.contains("partNumber="));
    let mut hub = spawn_hub();
    lives(&hub);
    hub.stop();
    let settings = settings_at(line.address);
    let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let hub = hub.started_again_with(&borrowed);
    let part = line.holds();
    let in_copy = |found: &String| found.starts_with("hub.db.snapshot");
    assert!(traces(&hub, &[]).iter().any(in_copy), "the copy holds the person while it is sent");
    assert_eq!(erases(&hub, "", &[]).status, 200);
    // The part is still on its way.
    is_gone(&hub, &[]);
    line.opens();
    drop(part);

    has_a_snapshot(&hub);
    let seen = line.seen();
    let is_taken_back = |request: &String| request.starts_with("DELETE ") && request.contains("uploadId=");
    assert!(seen.iter().any(is_taken_back), "{seen:?}");
    assert_eq!(hub.counter("umbler_hub_backup_failures_total"), 0, "it is no failure");
    let snapshots: Vec<String> = server.keys().into_iter().filter(|key| key.ends_with(".db.zst")).collect();
    assert_eq!(snapshots.len(), 1, "{snapshots:?}");
    let copy = zstd::decode_all(server.read(&snapshots[0]).as_slice()).expect("zstd");
    for word in WORDS {
        assert!(!copy.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
    }
    is_covered(&hub);
    let (done, said) = tool(hub.home(), &server.settings(), &["backup", "--verify"]);
    assert!(done, "{said}");
}
