//! What a search answers: who and what was found, and where in it.

use serde::Serialize;
use utoipa::ToSchema;

use super::shapes::{ContactShape, MessageShape};

/// A piece of a text; all pieces, one after the other, are what is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Piece {
    /// Plain text, never markup.
    pub text: String,
    /// This was found.
    #[serde(rename = "match")]
    pub is_match: bool,
}

/// A message's text around the first find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Excerpt {
    /// At most 240 characters in pieces.
    pub text: Vec<Piece>,
    /// There is text before them.
    pub cut_before: bool,
    /// There is text after them.
    pub cut_after: bool,
}

/// Where a contact was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ContactHighlight {
    /// The name; `null` where nothing in it was found.
    pub name: Option<Vec<Piece>>,
    /// The phone; `null` where nothing in it was found.
    pub phone: Option<Vec<Piece>>,
}

/// A contact that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FoundContact {
    /// The contact, as lists show it.
    pub contact: ContactShape,
    /// Where in it.
    pub highlight: ContactHighlight,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundMessage {
    /// The message, as lists show it.
    pub message: MessageShape,
    /// Whom the chat is held with.
    pub contact_name: Option<String>,
    /// Where in its text.
    pub highlight: Excerpt,
}
