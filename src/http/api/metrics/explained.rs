//! What the routes of the metrics have in common, described once: each answers its own numbers or what is behind one of
//! them, as JSON or as CSV.

use std::borrow::Cow;
use std::marker::PhantomData;

use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::openapi::{Content, Header, OpenApi, Ref, RefOr};
use utoipa::{Modify, PartialSchema, ToSchema};

use super::answers::{Distribution, LiveMetrics, MetricsExplained, MetricsTable};

/// The answer of a route, or with `explain=true` what is behind one number of it.
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

/// What a route that makes a table answers.
pub type TableAnswer = OrExplained<MetricsTable>;
/// What the route that makes a distribution answers.
pub type DistributionAnswer = OrExplained<Distribution>;
/// What the route of the live metrics answers.
pub type LiveAnswer = OrExplained<LiveMetrics>;

/// Says of every answer that it may be CSV, too.
pub struct InCsvToo;

impl Modify for InCsvToo {
    fn modify(&self, document: &mut OpenApi) {
        let calls = document.paths.paths.values_mut().filter_map(|path| path.get.as_mut());
        for answer in calls.filter_map(|call| call.responses.responses.get_mut("200")) {
            let RefOr::T(answer) = answer else { continue };
            answer.content.insert("text/csv".to_owned(), Content::new(Some(String::schema())).into());
            let mut as_of = Header::new(i64::schema());
            as_of.description = Some("With CSV: every delivery up to here is in it.".to_owned());
            answer.headers.insert("X-As-Of-Seq".to_owned(), as_of.into());
        }
    }
}
