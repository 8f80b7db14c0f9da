//! The settings of backups on another machine.

use std::ops::RangeInclusive;

use super::parse::{Reader, number, secret};
use super::values::Values;
use crate::auth::Secret;
use crate::backup::address::BucketAddress;

/// With more than a week between two, a restore would apply more records than anybody waits for.
const EVERY_HOURS: RangeInclusive<u64> = 1..=168;
const KEEP: RangeInclusive<usize> = 1..=1_000;

/// Where backups are kept, and how often they are made.
#[derive(Debug, Clone)]
pub struct BackupTarget {
    pub address: BucketAddress,
    pub key_id: Secret,
    pub secret: Secret,
    pub every_hours: u64,
    /// How many of the newest snapshots stay in the bucket.
    pub keep: usize,
}

impl BackupTarget {
    /// Reads these settings alone, for tools that need no others.
    pub fn read(values: &Values) -> Result<Option<Self>, Vec<String>> {
        let mut reader = Reader::new(values);
        let target = reader.backup_target();
        if reader.problems.is_empty() { Ok(target) } else { Err(reader.problems) }
    }
}

impl Reader<'_> {
    /// Where backups are kept; all of it is checked whether there is an address or not.
    pub(super) fn backup_target(&mut self) -> Option<BackupTarget> {
        let address = self.parse("BACKUP_S3_URL", BucketAddress::parse);
        let (key_id, key) = (secret(self, "BACKUP_S3_KEY_ID"), secret(self, "BACKUP_S3_SECRET"));
        let every_hours = number(EVERY_HOURS)(self, "BACKUP_EVERY_HOURS");
        let keep = number(KEEP)(self, "BACKUP_KEEP");
        let address = address?;
        for (name, value) in [("BACKUP_S3_KEY_ID", &key_id), ("BACKUP_S3_SECRET", &key)] {
            if value.is_none() {
                self.problems.push(format!("{name}: must be set where BACKUP_S3_URL is"));
            }
        }
        Some(BackupTarget { address, key_id: key_id?, secret: key?, every_hours: every_hours?, keep: keep? })
    }
}
