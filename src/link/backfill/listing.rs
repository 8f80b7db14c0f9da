//! The list of the chats of one part of a backfill, page after page. Pure.
//!
//! Chats change their places while pages are read, so one may be passed over. Where the answer says how many there are, the list is
//! read again until all of them were met.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use crate::domain::ChatId;
use crate::link::sweep::active::Active;
use crate::link::sweep::walk::{ChatWalk, WalkStep};
use crate::umbler::api::{ApiRequest, ChatItem, ChatsPage, RequestBuilder};

/// Times that a list is read where chats seem to be missing.
const PASSES_MAX: u32 = 3;

/// When the chats of a part were created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: Timestamp,
    pub until: Timestamp,
    /// Only open chats are listed, whenever they were created; those of the window count.
    pub is_open: bool,
}

impl Window {
    fn holds(&self, item: &ChatItem) -> bool {
        // A chat that does not say when it was created is read once more rather than never.
        item.created_at.is_none_or(|at| at >= self.from && at < self.until)
    }
}

pub struct Listing {
    window: Window,
    /// The provider does not keep to the bounds of the window.
    is_unbounded: bool,
    walk: ChatWalk,
    skip: usize,
    passes: u32,
    seen: HashSet<ChatId>,
    found: BTreeMap<ChatId, Active>,
}

/// What a page of the list leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// Another page is to be read.
    More,
    /// Chats came that were not asked for.
    BoundsIgnored,
    All,
}

impl Listing {
    /// The list of a part, from its first page on.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            is_unbounded: false,
            walk: ChatWalk::whole(Timestamp::MIN),
            skip: 0,
            passes: 1,
            seen: HashSet::new(),
            found: BTreeMap::new(),
        }
    }

    /// A list in which chats from beyond the window may stand.
    pub fn unbounded(window: Window) -> Self {
        Self { is_unbounded: true, ..Self::new(window) }
    }

    pub fn window(&self) -> Window {
        self.window
    }

    pub fn is_unbounded(&self) -> bool {
        self.is_unbounded
    }

    /// The question for the next page.
    pub fn request(&self, requests: &RequestBuilder) -> ApiRequest {
        let Window { from, until, is_open } = self.window;
        if is_open {
            requests.open_chats(self.skip)
        } else {
            requests.chats_created_between(from, until, self.skip)
        }
    }

    pub fn hears(
        &mut self,
        page: ChatsPage,
        date: Option<Timestamp>,
        received_at: Timestamp,
    ) -> Result<Heard, &'static str> {
        let total = page.total;
        let (items, step) = self.walk.take_page(page)?;
        let is_bounded = !self.window.is_open && !self.is_unbounded;
        if is_bounded && items.iter().any(|item| !self.window.holds(item)) {
            return Ok(Heard::BoundsIgnored);
        }
        self.seen.extend(items.iter().map(|item| item.id.clone()));
        let wanted = items.into_iter().filter(|item| self.window.holds(item)).collect();
        for chat in Active::of_page(wanted, date, received_at) {
            self.found.insert(chat.item.id.clone(), chat);
        }
        match step {
            WalkStep::After(skip) => self.skip = skip,
            WalkStep::Done | WalkStep::OrderIgnored => {
                let lacks_some = total.is_some_and(|total| (self.seen.len() as u64) < total);
                if !lacks_some || self.passes >= PASSES_MAX {
                    return Ok(Heard::All);
                }
                (self.walk, self.skip) = (ChatWalk::whole(Timestamp::MIN), 0);
                self.passes += 1;
            }
        }
        Ok(Heard::More)
    }

    /// The chats of the part, in the order of their ids.
    pub fn take(&mut self) -> BTreeMap<ChatId, Active> {
        std::mem::take(&mut self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_772_456_400 + 3_600 * hour).unwrap()
    }

    fn page(items: &[(&str, i64)], total: u64) -> ChatsPage {
        let item = |(id, hour): &(&str, i64)| ChatItem {
            id: (*id).into(),
            created_at: Some(at(*hour)),
            active_at: None,
            last_message: None,
            is_redacted: false,
            transfers: Vec::new(),
            text: String::new(),
        };
        ChatsPage { items: items.iter().map(item).collect(), total: Some(total), take_max: None }
    }

    fn listing() -> Listing {
        Listing::new(Window { from: at(0), until: at(24), is_open: false })
    }

    fn ids(listing: &mut Listing) -> Vec<String> {
        listing.take().into_keys().map(|id| id.to_string()).collect()
    }

    #[test]
    fn a_chat_that_moved_to_the_top_while_the_list_was_read_is_met_the_second_time() {
        let mut listing = listing();
        let mut hears = |items: &[(&str, i64)]| listing.hears(page(items, 4), None, at(30));
        assert_eq!(hears(&[("a", 1), ("b", 2)]), Ok(Heard::More));
        // d went to the top, so b is met again and c is the last one.
        assert_eq!(hears(&[("b", 2), ("c", 3)]), Ok(Heard::More));
        assert_eq!(hears(&[]), Ok(Heard::More), "one is missing");
        assert_eq!(hears(&[("d", 4), ("a", 1)]), Ok(Heard::More));
        assert_eq!(hears(&[("b", 2), ("c", 3)]), Ok(Heard::All));
        assert_eq!(ids(&mut listing), ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_list_that_never_has_as_many_as_it_says_ends() {
        let mut listing = listing();
        for _ in 1..PASSES_MAX {
            assert_eq!(listing.hears(page(&[("a", 1)], 2), None, at(30)), Ok(Heard::More));
            assert_eq!(listing.hears(page(&[], 2), None, at(30)), Ok(Heard::More));
        }
        assert_eq!(listing.hears(page(&[("a", 1)], 2), None, at(30)), Ok(Heard::More));
        assert_eq!(listing.hears(page(&[], 2), None, at(30)), Ok(Heard::All));
    }

    #[test]
    fn chats_of_other_days_show_that_the_bounds_are_ignored_and_are_left_out() {
        let both = [("a", 1), ("z", 40)];
        assert_eq!(listing().hears(page(&both, 2), None, at(50)), Ok(Heard::BoundsIgnored));
        let mut wide = Listing::unbounded(listing().window());
        assert_eq!(wide.hears(page(&both, 2), None, at(50)), Ok(Heard::All));
        assert_eq!(ids(&mut wide), ["a"]);
    }
}
