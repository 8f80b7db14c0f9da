//! Reads what happened before the hub was linked: the chats of so many days and all their messages, beside everything else.
//!
//! # Contract
//!
//! 1. It sends one request at a time, uses a quarter of the budget, and waits while anything else is due.
//! 2. That it has begun is recorded before anything is asked, and how far it has come every [`NOTE_EVERY`] chats, so that a hub
//!    that was killed goes on there. Chats that were read since are read again, which records nothing twice.
//! 3. At most one delivery in [`DELIVERY_EVERY`](super::pace::DELIVERY_EVERY) goes to the journal, with up to
//!    [`MESSAGES_PER_DELIVERY`] messages of one chat.
//!
//! Chats are read in parts: the open chats that are older than the period, then the chats created on each day, the newest day
//! first. The list of a part is read to its end before the first of its chats, because chats change their places while it is paged.

mod listing;
mod turn;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::archive::Archive;
use super::client::{ApiAnswer, Client};
use super::fault::LinkError;
use super::pace::JournalPace;
use super::panics;
use super::shifted;
use super::sweep::active::Active;
use super::sweep::backwards::Backwards;
use super::sweep::{LoadSweepStart, Sweep, misled};
use crate::domain::ChatId;
use crate::journal::BackfillProgress;
use crate::protocol::link::BackfillShape;
use crate::umbler::api::{ChatsPage, MessagesPage, RequestBuilder, Route};
use listing::{Heard, Listing, Window};
pub use turn::BackfillTurn;

/// Chats after which it is recorded how far it has come.
pub const NOTE_EVERY: u32 = 100;
/// Messages of one delivery. More than in a comparison: a backfill has a hundred times as many, and each delivery is an update.
pub const MESSAGES_PER_DELIVERY: usize = 100;
/// Pages of one chat after which it is left out.
const PAGES_MAX: usize = 5_000;
/// A page of a chat may show what happened this long after the list of chats came.
const BEYOND: SignedDuration = SignedDuration::from_secs(60);

pub struct Backfill {
    progress: BackfillProgress,
    stage: Stage,
    pace: JournalPace,
    /// It is recorded that it runs and what comes after it: a hub that is killed from now on goes on with it.
    is_known: bool,
    /// Chats that were read since the progress was recorded.
    unnoted: u32,
    /// The percentage that screens were told last.
    told_percent: Option<u64>,
    /// The earliest message of chats whose beginning the plan hides.
    cut_at: Option<Timestamp>,
    /// What is odd about the answers.
    problem: Option<String>,
    /// Why it waits, where it could not go on.
    held_up_by: Option<String>,
}

enum Stage {
    List(Listing),
    /// Counts the chats of each day for the bar, after the open ones were listed.
    Count {
        day: u32,
        sum: u64,
        queue: VecDeque<Active>,
    },
    Read(Reading),
}

struct Reading {
    /// The chats of the part that are left, in the order of their ids.
    queue: VecDeque<Active>,
    current: Option<Current>,
    /// The queue holds the chats of all days that are left.
    is_last: bool,
}

struct Current {
    chat: Active,
    from: Timestamp,
    back: Backwards,
    pages: usize,
}

/// What the backfill asks and tells.
pub struct Reach<'a> {
    pub client: &'a mut Client,
    pub requests: &'a RequestBuilder,
    pub archive: &'a Archive,
}

#[derive(Debug, PartialEq, Eq)]
pub enum BackfillStep {
    /// Its share of the budget is used up for so long.
    Wait(Duration),
    /// It goes on at once.
    Went,
    Ended,
}

impl Backfill {
    /// Begins to read the last so many days.
    pub fn begin(days: u32, now: Timestamp) -> Self {
        let begun = Self::resume(BackfillProgress {
            days,
            begun_at: now,
            ended_at: None,
            part: 0,
            after: None,
            done: 0,
            total: None,
            messages: 0,
            skipped: 0,
            next_days: None,
        });
        Self { is_known: false, ..begun }
    }

    /// Goes on where an earlier run of the hub was.
    pub fn resume(progress: BackfillProgress) -> Self {
        let stage = Stage::List(Listing::new(window(&progress, progress.part)));
        let pace = JournalPace::default();
        Self {
            progress,
            stage,
            pace,
            is_known: true,
            unnoted: 0,
            told_percent: None,
            cut_at: None,
            problem: None,
            held_up_by: None,
        }
    }

    pub fn shape(&self) -> BackfillShape {
        let problem = self.held_up_by.clone().or_else(|| self.problem.clone());
        BackfillShape { problem, ..BackfillShape::from(&self.progress) }
    }

    /// Another one of so many days comes after it, also where the hub is killed before it ends.
    pub fn precede(&mut self, days: u32) {
        self.progress.next_days = Some(days);
        self.is_known = false;
    }

    /// Tells why it waits; `None`: it does not.
    pub fn hold_up(&mut self, reason: Option<String>) {
        self.held_up_by = reason;
    }

    /// Sends at most one request, and takes in what that brought.
    pub fn step(&mut self, reach: &mut Reach<'_>) -> Result<BackfillStep, LinkError> {
        if !self.is_known {
            self.note(reach.archive)?;
        }
        let route = match &self.stage {
            Stage::List(_) | Stage::Count { .. } => Route::Chats,
            Stage::Read(_) => Route::Messages,
        };
        if let Some(wait) = reach.client.wait_for_quarter(route) {
            return Ok(BackfillStep::Wait(wait));
        }
        match &mut self.stage {
            Stage::List(_) => self.list(reach)?,
            Stage::Count { .. } => self.count(reach)?,
            Stage::Read(_) => return self.read(reach),
        }
        Ok(BackfillStep::Went)
    }

    /// Reads a page of the list of a part.
    fn list(&mut self, reach: &mut Reach<'_>) -> Result<(), LinkError> {
        let Stage::List(listing) = &mut self.stage else { return Ok(()) };
        let request = listing.request(reach.requests);
        let ApiAnswer { said, date, received_at } = reach.client.ask(&request, ChatsPage::read)?;
        match listing.hears(said, date, received_at).map_err(|reason| misled(Route::Chats, reason))? {
            Heard::More => return Ok(()),
            Heard::BoundsIgnored => {
                let whole = Window { from: self.progress.from(), ..listing.window() };
                *listing = Listing::unbounded(whole);
                let problem = "the bounds of creation were ignored: all chats are listed";
                log::warn!("backfill: {problem}");
                self.problem = Some(problem.to_owned());
                return Ok(());
            }
            Heard::All => {}
        }
        let is_last = listing.is_unbounded() || self.progress.part >= self.progress.days;
        let queue = left(listing.take(), self.progress.after.as_ref());
        if listing.is_unbounded() {
            self.progress.total = Some(self.progress.done + queue.len() as u64);
        }
        self.stage = if self.progress.part == 0 && self.progress.total.is_none() {
            Stage::Count { day: 1, sum: queue.len() as u64, queue }
        } else {
            Stage::Read(Reading { queue, current: None, is_last })
        };
        Ok(())
    }

    /// Asks how many chats a day has.
    fn count(&mut self, reach: &mut Reach<'_>) -> Result<(), LinkError> {
        let Stage::Count { day, sum, queue } = &mut self.stage else { return Ok(()) };
        let Window { from, until, .. } = window(&self.progress, *day);
        let request = reach.requests.count_created_between(from, until);
        let counted = reach.client.ask(&request, ChatsPage::read)?.said.total;
        *sum += counted.unwrap_or_default();
        *day += 1;
        if counted.is_some() && *day <= self.progress.days {
            return Ok(());
        }
        self.progress.total = counted.map(|_| *sum);
        let (queue, is_last) = (std::mem::take(queue), self.progress.days == 0);
        self.stage = Stage::Read(Reading { queue, current: None, is_last });
        self.note(reach.archive)
    }

    /// Reads a page of a chat, and takes the chat in after its last page.
    fn read(&mut self, reach: &mut Reach<'_>) -> Result<BackfillStep, LinkError> {
        let Stage::Read(reading) = &mut self.stage else { return Ok(BackfillStep::Went) };
        if reading.current.is_none() {
            let Some(chat) = reading.queue.pop_front() else { return self.end_part(reach.archive) };
            let from = if self.progress.part == 0 { self.progress.from() } else { Timestamp::UNIX_EPOCH };
            let back = Backwards::new(shifted(chat.received_at, BEYOND), from);
            reading.current = Some(Current { chat, from, back, pages: 0 });
        }
        let Some(mut current) = reading.current.take() else { return Ok(BackfillStep::Went) };
        match panics::caught("reading a chat", || page(reach, &mut self.pace, &mut current)) {
            Ok(None) => {
                if let Stage::Read(reading) = &mut self.stage {
                    reading.current = Some(current);
                }
            }
            Ok(Some(read)) => {
                self.progress.messages += read.messages as u64;
                self.cut_at = earliest(self.cut_at, read.cut_at);
                self.finish(current.chat.item.id, reach.archive)?;
            }
            // This chat is not answered as it should be, and would not be the next time: the others are read nevertheless.
            Err(error @ (LinkError::Misled { .. } | LinkError::Refused { .. } | LinkError::Panicked(_))) => {
                log::warn!("backfill: a chat is left out: {error}");
                self.progress.skipped += 1;
                self.finish(current.chat.item.id, reach.archive)?;
            }
            Err(error) => {
                if let Stage::Read(reading) = &mut self.stage {
                    reading.current = Some(current);
                }
                return Err(error);
            }
        }
        Ok(BackfillStep::Went)
    }

    fn finish(&mut self, chat: ChatId, archive: &Archive) -> Result<(), LinkError> {
        self.progress.done += 1;
        self.progress.after = Some(chat);
        self.unnoted += 1;
        if self.unnoted >= NOTE_EVERY { self.note(archive) } else { Ok(()) }
    }

    fn end_part(&mut self, archive: &Archive) -> Result<BackfillStep, LinkError> {
        let is_last = match &self.stage {
            Stage::Read(reading) => reading.is_last,
            Stage::List(_) | Stage::Count { .. } => false,
        };
        let before = self.progress.clone();
        if is_last {
            // Chats of the last days may be gone by now, or were met twice.
            self.progress.total = Some(self.progress.done);
            self.progress.ended_at = Some(crate::telemetry::clock::now());
        } else {
            (self.progress.part, self.progress.after) = (self.progress.part + 1, None);
        }
        if let Err(error) = self.note(archive) {
            self.progress = before;
            return Err(error);
        }
        if is_last {
            return Ok(BackfillStep::Ended);
        }
        self.stage = Stage::List(Listing::new(window(&self.progress, self.progress.part)));
        Ok(BackfillStep::Went)
    }

    /// Records how far it has come, and tells it where the percentage is another one.
    fn note(&mut self, archive: &Archive) -> Result<(), LinkError> {
        let mut link = archive.ask(LoadSweepStart)?.progress;
        link.backfill = Some(self.progress.clone());
        link.available_from = link.available_from.or(self.cut_at);
        let BackfillProgress { done, total, messages, .. } = self.progress;
        let percent = total.map(|total| (done.min(total) * 100).checked_div(total).unwrap_or(100));
        if percent != self.told_percent || self.progress.ended_at.is_some() {
            archive.tell_progress(link)?;
            self.told_percent = percent;
            let of = total.map_or_else(String::new, |total| format!(" of {total}"));
            log::info!("backfill: {done}{of} chats read, {messages} messages were new");
        } else {
            archive.note(link)?;
        }
        (self.is_known, self.unnoted) = (true, 0);
        Ok(())
    }
}

impl BackfillProgress {
    /// The beginning of the period.
    fn from(&self) -> Timestamp {
        days_before(self.begun_at, self.days)
    }
}

/// The chats of a part: 0 is the open chats that are older than the period, then comes each day.
fn window(progress: &BackfillProgress, part: u32) -> Window {
    let begun = progress.begun_at;
    match part.checked_sub(1) {
        None => Window { from: Timestamp::MIN, until: progress.from(), is_open: true },
        Some(later) => {
            Window { from: days_before(begun, part), until: days_before(begun, later), is_open: false }
        }
    }
}

fn days_before(at: Timestamp, days: u32) -> Timestamp {
    shifted(at, -SignedDuration::from_hours(24 * i64::from(days)))
}

fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// The chats behind one that was read already.
fn left(found: BTreeMap<ChatId, Active>, after: Option<&ChatId>) -> VecDeque<Active> {
    let is_left = |id: &ChatId| after.is_none_or(|after| id > after);
    found.into_iter().filter(|(id, _)| is_left(id)).map(|(_, chat)| chat).collect()
}

/// A chat that was read to its end.
struct ReadChat {
    messages: usize,
    cut_at: Option<Timestamp>,
}

/// Reads a page of a chat; `None` where another one is to be read.
fn page(
    reach: &mut Reach<'_>,
    pace: &mut JournalPace,
    current: &mut Current,
) -> Result<Option<ReadChat>, LinkError> {
    let Reach { client, requests, archive } = reach;
    let Current { chat, from, back, pages } = current;
    let (id, now) = (chat.item.id.clone(), chat.received_at);
    if *pages == 0 {
        // The state first: messages of a chat that is closed by now must not begin a wait.
        Sweep::paced(client, requests, archive, pace).compare_state(chat, *from)?;
        if chat.item.is_redacted {
            return Ok(Some(ReadChat { messages: 0, cut_at: None }));
        }
    }
    *pages += 1;
    if *pages > PAGES_MAX {
        return Err(misled(Route::Messages, "the chat has no end"));
    }
    let ApiAnswer { said, received_at, .. } =
        client.ask(&requests.messages(id.as_str(), back.cursor()), MessagesPage::read)?;
    if back.take_page(said).map_err(|reason| misled(Route::Messages, reason))? {
        return Ok(None);
    }
    let mut sweep = Sweep::paced(client, requests, archive, pace);
    sweep.check(&chat.item, back, *from, now)?;
    sweep.compare_messages(&id, &back.messages, received_at, now, MESSAGES_PER_DELIVERY)?;
    let swept = sweep.swept();
    Ok(Some(ReadChat { messages: swept.messages, cut_at: swept.progress.available_from }))
}
