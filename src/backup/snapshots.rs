//! Makes a snapshot now and then: copies the database, checks every page of the copy, sends it compressed, and reads it back.
//! Only then it gets its manifest, and older ones are deleted.
//!
//! Where a person is erased meanwhile, the copy and what was sent of it are removed, and it is begun anew.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;

use super::BackupSettings;
use super::fetch::{FetchError, ObjectReading, read_manifest, snapshots_in};
use super::keep;
use super::layout::{Folder, SegmentName, SnapshotName};
use super::manifest::{MANIFEST_FORMAT, Manifest};
use super::store::{BucketError, ObjectStore, Upload};
use crate::cluster::duties::{DUTY_WAIT, Duties};
use crate::journal::copies;
use crate::journal::digest::hex;
use crate::journal::erasure_watch::ErasureWatch;
use crate::journal::replace::Copied;
use crate::journal::replace_error::ReplaceError;
use crate::sqlite::private::InMaking;
use crate::telemetry::causes::chain;
use crate::telemetry::clock;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::priority::give_way;

/// Length of a part. S3 takes ten thousand of them, so a snapshot may have 156 GiB.
pub const PART_BYTES: usize = 16 * 1024 * 1024;
const ZSTD_LEVEL: i32 = 3;
/// Length of a page of SQLite, unless somebody changes it.
const PAGE_BYTES: u64 = 4_096;
/// How long one request may take: a part needs a line of one megabit a second.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(3);
/// Pause after a snapshot that failed; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_mins(1);
const PAUSE_MAX: Duration = Duration::from_hours(1);
/// Pause after an erasure that ended one, so that a few erasures in a row end it once.
const ERASED_PAUSE: Duration = Duration::from_secs(5);
/// The longest sleep: the wall clock, by which the next snapshot is due, may be set meanwhile.
const SLEEP_MAX: Duration = Duration::from_mins(1);

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
enum SnapshotError {
    #[error("the bucket")]
    Bucket(#[from] BucketError),
    #[error(transparent)]
    Copy(#[from] ReplaceError),
    #[error("the copy cannot be read")]
    Io(#[from] io::Error),
    #[error("what was read back is not what was sent")]
    Differs,
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("somebody was erased while it was made")]
    Erased,
}

pub struct SnapshotMaker {
    store: ObjectStore,
    all: Folder,
    epoch: String,
    database: PathBuf,
    every: Duration,
    keep: usize,
    metrics: Metrics,
    /// When the newest one was taken; `None` until the bucket said it.
    newest: Option<Timestamp>,
    duties: Duties,
}

impl SnapshotMaker {
    pub fn new(
        settings: &BackupSettings,
        epoch: &str,
        metrics: Metrics,
        duties: Duties,
    ) -> Result<Self, String> {
        if duties.are_mine() {
            metrics.backups().expected(settings.every, clock::now());
        }
        Ok(Self {
            store: ObjectStore::new(&settings.access, REQUEST_TIMEOUT)?,
            all: Folder::of_all(&settings.access.address.folder),
            epoch: epoch.to_owned(),
            database: settings.database.clone(),
            every: settings.every,
            keep: settings.keep,
            metrics,
            newest: None,
            duties,
        })
    }

    pub fn run(mut self) {
        give_way("backup-snapshots");
        let mut pause = PAUSE_MIN;
        loop {
            if !self.duties.are_mine() {
                // Another hub makes them. What it made is asked of the bucket.
                self.newest = None;
                self.metrics.backups().left_to_another_hub();
                std::thread::sleep(DUTY_WAIT);
                continue;
            }
            self.metrics.backups().expected(self.every, clock::now());
            let sleep = match self.step() {
                Ok(rest) => {
                    pause = PAUSE_MIN;
                    rest.min(SLEEP_MAX)
                }
                Err(SnapshotError::Erased) => {
                    log::info!(
                        "backup: somebody was erased, so the snapshot that was being made is begun anew"
                    );
                    ERASED_PAUSE
                }
                Err(error) => {
                    log::error!("backup: no snapshot: {}", chain(&error));
                    self.metrics.backups().failed();
                    let this = pause;
                    pause = (pause * 2).min(PAUSE_MAX);
                    this
                }
            };
            std::thread::sleep(sleep);
        }
    }

    /// Makes a snapshot if one is due. Returns the time until the next one.
    fn step(&mut self) -> Result<Duration, SnapshotError> {
        let newest = match self.newest {
            Some(newest) => Some(newest),
            None => self.look()?,
        };
        let now = clock::now();
        if let Some(newest) = newest {
            self.newest = Some(newest);
            let age = Duration::try_from(now.duration_since(newest)).unwrap_or_default();
            if age < self.every {
                return Ok(self.every.saturating_sub(age));
            }
        }
        self.newest = Some(self.make(now)?);
        if let Err(error) = self.clear_away() {
            log::warn!("backup: what is outdated is not deleted: {}", chain(&error));
        }
        Ok(self.every)
    }

    fn folder(&self) -> Folder {
        self.all.of_epoch(&self.epoch)
    }

    /// The newest snapshot of this epoch in the bucket.
    fn look(&self) -> Result<Option<Timestamp>, SnapshotError> {
        let Some(newest) = snapshots_in(&self.store, &self.folder())?.into_iter().max() else {
            return Ok(None);
        };
        let manifest = read_manifest(&self.store, &self.folder(), newest)?;
        self.metrics.backups().snapshot(manifest.taken_at, manifest.bytes);
        Ok(Some(manifest.taken_at))
    }

    fn make(&self, now: Timestamp) -> Result<Timestamp, SnapshotError> {
        let file = copies::begin_snapshot(&self.database)?;
        let watch = ErasureWatch::begin(&self.database, file.path())?;
        let made = self.make_watched(now, file, &watch);
        // Whatever failed, it is the erasure that made it fail, or made it of no use.
        made.map_err(|error| if watch.is_over() { SnapshotError::Erased } else { error })
    }

    fn make_watched(
        &self,
        now: Timestamp,
        file: InMaking,
        watch: &ErasureWatch,
    ) -> Result<Timestamp, SnapshotError> {
        let copied = copies::fill_snapshot(&self.database, &file, Some(watch))?;
        let name = SnapshotName::new(now, copied.seq);
        let folder = self.folder();
        let sent = self.send(file.path(), &folder.database(name), watch);
        // The watch has the file open, too.
        watch.empty();
        drop(file);
        let (bytes, sha256) = sent?;
        let read_back = self.read_back(&folder.database(name), bytes)?;
        if watch.is_over() || read_back != sha256 {
            self.store.delete(&folder.database(name))?;
            return Err(SnapshotError::Differs);
        }
        let manifest = self.manifest(now, &copied, bytes, sha256);
        let text = serde_json::to_vec(&manifest).map_err(io::Error::from)?;
        self.store.put(&folder.manifest(name), &text)?;
        self.metrics.backups().snapshot(now, bytes);
        log::info!(
            "backup: a snapshot of {} deliveries, {} KiB, was sent and read back",
            copied.seq,
            bytes / 1024
        );
        Ok(now)
    }

    fn manifest(&self, taken_at: Timestamp, copied: &Copied, bytes: u64, sha256: String) -> Manifest {
        Manifest {
            format: MANIFEST_FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            epoch: copied.epoch.clone(),
            seq: copied.seq,
            taken_at,
            pages: copied.bytes / PAGE_BYTES,
            database_bytes: copied.bytes,
            bytes,
            sha256,
            every_hours: self.every.as_secs() / 3_600,
        }
    }

    /// Sends a file compressed. Returns the length of what was sent and its digest.
    fn send(&self, file: &Path, key: &str, watch: &ErasureWatch) -> Result<(u64, String), SnapshotError> {
        let parts = Parts {
            watch,
            upload: self.store.upload(key)?,
            part: Vec::with_capacity(PART_BYTES),
            digest: Context::new(&SHA256),
            bytes: 0,
            failure: None,
        };
        let mut packed = zstd::stream::write::Encoder::new(parts, ZSTD_LEVEL)?;
        let copied = io::copy(&mut File::open(file)?, &mut packed);
        if let Some(error) = packed.get_mut().failure.take() {
            return Err(error.into());
        }
        copied?;
        let mut parts = match packed.try_finish() {
            Ok(parts) => parts,
            Err((mut packed, error)) => {
                let failure = packed.get_mut().failure.take();
                return Err(failure.map_or(error.into(), SnapshotError::from));
            }
        };
        parts.send_part()?;
        if watch.is_over() {
            // What is dropped is taken away from the bucket.
            return Err(SnapshotError::Erased);
        }
        let Parts { upload, digest, bytes, .. } = parts;
        upload.complete()?;
        Ok((bytes, hex(digest.finish().as_ref())))
    }

    /// The digest of an object as the bucket has it.
    fn read_back(&self, key: &str, bytes: u64) -> Result<String, SnapshotError> {
        let mut reading = ObjectReading::new(&self.store, key.to_owned(), bytes);
        io::copy(&mut reading, &mut io::sink())?;
        Ok(reading.sha256())
    }

    /// Deletes snapshots beyond those that are kept, what no manifest names, the records that every kept one holds, and other
    /// epochs that ended before the oldest kept one.
    fn clear_away(&self) -> Result<(), SnapshotError> {
        let folder = self.folder();
        let known = snapshots_in(&self.store, &folder)?;
        let outdated = keep::outdated(known.clone(), self.keep);
        for name in &outdated {
            // First what names it, so that no manifest ever names what is gone.
            self.store.delete(&folder.manifest(*name))?;
            self.store.delete(&folder.database(*name))?;
        }
        for object in self.store.list(&folder.snapshots(), None)? {
            if SnapshotName::of_database(&object.key).is_some_and(|name| !known.contains(&name)) {
                self.store.delete(&object.key)?;
            }
        }
        let kept = known.iter().filter(|name| !outdated.contains(name));
        let Some(oldest) = kept.copied().min() else { return Ok(()) };
        self.clear_segments(&folder, oldest)?;
        if known.len() >= self.keep {
            self.clear_epochs(oldest.taken_at)?;
        }
        Ok(())
    }

    fn clear_segments(&self, folder: &Folder, oldest: SnapshotName) -> Result<(), SnapshotError> {
        let listed = self.store.list(&folder.segments(), None)?;
        let segments = listed.iter().filter_map(|object| SegmentName::read(&object.key)).collect();
        for name in keep::covered(segments, oldest) {
            self.store.delete(&folder.segment(name))?;
        }
        Ok(())
    }

    /// Another hub that keeps its backups here too makes snapshots, so its epoch is never old.
    fn clear_epochs(&self, oldest: Timestamp) -> Result<(), SnapshotError> {
        for key in self.store.folders(self.all.prefix())? {
            let Some(epoch) = self.all.epoch_in(&key).filter(|epoch| **epoch != self.epoch) else { continue };
            let folder = self.all.of_epoch(epoch);
            let newest = snapshots_in(&self.store, &folder)?.into_iter().max();
            if newest.is_none_or(|newest| newest.taken_at >= oldest) {
                continue;
            }
            log::info!("backup: the history before the last restore (epoch {epoch}) is deleted");
            // Snapshots last: while there is one, an epoch that was deleted in part is found again.
            for folder in [folder.segments(), folder.snapshots()] {
                for object in self.store.list(&folder, None)? {
                    self.store.delete(&object.key)?;
                }
            }
        }
        Ok(())
    }
}

/// Takes bytes, and sends them in parts.
struct Parts<'a> {
    watch: &'a ErasureWatch,
    upload: Upload<'a>,
    part: Vec<u8>,
    digest: Context,
    bytes: u64,
    /// Why the last part was not sent: an error of `Write` cannot carry it.
    failure: Option<BucketError>,
}

impl Parts<'_> {
    fn send_part(&mut self) -> Result<(), BucketError> {
        if !self.part.is_empty() {
            self.upload.part(&self.part)?;
            self.part.clear();
        }
        Ok(())
    }
}

impl Write for Parts<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.watch.is_over() {
            return Err(io::Error::other("somebody was erased"));
        }
        let taken = bytes.len().min(PART_BYTES - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        self.digest.update(&bytes[..taken]);
        self.bytes += taken as u64;
        if self.part.len() == PART_BYTES
            && let Err(error) = self.send_part()
        {
            let text = io::Error::other(error.to_string());
            self.failure = Some(error);
            return Err(text);
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
