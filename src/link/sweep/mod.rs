//! Compares what the provider knows with what is known here, and takes in what no webhook brought.
//!
//! # Contract
//!
//! 1. Every message of every chat that was active in the gap is compared: the newest message of a chat would find a lost end
//!    and never a lost middle.
//! 2. Where everything is known, nothing is recorded but how far that is.
//! 3. `completeUntil` moves only after a comparison that came to its end, and never beyond what it read.

pub mod walk;
pub mod backwards;
pub mod compare;

use jiff::{SignedDuration, Timestamp};

use super::archive::Archive;
use super::client::{Answered, Client, LinkError};
use crate::domain::MessageFacts;
use crate::journal::LinkProgress;
use crate::umbler::api::{ApiRequest, Asking, ChatItem, ChatsPage, MessageItem, MessagesPage, Route};
use crate::umbler::reconcile;
use backwards::Backwards;
pub use compare::Beginning;
use compare::{FindMissing, FindState, FindTransfers, KnowsBetween, KnowsMessage};
use walk::{ChatWalk, WalkStep};

/// How far before the end of the last comparison the next one begins: what came late there is met by this one.
const REACH_BACK: SignedDuration = SignedDuration::from_mins(10);
/// How far back the very first comparison goes.
const FIRST_REACH: SignedDuration = SignedDuration::from_hours(24);
/// How far before the provider's clock everything is known: messages that were sent appear some seconds late.
const SETTLED: SignedDuration = SignedDuration::from_secs(60);
/// How far before the provider's clock a chat's state stands in its order, so that it does not beat the next webhook.
const STATE_BEHIND: SignedDuration = SignedDuration::from_secs(5);
/// The same before our own clock, where the provider does not tell its own.
const UNTOLD_BEHIND: SignedDuration = SignedDuration::from_secs(30);
/// How far back chats were created that are read where the order of the list is ignored.
const WIDE_REACH: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Pages of one list, or of one chat, that are read for one comparison.
const PAGES_MAX: usize = 5_000;
/// Messages of one delivery, and their bytes: an update of it must fit where one of the provider fits.
const MESSAGES_PER_DELIVERY: usize = 50;
/// Bytes of the messages of one delivery, unless a single one has more.
const BYTES_PER_DELIVERY: usize = 256 * 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Chats that were active in the gap.
    pub chats: usize,
    pub messages: usize,
    /// Of them, those that were not known at all and happened a minute ago or earlier.
    pub lost: usize,
    /// States of chats that were news.
    pub states: usize,
    pub problem: Option<&'static str>,
    /// How far everything is known now.
    pub progress: LinkProgress,
}

pub struct Sweep<'a> {
    client: &'a mut Client,
    asking: &'a Asking,
    archive: &'a Archive,
    swept: Swept,
}

/// A chat to be compared, and the place of its state among its deliveries.
struct Active {
    item: ChatItem,
    at: Timestamp,
    received_at: Timestamp,
}

/// A moment, moved; where no clock can hold it, it stays.
fn moved(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

impl<'a> Sweep<'a> {
    /// Of everything since the last one.
    pub fn new(client: &'a mut Client, asking: &'a Asking, archive: &'a Archive) -> Self {
        Self { client, asking, archive, swept: Swept::default() }
    }

    /// Compares. What was taken in before an error stays, and the next comparison begins where this one did.
    pub fn run(mut self) -> Result<Swept, LinkError> {
        let begun = self.archive.ask(Beginning)?;
        self.swept.progress = begun.progress;
        let first = self.page(&self.asking.chats(0))?;
        if first.said.items.is_empty() && begun.has_chats {
            return Err(misled(Route::Chats, "the list is empty, and chats are known"));
        }
        let now = first.date.unwrap_or_else(|| moved(first.received_at, -UNTOLD_BEHIND));
        let from = begun.progress.complete_until.map_or_else(
            || moved(now, -FIRST_REACH),
            |until| moved(until, -REACH_BACK).min(moved(now, -REACH_BACK)),
        );
        let chats = self.active_chats(first, from, now)?;
        self.swept.chats = chats.len();
        for chat in chats {
            self.compare(&chat, from, now)?;
        }
        let until = moved(now, -SETTLED);
        let known = self.swept.progress.complete_until;
        self.swept.progress.complete_until = Some(known.map_or(until, |known| known.max(until)));
        if self.swept.progress != begun.progress {
            self.archive.note(self.swept.progress)?;
        }
        Ok(self.swept)
    }

    fn page(&mut self, request: &ApiRequest) -> Result<Answered<ChatsPage>, LinkError> {
        self.client.ask(request, ChatsPage::read)
    }

    /// The chats that were active since a moment.
    fn active_chats(
        &mut self,
        first: Answered<ChatsPage>,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Active>, LinkError> {
        let asking = self.asking;
        let (mut chats, is_ordered) =
            self.walk(ChatWalk::newest_first(from), first, &|skip| asking.chats(skip))?;
        if is_ordered {
            return Ok(chats);
        }
        self.swept.problem =
            Some("the order of the chats was ignored: all open and all recent ones were read");
        let since = moved(now, -WIDE_REACH);
        let lists: [&dyn Fn(usize) -> ApiRequest; 2] =
            [&|skip| asking.open_chats(skip), &|skip| asking.chats_created_since(since, skip)];
        for list in lists {
            let first = self.page(&list(0))?;
            let (found, _) = self.walk(ChatWalk::whole(from), first, list)?;
            chats.extend(found);
        }
        chats.sort_by(|one, other| one.item.id.cmp(&other.item.id));
        chats.dedup_by(|one, other| one.item.id == other.item.id);
        Ok(chats)
    }

    /// Reads a list; false where its order is not the one that was asked for.
    fn walk(
        &mut self,
        mut walk: ChatWalk,
        first: Answered<ChatsPage>,
        list: &dyn Fn(usize) -> ApiRequest,
    ) -> Result<(Vec<Active>, bool), LinkError> {
        let mut chats = Vec::new();
        let mut page = first;
        for _ in 0..PAGES_MAX {
            let Answered { said, date, received_at } = page;
            let (items, step) = walk.hears(said).map_err(|reason| misled(Route::Chats, reason))?;
            let at = date
                .map_or_else(|| moved(received_at, -UNTOLD_BEHIND), |date| moved(date, -STATE_BEHIND))
                .min(received_at);
            chats.extend(items.into_iter().map(|item| Active { item, at, received_at }));
            match step {
                WalkStep::After(skip) => page = self.page(&list(skip))?,
                WalkStep::Done => return Ok((chats, true)),
                WalkStep::OrderIgnored => return Ok((chats, false)),
            }
        }
        Err(misled(Route::Chats, "the list has no end"))
    }

    fn compare(&mut self, chat: &Active, from: Timestamp, now: Timestamp) -> Result<(), LinkError> {
        let Active { item, at, received_at } = chat;
        // Looked for before the state is known, which shows the newest of them at its own time.
        let transfers = FindTransfers { chat: item.id.clone(), from, said: item.transfers.clone() };
        let transfers = self.archive.ask(transfers)?;
        if let Some(said) = reconcile::read_chat(item, *received_at)
            && let Some(news) = self.archive.ask(FindState { said: said.clone(), at: *at })?
        {
            let contact = said.contact.as_ref();
            let composed = reconcile::state(item, &said.chat, contact, *at, news.corrects.as_ref());
            self.swept.states += self.archive.reconcile(&composed, "state", 1)?;
        }
        for (at, member) in transfers {
            self.archive.reconcile(&reconcile::transfer(&item.id, at, &member), "transfer", 1)?;
        }
        if item.is_redacted {
            // Nothing of what is said in it is shown to the token's owner.
            return Ok(());
        }
        let (messages, received_at) = self.messages(item, from, now)?;
        let said = reconcile::read_messages(&item.id, &messages, received_at);
        if said.len() != messages.len() {
            return Err(LinkError::Hub("a message was read otherwise than its page".to_owned()));
        }
        let missing = self.archive.ask(FindMissing { chat: item.id.clone(), said: said.clone() })?;
        let settled = moved(now, -SETTLED);
        self.swept.lost += missing.unknown.iter().filter(|place| messages[**place].at <= settled).count();
        let mut news: Vec<(&MessageItem, &MessageFacts)> =
            missing.news.iter().map(|place| (&messages[*place], &said[*place])).collect();
        news.sort_by(|(one, _), (other, _)| (one.at, &one.id).cmp(&(other.at, &other.id)));
        for part in parts(&news) {
            if let Some(composed) = reconcile::messages(&item.id, part) {
                self.swept.messages += self.archive.reconcile(&composed, "message", part.len())?;
            }
        }
        Ok(())
    }

    /// The messages of a chat back to a moment, and when the last page of them came.
    fn messages(
        &mut self,
        item: &ChatItem,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<(Vec<MessageItem>, Timestamp), LinkError> {
        // What happened within the second of the provider's clock is of the gap, too.
        let mut back = Backwards::new(moved(now, SETTLED), from);
        for _ in 0..PAGES_MAX {
            let request = self.asking.messages(item.id.as_str(), back.cursor());
            let Answered { said, received_at, .. } = self.client.ask(&request, MessagesPage::read)?;
            if back.hears(said).map_err(|reason| misled(Route::Messages, reason))? {
                continue;
            }
            self.check(item, &back, from, now)?;
            return Ok((back.messages, received_at));
        }
        Err(misled(Route::Messages, "the chat has no end"))
    }

    /// The newest message that the list shows must be among those that were read, or these are others than asked for.
    fn check(
        &mut self,
        item: &ChatItem,
        back: &Backwards,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<(), LinkError> {
        if back.crowded_at.is_some() {
            self.swept.problem = Some("more messages of one instant than a page shows: some may be missing");
        }
        let oldest = back.messages.iter().map(|message| message.at).min();
        let mut cut_at = back.cut_at;
        // The provider may say that it shows everything and hide what is known here.
        if let (None, Some(oldest)) = (cut_at, oldest.filter(|oldest| *oldest > from)) {
            let known = KnowsBetween { chat: item.id.clone(), from, before: oldest };
            cut_at = self.archive.ask(known)?.then_some(oldest);
        }
        if let Some((newest, at)) = &item.last_message {
            let is_of_gap = *at >= from && *at <= moved(now, -SETTLED);
            let is_shown = back.messages.iter().any(|message| message.id == *newest);
            if is_of_gap && !is_shown && cut_at.is_none_or(|cut| cut <= *at) {
                if !self.archive.ask(KnowsMessage(newest.clone()))? {
                    let reason = "the newest message of a chat was not among its messages";
                    return Err(misled(Route::Messages, reason));
                }
                cut_at = Some(oldest.unwrap_or_else(|| moved(*at, SignedDuration::from_millis(1))));
            }
        }
        if let Some(cut_at) = cut_at {
            let known = self.swept.progress.available_from;
            self.swept.progress.available_from = Some(known.map_or(cut_at, |known| known.max(cut_at)));
        }
        Ok(())
    }
}

fn misled(route: Route, reason: &'static str) -> LinkError {
    LinkError::Misled { route: route.as_str(), reason }
}

/// Messages for one delivery each.
fn parts<'a, 'b>(
    news: &'b [(&'a MessageItem, &'a MessageFacts)],
) -> Vec<&'b [(&'a MessageItem, &'a MessageFacts)]> {
    let mut parts = Vec::new();
    let (mut begun, mut bytes) = (0, 0);
    for (place, (item, _)) in news.iter().enumerate() {
        let is_full = place - begun == MESSAGES_PER_DELIVERY || bytes + item.text.len() > BYTES_PER_DELIVERY;
        if is_full && place > begun {
            parts.push(&news[begun..place]);
            (begun, bytes) = (place, 0);
        }
        bytes += item.text.len();
    }
    if begun < news.len() {
        parts.push(&news[begun..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_delivery_holds_has_a_bound_of_messages_and_of_bytes() {
        let item =
            |bytes: usize| MessageItem { id: "m".into(), at: Timestamp::UNIX_EPOCH, text: "x".repeat(bytes) };
        let facts = MessageFacts::default();
        let sizes = |items: &[MessageItem]| {
            let news: Vec<_> = items.iter().map(|item| (item, &facts)).collect();
            parts(&news).iter().map(|part| part.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[]), Vec::<usize>::new());
        assert_eq!(sizes(&vec![item(10); 120]), [50, 50, 20]);
        assert_eq!(sizes(&vec![item(100_000); 5]), [2, 2, 1]);
        assert_eq!(sizes(&[item(1), item(BYTES_PER_DELIVERY + 1), item(1)]), [1, 1, 1]);
    }
}
