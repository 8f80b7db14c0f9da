//! What is checked of every request that changes something, before its handler runs: that no page of another
//! site made it.
//!
//! Without a JWT key everybody who reaches the hub is an admin. A page of another site that is open on the
//! hub's machine reaches it too, because browsers let any page post a form or plain text anywhere without
//! asking first. So a write must come from the hub's own pages or those of `FRONTEND_URL`, use a name that
//! nobody else can point at the hub, and declare its body as a type that pages of other sites may not send
//! without asking. Routes that change something are made with [`super::route`].
//!
//! The webhook has rules of its own (`webhook.rs`): the provider's `Content-Type` is ignored.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpRequest, ResponseError, Route};

use super::error::ApiError;
use super::state::EdgeState;
use super::{origin, rebinding};

/// The body that a write takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A body that is declared as JSON.
    Json,
    /// A body that is declared as CSV.
    Csv,
    /// No body. If one is sent, it must be declared as JSON.
    Nothing,
}

impl Takes {
    /// The media type that the body must be declared as.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json | Self::Nothing => "application/json",
            Self::Csv => "text/csv",
        }
    }
}

/// The route of a handler that changes something, with the checks before it.
pub fn guarded(route: Route, takes: Takes) -> Route {
    let guard = move |request: ServiceRequest, next: Next<BoxBody>| guard(takes, request, next);
    route.wrap(from_fn(guard))
}

async fn guard(
    takes: Takes,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match check(takes, request.request()) {
        Ok(()) => next.call(request).await,
        // Return a response, not `Err`: an `Err` skips the middleware that adds headers and counts requests.
        Err(refusal) => Ok(request.into_response(refusal.error_response())),
    }
}

fn check(takes: Takes, request: &HttpRequest) -> Result<(), ApiError> {
    rebinding::check(request)?;
    origin::check(request, &EdgeState::of(request)?.settings.origins)?;
    if takes == Takes::Nothing && !has_body(request) {
        return Ok(());
    }
    check_type(request, takes.media_type())
}

fn check_type(request: &HttpRequest, expected: &'static str) -> Result<(), ApiError> {
    let declared = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = declared.and_then(|value| value.split(';').next()).unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case(expected) {
        Ok(())
    } else {
        Err(ApiError::UnsupportedType(expected))
    }
}

/// True where a body is announced, or a type for one.
fn has_body(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let is_empty = headers.get(CONTENT_LENGTH).is_none_or(|length| length.as_bytes() == b"0");
    !is_empty || headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(CONTENT_TYPE)
}
