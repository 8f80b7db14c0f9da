//! Sends the records to the bucket, a few seconds after they were committed.
//!
//! # Contract
//!
//! 1. A segment begins behind the one before it, so that a missing one is noticed.
//! 2. A segment that was perhaps stored is sent again; whoever applies it passes over what is known.
//! 3. Records that have no position are sent behind those that have one, when there is news of them
//!    ([`beside`](crate::journal::beside)).
//! 4. **Bounded.** A segment has [`RECORDS_BYTES_MAX`] of records and one more, and as much of objects
//!    that are no events. Faults are waited for, up to [`PAUSE_MAX`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::BackupSettings;
use super::layout::{Folder, SegmentName, SnapshotName};
use super::segment;
use super::store::{BucketError, ObjectStore};
use crate::cluster::duties::{DUTY_WAIT, Duties};
use crate::domain::Seq;
use crate::journal::beside::{ignored_after, newest_ignored, of_kind};
use crate::journal::entry::Kind;
use crate::journal::head::last_seq;
use crate::journal::records::{self, StoredRecord};
use crate::journal::{Origin, Payload, Record};
use crate::sqlite::open::DatabaseReader;
use crate::telemetry::causes::chain;
use crate::telemetry::clock;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::priority::give_way;

/// How often new records are sent: with a second for the way, a machine that is gone takes at most five with it.
const SEND_EVERY: Duration = Duration::from_secs(4);
/// Bytes of records after which a segment is full.
pub const RECORDS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long one request may take: a segment needs a line of one and a half megabits a second.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest pause while the bucket cannot be written.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long before a snapshot an object may have been received that is not in it.
const ON_ITS_WAY_MAX: SignedDuration = SignedDuration::from_mins(1);
/// Page cache in KiB; rows are read once.
const CACHE_KIB: i64 = 1_024;

/// Why records were not sent.
#[derive(Debug, thiserror::Error)]
enum ShippingError {
    #[error("the bucket")]
    Bucket(#[from] BucketError),
    #[error("the database cannot be read")]
    Database(#[from] rusqlite::Error),
    #[error("no memory for a segment")]
    Packed(#[from] std::io::Error),
}

pub struct Shipping {
    store: ObjectStore,
    folder: Folder,
    metrics: Metrics,
    reader: DatabaseReader,
    /// The newest position, and the newest object that is no event, before the first snapshot of this process was begun.
    newest_at_start: Seq,
    ignored_at_start: i64,
    /// What was sent; `None` until the bucket said it.
    sent: Option<Sent>,
    duties: Duties,
}

/// What of the database is in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    /// The newest position that stands in the bucket.
    cursor: Seq,
    /// The newest row of objects that are no events.
    ignored: i64,
    /// The other records without a position, as they were sent last. Empty before the first segment of this process.
    beside: BTreeMap<Kind, Vec<StoredRecord>>,
}

/// The records that go into one segment.
struct Load {
    records: Vec<StoredRecord>,
    /// What is in the bucket once it is stored.
    sent: Sent,
    /// True where there are more records than fit.
    is_full: bool,
}

impl Shipping {
    /// To be made before snapshots are begun.
    pub fn new(
        settings: &BackupSettings,
        epoch: &str,
        metrics: Metrics,
        duties: Duties,
    ) -> Result<Self, String> {
        let mut reader = DatabaseReader::new(settings.database.clone(), CACHE_KIB);
        let newest =
            |connection: &mut Connection| Ok((last_seq(connection)?, newest_ignored(connection, None)?));
        let (newest_at_start, ignored_at_start) = reader
            .connection()
            .and_then(newest)
            .map_err(|error| format!("the database cannot be read: {error}"))?;
        Ok(Self {
            store: ObjectStore::new(&settings.access, REQUEST_TIMEOUT)?,
            folder: Folder::of_all(&settings.access.address.folder).of_epoch(epoch),
            metrics,
            reader,
            newest_at_start,
            ignored_at_start,
            sent: None,
            duties,
        })
    }

    pub fn run(mut self) {
        give_way("backup-segments");
        let mut failures = 0;
        loop {
            if !self.duties.are_mine() {
                // Another hub sends them. How far it came is asked of the bucket.
                self.sent = None;
                std::thread::sleep(DUTY_WAIT);
                continue;
            }
            let begun = Instant::now();
            let pause = match self.round() {
                Ok(()) => {
                    if failures > 0 {
                        log::info!("backup: records are sent again");
                    }
                    failures = 0;
                    SEND_EVERY
                }
                Err(error) => {
                    // Logged once, however long it lasts.
                    let level = if failures == 0 { log::Level::Error } else { log::Level::Debug };
                    log::log!(level, "backup: records are not sent: {}", chain(&error));
                    self.metrics.backups().failed();
                    self.reader.close();
                    failures += 1;
                    SEND_EVERY.saturating_mul(failures).min(PAUSE_MAX)
                }
            };
            std::thread::sleep(pause.saturating_sub(begun.elapsed()));
        }
    }

    /// Sends what was committed since the last round, in as many segments as it takes.
    fn round(&mut self) -> Result<(), ShippingError> {
        let mut sent = match self.sent.take() {
            Some(sent) => sent,
            None => self.find_sent()?,
        };
        loop {
            let read_at = clock::now();
            let load = match self.send_next(&sent, read_at) {
                Ok(load) => load,
                Err(error) => {
                    self.sent = Some(sent);
                    return Err(error);
                }
            };
            sent = load.sent;
            if !load.is_full {
                self.sent = Some(sent);
                self.metrics.backups().covered(read_at);
                return Ok(());
            }
        }
    }

    /// Sends the next segment, if there is anything to send.
    fn send_next(&mut self, sent: &Sent, read_at: Timestamp) -> Result<Load, ShippingError> {
        let load = load(self.reader.connection()?, sent)?;
        if !load.records.is_empty() {
            let is_beside = load.sent.cursor == sent.cursor;
            let name = SegmentName {
                first: Seq(sent.cursor.0 + 1),
                last: load.sent.cursor,
                read_at: is_beside.then_some(read_at),
            };
            self.store.put(&self.folder.segment(name), &segment::pack(&load.records)?)?;
            self.metrics.backups().segment_stored();
        }
        Ok(load)
    }

    /// How far the records in the bucket go. Where there are none, the first snapshot is still to come. It holds everything up
    /// to the start of this process, and perhaps nothing later: the bucket may answer long after its copy was made.
    fn find_sent(&mut self) -> Result<Sent, ShippingError> {
        let listed = self.store.list(&self.folder.snapshots(), None)?;
        let mut snapshots: Vec<SnapshotName> =
            listed.iter().filter_map(|object| SnapshotName::of_manifest(&object.key)).collect();
        snapshots.sort_unstable();
        // From the last but one on, because the records of the day before the newest may not be complete yet.
        let from = snapshots.len().checked_sub(2).map(|index| snapshots[index]);
        let after = from.map(|from| self.folder.before_segments_after(from.seq));
        let segments = self.store.list(&self.folder.segments(), after.as_deref())?;
        let last = segments.iter().filter_map(|object| Some(SegmentName::read(&object.key)?.last)).max();
        let cursor = last.or(snapshots.last().map(|newest| newest.seq)).unwrap_or(self.newest_at_start);
        // Names do not say which objects were sent that are no events. Whoever restores passes over those that are known.
        let ignored = match from.or(snapshots.last().copied()) {
            Some(from) => {
                let before = from.taken_at.checked_sub(ON_ITS_WAY_MAX).unwrap_or(Timestamp::MIN);
                newest_ignored(self.reader.connection()?, Some(before))?
            }
            None => self.ignored_at_start,
        };
        Ok(Sent { cursor, ignored, beside: BTreeMap::new() })
    }
}

/// Reads what is not sent yet, of one moment.
fn load(connection: &mut Connection, sent: &Sent) -> Result<Load, ShippingError> {
    let moment = connection.transaction()?;
    let mut load = Load { records: Vec::new(), sent: sent.clone(), is_full: false };
    load.records = records::read_up_to(&moment, sent.cursor, RECORDS_BYTES_MAX)?;
    load.sent.cursor = load.records.last().map_or(sent.cursor, |record| record.seq);
    load.is_full = !load.records.is_empty() && load.sent.cursor < last_seq(&moment)?;
    // What has no position must not be ahead of the records.
    if load.is_full {
        return Ok(load);
    }
    let ignored = ignored_after(&moment, sent.ignored, RECORDS_BYTES_MAX)?;
    load.records.extend(ignored.records);
    load.sent.ignored = ignored.last;
    load.is_full = ignored.is_full;
    if load.is_full {
        return Ok(load);
    }
    for kind in Kind::ALL {
        let held = of_kind(&moment, kind)?.into_iter().map(without_position);
        let held = held.collect::<std::io::Result<Vec<_>>>()?;
        // All have the same time, so that what did not change is equal.
        if sent.beside.get(&kind).map_or(!held.is_empty(), |known| *known != held) {
            load.records.extend(held.iter().cloned());
        }
        load.sent.beside.insert(kind, held);
    }
    Ok(load)
}

/// A record that is no event.
fn without_position(payload: Payload) -> std::io::Result<StoredRecord> {
    let record = Record::new(payload, None, Origin::Hub, Timestamp::UNIX_EPOCH)?;
    Ok(StoredRecord { seq: Seq(0), entry: record.entry, reason: None })
}
