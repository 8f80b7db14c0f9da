//! Replays: a stretch of the past, played to a screen at its own pace.
//!
//! # Contract
//!
//! 1. The updates of the stretch come as the screen's token sees them, in order, each when it is due
//!    ([`pace`](super::pace)). Nothing live comes meanwhile or afterwards, until the session subscribes anew.
//! 2. The archive's readers find, count and read it, in small steps. A replay holds one part of
//!    [`PART_UPDATES_MAX`](crate::archive::replay::PART_UPDATES_MAX) at most, and reads and sends nothing while the
//!    screen has not read what it has: a slow screen slows its own replay.
//! 3. A request that is refused changes nothing; one that is granted takes the place of whatever the session followed.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use actix::prelude::*;
use bytestring::ByteString;

use super::UmblerHub;
use super::flow::{Flow, Unanswered};
use super::messages::{Outgoing, RequestId, SessionId};
use super::pace::{Pace, Playing, Step, Upcoming};
use super::sessions::Session;
use crate::archive::{
    Archive, ArchiveError, Ask, CountPast, LocatePast, Located, PastPart, PastPlace, PastView, Query,
    ReadPast,
};
use crate::domain::Seq;
use crate::journal::writer::chain;
use crate::protocol::event::{ServerEvent, encode, encode_error, encode_refusal};
use crate::protocol::replay::{ReplayEnded, ReplayShape};
use crate::protocol::{Channel, ErrorCode, RecoveryReason, ReplayEnd, ReplayRequest, Speed};
use crate::telemetry::clock;

/// Replays at once, of all sessions; each holds one part in memory.
pub const REPLAYS_MAX: usize = 64;
/// Replays at once, of one user's sessions: nobody else is kept from theirs.
pub const REPLAYS_PER_USER_MAX: usize = 8;
/// The hub looks after a replay at most this often: what is due meanwhile goes out together.
const STEP_MIN: Duration = Duration::from_millis(10);
/// A part that could not be read is asked for again after so long.
const READ_AGAIN: Duration = Duration::from_secs(1);
/// Times in a row, after which the replay ends.
const READS_FAILED_MAX: u32 = 5;

/// Replays that were asked for and have not begun yet. Those that are played are in their sessions.
#[derive(Debug, Default)]
pub struct Replays {
    openings: HashMap<SessionId, Opening>,
    /// Grows with each: an answer or a timer of an earlier replay is not taken for one of this.
    number: u64,
}

#[derive(Debug)]
struct Opening {
    number: u64,
    unanswered: Unanswered,
    view: Arc<PastView>,
    speed: Speed,
}

impl Replays {
    /// The session is gone. Whoever counts for it stops.
    pub fn forget(&mut self, id: &SessionId) -> bool {
        self.openings.remove(id).is_some()
    }
}

/// A replay that is played.
#[derive(Debug)]
pub struct Replay {
    number: u64,
    view: Arc<PastView>,
    /// What was not read yet.
    left: PastPlace,
    pace: Pace,
    playing: Playing,
    /// The position of the last update that was sent.
    sent: Seq,
    waits: Waits,
    reads_failed: u32,
}

/// What a replay goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// The screen has something to read.
    Screen,
    /// A timer.
    Clock,
    /// The archive.
    Disk,
}

impl Replay {
    /// True where it goes on once the screen has read what it has.
    pub fn waits_for_the_screen(&self) -> bool {
        self.waits == Waits::Screen
    }

    /// The channels of which it is played.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.view.channels.iter()
    }

    /// Takes in what was read.
    fn take(&mut self, part: PastPart) {
        self.reads_failed = 0;
        self.left.after = part.until;
        for update in part.updates {
            let due = self.pace.due(update.at);
            self.playing.upcoming.push_back(Upcoming { seq: update.seq, due, frame: update.frame });
        }
    }

    /// The first of them were sent.
    fn note_sent(&mut self, count: usize) {
        if let Some(last) = self.playing.upcoming.drain(..count).next_back() {
            self.sent = last.seq;
        }
    }
}

async fn ask<Q: Query>(archive: &Addr<Archive>, query: Q) -> Result<Q::Answer, ArchiveError> {
    archive.send(Ask(query)).await.unwrap_or(Err(ArchiveError::Busy))
}

/// Finds a stretch and counts what is seen of it, for as long as somebody wants to know.
async fn find(archive: Addr<Archive>, wanted: Weak<PastView>) -> Result<(Located, usize), ArchiveError> {
    let mut updates = 0;
    let Some((from, until)) = wanted.upgrade().map(|view| (view.from, view.until)) else {
        return Err(ArchiveError::Busy);
    };
    let located = ask(&archive, LocatePast { from, until }).await?;
    if let Located::At(mut left) = located {
        while !left.is_empty() {
            let view = wanted.upgrade().ok_or(ArchiveError::Busy)?;
            let (counted, until) = ask(&archive, CountPast { view, left }).await?;
            updates += counted;
            left.after = until;
        }
    }
    Ok((located, updates))
}

impl UmblerHub {
    /// A session asks for a stretch of the past.
    pub(super) fn open_replay(
        &mut self,
        id: &SessionId,
        request_id: Option<RequestId>,
        channels: &[Channel],
        asked: &ReplayRequest,
        ctx: &mut Context<Self>,
    ) {
        let Some((_, scope)) = self.sessions.get(id).and_then(Session::scope) else { return };
        let (now, scope) = (clock::now(), Arc::clone(scope));
        let until = asked.until.unwrap_or(now);
        let bad = |field| Some((ErrorCode::BadRequest, format!("data.{field} lies in the future")));
        let refused = if asked.from > now {
            bad("replayFrom")
        } else if until > now {
            bad("replayUntil")
        } else {
            self.too_many_replays(id).map(|message| (ErrorCode::TooManyRequests, message))
        };
        if let Some((code, message)) = refused {
            return self.answer(id, encode_error(request_id.as_deref(), now, code, &message));
        }
        self.supersede_opening(id);
        self.replays.number += 1;
        let number = self.replays.number;
        let view = PastView { from: asked.from, until, channels: channels.iter().cloned().collect(), scope };
        let channels = channels.iter().map(ToString::to_string).collect();
        let unanswered = Unanswered { request_id, channels };
        let opening = Opening { number, unanswered, view: Arc::new(view), speed: asked.speed };
        let found = find(self.archive.clone(), Arc::downgrade(&opening.view)).into_actor(self);
        self.replays.openings.insert(Arc::clone(id), opening);
        let id = Arc::clone(id);
        ctx.spawn(found.map(move |found, hub, ctx| hub.begin_replay(&id, number, found, ctx)));
    }

    /// Why another replay is one too many; the session's own would make room for it.
    fn too_many_replays(&self, id: &SessionId) -> Option<String> {
        let replays = |session: &&Session| {
            matches!(session.flow, Flow::Replaying(_)) || self.replays.openings.contains_key(&session.id)
        };
        let others = self.sessions.iter().filter(|session| session.id != *id);
        if others.filter(replays).count() >= REPLAYS_MAX {
            return Some(format!("at most {REPLAYS_MAX} replays are played at once"));
        }
        let of_user: HashSet<&SessionId> =
            self.users.sessions_of_same_user(id).filter(|other| *other != id).collect();
        let of_user = of_user.into_iter().filter_map(|other| self.sessions.get(other));
        (of_user.filter(replays).count() >= REPLAYS_PER_USER_MAX)
            .then(|| format!("at most {REPLAYS_PER_USER_MAX} replays are played to one user at once"))
    }

    /// A later request took the place of one that is not answered yet.
    fn supersede_opening(&mut self, id: &SessionId) {
        let Some(opening) = self.replays.openings.remove(id) else { return };
        let message = "a later request came before the replay had begun";
        let answered = opening.unanswered.request_id.as_deref();
        self.answer(id, encode_error(answered, clock::now(), ErrorCode::BadRequest, message));
    }

    /// A stretch was found and counted.
    fn begin_replay(
        &mut self,
        id: &SessionId,
        number: u64,
        found: Result<(Located, usize), ArchiveError>,
        ctx: &mut Context<Self>,
    ) {
        if self.replays.openings.get(id).is_none_or(|opening| opening.number != number) {
            return;
        }
        let Some(Opening { unanswered, view, speed, .. }) = self.replays.openings.remove(id) else { return };
        let (left, updates) = match found {
            Ok((Located::At(place), updates)) => (place, updates),
            Ok((Located::Lost { kept_from }, _)) => {
                let kept = kept_from.map_or_else(|| "none are".to_owned(), |from| format!("from {from} on"));
                let message = format!("data.replayFrom: updates of then are not kept any more; {kept}");
                let reason = RecoveryReason::TooOld.as_str();
                let refusal =
                    encode_refusal(unanswered.request_id.as_deref(), clock::now(), &message, reason);
                return self.answer(id, refusal);
            }
            Err(error) => {
                log::error!("no replay: {}", chain(&error));
                let message = "the past cannot be read now";
                let answered = unanswered.request_id.as_deref();
                return self
                    .answer(id, encode_error(answered, clock::now(), ErrorCode::Unavailable, message));
            }
        };
        // It takes the place of everything that was followed, another replay included.
        self.sessions.unfollow(id, None);
        self.answer_replay(
            id,
            &unanswered,
            ReplayShape { from: view.from, until: view.until, speed, updates },
        );
        // Of a stretch without updates nothing need be read.
        let left = if updates == 0 { PastPlace { after: left.end, end: left.end } } else { left };
        let replay = Replay {
            number,
            pace: Pace::new(view.from, speed),
            view,
            left,
            playing: Playing::default(),
            sent: Seq(0),
            waits: Waits::Screen,
            reads_failed: 0,
        };
        if let Some(session) = self.sessions.get_mut(id) {
            session.flow = Flow::Replaying(Box::new(replay));
        }
        self.play(id, ctx);
    }

    /// The screen has read what it had.
    pub(super) fn play_on(&mut self, id: &SessionId, ctx: &mut Context<Self>) {
        if self.replay_that_waits(id, None, Waits::Screen).is_some() {
            self.play(id, ctx);
        }
    }

    /// The replay of a session, where it waits for this; `number` is `None` where any will do.
    fn replay_that_waits(
        &mut self,
        id: &SessionId,
        number: Option<u64>,
        waits: Waits,
    ) -> Option<&mut Replay> {
        match &mut self.sessions.get_mut(id)?.flow {
            Flow::Replaying(replay)
                if replay.waits == waits && number.is_none_or(|number| number == replay.number) =>
            {
                Some(replay)
            }
            Flow::Replaying(_)
            | Flow::Replayed
            | Flow::Off
            | Flow::Live
            | Flow::CatchingUp { .. }
            | Flow::AwaitingDisk { .. } => None,
        }
    }

    /// Sends what is due, or sees to what comes next.
    fn play(&mut self, id: &SessionId, ctx: &mut Context<Self>) {
        loop {
            let Some(session) = self.sessions.get_mut(id) else { return };
            let has_read = session.await_empty() && !session.behind;
            let Flow::Replaying(replay) = &mut session.flow else { return };
            if !has_read {
                replay.waits = Waits::Screen;
                return;
            }
            match replay.playing.step(Instant::now()) {
                Step::Send(count) => {
                    let due = replay.playing.upcoming.iter().take(count);
                    let frames: Arc<[ByteString]> = due.map(|update| update.frame.clone()).collect();
                    if !session.queue(Outgoing::Updates(frames)) {
                        // It is gone: where it is not, it says when it has read what it has.
                        return self.wait_for(id, Waits::Screen);
                    }
                    self.note_played(id, count);
                }
                Step::Wait(left) => return self.play_after(id, left.max(STEP_MIN), ctx),
                Step::Empty if replay.left.is_empty() => return self.end_replay(id, ReplayEnd::Done),
                Step::Empty => return self.read_on(id, ctx),
            }
        }
    }

    fn note_played(&mut self, id: &SessionId, count: usize) {
        self.metrics.updates_delivered(count as u64);
        if let Some(Flow::Replaying(replay)) = self.sessions.get_mut(id).map(|session| &mut session.flow) {
            replay.note_sent(count);
        }
    }

    fn wait_for(&mut self, id: &SessionId, waits: Waits) {
        if let Some(Flow::Replaying(replay)) = self.sessions.get_mut(id).map(|session| &mut session.flow) {
            replay.waits = waits;
        }
    }

    fn play_after(&mut self, id: &SessionId, wait: Duration, ctx: &mut Context<Self>) {
        self.wait_for(id, Waits::Clock);
        let Some(replay) = self.replay_that_waits(id, None, Waits::Clock) else { return };
        let (id, number) = (Arc::clone(id), replay.number);
        ctx.run_later(wait, move |hub, ctx| {
            if hub.replay_that_waits(&id, Some(number), Waits::Clock).is_some() {
                hub.play(&id, ctx);
            }
        });
    }

    fn read_on(&mut self, id: &SessionId, ctx: &mut Context<Self>) {
        self.wait_for(id, Waits::Disk);
        let Some(replay) = self.replay_that_waits(id, None, Waits::Disk) else { return };
        let (number, read) = (replay.number, ReadPast { view: Arc::clone(&replay.view), left: replay.left });
        let archive = self.archive.clone();
        let part = async move { ask(&archive, read).await }.into_actor(self);
        let id = Arc::clone(id);
        ctx.spawn(part.map(move |part, hub, ctx| hub.take_part(&id, number, part, ctx)));
    }

    fn take_part(
        &mut self,
        id: &SessionId,
        number: u64,
        part: Result<PastPart, ArchiveError>,
        ctx: &mut Context<Self>,
    ) {
        let Some(replay) = self.replay_that_waits(id, Some(number), Waits::Disk) else { return };
        match part {
            Ok(part) => {
                replay.take(part);
                self.play(id, ctx);
            }
            Err(error) => {
                replay.reads_failed += 1;
                if error.is_temporary() && replay.reads_failed < READS_FAILED_MAX {
                    return self.play_after(id, READ_AGAIN, ctx);
                }
                if !matches!(error, ArchiveError::Expired) {
                    log::error!("a replay cannot go on: {}", chain(&error));
                }
                self.end_replay(id, ReplayEnd::Gone);
            }
        }
    }

    /// Ends the replay of a session, if there is one, begun or not.
    pub(super) fn stop_replay(&mut self, id: &SessionId) {
        self.supersede_opening(id);
        self.end_replay(id, ReplayEnd::Stopped);
    }

    /// Ends all.
    pub(super) fn stop_replays(&mut self) {
        let replaying = self.sessions.iter().filter(|session| matches!(session.flow, Flow::Replaying(_)));
        let played: Vec<SessionId> = replaying.map(|session| Arc::clone(&session.id)).collect();
        let opening: Vec<SessionId> = self.replays.openings.keys().cloned().collect();
        for id in played.iter().chain(&opening) {
            self.stop_replay(id);
        }
    }

    fn end_replay(&mut self, id: &SessionId, end: ReplayEnd) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Flow::Replaying(replay) = &session.flow else { return };
        let ended = ReplayEnded { reason: end.as_str(), seq: replay.sent.0 };
        session.flow = Flow::Replayed;
        session.notify(encode(ServerEvent::ReplayEnded, None, clock::now(), &ended));
    }
}
