//! Which chats were active in a gap: the list of chats, page after page, the newest activity first. Pure.
//!
//! The provider ignores parameters that it does not know, so nothing of the order is believed. Activity that rises along the walk
//! shows that another order counts, and a page of known chats shows that the same page comes again.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::domain::ChatId;
use crate::umbler::api::{ChatItem, ChatsPage};

/// A walk along one list of chats.
#[derive(Debug)]
pub struct ChatWalk {
    /// Chats without activity since then are left out.
    from: Timestamp,
    /// Items that were passed over or read.
    skip: usize,
    seen: HashSet<ChatId>,
    order: Order,
}

/// What is believed of the order of the list.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// None: the list is read to its end.
    Any,
    /// The newest first, by one of two times or by both.
    NewestFirst { by_activity: Lowest, by_message: Lowest },
}

/// The lowest time along the walk, as long as none was higher than the one before.
#[derive(Debug, Clone, Copy)]
enum Lowest {
    Falls(Option<Timestamp>),
    Rose,
}

impl Lowest {
    fn hears(&mut self, at: Option<Timestamp>) {
        let (Self::Falls(lowest), Some(at)) = (&mut *self, at) else { return };
        if lowest.is_some_and(|lowest| at > lowest) {
            *self = Self::Rose;
        } else {
            *lowest = Some(at);
        }
    }

    /// True where nothing behind this place is of the gap; `None` where this time says nothing.
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
    /// To ask for the page after so many.
    After(usize),
    /// Nothing: all that was active in the gap was read.
    Done,
    /// To read other lists, to their end: this one has another order than was asked for.
    OrderIgnored,
}

impl ChatWalk {
    /// Along a list that should have the newest activity first, down to a moment.
    pub fn newest_first(from: Timestamp) -> Self {
        let unknown = Lowest::Falls(None);
        let order = Order::NewestFirst { by_activity: unknown, by_message: unknown };
        Self { from, skip: 0, seen: HashSet::new(), order }
    }

    /// Along a list of any order, to its end.
    pub fn whole(from: Timestamp) -> Self {
        Self { from, skip: 0, seen: HashSet::new(), order: Order::Any }
    }

    /// Takes a page: the chats in it that were active in the gap and are new, and what to do next.
    pub fn hears(&mut self, page: ChatsPage) -> Result<(Vec<ChatItem>, WalkStep), &'static str> {
        let ChatsPage { items, total, take_max } = page;
        let count = items.len();
        self.skip += count;
        // Chats slide down while others come, so some are met twice; that all are means that no other page comes.
        let fresh: Vec<ChatItem> =
            items.into_iter().filter(|item| self.seen.insert(item.id.clone())).collect();
        if count > 0 && fresh.is_empty() {
            return Err("the same chats came again on the next page");
        }
        if let Order::NewestFirst { by_activity, by_message } = &mut self.order {
            for item in &fresh {
                by_activity.hears(item.active_at);
                by_message.hears(item.last_message.as_ref().map(|(_, at)| *at));
            }
        }
        let is_last = count == 0
            // Not by how many were passed over: some of them were met twice.
            || total.is_some_and(|total| self.seen.len() as u64 >= total)
            || total.is_none() && take_max.is_some_and(|most| (count as u64) < most);
        let step = if is_last { WalkStep::Done } else { self.next() };
        let of_gap = |item: &ChatItem| item.active_at.is_none_or(|at| at >= self.from);
        Ok((fresh.into_iter().filter(of_gap).collect(), step))
    }

    fn next(&self) -> WalkStep {
        let Order::NewestFirst { by_activity, by_message } = self.order else {
            return WalkStep::After(self.skip);
        };
        let past = [by_activity.is_past(self.from), by_message.is_past(self.from)];
        if past.iter().all(Option::is_none) {
            return WalkStep::OrderIgnored;
        }
        let is_past = past.into_iter().flatten().all(|past| past);
        if is_past { WalkStep::Done } else { WalkStep::After(self.skip) }
    }
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
    fn a_walk_ends_where_activity_is_older_than_the_gap() {
        let mut walk = ChatWalk::newest_first(at(50));
        let (found, step) = walk.hears(page(&[("a", 60), ("b", 59)], Some(9))).unwrap();
        assert_eq!((ids(&found), step), (vec!["a", "b"], WalkStep::After(2)));
        // While another chat came, b slid down: it is met twice.
        let (found, step) = walk.hears(page(&[("b", 59), ("c", 55), ("d", 40)], Some(9))).unwrap();
        assert_eq!((ids(&found), step), (vec!["c"], WalkStep::Done));
    }

    #[test]
    fn activity_that_rises_shows_that_the_order_was_ignored() {
        let mut walk = ChatWalk::newest_first(at(50));
        let (found, step) = walk.hears(page(&[("a", 10), ("b", 60)], Some(9))).unwrap();
        assert_eq!((ids(&found), step), (vec!["b"], WalkStep::OrderIgnored));
        // A list that is whole needs no order.
        let mut walk = ChatWalk::newest_first(at(50));
        assert_eq!(walk.hears(page(&[("a", 10), ("b", 60)], Some(2))).unwrap().1, WalkStep::Done);
    }

    #[test]
    fn an_order_by_messages_is_one_although_closing_is_activity_too() {
        let mut walk = ChatWalk::newest_first(at(50));
        let mut closed = item("b", 58);
        closed.active_at = Some(at(61));
        let first = ChatsPage { items: vec![item("a", 60), closed], total: Some(9), take_max: None };
        assert_eq!(walk.hears(first).unwrap().1, WalkStep::After(2));
        assert_eq!(walk.hears(page(&[("c", 40)], Some(9))).unwrap().1, WalkStep::Done);
    }

    #[test]
    fn a_page_that_comes_again_is_an_error_and_an_empty_one_is_the_end() {
        let mut walk = ChatWalk::whole(at(50));
        assert_eq!(walk.hears(page(&[("a", 60), ("b", 10)], None)).unwrap().1, WalkStep::After(2));
        assert!(walk.hears(page(&[("a", 60), ("b", 10)], None)).is_err());
        assert_eq!(walk.hears(page(&[], None)).unwrap().1, WalkStep::Done);
    }

    #[test]
    fn a_page_that_is_shorter_than_asked_for_may_be_the_providers_bound() {
        let short = |take_max| ChatsPage { take_max, ..page(&[("a", 60), ("b", 59)], None) };
        assert_eq!(ChatWalk::whole(at(50)).hears(short(Some(2))).unwrap().1, WalkStep::After(2));
        assert_eq!(ChatWalk::whole(at(50)).hears(short(None)).unwrap().1, WalkStep::After(2));
        assert_eq!(ChatWalk::whole(at(50)).hears(short(Some(50))).unwrap().1, WalkStep::Done);
    }
}
