//! Parameters as programs are told of them. Bounds and words are the ones the reader goes by ([`super::params`]), so the
//! description refuses what the hub refuses.
//!
//! A parameter is left out or has a value: none is ever `null`.

use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};

use super::params::{
    BOOLEANS, CHAT_KINDS, CHAT_STATUSES, ID_CHARS_MAX, LIMIT_DEFAULT, LIMIT_MAX, ORDERS, PAGE_MAX,
    SEARCH_CHARS_MAX, SORTS,
};
use crate::reads::cursor::CURSOR_CHARS_MAX;

/// The characters that cursors are written with (base64 for URLs).
const CURSOR_PATTERN: &str = "^[A-Za-z0-9_-]+$";

/// Makes a group of parameters, to be named under `params(…)` of a route.
macro_rules! parameters {
    ($($(#[$about:meta])* $group:ident: $($parameter:expr),+;)+) => {
        $($(#[$about])*
        pub struct $group;

        impl utoipa::IntoParams for $group {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                vec![$($parameter),+]
            }
        })+
    };
}
pub(in crate::http) use parameters;

/// A parameter of the query that may be left out.
fn query(name: &str, about: &str, schema: ObjectBuilder) -> Parameter {
    optional(ParameterIn::Query, name, about, schema)
}

fn optional(place: ParameterIn, name: &str, about: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// One that must be given.
pub fn required(mut parameter: Parameter) -> Parameter {
    parameter.required = Required::True;
    parameter
}

/// A whole number within bounds.
pub fn number(name: &str, about: &str, least: impl TryInto<i64>, most: impl TryInto<i64>) -> Parameter {
    let (least, most) = (least.try_into().unwrap_or(i64::MIN), most.try_into().unwrap_or(i64::MAX));
    let format = if i32::try_from(most).is_ok() { KnownFormat::Int32 } else { KnownFormat::Int64 };
    let schema = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(format)))
        .minimum(Some(least))
        .maximum(Some(most));
    query(name, about, schema)
}

/// One of a few words.
pub fn word<T>(name: &str, about: &str, words: &[(&str, T)]) -> Parameter {
    query(name, about, string().enum_values(Some(words.iter().map(|(word, _)| *word))))
}

/// `true` or `false`.
pub fn flag(name: &str, about: &str) -> Parameter {
    word(name, about, &BOOLEANS)
}

/// A text of one character to so many.
pub fn text(name: &str, about: &str, most: usize) -> Parameter {
    query(name, about, string().min_length(Some(1)).max_length(Some(most)))
}

/// A text of this form.
pub fn of_form(name: &str, about: &str, pattern: &str) -> Parameter {
    query(name, about, string().pattern(Some(pattern)))
}

/// A header of this form that may be left out.
pub fn header(name: &str, about: &str, pattern: &str) -> Parameter {
    optional(ParameterIn::Header, name, about, string().pattern(Some(pattern)))
}

/// An id of the provider.
pub fn id(name: &str, about: &str) -> Parameter {
    text(name, about, ID_CHARS_MAX)
}

/// A moment, RFC 3339.
pub fn moment(name: &str, about: &str) -> Parameter {
    query(name, about, string().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))))
}

/// How many items there are on a page.
pub fn limit(about: &str) -> Parameter {
    number("limit", about, 1, LIMIT_MAX)
}

/// Which page, counted from 1.
pub fn page(about: &str) -> Parameter {
    number("page", about, 1, PAGE_MAX)
}

/// Where the page before ended.
pub fn cursor(about: &str) -> Parameter {
    let schema =
        string().min_length(Some(1)).max_length(Some(CURSOR_CHARS_MAX)).pattern(Some(CURSOR_PATTERN));
    query("cursor", about, schema)
}

/// What somebody typed into a search box.
pub fn search(about: &str) -> Parameter {
    query("search", about, string().max_length(Some(SEARCH_CHARS_MAX)))
}

/// Whom a chat is held with.
pub fn chat_kind(about: &str) -> Parameter {
    word("kind", about, &CHAT_KINDS)
}

parameters! {
    /// Which page of a list.
    Paged:
        limit(&format!("Items on a page; {LIMIT_DEFAULT}.")),
        page("Which page, from 1. Not together with cursor."),
        cursor("`nextCursor` of the page before.");

    /// Which chats.
    ChatFilters:
        word("status", "`open` includes waiting ones.", &CHAT_STATUSES),
        id("sector", "The id of their sector."),
        id("owner", "The id of their agent."),
        id("channel", "The id of the line they run on."),
        id("tag", "The id of one of the chat's tags."),
        chat_kind("Whom they are held with."),
        search("A part of the name or the phone, without case and accents.");

    /// In which order.
    Sorted:
        word("sort", "`lastInteraction` (default). Names are no order for viewers, who see them masked.", &SORTS),
        word("order", "By default names run from A, times from the newest.", &ORDERS);

    /// Which messages.
    MessageFilters:
        search("A part of the text, without case and accents."),
        id("source", "`Contact`, `Member`, `Bot`, `External`."),
        moment("since", "The first moment that counts."),
        moment("until", "The first moment that counts no more; not earlier than `since`.");
}
