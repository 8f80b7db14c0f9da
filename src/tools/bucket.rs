//! Backups in a bucket, for the tools that read them.

use std::path::Path;

use super::ToolError;
use crate::app;
use crate::backup::fetch::{BackupReader, Fetched};
use crate::config::{BackupTarget, ConfigError, ServeArgs, Values};
use crate::journal::replace::CopyProgress;

/// Which backup of a bucket is meant.
#[derive(Debug, clap::Args)]
pub struct BucketArgs {
    /// The history to take from the bucket, by its epoch. Default: the one with the newest snapshot.
    #[arg(long, value_name = "EPOCH")]
    epoch: Option<String>,
}

/// A bucket, and which of its backups is meant.
pub struct BackupSource {
    reader: BackupReader,
    epoch: Option<String>,
    retained: u32,
}

/// True for what names a bucket and not a file.
pub fn is_address(text: &Path) -> bool {
    text.to_str().is_some_and(|text| text.starts_with("s3://"))
}

/// The bucket of the settings, or another one (`s3://BUCKET/FOLDER`) of the same server.
pub fn open(address: Option<&str>, args: &BucketArgs) -> Result<BackupSource, ToolError> {
    let values = Values::collect(&ServeArgs::default())?;
    let target = BackupTarget::read(&values).map_err(ConfigError::Wrong)?;
    let missing = || {
        ConfigError::Wrong(vec![
            "BACKUP_S3_URL: must be set, with BACKUP_S3_KEY_ID and BACKUP_S3_SECRET: it says which server has the bucket"
                .to_owned(),
        ])
    };
    let mut target = target.ok_or_else(missing)?;
    if let Some(address) = address {
        target.address = target.address.elsewhere(address).map_err(ToolError::Found)?;
    }
    let access = app::backup::access(&target)
        .map_err(|error| ConfigError::Wrong(vec![format!("BACKUP_S3_URL: {error}")]))?;
    // Other settings do not matter here, so this one may be wrong too: the hub says so when it starts.
    let retained = values.get("UPDATES_RETAINED").and_then(|text| text.trim().parse().ok());
    Ok(BackupSource {
        reader: BackupReader::new(&access)?,
        epoch: args.epoch.clone(),
        retained: retained.unwrap_or(u32::MAX),
    })
}

impl BackupSource {
    /// Puts the backup together in an empty file.
    pub fn fetch(&self, file: &Path, progress: CopyProgress<'_>) -> Result<Fetched, ToolError> {
        Ok(self.reader.fetch(self.epoch.as_deref(), file, self.retained, progress)?)
    }
}

/// What was put together, in a few words.
pub fn describe(fetched: &Fetched) -> String {
    let Fetched { manifest, records, .. } = fetched;
    format!(
        "snapshot of {} by version {} ({} deliveries), and {records} records behind it",
        manifest.taken_at, manifest.version, manifest.seq
    )
}

/// Fails where later records could not be used.
pub fn complain(fetched: &Fetched) -> Result<(), ToolError> {
    match &fetched.gap {
        None => Ok(()),
        Some(gap) => Err(ToolError::Found(format!(
            "the backup ends at delivery {} although there are later records: {gap}",
            fetched.newest
        ))),
    }
}
