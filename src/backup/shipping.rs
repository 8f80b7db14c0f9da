//! Sends the records to the bucket, a few seconds after they were committed.
//!
//! # Contract
//!
//! 1. A segment begins behind the one before it, so that a missing one is noticed.
//! 2. A segment that was perhaps stored is sent again; whoever applies it passes over what is known.
//! 3. **Bounded.** A segment has [`RECORDS_BYTES_MAX`] of records and one more. Faults are waited for, up to [`PAUSE_MAX`].

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::BackupSettings;
use super::layout::{Folder, SegmentName, SnapshotName};
use super::segment;
use super::store::{BucketError, ObjectStore};
use crate::auth::Revocation;
use crate::domain::Seq;
use crate::journal::head::last_seq;
use crate::journal::records::{self, StoredRecord};
use crate::journal::{Origin, Payload, Record, alerts, link, meta, revocations};
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
    /// The newest position before the first snapshot of this process was begun.
    newest_at_start: Seq,
    /// The newest position that was sent; `None` until the bucket said it.
    cursor: Option<Seq>,
    /// The revocations that were sent last; `None` before the first segment of this process.
    revocations: Option<Vec<Revocation>>,
}

/// What one segment holds.
struct Load {
    records: Vec<StoredRecord>,
    /// The newest of their positions.
    last: Seq,
    revocations: Vec<Revocation>,
    /// True where there are more records than fit.
    is_full: bool,
}

impl Shipping {
    /// To be made before snapshots are begun.
    pub fn new(settings: &BackupSettings, epoch: &str, metrics: Metrics) -> Result<Self, String> {
        let mut reader = DatabaseReader::new(settings.database.clone(), CACHE_KIB);
        let newest = reader.connection().and_then(|connection| last_seq(connection));
        let newest_at_start = newest.map_err(|error| format!("the database cannot be read: {error}"))?;
        Ok(Self {
            store: ObjectStore::new(&settings.access, REQUEST_TIMEOUT)?,
            folder: Folder::of_all(&settings.access.address.folder).of_epoch(epoch),
            metrics,
            reader,
            newest_at_start,
            cursor: None,
            revocations: None,
        })
    }

    pub fn run(mut self) {
        give_way("backup-segments");
        let mut failures = 0;
        loop {
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

    /// Sends what is new.
    fn round(&mut self) -> Result<(), ShippingError> {
        let mut cursor = match self.cursor {
            Some(cursor) => cursor,
            None => self.find_cursor()?,
        };
        loop {
            self.cursor = Some(cursor);
            let read_at = clock::now();
            let known = self.revocations.take();
            let load = load(self.reader.connection()?, cursor, known.as_deref())?;
            if !load.records.is_empty() {
                let name = SegmentName { first: Seq(cursor.0 + 1), last: load.last };
                self.store.put(&self.folder.segment(name), &segment::pack(&load.records)?)?;
                self.metrics.backups().segment_stored();
            }
            // Not until the last segment, where there are several: those before it hold none.
            self.revocations = if load.is_full { known } else { Some(load.revocations) };
            cursor = load.last;
            if !load.is_full {
                self.cursor = Some(cursor);
                self.metrics.backups().covered(read_at);
                return Ok(());
            }
        }
    }

    /// How far the records in the bucket go. Where there are none, the first snapshot is still to come. It holds everything up
    /// to the start of this process, and perhaps nothing later: the bucket may answer long after its copy was made.
    fn find_cursor(&mut self) -> Result<Seq, ShippingError> {
        let listed = self.store.list(&self.folder.snapshots(), None)?;
        let mut snapshots: Vec<Seq> =
            listed.iter().filter_map(|object| Some(SnapshotName::of_manifest(&object.key)?.seq)).collect();
        snapshots.sort_unstable();
        // From the last but one on, because the records of the day before the newest may not be complete yet.
        let from = snapshots.len().checked_sub(2).map(|index| snapshots[index]);
        let after = from.map(|seq| self.folder.before_segments_after(seq));
        let segments = self.store.list(&self.folder.segments(), after.as_deref())?;
        let sent = segments.iter().filter_map(|object| Some(SegmentName::read(&object.key)?.last)).max();
        Ok(sent.or(snapshots.last().copied()).unwrap_or(self.newest_at_start))
    }
}

/// Reads what comes behind a position, of one moment. `known` are the revocations that were sent last.
fn load(
    connection: &mut Connection,
    cursor: Seq,
    known: Option<&[Revocation]>,
) -> Result<Load, ShippingError> {
    let moment = connection.transaction()?;
    let mut records = records::read_up_to(&moment, cursor, RECORDS_BYTES_MAX)?;
    let last = records.last().map_or(cursor, |record| record.seq);
    let is_full = !records.is_empty() && last < last_seq(&moment)?;
    let revocations = revocations::load(&moment)?;
    let is_news = known.map_or(!revocations.is_empty(), |known| *known != revocations);
    // What has no position must not be ahead of the records.
    if !is_full && (is_news || !records.is_empty()) {
        let mut beside = if is_news { revoked(&revocations)? } else { Vec::new() };
        beside.extend(progress(&moment)?);
        records.splice(..0, beside);
    }
    Ok(Load { records, last, revocations, is_full })
}

/// Every revocation that is in force, as a record.
fn revoked(revocations: &[Revocation]) -> std::io::Result<Vec<StoredRecord>> {
    revocations.iter().cloned().map(Payload::Revocation).map(without_position).collect()
}

/// How far the link has compared, and up to where alerts were posted.
fn progress(connection: &Connection) -> Result<Vec<StoredRecord>, ShippingError> {
    let mut records = vec![without_position(Payload::Link(link::load(connection)?))?];
    let posted = meta::get(connection, alerts::SENT_KEY)?.and_then(|text| text.parse().ok());
    if let Some(seq) = posted {
        records.push(without_position(Payload::AlertsPosted(Seq(seq)))?);
    }
    Ok(records)
}

/// A record that is no event.
fn without_position(payload: Payload) -> std::io::Result<StoredRecord> {
    let record = Record::new(payload, None, Origin::Hub, clock::now())?;
    Ok(StoredRecord { seq: Seq(0), entry: record.entry, reason: None })
}
