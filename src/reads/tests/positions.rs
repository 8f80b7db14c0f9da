//! Updates, reports and snapshots at a position of the journal.

use super::*;
use crate::domain::Seq;
use crate::domain::register::to_nanos;
use crate::protocol::SnapshotLimits;
use crate::reads::testing::{frame, message};
use crate::reads::updates::ANSWER_BYTES_MAX;
use crate::reads::{ListUpdates, LoadStats, ReadError, Snapshot, WebhookStatus};

fn updates(after: i64, limit: u32) -> ListUpdates {
    ListUpdates { after: Seq(after), limit, epoch: None, scope: everything(), user: "anonymous".into() }
}

#[test]
fn updates_come_in_order_byte_for_byte_and_next_is_the_last_examined() {
    let mut base = Base::new();
    base.put_updates(1, 5);
    let answer = base.ask(updates(1, 2)).unwrap();
    assert_eq!(answer.frames, [frame(2), frame(3)]);
    assert_eq!((answer.next, answer.seq, answer.epoch.as_str()), (Seq(3), Seq(5), "first-life"));
    base.run("DELETE FROM frames WHERE seq = 5", []);
    let answer = base.ask(updates(3, 2)).unwrap();
    assert_eq!((answer.frames.len(), answer.next), (1, Seq(5)), "a hole at the end was examined too");
    let answer = base.ask(updates(5, 2)).unwrap();
    assert_eq!((answer.frames.len(), answer.next), (0, Seq(5)));
}

#[test]
fn a_position_elsewhere_is_told_apart_from_one_that_expired() {
    let mut base = Base::new();
    assert_eq!(base.ask(updates(0, 10)).unwrap().next, Seq(0), "an empty journal has nothing to say");
    base.put_updates(1, 6);
    assert!(base.ask(updates(0, 10)).is_ok(), "nothing was pruned");
    assert!(matches!(base.ask(updates(7, 10)), Err(ReadError::PositionAhead)));
    let other = ListUpdates { epoch: Some("second-life".into()), ..updates(99, 10) };
    assert!(matches!(base.ask(other), Err(ReadError::EpochChanged)), "the epoch is looked at first");
    base.run("DELETE FROM frames WHERE seq <= 3", []);
    assert!(matches!(base.ask(updates(2, 10)), Err(ReadError::Expired)));
    assert_eq!(base.ask(updates(3, 10)).unwrap().frames.len(), 3, "the next one is still kept");
    base.run("DELETE FROM frames", []);
    assert!(matches!(base.ask(updates(5, 10)), Err(ReadError::Expired)));
    assert!(base.ask(updates(6, 10)).is_ok(), "the newest position misses nothing");
}

#[test]
fn an_answer_of_large_frames_ends_early_and_says_where() {
    let mut base = Base::new();
    base.put_updates(1, 3);
    base.run(
        "UPDATE frames SET frame = hex(zeroblob(?)) WHERE seq < 3",
        [i64::try_from(ANSWER_BYTES_MAX / 4).unwrap()],
    );
    let answer = base.ask(updates(0, 3)).unwrap();
    assert_eq!((answer.frames.len(), answer.next), (2, Seq(2)));
    assert_eq!(base.ask(updates(2, 3)).unwrap().frames, [frame(3)]);
}

#[test]
fn the_webhook_report_counts_outcomes_and_gives_reasons() {
    let mut base = Base::new();
    assert_eq!(base.ask(WebhookStatus).unwrap().last_delivery_at, None);
    base.put_updates(1, 60);
    base.run("UPDATE journal SET reason = 'unknown type' WHERE seq <= 55", []);
    for (outcome, count, second) in [("accepted", 9, 5), ("duplicate", 2, 7)] {
        let last = to_nanos(at(second));
        base.run("INSERT INTO delivery_counts VALUES ('Message', ?, ?, ?)", (outcome, count, last));
    }
    base.run("INSERT INTO ignored_deliveries VALUES (1, 0, 'no EventId', x'00')", []);
    let report = base.ask(WebhookStatus).unwrap();
    assert_eq!(report.last_delivery_at, Some(at(7)));
    assert_eq!((report.total("accepted"), report.total("duplicate"), report.total("ignored")), (9, 2, 0));
    assert_eq!(report.unrecognized.len(), 50);
    assert_eq!((report.unrecognized[0].seq, report.unrecognized[0].event_id.as_str()), (55, "e55"));
    assert_eq!(report.ignored[0].reason, "no EventId");
}

fn snapshot(contacts: u32, chats: u32, messages: u32) -> Snapshot {
    let zone = jiff::tz::TimeZone::UTC;
    Snapshot { limits: SnapshotLimits { contacts, chats, messages }, now: at(60), zone, scope: everything() }
}

#[test]
fn a_snapshot_holds_the_open_chats_and_names_what_it_cut() {
    let mut base = three_chats();
    base.put_conversation("dora", "Dora", "doras", &["a", "b"]);
    base.put_updates(1, 4);
    let answer = base.ask(snapshot(50, 200, 50)).unwrap();
    assert_eq!((answer.seq, answer.epoch.as_str(), answer.truncated.len()), (Seq(4), "first-life", 0));
    assert_eq!(answer.contacts.len(), 4);
    let open: Vec<_> = answer.chats.iter().map(|chat| chat.id.as_str()).collect();
    assert_eq!(open, ["anas", "doras", "bias"], "closed chats are left out");
    assert_eq!(answer.messages[0].text.as_deref(), Some("b"));
    let stats = &answer.stats;
    assert_eq!((stats.open_chats, stats.waiting_chats), (2, 0), "groups are left out");
    assert_eq!((stats.messages_today, stats.total_messages, stats.as_of_seq), (2, 2, 4));

    let answer = base.ask(snapshot(4, 2, 0)).unwrap();
    assert_eq!(answer.truncated, ["chats", "messages"]);
    assert_eq!((answer.contacts.len(), answer.chats.len(), answer.messages.len()), (4, 2, 0));
}

#[test]
fn the_hub_starts_with_the_buckets_of_two_days() {
    let mut base = Base::new();
    base.put_message(&message("old", "c", -3 * 24 * 3_600, "Contact", "old"));
    base.put_message(&message("new", "c", 0, "Contact", "new"));
    base.put_updates(1, 2);
    let stats = base.ask(LoadStats { now: at(0) }).unwrap();
    assert_eq!((stats.total_messages, stats.as_of), (2, Seq(2)));
    assert_eq!(stats.recent.values().sum::<i64>(), 1);
}
