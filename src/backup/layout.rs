//! What objects of a backup are called. Pure.
//!
//! ```text
//! FOLDER/EPOCH/snapshots/SEQ-TIME.db.zst   a whole database, compressed
//! FOLDER/EPOCH/snapshots/SEQ-TIME.json     what it holds; written last, once it was read back
//! FOLDER/EPOCH/segments/FIRST-LAST.zst     the records of these positions
//! FOLDER/EPOCH/segments/FIRST-LAST-TIME.zst  records that have no position, where there are no others
//! ```
//!
//! Positions have leading zeros, so the order of names is that of the history. The time is part of a snapshot's name so that
//! one never takes the place of another, which would be neither of the two for a moment.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::Seq;

const TIME: &str = "%Y%m%dT%H%M%SZ";
/// Between segments is less than a second.
const SEGMENT_TIME: &str = "%Y%m%dT%H%M%S%.3fZ";
const SNAPSHOTS: &str = "snapshots/";
const SEGMENTS: &str = "segments/";
const DATABASE: &str = ".db.zst";
const MANIFEST: &str = ".json";
const SEGMENT: &str = ".zst";

/// A folder of one epoch, or of all.
#[derive(Debug, Clone)]
pub struct Folder(String);

/// A snapshot by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotName {
    /// When it was begun, to the second. First, because the newest counts.
    pub taken_at: Timestamp,
    /// The newest position that it holds.
    pub seq: Seq,
}

/// A segment by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentName {
    /// The position behind the segment before it. It may be a hole.
    pub first: Seq,
    /// The newest position that it holds; the one before `first` where it holds records without a position alone.
    pub last: Seq,
    /// When it was read, where it holds records without a position alone: so that one never takes the place of another.
    pub read_at: Option<Timestamp>,
}

impl Folder {
    /// The folder that all epochs are in.
    pub fn of_all(folder: &str) -> Self {
        Self(if folder.is_empty() { String::new() } else { format!("{folder}/") })
    }

    /// How all keys in it begin.
    pub fn prefix(&self) -> &str {
        &self.0
    }

    /// The folder of an epoch; only in [`of_all`](Self::of_all).
    pub fn of_epoch(&self, epoch: &str) -> Self {
        Self(format!("{}{epoch}/", self.0))
    }

    /// The epoch whose folder has this key.
    pub fn epoch_in<'a>(&self, key: &'a str) -> Option<&'a str> {
        let epoch = key.strip_prefix(&self.0)?.strip_suffix('/')?;
        let is_epoch = !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_epoch.then_some(epoch)
    }

    pub fn snapshots(&self) -> String {
        format!("{}{SNAPSHOTS}", self.0)
    }

    pub fn segments(&self) -> String {
        format!("{}{SEGMENTS}", self.0)
    }

    pub fn database(&self, name: SnapshotName) -> String {
        self.snapshot(name, DATABASE)
    }

    pub fn manifest(&self, name: SnapshotName) -> String {
        self.snapshot(name, MANIFEST)
    }

    fn snapshot(&self, name: SnapshotName, suffix: &str) -> String {
        format!("{}{SNAPSHOTS}{:020}-{}{suffix}", self.0, name.seq.0, name.taken_at.strftime(TIME))
    }

    pub fn segment(&self, name: SegmentName) -> String {
        let SegmentName { first, last, read_at } = name;
        let time = read_at.map(|at| format!("-{}", at.strftime(SEGMENT_TIME))).unwrap_or_default();
        format!("{}{SEGMENTS}{:020}-{:020}{time}{SEGMENT}", self.0, first.0, last.0)
    }

    /// A key before those of all segments that begin behind this position.
    pub fn before_segments_after(&self, seq: Seq) -> String {
        format!("{}{SEGMENTS}{:020}~", self.0, seq.0)
    }
}

impl SnapshotName {
    /// The snapshot of this moment, as exactly as its name tells it.
    pub fn new(taken_at: Timestamp, seq: Seq) -> Self {
        let whole = Timestamp::from_second(taken_at.as_second()).unwrap_or(taken_at);
        Self { taken_at: whole, seq }
    }

    /// Reads the key of a manifest.
    pub fn of_manifest(key: &str) -> Option<Self> {
        Self::read(key, MANIFEST)
    }

    /// Reads the key of a database.
    pub fn of_database(key: &str) -> Option<Self> {
        Self::read(key, DATABASE)
    }

    fn read(key: &str, suffix: &str) -> Option<Self> {
        let (_, name) = key.rsplit_once(SNAPSHOTS)?;
        let (seq, time) = name.strip_suffix(suffix)?.split_once('-')?;
        Some(Self { taken_at: moment(TIME, time)?, seq: Seq(seq.parse().ok()?) })
    }
}

impl SegmentName {
    /// Reads the key of a segment.
    pub fn read(key: &str) -> Option<Self> {
        let (_, name) = key.rsplit_once(SEGMENTS)?;
        let (first, rest) = name.strip_suffix(SEGMENT)?.split_once('-')?;
        let (last, read_at) = match rest.split_once('-') {
            Some((last, time)) => (last, Some(moment(SEGMENT_TIME, time)?)),
            None => (rest, None),
        };
        Some(Self { first: Seq(first.parse().ok()?), last: Seq(last.parse().ok()?), read_at })
    }
}

fn moment(form: &str, text: &str) -> Option<Timestamp> {
    Some(DateTime::strptime(form, text).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_are_in_the_order_of_the_history() {
        let folder = Folder::of_all("hub/one").of_epoch("00e1");
        let at: Timestamp = "2026-03-02T13:00:00.9Z".parse().unwrap();
        let name = SnapshotName::new(at, Seq(1_204));
        let key = folder.database(name);
        assert_eq!(key, "hub/one/00e1/snapshots/00000000000000001204-20260302T130000Z.db.zst");
        assert_eq!(SnapshotName::of_database(&key), Some(name));
        assert_eq!(SnapshotName::of_manifest(&folder.manifest(name)), Some(name));
        assert_eq!(SnapshotName::of_manifest(&key), None);
        let segment = |first, last| SegmentName { first: Seq(first), last: Seq(last), read_at: None };
        let beside = |at: &str| SegmentName { read_at: Some(at.parse().unwrap()), ..segment(9, 8) };
        let names = [
            beside("2026-03-02T13:00:00Z"),
            beside("2026-03-02T13:00:00.125Z"),
            segment(9, 11),
            segment(12, 100),
        ];
        let keys = names.map(|name| folder.segment(name));
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(
            keys[1],
            "hub/one/00e1/segments/00000000000000000009-00000000000000000008-20260302T130000.125Z.zst"
        );
        assert_eq!(keys.each_ref().map(|key| SegmentName::read(key).unwrap()), names);
        let after = folder.before_segments_after(Seq(9));
        assert!(keys[2] < after && after < keys[3]);
        assert_eq!(SegmentName::read("hub/one/00e1/segments/letter.zst"), None);
    }

    #[test]
    fn only_folders_of_epochs_are_looked_into() {
        let all = Folder::of_all("");
        assert_eq!(all.prefix(), "");
        assert_eq!(all.epoch_in("00e1/"), Some("00e1"));
        assert_eq!(all.epoch_in("letters/"), None);
        assert_eq!(Folder::of_all("hub").epoch_in("hub/00e1/"), Some("00e1"));
        assert_eq!(Folder::of_all("hub").epoch_in("other/00e1/"), None);
    }
}
