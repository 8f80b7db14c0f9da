//! Playbacks that were requested. The period is found and its updates are counted before it is played.

use std::sync::{Arc, Weak};

use super::Playback;
use super::playing::Playing;
use crate::hub::messages::SessionId;
use crate::hub::sessions::flow::{Flow, Unanswered};
use crate::hub::sessions::users::Users;
use crate::hub::sessions::{Session, Sessions};
use crate::protocol::event::{encode_error, encode_refusal};
use crate::protocol::replay::ReplayShape;
use crate::protocol::{Channel, ErrorCode, RecoveryReason, ReplayRequest, Speed};
use crate::reads::{
    Asker, CountPlayback, LocatePlayback, Located, PlaybackRange, PlaybackView, ReadError, Readers,
};
use crate::telemetry::causes::chain;
use crate::telemetry::clock;

/// Playbacks at the same time. Each holds updates in memory.
pub const REPLAYS_MAX: usize = 64;
/// Playbacks at the same time for one user, so that some are left for others.
pub const REPLAYS_PER_USER_MAX: usize = 8;

/// A playback that was requested, but has not begun.
#[derive(Debug)]
pub struct Opening {
    /// Tells it from later requests of the session.
    pub number: u64,
    unanswered: Unanswered,
    view: Arc<PlaybackView>,
    speed: Speed,
}

/// A playback that begins once its request is answered.
pub struct Ready {
    pub unanswered: Unanswered,
    /// What the answer says about the playback.
    pub shape: ReplayShape,
    pub playing: Playing,
}

/// Where the period is, and how many of its updates the scope sees.
pub type FoundPeriod = Result<(Located, usize), ReadError>;

/// Finds a period and counts its updates. Gives up when the [`Opening`] that owns `wanted` is dropped.
async fn find(history: Readers, asker: Asker, wanted: Weak<PlaybackView>) -> FoundPeriod {
    let mut updates = 0;
    let Some((from, until)) = wanted.upgrade().map(|view| (view.from, view.until)) else {
        return Err(ReadError::Busy);
    };
    let located = history.ask(asker.clone(), LocatePlayback { from, until }).await?;
    if let Located::At(mut left) = located {
        while !left.is_empty() {
            let view = wanted.upgrade().ok_or(ReadError::Busy)?;
            let (counted, until) = history.ask(asker.clone(), CountPlayback { view, left }).await?;
            updates += counted;
            left.after = until;
        }
    }
    Ok((located, updates))
}

impl Opening {
    /// Finds the period and counts its updates. Gives up when the opening is dropped.
    pub fn find(&self, history: Readers, asker: Asker) -> impl Future<Output = FoundPeriod> + use<> {
        find(history, asker, Arc::downgrade(&self.view))
    }
}

impl Playback {
    /// Handles a request for a playback. Returns `None` if it is refused; the session is told why.
    pub fn open(
        &mut self,
        sessions: &mut Sessions,
        users: &Users,
        id: &SessionId,
        unanswered: Unanswered,
        channels: &[Channel],
        asked: &ReplayRequest,
    ) -> Option<&Opening> {
        let (_, scope) = sessions.get(id).and_then(Session::scope)?;
        let (now, scope) = (clock::now(), Arc::clone(scope));
        let until = asked.until.unwrap_or(now);
        let bad = |field| Some((ErrorCode::BadRequest, format!("data.{field} lies in the future")));
        let refused = if asked.from > now {
            bad("replayFrom")
        } else if until > now {
            bad("replayUntil")
        } else {
            self.too_many(sessions, users, id).map(|message| (ErrorCode::TooManyRequests, message))
        };
        if let Some((code, message)) = refused {
            let answered = unanswered.request_id.as_deref();
            sessions.answer(id, encode_error(answered, now, code, &message));
            return None;
        }
        self.supersede(sessions, id);
        self.number += 1;
        let view =
            PlaybackView { from: asked.from, until, channels: channels.iter().cloned().collect(), scope };
        let opening = Opening { number: self.number, unanswered, view: Arc::new(view), speed: asked.speed };
        Some(self.openings.entry(Arc::clone(id)).insert_entry(opening).into_mut())
    }

    /// Why another playback would be one too many. The session's own does not count, because it would be
    /// replaced.
    fn too_many(&self, sessions: &Sessions, users: &Users, id: &SessionId) -> Option<String> {
        let has_one = |id: &&SessionId| self.playing.contains_key(*id) || self.openings.contains_key(*id);
        let others = sessions.iter().map(|session| &session.id).filter(|other| *other != id);
        if others.filter(has_one).count() >= REPLAYS_MAX {
            return Some(format!("at most {REPLAYS_MAX} replays are played at once"));
        }
        let of_user = users.sessions_of_same_user(id).filter(|other| *other != id);
        (of_user.filter(has_one).count() >= REPLAYS_PER_USER_MAX)
            .then(|| format!("at most {REPLAYS_PER_USER_MAX} replays are played to one user at once"))
    }

    /// Refuses a request that has not been answered, because a later one replaces it.
    pub(super) fn supersede(&mut self, sessions: &mut Sessions, id: &SessionId) {
        let Some(opening) = self.openings.remove(id) else { return };
        let message = "a later request came before the replay had begun";
        let answered = opening.unanswered.request_id.as_deref();
        sessions.answer(id, encode_error(answered, clock::now(), ErrorCode::BadRequest, message));
    }

    /// Takes the result of [`Opening::find`]. Returns `None` if a later request came, or if there is
    /// nothing to play, which the session is told.
    pub fn take_found(
        &mut self,
        sessions: &mut Sessions,
        id: &SessionId,
        number: u64,
        found: FoundPeriod,
    ) -> Option<Ready> {
        self.openings.get(id).filter(|opening| opening.number == number)?;
        let Opening { unanswered, view, speed, .. } = self.openings.remove(id)?;
        let answered = unanswered.request_id.as_deref();
        let refusal = match found {
            Ok((Located::At(place), updates)) => {
                let shape = ReplayShape { from: view.from, until: view.until, speed, updates };
                // If no update is visible, nothing needs to be read.
                let left =
                    if updates == 0 { PlaybackRange { after: place.end, end: place.end } } else { place };
                return Some(Ready { unanswered, shape, playing: Playing::new(number, view, left, speed) });
            }
            Ok((Located::Lost { kept_from }, _)) => {
                let kept = kept_from.map_or_else(|| "none are".to_owned(), |from| format!("from {from} on"));
                let message = format!("data.replayFrom: updates of then are not kept any more; {kept}");
                encode_refusal(answered, clock::now(), &message, RecoveryReason::TooOld.as_str())
            }
            Err(error) => {
                log::error!("a playback cannot be prepared: {}", chain(&error));
                let message = "the past cannot be read now";
                encode_error(answered, clock::now(), ErrorCode::Unavailable, message)
            }
        };
        sessions.answer(id, refusal);
        None
    }

    /// Begins a playback. An earlier one of the session is dropped.
    pub fn begin(&mut self, sessions: &mut Sessions, id: &SessionId, playing: Playing) {
        if let Some(session) = sessions.get_mut(id) {
            session.flow = Flow::Replaying;
            self.playing.insert(Arc::clone(id), playing);
        }
    }
}
