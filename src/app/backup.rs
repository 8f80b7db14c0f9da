//! Sets up backups on another machine from their settings.

use std::path::Path;
use std::time::Duration;

use super::{StartError, tls};
use crate::backup::store::BucketAccess;
use crate::backup::{self, BackupSettings};
use crate::cluster::duties::Duties;
use crate::config::BackupTarget;
use crate::telemetry::metrics::Metrics;

/// The bucket as it is reached, whoever uses it.
pub fn access(target: &BackupTarget) -> Result<BucketAccess, String> {
    Ok(BucketAccess {
        tls: tls::config(target.address.server())?,
        address: target.address.clone(),
        key_id: target.key_id.clone(),
        secret: target.secret.clone(),
    })
}

/// Starts making backups where there is an address for them.
pub(super) fn start(
    target: Option<&BackupTarget>,
    database: &Path,
    epoch: &str,
    metrics: &Metrics,
    duties: &Duties,
) -> Result<(), StartError> {
    let Some(target) = target else { return Ok(()) };
    let settings = BackupSettings {
        access: access(target).map_err(StartError::Backup)?,
        database: database.to_path_buf(),
        every: Duration::from_hours(target.every_hours),
        keep: target.keep,
    };
    Ok(backup::start(&settings, epoch, metrics, duties)?)
}
