//! Who calls: an extractor, so that no handler can forget to ask.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{FromRequest, HttpRequest};

use super::error::ApiError;
use super::rebinding;
use super::state::EdgeState;
use crate::auth::Identity;
use crate::telemetry::clock;

/// The caller, signed in where that is required.
#[derive(Debug, Clone)]
pub struct Caller(pub Identity);

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identify(request).map(Self))
    }
}

/// Reads and checks the token. Without a key everybody is the anonymous admin.
pub fn identify(request: &HttpRequest) -> Result<Identity, ApiError> {
    let Some(authenticator) = &EdgeState::of(request)?.authenticator else {
        rebinding::check(request)?;
        return Ok(Identity::anonymous());
    };
    let missing = || ApiError::Unauthorized("send Authorization: Bearer and a token".to_owned());
    let token = bearer(request.headers()).ok_or_else(missing)?;
    Ok(authenticator.verify(token, clock::now())?)
}

/// The token of `Authorization: Bearer`; the scheme's case does not count (RFC 7235).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
