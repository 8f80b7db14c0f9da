//! The body of a message to send, read and checked.

use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::domain::sending::TEXT_CHARS_MAX;
use crate::domain::visible::has_visible;
use crate::http::error::ApiError;
use crate::http::extract::Content;
use crate::http::route::Call;
use crate::http::state::EdgeState;
use crate::http::values::string;

/// The largest body: the longest text, each character escaped, and the rest.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest id of a sender, in bytes.
pub const TEMP_ID_BYTES_MAX: usize = 256;
/// The longest prefix, in characters.
pub const PREFIX_CHARS_MAX: usize = 100;

/// A message to the customer, or a note for the team.
#[derive(Debug, ToSchema)]
#[schema(as = SendRequest, rename_all = "camelCase")]
pub struct SendRequest {
    /// What the customer or the team reads.
    pub text: String,
    /// An id that the caller chooses, at most 256 bytes: the same twice is one message. Left out: the hub chooses one.
    pub temp_id: Option<String>,
    /// True for a note that only the team sees. False where it is left out.
    pub private: Option<bool>,
    /// What the customer sees before the text; empty: nothing. Left out: what `UMBLER_SEND_PREFIX` says.
    pub prefix: Option<String>,
}

impl Content for SendRequest {
    const BYTES_MAX: usize = BODY_BYTES_MAX;

    fn read(bytes: &[u8], _: &EdgeState) -> Result<Self, ApiError> {
        let object = serde_json::from_slice(bytes)
            .map_err(|error| ApiError::BadRequest(format!("the body is not a JSON object: {error}")))?;
        read(object)
    }

    fn schema(call: &mut Call) -> RefOr<Schema> {
        let filled = |most| string().min_length(Some(1)).max_length(Some(most));
        call.bounded::<Self>([
            ("text", filled(TEXT_CHARS_MAX)),
            // At least as many bytes as characters.
            ("tempId", filled(TEMP_ID_BYTES_MAX)),
            ("prefix", string().max_length(Some(PREFIX_CHARS_MAX))),
        ])
    }
}

fn read(mut object: Map<String, Value>) -> Result<SendRequest, ApiError> {
    let mut wrong = Vec::new();
    let text = take_text(&mut object, "text", &mut wrong);
    let temp_id = take_text(&mut object, "tempId", &mut wrong);
    let prefix = take_text(&mut object, "prefix", &mut wrong);
    let private = match object.remove("private") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(private)) => Some(private),
        Some(_) => {
            wrong.push(("private".to_owned(), "must be true or false".to_owned()));
            None
        }
    };
    let mut refuse = |name: &str, what: String| wrong.push((name.to_owned(), what));
    match &text {
        None => refuse("text", "is missing".to_owned()),
        Some(text) if text.chars().count() > TEXT_CHARS_MAX || !has_visible(text) => {
            refuse("text", format!("must have 1 to {TEXT_CHARS_MAX} characters, not only blanks"));
        }
        Some(_) => {}
    }
    if temp_id.as_ref().is_some_and(|id| id.is_empty() || id.len() > TEMP_ID_BYTES_MAX) {
        refuse("tempId", format!("must have 1 to {TEMP_ID_BYTES_MAX} bytes"));
    }
    if prefix.as_ref().is_some_and(|prefix| prefix.chars().count() > PREFIX_CHARS_MAX) {
        refuse("prefix", format!("must have at most {PREFIX_CHARS_MAX} characters"));
    }
    for name in object.keys() {
        refuse(name, "is not known here".to_owned());
    }
    if !wrong.is_empty() {
        return Err(ApiError::parameters(&wrong));
    }
    Ok(SendRequest { text: text.unwrap_or_default(), temp_id, private, prefix })
}

fn take_text(
    object: &mut Map<String, Value>,
    name: &str,
    wrong: &mut Vec<(String, String)>,
) -> Option<String> {
    match object.remove(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            wrong.push((name.to_owned(), "must be a text".to_owned()));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reads(body: Value) -> Result<SendRequest, String> {
        let Value::Object(object) = body else { panic!("an object") };
        read(object).map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_has_1_to_4096_characters_and_every_wrong_field_is_named() {
        assert!(reads(json!({ "text": "é".repeat(TEXT_CHARS_MAX) })).is_ok());
        let wrong = reads(json!({ "text": "é".repeat(TEXT_CHARS_MAX + 1), "private": "no", "to": 1 }));
        assert_eq!(
            wrong.unwrap_err(),
            "private must be true or false; text must have 1 to 4096 characters, not only blanks; to is not known here"
        );
        assert_eq!(reads(json!({ "text": 5 })).unwrap_err(), "text must be a text; text is missing");
        assert!(reads(json!({ "text": " \n" })).is_err() && reads(json!({})).is_err());
        assert!(reads(json!({ "text": "a", "tempId": "x".repeat(TEMP_ID_BYTES_MAX) })).is_ok());
        assert!(reads(json!({ "text": "a", "tempId": "x".repeat(TEMP_ID_BYTES_MAX + 1) })).is_err());
        assert!(reads(json!({ "text": "a", "prefix": "x".repeat(PREFIX_CHARS_MAX + 1) })).is_err());
    }
}
