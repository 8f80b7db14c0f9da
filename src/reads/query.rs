//! A question to what is stored, and why it has no answer.

use rusqlite::{Row, Transaction};
use serde::de::DeserializeOwned;

use crate::domain::ChatMessage;
use crate::protocol::MessageSummary;
use crate::sqlite::DbError;

/// A question to history.
pub trait Query: Send + 'static {
    /// What it is answered with.
    type Answer: Send + 'static;

    /// Answers within one read transaction.
    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError>;
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A position in another epoch.
    #[error("the position belongs to another epoch")]
    EpochChanged,
    /// A position whose updates are no longer kept.
    #[error("the position is older than the kept updates")]
    Expired,
    /// A position that the journal has not reached.
    #[error("the position is ahead of the journal")]
    PositionAhead,
    /// A cursor that was made by another list, or by the same list sorted or filtered otherwise.
    #[error("the cursor belongs to another list, order or filter")]
    BadCursor,
    /// A moment since which more has happened than is gone through for one answer.
    #[error("more has happened since then than is gone through for one answer")]
    TooFarBack,
    /// Too many questions are waiting.
    #[error("too many questions are waiting")]
    Busy,
    /// The database did not answer, or holds a state that cannot be read.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The search index did not answer.
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
    /// True where the same question may be answered later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Busy | Self::Search(_) => true,
            Self::Database(error) => !matches!(error, DbError::Corrupt(_)),
            Self::EpochChanged | Self::Expired | Self::PositionAhead | Self::BadCursor | Self::TooFarBack => {
                false
            }
        }
    }
}

/// Reads a stored state.
pub(super) fn parse_state<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, ReadError> {
    let state = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(serde_json::from_str(state)?)
}

/// Reads the newest message of a list's row, in short; `None` where there is none.
pub(super) fn parse_summary(row: &Row<'_>, column: usize) -> Result<Option<MessageSummary>, ReadError> {
    let Some(state) = row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)? else {
        return Ok(None);
    };
    Ok(Some(MessageSummary::from(&serde_json::from_str::<ChatMessage>(state)?)))
}
