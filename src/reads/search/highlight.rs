//! Marks where in a text a search matched. Returns pieces of plain text, never markup.

use super::wanted::{Term, Wanted, end_of_prefix, is_long};
use crate::journal::phone::stored_forms;
use crate::journal::words::{Word, joined, words};
use crate::protocol::search::{Excerpt, Piece};

/// Length of an excerpt, in characters.
const EXCERPT_CHARS_MAX: usize = 240;
/// Characters of an excerpt before the first match.
const CHARS_BEFORE: usize = 60;

/// Beginning and end of a part of a text, in bytes.
type ByteRange = (usize, usize);

/// The whole text in pieces; `None` if nothing in it matches.
pub(super) fn whole(text: &str, wanted: &Wanted) -> Option<Vec<Piece>> {
    let finds = merged(Readings::of(text).finds(wanted).into_iter().flatten().collect());
    (!finds.is_empty()).then(|| pieces(text, &finds, (0, text.len())))
}

/// The text around the first match, in pieces; `None` unless all terms match.
pub(super) fn excerpt(text: &str, wanted: &Wanted) -> Option<Excerpt> {
    let readings = Readings::of(text);
    let mut finds = readings.finds(wanted);
    let of_number = finds.pop().unwrap_or_default();
    if of_number.is_empty() && finds.iter().any(Vec::is_empty) {
        return None;
    }
    let finds = merged(finds.into_iter().flatten().chain(of_number).collect());
    let (first, _) = *finds.first()?;
    let shown = window(text, first, &readings.written);
    Some(Excerpt {
        text: pieces(text, &finds, shown),
        cut_before: shown.0 > 0,
        cut_after: shown.1 < text.len(),
    })
}

/// A phone in pieces, those that were asked for marked. A stored phone has several forms of digits, for example with and
/// without the country's code; `None` if none of them contains what was asked for.
pub(super) fn phone(phone: &str, wanted: &Wanted) -> Option<Vec<Piece>> {
    let forms = stored_forms(phone);
    let find = |asked: &str| {
        forms.iter().find_map(|form| {
            let from = form.digits.find(asked)?;
            // Digits that the form adds have no place in the phone as it is written.
            let places = || form.places.get(from..from + asked.len()).into_iter().flatten().flatten();
            Some((*places().min()?, places().max()? + 1))
        })
    };
    // What was typed has several forms, too. The first that is found is the nearest to what was typed.
    let whole = wanted.numbers.iter().find_map(|number| find(number));
    let finds = merged(wanted.digits().filter_map(find).chain(whole).collect());
    (!finds.is_empty()).then(|| pieces(phone, &finds, (0, phone.len())))
}

/// The words of a text as they are written, and also with numbers joined.
struct Readings<'a> {
    text: &'a str,
    written: Vec<Word>,
    joined: [Vec<Word>; 2],
}

impl<'a> Readings<'a> {
    fn of(text: &'a str) -> Self {
        let written = words(text);
        Self { text, joined: joined(&written), written }
    }

    /// The matches of each term, followed by the matches of the whole search as a number.
    fn finds(&self, wanted: &Wanted) -> Vec<Vec<ByteRange>> {
        let of_term = |term: &Term| {
            let mut finds = self.run(&self.written, &term.words, term.open);
            for reading in &self.joined {
                finds.extend(self.run(reading, &term.joined, term.is_joined_open()));
            }
            finds
        };
        let mut finds: Vec<Vec<ByteRange>> = wanted.terms.iter().map(of_term).collect();
        let long = wanted.numbers.iter().filter(|number| is_long(number));
        let of_number = long.flat_map(|number| {
            let number = std::slice::from_ref(number);
            self.joined.iter().flat_map(|reading| self.run(reading, number, false)).collect::<Vec<_>>()
        });
        finds.push(of_number.collect());
        finds
    }

    /// Where the words `asked` follow each other in a reading. If `open`, the last one may be only the
    /// beginning of a word.
    fn run(&self, reading: &[Word], asked: &[String], open: bool) -> Vec<ByteRange> {
        let Some((asked_last, asked_before)) = asked.split_last() else { return Vec::new() };
        // A short number would match a part of a joined one by accident.
        let fits = |word: &Word, asked: &str| !word.is_joined || is_long(asked);
        let found = |run: &[Word]| {
            let (last, before) = run.split_last()?;
            let is_last = if open { last.folded.starts_with(asked_last) } else { last.folded == *asked_last };
            let are_before = before
                .iter()
                .zip(asked_before)
                .all(|(word, asked)| word.folded == *asked && fits(word, asked));
            if !is_last || !are_before || !fits(last, asked_last) {
                return None;
            }
            let chars = asked_last.chars().count();
            let until = if open { end_of_prefix(self.text, last.from, chars) } else { last.until };
            Some((run.first()?.from, until.min(last.until)))
        };
        reading.windows(asked.len()).filter_map(found).collect()
    }
}

/// Sorts ranges, and merges those that touch.
fn merged(mut ranges: Vec<ByteRange>) -> Vec<ByteRange> {
    ranges.sort_unstable();
    let mut merged: Vec<ByteRange> = Vec::new();
    for (from, until) in ranges {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged
}

/// Which bytes of the text are shown: from its beginning, or from the beginning of a word shortly before the
/// first match.
fn window(text: &str, find: usize, words: &[Word]) -> ByteRange {
    let chars_before = text[..find].chars().count();
    let from = if chars_before <= CHARS_BEFORE {
        0
    } else {
        let least = place_of(text, chars_before - CHARS_BEFORE);
        words.iter().map(|word| word.from).find(|from| *from >= least).unwrap_or(least).min(find)
    };
    (from, from + place_of(&text[from..], EXCERPT_CHARS_MAX))
}

/// Byte offset of a character, given by its number.
fn place_of(text: &str, chars: usize) -> usize {
    text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)
}

fn pieces(text: &str, finds: &[ByteRange], (from, until): ByteRange) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut add = |from: usize, until: usize, is_match: bool| {
        if from < until {
            pieces.push(Piece { text: text[from..until].to_owned(), is_match });
        }
    };
    let mut at = from;
    for (start, end) in finds.iter().filter(|(start, end)| *end > from && *start < until) {
        add(at, (*start).max(at), false);
        add((*start).max(at), (*end).min(until), true);
        at = (*end).min(until);
    }
    add(at, until, false);
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(pieces: &[Piece]) -> String {
        let mark = |piece: &Piece| {
            if piece.is_match { format!("[{}]", piece.text) } else { piece.text.clone() }
        };
        pieces.iter().map(mark).collect()
    }

    #[test]
    fn what_was_found_is_marked_as_it_stands_in_the_text() {
        for (asked, text, shown) in [
            ("joa", "São João e Joana", "São [Joã]o e [Joa]na"),
            (r#""bom dia""#, "Bom   dia, bom diamante", "[Bom   dia], bom diamante"),
            ("bom dia", "Bom dia", "[Bom] [dia]"),
            ("maria@exemplo.c", "maria@exemplo.com", "[maria@exemplo.c]om"),
            ("acao", "AC\u{327}A\u{303}O!", "[AC\u{327}A\u{303}O]!"),
            ("2a via", "a 2ª via", "a [2ª] [via]"),
            ("12345678909", "CPF 123.456.789-09.", "CPF [123.456.789-09]."),
            ("1234", "são 1.234,56", "são [1.234],56"),
            ("1234,56", "R$ 1.234,56", "R$ [1.234,56]"),
            ("123.456.789-09", "CPF 12345678909", "CPF [12345678909]"),
            ("ABC 1D23", "o abc-1d23", "o [abc-1d23]"),
            ("\"placa abc1d23 foi\"", "a placa ABC-1D23 foi", "a [placa ABC-1D23 foi]"),
            ("31 99000-0123", "ligue (31)9000-0123", "ligue ([31)9000-0123]"),
        ] {
            let found = excerpt(text, &Wanted::new(asked)).map(|excerpt| marked(&excerpt.text));
            assert_eq!(found.as_deref(), Some(shown), "{asked}");
        }
        assert_eq!(excerpt("só bom", &Wanted::new("bom dia")), None, "all words must be there");
        assert_eq!(excerpt("foi 1,50", &Wanted::new("15")), None, "a short number is found by mistake");
    }

    #[test]
    fn a_phone_shows_the_digits_however_they_were_asked_for() {
        let shown = |asked: &str| phone("+5511900000001", &Wanted::new(asked)).map(|pieces| marked(&pieces));
        assert_eq!(shown("(11) 9").as_deref(), Some("+55[119]00000001"));
        assert_eq!(shown("márcia 0001").as_deref(), Some("+551190000[0001]"));
        assert_eq!(shown("11 0000-0001").as_deref(), Some("+55[11900000001]"), "without the ninth digit");
        let old = |asked: &str| phone("+55 31 9000-0123", &Wanted::new(asked)).map(|pieces| marked(&pieces));
        assert_eq!(old("031 99000-0123").as_deref(), Some("+55 [31 9000-0123]"));
        assert_eq!(shown("márcia"), None);
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_find() {
        let text = format!("{}agulha {}", "palha ".repeat(50), "palha ".repeat(50));
        let found = excerpt(&text, &Wanted::new("agulha")).expect("it is there");
        let shown: String = found.text.iter().map(|piece| piece.text.as_str()).collect();
        assert!(found.cut_before && found.cut_after);
        assert_eq!(shown.chars().count(), EXCERPT_CHARS_MAX);
        assert!(shown.starts_with("palha ") && shown.contains("agulha"), "{shown}");
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(text in ".{0,80}", asked in "[a-zé ]{1,4}") {
            if let Some(pieces) = whole(&text, &Wanted::new(&asked)) {
                let joined: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
                prop_assert_eq!(joined, text);
            }
        }
    }
}
