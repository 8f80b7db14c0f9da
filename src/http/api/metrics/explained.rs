//! What the routes of the metrics share, described once: each answers its own numbers or the occurrences behind
//! one of them, as JSON or CSV.

use std::borrow::Cow;
use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::{HttpRequest, HttpResponse, Responder};
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::sheet::AS_OF;
use crate::http::route::{Call, HandlerPart};

use super::answers::MetricsExplained;

/// The answer of a route, or with `explain=true` the occurrences behind one of its numbers.
pub struct OrExplained<T>(PhantomData<T>);

impl<T: ToSchema> PartialSchema for OrExplained<T> {
    fn schema() -> RefOr<Schema> {
        let either = [T::name(), MetricsExplained::name()].map(Ref::from_schema_name);
        either.into_iter().fold(OneOfBuilder::new(), OneOfBuilder::item).into()
    }
}

impl<T: ToSchema> ToSchema for OrExplained<T> {
    fn name() -> Cow<'static, str> {
        format!("{}OrExplained", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        schemas.push((MetricsExplained::name().into_owned(), MetricsExplained::schema()));
        T::schemas(schemas);
        MetricsExplained::schemas(schemas);
    }
}

/// A table, as JSON of this type or as CSV.
pub struct Tabled<T>(HttpResponse, PhantomData<T>);

impl<T> From<HttpResponse> for Tabled<T> {
    fn from(response: HttpResponse) -> Self {
        Self(response, PhantomData)
    }
}

impl<T> Responder for Tabled<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl<T: ToSchema> HandlerPart for Tabled<T> {
    fn describe(call: &mut Call) {
        call.answers::<T>(200).answers_with(200, "text/csv", String::schema());
        call.header(200, AS_OF, i64::schema(), "With CSV: the position up to which deliveries are counted.");
    }
}
