//! What a search looks for. Matching is by `instr`, so `%` and `_` are letters like all others.

use crate::journal::fold::{digits, fold};

/// What a search box's text is looked for as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needle {
    /// Without case, accents and outer spaces; empty where nothing was typed, which everything contains.
    pub(super) folded: String,
    /// Its digits, where it is written like a phone: `+55 (11) 9` finds what is stored as `55119`.
    pub(super) digits: Option<String>,
}

impl Needle {
    /// Reads a search box.
    pub(super) fn new(search: &str) -> Self {
        let search = search.trim();
        let phone_like = search.chars().all(|c| c.is_ascii_digit() || " +-().".contains(c));
        let digits = digits(search);
        Self { folded: fold(search), digits: (phone_like && !digits.is_empty()).then_some(digits) }
    }

    /// The two texts to look for in a contact's search key; either may be found.
    pub(super) fn for_contacts(self) -> [rusqlite::types::Value; 2] {
        let digits = self.digits.unwrap_or_else(|| self.folded.clone());
        [self.folded.into(), digits.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_found_however_it_is_written() {
        assert_eq!(Needle::new(" +55 (11) 9-0").digits.as_deref(), Some("551190"));
        assert_eq!(Needle::new("Sala 3").digits, None);
        assert_eq!(Needle::new(" JOÃO ").folded, "joao");
        assert_eq!(Needle::new("+").digits, None);
    }
}
