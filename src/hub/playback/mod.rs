//! Playback: a stretch of the past, played to a screen at its own pace.
//!
//! # Contract
//!
//! 1. The updates of the stretch come as the screen's token sees them, in order, each when it is due ([`pace`]). Nothing
//!    live comes meanwhile or afterwards, until the session subscribes again.
//! 2. The readers find, count and read it, in small steps. A playback holds one part of
//!    [`PART_UPDATES_MAX`](crate::reads::replay::PART_UPDATES_MAX) at most, and reads and sends nothing while the
//!    screen has not read what it has: a slow screen slows its own playback.
//! 3. A request that is refused changes nothing; one that is granted takes the place of whatever the session followed.

pub mod pace;
pub mod playing;
pub mod openings;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::messages::{Outgoing, SessionId};
use super::sessions::flow::Flow;
use super::sessions::{Session, Sessions};
use super::updates::batch::Batch;
use crate::protocol::event::{ServerEvent, encode};
use crate::protocol::replay::ReplayEnded;
use crate::protocol::{Channel, ReplayEnd};
use crate::reads::{PastPart, ReadError, ReadPast};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;
use crate::telemetry::metrics::Metrics;
use openings::Opening;
use pace::Step;
use playing::{Playing, Waits};

/// The hub looks after a playback at most this often: what is due meanwhile goes out together.
const STEP_MIN: Duration = Duration::from_millis(10);
/// A part that could not be read is asked for again after so long.
const READ_AGAIN: Duration = Duration::from_secs(1);
/// Failed reads in a row after which a playback ends.
const READS_FAILED_MAX: u32 = 5;

/// All playbacks. A session whose flow is [`Flow::Replaying`] has one here.
pub struct Playback {
    /// Asked for and not begun yet.
    openings: HashMap<SessionId, Opening>,
    playing: HashMap<SessionId, Playing>,
    /// Grows with each request, so that an answer or a timer of an earlier playback is not taken for one of this.
    number: u64,
    metrics: Metrics,
}

/// What the hub does next for one playback.
#[must_use]
pub enum Next {
    /// Nothing before something happens: the screen reads, or the playback has ended.
    Nothing,
    /// Look again after a while, with this number.
    Wait(Duration, u64),
    /// Read more, with this number.
    Read(ReadPast, u64),
}

impl Playback {
    /// Nothing is played yet.
    pub fn new(metrics: Metrics) -> Self {
        Self { openings: HashMap::new(), playing: HashMap::new(), number: 0, metrics }
    }

    /// The session is gone. Whoever finds and counts for it stops.
    pub fn forget(&mut self, id: &SessionId) {
        self.openings.remove(id);
        self.playing.remove(id);
    }

    /// True where a session gets more once it has read what it has.
    pub fn waits_for_screen(&self, id: &SessionId) -> bool {
        self.playing.get(id).is_some_and(|playing| playing.waits == Waits::Screen)
    }

    /// The channels of which the past is played to a session.
    pub fn channels(&self, id: &SessionId) -> impl Iterator<Item = &Channel> {
        self.playing.get(id).into_iter().flat_map(|playing| &playing.view.channels)
    }

    /// The screen has read what it had.
    pub fn screen_has_read(&mut self, sessions: &mut Sessions, id: &SessionId, now: Instant) -> Next {
        if self.waits_for_screen(id) { self.play(sessions, id, now) } else { Next::Nothing }
    }

    /// The time that [`Next::Wait`] asked for is over.
    pub fn waited(&mut self, sessions: &mut Sessions, id: &SessionId, number: u64, now: Instant) -> Next {
        let waits = self.playing.get(id).is_some_and(|playing| playing.waits_with(number, Waits::Clock));
        if waits { self.play(sessions, id, now) } else { Next::Nothing }
    }

    /// What [`Next::Read`] asked for was read.
    pub fn take_part(
        &mut self,
        sessions: &mut Sessions,
        id: &SessionId,
        number: u64,
        part: Result<PastPart, ReadError>,
        now: Instant,
    ) -> Next {
        let playing = self.playing.get_mut(id).filter(|playing| playing.waits_with(number, Waits::Disk));
        let Some(playing) = playing else { return Next::Nothing };
        match part {
            Ok(part) => {
                playing.take(part);
                return self.play(sessions, id, now);
            }
            Err(error) if error.is_temporary() && playing.reads_failed + 1 < READS_FAILED_MAX => {
                playing.reads_failed += 1;
                return playing.wait(READ_AGAIN);
            }
            Err(ReadError::Expired) => {}
            Err(error) => log::error!("a replay cannot go on: {}", chain(&error)),
        }
        self.end(sessions, id, ReplayEnd::Gone);
        Next::Nothing
    }

    /// Sends what is due, or sees to what comes next.
    pub fn play(&mut self, sessions: &mut Sessions, id: &SessionId, now: Instant) -> Next {
        loop {
            let (Some(session), Some(playing)) = (sessions.get_mut(id), self.playing.get_mut(id)) else {
                return Next::Nothing;
            };
            let has_read = session.await_empty() && !session.behind;
            if !has_read {
                playing.waits = Waits::Screen;
                return Next::Nothing;
            }
            match playing.upcoming.step(now) {
                Step::Send(count) => {
                    if !send(session, playing, count) {
                        // It is gone: where it is not, it says when it has read what it has.
                        playing.waits = Waits::Screen;
                        return Next::Nothing;
                    }
                    self.metrics.updates_delivered(count as u64);
                }
                Step::Wait(left) => return playing.wait(left.max(STEP_MIN)),
                Step::Empty if playing.left.is_empty() => {
                    self.end(sessions, id, ReplayEnd::Done);
                    return Next::Nothing;
                }
                Step::Empty => return playing.read(),
            }
        }
    }

    /// Ends the playback of a session, if there is one.
    fn end(&mut self, sessions: &mut Sessions, id: &SessionId, end: ReplayEnd) {
        let Some(playing) = self.playing.remove(id) else { return };
        let Some(session) = sessions.get_mut(id) else { return };
        let ended = ReplayEnded { reason: end.as_str(), seq: playing.sent.0 };
        session.flow = Flow::Replayed;
        session.notify(encode(ServerEvent::ReplayEnded, None, clock::now(), &ended));
    }

    /// Ends the playback of a session, if there is one, begun or not.
    pub fn stop(&mut self, sessions: &mut Sessions, id: &SessionId) {
        self.supersede(sessions, id);
        self.end(sessions, id, ReplayEnd::Stopped);
    }

    /// Ends all.
    pub fn stop_all(&mut self, sessions: &mut Sessions) {
        let ids: Vec<SessionId> = self.playing.keys().chain(self.openings.keys()).map(Arc::clone).collect();
        for id in ids {
            self.stop(sessions, &id);
        }
    }
}

/// Sends the first `count` updates; false where they did not fit.
fn send(session: &Session, playing: &mut Playing, count: usize) -> bool {
    let due = playing.upcoming.updates.iter().take(count);
    let batch: Batch = due.map(|update| update.frame.clone()).collect();
    let sent = session.queue(Outgoing::Updates(Arc::new(batch)));
    if sent {
        playing.note_sent(count);
    }
    sent
}
