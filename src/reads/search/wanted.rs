//! Translates the text of a search box into questions to the search index.

use crate::journal::fold::fold_char;
use crate::journal::words::{NUMBER_BYTES_MIN, Word, joined, words};
use crate::reads::needle::Needle;

/// Columns of an index: those with words as they are written, and all that may contain a number.
#[derive(Debug, Clone, Copy)]
struct IndexColumns {
    words: &'static str,
    all: &'static str,
}

const OF_MESSAGES: IndexColumns = IndexColumns { words: "text", all: "{text numbers}" };
const OF_CONTACTS: IndexColumns = IndexColumns { words: "{name phone}", all: "{name phone numbers}" };

/// Where the first `chars` folded letters and digits after `from` end in the text, including accents of the
/// last one.
pub(super) fn end_of_prefix(text: &str, from: usize, chars: usize) -> usize {
    let mut seen = 0;
    for (at, c) in text[from..].char_indices() {
        let is_accent = fold_char(c).next().is_none();
        if seen >= chars && !is_accent {
            return from + at;
        }
        seen += fold_char(c).filter(|c| c.is_alphanumeric()).count();
    }
    text.len()
}

/// Words that must follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// The words as they are written.
    pub(super) words: Vec<String>,
    /// The same with numbers in one piece, however they were written.
    pub(super) joined: Vec<String>,
    /// The last word may be only the beginning of a word.
    pub(super) open: bool,
}

/// What a search asks for: all terms, or its whole text as one number.
///
/// ```
/// use umbler_hub::facade::rules::Wanted;
///
/// assert_eq!(Wanted::new("JOÃO"), Wanted::new(" joao "), "case, accents and spaces do not matter");
/// assert_ne!(Wanted::new("bom dia"), Wanted::new("\"bom dia\""), "quoted words are whole, and stand together");
/// assert!(Wanted::new("…").is_empty(), "nothing can be found by it");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub(super) terms: Vec<Term>,
    /// If the whole text is a number, its forms. A phone has several. Empty if it is not a number.
    pub(super) numbers: Vec<String>,
}

impl Wanted {
    /// Parses the text of a search box. Words in quotes must follow each other and be complete.
    pub fn new(text: &str) -> Self {
        let mut terms = Vec::new();
        for (at, part) in text.split('"').enumerate() {
            if at % 2 == 1 {
                terms.extend(Term::new(part, false));
            } else {
                terms.extend(part.split_whitespace().filter_map(|chunk| Term::new(chunk, true)));
            }
        }
        Self { terms, numbers: Needle::new(text).numbers }
    }

    /// True if the text contains nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Query for the index of messages. Words consist of letters and digits only, so none can end a
    /// quote.
    pub(super) fn for_messages(&self) -> String {
        self.to_fts(OF_MESSAGES, |number| is_long(number).then(|| whole(OF_MESSAGES, number)))
    }

    /// Query for the index of contacts.
    pub(super) fn for_contacts(&self) -> String {
        let of_name = |number: &str| if is_long(number) { whole(OF_CONTACTS, number) } else { String::new() };
        // The index holds every ending of a phone, so any part of the phone is the beginning of one
        // of them.
        self.to_fts(OF_CONTACTS, |number| Some(format!(" OR phone : \"{number}\" *{}", of_name(number))))
    }

    fn to_fts(&self, columns: IndexColumns, of_number: impl Fn(&str) -> Option<String>) -> String {
        let terms: Vec<String> = self.terms.iter().map(|term| term.to_fts(columns)).collect();
        let numbers = self.numbers.iter().filter_map(|number| of_number(number));
        format!("({}){}", terms.join(" AND "), numbers.collect::<String>())
    }

    /// Words that may be a part of a phone.
    pub(super) fn digits(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter(|term| term.open).filter_map(|term| match &term.joined[..] {
            [word] if word.bytes().all(|byte| byte.is_ascii_digit()) => Some(word.as_str()),
            _ => None,
        })
    }
}

/// An alternative that matches this number as a whole, however it is written.
fn whole(columns: IndexColumns, number: &str) -> String {
    format!(" OR {} : \"{number}\"", columns.all)
}

/// True if the word is also searched among joined numbers. Anything shorter would match by accident.
pub(super) fn is_long(number: &str) -> bool {
    number.len() >= NUMBER_BYTES_MIN && number.bytes().any(|byte| byte.is_ascii_digit())
}

impl Term {
    fn new(text: &str, open: bool) -> Option<Self> {
        let parts = words(text);
        let [tight, _] = joined(&parts);
        let folded = |words: Vec<Word>| words.into_iter().map(|word| word.folded).collect::<Vec<_>>();
        (!parts.is_empty()).then(|| Self { words: folded(parts), joined: folded(tight), open })
    }

    /// True if the last word of the joined form may be only the beginning of a word. It may not if the
    /// number was typed in parts, because an amount would then match the beginning of a document's
    /// number.
    pub(super) fn is_joined_open(&self) -> bool {
        self.open && self.words.len() == 1
    }

    /// Matches the words as written, or with numbers in one piece. The index does not know where joined
    /// numbers are in the text, so the highlighter checks that the words follow each other.
    fn to_fts(&self, columns: IndexColumns) -> String {
        let open = if self.open { " *" } else { "" };
        let written = format!("{} : \"{}\"{open}", columns.words, self.words.join(" "));
        if !self.joined.iter().any(|word| is_long(word)) {
            return written;
        }
        let open = if self.is_joined_open() { " *" } else { "" };
        let pieces = self.joined.iter().map(|word| {
            let column = if is_long(word) { columns.all } else { columns.words };
            format!("{column} : \"{word}\"{open}")
        });
        format!("({written} OR ({}))", pieces.collect::<Vec<_>>().join(" AND "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_word_by_word_and_quotes_hold_together() {
        let fts = |text: &str| Wanted::new(text).for_messages();
        assert_eq!(fts("Jo  SIL"), r#"(text : "jo" * AND text : "sil" *)"#);
        assert_eq!(fts(r#"nota "Bom Dia" x"#), r#"(text : "nota" * AND text : "bom dia" AND text : "x" *)"#);
        assert_eq!(
            fts(r#""bom dia"#),
            r#"(text : "bom dia")"#,
            "a quote that is not closed ends with the text"
        );
        assert_eq!(fts("maria@exemplo.com"), r#"(text : "maria exemplo com" *)"#);
        assert_eq!(
            fts("a* OR b) NEAR:"),
            r#"(text : "a" * AND text : "or" * AND text : "b" * AND text : "near" *)"#,
            "no word is a command"
        );
        assert!(Wanted::new(" ?! \"\" ").is_empty());
    }

    #[test]
    fn a_number_is_asked_for_as_it_is_written_and_in_one_piece() {
        let fts = |text: &str| Wanted::new(text).for_messages();
        assert_eq!(
            fts("placa ABC-1D23"),
            r#"(text : "placa" * AND (text : "abc 1d23" * OR ({text numbers} : "abc1d23")))"#
        );
        assert_eq!(fts("abc1d"), r#"((text : "abc1d" * OR ({text numbers} : "abc1d" *)))"#);
        assert_eq!(fts("15"), r#"(text : "15" *)"#);
        assert_eq!(fts("1 234"), r#"(text : "1" * AND text : "234" *) OR {text numbers} : "1234""#);
        assert_eq!(
            Wanted::new("+55 (11)").for_contacts(),
            r#"({name phone} : "55" * AND {name phone} : "11" *) OR phone : "5511" * OR {name phone numbers} : "5511""#
        );
        assert_eq!(Wanted::new("(11)").for_contacts(), r#"({name phone} : "11" *) OR phone : "11" *"#);
    }
}
