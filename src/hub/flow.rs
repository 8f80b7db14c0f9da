//! How updates reach one session: live, or from its position until it has caught up.
//!
//! # Contract
//!
//! 1. Every update that a session may see and follows comes once and in order, whatever happened in between: a
//!    queue that was full, a reconnect with a position, a restart.
//! 2. Nothing waits for a session. One that catches up gets [`CHUNK_BYTES`] at a time, and the next when it has
//!    read those.
//! 3. What is older than the ring is read from disk once for everybody who needs it.

use std::sync::Arc;

use actix::prelude::*;
use bytestring::ByteString;

use super::UmblerHub;
use super::batch::Batch;
use super::messages::{Drained, Outgoing, RequestId, SessionId};
use super::replay::Replay;
use super::sessions::Session;
use crate::archive::{ArchiveError, Ask, LoadStretch, Stretch};
use crate::domain::Seq;
use crate::journal::Recorded;
use crate::protocol::event::{ResyncRequired, ServerEvent, encode};
use crate::protocol::{RecoveryReason, ResyncReason};
use crate::telemetry::clock;

/// Bytes of updates that a session which catches up gets at a time.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// Updates that one read of older updates brings at most.
const STRETCH_UPDATES_MAX: usize = 10_000;
/// Bytes that one read of older updates brings at most.
const STRETCH_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Reads of older updates that are kept for whoever needs them too.
const STRETCHES_MAX: usize = 2;

/// Where a session stands with its updates.
#[derive(Debug, Default)]
pub enum Flow {
    /// It follows nothing yet.
    #[default]
    Off,
    /// Each commit is handed on as it comes.
    Live,
    /// It has everything up to here, and gets the rest as it reads.
    CatchingUp {
        /// The last position that was handed to it, or looked at for it.
        after: Seq,
    },
    /// The same, but what it needs next is being read from disk.
    AwaitingDisk {
        /// The last position that was handed to it.
        after: Seq,
        /// Its `subscribe_updates`, which is answered once it is known what was missed.
        answer: Option<Unanswered>,
    },
    /// A stretch of the past is played to it, and nothing is live.
    Replaying(Box<Replay>),
    /// It was; nothing comes until it subscribes anew.
    Replayed,
}

impl Flow {
    /// The position up to which a session was handed everything, where the hub's own is `newest`. A replay takes it
    /// nowhere: what is live passes it by, so it is at the beginning until it subscribes anew.
    pub fn reached(&self, newest: Seq) -> Seq {
        match self {
            Self::Off | Self::Live => newest,
            Self::CatchingUp { after } | Self::AwaitingDisk { after, .. } => *after,
            Self::Replaying(_) | Self::Replayed => Seq(0),
        }
    }

    /// True where a stretch of the past took the place of what is live.
    pub fn is_of_the_past(&self) -> bool {
        matches!(self, Self::Replaying(_) | Self::Replayed)
    }

    /// True where the session gets more once it has read what it has.
    pub fn waits_for_the_screen(&self) -> bool {
        match self {
            Self::CatchingUp { .. } => true,
            Self::Replaying(replay) => replay.waits_for_the_screen(),
            Self::Off | Self::Live | Self::AwaitingDisk { .. } | Self::Replayed => false,
        }
    }
}

/// A `subscribe_updates` with a position that waits for the disk.
#[derive(Debug)]
pub struct Unanswered {
    /// The client's own id, as JSON.
    pub request_id: Option<RequestId>,
    /// The channels it asked for.
    pub channels: Vec<String>,
}

/// Older updates, read from disk.
#[derive(Debug, Default)]
pub struct Stretches {
    kept: Vec<Stretch>,
    loading: bool,
}

impl Stretches {
    fn holding(&self, after: Seq) -> Option<&Stretch> {
        self.kept.iter().find(|stretch| (stretch.after..stretch.until).contains(&after))
    }

    /// Nobody needs them any more.
    pub fn forget(&mut self) {
        self.kept.clear();
    }
}

/// Why older updates could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unreadable {
    /// They are not kept any more; newer ones may be.
    Expired,
    /// The archive did not answer.
    Fault,
}

/// The next updates for a session, and the position up to which they were looked for.
struct Chunk {
    frames: Vec<ByteString>,
    until: Seq,
}

impl UmblerHub {
    /// What came after a position, as far as it is in memory; `None` where the disk is needed first.
    fn known_after(&self, after: Seq) -> Option<Box<dyn Iterator<Item = &Arc<Recorded>> + '_>> {
        if self.ring.reaches_back_to(after) {
            return Some(Box::new(self.ring.after(after)));
        }
        let stretch = self.stretches.holding(after)?;
        let from = stretch.events.partition_point(|event| event.seq <= after);
        // The disk may be ahead of the hub: what it has not handed out yet comes live.
        let newest = self.stats.as_of;
        Some(Box::new(stretch.events[from..].iter().take_while(move |event| event.seq <= newest)))
    }

    /// The position up to which [`known_after`](Self::known_after) tells everything.
    fn known_until(&self, after: Seq) -> Option<Seq> {
        if self.ring.reaches_back_to(after) {
            return Some(self.stats.as_of);
        }
        self.stretches.holding(after).map(|stretch| stretch.until.min(self.stats.as_of))
    }

    /// How many updates a session missed between `since` and now; `None` where the disk is needed to tell.
    pub(super) fn count_missed(&self, session: &Session, since: Seq) -> Option<usize> {
        let mut after = since;
        let mut missed = 0;
        while after < self.stats.as_of {
            let mut until = after;
            for event in self.known_after(after)? {
                missed += usize::from(session.would_get(event).is_some());
                until = event.seq;
            }
            after = self.known_until(after).unwrap_or(until);
        }
        Some(missed)
    }

    /// Sends a session that catches up its next updates.
    pub(super) fn advance(&mut self, id: &SessionId, ctx: &mut Context<Self>) {
        loop {
            let Some(session) = self.sessions.get(id) else { return };
            let Flow::CatchingUp { after } = session.flow else { return };
            let Some(chunk) = self.next_chunk(session, after) else {
                self.set_flow(id, Flow::AwaitingDisk { after, answer: None });
                return self.load_stretch(ctx);
            };
            let sent = chunk.frames.is_empty() || {
                let count = chunk.frames.len();
                let sent = session.queue(Outgoing::Updates(Arc::new(Batch::new(chunk.frames.into()))));
                self.metrics.updates_delivered(if sent { count as u64 } else { 0 });
                sent
            };
            if !sent {
                // Full, and then it says when it has read that; or gone, and then trying again would not end.
                session.await_empty();
                return;
            }
            let caught_up = chunk.until >= self.stats.as_of;
            self.set_flow(id, if caught_up { Flow::Live } else { Flow::CatchingUp { after: chunk.until } });
            // The rest follows when the session has read this.
            if caught_up || !self.sessions.get(id).is_some_and(Session::await_empty) {
                return;
            }
        }
    }

    fn set_flow(&mut self, id: &SessionId, flow: Flow) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.flow = flow;
        }
    }

    fn next_chunk(&self, session: &Session, after: Seq) -> Option<Chunk> {
        let mut chunk = Chunk { frames: Vec::new(), until: after };
        let mut bytes = 0;
        for event in self.known_after(after)? {
            chunk.until = event.seq;
            if let Some(frame) = session.would_get(event) {
                bytes += frame.len();
                chunk.frames.push(frame);
            }
            if bytes >= CHUNK_BYTES {
                return Some(chunk);
            }
        }
        chunk.until = self.known_until(after).unwrap_or(chunk.until);
        Some(chunk)
    }

    /// Reads older updates for everybody who waits for them, one read at a time.
    pub(super) fn load_stretch(&mut self, ctx: &mut Context<Self>) {
        let positions = self.sessions.iter().filter_map(|session| match session.flow {
            Flow::AwaitingDisk { after, .. } => Some(after),
            Flow::Off | Flow::Live | Flow::CatchingUp { .. } | Flow::Replaying(_) | Flow::Replayed => None,
        });
        let Some(after) = positions.min().filter(|_| !self.stretches.loading) else { return };
        self.stretches.loading = true;
        let load = LoadStretch { after, updates_max: STRETCH_UPDATES_MAX, bytes_max: STRETCH_BYTES_MAX };
        let answer = self.archive.send(Ask(load)).into_actor(self);
        ctx.spawn(answer.map(move |answer, hub, ctx| {
            hub.stretches.loading = false;
            hub.take_stretch(after, answer.unwrap_or(Err(ArchiveError::Busy)), ctx);
        }));
    }

    fn take_stretch(&mut self, asked: Seq, answer: Result<Stretch, ArchiveError>, ctx: &mut Context<Self>) {
        let failed = match answer {
            Ok(stretch) => {
                if self.stretches.kept.len() >= STRETCHES_MAX {
                    self.stretches.kept.remove(0);
                }
                self.stretches.kept.push(stretch);
                None
            }
            Err(ArchiveError::Expired) => Some(Unreadable::Expired),
            Err(error) => {
                log::error!("missed updates cannot be read: {}", crate::journal::writer::chain(&error));
                Some(Unreadable::Fault)
            }
        };
        let waiting: Vec<(SessionId, Seq)> = self
            .sessions
            .iter()
            .filter_map(|session| match session.flow {
                Flow::AwaitingDisk { after, .. } => Some((Arc::clone(&session.id), after)),
                Flow::Off | Flow::Live | Flow::CatchingUp { .. } | Flow::Replaying(_) | Flow::Replayed => {
                    None
                }
            })
            .collect();
        for (id, after) in waiting {
            // Where the asked position is too old, newer ones may still be kept: they get a read of their own.
            match failed.filter(|why| after <= asked || *why != Unreadable::Expired) {
                Some(_) => self.give_up(&id),
                None if self.known_after(after).is_some() => self.go_on(&id, after, ctx),
                None => {}
            }
        }
        self.load_stretch(ctx);
    }

    /// What a session waited for is in memory now.
    fn go_on(&mut self, id: &SessionId, after: Seq, ctx: &mut Context<Self>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Flow::AwaitingDisk { answer, .. } = std::mem::take(&mut session.flow) else { return };
        match answer {
            None => session.flow = Flow::CatchingUp { after },
            Some(unanswered) => {
                let missed = self.sessions.get(id).and_then(|session| self.count_missed(session, after));
                let Some(missed) = missed else {
                    // The stretch ends before the ring begins: the bytes of all that was missed are too many.
                    return self.answer_unrecovered(id, &unanswered, RecoveryReason::TooMany);
                };
                self.answer_recovered(id, &unanswered, after, missed);
            }
        }
        self.advance(id, ctx);
    }

    /// What a session missed cannot be replayed: it takes a snapshot and goes on live.
    fn give_up(&mut self, id: &SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Flow::AwaitingDisk { answer, .. } = std::mem::replace(&mut session.flow, Flow::Live) else {
            return;
        };
        match answer {
            Some(unanswered) => self.answer_unrecovered(id, &unanswered, RecoveryReason::TooOld),
            None => self.require_resync(id, ResyncReason::TooSlow),
        }
    }

    /// Tells a session that it missed something for good.
    pub(super) fn require_resync(&mut self, id: &SessionId, reason: ResyncReason) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.notify(encode(
                ServerEvent::ResyncRequired,
                None,
                clock::now(),
                &ResyncRequired { reason: reason.as_str() },
            ));
        }
    }

    /// A session has read all that was queued for it.
    pub(super) fn note_drained(&mut self, id: &SessionId, ctx: &mut Context<Self>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        // Something may have been queued since: then the next time that it is empty is told.
        if !session.backlog.is_empty() && !session.await_empty() {
            return;
        }
        session.behind_ticks = 0;
        session.behind = false;
        if std::mem::take(&mut session.lost_answer) {
            self.require_resync(id, ResyncReason::TooSlow);
        }
        self.advance(id, ctx);
        self.catch_up_metrics(id, ctx);
        self.play_on(id, ctx);
    }
}

impl Handler<Drained> for UmblerHub {
    type Result = ();

    fn handle(&mut self, drained: Drained, ctx: &mut Self::Context) {
        self.note_drained(&drained.session, ctx);
    }
}
