//! Reads a request's body: within a bound of bytes and of time, as it was sent.

use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::{HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::error::ApiError;

/// Bytes of a body that is too large which are read and dropped, so that its sender hears the answer: as a multiple
/// of what is taken.
const DISCARDED_TIMES: usize = 4;

/// Reads a body of at most `bytes_max` bytes that comes within `seconds_max`, however slowly its bytes trickle.
///
/// A `Content-Encoding` is refused: a few kilobytes of gzip may hold gigabytes, and no sender that is known uses it.
pub async fn read(
    request: &HttpRequest,
    mut payload: web::Payload,
    bytes_max: usize,
    seconds_max: u64,
) -> Result<Bytes, ApiError> {
    if request.headers().contains_key(CONTENT_ENCODING) {
        return Err(ApiError::UnsupportedEncoding);
    }
    let read = async {
        let mut body = BytesMut::new();
        let mut length = 0;
        while let Some(chunk) = payload.next().await {
            let chunk =
                chunk.map_err(|error| ApiError::BadRequest(format!("the body broke off: {error}")))?;
            length += chunk.len();
            if length <= bytes_max {
                body.extend_from_slice(&chunk);
            } else if length > DISCARDED_TIMES * bytes_max {
                break;
            } else {
                body.clear();
            }
        }
        if length > bytes_max { Err(ApiError::BodyTooLarge(bytes_max)) } else { Ok(body.freeze()) }
    };
    timeout(Duration::from_secs(seconds_max), read).await.unwrap_or(Err(ApiError::BodyTimeout(seconds_max)))
}

/// Pages of other sites may post plain text without asking first, but not JSON.
pub fn check_json(request: &HttpRequest) -> Result<(), ApiError> {
    let declared = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = declared.and_then(|value| value.split(';').next()).unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(ApiError::UnsupportedType)
    }
}
