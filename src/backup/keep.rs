//! What may be deleted. Pure.

use super::layout::{SegmentName, SnapshotName};

/// The snapshots to delete so that the newest `keep` are left.
pub fn outdated(mut snapshots: Vec<SnapshotName>, keep: usize) -> Vec<SnapshotName> {
    snapshots.sort_unstable_by(|one, other| other.cmp(one));
    snapshots.split_off(keep.min(snapshots.len()))
}

/// The segments to delete where this is the oldest snapshot that is kept. What ends with the newest position of the snapshot may
/// hold records without a position that are newer than it.
pub fn covered(segments: Vec<SegmentName>, oldest: SnapshotName) -> Vec<SegmentName> {
    let is_covered = |segment: &SegmentName| {
        let is_older = segment.read_at.is_some_and(|at| at < oldest.taken_at);
        segment.last < oldest.seq || (segment.last == oldest.seq && is_older)
    };
    segments.into_iter().filter(is_covered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Seq;

    fn snapshot(day: u8, seq: i64) -> SnapshotName {
        SnapshotName { taken_at: format!("2026-03-{day:02}T13:00:00Z").parse().unwrap(), seq: Seq(seq) }
    }

    #[test]
    fn the_newest_snapshots_are_kept_and_no_more() {
        let all = vec![snapshot(2, 20), snapshot(4, 40), snapshot(1, 10), snapshot(3, 20)];
        assert_eq!(outdated(all.clone(), 2), [snapshot(2, 20), snapshot(1, 10)]);
        assert_eq!(outdated(all.clone(), 4), []);
        assert_eq!(outdated(all, 9), []);
    }

    #[test]
    fn records_go_when_every_kept_snapshot_holds_them() {
        let segment = |first, last| SegmentName { first: Seq(first), last: Seq(last), read_at: None };
        let beside = |day| SegmentName { read_at: Some(snapshot(day, 0).taken_at), ..segment(21, 20) };
        let all = vec![segment(1, 10), segment(11, 20), beside(2), beside(4), segment(15, 22)];
        assert_eq!(covered(all, snapshot(3, 20)), [segment(1, 10), beside(2)]);
    }
}
