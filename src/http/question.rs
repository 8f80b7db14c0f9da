//! Questions: one struct says what a query string, or a small JSON body, may contain. It is read and described
//! by that struct.
//!
//! # Contract
//!
//! 1. Every field must be known, given once and within its bounds. Otherwise the answer is 400 and names every
//!    wrong field.
//! 2. The description refuses what the reader refuses, because both use the same type, bounds and default.

use std::future::{Ready, ready};
use std::ops::RangeInclusive;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use utoipa::openapi::RefOr;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{
    AdditionalProperties, KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};

use super::error::ApiError;
use super::fields::Fields;

/// What a request asks for, field by field. [`question!`] implements it for a struct.
pub trait Question: Sized {
    /// Takes the question's fields out of `fields`; `None` where one of them is wrong, which is noted there.
    fn take(fields: &mut Fields) -> Option<Self>;

    /// The fields as parameters of a query.
    fn parameters() -> Vec<Parameter>;
}

/// A single value: how its text is read, and how it is described.
pub trait Value: Sized {
    /// Reads the value, or says what it must be.
    fn read(text: &str) -> Result<Self, String>;

    /// The schema of the value.
    fn schema() -> ObjectBuilder;
}

/// A field of a question: a value that may be left out, a value that is [`Mandatory`], or fields that several
/// questions share.
pub trait Field: Sized {
    /// Takes the field out of `fields`; `None` where it is wrong, which is noted there.
    fn take(name: &str, fields: &mut Fields) -> Option<Self>;

    /// The parameters of the field; `about` is the field's doc comment.
    fn parameters(name: &str, about: &str) -> Vec<Parameter>;
}

impl<Q: Question> Field for Q {
    fn take(_: &str, fields: &mut Fields) -> Option<Self> {
        Q::take(fields)
    }

    fn parameters(_: &str, _: &str) -> Vec<Parameter> {
        Q::parameters()
    }
}

impl<V: Value> Field for Option<V> {
    fn take(name: &str, fields: &mut Fields) -> Option<Self> {
        fields.read(name, V::read)
    }

    fn parameters(name: &str, about: &str) -> Vec<Parameter> {
        vec![parameter(ParameterIn::Query, name, about, V::schema(), Required::False)]
    }
}

/// A value that must be given.
#[derive(Debug)]
pub struct Mandatory<V>(pub V);

impl<V: Value> Field for Mandatory<V> {
    fn take(name: &str, fields: &mut Fields) -> Option<Self> {
        let value = fields.read(name, V::read)?;
        if value.is_none() {
            fields.miss(name);
        }
        value.map(Self)
    }

    fn parameters(name: &str, about: &str) -> Vec<Parameter> {
        vec![parameter(ParameterIn::Query, name, about, V::schema(), Required::True)]
    }
}

/// The question in a query string. Any fault in it is answered with 400.
#[derive(Debug)]
pub struct QueryString<Q>(pub Q);

impl<Q: Question> FromRequest for QueryString<Q> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(Fields::in_query(request.query_string())).map(Self))
    }
}

/// Reads a question from a JSON object.
pub fn read_object<Q: Question>(body: &[u8]) -> Result<Q, ApiError> {
    let object = serde_json::from_slice(body)
        .map_err(|error| ApiError::BadRequest(format!("the body is not a JSON object: {error}")))?;
    read(Fields::in_object(object))
}

fn read<Q: Question>(mut fields: Fields) -> Result<Q, ApiError> {
    let read = Q::take(&mut fields);
    fields.finish(read)
}

/// The schema of the object that [`read_object`] reads. It has no other fields, and fields that may be left out
/// may also be `null`.
pub fn object_schema<Q: Question>() -> RefOr<Schema> {
    let mut object = Object::new();
    object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    for parameter in Q::parameters() {
        let is_required = parameter.required == Required::True;
        let Some(RefOr::T(Schema::Object(mut schema))) = parameter.schema else { continue };
        if is_required {
            object.required.push(parameter.name.clone());
        } else {
            schema.schema_type = SchemaType::from_iter([Type::String, Type::Null]);
        }
        schema.description = parameter.description;
        object.properties.insert(parameter.name, schema.into());
    }
    RefOr::T(Schema::Object(object))
}

/// A parameter, as it is described to programs. It is left out or has a value, but is never `null`.
pub fn parameter(
    place: ParameterIn,
    name: &str,
    about: &str,
    schema: ObjectBuilder,
    required: Required,
) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

/// A parameter that is a number within these bounds.
pub fn bounded<T: TryInto<i64> + Clone>(
    name: &str,
    about: &str,
    bounds: &RangeInclusive<T>,
) -> Vec<Parameter> {
    let [least, most] =
        [bounds.start(), bounds.end()].map(|bound| bound.clone().try_into().unwrap_or(i64::MAX));
    let format = if i32::try_from(most).is_ok() { KnownFormat::Int32 } else { KnownFormat::Int64 };
    let schema = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(format)))
        .minimum(Some(least))
        .maximum(Some(most));
    vec![parameter(ParameterIn::Query, name, about, schema, Required::False)]
}

/// The name on the wire: `chat_id` is `chatId`, and `r#in` is `in`.
pub fn wire_name(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    for (number, word) in field.trim_start_matches("r#").split('_').enumerate() {
        let (first, rest) = word.split_at(word.len().min(1));
        name.push_str(if number == 0 { first } else { "" });
        name.extend(first.chars().filter(|_| number > 0).map(|c| c.to_ascii_uppercase()));
        name.push_str(rest);
    }
    name
}

/// The lines of a field's doc comment as one text.
pub fn about(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// Makes a [`Question`] of a struct. The doc comment of a field describes it, and its type says what it may be.
/// A number has its bounds in brackets after its type, and after `=` comes the value where the field is left
/// out. Which fields cannot be given together is checked by a function that is named at the end:
///
/// ```text
/// question! {
///     struct UpdatesQuestion {
///         /// The last position that the caller has.
///         after: i64 [0..=i64::MAX] = 0,
///         /// The life of the journal that `after` belongs to.
///         epoch: Option<Id>,
///         /// Updates at most.
///         limit: u32 [1..=UPDATES_MAX] = 100,
///     }
///     checked by fits_together
/// }
/// ```
macro_rules! question {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[doc = $doc:literal])* $field_vis:vis $field:ident: $type:ty $([$bounds:expr])? $(= $default:expr)?),*
            $(,)?
        }
        $(checked by $check:path)?
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $name {
            $($(#[doc = $doc])* $field_vis $field: $type),*
        }

        impl $crate::http::question::Question for $name {
            fn take(fields: &mut $crate::http::fields::Fields) -> Option<Self> {
                // All are read before a wrong one ends it, so that every wrong one is named.
                $(let $field = $crate::http::question::question!(
                    @take fields, &$crate::http::question::wire_name(stringify!($field)), $type $(, [$bounds])? $(, = $default)?
                );)*
                let question = Self { $($field: $field?),* };
                $($check(&question, fields);)?
                Some(question)
            }

            fn parameters() -> Vec<utoipa::openapi::path::Parameter> {
                let parts: &[Vec<utoipa::openapi::path::Parameter>] = &[$($crate::http::question::question!(
                    @parameters &$crate::http::question::wire_name(stringify!($field)),
                    &$crate::http::question::about(&[$($doc),*]), $type $(, [$bounds])? $(, = $default)?
                )),*];
                parts.concat()
            }
        }
    };

    (@take $fields:ident, $name:expr, $type:ty) => { <$type as $crate::http::question::Field>::take($name, $fields) };
    (@take $fields:ident, $name:expr, $type:ty, = $default:expr) => {
        <Option<$type> as $crate::http::question::Field>::take($name, $fields).map(|value| value.unwrap_or($default))
    };
    (@take $fields:ident, $name:expr, $type:ty, [$bounds:expr]) => { $fields.number($name, &($bounds)) };
    (@take $fields:ident, $name:expr, $type:ty, [$bounds:expr], = $default:expr) => {
        $fields.number($name, &($bounds)).map(|number| number.unwrap_or($default))
    };

    (@parameters $name:expr, $about:expr, $type:ty) => { <$type as $crate::http::question::Field>::parameters($name, $about) };
    (@parameters $name:expr, $about:expr, $type:ty, = $default:expr) => {
        <Option<$type> as $crate::http::question::Field>::parameters($name, $about)
    };
    (@parameters $name:expr, $about:expr, $type:ty, [$bounds:expr]) => {
        $crate::http::question::bounded($name, $about, &($bounds))
    };
    (@parameters $name:expr, $about:expr, $type:ty, [$bounds:expr], = $default:expr) => {
        $crate::http::question::bounded($name, &format!("{} {} where it is left out.", $about, $default), &($bounds))
    };
}
pub(in crate::http) use question;

/// A question without fields: whatever is given is unknown.
#[derive(Debug)]
pub struct Nothing;

impl Question for Nothing {
    fn take(_: &mut Fields) -> Option<Self> {
        Some(Self)
    }

    fn parameters() -> Vec<Parameter> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    question! {
        struct Fruit {
            /// How many
            /// of them.
            how_many: u32 [1..=9] = 3,
            /// Is it ripe?
            ripe: Option<bool>,
        }
    }

    fn asks(query: &str) -> Result<Fruit, String> {
        read(Fields::in_query(query)).map_err(|error: ApiError| error.to_string())
    }

    #[test]
    fn what_is_left_out_is_the_default_and_every_wrong_field_is_named() {
        let fruit = asks("ripe=true").unwrap();
        assert_eq!((fruit.how_many, fruit.ripe), (3, Some(true)));
        assert_eq!(asks("howMany=0").unwrap_err(), "must be a whole number from 1 to 9");
        assert_eq!(
            asks("howMany=10&ripe=maybe&x=1&y=2&y=3").unwrap_err(),
            "y is given twice; howMany must be a whole number from 1 to 9; ripe must be one of true, false; \
             x is not known here"
        );
    }

    #[test]
    fn a_question_is_described_as_it_is_read() {
        let [how_many, ripe] = &<Fruit as Question>::parameters()[..] else { panic!("two fields") };
        assert_eq!(how_many.name, "howMany");
        assert_eq!(how_many.description.as_deref(), Some("How many of them. 3 where it is left out."));
        assert!(ripe.name == "ripe" && ripe.required == Required::False);
    }

    #[test]
    fn fields_have_the_names_of_the_wire() {
        for (field, name) in [("limit", "limit"), ("at_least_ms", "atLeastMs"), ("r#in", "in")] {
            assert_eq!(wire_name(field), name);
        }
    }
}
