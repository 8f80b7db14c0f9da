//! Puts a database together from what is in the bucket: the newest snapshot that is whole, and the records behind it.
//!
//! # Contract
//!
//! 1. What differs from its check sum is never used. Instead of a damaged snapshot the one before it is taken, with more
//!    records behind it.
//! 2. Where a segment is missing or damaged, what comes behind the gap is not applied: the history has no holes that it never had.
//! 3. Records of every kind are applied, those that take data away too: what was erased after a snapshot is erased again.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};

use super::layout::{Folder, SegmentName, SnapshotName};
use super::manifest::{MANIFEST_BYTES_MAX, MANIFEST_FORMAT, Manifest};
use super::segment::{self, SEGMENT_BYTES_MAX};
use super::store::{BucketAccess, BucketError, ObjectStore};
use crate::domain::Seq;
use crate::journal::behind::Behind;
use crate::journal::digest::hex;
use crate::journal::replace::CopyProgress;
use crate::journal::replace_error::ReplaceError;
use crate::telemetry::causes::chain;

/// Bytes that are asked for at once. A request that fails is repeated alone.
const RANGE_BYTES: u64 = 16 * 1024 * 1024;
/// The answer where an object ends before the bytes that are asked for.
const RANGE_NOT_SATISFIABLE: u16 = 416;
/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(3);

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("the bucket")]
    Bucket(#[from] BucketError),
    #[error("BACKUP_S3_URL: {0}")]
    Address(String),
    #[error("there is no backup in {0}")]
    Nothing(String),
    /// No snapshot can be used. The text says of each why.
    #[error("no snapshot is whole: {0}")]
    Unusable(String),
    /// A manifest is not one, or a newer hub wrote it.
    #[error("the manifest {0} cannot be read by this version")]
    Manifest(String),
    #[error("the object {0} is not what its manifest says")]
    Differs(String),
    #[error("cannot write the copy")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Replace(#[from] ReplaceError),
}

/// A database that was put together from a snapshot and the segments after it.
#[derive(Debug)]
pub struct Fetched {
    pub manifest: Manifest,
    /// Records that were behind the snapshot.
    pub records: usize,
    pub newest: Seq,
    /// Why later records could not be used; `None`: all were.
    pub gap: Option<String>,
}

/// Backups of one bucket, to be read.
pub struct BackupReader {
    store: ObjectStore,
    all: Folder,
    name: String,
}

impl BackupReader {
    pub fn new(access: &BucketAccess) -> Result<Self, FetchError> {
        Ok(Self {
            store: ObjectStore::new(access, REQUEST_TIMEOUT).map_err(FetchError::Address)?,
            all: Folder::of_all(&access.address.folder),
            name: access.address.describe(),
        })
    }

    /// Makes the newest database that can be had, in an empty file. `epoch` names a history; `None`: the newest one.
    pub fn fetch(
        &self,
        epoch: Option<&str>,
        file: &Path,
        retained: u32,
        progress: CopyProgress<'_>,
    ) -> Result<Fetched, FetchError> {
        let mut unusable = Vec::new();
        for (folder, name) in self.snapshots(epoch)? {
            match self.unpack(&folder, name, file, progress) {
                Ok(manifest) => return self.follow(&folder, manifest, file, retained),
                Err(error @ (FetchError::Bucket(_) | FetchError::Replace(_))) => return Err(error),
                Err(error) => {
                    let why = format!("{}: {}", folder.manifest(name), chain(&error));
                    log::warn!("{why}; the snapshot before it is tried");
                    unusable.push(why);
                }
            }
        }
        if unusable.is_empty() {
            return Err(FetchError::Nothing(self.name.clone()));
        }
        Err(FetchError::Unusable(unusable.join("; ")))
    }

    /// All snapshots of the epoch that has the newest one, the newest first.
    fn snapshots(&self, epoch: Option<&str>) -> Result<Vec<(Folder, SnapshotName)>, FetchError> {
        let mut newest: Option<(Folder, Vec<SnapshotName>)> = None;
        for key in self.store.folders(self.all.prefix())? {
            let Some(found) = self.all.epoch_in(&key) else { continue };
            if epoch.is_some_and(|epoch| epoch != found) {
                continue;
            }
            let folder = self.all.of_epoch(found);
            let names = snapshots_in(&self.store, &folder)?;
            if names.iter().max() > newest.as_ref().and_then(|(_, names)| names.iter().max()) {
                newest = Some((folder, names));
            }
        }
        let Some((folder, mut names)) = newest else { return Ok(Vec::new()) };
        names.sort_unstable_by(|one, other| other.cmp(one));
        Ok(names.into_iter().map(|name| (folder.clone(), name)).collect())
    }

    /// Writes the database of a snapshot to a file.
    fn unpack(
        &self,
        folder: &Folder,
        name: SnapshotName,
        file: &Path,
        progress: CopyProgress<'_>,
    ) -> Result<Manifest, FetchError> {
        let manifest = read_manifest(&self.store, folder, name)?;
        let key = folder.database(name);
        let mut reading = ObjectReading::new(&self.store, key.clone(), manifest.bytes);
        reading.progress = Some(progress);
        let unpacked = unpack_to(&mut reading, file);
        // Damage may have ended the unpacking. The rest is read too, because the digest of all decides.
        let read = io::copy(&mut reading, &mut io::sink());
        if let Some(error) = reading.failure.take() {
            return Err(if is_of_the_object(&error) { FetchError::Differs(key) } else { error.into() });
        }
        read?;
        if reading.sha256() != manifest.sha256 {
            return Err(FetchError::Differs(key));
        }
        unpacked.map(|()| manifest)
    }

    /// Applies the records behind a snapshot.
    fn follow(
        &self,
        folder: &Folder,
        manifest: Manifest,
        file: &Path,
        retained: u32,
    ) -> Result<Fetched, FetchError> {
        let mut behind = Behind::open(file, retained)?;
        let mut fetched = Fetched { newest: behind.newest(), manifest, records: 0, gap: None };
        // How far segments go one behind the other. The snapshot may end within one.
        let mut reached = fetched.newest;
        for object in self.store.list(&folder.segments(), None)? {
            let Some(name) = SegmentName::read(&object.key) else { continue };
            if name.last < fetched.manifest.seq {
                continue;
            }
            if name.first.0 > reached.0 + 1 {
                fetched.gap = Some(format!("the segment that begins at {} is missing", reached.0 + 1));
                break;
            }
            let packed = self.store.read(&object.key, 0, object.bytes.clamp(1, SEGMENT_BYTES_MAX))?;
            let records = match segment::unpack(&packed) {
                Ok(records) => records,
                Err(error) => {
                    fetched.gap = Some(format!("the segment {} is damaged: {}", object.key, chain(&error)));
                    break;
                }
            };
            fetched.records += records.iter().filter(|record| record.seq > behind.newest()).count();
            behind.take(records)?;
            reached = reached.max(name.last);
        }
        fetched.newest = behind.newest();
        Ok(fetched)
    }
}

/// True if this snapshot is useless for it, and no other: the object is gone, or shorter than it was.
fn is_of_the_object(error: &BucketError) -> bool {
    match error {
        BucketError::Missing | BucketError::Misled { .. } => true,
        BucketError::Refused { status, .. } => *status == RANGE_NOT_SATISFIABLE,
        BucketError::Unreachable { .. } => false,
    }
}

fn unpack_to(reading: &mut ObjectReading<'_>, file: &Path) -> Result<(), FetchError> {
    let mut file = File::create(file)?;
    let mut unpacked = zstd::stream::read::Decoder::new(&mut *reading)?.single_frame();
    io::copy(&mut unpacked, &mut file)?;
    Ok(())
}

/// The snapshots of an epoch that have a manifest.
pub(super) fn snapshots_in(store: &ObjectStore, folder: &Folder) -> Result<Vec<SnapshotName>, BucketError> {
    let listed = store.list(&folder.snapshots(), None)?;
    Ok(listed.iter().filter_map(|object| SnapshotName::of_manifest(&object.key)).collect())
}

pub(super) fn read_manifest(
    store: &ObjectStore,
    folder: &Folder,
    name: SnapshotName,
) -> Result<Manifest, FetchError> {
    let key = folder.manifest(name);
    let listed = store.list(&key, None)?;
    let bytes = listed.first().ok_or(BucketError::Missing)?.bytes.clamp(1, MANIFEST_BYTES_MAX);
    let text = store.read(&key, 0, bytes)?;
    match serde_json::from_slice::<Manifest>(&text) {
        Ok(manifest) if manifest.format == MANIFEST_FORMAT => Ok(manifest),
        Ok(_) | Err(_) => Err(FetchError::Manifest(key)),
    }
}

/// Reads an object from its beginning to its end, in ranges.
pub(super) struct ObjectReading<'a> {
    store: &'a ObjectStore,
    key: String,
    length: u64,
    /// Up to where it was read.
    at: u64,
    range: Vec<u8>,
    /// What was handed on of the range.
    used: usize,
    digest: Context,
    progress: Option<CopyProgress<'a>>,
    /// Why a range was not read: an error of `Read` cannot carry it.
    failure: Option<BucketError>,
}

impl<'a> ObjectReading<'a> {
    pub(super) fn new(store: &'a ObjectStore, key: String, length: u64) -> Self {
        Self {
            store,
            key,
            length,
            at: 0,
            range: Vec::new(),
            used: 0,
            digest: Context::new(&SHA256),
            progress: None,
            failure: None,
        }
    }

    /// The digest of what was read so far, in hexadecimal.
    pub(super) fn sha256(&self) -> String {
        hex(self.digest.clone().finish().as_ref())
    }
}

impl Read for ObjectReading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.used == self.range.len() {
            let next = RANGE_BYTES.min(self.length - self.at);
            if next == 0 {
                return Ok(0);
            }
            self.range = self.store.read(&self.key, self.at, next).map_err(|error| {
                let text = io::Error::other(error.to_string());
                self.failure = Some(error);
                text
            })?;
            self.digest.update(&self.range);
            (self.at, self.used) = (self.at + next, 0);
            if let Some(progress) = self.progress {
                progress(self.at, self.length);
            }
        }
        let taken = buffer.len().min(self.range.len() - self.used);
        buffer[..taken].copy_from_slice(&self.range[self.used..self.used + taken]);
        self.used += taken;
        Ok(taken)
    }
}
