//! What an entry of the directory may contain: the same rules for JSON and CSV.

use utoipa::openapi::schema::ObjectBuilder;

use crate::domain::ids::RefId;
use crate::domain::visible::has_visible;
use crate::http::question::Value;
use crate::http::values::{ID_CHARS_MAX, fits, of_length, string};

/// Longest name of an agent, in characters.
const NAME_CHARS_MAX: usize = 200;
/// Longest address of a picture, in characters.
const PHOTO_URL_CHARS_MAX: usize = 2_048;

/// No control characters, and no space at either end.
const ID_PATTERN: &str = r"^[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]([^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])?$";
/// No control characters, and not only spaces.
const NAME_PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u001f\u007f-\u009f \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\u0000-\u001f\u007f-\u009f]*$";
/// An address on the web, or nothing.
const PHOTO_URL_PATTERN: &str = r"^(https?://[^\u0000-\u001f\u007f-\u009f]*)?$";
/// An id of a sector has no control characters.
const SECTOR_ID_PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// The provider's id of an agent, in a path.
#[derive(Debug)]
pub struct MemberId(pub String);

impl MemberId {
    /// The id of an entry, or what is wrong with it.
    pub fn of_entry(text: &str) -> Result<RefId, String> {
        visible(text, ID_CHARS_MAX)?.map(RefId::from).ok_or_else(missing)
    }
}

impl Value for MemberId {
    fn read(text: &str) -> Result<Self, String> {
        of_length(text, ID_CHARS_MAX).map(|text| Self(text.to_owned()))
    }

    fn schema() -> ObjectBuilder {
        string().min_length(Some(1)).max_length(Some(ID_CHARS_MAX)).pattern(Some(ID_PATTERN))
    }
}

#[derive(Debug)]
pub struct MemberName(pub String);

impl Value for MemberName {
    fn read(text: &str) -> Result<Self, String> {
        visible(text, NAME_CHARS_MAX)?.map(Self).ok_or_else(missing)
    }

    fn schema() -> ObjectBuilder {
        string().min_length(Some(1)).max_length(Some(NAME_CHARS_MAX)).pattern(Some(NAME_PATTERN))
    }
}

/// The address of a picture; `None` where it is empty.
#[derive(Debug)]
pub struct PhotoUrl(pub Option<String>);

impl Value for PhotoUrl {
    fn read(text: &str) -> Result<Self, String> {
        let url = visible(text, PHOTO_URL_CHARS_MAX)?;
        // Screens show it as a picture, so the address of a script must not get there.
        let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if url.as_ref().is_some_and(|url| !is_web(url)) {
            return Err("must begin with https:// or http://".to_owned());
        }
        Ok(Self(url))
    }

    fn schema() -> ObjectBuilder {
        string().max_length(Some(PHOTO_URL_CHARS_MAX)).pattern(Some(PHOTO_URL_PATTERN))
    }
}

/// The id of an agent's sector; `None` where it is empty.
#[derive(Debug)]
pub struct MemberSector(pub Option<RefId>);

impl Value for MemberSector {
    fn read(text: &str) -> Result<Self, String> {
        Ok(Self(visible(text, ID_CHARS_MAX)?.map(Into::into)))
    }

    fn schema() -> ObjectBuilder {
        string().max_length(Some(ID_CHARS_MAX)).pattern(Some(SECTOR_ID_PATTERN))
    }
}

fn missing() -> String {
    "is missing".to_owned()
}

/// The visible part of a text: without spaces around it, and `None` where only invisible characters are left.
fn visible(text: &str, chars_max: usize) -> Result<Option<String>, String> {
    let text = text.trim();
    if !text.is_empty() && !fits(text, chars_max) {
        return Err(format!("must have at most {chars_max} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    Ok(has_visible(text).then(|| text.to_owned()))
}
