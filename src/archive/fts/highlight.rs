//! Shows where in a text a search was found: pieces of plain text, never markup.

use super::words::{Term, Wanted, Word, end_of_prefix, words};
use crate::protocol::search::{Excerpt, Piece};

/// Characters of a message that an answer shows.
const EXCERPT_CHARS_MAX: usize = 240;
/// Of these, characters before the first find.
const CHARS_BEFORE: usize = 60;

/// Bytes of a text.
type Range = (usize, usize);

/// The whole text in pieces; `None` where nothing in it was asked for.
pub(super) fn whole(text: &str, wanted: &Wanted) -> Option<Vec<Piece>> {
    let finds = finds(text, &wanted.terms);
    (!finds.is_empty()).then(|| pieces(text, &finds, (0, text.len())))
}

/// The text around the first find, in pieces; `None` where not all that was asked for stands in it.
pub(super) fn excerpt(text: &str, wanted: &Wanted) -> Option<Excerpt> {
    let words = words(text);
    if !wanted.terms.iter().all(|term| finds_of(text, &words, term).next().is_some()) {
        return None;
    }
    let finds = finds(text, &wanted.terms);
    let (first, _) = *finds.first()?;
    let shown = window(text, first, &words);
    Some(Excerpt {
        text: pieces(text, &finds, shown),
        cut_before: shown.0 > 0,
        cut_after: shown.1 < text.len(),
    })
}

/// A phone in pieces; `None` where none of the asked digits stand in it.
pub(super) fn phone(phone: &str, wanted: &Wanted) -> Option<Vec<Piece>> {
    let places: Vec<usize> =
        phone.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at).collect();
    let digits = crate::journal::fold::digits(phone);
    let finds = wanted.digits().filter_map(|asked| {
        let from = digits.find(asked)?;
        Some((*places.get(from)?, places.get(from + asked.len() - 1)? + 1))
    });
    let finds = merged(finds.collect());
    (!finds.is_empty()).then(|| pieces(phone, &finds, (0, phone.len())))
}

fn finds(text: &str, terms: &[Term]) -> Vec<Range> {
    let words = words(text);
    merged(terms.iter().flat_map(|term| finds_of(text, &words, term)).collect())
}

fn finds_of<'a>(text: &'a str, words: &'a [Word], term: &'a Term) -> impl Iterator<Item = Range> + 'a {
    words.windows(term.words.len()).filter_map(move |run| {
        let (last, before) = run.split_last()?;
        let (asked, asked_before) = term.words.split_last()?;
        let fits = if term.open { last.folded.starts_with(asked) } else { last.folded == *asked };
        let all_fit = fits && before.iter().zip(asked_before).all(|(word, asked)| word.folded == *asked);
        let until =
            || if term.open { end_of_prefix(text, last.from, asked.chars().count()) } else { last.until };
        all_fit.then(|| (run[0].from, until().min(last.until)))
    })
}

/// Sorted, and those that touch each other as one.
fn merged(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut merged: Vec<Range> = Vec::new();
    for (from, until) in ranges {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged
}

/// The bytes that are shown: all, or some before the first find, from the beginning of a word on.
fn window(text: &str, find: usize, words: &[Word]) -> Range {
    let chars_before = text[..find].chars().count();
    let from = if chars_before <= CHARS_BEFORE {
        0
    } else {
        let least = place_of(text, chars_before - CHARS_BEFORE);
        words.iter().map(|word| word.from).find(|from| *from >= least).unwrap_or(least).min(find)
    };
    (from, from + place_of(&text[from..], EXCERPT_CHARS_MAX))
}

/// Where the so-manieth character begins.
fn place_of(text: &str, chars: usize) -> usize {
    text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)
}

fn pieces(text: &str, finds: &[Range], (from, until): Range) -> Vec<Piece> {
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
        ] {
            let found = excerpt(text, &Wanted::new(asked)).map(|excerpt| marked(&excerpt.text));
            assert_eq!(found.as_deref(), Some(shown), "{asked}");
        }
        assert_eq!(excerpt("só bom", &Wanted::new("bom dia")), None, "all words must be there");
    }

    #[test]
    fn a_phone_shows_the_digits_however_they_were_asked_for() {
        let shown = |asked: &str| phone("+5511900000001", &Wanted::new(asked)).map(|pieces| marked(&pieces));
        assert_eq!(shown("(11) 9").as_deref(), Some("+55[119]00000001"));
        assert_eq!(shown("márcia 0001").as_deref(), Some("+551190000[0001]"));
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
