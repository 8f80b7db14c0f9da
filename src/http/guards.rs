//! Middleware around every handler: headers that protect pages, limits, the access log, and metrics of
//! requests.

use std::time::Instant;

use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, ResponseError, web};

use super::access::{self, AccessLine};
use super::error::ApiError;
use super::read_notes;
use super::state::EdgeState;
use super::trace::{REQUEST_ID, Trace};
use crate::auth::Identity;

/// What pages may load: files of their own host, pictures and media of customers, and sockets to any address of
/// the hub.
const PAGE_POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: https:; \
    media-src 'self' https:; style-src 'self'; script-src 'self'; object-src 'none'; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'self'";
/// The API page has inline styles. It shows no customers' data.
const DOCS_POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; \
    script-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Most bytes of all headers of a request together. A token may have 8 KiB, and cookies of other services on
/// the same host may be added.
const HEADERS_BYTES_MAX: usize = 32 * 1024;
/// Bytes that a header line has besides name and value: a colon, a space, and the end of the line.
const LINE_BYTES: usize = 4;

/// Headers that are set on every answer.
const HEADERS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Adds the headers that protect pages.
pub async fn protect<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let policy = if request.path().starts_with("/api/docs") { DOCS_POLICY } else { PAGE_POLICY };
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        set(headers, name, value);
    }
    set(headers, "content-security-policy", policy);
    Ok(response)
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &'static str) {
    headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
}

/// Refuses an address that asks too often. Used around REST, and never around the webhook.
pub async fn limit<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let state = EdgeState::of(request.request())?;
    match state.rest_limiter.check(state.client_address(request.request())) {
        Ok(()) => next.call(request).await.map(ServiceResponse::map_into_left_body),
        // Return a response, not `Err`: an `Err` skips the CORS, security-header and metrics middleware.
        Err(refusal) => Ok(request.into_response(refusal.error_response()).map_into_right_body()),
    }
}

/// Refuses a head that is larger than any client needs. actix itself accepts four times as much.
pub async fn refuse_large_heads<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let line_bytes =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + LINE_BYTES;
    let bytes: usize = request.headers().iter().map(line_bytes).sum();
    if bytes > HEADERS_BYTES_MAX {
        let refusal = ApiError::HeadersTooLarge(HEADERS_BYTES_MAX);
        return Ok(request.into_response(refusal.error_response()).map_into_right_body());
    }
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

/// Explains in our words that a path does not have a method. actix takes the methods that it has from the
/// routes (RFC 9110, section 15.5.6), but its answer has no body.
pub async fn explain_methods<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let response = next.call(request).await?;
    let is_refused = response.status() == StatusCode::METHOD_NOT_ALLOWED;
    match response.headers().get(ALLOW).filter(|_| is_refused).cloned() {
        Some(allow) => {
            let refusal = ApiError::MethodNotAllowed { allow };
            Ok(response.into_response(refusal.error_response()).map_into_right_body())
        }
        None => Ok(response.map_into_left_body()),
    }
}

/// Logs and counts each request. The path is logged without its query, which may contain the webhook's secret.
pub async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let begun = Instant::now();
    let state = EdgeState::of(request.request()).cloned()?;
    let trace = Trace::of(request.headers());
    let method = request.method().clone();
    let outcome = next.call(request).await;
    let seconds = begun.elapsed().as_secs_f64();
    let mut response = match outcome {
        Ok(response) => response,
        Err(error) => {
            let id = trace.request_id();
            log::warn!(target: access::TARGET, request_id = id; "{method} failed: {error} request_id={id}");
            return Err(error);
        }
    };
    if state.is_draining() {
        // The hub is stopping, so the next request on this connection would not be answered.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    response.headers_mut().insert(REQUEST_ID, trace.request_id.clone());
    let request = response.request();
    let status = response.status().as_u16();
    let route = request.match_pattern().unwrap_or_else(|| "(none)".to_owned());
    state.metrics.http_request(&route, known_method(method.as_str()), status, seconds);
    read_notes::note(&state, request, &route, response.response());
    if log::log_enabled!(target: access::TARGET, log::Level::Info) {
        let bytes = match response.response().body().size() {
            BodySize::Sized(bytes) => bytes,
            BodySize::None | BodySize::Stream => 0,
        };
        let extensions = request.extensions();
        // Without a key everybody is the same anonymous admin.
        let identity = extensions.get::<Identity>().filter(|_| state.authenticator.is_some());
        let line = AccessLine {
            address: state.client_address(request),
            method: method.as_str(),
            route: &route,
            path: request.path(),
            status,
            bytes,
            ms: seconds * 1_000.0,
            user: identity.map(|identity| identity.sub.as_str()),
            trace: &trace,
        };
        line.log();
    }
    Ok(response)
}

/// Bounds the values of the label, because clients may send any word as a method.
fn known_method(method: &str) -> &'static str {
    ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

/// The answer for paths that do not exist.
pub async fn not_found() -> Result<web::Bytes, ApiError> {
    Err(ApiError::NotFound("nothing is at this address"))
}
