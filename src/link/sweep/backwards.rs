//! The messages of one chat, back to the beginning of a gap, page after page in no certain order. Pure.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::domain::MessageId;
use crate::umbler::api::{MessageItem, MessagesPage};

/// How far the next page overlaps the one before: whether the provider counts its cursor in is not known, and neither is
/// whether it compares more than milliseconds.
const OVERLAP: SignedDuration = SignedDuration::from_millis(1);
/// Messages of one instant that may be more than a page shows. No provider's page is shorter than this.
const CROWD_MIN: usize = 10;

/// The way back along the messages of one chat.
#[derive(Debug)]
pub struct Backwards {
    from: Timestamp,
    cursor: Timestamp,
    seen: HashSet<MessageId>,
    longest: usize,
    /// The instant that was left because a page held nothing else.
    left: Option<Timestamp>,
    /// What was read: each message once.
    pub messages: Vec<MessageItem>,
    /// The provider's plan hides what happened before this; `None`: it showed everything back to the gap's beginning.
    pub cut_at: Option<Timestamp>,
    /// A whole page was of one instant: messages of that instant that did not fit on it are not known.
    pub crowded_at: Option<Timestamp>,
}

impl Backwards {
    /// From one moment back to another.
    pub fn new(until: Timestamp, from: Timestamp) -> Self {
        Self {
            from,
            cursor: until,
            seen: HashSet::new(),
            longest: 0,
            left: None,
            messages: Vec::new(),
            cut_at: None,
            crowded_at: None,
        }
    }

    /// The moment to ask for messages before.
    pub fn cursor(&self) -> Timestamp {
        self.cursor
    }

    /// Takes a page; true where another one is to be asked for.
    pub fn hears(&mut self, page: MessagesPage) -> Result<bool, &'static str> {
        let MessagesPage { items, is_cut } = page;
        if items.iter().any(|item| item.at > self.cursor) {
            return Err("messages came that happened after the moment that was asked for");
        }
        let Some(oldest) = items.iter().map(|item| item.at).min() else {
            self.note_cut(is_cut);
            return Ok(false);
        };
        let count = items.len();
        self.longest = self.longest.max(count);
        let is_one_instant = count > 1 && count == self.longest && items.iter().all(|item| item.at == oldest);
        let fresh: Vec<MessageItem> =
            items.into_iter().filter(|item| self.seen.insert(item.id.clone())).collect();
        let taught_nothing = fresh.is_empty();
        self.messages.extend(fresh);
        if oldest < self.from {
            return Ok(false);
        }
        if taught_nothing && is_one_instant && self.left != Some(oldest) {
            // The page holds one instant and no more: what is before it is found only by leaving it.
            self.left = Some(oldest);
            if count >= CROWD_MIN {
                self.crowded_at = Some(oldest);
            }
            return Ok(self.go_on_before(oldest.checked_sub(OVERLAP).unwrap_or(oldest)));
        }
        if taught_nothing {
            self.note_cut(is_cut);
            return Ok(false);
        }
        Ok(self.go_on_before(oldest.checked_add(OVERLAP).unwrap_or(oldest)))
    }

    fn go_on_before(&mut self, cursor: Timestamp) -> bool {
        self.cursor = cursor;
        true
    }

    fn note_cut(&mut self, is_cut: bool) {
        if is_cut {
            self.cut_at = self.messages.iter().map(|item| item.at).min().or(Some(self.cursor));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_772_456_400_000 + millis).unwrap()
    }

    fn item(id: usize, millis: i64) -> MessageItem {
        MessageItem { id: format!("m{id}").as_str().into(), at: at(millis), text: String::new() }
    }

    /// A provider with these messages, a page of so many, and its cursor counted in or not.
    fn read(all: &[MessageItem], take: usize, inclusive: bool, from: i64) -> (Backwards, usize) {
        let mut back = Backwards::new(at(1_000_000), at(from));
        let mut asked = 0;
        loop {
            asked += 1;
            assert!(asked < 1_000, "it ends");
            let cursor = back.cursor();
            let mut before: Vec<MessageItem> = all
                .iter()
                .filter(|item| item.at < cursor || inclusive && item.at == cursor)
                .cloned()
                .collect();
            before.sort_by_key(|item| std::cmp::Reverse(item.at));
            before.truncate(take);
            // In no certain order.
            before.reverse();
            if !back.hears(MessagesPage { items: before, is_cut: false }).unwrap() {
                return (back, asked);
            }
        }
    }

    #[test]
    fn no_message_is_lost_at_the_edge_of_a_page_whether_the_cursor_counts_or_not() {
        // Three of each instant, so that pages of four end within one.
        let all: Vec<MessageItem> =
            (0..60).map(|id| item(id, 1_000 * (i64::try_from(id).unwrap() / 3))).collect();
        for inclusive in [true, false] {
            for take in [4, 7, 100] {
                let (back, _) = read(&all, take, inclusive, -1);
                assert_eq!(back.messages.len(), 60, "inclusive {inclusive}, {take} a page");
                assert_eq!(back.crowded_at, None);
            }
        }
    }

    #[test]
    fn it_ends_at_the_beginning_of_the_gap() {
        let all: Vec<MessageItem> = (0..100).map(|id| item(id, 1_000 * i64::try_from(id).unwrap())).collect();
        let (back, asked) = read(&all, 10, true, 85_000);
        assert!(back.messages.len() < 30 && asked < 4, "{asked}");
        assert!(back.messages.iter().any(|message| message.at == at(85_000)));
    }

    #[test]
    fn a_page_of_one_instant_is_left_and_said() {
        let mut all: Vec<MessageItem> = (0..30).map(|id| item(id, 5_000)).collect();
        all.push(item(100, 1_000));
        let (back, _) = read(&all, 12, true, 0);
        assert_eq!(back.crowded_at, Some(at(5_000)));
        assert!(back.messages.iter().any(|message| message.at == at(1_000)), "what is before it is found");
    }

    #[test]
    fn a_cursor_that_is_ignored_is_noticed() {
        let mut back = Backwards::new(at(10_000), at(0));
        let page =
            |millis| MessagesPage { items: vec![item(1, millis), item(2, millis - 1_000)], is_cut: false };
        assert!(back.hears(page(9_000)).unwrap());
        assert!(back.hears(page(9_000)).is_err());
    }

    #[test]
    fn a_plan_that_hides_what_was_before_is_noticed() {
        let mut back = Backwards::new(at(10_000), at(0));
        assert!(back.hears(MessagesPage { items: vec![item(1, 9_000)], is_cut: true }).unwrap());
        assert!(!back.hears(MessagesPage { items: vec![item(1, 9_000)], is_cut: true }).unwrap());
        assert_eq!(back.cut_at, Some(at(9_000)));
    }
}
