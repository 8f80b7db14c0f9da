//! What a snapshot holds, as its manifest says it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::Seq;

/// The only format so far. A released one is never changed, only followed by another.
pub const MANIFEST_FORMAT: u32 = 1;
/// The largest manifest that is read.
pub const MANIFEST_BYTES_MAX: u64 = 64 * 1024;

/// The object that tells what a snapshot holds. It is written last, so a snapshot without it is not whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub format: u32,
    /// The version of the hub that made it.
    pub version: String,
    pub epoch: String,
    /// The newest position in it.
    pub seq: Seq,
    pub taken_at: Timestamp,
    /// Pages of the database, all of which were read and checked before it was sent.
    pub pages: u64,
    /// Length of the database.
    pub database_bytes: u64,
    /// Length of the object, which is compressed.
    pub bytes: u64,
    /// Of the object, in hexadecimal.
    pub sha256: String,
    /// Hours between two snapshots, as they were set.
    pub every_hours: u64,
}
