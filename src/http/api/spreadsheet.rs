//! CSV that is safe and readable in spreadsheet programs: no cell becomes a formula, and columns are separated.
//!
//! # Contract
//!
//! 1. No text becomes a formula, by whichever separator a program splits the file. An apostrophe is written
//!    before every `=`, `+`, `-` and `@`, also fullwidth ones, with which a cell could begin. Strangers choose
//!    their names.
//! 2. [`unguarded`] removes those apostrophes, so that a table that was saved and is imported again says the
//!    same.
//! 3. A table for people begins with a byte order mark, without which some programs break accents, and its
//!    separator follows their language. A table for programs, which ask for neither, is plain RFC 4180.

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};

use crate::http::values::words;
use crate::journal::fold::is_invisible;

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
/// What ends a cell in one program or another.
const SEPARATORS: [char; 8] = [';', ',', '\t', '|', '\n', '\r', '\u{b}', '\u{c}'];
/// Languages with a decimal comma, whose spreadsheets separate columns by semicolons.
const DECIMAL_COMMA: [&str; 20] = [
    "pt", "es", "fr", "de", "it", "nl", "pl", "ru", "uk", "tr", "sv", "da", "nb", "no", "fi", "cs", "ro",
    "el", "hu", "id",
];
/// Before the first character of a UTF-8 file, this tells programs the encoding.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How a table is written as CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsvDialect {
    /// Either `,` or `;`, as a byte.
    pub separator: u8,
    /// True where the table begins with [`BYTE_ORDER_MARK`].
    pub is_marked: bool,
}

/// The separators between which a caller may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    Comma,
    Semicolon,
}

words!(Separator: "comma" => Self::Comma, "semicolon" => Self::Semicolon);

impl CsvDialect {
    /// The separator that was asked for, else the one that is usual in the language of `Accept-Language`; plain
    /// commas where neither is given.
    pub fn of(asked: Option<Separator>, headers: &HeaderMap) -> Self {
        let languages =
            headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let separator = asked.or_else(|| first_language(languages).map(separator_of));
        let is_marked = separator.is_some();
        Self { separator: if separator == Some(Separator::Semicolon) { b';' } else { b',' }, is_marked }
    }
}

/// The preferred language; of equals the first. `*` is not a language.
fn first_language(list: &str) -> Option<&str> {
    let mut first: Option<(&str, f32)> = None;
    for part in list.split(',') {
        let (language, weight) = part.split_once(';').unwrap_or((part, ""));
        let weight =
            weight.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.parse().ok()).unwrap_or(0.0);
        let language = language.trim();
        let is_named = language.starts_with(|c: char| c.is_ascii_alphabetic());
        if is_named && weight > first.map_or(0.0, |(_, most)| most) {
            first = Some((language, weight));
        }
    }
    first.map(|(language, _)| language)
}

fn separator_of(language: &str) -> Separator {
    let base = language.split('-').next().unwrap_or_default();
    let is_decimal_comma = DECIMAL_COMMA.iter().any(|known| known.eq_ignore_ascii_case(base));
    if is_decimal_comma { Separator::Semicolon } else { Separator::Comma }
}

/// The text with an apostrophe before each character that could begin a formula.
pub fn guarded(text: &str) -> String {
    let mut guarded = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars() {
        if begins && FORMULA.contains(&c) {
            guarded.push('\'');
        }
        guarded.push(c);
        begins = goes_on_beginning(begins, c);
    }
    guarded
}

/// The text that [`guarded`] was given.
pub fn unguarded(text: &str) -> String {
    let mut unguarded = String::with_capacity(text.len());
    let mut begins = true;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_guard = begins && c == '\'' && chars.peek().is_some_and(|next| FORMULA.contains(next));
        if is_guard {
            begins = false;
        } else {
            unguarded.push(c);
            begins = goes_on_beginning(begins, c);
        }
    }
    unguarded
}

/// True where a cell could begin after `c`: after a separator, and after characters that programs ignore at the
/// beginning of a cell.
fn goes_on_beginning(begins: bool, c: char) -> bool {
    SEPARATORS.contains(&c) || (begins && (c.is_whitespace() || is_invisible(c) || matches!(c, '"' | '\'')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_a_formula_nowhere_and_a_name_stays_as_it_is() {
        // The dashboard is tested with the same texts.
        let known = include_str!("../../../tests/fixtures/texts/guarded.json");
        let known: Vec<(String, String)> = serde_json::from_str(known).unwrap();
        for (text, expected) in known {
            assert_eq!(guarded(&text), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_brought_back_is_what_was_saved(text in "[=+@;, '\"a\n\u{200b}-]{0,12}") {
            prop_assume!(!unguardable(&text));
            prop_assert_eq!(unguarded(&guarded(&text)), text);
        }
    }

    /// A name that looks guarded already loses its apostrophe, as it would in a spreadsheet.
    fn unguardable(text: &str) -> bool {
        unguarded(text) != text
    }
}
