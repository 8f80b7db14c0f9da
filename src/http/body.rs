//! Reads the body of a request within bounds of bytes and time, exactly as it was sent.

use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::{HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

use super::bodies::{Bodies, SHARE_SECONDS_MAX, SMALL_BODY_BYTES_MAX};
use super::error::ApiError;
use super::state::EdgeState;
use super::unread;

/// How much of a refused body is read and dropped, so that its sender gets the answer: this many times the
/// largest accepted body.
const DROPPED_TIMES: usize = 4;

/// A body that was read to its end.
pub struct Body<'a> {
    /// The bytes as they were sent.
    pub bytes: Bytes,
    /// Its share of the memory for large bodies; to be kept until the body has been processed.
    pub share: Option<SemaphorePermit<'a>>,
}

/// Reads a body of at most `bytes_max` bytes that comes within `REQUEST_BODY_SECONDS`, however slowly. One that
/// is announced larger is refused before any of it is read. The rest of a refused body is dropped after the
/// answer, so that its sender gets the answer.
///
/// A `Content-Encoding` is refused: a few kilobytes of gzip may contain gigabytes, and no known sender uses it.
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
    let (within, dropped_max) = (Duration::from_secs(state.settings.body_seconds), DROPPED_TIMES * bytes_max);
    let outcome = match announced {
        Some(bytes) if bytes > bytes_max => Err(ApiError::BodyTooLarge(bytes_max)),
        _ => timeout(within, collect(&mut payload, announced, bytes_max, &state.bodies))
            .await
            .unwrap_or(Err(ApiError::BodyTimeout(within.as_secs()))),
    };
    let is_worth_dropping = announced.is_none_or(|bytes| bytes <= dropped_max);
    if matches!(outcome, Err(ApiError::BodyTooLarge(_) | ApiError::Unavailable { .. })) && is_worth_dropping {
        unread::leave(request, payload, dropped_max, within);
    }
    outcome
}

/// Collects the chunks. Stops at one byte more than allowed, and where no memory is available.
async fn collect<'a>(
    payload: &mut web::Payload,
    announced: Option<usize>,
    bytes_max: usize,
    bodies: &'a Bodies,
) -> Result<Body<'a>, ApiError> {
    let (mut body, mut share) = (BytesMut::new(), None);
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| ApiError::BadRequest(format!("the body ended early: {error}")))?;
        let length = body.len() + chunk.len();
        if length > bytes_max {
            return Err(ApiError::BodyTooLarge(bytes_max));
        }
        if length > SMALL_BODY_BYTES_MAX && share.is_none() {
            let whole = announced.map_or(bytes_max, |bytes| bytes.clamp(length, bytes_max));
            let found = bodies.share(whole, Duration::from_secs(SHARE_SECONDS_MAX)).await;
            share = Some(found.ok_or_else(no_share)?);
            body.reserve(whole - body.len());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Body { bytes: body.freeze(), share })
}

fn no_share() -> ApiError {
    ApiError::Unavailable { message: "too many large bodies arrive at the same time", retry_after_seconds: 1 }
}
