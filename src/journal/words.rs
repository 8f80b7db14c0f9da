//! Splits texts into words, and numbers into one word each. The index, questions and highlights all use this,
//! so whatever is found can be highlighted.
//!
//! A number is written with and without punctuation (`123.456.789-09`, `ABC-1D23`, `1.234,56`), and each form
//! must find the other, so parts that belong together are also a joined word. There are two readings, and so
//! at most two joined words for each part: `tight` joins what punctuation connects, `loose` also digits with
//! spaces or brackets between them, as in phones.

use super::fold::{fold, fold_char};

/// Words of one text that are indexed. No message that people write has more.
const WORDS_MAX: usize = 20_000;
/// Bytes of a word that are indexed. Anything longer is not a word, but part of a file or of a link.
pub const WORD_BYTES_MAX: usize = 128;
/// Shortest joined word in bytes. Shorter ones (`1/2`, `9,5`) would only match by accident.
pub const NUMBER_BYTES_MIN: usize = 4;
/// Longest joined word in bytes. A payment slip has 47 digits.
const NUMBER_BYTES_MAX: usize = 60;
/// Fewest digits of a joined word.
const NUMBER_DIGITS_MIN: usize = 3;
/// Longest part with letters. Parts of plates and registration numbers are short, those of web addresses
/// long.
const CODE_PART_BYTES_MAX: usize = 4;
/// Most characters between two parts of a number.
const GAP_CHARS_MAX: usize = 3;
/// Characters that connect the parts of a number: points, hyphens and dashes as keyboards and programs write
/// them.
const JOINING: [char; 9] = ['.', ',', '-', '/', '\u{b7}', '\u{2022}', '\u{2010}', '\u{2013}', '\u{2212}'];
/// Separates text and numbers in a search key. No folded text contains it.
const KEY_SEPARATOR: char = '\u{1f}';

/// A word without case and accents, and where it is in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As [`fold`] returns it.
    pub folded: String,
    /// Byte offset of its beginning.
    pub from: usize,
    /// Byte offset of its end.
    pub until: usize,
    /// It is a number whose parts are separated in the text.
    pub is_joined: bool,
    gap: Gap,
}

/// What is between a word and the one before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Gap {
    /// One character that connects the parts of a number.
    Tight,
    /// A few characters or spaces that may be inside a number.
    Loose,
    /// Anything else, or there is no word before.
    #[default]
    Wide,
}

impl Word {
    fn is_number(&self) -> bool {
        self.folded.bytes().all(|byte| byte.is_ascii_digit())
    }

    fn joins_tightly(&self, before: &Self) -> bool {
        let is_part = |word: &Self| word.is_number() || word.folded.len() <= CODE_PART_BYTES_MAX;
        self.gap == Gap::Tight && is_part(before) && is_part(self)
    }

    fn joins_loosely(&self, before: &Self) -> bool {
        let are_numbers = before.is_number() && self.is_number();
        self.joins_tightly(before)
            || (self.gap != Gap::Wide && (are_numbers || is_plate(&before.folded, &self.folded)))
    }
}

/// True for the two parts of a licence plate, `ABC 1234` or `ABC 1D23`.
fn is_plate(letters: &str, number: &str) -> bool {
    let digits: Vec<bool> = number.bytes().map(|byte| byte.is_ascii_digit()).collect();
    letters.len() == 3
        && letters.bytes().all(|byte| byte.is_ascii_lowercase())
        && matches!(digits[..], [true, _, true, true])
}

/// The words of a text: runs of letters and digits.
pub fn words(text: &str) -> Vec<Word> {
    let mut run = Run::default();
    for (at, c) in text.char_indices() {
        if run.words.len() > WORDS_MAX {
            run.words.pop();
            break;
        }
        let place = (at, at + c.len_utf8());
        if c.is_ascii() {
            // The usual case, in which nothing needs to be decomposed.
            run.take(c.to_ascii_lowercase(), place);
            continue;
        }
        let mut folded = fold_char(c).peekable();
        if folded.peek().is_none() {
            run.take_accent(place.1);
        }
        folded.for_each(|c| run.take(c, place));
    }
    run.words
}

/// The words of a text with numbers joined: the tight reading and the loose one.
pub fn joined(words: &[Word]) -> [Vec<Word>; 2] {
    [joined_by(words, Word::joins_tightly), joined_by(words, Word::joins_loosely)]
}

fn joined_by(words: &[Word], joins: impl Fn(&Word, &Word) -> bool) -> Vec<Word> {
    words
        .chunk_by(|before, word| joins(word, before))
        .flat_map(|run| number(run).map_or_else(|| run.to_vec(), |number| vec![number]))
        .collect()
}

/// The parts of a number as one word; `None` if they are not a number.
fn number(parts: &[Word]) -> Option<Word> {
    let [first, .., last] = parts else { return None };
    let folded: String = parts.iter().map(|part| &*part.folded).collect();
    let word = Word { folded, from: first.from, until: last.until, is_joined: true, gap: first.gap };
    is_number_like(&word.folded).then_some(word)
}

fn is_number_like(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    (NUMBER_BYTES_MIN..=NUMBER_BYTES_MAX).contains(&word.len()) && digits >= NUMBER_DIGITS_MIN
}

/// The joined words of a text. Those that both readings have are listed once.
pub fn numbers(words: &[Word]) -> Vec<String> {
    if !words.iter().any(|word| word.folded.bytes().any(|byte| byte.is_ascii_digit())) {
        return Vec::new();
    }
    let [tight, loose] = joined(words);
    let places = |word: &Word| (word.from, word.until);
    let known: std::collections::HashSet<_> =
        tight.iter().filter(|word| word.is_joined).map(places).collect();
    let more = loose.into_iter().filter(|word| !known.contains(&places(word)));
    tight.iter().cloned().chain(more).filter(|word| word.is_joined).map(|word| word.folded).collect()
}

/// The text in which a message or name is searched: its folded form, followed by its numbers in one piece.
pub fn search_key(text: &str) -> String {
    let mut key = fold(text).replace(KEY_SEPARATOR, "\n");
    let words = words(text);
    let joined = numbers(&words);
    let written = words.into_iter().map(|word| word.folded).filter(|word| is_number_like(word));
    for number in written.chain(joined) {
        if !key.ends_with(KEY_SEPARATOR) {
            key.push(KEY_SEPARATOR);
        }
        key.push_str(&number);
        key.push(KEY_SEPARATOR);
    }
    key
}

/// A part of a search key that occurs if this is one of the whole numbers of its text.
pub fn whole_number(number: &str) -> String {
    format!("{KEY_SEPARATOR}{number}{KEY_SEPARATOR}")
}

pub fn text_of_key(key: &str) -> &str {
    key.split(KEY_SEPARATOR).next().unwrap_or_default()
}

/// Splits a text into words.
#[derive(Default)]
struct Run {
    words: Vec<Word>,
    /// The last word may continue.
    is_open: bool,
    gap: Gap,
    /// Characters since the last word.
    gap_chars: usize,
}

impl Run {
    fn take(&mut self, c: char, (from, until): (usize, usize)) {
        if !c.is_alphanumeric() {
            self.take_other(c);
            return;
        }
        if !self.is_open {
            self.words.push(Word { folded: String::new(), from, until, is_joined: false, gap: self.gap });
            self.is_open = true;
        }
        if let Some(word) = self.words.last_mut() {
            if word.folded.len() < WORD_BYTES_MAX {
                word.folded.push(c);
            }
            word.until = until;
        }
    }

    fn take_other(&mut self, c: char) {
        let is_first = self.is_open;
        self.is_open = false;
        self.gap_chars = if is_first { 1 } else { self.gap_chars + 1 };
        let joins = JOINING.contains(&c);
        let may_stand_within = joins || matches!(c, ' ' | '(' | ')' | '+');
        self.gap = if is_first && joins {
            Gap::Tight
        } else if may_stand_within && self.gap_chars <= GAP_CHARS_MAX && (is_first || self.gap != Gap::Wide) {
            Gap::Loose
        } else {
            Gap::Wide
        };
    }

    /// A combining accent belongs to the letter before it.
    fn take_accent(&mut self, until: usize) {
        if let Some(word) = self.words.last_mut().filter(|_| self.is_open) {
            word.until = until;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        assert_eq!(folded_words("2ª ﬁcha"), ["2a", "ficha"]);
        let apart = "a\u{303}o"; // An accent as a character of its own.
        assert_eq!((words(apart)[0].from, words(apart)[0].until), (0, apart.len()));
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
    fn numbers_are_joined_as_people_write_them() {
        for (text, expected) in [
            ("CPF 123.456.789-09, CEP 01310-100.", &["12345678909", "01310100"][..]),
            ("CNPJ 12.345.678/0001-95 e 12.ABC.345/01DE-35", &["12345678000195", "12abc34501de35"]),
            ("placa ABC-1D23 ou abc 1234", &["abc1d23", "abc1234"]),
            ("R$ 1.234,56 e R$1234,56", &["123456", "123456"]),
            ("(11) 90000-0001", &["900000001", "11900000001"]),
            ("123 456 789 09", &["12345678909"]),
            ("01310\u{2011}100 e ０１３１０－１００", &["01310100", "01310100"]),
            ("1/2 ou 9,5 às 8-9h; www.exemplo.com/a-1 maria@b-2.com", &[]),
            ("12345678909", &[]),
        ] {
            assert_eq!(numbers(&words(text)), expected, "{text}");
        }
    }

    #[test]
    fn numbers_of_a_long_table_have_a_bound() {
        let table = "12.34 ".repeat(500);
        let all = numbers(&words(&table));
        assert_eq!(all.len(), 500, "tight ones, and none across the whole table");
        let bytes: usize = all.iter().map(String::len).sum();
        assert!(bytes <= table.len(), "{bytes}");
        assert_eq!(numbers(&words(&"9-".repeat(NUMBER_BYTES_MAX))), ["9".repeat(NUMBER_BYTES_MAX)]);
        assert_eq!(numbers(&words(&"9-".repeat(NUMBER_BYTES_MAX + 1))), [] as [String; 0]);
    }

    proptest! {
        #[test]
        fn stored_search_keys_split_into_the_words_of_the_text(text in "[a-zé0-9 .,/()ª\u{2011}\u{1f}-]{0,60}|.{0,60}") {
            let key = search_key(&text);
            prop_assert_eq!(folded_words(&text), folded_words(text_of_key(&key)));
            prop_assert_eq!(numbers(&words(&text)), numbers(&words(text_of_key(&key))));
            // Keys are computed again from older ones.
            prop_assert_eq!(search_key(text_of_key(&key)), key);
        }

        #[test]
        fn a_word_stands_where_it_says(text in ".{0,60}") {
            for word in words(&text) {
                // One character may become two words: `¼`.
                prop_assert!(folded_words(&text[word.from..word.until]).contains(&word.folded));
            }
        }

        #[test]
        fn joined_words_are_no_longer_than_twice_their_text(text in "[0-9a-c .,/-]{0,200}") {
            let bytes: usize = numbers(&words(&text)).iter().map(String::len).sum();
            prop_assert!(bytes <= 2 * text.len());
        }
    }
}
