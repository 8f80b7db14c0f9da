//! What a client is told when its frame is refused: a code for programs, and a text for developers.

use super::codes::ErrorCode;

/// Why a frame is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EnvelopeError {
    /// The code of the `error` event.
    pub code: ErrorCode,
    /// What is wrong, as a text for developers; it names the field.
    pub message: String,
}

pub(super) fn refuse(code: ErrorCode, message: impl Into<String>) -> EnvelopeError {
    EnvelopeError { code, message: message.into() }
}
