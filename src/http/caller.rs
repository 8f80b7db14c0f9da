//! Who calls: an extractor, so that no handler can forget to ask.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{FromRequest, HttpRequest};

use super::error::ApiError;
use super::rebinding;
use super::state::EdgeState;
use crate::archive::Sort;
use crate::auth::{Identity, Role, Scope};
use crate::protocol::shapes::NamedShape;
use crate::telemetry::clock;

/// The caller, signed in where that is required.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who it is.
    pub identity: Identity,
    /// What the token allows.
    pub scope: Arc<Scope>,
}

impl Caller {
    /// Only admins may go on.
    pub fn require_admin(&self, what: &'static str) -> Result<(), ApiError> {
        if self.identity.role == Role::Admin { Ok(()) } else { Err(ApiError::Forbidden(what)) }
    }

    /// Who it is, as others are told.
    pub fn named(&self) -> NamedShape {
        NamedShape { id: self.identity.sub.clone(), name: self.identity.name.clone() }
    }

    /// Refuses an order that would tell what is masked.
    pub fn check_sort(&self, sort: Sort) -> Result<(), ApiError> {
        if sort == Sort::Name && self.scope.is_masked() {
            return Err(ApiError::parameter("sort", "names are masked for viewers"));
        }
        Ok(())
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identify(request).map(|identity| Self { scope: Arc::new(Scope::of(&identity)), identity }))
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
