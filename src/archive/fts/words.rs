//! The words of a text, and what a search box asks of them. Index, question and highlight all split texts here, so that
//! what is found can always be shown.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::archive::search::Needle;

/// Words of one text that are indexed: more than any message holds that people write.
const WORDS_MAX: usize = 20_000;
/// Bytes of a word that count; what is longer is no word, but a file's bytes or a link's token.
const WORD_BYTES_MAX: usize = 128;

/// A word without case and accents, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) folded: String,
    /// Its bytes in the text.
    pub(super) from: usize,
    pub(super) until: usize,
}

/// The words of a text: runs of letters and digits.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut run = Run::default();
    for (at, c) in text.char_indices() {
        if run.words.len() > WORDS_MAX {
            run.words.pop();
            break;
        }
        let place = (at, at + c.len_utf8());
        if c.is_ascii() {
            // Most of all texts, and nothing to take apart.
            run.take(c.to_ascii_lowercase(), place);
            continue;
        }
        let mut folded = folded(c).peekable();
        if folded.peek().is_none() {
            run.take_accent(place.1);
        }
        folded.for_each(|c| run.take(c, place));
    }
    run.words
}

/// The words so far.
#[derive(Default)]
struct Run {
    words: Vec<Word>,
    /// The last one may go on.
    is_open: bool,
}

impl Run {
    fn take(&mut self, c: char, (from, until): (usize, usize)) {
        if !c.is_alphanumeric() {
            self.is_open = false;
            return;
        }
        if !self.is_open {
            self.words.push(Word { folded: String::new(), from, until });
            self.is_open = true;
        }
        if let Some(word) = self.words.last_mut() {
            if word.folded.len() < WORD_BYTES_MAX {
                word.folded.push(c);
            }
            word.until = until;
        }
    }

    /// An accent that stands alone belongs to the letter before it.
    fn take_accent(&mut self, until: usize) {
        if let Some(word) = self.words.last_mut().filter(|_| self.is_open) {
            word.until = until;
        }
    }
}

/// A character without case and accents, as [`fold`](crate::journal::fold::fold) does it with a text.
fn folded(c: char) -> impl Iterator<Item = char> {
    std::iter::once(c).nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase)
}

/// Where the first `chars` folded characters of the word at `from` end in the text.
pub(super) fn end_of_prefix(text: &str, from: usize, chars: usize) -> usize {
    let mut seen = 0;
    for (at, c) in text[from..].char_indices() {
        let own = folded(c).count();
        if seen >= chars && own > 0 {
            return from + at;
        }
        seen += own;
    }
    text.len()
}

/// The words of a text in the form that is indexed: the index splits it at spaces alone.
pub(super) fn indexed(text: &str) -> String {
    let words: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
    words.join(" ")
}

/// A phone in the form that is indexed: every ending of its digits, so that any part of it is the beginning of one.
pub(super) fn indexed_phone(phone: &str) -> String {
    let digits = crate::journal::fold::digits(phone);
    let endings: Vec<&str> = (0..digits.len()).map(|from| &digits[from..]).collect();
    endings.join(" ")
}

/// Words that must stand one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) words: Vec<String>,
    /// The last word may go on.
    pub(super) open: bool,
}

/// What a search box's text asks for: all terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub(super) terms: Vec<Term>,
    /// Its digits, where it is written like a phone.
    pub(super) phone: Option<String>,
}

impl Wanted {
    /// Reads a search box.
    pub fn new(text: &str) -> Self {
        let mut terms = Vec::new();
        for (at, part) in text.split('"').enumerate() {
            if at % 2 == 1 {
                terms.extend(Term::new(part, false));
            } else {
                terms.extend(part.split_whitespace().filter_map(|chunk| Term::new(chunk, true)));
            }
        }
        Self { terms, phone: Needle::new(text).digits }
    }

    /// True where nothing can be found by it.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The question to the index of messages. Words hold letters and digits only, so none can end a quote.
    pub(super) fn for_messages(&self) -> String {
        self.terms.iter().map(Term::to_fts).collect::<Vec<_>>().join(" AND ")
    }

    /// The question to the index of contacts.
    pub(super) fn for_contacts(&self) -> String {
        let words = self.for_messages();
        match &self.phone {
            Some(digits) => format!("({words}) OR phone : \"{digits}\" *"),
            None => words,
        }
    }

    /// What may be looked for in a phone's digits.
    pub(super) fn digits(&self) -> impl Iterator<Item = &str> {
        let words = self.terms.iter().filter(|term| term.open).filter_map(|term| match &term.words[..] {
            [word] if word.bytes().all(|byte| byte.is_ascii_digit()) => Some(word.as_str()),
            _ => None,
        });
        self.phone.as_deref().into_iter().chain(words)
    }
}

impl Term {
    fn new(text: &str, open: bool) -> Option<Self> {
        let words: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
        (!words.is_empty()).then_some(Self { words, open })
    }

    fn to_fts(&self) -> String {
        format!("\"{}\"{}", self.words.join(" "), if self.open { " *" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::journal::fold::fold;

    fn folded_words(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.folded).collect()
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_without_case_and_accents() {
        assert_eq!(
            folded_words("São João, 25/12 às 8h — AÇÃO!"),
            ["sao", "joao", "25", "12", "as", "8h", "acao"]
        );
        assert_eq!(folded_words("👍 ... "), Vec::<String>::new());
        let apart = "a\u{303}o"; // An accent as a character of its own.
        assert_eq!(words(apart), [Word { folded: "ao".into(), from: 0, until: apart.len() }]);
    }

    #[test]
    fn texts_that_are_no_texts_end_at_a_bound() {
        let long = "x".repeat(60_000);
        assert_eq!(folded_words(&long), ["x".repeat(WORD_BYTES_MAX)]);
        assert_eq!(words(&long)[0].until, 60_000);
        let many = "a ".repeat(WORDS_MAX + 9);
        assert_eq!(words(&many).len(), WORDS_MAX);
        assert_eq!(words(&"a ".repeat(WORDS_MAX)).len(), WORDS_MAX);
    }

    #[test]
    fn a_question_is_read_word_by_word_and_quotes_hold_together() {
        let fts = |text: &str| Wanted::new(text).for_messages();
        assert_eq!(fts("Jo  SIL"), r#""jo" * AND "sil" *"#);
        assert_eq!(fts(r#"nota "Bom Dia" x"#), r#""nota" * AND "bom dia" AND "x" *"#);
        assert_eq!(fts(r#""bom dia"#), r#""bom dia""#, "a quote that is not closed ends with the text");
        assert_eq!(fts("maria@exemplo.com"), r#""maria exemplo com" *"#);
        assert_eq!(
            fts("a* OR b) NEAR:"),
            r#""a" * AND "or" * AND "b" * AND "near" *"#,
            "no word is a command"
        );
        assert!(Wanted::new(" ?! \"\" ").is_empty());
        assert_eq!(Wanted::new("+55 (11)").for_contacts(), r#"("55" * AND "11" *) OR phone : "5511" *"#);
    }

    proptest! {
        #[test]
        fn stored_search_keys_split_into_the_words_of_the_text(text in ".{0,60}") {
            prop_assert_eq!(folded_words(&text), folded_words(&fold(&text)));
        }

        #[test]
        fn a_word_stands_where_it_says(text in ".{0,60}") {
            for word in words(&text) {
                prop_assert_eq!(&folded_words(&text[word.from..word.until]), &[word.folded]);
            }
        }
    }
}
