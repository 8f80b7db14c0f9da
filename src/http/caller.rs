//! Who calls. Handlers get the caller as an argument, so none can forget to check the token.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use jiff::Timestamp;

use super::error::{ApiError, CallRefusals};
use super::rebinding;
use super::route::{Call, HandlerPart};
use super::state::EdgeState;
use crate::auth::{Identity, Role, Scope};
use crate::protocol::StatsShape;
use crate::protocol::shapes::NamedShape;
use crate::reads::{Asker, ListPastChats, Query, Sort};
use crate::telemetry::clock;

/// The caller, signed in where that is required.
#[derive(Debug, Clone)]
pub struct Caller {
    pub identity: Identity,
    /// What the caller may see.
    pub scope: Arc<Scope>,
}

impl Caller {
    /// The caller's id and name, as others see them.
    pub fn named(&self) -> NamedShape {
        NamedShape { id: self.identity.sub.clone(), name: self.identity.name.clone() }
    }

    /// Refuses an order that would reveal masked names.
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

impl HandlerPart for Caller {
    fn describe(call: &mut Call) {
        call.secured_by(&["bearer"]).refusals::<CallRefusals>();
    }
}

/// A caller who is an admin. Others are refused before the handler runs.
#[derive(Debug, Clone)]
pub struct Admin(pub Caller);

impl FromRequest for Admin {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let admin = Caller::from_request(request, payload).into_inner().and_then(|caller| {
            let is_admin = caller.identity.role == Role::Admin;
            is_admin.then_some(Self(caller)).ok_or(ApiError::Forbidden("only admins may do this"))
        });
        ready(admin)
    }
}

impl HandlerPart for Admin {
    fn describe(call: &mut Call) {
        Caller::describe(call);
        call.refuses(403, "The token is not an admin's.");
    }
}

impl HandlerPart for UserState {}

/// The state for handlers, with the user who calls. Questions to the readers wait in a queue of that user.
pub struct UserState {
    state: web::Data<EdgeState>,
    asker: Asker,
}

impl UserState {
    /// Asks the journal's readers, in the queue of this user.
    pub async fn ask<Q: Query>(&self, query: Q) -> Result<Q::Answer, ApiError> {
        self.state.ask(self.asker.clone(), query).await
    }

    /// Asks the metrics, which may be behind: see [`Reads::catch_up`](crate::reads::Reads::catch_up).
    pub async fn ask_metrics<Q: Query>(&self, query: Q) -> Result<Q::Answer, ApiError> {
        self.state.ask_metrics(self.asker.clone(), query).await
    }

    /// The counters as a scope sees them, now or as they were at a moment.
    pub async fn stats(&self, scope: Arc<Scope>, then: Option<Timestamp>) -> Result<StatsShape, ApiError> {
        self.state.stats(self.asker.clone(), scope, then).await
    }

    /// Ids of the chats that were open at the moment of `list`, if it only asks for open ones; `None` where the
    /// metrics cannot tell.
    pub async fn open_then(&self, list: &ListPastChats) -> Result<Option<Vec<String>>, ApiError> {
        self.state.open_then(self.asker.clone(), list).await
    }
}

impl Deref for UserState {
    type Target = EdgeState;

    fn deref(&self) -> &EdgeState {
        &self.state
    }
}

impl FromRequest for UserState {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let of_user = |identity: Identity| {
            let state = EdgeState::of(request)?.clone();
            Ok(Self { state, asker: Asker::User(identity.sub.as_str().into()) })
        };
        ready(identify(request).and_then(of_user))
    }
}

/// Reads and checks the token, once for each request. Without a key everybody is the anonymous admin.
pub fn identify(request: &HttpRequest) -> Result<Identity, ApiError> {
    let known = request.extensions().get::<Identity>().cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let identity = read_identity(request)?;
    request.extensions_mut().insert(identity.clone());
    Ok(identity)
}

fn read_identity(request: &HttpRequest) -> Result<Identity, ApiError> {
    let Some(authenticator) = &EdgeState::of(request)?.authenticator else {
        rebinding::check(request)?;
        return Ok(Identity::anonymous());
    };
    let missing = || ApiError::Unauthorized("send Authorization: Bearer and a token".to_owned());
    let token = bearer(request.headers()).ok_or_else(missing)?;
    Ok(authenticator.verify(token, clock::now())?)
}

/// The token of `Authorization: Bearer`. The case of the scheme does not matter (RFC 7235).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
