//! The metrics for those who follow them: made by the metrics' readers, told as the cells that changed.
//!
//! # Contract
//!
//! 1. Sessions of one scope share one board, made once and encoded once.
//! 2. The first change is told at once, then at most one in [`PUSH_INTERVAL`]. One board is made at a time, with a rest as
//!    long after it: many scopes wait for each other, and nobody else for them.
//! 3. A session that is slow, new, or sees something else from now on is told the newest board whole, never old ones.
//! 4. While nobody follows, nothing is made.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use jiff::Timestamp;
use tokio::sync::watch;

use super::UmblerHub;
use super::messages::{Measured, SessionId};
use super::sessions::Session;
use crate::archive::{AgentNames, AllAgentNames, Archive, ArchiveError, Ask};
use crate::auth::Scope;
use crate::domain::Seq;
use crate::journal::Recorded;
use crate::journal::writer::chain;
use crate::metrics::board::Numbers;
use crate::metrics::handle::Place;
use crate::metrics::{MadeBoard, MakeBoard, MetricsHandle};
use crate::protocol::{Board, Channel};
use crate::telemetry::clock;

/// A board is told at most this often.
pub const PUSH_INTERVAL: Duration = Duration::from_millis(100);
/// How long a board waits for the newest delivery: where that is not enough, it is told how far it goes, and again later.
const FOLLOW_MAX: Duration = Duration::from_millis(250);
/// How long a board that could not be made waits.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long the timer runs at most: a wall clock that was set is noticed within this.
const TIMER_MAX: Duration = Duration::from_secs(30);

/// Which board, and the hash of whose eyes.
type Key = (Board, Arc<str>);

/// The boards that somebody follows.
#[derive(Default)]
pub struct Boards {
    metrics: Option<MetricsHandle>,
    followed: HashMap<Key, Followed>,
    /// The board that is being made.
    making: Option<Key>,
    /// One is being made, or was a moment ago.
    busy: bool,
    timer: Option<(Instant, SpawnHandle)>,
    /// The projector's steps are followed.
    listening: bool,
    names: Names,
}

/// The names of agents, until one of them changes.
#[derive(Default)]
struct Names {
    known: Option<Arc<AgentNames>>,
    changes: u64,
}

/// One board that somebody follows.
struct Followed {
    scope: Arc<Scope>,
    /// What was told last.
    numbers: Option<Arc<Numbers>>,
    /// The sessions that have it.
    told: HashSet<SessionId>,
    /// It may differ from what was told.
    stale: bool,
    /// Somebody is to be told all of it.
    owes_whole: bool,
    /// It is not made again before this.
    rests_until: Instant,
    /// When it changes by itself.
    turns_at: Option<Timestamp>,
}

impl Followed {
    fn new(scope: Arc<Scope>) -> Self {
        Self {
            scope,
            numbers: None,
            told: HashSet::new(),
            stale: true,
            owes_whole: true,
            rests_until: Instant::now(),
            turns_at: None,
        }
    }

    /// When it is to be made next; `None`: not before something happens.
    fn due_at(&self, now: Timestamp, instant: Instant) -> Option<Instant> {
        if self.stale || self.owes_whole {
            return Some(self.rests_until);
        }
        let wait = self.turns_at?.duration_since(now);
        // Timers go by milliseconds, and must not be early.
        let wait = Duration::try_from(wait).map_or(Duration::ZERO, |wait| wait + Duration::from_millis(1));
        Some(self.rests_until.max(instant + wait))
    }

    fn stands_at(&self, place: Place) -> bool {
        self.numbers.as_ref().is_some_and(|numbers| {
            numbers.progress.as_of == Seq(place.position) && numbers.progress.rebuilding == place.rebuilding
        })
    }
}

impl Boards {
    /// The session has no board any more.
    pub fn forget(&mut self, id: &SessionId) {
        for followed in self.followed.values_mut() {
            followed.told.remove(id);
        }
    }

    /// The session follows these channels no more.
    pub fn unfollow(&mut self, id: &SessionId, channels: &[Channel]) {
        for ((board, _), followed) in &mut self.followed {
            if channels.contains(&Channel::Metrics(*board)) {
                followed.told.remove(id);
            }
        }
    }

    fn follow(&mut self, board: Board, scope: &Arc<Scope>, id: &SessionId) {
        let key = (board, scope.hash().into());
        let followed = self.followed.entry(key).or_insert_with(|| Followed::new(Arc::clone(scope)));
        followed.told.remove(id);
        followed.owes_whole = true;
    }

    fn note_place(&mut self, place: Place) {
        for (key, followed) in &mut self.followed {
            // The one that is being made is compared when it is made.
            followed.stale |= self.making.as_ref() != Some(key) && !followed.stands_at(place);
        }
    }
}

impl Handler<Measured> for UmblerHub {
    type Result = ();

    fn handle(&mut self, measured: Measured, ctx: &mut Self::Context) {
        self.boards.metrics = Some(measured.metrics);
        self.push_metrics(ctx);
    }
}

impl UmblerHub {
    /// A session begins to follow some of these channels, or sees something else on them from now on.
    pub(super) fn follow_metrics<'a>(
        &mut self,
        id: &SessionId,
        channels: impl Iterator<Item = &'a Channel>,
        ctx: &mut Context<Self>,
    ) {
        let Some((_, scope)) = self.sessions.get(id).and_then(Session::scope) else { return };
        let scope = Arc::clone(scope);
        for channel in channels {
            if let Channel::Metrics(board) = channel {
                self.boards.follow(*board, &scope, id);
            }
        }
        self.push_metrics(ctx);
    }

    /// A session is seen with other eyes: what it was told holds no more.
    pub(super) fn refollow_metrics(&mut self, id: &SessionId, ctx: &mut Context<Self>) {
        self.boards.forget(id);
        let Some(session) = self.sessions.get(id) else { return };
        let channels = session.channels().clone();
        self.follow_metrics(id, channels.iter(), ctx);
    }

    /// Deliveries, names or settings came.
    pub(super) fn note_metrics(&mut self, events: &[Arc<Recorded>], ctx: &mut Context<Self>) {
        let names =
            |event: &Arc<Recorded>| event.audience.as_ref().is_some_and(|audience| audience.directory);
        if self.boards.followed.is_empty() {
            self.boards.names.known = None;
            return;
        }
        if events.iter().any(names) {
            self.boards.names.known = None;
            self.boards.names.changes += 1;
        }
        self.boards.followed.values_mut().for_each(|followed| followed.stale = true);
        self.push_metrics(ctx);
    }

    /// A session has read what it had: where it was too slow for a board, it is told the newest.
    pub(super) fn catch_up_metrics(&mut self, id: &SessionId, ctx: &mut Context<Self>) {
        if !self.boards.followed.is_empty() {
            self.owe_boards_to(id);
            self.push_metrics(ctx);
        }
    }

    /// The same for all, in case their word got lost.
    pub(super) fn catch_up_all_metrics(&mut self, ctx: &mut Context<Self>) {
        let followers = Board::ALL.map(|board| self.sessions.followers(&Channel::Metrics(board)));
        followers.iter().flatten().for_each(|id| self.owe_boards_to(id));
        self.push_metrics(ctx);
    }

    fn owe_boards_to(&mut self, id: &SessionId) {
        let Some(session) = self.sessions.get(id).filter(|session| session.has_read_all()) else { return };
        let Some((_, scope)) = session.scope() else { return };
        for channel in session.channels() {
            let Channel::Metrics(board) = channel else { continue };
            if let Some(followed) = self.boards.followed.get_mut(&(*board, scope.hash().into())) {
                followed.owes_whole |= !followed.told.contains(id);
            }
        }
    }

    /// Makes the next board whose time has come, or sets the timer.
    fn push_metrics(&mut self, ctx: &mut Context<Self>) {
        let Some(metrics) = self.boards.metrics.clone() else { return };
        self.listen_to_projector(&metrics, ctx);
        if self.boards.busy {
            return;
        }
        let (now, instant) = (clock::now(), Instant::now());
        while let Some((at, key)) = self.next_board(now, instant) {
            if at > instant {
                return self.set_metrics_timer(at, ctx);
            }
            if self.anybody_follows(&key) {
                return self.make_board(metrics, key, now, ctx);
            }
            self.boards.followed.remove(&key);
        }
    }

    /// The board that is due first, and when.
    fn next_board(&self, now: Timestamp, instant: Instant) -> Option<(Instant, Key)> {
        let due = self.boards.followed.iter();
        let due = due.filter_map(|(key, followed)| Some((followed.due_at(now, instant)?, key)));
        due.min_by_key(|(at, _)| *at).map(|(at, key)| (at, key.clone()))
    }

    fn anybody_follows(&self, (board, hash): &Key) -> bool {
        let followers = self.sessions.followers(&Channel::Metrics(*board));
        followers.iter().any(|id| self.sessions.get(id).is_some_and(|session| session.is_seen_by(hash)))
    }

    fn set_metrics_timer(&mut self, at: Instant, ctx: &mut Context<Self>) {
        if let Some((armed, timer)) = self.boards.timer {
            if armed <= at {
                return;
            }
            ctx.cancel_future(timer);
        }
        let wait = at.saturating_duration_since(Instant::now()).min(TIMER_MAX);
        let timer = ctx.run_later(wait, |hub, ctx| {
            hub.boards.timer = None;
            hub.push_metrics(ctx);
        });
        self.boards.timer = Some((at, timer));
    }

    fn make_board(&mut self, metrics: MetricsHandle, key: Key, now: Timestamp, ctx: &mut Context<Self>) {
        let Some(followed) = self.boards.followed.get_mut(&key) else { return };
        let wants_whole = std::mem::take(&mut followed.owes_whole) || followed.numbers.is_none();
        followed.stale = false;
        followed.turns_at = None;
        followed.rests_until = Instant::now() + PUSH_INTERVAL;
        let make = MakeBoard {
            board: key.0,
            scope: Arc::clone(&followed.scope),
            now,
            calendar: metrics.calendar(),
            names: Arc::default(),
            before: followed.numbers.clone(),
            wants_whole,
        };
        (self.boards.busy, self.boards.making) = (true, Some(key.clone()));
        let names = (self.boards.names.known.clone(), self.boards.names.changes);
        let answer = answered(metrics, self.archive.clone(), self.stats.as_of, names.0, make);
        ctx.spawn(answer.into_actor(self).map(move |(answer, names_read, took), hub, ctx| {
            hub.boards.making = None;
            if let Some(known) = names_read.filter(|_| hub.boards.names.changes == names.1) {
                hub.boards.names.known = Some(known);
            }
            hub.take_board(&key, answer);
            ctx.run_later(took, |hub, ctx| {
                hub.boards.busy = false;
                hub.push_metrics(ctx);
            });
        }));
    }

    fn take_board(&mut self, key: &Key, answer: Result<MadeBoard, ArchiveError>) {
        let place = self.boards.metrics.as_ref().map(|metrics| *metrics.follow().borrow());
        let Some(followed) = self.boards.followed.get_mut(key) else { return };
        match answer {
            Ok(made) => {
                followed.numbers = Some(Arc::clone(&made.numbers));
                followed.turns_at = made.turns_at;
                followed.stale |= place.is_some_and(|place| !followed.stands_at(place));
                self.hand_out_board(key, &made);
            }
            Err(error) => {
                // Whoever waits for all of it still does; the file may be made anew at this moment.
                log::warn!("{} could not be made: {}", key.0.as_str(), chain(&error));
                (followed.stale, followed.owes_whole) = (true, true);
                followed.rests_until = Instant::now() + RETRY_AFTER;
            }
        }
    }

    fn hand_out_board(&mut self, key: &Key, made: &MadeBoard) {
        let Some(followed) = self.boards.followed.get_mut(key) else { return };
        for id in self.sessions.followers(&Channel::Metrics(key.0)) {
            let Some(session) = self.sessions.get_mut(&id).filter(|session| session.is_seen_by(&key.1))
            else {
                continue;
            };
            let is_told = followed.told.contains(&id);
            let frame = if is_told { made.changes.as_ref() } else { made.whole.as_ref() };
            let Some(frame) = frame else {
                // It came while the board was made.
                followed.owes_whole |= !is_told;
                continue;
            };
            if session.show(frame.clone()) {
                followed.told.insert(id);
            } else {
                followed.told.remove(&id);
                followed.owes_whole |= session.has_read_all();
            }
        }
    }

    /// The projector may come further later than deliveries do, and where hours change it begins anew.
    fn listen_to_projector(&mut self, metrics: &MetricsHandle, ctx: &mut Context<Self>) {
        if !self.boards.listening && !self.boards.followed.is_empty() {
            self.boards.listening = true;
            self.hear_next_step(metrics.follow(), ctx);
        }
    }

    fn hear_next_step(&self, mut steps: watch::Receiver<Place>, ctx: &mut Context<Self>) {
        let heard = async move { steps.changed().await.map(|()| steps) };
        ctx.spawn(heard.into_actor(self).map(|heard, hub, ctx| {
            let Ok(mut steps) = heard else { return log::warn!("the projector of the metrics has ended") };
            if hub.boards.followed.is_empty() {
                hub.boards.listening = false;
                return;
            }
            let place = *steps.borrow_and_update();
            hub.boards.note_place(place);
            hub.push_metrics(ctx);
            hub.hear_next_step(steps, ctx);
        }));
    }
}

/// Makes a board as far as the projector has come; also the names, where they were read, and how long it took.
async fn answered(
    metrics: MetricsHandle,
    archive: Addr<Archive>,
    newest: Seq,
    names: Option<Arc<AgentNames>>,
    mut make: MakeBoard,
) -> (Result<MadeBoard, ArchiveError>, Option<Arc<AgentNames>>, Duration) {
    metrics.catch_up_within(newest, FOLLOW_MAX).await;
    let begun = Instant::now();
    let mut read = None;
    if make.board == Board::Agents {
        let names = match names {
            Some(known) => known,
            None => match archive.send(Ask(AllAgentNames)).await.unwrap_or(Err(ArchiveError::Busy)) {
                Ok(names) => Arc::clone(read.insert(Arc::new(names))),
                Err(error) => return (Err(error), None, begun.elapsed()),
            },
        };
        make.names = names;
    }
    // After the wait: what came meanwhile is of the past.
    (make.now, make.calendar) = (clock::now(), metrics.calendar());
    (metrics.ask(make).await, read, begun.elapsed())
}
