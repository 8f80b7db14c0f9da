//! Playback: a period of the past is played to a screen at its own pace.
//!
//! # Contract
//!
//! 1. The screen is sent the updates of the period that its scope sees, in order, each when it is due
//!    ([`pace`]). It is sent nothing live until it subscribes again.
//! 2. The readers find, count and read the updates in small steps. A playback holds at most
//!    [`PART_UPDATES_MAX`](crate::reads::playback::PART_UPDATES_MAX) of them, and reads and sends nothing
//!    until the screen has read what it has: a slow screen slows only its own playback.
//! 3. A request that is refused changes nothing. One that is granted replaces whatever the session followed.
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
use crate::journal::Recorded;
use crate::protocol::event::{ServerEvent, encode};
use crate::protocol::replay::ReplayEnded;
use crate::protocol::{Channel, ReplayEnd};
use crate::reads::{PlaybackPart, ReadError, ReadPlayback};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;
use crate::telemetry::metrics::Metrics;
use openings::Opening;
use pace::PaceStep;
use playing::{Playing, Waits};

/// Shortest time between two steps of a playback. What becomes due meanwhile is sent together.
const STEP_MIN: Duration = Duration::from_millis(10);
/// How long to wait after a failed read.
const READ_AGAIN: Duration = Duration::from_secs(1);
/// How many failed reads in a row end a playback.
const READS_FAILED_MAX: u32 = 5;

/// All playbacks. A session whose flow is [`Flow::Replaying`] has an entry here.
pub struct Playback {
    openings: HashMap<SessionId, Opening>,
    playing: HashMap<SessionId, Playing>,
    /// Grows with each request, so that answers and timers of an earlier playback can be told apart.
    number: u64,
    metrics: Metrics,
}

/// What the hub must do next for a playback.
#[must_use]
pub enum PlaybackNext {
    /// Nothing, until the screen has read, or because the playback has ended.
    Nothing,
    /// Call [`Playback::waited`] after this time, with this number.
    Wait(Duration, u64),
    /// Read more, then call [`Playback::take_part`] with this number.
    Read(ReadPlayback, u64),
}

impl Playback {
    pub fn new(metrics: Metrics) -> Self {
        Self { openings: HashMap::new(), playing: HashMap::new(), number: 0, metrics }
    }

    /// Drops the playback of a session that has ended. Queries for it stop.
    pub fn forget(&mut self, id: &SessionId) {
        self.openings.remove(id);
        self.playing.remove(id);
    }

    /// Replaces updates that were read ahead and whose text has changed since.
    pub fn blank(&mut self, blanked: &[Arc<Recorded>]) {
        if !blanked.is_empty() {
            self.playing.values_mut().for_each(|playing| playing.blank(blanked));
        }
    }

    /// True if a session is sent more once it has read what it has.
    pub fn waits_for_screen(&self, id: &SessionId) -> bool {
        self.playing.get(id).is_some_and(|playing| playing.waits == Waits::Screen)
    }

    /// The channels whose past a session is playing.
    pub fn channels(&self, id: &SessionId) -> impl Iterator<Item = &Channel> {
        self.playing.get(id).into_iter().flat_map(|playing| &playing.view.channels)
    }

    /// The screen has read everything that was sent.
    pub fn screen_has_read(&mut self, sessions: &mut Sessions, id: &SessionId, now: Instant) -> PlaybackNext {
        if self.waits_for_screen(id) { self.play(sessions, id, now) } else { PlaybackNext::Nothing }
    }

    /// The time of [`PlaybackNext::Wait`] has passed.
    pub fn waited(
        &mut self,
        sessions: &mut Sessions,
        id: &SessionId,
        number: u64,
        now: Instant,
    ) -> PlaybackNext {
        let waits = self.playing.get(id).is_some_and(|playing| playing.waits_with(number, Waits::Clock));
        if waits { self.play(sessions, id, now) } else { PlaybackNext::Nothing }
    }

    /// The read that [`PlaybackNext::Read`] asked for has ended.
    pub fn take_part(
        &mut self,
        sessions: &mut Sessions,
        id: &SessionId,
        number: u64,
        part: Result<PlaybackPart, ReadError>,
        now: Instant,
    ) -> PlaybackNext {
        let playing = self.playing.get_mut(id).filter(|playing| playing.waits_with(number, Waits::Disk));
        let Some(playing) = playing else { return PlaybackNext::Nothing };
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
            Err(error) => {
                log::error!("a playback ends because stored updates cannot be read: {}", chain(&error));
            }
        }
        self.end(sessions, id, ReplayEnd::Gone);
        PlaybackNext::Nothing
    }

    /// Sends what is due, or says what to do next.
    pub fn play(&mut self, sessions: &mut Sessions, id: &SessionId, now: Instant) -> PlaybackNext {
        loop {
            let (Some(session), Some(playing)) = (sessions.get_mut(id), self.playing.get_mut(id)) else {
                return PlaybackNext::Nothing;
            };
            let has_read = session.await_empty() && !session.behind;
            if !has_read {
                playing.waits = Waits::Screen;
                return PlaybackNext::Nothing;
            }
            match playing.upcoming.step(now) {
                PaceStep::Send(count) => {
                    if !send(session, playing, count) {
                        // The session has ended. If it has not, it reports when it
                        // has read what it has.
                        playing.waits = Waits::Screen;
                        return PlaybackNext::Nothing;
                    }
                    self.metrics.updates_delivered(count as u64);
                }
                PaceStep::Wait(left) => return playing.wait(left.max(STEP_MIN)),
                PaceStep::Empty if playing.left.is_empty() => {
                    self.end(sessions, id, ReplayEnd::Done);
                    return PlaybackNext::Nothing;
                }
                PaceStep::Empty => return playing.read(),
            }
        }
    }

    /// Ends the playback of a session, if it has begun.
    fn end(&mut self, sessions: &mut Sessions, id: &SessionId, end: ReplayEnd) {
        let Some(playing) = self.playing.remove(id) else { return };
        let Some(session) = sessions.get_mut(id) else { return };
        let ended = ReplayEnded { reason: end.as_str(), seq: playing.sent.0 };
        session.flow = Flow::Replayed;
        session.notify(encode(ServerEvent::ReplayEnded, None, clock::now(), &ended));
    }

    /// Ends the playback of a session, whether it has begun or not.
    pub fn stop(&mut self, sessions: &mut Sessions, id: &SessionId) {
        self.supersede(sessions, id);
        self.end(sessions, id, ReplayEnd::Stopped);
    }

    pub fn stop_all(&mut self, sessions: &mut Sessions) {
        let ids: Vec<SessionId> = self.playing.keys().chain(self.openings.keys()).map(Arc::clone).collect();
        for id in ids {
            self.stop(sessions, &id);
        }
    }
}

/// Sends the first `count` updates. Returns false if they did not fit into the session's queue.
fn send(session: &Session, playing: &mut Playing, count: usize) -> bool {
    let due = playing.upcoming.updates.iter().take(count);
    let batch: Batch = due.map(|update| update.frame.clone()).collect();
    let sent = session.queue(Outgoing::Updates(Arc::new(batch)));
    if sent {
        playing.note_sent(count);
    }
    sent
}
