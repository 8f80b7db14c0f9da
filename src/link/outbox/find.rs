//! Finds a message that may have been taken in among those that the provider has. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::MessageId;
use crate::domain::sending::says_the_same;
use crate::umbler::api::sending::SentItem;

/// A message whose request was not answered, as far as it can be recognized.
#[derive(Debug, Clone)]
pub struct Lost<'a> {
    pub temp_id: &'a str,
    pub text: &'a str,
    pub prefix: Option<&'a str>,
    pub private: bool,
    /// It is not older than this by the provider's clock.
    pub since: Timestamp,
}

/// The message: by the id that the sender chose where the provider shows it, else the first with the same text since then.
/// `taken` are messages of other entries.
pub fn find(lost: &Lost<'_>, found: &[SentItem], taken: &BTreeSet<MessageId>) -> Option<MessageId> {
    if let Some(item) = found.iter().find(|item| item.temp_id.as_deref() == Some(lost.temp_id)) {
        return Some(item.id.clone());
    }
    let is_it = |item: &&SentItem| {
        item.temp_id.is_none()
            && item.private == lost.private
            && item.created_at >= lost.since
            && !taken.contains(&item.id)
            && item.text.as_deref().is_some_and(|said| says_the_same(said, lost.prefix, lost.text))
    };
    found
        .iter()
        .filter(is_it)
        .min_by_key(|item| (item.external, item.created_at, &item.id))
        .map(|item| item.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn item(id: &str, second: i64, text: &str) -> SentItem {
        SentItem {
            id: id.into(),
            created_at: at(second),
            text: Some(text.to_owned()),
            private: false,
            external: false,
            temp_id: None,
        }
    }

    const OK: Lost<'static> = Lost {
        temp_id: "t",
        text: "Ok",
        prefix: Some("*Bia:*"),
        private: false,
        since: Timestamp::UNIX_EPOCH,
    };

    fn found(items: &[SentItem], taken: &[&str]) -> Option<String> {
        let taken = taken.iter().map(|id| MessageId::from(*id)).collect();
        find(&OK, items, &taken).map(|id| id.to_string())
    }

    #[test]
    fn the_senders_own_id_decides_where_the_provider_shows_it() {
        let own = SentItem { temp_id: Some("t".into()), ..item("own", 9, "other words") };
        let other = SentItem { temp_id: Some("u".into()), ..item("other", 1, "Ok") };
        assert_eq!(found(&[other.clone(), own], &[]).as_deref(), Some("own"));
        assert_eq!(found(&[other], &[]), None, "one with another id is another");
    }

    #[test]
    fn else_it_is_the_first_with_the_same_text_since_then_that_belongs_to_no_other() {
        let items =
            [item("c", 7, "*Bia:*\nOk"), item("b", 5, "Ok"), item("a", -5, "Ok"), item("d", 6, "Ok?")];
        assert_eq!(found(&items, &[]).as_deref(), Some("b"), "an older one is none");
        assert_eq!(found(&items, &["b"]).as_deref(), Some("c"));
        assert_eq!(found(&items, &["b", "c"]), None);
        let outside = SentItem { external: true, ..item("x", 1, "Ok") };
        assert_eq!(found(&[outside.clone(), item("b", 5, "Ok")], &[]).as_deref(), Some("b"));
        assert_eq!(found(&[outside], &[]).as_deref(), Some("x"));
        let note = SentItem { private: true, ..item("n", 5, "Ok") };
        assert_eq!(found(&[note], &[]), None);
    }
}
