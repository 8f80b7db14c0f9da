//! What handlers take from a request besides its question: the id in the path, and the body.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{Error, FromRequest, HttpRequest, web};
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{RefOr, Required, Schema};

use super::body;
use super::error::{ApiError, BodyRefusals, LookupRefusals};
use super::question::{QueryString, Question, Value, parameter};
use super::route::{Call, HandlerPart};
use super::state::EdgeState;
use super::values::Id;
use super::writes::Takes;

type LocalFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>>>>;

impl<Q: Question> HandlerPart for QueryString<Q> {
    fn describe(call: &mut Call) {
        call.parameters(Q::parameters());
    }
}

/// The `{id}` of a path. An id that is too long to be one is not found.
#[derive(Debug)]
pub struct PathId<V = Id>(pub V);

impl<V: Value + 'static> FromRequest for PathId<V> {
    type Error = Error;
    type Future = LocalFuture<Self, Error>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let id = web::Path::<String>::from_request(request, payload);
        Box::pin(async move {
            let id = V::read(&id.await?)
                .map_err(|_too_long| ApiError::NotFound("the id is longer than ids can be"))?;
            Ok(Self(id))
        })
    }
}

impl<V: Value> HandlerPart for PathId<V> {
    fn describe(call: &mut Call) {
        let about = "An id. Upper and lower case matter.";
        call.parameters([parameter(ParameterIn::Path, "id", about, V::schema(), Required::True)]);
        call.refusals::<LookupRefusals>();
    }
}

/// A type that is read from the body of a request.
pub trait Content: Sized {
    /// The type that the body must be declared as.
    const TAKES: Takes = Takes::Json;
    /// Largest body of this type, in bytes.
    const BYTES_MAX: usize;

    /// Reads the value, or says why it is refused.
    fn read(bytes: &[u8], state: &EdgeState) -> Result<Self, ApiError>;

    /// The schema of the body.
    fn schema(call: &mut Call) -> RefOr<Schema>;
}

/// The body of a request, read to its end and checked.
#[derive(Debug)]
pub struct RequestBody<T>(pub T);

impl<T: Content> FromRequest for RequestBody<T> {
    type Error = ApiError;
    type Future = LocalFuture<Self, ApiError>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = web::Payload::from_request(&request, payload).into_inner();
        Box::pin(async move {
            let payload = payload.map_err(|_never| ApiError::Internal)?;
            let state = EdgeState::of(&request)?;
            let body = body::read(&request, payload, T::BYTES_MAX, state).await?;
            T::read(&body.bytes, state).map(Self)
        })
    }
}

impl<T: Content> HandlerPart for RequestBody<T> {
    fn describe(call: &mut Call) {
        let schema = T::schema(call);
        call.body(T::TAKES, schema, &format!("At most {} KiB.", T::BYTES_MAX / 1024));
        call.refusals::<BodyRefusals>();
        call.refuses(400, "The body or a parameter is wrong; the error says what.");
    }
}
