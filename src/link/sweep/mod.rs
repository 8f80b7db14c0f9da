//! Compares the provider's chats and messages with the hub's, and records what no webhook brought. One such comparison is a *sweep*.
//!
//! # Contract
//!
//! 1. It compares every message of every chat that was active since the last comparison (the *gap*). Comparing only the newest
//!    message of each chat would miss a lost message that a later one follows.
//! 2. If nothing is missing, it records only up to when everything is known.
//! 3. `completeUntil` moves only after a finished comparison, and never beyond what that comparison read.

pub mod walk;
pub mod active;
mod chats;
pub mod backwards;
pub mod compare;
mod parts;
pub mod turn;

use std::collections::HashMap;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use super::archive::Archive;
use super::client::{ApiAnswer, Client};
use super::fault::LinkError;
use super::pace::JournalPace;
use super::shifted;
use crate::domain::{ChatId, MessageFacts};
use crate::journal::LinkProgress;
use crate::umbler::api::{ChatItem, MessageItem, MessagesPage, RequestBuilder, Route};
use crate::umbler::reconcile::{self, Composed};
use active::{Active, UNTOLD_BEHIND};
use backwards::Backwards;
pub use compare::LoadSweepStart;
use compare::{FindMissing, FindState, FindTransfers, KnowsHidden, KnowsMessage};
use parts::{MESSAGES_PER_DELIVERY, parts};

/// How far before `completeUntil` a comparison begins, so that messages that appeared late are still found.
const REACH_BACK: SignedDuration = SignedDuration::from_mins(10);
/// How far back the very first comparison goes.
const FIRST_REACH: SignedDuration = SignedDuration::from_hours(24);
/// `completeUntil` stays this far behind the provider's clock, because the API shows a message some seconds after it was sent.
const SETTLED: SignedDuration = SignedDuration::from_secs(60);
/// After so many chats in a row that could not be compared, the comparison ends: the API fails, and not these chats.
const FAILED_IN_A_ROW_MAX: usize = 3;
/// Most pages that one comparison reads of one list, or of one chat.
const PAGES_MAX: usize = 5_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepResult {
    /// Chats that were active in the gap.
    pub chats: usize,
    /// Messages that were recorded: unknown ones, and known ones of which the provider knew more.
    pub messages: usize,
    /// Unknown messages of the gap that are at least a minute old, so that a webhook should have brought them. A page also brings
    /// older ones, from before the hub was linked; these were not lost.
    pub lost: usize,
    /// Chats whose state was recorded.
    pub states: usize,
    /// What was odd, for people.
    pub problem: Option<&'static str>,
    /// Up to when everything is known now.
    pub progress: LinkProgress,
    /// The earliest message that was shown of any chat.
    pub shown_from: Option<Timestamp>,
    /// What the next comparison need not read again.
    pub read: AlreadyRead,
    /// False: it gave way before it had compared all chats, or some could not be compared, so `completeUntil` has not moved.
    pub is_finished: bool,
    /// Why the first of the chats that could not be compared could not.
    pub failure: Option<LinkError>,
}

/// When the messages of each chat were read back to the beginning of the gap, by the provider's clock. What was sent [`SETTLED`]
/// before that was shown.
pub type AlreadyRead = HashMap<ChatId, Timestamp>;

pub struct Sweep<'a> {
    client: &'a mut Client,
    requests: &'a RequestBuilder,
    archive: &'a Archive,
    swept: SweepResult,
    before: AlreadyRead,
    /// Unknown messages since then should have come as webhooks. `None`: the hub does not know since when it was to know everything.
    known_since: Option<Timestamp>,
    gives_way: Option<&'a dyn Fn() -> bool>,
    pace: Option<&'a mut JournalPace>,
}

impl<'a> Sweep<'a> {
    pub fn new(client: &'a mut Client, requests: &'a RequestBuilder, archive: &'a Archive) -> Self {
        let (swept, before) = (SweepResult::default(), AlreadyRead::new());
        Self { client, requests, archive, swept, before, known_since: None, gives_way: None, pace: None }
    }

    /// Reads only what happened since the comparisons before, in the chats that they read.
    pub fn after(self, before: AlreadyRead) -> Self {
        Self { before, ..self }
    }

    /// Ends before the next chat once this is true, if it reads all of the gap.
    pub fn giving_way(self, gives_way: &'a dyn Fn() -> bool) -> Self {
        let gives_way = self.before.is_empty().then_some(gives_way);
        Self { gives_way, ..self }
    }

    /// Of chats that are looked at one by one. What is taken in goes to the journal at this pace.
    pub fn paced(
        client: &'a mut Client,
        requests: &'a RequestBuilder,
        archive: &'a Archive,
        pace: &'a mut JournalPace,
    ) -> Self {
        Self { pace: Some(pace), ..Self::new(client, requests, archive) }
    }

    fn take_in(&mut self, composed: &Composed, what: &str, count: usize) -> Result<usize, LinkError> {
        if let Some(pace) = &mut self.pace {
            self.client.pause(pace.next(Instant::now()))?;
        }
        // Counted apart: what a backfill finds is no sign of webhooks that were lost.
        let what = if self.pace.is_some() { "backfill" } else { what };
        self.archive.reconcile(composed, what, count)
    }

    /// Compares everything since the last finished comparison. A chat that cannot be compared does not hold up the others, but the
    /// next comparison begins at the same moment again; so it does after an error. What was recorded stays.
    pub fn run(mut self) -> Result<SweepResult, LinkError> {
        let begun = self.archive.ask(LoadSweepStart)?;
        self.swept.progress = begun.progress.clone();
        let first = self.page(&self.requests.chats(0))?;
        if first.said.items.is_empty() && begun.has_chats {
            return Err(misled(Route::Chats, "the list of chats is empty, although the hub knows chats"));
        }
        let now = first.date.unwrap_or_else(|| shifted(first.received_at, -UNTOLD_BEHIND));
        let from = begun.progress.complete_until.map_or_else(
            || shifted(now, -FIRST_REACH),
            |until| shifted(until, -REACH_BACK).min(shifted(now, -REACH_BACK)),
        );
        let received_at = first.received_at;
        let chats = self.active_chats(first, from, now)?;
        self.swept.chats = chats.len();
        self.known_since = begun.progress.complete_until.map(|_until| from);
        if !self.compare_all(chats, from, now)? {
            return Ok(self.swept);
        }
        self.swept.is_finished = true;
        // A provider's clock that is ahead today may be right tomorrow.
        let until = shifted(now.min(received_at), -SETTLED);
        let known = self.swept.progress.complete_until;
        self.swept.progress.complete_until = Some(known.map_or(until, |known| known.max(until)));
        // One chat shows that messages of that time are not hidden.
        let shown_from = self.swept.shown_from.unwrap_or(Timestamp::MAX);
        let available_from = &mut self.swept.progress.available_from;
        *available_from = available_from.map(|from| from.min(shown_from));
        if self.swept.progress != begun.progress {
            self.archive.note(self.swept.progress.clone())?;
        }
        Ok(self.swept)
    }

    /// False: not all were compared.
    fn compare_all(
        &mut self,
        chats: Vec<Active>,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<bool, LinkError> {
        let mut failed_in_a_row = 0;
        for chat in chats {
            if self.gives_way.is_some_and(|gives_way| gives_way()) {
                return Ok(false);
            }
            let Err(error) = self.compare(&chat, from, now) else {
                failed_in_a_row = 0;
                continue;
            };
            if error == LinkError::Stopping {
                return Err(error);
            }
            log::warn!("chat {} could not be compared with Umbler's: {error}", chat.item.id);
            failed_in_a_row += 1;
            let may_be_of_this_chat = error.may_be_of_one_question() && failed_in_a_row < FAILED_IN_A_ROW_MAX;
            self.swept.failure.get_or_insert(error);
            if !may_be_of_this_chat {
                break;
            }
        }
        Ok(self.swept.failure.is_none())
    }

    pub(super) fn swept(self) -> SweepResult {
        self.swept
    }

    fn compare(&mut self, chat: &Active, from: Timestamp, now: Timestamp) -> Result<(), LinkError> {
        self.compare_state(chat, from)?;
        let read = self.before.get(&chat.item.id);
        let from = read.map_or(from, |read| from.max(shifted(*read, -SETTLED)));
        // Nothing of what is said in a redacted chat is shown to the token's owner.
        if chat.item.is_redacted || chat.item.is_quiet_since(from) {
            return Ok(());
        }
        let (messages, received_at) = self.messages(&chat.item, from, now)?;
        self.compare_messages(&chat.item.id, &messages, received_at, now, MESSAGES_PER_DELIVERY)
    }

    /// Compares where a chat stands, and who it was assigned to since a moment.
    pub(super) fn compare_state(&mut self, chat: &Active, from: Timestamp) -> Result<(), LinkError> {
        // Transfers are looked for first: once the state is recorded, it shows the newest owner, and that transfer would count as
        // known at a wrong time.
        let transfers = self.archive.ask(FindTransfers {
            chat: chat.item.id.clone(),
            from,
            said: chat.item.transfers.clone(),
            clock_ahead: chat.clock_ahead,
        })?;
        self.correct_state(chat)?;
        if transfers.is_empty() {
            return Ok(());
        }
        for (at, member) in transfers {
            self.take_in(&reconcile::transfer(&chat.item.id, at, &member), "transfer", 1)?;
        }
        // A transfer that was found may have been undone later: the chat is without an agent at the provider, as it was in the hub, so
        // the first comparison found no difference, and only now there is one.
        self.correct_state(chat)
    }

    fn correct_state(&mut self, chat: &Active) -> Result<(), LinkError> {
        let Active { item, at, received_at, .. } = chat;
        let Some(said) = reconcile::read_chat(item, *received_at) else { return Ok(()) };
        if let Some(news) = self.archive.ask(FindState { said: said.clone(), at: *at })? {
            let contact = said.contact.as_ref();
            let composed = reconcile::state(item, &said.chat, contact, *at, news.corrects.as_ref());
            self.swept.states += self.take_in(&composed, "state", 1)?;
        }
        Ok(())
    }

    /// Compares messages of a chat, and takes in what is missing, the newest first: what an older part says of a wait cannot end
    /// one that a newer part begins.
    pub(super) fn compare_messages(
        &mut self,
        chat: &ChatId,
        messages: &[MessageItem],
        received_at: Timestamp,
        now: Timestamp,
        per_delivery: usize,
    ) -> Result<(), LinkError> {
        let said = reconcile::read_messages(chat, messages, received_at);
        if said.len() != messages.len() {
            return Err(LinkError::Hub("the messages of a chat could not be read".to_owned()));
        }
        let missing = self.archive.ask(FindMissing { chat: chat.clone(), said: said.clone() })?;
        let settled = shifted(now, -SETTLED);
        let is_lost = |at: Timestamp| self.known_since.is_some_and(|since| since <= at) && at <= settled;
        self.swept.lost += missing.unknown.iter().filter(|place| is_lost(messages[**place].at)).count();
        let mut news: Vec<(&MessageItem, &MessageFacts)> =
            missing.news.iter().map(|index| (&messages[*index], &said[*index])).collect();
        news.sort_by(|(one, _), (other, _)| (one.at, &one.id).cmp(&(other.at, &other.id)));
        for part in parts(&news, per_delivery).into_iter().rev() {
            if let Some(composed) = reconcile::messages(chat, part) {
                self.swept.messages += self.take_in(&composed, "message", part.len())?;
            }
        }
        Ok(())
    }

    /// Reads the messages of a chat back to `from`. Also returns when the last page was received.
    fn messages(
        &mut self,
        item: &ChatItem,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<(Vec<MessageItem>, Timestamp), LinkError> {
        // It begins after `now`, because the provider's clock is told in whole seconds and messages come in while the hub reads.
        let mut back = Backwards::new(shifted(now, SETTLED), from);
        let mut read_at = None;
        for _ in 0..PAGES_MAX {
            let request = self.requests.messages(item.id.as_str(), back.cursor());
            let ApiAnswer { said, date, received_at } = self.client.ask(&request, MessagesPage::read)?;
            let shown_at = date.unwrap_or_else(|| shifted(received_at, -UNTOLD_BEHIND));
            let read_at = *read_at.get_or_insert(shown_at);
            if back.take_page(said).map_err(|reason| misled(Route::Messages, reason))? {
                continue;
            }
            self.check(item, &back, from, now)?;
            self.swept.read.insert(item.id.clone(), read_at);
            return Ok((back.messages, received_at));
        }
        Err(misled(Route::Messages, "the messages of a chat do not end"))
    }

    /// Checks that the messages are those of this chat: its newest message, which the list of chats shows, must be among them.
    /// Notes where the plan hides earlier messages.
    pub(super) fn check(
        &mut self,
        item: &ChatItem,
        back: &Backwards,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<(), LinkError> {
        if back.crowded_at.is_some() {
            self.swept.problem =
                Some("a chat has more messages of one instant than fit on a page, so some may be missing");
        }
        let oldest = back.messages.iter().map(|message| message.at).min();
        let mut cut_at = back.cut_at;
        // The provider may say that nothing is hidden and still not show messages that the hub knows.
        if let (None, Some(oldest)) = (cut_at, oldest.filter(|oldest| *oldest > from)) {
            let shown = back.messages.iter().map(|message| message.id.clone()).collect();
            let hidden = KnowsHidden { chat: item.id.clone(), from, before: oldest, shown };
            cut_at = self.archive.ask(hidden)?.then_some(oldest);
        }
        if let Some((newest, at)) = &item.last_message {
            let is_in_gap = *at >= from && *at <= shifted(now, -SETTLED);
            let is_shown = back.messages.iter().any(|message| message.id == *newest);
            if is_in_gap && !is_shown && cut_at.is_none_or(|cut| cut <= *at) {
                if !self.archive.ask(KnowsMessage(newest.clone()))? {
                    let reason = "the newest message of a chat is not among its messages";
                    return Err(misled(Route::Messages, reason));
                }
                cut_at = Some(oldest.unwrap_or_else(|| shifted(*at, SignedDuration::from_millis(1))));
            }
        }
        if let Some(cut_at) = cut_at {
            let known = self.swept.progress.available_from;
            self.swept.progress.available_from = Some(known.map_or(cut_at, |known| known.max(cut_at)));
        }
        self.swept.shown_from = self.swept.shown_from.into_iter().chain(oldest).min();
        Ok(())
    }
}

pub(super) fn misled(route: Route, reason: &'static str) -> LinkError {
    LinkError::Misled { route: route.as_str(), reason }
}
