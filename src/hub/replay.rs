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

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;

use super::UmblerHub;
use super::batch::Batch;
use super::flow::Flow;
use super::messages::{Outgoing, SessionId};
use super::pace::{Pace, Playing, Step, Upcoming};
use crate::archive::{Archive, ArchiveError, Ask, PastPart, PastPlace, PastView, Query, ReadPast};
use crate::domain::Seq;
use crate::journal::writer::chain;
use crate::protocol::event::{ServerEvent, encode};
use crate::protocol::replay::ReplayEnded;
use crate::protocol::{Channel, ReplayEnd, Speed};
use crate::telemetry::clock;

/// The hub looks after a replay at most this often: what is due meanwhile goes out together.
const STEP_MIN: Duration = Duration::from_millis(10);
/// A part that could not be read is asked for again after so long.
const READ_AGAIN: Duration = Duration::from_secs(1);
/// Times in a row, after which the replay ends.
const READS_FAILED_MAX: u32 = 5;

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
    /// A replay of which nothing was read yet.
    pub(super) fn new(number: u64, view: Arc<PastView>, left: PastPlace, speed: Speed) -> Self {
        let pace = Pace::new(view.from, speed);
        Self {
            number,
            view,
            left,
            pace,
            playing: Playing::default(),
            sent: Seq(0),
            waits: Waits::Screen,
            reads_failed: 0,
        }
    }

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

/// Asks the archive.
pub(super) async fn ask<Q: Query>(archive: &Addr<Archive>, query: Q) -> Result<Q::Answer, ArchiveError> {
    archive.send(Ask(query)).await.unwrap_or(Err(ArchiveError::Busy))
}

impl UmblerHub {
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
    pub(super) fn play(&mut self, id: &SessionId, ctx: &mut Context<Self>) {
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
                    let batch: Batch = due.map(|update| update.frame.clone()).collect();
                    if !session.queue(Outgoing::Updates(Arc::new(batch))) {
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

    /// Ends the replay that is played to a session, if one is.
    pub(super) fn end_replay(&mut self, id: &SessionId, end: ReplayEnd) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Flow::Replaying(replay) = &session.flow else { return };
        let ended = ReplayEnded { reason: end.as_str(), seq: replay.sent.0 };
        session.flow = Flow::Replayed;
        session.notify(encode(ServerEvent::ReplayEnded, None, clock::now(), &ended));
    }
}
