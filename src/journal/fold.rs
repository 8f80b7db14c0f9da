//! Folds text for search and sorting: lower case, without accents, in plain letters.
//!
//! The dashboard filters by the same rule (`frontend/src/words/fold.ts`). Both are tested with the same
//! texts.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Lower case without accents, so that `sao joao` finds `São João`. Letters of special form become plain ones
/// (NFKD): `2ª` becomes `2a`, and likewise ligatures, fullwidth and mathematical letters.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        // Most letters are ASCII, for which Unicode's tables have nothing else to say.
        if c.is_ascii() {
            folded.push(c.to_ascii_lowercase());
        } else {
            folded.extend(fold_char(c));
        }
    }
    folded
}

/// Folds one character as [`fold`] does: to nothing if it is an accent, to several if it is a ligature.
pub fn fold_char(c: char) -> impl Iterator<Item = char> {
    std::iter::once(c)
        .nfkd()
        .filter(|c| !is_combining_mark(*c) && !is_invisible(*c))
        // Many people type the degree sign instead of `º`: `n° 15`.
        .map(|c| if c == '°' { 'o' } else { c })
        .flat_map(char::to_lowercase)
}

/// True for characters that show nothing and only control how others are shown. They come along when a phone
/// is copied from a chat, and are never meant to be searched for.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The ASCII digits of a text.
pub fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_special_forms_do_not_matter() {
        // The dashboard is tested with the same texts.
        let known = include_str!("../../tests/fixtures/texts/folded.json");
        let known: Vec<(String, String)> = serde_json::from_str(known).unwrap();
        for (text, folded) in known {
            assert_eq!(fold(&text), folded);
            assert_eq!(fold(&folded), folded, "what is folded stays as it is");
        }
        assert_eq!(digits("+55 (11) 90000-0001"), "5511900000001");
    }
}
