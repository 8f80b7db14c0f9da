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

use jiff::Timestamp;
use tokio::sync::watch;

use super::Throttle;
use crate::auth::Scope;
use crate::derived::analytics::Progress;
use crate::domain::Seq;
use crate::hub::messages::SessionId;
use crate::hub::sessions::{Session, Sessions};
use crate::journal::Recorded;
use crate::protocol::{Board, Channel};
use crate::reads::analytics::board_frame::Numbers;
use crate::reads::analytics::{AnalyticsReads, MadeBoard, MakeBoard};
use crate::reads::{AgentNames, AllAgentNames, Asker, ReadError, Readers};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;

/// A board is told at most this often.
pub const PUSH_INTERVAL: Duration = Duration::from_millis(100);
/// How long a board waits for the newest delivery: where that is not enough, it is told how far it goes, and again later.
const FOLLOW_MAX: Duration = Duration::from_millis(250);
/// How long a board that could not be made waits.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Which board, and the hash of the scope that sees it.
pub type Key = (Board, Arc<str>);

/// The boards that somebody follows.
#[derive(Default)]
pub struct Boards {
    metrics: Option<AnalyticsReads>,
    followed: HashMap<Key, Followed>,
    /// The board that is being made.
    making: Option<Key>,
    /// One is being made, or was a moment ago.
    busy: bool,
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
    /// Somebody is to be told all of it.
    owes_whole: bool,
    throttle: Throttle,
    /// When it changes by itself.
    turns_at: Option<Timestamp>,
}

/// What is to be done next for those who follow boards.
pub enum Next {
    /// A board is to be made; boxed, because it is large.
    Make(Box<Job>),
    /// Nothing before this.
    At(Instant),
    /// Nothing before something happens.
    Nothing,
}

/// A board to be made.
pub struct Job {
    key: Key,
    metrics: AnalyticsReads,
    make: MakeBoard,
    names: Option<Arc<AgentNames>>,
    /// Changes of names that were known when the job was given out.
    changes: u64,
}

/// A job that was done.
pub struct Done {
    key: Key,
    answer: Result<MadeBoard, ReadError>,
    /// The names, where they were read for it.
    names: Option<Arc<AgentNames>>,
    changes: u64,
    /// How long the board took: the next one waits as long.
    pub took: Duration,
}

impl Followed {
    fn new(scope: Arc<Scope>) -> Self {
        let mut throttle = Throttle::new(PUSH_INTERVAL);
        // Boards that are followed at the same time are made in the order in which they were asked for.
        throttle.rest_until(Instant::now());
        Self { scope, numbers: None, told: HashSet::new(), owes_whole: false, throttle, turns_at: None }
    }

    fn owe_whole(&mut self) {
        self.owes_whole = true;
        self.throttle.change();
    }

    /// When it is to be made next; `None`: not before something happens.
    fn due_at(&self, now: Timestamp, instant: Instant) -> Option<Instant> {
        self.throttle.due_at(instant).or_else(|| {
            let wait = self.turns_at?.duration_since(now);
            // Timers go by milliseconds, and must not be early.
            let wait =
                Duration::try_from(wait).map_or(Duration::ZERO, |wait| wait + Duration::from_millis(1));
            let turns_at = instant + wait;
            Some(self.throttle.rests_until().map_or(turns_at, |rests_until| rests_until.max(turns_at)))
        })
    }

    fn stands_at(&self, progress: Progress) -> bool {
        self.numbers.as_ref().is_some_and(|numbers| numbers.progress == progress)
    }
}

impl Boards {
    /// The metrics can be asked from here on.
    pub fn begin(&mut self, metrics: AnalyticsReads) {
        self.metrics = Some(metrics);
    }

    /// The session is gone, or sees something else from here on: what it was told holds no more.
    pub fn forget(&mut self, id: &SessionId) {
        for followed in self.followed.values_mut() {
            followed.told.remove(id);
        }
    }

    /// The session no longer follows these channels. If it follows them again, it is told all of them again.
    pub fn unfollow(&mut self, id: &SessionId, channels: &[Channel]) {
        for ((board, _), followed) in &mut self.followed {
            if channels.contains(&Channel::Metrics(*board)) {
                followed.told.remove(id);
            }
        }
    }

    /// A session begins to follow the boards among these channels, or sees something else on them from here on.
    pub fn follow<'a>(&mut self, session: &Session, channels: impl Iterator<Item = &'a Channel>) {
        let Some((_, scope)) = session.scope() else { return };
        for channel in channels {
            let Channel::Metrics(board) = channel else { continue };
            let key = (*board, scope.hash().into());
            let followed = self.followed.entry(key).or_insert_with(|| Followed::new(Arc::clone(scope)));
            followed.told.remove(&session.id);
            followed.owe_whole();
        }
    }

    /// Deliveries, names or settings came.
    pub fn note(&mut self, events: &[Arc<Recorded>]) {
        if self.followed.is_empty() {
            self.names.known = None;
            return;
        }
        if events.iter().any(|event| event.audience.as_ref().is_some_and(|audience| audience.directory)) {
            self.names.known = None;
            self.names.changes += 1;
        }
        self.followed.values_mut().for_each(|followed| followed.throttle.change());
    }

    /// The projector has come further; true while somebody follows.
    pub fn note_progress(&mut self, progress: Progress) -> bool {
        for (key, followed) in &mut self.followed {
            // The one that is being made is compared when it is made.
            if self.making.as_ref() != Some(key) && !followed.stands_at(progress) {
                followed.throttle.change();
            }
        }
        self.listening = !self.followed.is_empty();
        self.listening
    }

    /// The projector's steps, where they are to be followed and are not yet. It may come further later than deliveries
    /// do, and where hours change it begins again.
    pub fn begin_listening(&mut self) -> Option<watch::Receiver<Progress>> {
        let metrics = self.metrics.as_ref().filter(|_| !self.listening && !self.followed.is_empty())?;
        self.listening = true;
        Some(metrics.follow())
    }

    /// A session that has read all it was sent, and was too slow for a board, is told the newest one.
    pub fn owe_to(&mut self, session: &Session) {
        if self.followed.is_empty() || !session.has_read_all() {
            return;
        }
        let Some((_, scope)) = session.scope() else { return };
        for channel in session.channels() {
            let Channel::Metrics(board) = channel else { continue };
            let followed = self.followed.get_mut(&(*board, scope.hash().into()));
            if let Some(followed) = followed.filter(|followed| !followed.told.contains(&session.id)) {
                followed.owe_whole();
            }
        }
    }

    /// The same for every follower, once a second: a `Drained` message is dropped when the hub's mailbox is full.
    pub fn owe_to_all(&mut self, sessions: &Sessions) {
        for board in Board::ALL {
            for id in sessions.followers(&Channel::Metrics(board)) {
                sessions.get(&id).into_iter().for_each(|session| self.owe_to(session));
            }
        }
    }

    /// What is to be done next, where nothing is being done.
    pub fn next(&mut self, sessions: &Sessions, now: Timestamp, instant: Instant) -> Next {
        let Some(metrics) = self.metrics.clone().filter(|_| !self.busy) else { return Next::Nothing };
        while let Some((at, key)) = self.next_due(now, instant) {
            if at > instant {
                return Next::At(at);
            }
            if anybody_follows(sessions, &key) {
                return self.begin_job(metrics, key, now, instant).map_or(Next::Nothing, Next::Make);
            }
            self.followed.remove(&key);
        }
        Next::Nothing
    }

    /// The board that is due first, and when.
    fn next_due(&self, now: Timestamp, instant: Instant) -> Option<(Instant, Key)> {
        let due = self.followed.iter();
        let due = due.filter_map(|(key, followed)| Some((followed.due_at(now, instant)?, key)));
        due.min_by_key(|(at, _)| *at).map(|(at, key)| (at, key.clone()))
    }

    fn begin_job(
        &mut self,
        metrics: AnalyticsReads,
        key: Key,
        now: Timestamp,
        instant: Instant,
    ) -> Option<Box<Job>> {
        let followed = self.followed.get_mut(&key)?;
        let wants_whole = std::mem::take(&mut followed.owes_whole) || followed.numbers.is_none();
        // It may be due because time went by and not because something changed.
        followed.throttle.change();
        followed.throttle.take(instant);
        followed.turns_at = None;
        let make = MakeBoard {
            board: key.0,
            scope: Arc::clone(&followed.scope),
            now,
            calendar: metrics.calendar(),
            names: Arc::default(),
            before: followed.numbers.clone(),
            wants_whole,
        };
        (self.busy, self.making) = (true, Some(key.clone()));
        let (names, changes) = (self.names.known.clone(), self.names.changes);
        Some(Box::new(Job { key, metrics, make, names, changes }))
    }

    /// Tells a board that was made to those who follow it. The next one is made after [`Boards::rested`].
    pub fn take(&mut self, sessions: &mut Sessions, done: Done) {
        let Done { key, answer, names, changes, .. } = done;
        self.making = None;
        if let Some(known) = names.filter(|_| self.names.changes == changes) {
            self.names.known = Some(known);
        }
        let progress = self.metrics.as_ref().map(|metrics| *metrics.follow().borrow());
        let Some(followed) = self.followed.get_mut(&key) else { return };
        match answer {
            Ok(made) => {
                followed.numbers = Some(Arc::clone(&made.numbers));
                followed.turns_at = made.turns_at;
                if progress.is_some_and(|progress| !followed.stands_at(progress)) {
                    followed.throttle.change();
                }
                followed.hand_out(sessions, &key, &made);
            }
            Err(error) => {
                // Whoever waits for all of it still does; the file may be made again at this moment.
                log::warn!("{} could not be made: {}", key.0.as_str(), chain(&error));
                followed.owe_whole();
                followed.throttle.rest_until(Instant::now() + RETRY_AFTER);
            }
        }
    }

    /// The next board may be made.
    pub fn rested(&mut self) {
        self.busy = false;
    }
}

impl Followed {
    fn hand_out(&mut self, sessions: &mut Sessions, key: &Key, made: &MadeBoard) {
        for id in sessions.followers(&Channel::Metrics(key.0)) {
            let Some(session) = sessions.get_mut(&id).filter(|session| session.is_seen_by(&key.1)) else {
                continue;
            };
            let is_told = self.told.contains(&id);
            let frame = if is_told { made.changes.as_ref() } else { made.whole.as_ref() };
            match frame {
                Some(frame) if session.show(frame.clone()) => {
                    self.told.insert(id);
                }
                Some(_) => {
                    self.told.remove(&id);
                    if session.has_read_all() {
                        self.owe_whole();
                    }
                }
                // It began to follow while the board was made.
                None if !is_told => self.owe_whole(),
                None => {}
            }
        }
    }
}

fn anybody_follows(sessions: &Sessions, (board, hash): &Key) -> bool {
    let followers = sessions.followers(&Channel::Metrics(*board));
    followers.iter().any(|id| sessions.get(id).is_some_and(|session| session.is_seen_by(hash)))
}

impl Job {
    /// Makes the board as far as the projector has come.
    pub async fn run(self, history: Readers, newest: Seq) -> Done {
        let Self { key, metrics, mut make, names: known, changes } = self;
        metrics.reach_within(newest, FOLLOW_MAX).await;
        let begun = Instant::now();
        let mut names = None;
        let answer = match names_for(make.board, known, &history, &mut names).await {
            Ok(of_agents) => {
                // After the wait: what came meanwhile is of the past.
                (make.names, make.now, make.calendar) = (of_agents, clock::now(), metrics.calendar());
                metrics.ask(Asker::Hub, make).await
            }
            Err(error) => Err(error),
        };
        Done { key, answer, names, changes, took: begun.elapsed() }
    }
}

/// The names that a board needs; those that had to be read are left in `read`.
async fn names_for(
    board: Board,
    known: Option<Arc<AgentNames>>,
    history: &Readers,
    read: &mut Option<Arc<AgentNames>>,
) -> Result<Arc<AgentNames>, ReadError> {
    if board != Board::Agents {
        return Ok(Arc::default());
    }
    if let Some(known) = known {
        return Ok(known);
    }
    let names = history.ask(Asker::Hub, AllAgentNames).await?;
    Ok(Arc::clone(read.insert(Arc::new(names))))
}
