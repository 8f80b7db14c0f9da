//! What is indexed of a text.

use crate::journal::phone::stored_forms;
use crate::journal::words::{numbers, words};

/// Digits of a phone whose endings are indexed. Real phones have at most 15, and the endings of longer ones
/// would take more space than all texts.
const PHONE_DIGITS_MAX: usize = 32;

/// The words of a text, and its numbers in one piece each. In both, the index only splits at spaces.
pub(super) fn indexed(text: &str) -> (String, String) {
    let words = words(text);
    let numbers = numbers(&words).join(" ");
    let words: Vec<String> = words.into_iter().map(|word| word.folded).collect();
    (words.join(" "), numbers)
}

/// Every ending of a phone's forms. So any part of a phone is the beginning of an indexed word.
pub(super) fn indexed_phone(phone: &str) -> String {
    let mut endings: Vec<String> = Vec::new();
    for form in stored_forms(phone) {
        let digits = form.digits.get(..PHONE_DIGITS_MAX).unwrap_or(&form.digits);
        for from in 0..digits.len() {
            let ending = &digits[from..];
            // The forms of one phone share their endings.
            if !endings.iter().any(|known| known == ending) {
                endings.push(ending.to_owned());
            }
        }
    }
    endings.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endings_of_a_phone_are_few() {
        assert_eq!(indexed_phone("+1 23"), "123 23 3");
        let endings = indexed_phone("+553190000123");
        assert_eq!(endings.split(' ').count(), 13 + 4, "the ninth digit adds those that begin before it");
        let longest = indexed_phone(&"7".repeat(PHONE_DIGITS_MAX));
        assert_eq!(longest.split(' ').count(), PHONE_DIGITS_MAX);
        assert_eq!(indexed_phone(&"7".repeat(PHONE_DIGITS_MAX + 1)), longest);
    }
}
