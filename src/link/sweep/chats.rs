//! Reads which chats were active in a gap, whatever order the provider lists them in and whatever moves meanwhile.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::active::Active;
use super::walk::{ChatWalk, WalkStep, newest_activity};
use super::{PAGES_MAX, Sweep, misled};
use crate::domain::ChatId;
use crate::link::client::ApiAnswer;
use crate::link::fault::LinkError;
use crate::link::shifted;
use crate::umbler::api::{ApiRequest, ChatsPage, Route};

/// If the provider ignores the order of chats, all open chats are read, and those created within this time.
const WIDE_REACH: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often the top of the list of chats is read again because chats came to it meanwhile.
const RISES_MAX: usize = 20;

/// What was read of a list of chats.
struct Walked {
    chats: Vec<Active>,
    pages: usize,
    /// False: the list is not in the order that was asked for.
    is_ordered: bool,
}

impl Sweep<'_> {
    pub(super) fn page(&mut self, request: &ApiRequest) -> Result<ApiAnswer<ChatsPage>, LinkError> {
        self.client.ask(request, ChatsPage::read)
    }

    /// Reads the chats that were active since `from`.
    pub(super) fn active_chats(
        &mut self,
        first: ApiAnswer<ChatsPage>,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Active>, LinkError> {
        let requests = self.requests;
        let newest = newest_activity(&first.said);
        let mut walked = self.walk(ChatWalk::newest_first(from), first, &|skip| requests.chats(skip))?;
        if walked.is_ordered && self.add_risen(&mut walked, from, newest)? {
            return Ok(walked.chats);
        }
        let mut chats = walked.chats;
        self.swept.problem = Some(
            "Umbler ignored the requested order of chats, so all open chats and those of the last 30 days were read",
        );
        let since = shifted(now, -WIDE_REACH);
        let lists: [&dyn Fn(usize) -> ApiRequest; 2] =
            [&|skip| requests.open_chats(skip), &|skip| requests.chats_created_since(since, skip)];
        for list in lists {
            let first = self.page(&list(0))?;
            chats.extend(self.walk(ChatWalk::whole(from), first, list)?.chats);
        }
        chats.sort_by(|one, other| one.item.id.cmp(&other.item.id));
        chats.dedup_by(|one, other| one.item.id == other.item.id);
        Ok(chats)
    }

    /// Adds the chats that came to the top of the list between two of its pages, and so were on none. The list is read again down to
    /// the activity that was the newest before, until all of that is on one page: a page is of one moment. False: the list is not in
    /// the order that was asked for.
    fn add_risen(
        &mut self,
        walked: &mut Walked,
        from: Timestamp,
        mut newest: Option<Timestamp>,
    ) -> Result<bool, LinkError> {
        let requests = self.requests;
        let mut pages = walked.pages;
        for _ in 0..RISES_MAX {
            let (Some(before), true) = (newest, pages > 1) else { return Ok(true) };
            let first = self.page(&requests.chats(0))?;
            newest = newest_activity(&first.said);
            let walk = ChatWalk::newest_first(from).down_to(before);
            let again = self.walk(walk, first, &|skip| requests.chats(skip))?;
            if !again.is_ordered {
                return Ok(false);
            }
            let known: HashSet<ChatId> = walked.chats.iter().map(|chat| chat.item.id.clone()).collect();
            walked.chats.extend(again.chats.into_iter().filter(|chat| !known.contains(&chat.item.id)));
            if newest == Some(before) {
                return Ok(true);
            }
            pages = again.pages;
        }
        Err(misled(Route::Chats, "chats come to the top of the list faster than it can be read"))
    }

    /// Reads a list of chats to its end.
    fn walk(
        &mut self,
        mut walk: ChatWalk,
        first: ApiAnswer<ChatsPage>,
        list: &dyn Fn(usize) -> ApiRequest,
    ) -> Result<Walked, LinkError> {
        let mut chats = Vec::new();
        let mut page = first;
        for pages in 1..=PAGES_MAX {
            let ApiAnswer { said, date, received_at } = page;
            let (items, step) = walk.take_page(said).map_err(|reason| misled(Route::Chats, reason))?;
            chats.extend(Active::of_page(items, date, received_at));
            match step {
                WalkStep::After(skip) => page = self.page(&list(skip))?,
                WalkStep::Done => return Ok(Walked { chats, pages, is_ordered: true }),
                WalkStep::OrderIgnored => return Ok(Walked { chats, pages, is_ordered: false }),
            }
        }
        Err(misled(Route::Chats, "the list of chats does not end"))
    }
}
