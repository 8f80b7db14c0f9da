//! Replays that were asked for: found and counted first, and played ([`replay`](super::replay)) once it is known what comes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use actix::prelude::*;

use super::UmblerHub;
use super::flow::{Flow, Unanswered};
use super::messages::{RequestId, SessionId};
use super::replay::{Replay, ask};
use super::sessions::Session;
use crate::archive::{Archive, ArchiveError, CountPast, LocatePast, Located, PastPlace, PastView};
use crate::journal::writer::chain;
use crate::protocol::event::{encode_error, encode_refusal};
use crate::protocol::replay::ReplayShape;
use crate::protocol::{Channel, ErrorCode, RecoveryReason, ReplayEnd, ReplayRequest, Speed};
use crate::telemetry::clock;

/// Replays at once, of all sessions; each holds one part in memory.
pub const REPLAYS_MAX: usize = 64;
/// Replays at once, of one user's sessions: nobody else is kept from theirs.
pub const REPLAYS_PER_USER_MAX: usize = 8;
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
        self.stop_flow(id);
        let gone = self.sessions.unfollow(id, None);
        self.boards.unfollow(id, &gone);
        self.answer_replay(
            id,
            &unanswered,
            ReplayShape { from: view.from, until: view.until, speed, updates },
        );
        // Of a stretch without updates nothing need be read.
        let left = if updates == 0 { PastPlace { after: left.end, end: left.end } } else { left };
        let replay = Replay::new(number, view, left, speed);
        if let Some(session) = self.sessions.get_mut(id) {
            session.flow = Flow::Replaying(Box::new(replay));
        }
        self.play(id, ctx);
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
}
