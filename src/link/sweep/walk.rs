//! Reads a list of chats page by page, the newest activity first, and picks the chats that were active in a gap. Pure: it takes
//! pages and says what to ask for next.
//!
//! The provider ignores parameters that it does not know, so the order is checked on the answers. If activity gets later from one
//! chat to the next, the list has another order; if the same page comes again, `Skip` is ignored.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::domain::ChatId;
use crate::umbler::api::{ChatItem, ChatsPage};

/// The progress of reading one list of chats.
#[derive(Debug)]
pub struct ChatWalk {
    /// Chats without activity since then are left out.
    from: Timestamp,
    /// The list is read until activity is older than this.
    until: Timestamp,
    /// Chats that were received, which is how many the next request skips.
    skip: usize,
    seen: HashSet<ChatId>,
    /// The chats of the page before.
    before: HashSet<ChatId>,
    order: Order,
}

/// The expected order of the list.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// Any order: the list is read to its end.
    Any,
    /// Newest first, by last activity, by last message, or by both.
    NewestFirst { by_activity: Lowest, by_message: Lowest },
}

/// Tracks whether a time never rises from one chat to the next.
#[derive(Debug, Clone, Copy)]
enum Lowest {
    /// It has not risen so far; this is the lowest value. `None`: no value yet.
    Falls(Option<Timestamp>),
    /// It has risen, so the list is not in the order of this time.
    Rose,
}

impl Lowest {
    fn note(&mut self, at: Option<Timestamp>) {
        let (Self::Falls(lowest), Some(at)) = (&mut *self, at) else { return };
        if lowest.is_some_and(|lowest| at > lowest) {
            *self = Self::Rose;
        } else {
            *lowest = Some(at);
        }
    }

    /// True: all further chats are older than `from`. `None`: the list is not in the order of this time.
    fn is_past(self, from: Timestamp) -> Option<bool> {
        match self {
            Self::Falls(lowest) => Some(lowest.is_some_and(|lowest| lowest < from)),
            Self::Rose => None,
        }
    }
}

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalkStep {
    /// Ask for the page after this many chats.
    After(usize),
    /// All chats that were active in the gap have been read.
    Done,
    /// The list has another order than was asked for: read other lists to their end instead.
    OrderIgnored,
}

impl ChatWalk {
    /// Reads a list that should have the newest activity first, until activity is older than `from`.
    pub fn newest_first(from: Timestamp) -> Self {
        let unknown = Lowest::Falls(None);
        let order = Order::NewestFirst { by_activity: unknown, by_message: unknown };
        Self { from, until: from, skip: 0, seen: HashSet::new(), before: HashSet::new(), order }
    }

    /// Ends sooner: once activity is older than this.
    pub fn down_to(self, until: Timestamp) -> Self {
        Self { until, ..self }
    }

    /// Reads a list of any order to its end.
    pub fn whole(from: Timestamp) -> Self {
        Self { from, until: from, skip: 0, seen: HashSet::new(), before: HashSet::new(), order: Order::Any }
    }

    /// Takes a page. Returns its chats that were active in the gap and did not come before, and what to do next. The error says why
    /// the answer cannot be trusted.
    pub fn take_page(&mut self, page: ChatsPage) -> Result<(Vec<ChatItem>, WalkStep), &'static str> {
        let ChatsPage { items, total, take_max } = page;
        let count = items.len();
        self.skip += count;
        let here: HashSet<ChatId> = items.iter().map(|item| item.id.clone()).collect();
        // New activity moves chats down the list while it is read, so some come twice. If the same page comes twice, `Skip` is ignored.
        if count > 0 && here == self.before {
            return Err("the same chats came again on the next page");
        }
        self.before = here;
        let fresh: Vec<ChatItem> =
            items.into_iter().filter(|item| self.seen.insert(item.id.clone())).collect();
        if let Order::NewestFirst { by_activity, by_message } = &mut self.order {
            for item in &fresh {
                by_activity.note(item.active_at);
                by_message.note(item.last_message.as_ref().map(|(_, at)| *at));
            }
        }
        let is_last = count == 0
            // Counts different chats, because some of those received came twice.
            || total.is_some_and(|total| self.seen.len() as u64 >= total)
            || total.is_none() && take_max.is_some_and(|most| (count as u64) < most);
        let step = if is_last { WalkStep::Done } else { self.next() };
        let is_in_gap = |item: &ChatItem| item.active_at.is_none_or(|at| at >= self.from);
        Ok((fresh.into_iter().filter(is_in_gap).collect(), step))
    }

    fn next(&self) -> WalkStep {
        let Order::NewestFirst { by_activity, by_message } = self.order else {
            return WalkStep::After(self.skip);
        };
        let past = [by_activity.is_past(self.until), by_message.is_past(self.until)];
        if past.iter().all(Option::is_none) {
            return WalkStep::OrderIgnored;
        }
        let is_past = past.into_iter().flatten().all(|past| past);
        if is_past { WalkStep::Done } else { WalkStep::After(self.skip) }
    }
}

/// The newest activity on a page; `None` where it tells none.
pub fn newest_activity(page: &ChatsPage) -> Option<Timestamp> {
    page.items.iter().filter_map(|item| item.active_at).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_772_456_400 + 60 * minute).unwrap()
    }

    fn item(id: &str, minute: i64) -> ChatItem {
        ChatItem {
            id: id.into(),
            created_at: None,
            active_at: Some(at(minute)),
            last_message: Some((format!("m-{id}").as_str().into(), at(minute))),
            is_redacted: false,
            transfers: Vec::new(),
            text: String::new(),
        }
    }

    fn page(items: &[(&str, i64)], total: Option<u64>) -> ChatsPage {
        let items = items.iter().map(|(id, minute)| item(id, *minute)).collect();
        ChatsPage { items, total, take_max: None }
    }

    fn ids(items: &[ChatItem]) -> Vec<&str> {
        items.iter().map(|item| item.id.as_str()).collect()
    }

    #[test]
    fn reading_ends_where_activity_is_older_than_the_gap() {
        let mut walk = ChatWalk::newest_first(at(50));
        let (found, step) = walk.take_page(page(&[("a", 60), ("b", 59)], Some(9))).unwrap();
        assert_eq!((ids(&found), step), (vec!["a", "b"], WalkStep::After(2)));
        // Another chat moved to the top meanwhile, so b comes a second time.
        let (found, step) = walk.take_page(page(&[("b", 59), ("c", 55), ("d", 40)], Some(9))).unwrap();
        assert_eq!((ids(&found), step), (vec!["c"], WalkStep::Done));
    }

    #[test]
    fn activity_that_rises_shows_that_the_order_was_ignored() {
        let mut walk = ChatWalk::newest_first(at(50));
        let (found, step) = walk.take_page(page(&[("a", 10), ("b", 60)], Some(9))).unwrap();
        assert_eq!((ids(&found), step), (vec!["b"], WalkStep::OrderIgnored));
        // The order does not matter where one page holds the whole list.
        let mut walk = ChatWalk::newest_first(at(50));
        assert_eq!(walk.take_page(page(&[("a", 10), ("b", 60)], Some(2))).unwrap().1, WalkStep::Done);
    }

    #[test]
    fn a_list_ordered_by_last_message_is_accepted_although_closing_is_activity_too() {
        let mut walk = ChatWalk::newest_first(at(50));
        let mut closed = item("b", 58);
        closed.active_at = Some(at(61));
        let first = ChatsPage { items: vec![item("a", 60), closed], total: Some(9), take_max: None };
        assert_eq!(walk.take_page(first).unwrap().1, WalkStep::After(2));
        assert_eq!(walk.take_page(page(&[("c", 40)], Some(9))).unwrap().1, WalkStep::Done);
    }

    #[test]
    fn a_page_that_comes_twice_is_an_error_and_an_empty_one_is_the_end() {
        let mut walk = ChatWalk::whole(at(50));
        assert_eq!(walk.take_page(page(&[("a", 60), ("b", 10)], None)).unwrap().1, WalkStep::After(2));
        assert!(walk.take_page(page(&[("a", 60), ("b", 10)], None)).is_err());
        assert_eq!(walk.take_page(page(&[], None)).unwrap().1, WalkStep::Done);
    }

    #[test]
    fn a_page_that_is_shorter_than_asked_for_may_be_the_providers_limit() {
        let short = |take_max| ChatsPage { take_max, ..page(&[("a", 60), ("b", 59)], None) };
        assert_eq!(ChatWalk::whole(at(50)).take_page(short(Some(2))).unwrap().1, WalkStep::After(2));
        assert_eq!(ChatWalk::whole(at(50)).take_page(short(None)).unwrap().1, WalkStep::After(2));
        assert_eq!(ChatWalk::whole(at(50)).take_page(short(Some(50))).unwrap().1, WalkStep::Done);
    }
}
