//! What a search looks for. Matching is by `instr`, so `%` and `_` are letters like all others.

use rusqlite::types::Value;

use super::page::Conditions;
use crate::journal::fold::{digits, fold};
use crate::journal::phone::asked_forms;
use crate::journal::words::{joined, whole_number, words};

/// What a search box's text is looked for as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needle {
    /// Without case, accents and outer spaces; empty where nothing was typed, which everything contains.
    pub(crate) folded: String,
    /// The forms of the number that the whole text is, in one piece: of a phone several, `+55 (11) 9` finds what is stored as
    /// `55119`. Empty where it is none.
    pub(crate) numbers: Vec<String>,
}

impl Needle {
    /// Reads a search box.
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

    /// To look for it in texts: a number that is written otherwise is a whole one, so that an amount does not find a part of a
    /// document's number.
    pub(crate) fn in_texts(mut self) -> Self {
        self.numbers = self.numbers.iter().map(|number| whole_number(number)).collect();
        self
    }

    /// Requires that one of its forms stands in this column of search keys; `{}` stands for that condition.
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
