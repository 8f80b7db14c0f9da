//! Which faults the journal tells apart: of the surroundings, which pass, and of the stored data, which do not.

use rusqlite::ffi::{SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_READ};

use crate::protocol::FaultKind;
use crate::sqlite::{DbError, kind_of};

/// Why the journal cannot write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// For screens and alerts.
    pub kind: FaultKind,
    /// For the operator.
    pub detail: String,
}

/// Why the writer did not begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its files cannot be looked at, or the thread does not start.
    #[error("cannot begin to write the journal")]
    Io(#[from] std::io::Error),
}

/// Why a record was not applied.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused.
    #[error("the database refused")]
    Database(#[from] rusqlite::Error),
    /// A stored state could not be read or written as JSON.
    #[error("a stored state could not be read")]
    Corrupt(#[from] serde_json::Error),
    /// The files are no longer those that were opened.
    #[error("the database file was moved, deleted, replaced or cut short while the hub ran")]
    Moved,
    /// The update of one delivery is too large to be sent.
    #[error("the update is too large")]
    TooLarge,
}

impl From<DbError> for BeginError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Sqlite(error) => Self::Store(error.into()),
            DbError::Corrupt(error) => Self::Store(error.into()),
            DbError::Io { source, .. } => Self::Io(source),
        }
    }
}

impl From<StoreError> for DbError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(error) => Self::Sqlite(error),
            StoreError::Corrupt(error) => Self::Corrupt(error),
            // Whoever only reads meets neither.
            StoreError::Moved | StoreError::TooLarge => Self::Sqlite(rusqlite::Error::InvalidQuery),
        }
    }
}

impl StoreError {
    /// What kind of fault this is.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Database(error) => kind_of(error),
            Self::Corrupt(_) => FaultKind::Damaged,
            Self::Moved => FaultKind::Moved,
            Self::TooLarge => FaultKind::Other,
        }
    }

    /// True where the fault lies in what is stored, or in the one delivery at work: trying again changes nothing,
    /// and other deliveries may well be stored.
    pub fn is_of_the_data(&self) -> bool {
        matches!(self.kind(), FaultKind::Damaged | FaultKind::Other)
    }

    /// True where the disk does not give back what is stored. It may do so again, so nothing is given up for it; but
    /// what lies elsewhere on the disk is none the worse.
    pub fn is_unreadable(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let code = error.sqlite_error().map_or(0, |error| error.extended_code);
        [SQLITE_IOERR_READ, SQLITE_IOERR_CORRUPTFS].contains(&code)
    }
}

/// Why a delivery is kept raw although it was understood.
#[derive(Debug, Clone)]
pub enum Spoilt {
    /// It meets a stored state that cannot be read.
    Damage(String),
    /// Its update would be larger than screens can take.
    TooLarge,
}

impl Spoilt {
    /// Of a stored delivery: why it was kept raw, unless it was not understood.
    pub fn from_reason(reason: &str) -> Option<Self> {
        [Self::Damage(String::new()), Self::TooLarge].into_iter().find(|spoilt| spoilt.reason() == reason)
    }

    /// For the update and the status of deliveries.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Damage(_) => "the stored state that it changes cannot be read",
            Self::TooLarge => "it says too much for one update",
        }
    }

    /// The damage that was met, if it was that.
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
