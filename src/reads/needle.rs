//! The text of a search box, prepared for matching. Matching uses `instr`, so `%` and `_` have no special
//! meaning.

use rusqlite::types::Value;

use super::page::Conditions;
use crate::journal::fold::{digits, fold};
use crate::journal::phone::asked_forms;
use crate::journal::words::{joined, whole_number, words};

/// What a search looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needle {
    /// The text without case, accents and outer spaces. Empty if nothing was typed, which matches
    /// everything.
    pub(crate) folded: String,
    /// If the whole text is a number, the forms in which it may be stored, in one piece: a search for
    /// `+55 (11) 9` must find `55119`. A phone has several forms. Empty if the text is not a number.
    pub(crate) numbers: Vec<String>,
}

impl Needle {
    /// Prepares the text of a search box.
    pub(crate) fn new(search: &str) -> Self {
        let folded = fold(search).trim().to_owned();
        let phone_like = folded.chars().all(|c| c.is_ascii_digit() || " +-().,/".contains(c));
        let digits = digits(&folded);
        let numbers = match &joined(&words(&folded))[1][..] {
            _ if phone_like && !digits.is_empty() => asked_forms(&digits),
            [number] if number.is_joined => vec![number.folded.clone()],
            _ => Vec::new(),
        };
        Self { folded, numbers }
    }

    /// For searching in the texts of messages: there a number matches only a whole number, so that an
    /// amount does not match a part of a document's number.
    pub(crate) fn in_texts(mut self) -> Self {
        self.numbers = self.numbers.iter().map(|number| whole_number(number)).collect();
        self
    }

    /// Requires that the column `search_key` contains one of the forms. In `clause`, `{}` stands for that
    /// condition.
    pub(crate) fn require(self, conditions: &mut Conditions, clause: &str) {
        let needles: Vec<Value> = std::iter::once(self.folded).chain(self.numbers).map(Value::Text).collect();
        let any = vec!["instr(search_key, ?) > 0"; needles.len()].join(" OR ");
        conditions.require_dynamic(clause.replace("{}", &format!("({any})")), needles);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_however_it_is_written() {
        let numbers = |search: &str| Needle::new(search).numbers;
        assert_eq!(numbers(" +55 (11) 9-0"), ["551190"]);
        assert_eq!(numbers("\u{202a}+55 (11)\u{202c} ９"), ["55119"], "copied out of a chat");
        assert_eq!(numbers("123.456.789-09"), ["12345678909"]);
        assert_eq!(numbers("ABC-1D23"), ["abc1d23"]);
        assert_eq!(numbers("Sala 3"), [] as [String; 0]);
        assert_eq!(numbers("+"), [] as [String; 0]);
        assert_eq!(Needle::new(" JOÃO ").folded, "joao");
    }
}
