//! What may be deleted. Pure.

use super::layout::{SegmentName, SnapshotName};
use crate::domain::Seq;

/// The snapshots to delete so that the newest `keep` are left.
pub fn outdated(mut snapshots: Vec<SnapshotName>, keep: usize) -> Vec<SnapshotName> {
    snapshots.sort_unstable_by(|one, other| other.cmp(one));
    snapshots.split_off(keep.min(snapshots.len()))
}

/// The segments to delete where the oldest snapshot that is kept holds everything up to `seq`.
pub fn covered(segments: Vec<SegmentName>, seq: Seq) -> Vec<SegmentName> {
    segments.into_iter().filter(|segment| segment.last <= seq).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let segment = |first, last| SegmentName { first: Seq(first), last: Seq(last) };
        let all = vec![segment(1, 10), segment(11, 20), segment(21, 20), segment(15, 22)];
        assert_eq!(covered(all, Seq(20)), [segment(1, 10), segment(11, 20), segment(21, 20)]);
    }
}
