//! The error type for all SQLite files of the hub, and the kind of fault that an error stands for: of the
//! surroundings, which may pass, or of the stored data, which does not.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_NOMEM;

use crate::protocol::FaultKind;

/// Why a database, or a file derived from one, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// SQLite returned an error, which may be of any kind.
    #[error("the database did not answer")]
    Sqlite(#[from] rusqlite::Error),
    /// The operating system refused an operation on a file, or a thread for it.
    #[error("cannot use {path}")]
    Io { path: PathBuf, source: io::Error },
    /// A stored state is not the JSON that it should be.
    #[error("a stored state could not be read")]
    Corrupt(#[from] serde_json::Error),
    /// The code that used it is mistaken. Where it is was printed when it stopped.
    #[error("a mistake in the hub's code stopped the work")]
    Panicked,
}

impl DbError {
    /// The kind of fault that the error stands for.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Sqlite(error) => kind_of(error),
            Self::Io { source, .. } => kind_of_io(source),
            Self::Corrupt(_) => FaultKind::Damaged,
            Self::Panicked => FaultKind::Other,
        }
    }
}

fn kind_of_io(error: &io::Error) -> FaultKind {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the kinds of the standard library grow; what is not named here counts as a disk error"
    )]
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FaultKind::DiskFull,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => FaultKind::ReadOnly,
        io::ErrorKind::OutOfMemory => FaultKind::OutOfMemory,
        _ => FaultKind::IoError,
    }
}

/// The kind of fault that an error of SQLite stands for.
pub fn kind_of(error: &rusqlite::Error) -> FaultKind {
    let Some(sqlite) = error.sqlite_error() else { return FaultKind::Other };
    if sqlite.extended_code == SQLITE_IOERR_NOMEM {
        return FaultKind::OutOfMemory;
    }
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the codes of SQLite grow; what is not named here counts as `Other`"
    )]
    match sqlite.code {
        ErrorCode::DiskFull => FaultKind::DiskFull,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            FaultKind::ReadOnly
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            FaultKind::Locked
        }
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OperationInterrupted => {
            FaultKind::IoError
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => FaultKind::Damaged,
        ErrorCode::OutOfMemory => FaultKind::OutOfMemory,
        _ => FaultKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_told_apart_as_what_sqlite_refuses() {
        let kind = |kind: io::ErrorKind| DbError::Io { path: PathBuf::new(), source: kind.into() }.kind();
        assert_eq!(kind(io::ErrorKind::StorageFull), FaultKind::DiskFull);
        assert_eq!(kind(io::ErrorKind::PermissionDenied), FaultKind::ReadOnly);
        assert_eq!(kind(io::ErrorKind::NotFound), FaultKind::IoError);
    }
}
