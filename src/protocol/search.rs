//! The answer to a search: which contacts and messages were found, and where the words are in them.

use serde::Serialize;
use utoipa::ToSchema;

use super::shapes::{ContactShape, MessageShape};

/// A piece of a text. All pieces, one after the other, are the text to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Piece {
    /// Plain text, and never markup.
    pub text: String,
    /// True where this piece matches the search.
    #[serde(rename = "match")]
    pub is_match: bool,
}

/// A message's text around the first match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Excerpt {
    /// At most 240 characters, in pieces.
    pub text: Vec<Piece>,
    /// True where the message has more text before the excerpt.
    pub cut_before: bool,
    /// True where the message has more text after the excerpt.
    pub cut_after: bool,
}

/// The matches in a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ContactHighlight {
    /// The name in pieces; `null` where nothing in it matches.
    pub name: Option<Vec<Piece>>,
    /// The phone in pieces; `null` where nothing in it matches.
    pub phone: Option<Vec<Piece>>,
}

/// A contact that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FoundContact {
    /// The contact, as lists show it.
    pub contact: ContactShape,
    /// The matches in the contact.
    pub highlight: ContactHighlight,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundMessage {
    /// The message, as lists show it.
    pub message: MessageShape,
    /// Name of the contact that the chat is held with.
    pub contact_name: Option<String>,
    /// Phone of this contact.
    pub contact_phone: Option<String>,
    /// The matches in the message's text.
    pub highlight: Excerpt,
}
