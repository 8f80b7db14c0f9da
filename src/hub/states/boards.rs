//! Live metrics for those who follow them: made by the readers of the metrics file, and sent as the cells
//! that changed.
//!
//! # Contract
//!
//! 1. Sessions of one scope share one board, made once and encoded once.
//! 2. The first change is sent at once, then at most one in [`PUSH_INTERVAL`]. One board is made at a time,
//!    followed by a rest of the same length. So scopes wait for each other, and nobody else waits for them.
//! 3. A session that is slow, new, or has another scope is sent the newest board as a whole, never old
//!    changes.
//! 4. While nobody follows, no board is made.

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
use crate::reads::analytics::board_frame::BoardNumbers;
use crate::reads::analytics::{AnalyticsReads, MadeBoard, MakeBoard};
use crate::reads::{AgentNames, AllAgentNames, Asker, ReadError, Readers};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;

/// Shortest time between two pushes of a board.
pub const PUSH_INTERVAL: Duration = Duration::from_millis(100);
/// How long a board waits for the newest delivery. If that is not enough, it says how far it goes, and is
/// made again later.
const FOLLOW_MAX: Duration = Duration::from_millis(250);
/// How long to wait after a board could not be made.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A board, and the hash of the scope that sees it.
pub type BoardKey = (Board, Arc<str>);

/// The boards that somebody follows.
#[derive(Default)]
pub struct Boards {
    metrics: Option<AnalyticsReads>,
    followed: HashMap<BoardKey, Followed>,
    /// The board that is being made.
    making: Option<BoardKey>,
    /// A board is being made, or the rest after it is not over.
    busy: bool,
    /// The hub is following the progress of the metrics file.
    listening: bool,
    names: CachedNames,
}

/// Names of agents, cached until one of them changes.
#[derive(Default)]
struct CachedNames {
    known: Option<Arc<AgentNames>>,
    changes: u64,
}

struct Followed {
    scope: Arc<Scope>,
    /// The board that was sent last; `None` if none was.
    numbers: Option<Arc<BoardNumbers>>,
    /// Sessions that were sent that board or its changes.
    sent_to: HashSet<SessionId>,
    /// A session needs the whole board.
    owes_whole: bool,
    throttle: Throttle,
    /// When the board changes without a delivery.
    turns_at: Option<Timestamp>,
}

/// What the hub must do next for boards.
pub enum BoardsNext {
    /// Make a board. Boxed, because it is large.
    Make(Box<BoardJob>),
    /// Nothing before this time.
    At(Instant),
    Nothing,
}

/// A board that must be made.
pub struct BoardJob {
    key: BoardKey,
    metrics: AnalyticsReads,
    make: MakeBoard,
    names: Option<Arc<AgentNames>>,
    /// `changes` of the cached names when the job was created.
    changes: u64,
}

/// The outcome of a job.
pub struct FinishedBoard {
    key: BoardKey,
    answer: Result<MadeBoard, ReadError>,
    /// Names that were read for the job; `None` if they were cached.
    names: Option<Arc<AgentNames>>,
    changes: u64,
    /// How long the job took. The next one waits as long.
    pub took: Duration,
}

impl Followed {
    fn new(scope: Arc<Scope>) -> Self {
        let mut throttle = Throttle::new(PUSH_INTERVAL);
        // Boards that are followed at the same time are made in the order of the requests.
        throttle.rest_until(Instant::now());
        Self { scope, numbers: None, sent_to: HashSet::new(), owes_whole: false, throttle, turns_at: None }
    }

    fn owe_whole(&mut self) {
        self.owes_whole = true;
        self.throttle.change();
    }

    /// When it must be made next; `None` if nothing has changed.
    fn due_at(&self, now: Timestamp, instant: Instant) -> Option<Instant> {
        self.throttle.due_at(instant).or_else(|| {
            let wait = self.turns_at?.duration_since(now);
            // Timers are exact to a millisecond and must not be early.
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
    /// The metrics can be read from now on.
    pub fn begin(&mut self, metrics: AnalyticsReads) {
        self.metrics = Some(metrics);
    }

    /// Notes that the session has ended or has another scope, so that it needs whole boards.
    pub fn forget(&mut self, id: &SessionId) {
        for followed in self.followed.values_mut() {
            followed.sent_to.remove(id);
        }
    }

    /// Notes that the session no longer follows these channels. If it follows them again, it needs whole
    /// boards.
    pub fn unfollow(&mut self, id: &SessionId, channels: &[Channel]) {
        for ((board, _), followed) in &mut self.followed {
            if channels.contains(&Channel::Metrics(*board)) {
                followed.sent_to.remove(id);
            }
        }
    }

    /// Notes that a session follows the boards among these channels and needs whole ones.
    pub fn follow<'a>(&mut self, session: &Session, channels: impl Iterator<Item = &'a Channel>) {
        let Some((_, scope)) = session.scope() else { return };
        for channel in channels {
            let Channel::Metrics(board) = channel else { continue };
            let key = (*board, scope.hash().into());
            let followed = self.followed.entry(key).or_insert_with(|| Followed::new(Arc::clone(scope)));
            followed.sent_to.remove(&session.id);
            followed.owe_whole();
        }
    }

    /// Takes note of a commit: numbers or names may have changed.
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

    /// Takes note that the metrics file has followed the journal further. Returns true while somebody
    /// follows a board.
    pub fn note_progress(&mut self, progress: Progress) -> bool {
        for (key, followed) in &mut self.followed {
            // The board that is being made is compared when it is done.
            if self.making.as_ref() != Some(key) && !followed.stands_at(progress) {
                followed.throttle.change();
            }
        }
        self.listening = !self.followed.is_empty();
        self.listening
    }

    /// The progress of the metrics file, if the hub must begin to follow it. The file follows the journal
    /// with a delay, and begins again when business hours change.
    pub fn begin_listening(&mut self) -> Option<watch::Receiver<Progress>> {
        let metrics = self.metrics.as_ref().filter(|_| !self.listening && !self.followed.is_empty())?;
        self.listening = true;
        Some(metrics.follow())
    }

    /// Sends the newest board to a session that was too slow for it, now that it has read everything.
    pub fn owe_to(&mut self, session: &Session) {
        if self.followed.is_empty() || !session.has_read_all() {
            return;
        }
        let Some((_, scope)) = session.scope() else { return };
        for channel in session.channels() {
            let Channel::Metrics(board) = channel else { continue };
            let followed = self.followed.get_mut(&(*board, scope.hash().into()));
            if let Some(followed) = followed.filter(|followed| !followed.sent_to.contains(&session.id)) {
                followed.owe_whole();
            }
        }
    }

    /// The same for every follower. Runs once a second, because a `Drained` message is dropped when the
    /// hub's mailbox is full.
    pub fn owe_to_all(&mut self, sessions: &Sessions) {
        for board in Board::ALL {
            for id in sessions.followers(&Channel::Metrics(board)) {
                sessions.get(&id).into_iter().for_each(|session| self.owe_to(session));
            }
        }
    }

    /// What to do next, if no board is being made.
    pub fn next(&mut self, sessions: &Sessions, now: Timestamp, instant: Instant) -> BoardsNext {
        let Some(metrics) = self.metrics.clone().filter(|_| !self.busy) else { return BoardsNext::Nothing };
        while let Some((at, key)) = self.next_due(now, instant) {
            if at > instant {
                return BoardsNext::At(at);
            }
            if anybody_follows(sessions, &key) {
                return self
                    .begin_job(metrics, key, now, instant)
                    .map_or(BoardsNext::Nothing, BoardsNext::Make);
            }
            self.followed.remove(&key);
        }
        BoardsNext::Nothing
    }

    /// The board that is due first, and when it is.
    fn next_due(&self, now: Timestamp, instant: Instant) -> Option<(Instant, BoardKey)> {
        let due = self.followed.iter();
        let due = due.filter_map(|(key, followed)| Some((followed.due_at(now, instant)?, key)));
        due.min_by_key(|(at, _)| *at).map(|(at, key)| (at, key.clone()))
    }

    fn begin_job(
        &mut self,
        metrics: AnalyticsReads,
        key: BoardKey,
        now: Timestamp,
        instant: Instant,
    ) -> Option<Box<BoardJob>> {
        let followed = self.followed.get_mut(&key)?;
        let wants_whole = std::mem::take(&mut followed.owes_whole) || followed.numbers.is_none();
        // It may be due because time has passed, without a change.
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
        Some(Box::new(BoardJob { key, metrics, make, names, changes }))
    }

    /// Sends a finished board to its followers. The next one may begin after [`Boards::rested`].
    pub fn take(&mut self, sessions: &mut Sessions, done: FinishedBoard) {
        let FinishedBoard { key, answer, names, changes, .. } = done;
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
                // Those that wait for a whole board still do. The metrics file may be under
                // repair just now.
                log::warn!("{} could not be made: {}", key.0.as_str(), chain(&error));
                followed.owe_whole();
                followed.throttle.rest_until(Instant::now() + RETRY_AFTER);
            }
        }
    }

    /// Notes that the next board may begin.
    pub fn rested(&mut self) {
        self.busy = false;
    }
}

impl Followed {
    fn hand_out(&mut self, sessions: &mut Sessions, key: &BoardKey, made: &MadeBoard) {
        for id in sessions.followers(&Channel::Metrics(key.0)) {
            let Some(session) = sessions.get_mut(&id).filter(|session| session.is_seen_by(&key.1)) else {
                continue;
            };
            let was_sent = self.sent_to.contains(&id);
            let frame = if was_sent { made.changes.as_ref() } else { made.whole.as_ref() };
            match frame {
                Some(frame) if session.show(frame.clone()) => {
                    self.sent_to.insert(id);
                }
                Some(_) => {
                    self.sent_to.remove(&id);
                    if session.has_read_all() {
                        self.owe_whole();
                    }
                }
                // The session began to follow while the board was made.
                None if !was_sent => self.owe_whole(),
                None => {}
            }
        }
    }
}

fn anybody_follows(sessions: &Sessions, (board, hash): &BoardKey) -> bool {
    let followers = sessions.followers(&Channel::Metrics(*board));
    followers.iter().any(|id| sessions.get(id).is_some_and(|session| session.is_seen_by(hash)))
}

impl BoardJob {
    /// Makes the board, once the metrics file has caught up or [`FOLLOW_MAX`] has passed.
    pub async fn run(self, history: Readers, newest: Seq) -> FinishedBoard {
        let Self { key, metrics, mut make, names: known, changes } = self;
        metrics.reach_within(newest, FOLLOW_MAX).await;
        let begun = Instant::now();
        let mut names = None;
        let answer = match names_for(make.board, known, &history, &mut names).await {
            Ok(of_agents) => {
                // Set after the wait, during which time has passed and settings may have
                // changed.
                (make.names, make.now, make.calendar) = (of_agents, clock::now(), metrics.calendar());
                metrics.ask(Asker::Hub, make).await
            }
            Err(error) => Err(error),
        };
        FinishedBoard { key, answer, names, changes, took: begun.elapsed() }
    }
}

/// The names that a board needs. If they had to be read, they are also stored in `read`.
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
