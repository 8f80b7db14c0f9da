//! Which texts show anything: those with at least one visible character.
//!
//! A name of a zero-width mark, a Hangul filler or a blank Braille pattern is not empty, and still nothing
//! appears on the screen. Such a text counts as absent wherever names and message texts are read.

use serde::{Deserialize, Deserializer};

/// Characters that draw nothing although Unicode calls them neither white space nor control characters: its
/// `Default_Ignorable_Code_Point`, the marks for annotations, and three blanks that are letters or symbols by
/// name. In ascending order.
const UNSEEN: [(char, char); 20] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    // A Braille pattern without dots.
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    // A filler of the Khitan script.
    ('\u{16fe4}', '\u{16fe4}'),
    ('\u{1bca0}', '\u{1bca3}'),
    // A musical symbol without a note head.
    ('\u{1d159}', '\u{1d159}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// True for a character that draws something.
pub fn is_visible(character: char) -> bool {
    // Nearly all texts begin with an ASCII character.
    if character.is_ascii() {
        return character.is_ascii_graphic();
    }
    let is_unseen = || UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&character));
    !character.is_whitespace() && !character.is_control() && !is_unseen()
}

/// True for a text that shows something.
pub fn has_visible(text: &str) -> bool {
    text.chars().any(is_visible)
}

/// Serde adapter of an optional name: one without visible characters, as older versions stored it, is read as
/// `None`.
pub fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|name| has_visible(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_draws_nothing_is_not_visible() {
        for text in [
            "",
            " \t\n",
            "\u{200e}",
            "\u{200b}\u{200d}",
            "\u{202a}\u{202c}",
            "\u{2066}\u{2069}",
            "\u{feff}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{115f}\u{1160}",
            "\u{2800}",
            "\u{ad}",
            "\u{a0}\u{2003}\u{3000}",
            "\u{fe0f}",
            "\u{e0020}\u{e007f}",
            "\u{0}\u{7f}",
        ] {
            assert!(!has_visible(text), "{text:?}");
        }
    }

    #[test]
    fn every_script_and_emoji_is_visible() {
        for text in [
            "a",
            "0",
            "-",
            "é",
            "João",
            "Ж",
            "ب",
            "한",
            "山",
            "👍",
            "❤\u{fe0f}",
            "\u{200e}a",
            "\u{fffd}",
            "ª",
        ] {
            assert!(has_visible(text), "{text:?}");
        }
    }
}
