//! The journal's faults: those of the environment, which pass, and those of the stored data, which do not.

use std::io;

use rusqlite::ffi::{SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_READ};
use rusqlite_migration::HookError;

use crate::protocol::FaultKind;
use crate::sqlite::DbError;
use crate::telemetry::causes::chain;

/// Why the journal cannot write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Shown on screens and in alerts.
    pub kind: FaultKind,
    /// What went wrong, in words for the operator.
    pub detail: String,
}

/// Why a record was not applied.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Database(#[from] DbError),
    /// The open files are no longer those at the path.
    #[error("the database file was moved, deleted, replaced or cut short while the hub ran")]
    Moved,
    /// The update of a delivery is too large to be sent.
    #[error("the update is too large")]
    TooLarge,
    /// What is left of a delivery could not be compressed, because memory is short.
    #[error("what is left of a delivery cannot be compressed")]
    Compress(#[source] io::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Database(error.into())
    }
}

/// An error of a migration's program, as the migration reports it.
pub(super) fn hook_error(error: DbError) -> HookError {
    match error {
        DbError::Sqlite(error) => HookError::RusqliteError(error),
        DbError::Io { .. } | DbError::Corrupt(_) | DbError::Panicked => HookError::Hook(chain(&error)),
    }
}

impl StoreError {
    /// The error of a compressor that has no memory.
    pub(super) fn compress(error: io::Error) -> Self {
        Self::Compress(error)
    }

    /// The kind of fault, for screens.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Database(error) => error.kind(),
            Self::Moved => FaultKind::Moved,
            Self::TooLarge => FaultKind::Other,
            Self::Compress(_) => FaultKind::OutOfMemory,
        }
    }

    /// True if the fault lies in what is stored, or in the delivery that is being applied. Trying again
    /// does not help, but other deliveries may well be stored.
    pub fn is_of_the_data(&self) -> bool {
        matches!(self.kind(), FaultKind::Damaged | FaultKind::Other)
    }

    /// True if the disk cannot read back what is stored. That may pass, so nothing is given up for it,
    /// and other parts of the disk may be fine.
    pub fn is_unreadable(&self) -> bool {
        let Self::Database(DbError::Sqlite(error)) = self else { return false };
        let code = error.sqlite_error().map_or(0, |error| error.extended_code);
        [SQLITE_IOERR_READ, SQLITE_IOERR_CORRUPTFS].contains(&code)
    }
}

/// Why a delivery is kept raw although it was understood.
#[derive(Debug, Clone)]
pub enum Spoilt {
    /// It meets a stored state that cannot be read. Holds the error.
    Damage(String),
    /// Its update would be larger than a screen's queue.
    TooLarge,
}

impl Spoilt {
    /// The reason that is stored with a delivery; `None` if the delivery was not understood.
    pub fn from_reason(reason: &str) -> Option<Self> {
        [Self::Damage(String::new()), Self::TooLarge].into_iter().find(|spoilt| spoilt.reason() == reason)
    }

    /// The text for the update and for the webhook status.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Damage(_) => "the stored state that it changes cannot be read",
            Self::TooLarge => "it says too much for one update",
        }
    }

    /// The error, if a stored state could not be read.
    pub fn damage(&self) -> Option<String> {
        match self {
            Self::Damage(found) => Some(found.clone()),
            Self::TooLarge => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi::{self, SQLITE_IOERR_NOMEM};

    use super::*;

    #[test]
    fn faults_that_pass_are_told_from_damage() {
        let kind = |code| {
            let error = StoreError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
            (error.kind(), error.is_of_the_data())
        };
        assert_eq!(kind(ffi::SQLITE_FULL), (FaultKind::DiskFull, false));
        assert_eq!(kind(ffi::SQLITE_IOERR_WRITE), (FaultKind::IoError, false));
        assert_eq!(kind(SQLITE_IOERR_NOMEM), (FaultKind::OutOfMemory, false));
        assert_eq!(kind(ffi::SQLITE_READONLY), (FaultKind::ReadOnly, false));
        assert_eq!(kind(ffi::SQLITE_BUSY), (FaultKind::Locked, false));
        assert_eq!(kind(ffi::SQLITE_CORRUPT), (FaultKind::Damaged, true));
        assert_eq!(kind(ffi::SQLITE_NOTADB), (FaultKind::Damaged, true));
        assert_eq!(kind(ffi::SQLITE_CONSTRAINT), (FaultKind::Other, true));
        assert_eq!(StoreError::Moved.kind(), FaultKind::Moved);
    }
}
