//! A question to what is stored, and the reasons why it may have no answer.

use rusqlite::{Row, Transaction};
use serde::de::DeserializeOwned;

use crate::domain::ChatMessage;
use crate::protocol::MessageSummary;
use crate::sqlite::DbError;

/// A question that is answered on a reader thread.
pub trait Query: Send + 'static {
    type Answer: Send + 'static;

    /// Answers within one read transaction.
    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError>;
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The position belongs to another epoch.
    #[error("the position belongs to another epoch")]
    EpochChanged,
    /// The updates after the position are no longer kept.
    #[error("the position is older than the kept updates")]
    Expired,
    /// The journal has not reached the position yet.
    #[error("the position is ahead of the journal")]
    PositionAhead,
    /// The cursor comes from another list, or from the same list sorted or filtered differently.
    #[error("the cursor belongs to another list, order or filter")]
    BadCursor,
    /// More has happened since the moment than one answer may read.
    #[error("more has happened since then than one answer may read")]
    TooFarBack,
    #[error("too many questions are waiting")]
    Busy,
    /// The database did not answer, or holds something that cannot be read.
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("the search index did not answer")]
    Search(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        Self::Database(error.into())
    }
}

impl ReadError {
    /// True if the same question may be answered later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Busy | Self::Search(_) => true,
            Self::Database(error) => !matches!(error, DbError::Corrupt(_) | DbError::Panicked),
            Self::EpochChanged | Self::Expired | Self::PositionAhead | Self::BadCursor | Self::TooFarBack => {
                false
            }
        }
    }
}

/// Reads a state that is stored as JSON.
pub(super) fn parse_state<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, ReadError> {
    let state = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(serde_json::from_str(state)?)
}

/// Reads the message of a list's row, shortened for a summary; `None` if the column is NULL.
pub(super) fn parse_summary(row: &Row<'_>, column: usize) -> Result<Option<MessageSummary>, ReadError> {
    let Some(state) = row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)? else {
        return Ok(None);
    };
    Ok(Some(MessageSummary::from(&serde_json::from_str::<ChatMessage>(state)?)))
}
