//! Reads the messages of one chat from the newest back to the beginning of a gap, page by page. Within a page they come in any
//! order. Pure: it takes pages and says what to ask for next.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::domain::MessageId;
use crate::umbler::api::{MessageItem, MessagesPage};

/// How far a page overlaps the one before. It is not known whether the provider includes the cursor's own moment, nor whether it
/// compares times more finely than to the millisecond.
const OVERLAP: SignedDuration = SignedDuration::from_millis(1);
/// A page with at least this many messages of one instant may have been too short for all of them. The provider's pages hold more.
const CROWD_MIN: usize = 10;

/// The progress of reading one chat.
#[derive(Debug)]
pub struct Backwards {
    from: Timestamp,
    cursor: Timestamp,
    seen: HashSet<MessageId>,
    /// The most messages that a page had.
    longest: usize,
    /// The instant that was skipped because a page held nothing else.
    skipped: Option<Timestamp>,
    /// The messages that were read, each once.
    pub messages: Vec<MessageItem>,
    /// The plan hides messages before this moment. `None`: messages were shown back to the gap's beginning.
    pub cut_at: Option<Timestamp>,
    /// A page was full of messages of this one instant. Further messages of the instant may be missing.
    pub crowded_at: Option<Timestamp>,
}

impl Backwards {
    /// Reads from `until` back to `from`.
    pub fn new(until: Timestamp, from: Timestamp) -> Self {
        Self {
            from,
            cursor: until,
            seen: HashSet::new(),
            longest: 0,
            skipped: None,
            messages: Vec::new(),
            cut_at: None,
            crowded_at: None,
        }
    }

    /// The next page to ask for: messages before this moment.
    pub fn cursor(&self) -> Timestamp {
        self.cursor
    }

    /// Takes a page. True: another page is needed. The error says why the answer cannot be trusted.
    pub fn take_page(&mut self, page: MessagesPage) -> Result<bool, &'static str> {
        let MessagesPage { items, is_cut } = page;
        if items.iter().any(|item| item.at > self.cursor) {
            return Err("it holds messages that are later than the moment that was asked for");
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
        if taught_nothing && is_one_instant && self.skipped != Some(oldest) {
            // The page holds messages of one instant only: earlier ones are found only by skipping that instant.
            self.skipped = Some(oldest);
            if count >= CROWD_MIN {
                self.crowded_at = Some(oldest);
            }
            return Ok(self.continue_before(oldest.checked_sub(OVERLAP).unwrap_or(oldest)));
        }
        if taught_nothing {
            self.note_cut(is_cut);
            return Ok(false);
        }
        Ok(self.continue_before(oldest.checked_add(OVERLAP).unwrap_or(oldest)))
    }

    fn continue_before(&mut self, cursor: Timestamp) -> bool {
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

    /// Reads from a provider that has these messages, sends `take` of them a page, and may include the cursor's own moment.
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
            // The order within a page must not matter.
            before.reverse();
            if !back.take_page(MessagesPage { items: before, is_cut: false }).unwrap() {
                return (back, asked);
            }
        }
    }

    #[test]
    fn no_message_is_lost_at_the_edge_of_a_page_whether_the_cursor_is_included_or_not() {
        // Three messages at each instant, so that a page of four ends between messages of one instant.
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
    fn reading_ends_at_the_beginning_of_the_gap() {
        let all: Vec<MessageItem> = (0..100).map(|id| item(id, 1_000 * i64::try_from(id).unwrap())).collect();
        let (back, asked) = read(&all, 10, true, 85_000);
        assert!(back.messages.len() < 30 && asked < 4, "{asked}");
        assert!(back.messages.iter().any(|message| message.at == at(85_000)));
    }

    #[test]
    fn a_page_full_of_one_instant_is_skipped_and_reported() {
        let mut all: Vec<MessageItem> = (0..30).map(|id| item(id, 5_000)).collect();
        all.push(item(100, 1_000));
        let (back, _) = read(&all, 12, true, 0);
        assert_eq!(back.crowded_at, Some(at(5_000)));
        assert!(back.messages.iter().any(|message| message.at == at(1_000)), "an earlier message is found");
    }

    #[test]
    fn a_cursor_that_is_ignored_is_noticed() {
        let mut back = Backwards::new(at(10_000), at(0));
        let page =
            |millis| MessagesPage { items: vec![item(1, millis), item(2, millis - 1_000)], is_cut: false };
        assert!(back.take_page(page(9_000)).unwrap());
        assert!(back.take_page(page(9_000)).is_err());
    }

    #[test]
    fn a_plan_that_hides_earlier_messages_is_noticed() {
        let mut back = Backwards::new(at(10_000), at(0));
        assert!(back.take_page(MessagesPage { items: vec![item(1, 9_000)], is_cut: true }).unwrap());
        assert!(!back.take_page(MessagesPage { items: vec![item(1, 9_000)], is_cut: true }).unwrap());
        assert_eq!(back.cut_at, Some(at(9_000)));
    }
}
