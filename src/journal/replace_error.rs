//! Why a database is not copied, replaced or rebuilt.

use std::io;
use std::path::{Path, PathBuf};

use super::erasure_list::ListError;
use super::fault::StoreError;
use super::record::RecordError;
use super::schema::OpenError;
use crate::domain::Seq;
use crate::protocol::FaultKind;
use crate::sqlite::kind_of;

/// Why a database was not copied or replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// The database cannot be used as it is.
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("cannot read or write {path}")]
    Database { path: PathBuf, source: rusqlite::Error },
    #[error("cannot read or write {path}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{0} exists already; choose another name, or overwrite it with --force")]
    Exists(PathBuf),
    /// Source and target are the same file.
    #[error("{0} is the database itself")]
    Same(PathBuf),
    #[error("there is no file {0}")]
    Missing(PathBuf),
    /// The file is not a database of the hub.
    #[error("{0} is not a database of umbler-hub")]
    Foreign(PathBuf),
    #[error("{path} did not pass the check, and nothing was changed: {what}")]
    Unsound { path: PathBuf, what: String },
    /// Another process held the file all the time.
    #[error("{0} is held by another process")]
    Locked(PathBuf),
    /// Somebody was erased who is in the copy.
    #[error("somebody was erased while the copy was made")]
    Outdated,
    /// A record cannot be read.
    #[error(
        "the record at position {seq} of {path} cannot be read; restore a backup (umbler-hub restore FILE)"
    )]
    Record { path: PathBuf, seq: Seq, source: RecordError },
    /// The state that follows from the records cannot be stored.
    #[error("cannot apply the records of {path}")]
    Apply { path: PathBuf, source: StoreError },
    /// The list of erasures cannot be used, so what was erased would come back.
    #[error(transparent)]
    Erasures(#[from] ListError),
    #[error("the database is whole: there is no loss to accept")]
    Whole,
}

pub(super) fn database_error(path: &Path) -> impl Fn(rusqlite::Error) -> ReplaceError {
    move |source| {
        if kind_of(&source) == FaultKind::Damaged {
            return ReplaceError::Unsound { path: path.into(), what: source.to_string() };
        }
        ReplaceError::Database { path: path.into(), source }
    }
}

pub(super) fn store_error(path: &Path) -> impl Fn(StoreError) -> ReplaceError {
    move |source| ReplaceError::Apply { path: path.into(), source }
}

pub(super) fn io_error(path: &Path) -> impl Fn(io::Error) -> ReplaceError {
    move |source| ReplaceError::Io { path: path.into(), source }
}
