//! `GET /ws`: checks the handshake, then opens a session.

use actix_web::http::Version;
use actix_web::http::header::{HeaderName, HeaderValue, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::ApiError;
use super::state::{EdgeState, stopping};
use super::{origin, rebinding};
use crate::session;

/// The version of the protocol, and the number of bytes of a client's key (RFC 6455, section 4.1).
const VERSION: &str = "13";
const KEY_BYTES: usize = 16;

/// actix-web-actors accepts older drafts, any key and headers that are sent twice, which RFC 6455, section
/// 4.2.1, does not allow. It refuses missing headers itself.
fn check_handshake(request: &HttpRequest) -> Result<(), ApiError> {
    let header = |name| request.headers().get(name).map(|value: &HeaderValue| value.as_bytes());
    let upgrades = header(UPGRADE).is_some_and(|upgrade| upgrade.eq_ignore_ascii_case(b"websocket"));
    if !upgrades {
        return Err(ApiError::UpgradeRequired);
    }
    if request.version() < Version::HTTP_11 {
        return Err(ApiError::BadRequest("a WebSocket begins with HTTP/1.1".to_owned()));
    }
    for name in [SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION] {
        check_is_single(request, &name)?;
    }
    let Some(key) = header(SEC_WEBSOCKET_KEY) else {
        return Err(ApiError::BadRequest("Sec-WebSocket-Key is missing".to_owned()));
    };
    if header(SEC_WEBSOCKET_VERSION).is_some_and(|version| version != VERSION.as_bytes()) {
        return Err(ApiError::UpgradeRequired);
    }
    if STANDARD.decode(key).is_ok_and(|key| key.len() == KEY_BYTES) {
        Ok(())
    } else {
        Err(ApiError::BadRequest("Sec-WebSocket-Key must be 16 bytes in base64".to_owned()))
    }
}

/// Of a header that is sent twice, a proxy and the hub might each use another one.
fn check_is_single(request: &HttpRequest, name: &HeaderName) -> Result<(), ApiError> {
    if request.headers().get_all(name).count() > 1 {
        return Err(ApiError::BadRequest(format!("{name} is sent twice")));
    }
    Ok(())
}

/// Opens a WebSocket. Browsers send `Origin`, and a page of another site must not use its visitor's network.
pub async fn open(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<EdgeState>,
) -> Result<HttpResponse, actix_web::Error> {
    if state.is_draining() {
        return Err(stopping().into());
    }
    let address = state.client_address(&request);
    state.connect_limiter.check(address)?;
    rebinding::check(&request)?;
    check_handshake(&request)?;
    origin::check(&request, &state.settings.origins)?;
    session::open(&request, payload, state.session_context(address))
}
