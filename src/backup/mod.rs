//! Backups on another machine: whole snapshots now and then, and between them the records, a few seconds after they were
//! committed.
//!
//! # Contract
//!
//! 1. Without an address nothing of it runs.
//! 2. It only reads the database, and nothing waits for it. A fault delays the backup and nothing else.
//! 3. A snapshot counts once it was read back and is what was checked before it was sent: its manifest is written last.
//! 4. How far records were sent is what the bucket lists, and no position that is kept here: what is not there is sent.
//! 5. What restores is what verifies: both put the newest snapshot and the records behind it together in the same way.

pub mod address;
pub mod layout;
pub mod segment;
pub mod store;
pub mod manifest;
pub mod shipping;
pub mod keep;
pub mod snapshots;
pub mod fetch;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::cluster::duties::Duties;
use crate::telemetry::metrics::Metrics;
use store::BucketAccess;

/// How backups are made.
#[derive(Debug, Clone)]
pub struct BackupSettings {
    pub access: BucketAccess,
    pub database: PathBuf,
    /// Time between two snapshots.
    pub every: Duration,
    /// How many of the newest snapshots stay in the bucket.
    pub keep: usize,
}

/// Starts both threads. They end with the process: whatever they were at is begun again by the next start.
pub fn start(settings: &BackupSettings, epoch: &str, metrics: &Metrics, duties: &Duties) -> io::Result<()> {
    let shipping = shipping::Shipping::new(settings, epoch, metrics.clone(), duties.clone())
        .map_err(io::Error::other)?;
    let snapshots = snapshots::SnapshotMaker::new(settings, epoch, metrics.clone(), duties.clone())
        .map_err(io::Error::other)?;
    std::thread::Builder::new().name("backup-segments".into()).spawn(move || shipping.run())?;
    std::thread::Builder::new().name("backup-snapshots".into()).spawn(move || snapshots.run())?;
    Ok(())
}
