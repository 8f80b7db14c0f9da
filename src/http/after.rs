//! `X-Umbler-Hub-After`: a question waits until this hub shows a position. In a cluster a client may read at another hub
//! than the one that took in what it wrote.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError};

use super::error::ApiError;
use super::state::EdgeState;
use crate::cluster::reach::is_published;

/// The header with the position.
pub const AFTER: HeaderName = HeaderName::from_static("x-umbler-hub-after");

/// Waits before the handler runs, if the request has the header.
pub async fn wait<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match reach(&request).await {
        Ok(()) => next.call(request).await.map(ServiceResponse::map_into_left_body),
        // Return a response, not `Err`: an `Err` skips the middleware that adds headers and counts requests.
        Err(refusal) => Ok(request.into_response(refusal.error_response()).map_into_right_body()),
    }
}

async fn reach(request: &ServiceRequest) -> Result<(), ApiError> {
    let Some(value) = request.headers().get(AFTER) else { return Ok(()) };
    let position = value.to_str().ok().and_then(|text| text.parse::<i64>().ok()).filter(|seq| *seq >= 0);
    let wrong = || ApiError::parameter("X-Umbler-Hub-After", "must be a position, a whole number from 0");
    let position = position.ok_or_else(wrong)?;
    let newest = EdgeState::of(request.request())?.reads.newest.clone();
    if is_published(newest, position).await {
        return Ok(());
    }
    Err(ApiError::Unavailable {
        message: "this hub has not reached the position yet",
        retry_after_seconds: 1,
    })
}
