//! What an entry of the directory may hold: one rule for JSON and CSV.

use crate::domain::Member;
use crate::domain::visible::has_visible;

use super::params::{ID_CHARS_MAX, fits};

/// Longest name, in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// Longest address of a picture, in characters.
pub const PHOTO_URL_CHARS_MAX: usize = 2_048;

/// A field that is wrong: its name, and what it must be.
pub type WrongField = (&'static str, String);

/// An entry as it came.
#[derive(Debug, Default)]
pub struct Fields<'a> {
    /// The provider's id.
    pub id: &'a str,
    /// The name.
    pub name: &'a str,
    /// The picture's address; empty: none.
    pub photo_url: &'a str,
    /// The sector's id; empty: none.
    pub sector_id: &'a str,
}

impl Fields<'_> {
    /// The entry, or the first field that is wrong. Blanks around fields do not count, and a field of invisible marks is
    /// an empty one.
    pub fn check(&self) -> Result<Member, WrongField> {
        let id = text("id", self.id, ID_CHARS_MAX)?.ok_or_else(|| missing("id"))?;
        let name = text("name", self.name, NAME_CHARS_MAX)?.ok_or_else(|| missing("name"))?;
        let photo_url = text("photoUrl", self.photo_url, PHOTO_URL_CHARS_MAX)?;
        // Screens show it as a picture: a script's address must not get that far.
        let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if photo_url.as_ref().is_some_and(|url| !is_web(url)) {
            return Err(("photoUrl", "must begin with https:// or http://".to_owned()));
        }
        let sector_id = text("sectorId", self.sector_id, ID_CHARS_MAX)?.map(Into::into);
        Ok(Member { id: id.into(), name: Some(name), photo_url, sector_id })
    }
}

fn missing(field: &'static str) -> WrongField {
    (field, "is missing".to_owned())
}

fn text(field: &'static str, value: &str, chars_max: usize) -> Result<Option<String>, WrongField> {
    let value = value.trim();
    if !value.is_empty() && !fits(value, chars_max) {
        return Err((field, format!("must have at most {chars_max} characters")));
    }
    if value.chars().any(char::is_control) {
        return Err((field, "must hold no control characters".to_owned()));
    }
    Ok(has_visible(value).then(|| value.to_owned()))
}
