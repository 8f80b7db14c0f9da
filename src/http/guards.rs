//! What stands around every handler: headers that protect pages, limits, the access log, the count of requests.

use std::time::Instant;

use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, ResponseError, web};

use super::error::ApiError;
use super::state::EdgeState;
use super::webhook;

/// The target of the access log: `RUST_LOG=info,access=warn` turns it off.
const ACCESS_TARGET: &str = "access";

/// What pages may load: their own host's files, pictures and media of customers, sockets to wherever the hub is.
const PAGE_POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: https:; \
    media-src 'self' https:; style-src 'self'; script-src 'self'; object-src 'none'; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'self'";
/// The API page styles itself inline; it shows no customer's data.
const DOCS_POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; \
    script-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Headers on every answer.
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

/// Refuses an address that asks too often. Stands around REST, never around the webhook.
pub async fn limit<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let state = EdgeState::of(request.request())?;
    match state.rest_limiter.check(state.client_address(request.request())) {
        Ok(()) => next.call(request).await.map(ServiceResponse::map_into_left_body),
        // An answer and no error: errors pass by what adds CORS and protecting headers and counts requests.
        Err(refusal) => Ok(request.into_response(refusal.error_response()).map_into_right_body()),
    }
}

/// Logs and counts each request: its path without the query, for a query may hold the webhook's secret.
pub async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let begun = Instant::now();
    let state = EdgeState::of(request.request()).cloned()?;
    let method = request.method().clone();
    let outcome = next.call(request).await;
    let seconds = begun.elapsed().as_secs_f64();
    let mut response = match outcome {
        Ok(response) => response,
        Err(error) => {
            log::warn!(target: ACCESS_TARGET, "{method} failed: {error}");
            return Err(error);
        }
    };
    if state.is_draining() {
        // The next request on this connection would find nobody.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let request = response.request();
    let status = response.status().as_u16();
    let route = request.match_pattern().unwrap_or_else(|| "(none)".to_owned());
    state.metrics.http_request(&route, known_method(method.as_str()), status, seconds);
    if log::log_enabled!(target: ACCESS_TARGET, log::Level::Info) {
        let bytes = match response.response().body().size() {
            BodySize::Sized(bytes) => bytes,
            BodySize::None | BodySize::Stream => 0,
        };
        let (path, address) = (request.path(), state.client_address(request));
        let ms = seconds * 1_000.0;
        log::info!(target: ACCESS_TARGET, "{address} {method} {path} {status} {bytes} B {ms:.1} ms");
    }
    Ok(response)
}

/// A bound on the label: clients may send any word as a method.
fn known_method(method: &str) -> &'static str {
    ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

/// Nothing has this path.
pub async fn not_found() -> Result<web::Bytes, ApiError> {
    Err(ApiError::NotFound("nothing has this address"))
}

/// The path is known, the method is not.
pub async fn method_not_allowed(request: HttpRequest) -> Result<web::Bytes, ApiError> {
    // RFC 9110 15.5.6: the answer names the methods that are known here.
    let allow = match request.match_pattern().as_deref() {
        Some(path) if webhook::PATHS.contains(&path) => "POST",
        Some("/api/umbler/notify" | "/api/umbler/members/import") => "POST",
        Some("/api/umbler/members/{id}") => "PUT, DELETE",
        Some("/api/umbler/revocations") => "GET, HEAD, POST",
        Some("/ws" | "/metrics" | "/api/umbler/stream") => "GET",
        _ => "GET, HEAD",
    };
    Err(ApiError::MethodNotAllowed { allow })
}
