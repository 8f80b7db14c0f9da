//! The values that questions consist of. Each has its bounds here, for the reader and for the description.

use jiff::Timestamp;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};

use super::question::Value;
use crate::domain::{AlertKind, ChatKind};
use crate::reads::cursor::CURSOR_CHARS_MAX;
use crate::reads::{Cursor, Order, Sort, StatusFilter};
use crate::telemetry::clock;

/// Longest id in a question, in characters.
pub const ID_CHARS_MAX: usize = 256;
/// Longest text of a search, in characters.
pub const SEARCH_CHARS_MAX: usize = 200;
/// The pattern of cursors (base64 for URLs).
const CURSOR_PATTERN: &str = "^[A-Za-z0-9_-]+$";

/// True for a text of 1 to `most` characters. It counts characters and not bytes, like the description: JSON
/// Schema has no bytes, and a name should not have to be shorter because of its accents.
pub fn fits(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().take(most + 1).count() <= most
}

/// The text if it has 1 to `most` characters, or what it must have.
pub fn of_length(text: &str, most: usize) -> Result<&str, String> {
    if fits(text, most) { Ok(text) } else { Err(format!("must have 1 to {most} characters")) }
}

/// The schema of a text.
pub fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// An id of the provider, or the `sub` of a token.
#[derive(Debug)]
pub struct Id(String);

impl Value for Id {
    fn read(text: &str) -> Result<Self, String> {
        of_length(text, ID_CHARS_MAX).map(|text| Self(text.to_owned()))
    }

    fn schema() -> ObjectBuilder {
        string().min_length(Some(1)).max_length(Some(ID_CHARS_MAX))
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

/// What somebody typed into a search box. An empty text is accepted, and searches for nothing.
#[derive(Debug)]
pub struct SearchText(String);

impl SearchText {
    /// The text to search for, if any.
    pub fn wanted(typed: Option<Self>) -> Option<String> {
        typed.map(|typed| typed.0).filter(|text| !text.trim().is_empty())
    }
}

impl Value for SearchText {
    fn read(text: &str) -> Result<Self, String> {
        let is_taken = text.is_empty() || fits(text, SEARCH_CHARS_MAX);
        is_taken
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| format!("must have at most {SEARCH_CHARS_MAX} characters"))
    }

    fn schema() -> ObjectBuilder {
        string().max_length(Some(SEARCH_CHARS_MAX))
    }
}

/// A moment in RFC 3339.
impl Value for Timestamp {
    fn read(text: &str) -> Result<Self, String> {
        let wrong = |_no_moment| "must be a moment like 2026-03-02T13:00:00Z (RFC 3339)".to_owned();
        text.parse().map_err(wrong)
    }

    fn schema() -> ObjectBuilder {
        string().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
    }
}

/// A moment in the past, for questions about how things were then.
#[derive(Debug, Clone, Copy)]
pub struct Past(pub Timestamp);

impl Value for Past {
    fn read(text: &str) -> Result<Self, String> {
        let moment = Timestamp::read(text)?;
        if moment > clock::now() { Err("is in the future".to_owned()) } else { Ok(Self(moment)) }
    }

    fn schema() -> ObjectBuilder {
        Timestamp::schema()
    }
}

/// The end of the page before.
impl Value for Cursor {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: crate::reads::cursor::CursorError| error.to_string())
    }

    fn schema() -> ObjectBuilder {
        string().min_length(Some(1)).max_length(Some(CURSOR_CHARS_MAX)).pattern(Some(CURSOR_PATTERN))
    }
}

/// A value that is one of a few words.
pub trait Words: Copy {
    /// Each word and its value.
    fn words() -> Vec<(&'static str, Self)>;
}

impl<T: Words> Value for T {
    fn read(text: &str) -> Result<Self, String> {
        let words = T::words();
        let known = words.iter().find(|(word, _)| *word == text);
        known.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            format!("must be one of {}", words.join(", "))
        })
    }

    fn schema() -> ObjectBuilder {
        string().enum_values(Some(T::words().into_iter().map(|(word, _)| word)))
    }
}

/// Sets the words of a type.
macro_rules! words {
    ($type:ty: $($word:literal => $value:expr),+ $(,)?) => {
        impl $crate::http::values::Words for $type {
            fn words() -> Vec<(&'static str, Self)> {
                vec![$(($word, $value)),+]
            }
        }
    };
}
pub(in crate::http) use words;

words!(bool: "true" => true, "false" => false);
words!(StatusFilter: "open" => Self::Open, "waiting" => Self::Waiting, "closed" => Self::Closed);
words!(ChatKind: "direct" => Self::Direct, "group" => Self::Group, "internal" => Self::Internal);
words!(Sort: "lastInteraction" => Self::LastInteraction, "name" => Self::Name, "createdAt" => Self::CreatedAt);
/// How the place of a file is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// 302 with the file's address.
    Redirect,
    /// An object with the file's address.
    Json,
}

words!(FileFormat: "redirect" => Self::Redirect, "json" => Self::Json);
words!(Order: "asc" => Self::Asc, "desc" => Self::Desc);

impl Words for AlertKind {
    fn words() -> Vec<(&'static str, Self)> {
        Self::ALL.map(|kind| (kind.as_str(), kind)).to_vec()
    }
}
