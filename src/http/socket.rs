//! `GET /ws`: checks who knocks, then opens a session.

use actix_web::http::header::{HOST, ORIGIN};
use actix_web::{HttpRequest, HttpResponse, web};

use super::error::ApiError;
use super::state::EdgeState;
use crate::session::{self, SessionSeat};

/// Opens a WebSocket. Browsers send `Origin`; a page of another site must not use its visitor's network.
pub async fn open(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<EdgeState>,
) -> Result<HttpResponse, actix_web::Error> {
    let address = state.client_address(&request);
    state.connect_limiter.check(address)?;
    check_origin(&request, &state)?;
    let seat = SessionSeat {
        hub: state.hub.clone(),
        authenticator: state.authenticator.clone(),
        address,
        metrics: state.metrics.clone(),
    };
    session::open(&request, payload, seat)
}

/// A page of another site must not use its visitor's network.
pub fn check_origin(request: &HttpRequest, state: &EdgeState) -> Result<(), ApiError> {
    let header = |name| {
        request
            .headers()
            .get(name)
            .map(|value: &actix_web::http::header::HeaderValue| value.to_str().unwrap_or("?"))
    };
    if let Some(origin) = header(ORIGIN)
        && !state.settings.origins.allows_socket(origin, header(HOST))
    {
        log::info!("a page of {origin:?} was not let in; FRONTEND_URL names the pages that are");
        return Err(ApiError::Forbidden(
            "this page's origin is not allowed; FRONTEND_URL names those that are",
        ));
    }
    Ok(())
}
