//! The close code of RFC 6455 for a socket whose peer broke the framing protocol. `docs/rfc6455.md` lists where
//! the hub deviates.

use actix_web_actors::ws::{CloseCode, ProtocolError};

/// 1007 for a text that is not UTF-8, 1009 for a length that is refused, 1002 for everything else.
pub(super) fn close_code(error: &ProtocolError) -> CloseCode {
    match error {
        // The crate has no variant of its own for invalid UTF-8.
        ProtocolError::Io(error) if error.to_string().contains("utf-8") => CloseCode::Invalid,
        ProtocolError::Overflow => CloseCode::Size,
        ProtocolError::UnmaskedFrame
        | ProtocolError::MaskedFrame
        | ProtocolError::InvalidOpcode(_)
        | ProtocolError::InvalidLength(_)
        | ProtocolError::BadOpCode
        | ProtocolError::ContinuationNotStarted
        | ProtocolError::ContinuationStarted
        | ProtocolError::ContinuationFragment(_)
        | ProtocolError::Io(_) => CloseCode::Protocol,
    }
}
