//! Reads a request's body: within a bound of bytes and of time, as it was sent.

use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::{HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

use super::bodies::{SHARE_SECONDS_MAX, SMALL_BODY_BYTES_MAX};
use super::error::ApiError;
use super::state::EdgeState;

/// Bytes of a body that is too large which are read and dropped, so that its sender hears the answer: as a multiple
/// of what is taken.
const DISCARDED_TIMES: usize = 4;

/// A body that was read to its end.
pub struct Body<'a> {
    /// As it was sent.
    pub bytes: Bytes,
    /// What it takes of the memory for large bodies; to be kept until it is dealt with.
    pub share: Option<SemaphorePermit<'a>>,
}

/// Reads a body of at most `bytes_max` bytes that comes within `REQUEST_BODY_SECONDS`, however slowly its bytes
/// trickle. It is read to its end, so that its sender hears the answer: one that is refused is dropped as it comes.
///
/// A `Content-Encoding` is refused: a few kilobytes of gzip may hold gigabytes, and no sender that is known uses it.
pub async fn read<'a>(
    request: &HttpRequest,
    mut payload: web::Payload,
    bytes_max: usize,
    state: &'a EdgeState,
) -> Result<Body<'a>, ApiError> {
    let encoding = request.headers().get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(ApiError::UnsupportedEncoding);
    }
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let seconds_max = state.settings.body_seconds;
    let read = async {
        let (mut body, mut length) = (BytesMut::new(), 0);
        let (mut share, mut refused) = (None, None);
        while let Some(chunk) = payload.next().await {
            let chunk =
                chunk.map_err(|error| ApiError::BadRequest(format!("the body broke off: {error}")))?;
            length += chunk.len();
            if length > bytes_max {
                refused = Some(ApiError::BodyTooLarge(bytes_max));
            } else if length > SMALL_BODY_BYTES_MAX && share.is_none() && refused.is_none() {
                let whole = announced.map_or(bytes_max, |bytes: usize| bytes.clamp(length, bytes_max));
                share = state.bodies.share(whole, Duration::from_secs(SHARE_SECONDS_MAX)).await;
                match share {
                    Some(_) => body.reserve(whole - body.len()),
                    None => refused = Some(no_share()),
                }
            }
            if refused.is_none() {
                body.extend_from_slice(&chunk);
            } else if length > DISCARDED_TIMES * bytes_max {
                break;
            } else {
                (body, share) = (BytesMut::new(), None);
            }
        }
        refused.map_or(Ok(Body { bytes: body.freeze(), share }), Err)
    };
    timeout(Duration::from_secs(seconds_max), read).await.unwrap_or(Err(ApiError::BodyTimeout(seconds_max)))
}

fn no_share() -> ApiError {
    ApiError::Unavailable { message: "too many large bodies arrive at the same time", retry_after_seconds: 1 }
}
