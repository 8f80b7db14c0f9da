//! Ranges of the past: found by their times, counted and read in steps.

use std::sync::Arc;

use super::*;
use crate::domain::Seq;
use crate::domain::register::to_nanos;
use crate::protocol::Channel;
use crate::reads::playback::PART_UPDATES_MAX;
use crate::reads::{CountPlayback, LocatePlayback, Located, PlaybackRange, PlaybackView, ReadPlayback};

fn located(base: &mut Base, from: i64, until: i64) -> Located {
    base.ask(LocatePlayback { from: at(from), until: at(until) }).unwrap()
}

fn view(from: i64, until: i64) -> Arc<PlaybackView> {
    let channels = [Channel::Updates].into();
    Arc::new(PlaybackView { from: at(from), until: at(until), channels, scope: everything() })
}

/// The positions that a playback reads, and how many updates were counted before.
fn stretch(base: &mut Base, from: i64, until: i64) -> (Vec<i64>, usize) {
    let Located::At(place) = located(base, from, until) else { panic!("it is kept") };
    let view = view(from, until);
    let (mut left, mut counted) = (place, 0);
    while !left.is_empty() {
        let (updates, until) = base.ask(CountPlayback { view: Arc::clone(&view), left }).unwrap();
        (counted, left.after) = (counted + updates, until);
    }
    let (mut left, mut positions) = (place, Vec::new());
    while !left.is_empty() {
        let part = base.ask(ReadPlayback { view: Arc::clone(&view), left }).unwrap();
        assert!(
            part.updates.len() <= PART_UPDATES_MAX && part.until > left.after,
            "each read brings it further"
        );
        positions.extend(part.updates.iter().map(|update| update.seq.0));
        left.after = part.until;
    }
    (positions, counted)
}

#[test]
fn a_stretch_holds_what_was_received_from_one_moment_to_the_other() {
    let mut base = Base::new();
    assert_eq!(stretch(&mut base, 0, 100), (vec![], 0), "an empty journal has no past");
    base.put_updates(1, 12_000);
    for (from, until) in [(1, 12_000), (40, 40), (5_000, 11_999), (0, 3), (11_000, 20_000)] {
        let expected: Vec<i64> = (from.max(1)..=until.min(12_000)).collect();
        let count = expected.len();
        assert_eq!(stretch(&mut base, from, until), (expected, count), "{from} to {until}");
    }
    assert_eq!(stretch(&mut base, 12_001, 13_000), (vec![], 0));
}

#[test]
fn deliveries_that_swapped_places_belong_where_their_time_says() {
    let mut base = Base::new();
    base.put_updates(1, 3_000);
    for (seq, second) in [(1_500, 1_510), (1_510, 1_500), (1_499, 1_500), (1_000, 900), (900, 1_000)] {
        base.run("UPDATE journal SET received_at = ? WHERE seq = ?", (to_nanos(at(second)), seq));
    }
    let (positions, _) = stretch(&mut base, 1_000, 1_500);
    let expected: Vec<i64> =
        (900..=1_510).filter(|seq| *seq == 900 || *seq == 1_510 || (1_001..1_500).contains(seq)).collect();
    assert_eq!(positions, expected, "in the order of their positions");
}

#[test]
fn what_is_not_kept_any_more_is_told_with_what_is() {
    let mut base = Base::new();
    base.put_updates(1, 3_000);
    base.run("DELETE FROM frames WHERE seq <= 2000", []);
    assert_eq!(located(&mut base, 2_000, 2_500), Located::Lost { kept_from: Some(at(2_001)) });
    assert_eq!(located(&mut base, 1, 2), Located::Lost { kept_from: Some(at(2_001)) });
    assert_eq!(stretch(&mut base, 2_001, 2_500).1, 500, "from the oldest on it is all there");
    assert!(matches!(located(&mut base, -9, 0), Located::At(_)), "of what never was nothing is lost");

    // If updates expire during a playback, it says so.
    let left = PlaybackRange { after: Seq(2_100), end: Seq(2_500) };
    let view = view(2_001, 2_500);
    assert!(base.ask(ReadPlayback { view: Arc::clone(&view), left }).is_ok());
    base.run("DELETE FROM frames WHERE seq <= 2200", []);
    assert!(matches!(base.ask(ReadPlayback { view, left }), Err(crate::reads::ReadError::Expired)));
    base.run("DELETE FROM frames", []);
    assert_eq!(located(&mut base, 1, 3_000), Located::Lost { kept_from: None });
}

#[test]
fn a_moment_is_found_without_going_through_history() {
    let base = Base::new();
    let mut explain = base
        .connection
        .prepare("EXPLAIN QUERY PLAN SELECT received_at FROM journal WHERE seq >= ? ORDER BY seq LIMIT 1")
        .unwrap();
    let plan: String = explain.query_row([1], |row| row.get(3)).unwrap();
    assert!(plan.contains("USING INTEGER PRIMARY KEY"), "{plan}");
}
