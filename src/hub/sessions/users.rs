//! Which sessions each user has: the limits over all sessions of a user, and the sessions that a revocation
//! ends.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;

use crate::auth::{Identity, Revocation};
use crate::hub::messages::{AdmitError, FrameMeter, SessionId};

/// Channels that one user may follow over all of their sessions: as many as ten sessions may.
pub const CHANNELS_PER_USER_MAX: usize = 2_000;
/// Frames that one user may send per second on average, over all of their sessions.
pub const FRAMES_PER_USER_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).unwrap();
/// Frames that one user may send at once: fifty tabs that reconnect after a restart send three each.
pub const FRAMES_PER_USER_BURST: NonZeroU32 = NonZeroU32::new(500).unwrap();
/// Seconds in which one user may open as many sessions as they may have.
pub const CONNECTS_PER_USER_SECONDS: u32 = 10;

/// All signed-in users. Empty if no JWT key is set.
pub struct Users {
    /// Limit of sessions per user; 0 for none.
    sessions_max: usize,
    by_session: HashMap<SessionId, SignedIn>,
    by_user: HashMap<Arc<str>, UserSessions>,
    /// Kept when a user's last session ends, because otherwise connecting again would have no limit.
    /// `None` without a limit.
    connects: Option<DefaultKeyedRateLimiter<Arc<str>>>,
}

struct SignedIn {
    user: Arc<str>,
    issued_at: Option<Timestamp>,
}

struct UserSessions {
    sessions: HashSet<SessionId>,
    frames: FrameMeter,
}

impl Users {
    pub fn new(sessions_max: usize) -> Self {
        let burst = u32::try_from(sessions_max).ok().and_then(NonZeroU32::new);
        let connects = burst.map(|burst| {
            let per_second = NonZeroU32::new(burst.get().div_ceil(CONNECTS_PER_USER_SECONDS));
            Quota::per_second(per_second.unwrap_or(NonZeroU32::MIN)).allow_burst(burst)
        });
        Self {
            sessions_max,
            by_session: HashMap::new(),
            by_user: HashMap::new(),
            connects: connects.map(RateLimiter::keyed),
        }
    }

    /// Signs a session's user in, or notes their newer token. Changes nothing if that is refused.
    pub fn admit(&mut self, id: &SessionId, identity: &Identity) -> Result<FrameMeter, AdmitError> {
        if let Some(known) = self.by_session.get_mut(id) {
            known.issued_at = identity.issued_at;
            return self
                .by_user
                .get(&known.user)
                .map(|user| Arc::clone(&user.frames))
                .ok_or(AdmitError::Unknown);
        }
        let known = self.by_user.get_key_value(identity.sub.as_str());
        let name = known.map_or_else(|| Arc::from(identity.sub.as_str()), |(name, _)| Arc::clone(name));
        let count = known.map_or(0, |(_, user)| user.sessions.len());
        if self.sessions_max > 0 && count >= self.sessions_max {
            return Err(AdmitError::TooManySessions);
        }
        if self.connects.as_ref().is_some_and(|connects| connects.check_key(&name).is_err()) {
            return Err(AdmitError::TooFast);
        }
        let user = self.by_user.entry(Arc::clone(&name)).or_insert_with(UserSessions::new);
        user.sessions.insert(Arc::clone(id));
        let frames = Arc::clone(&user.frames);
        self.by_session.insert(Arc::clone(id), SignedIn { user: name, issued_at: identity.issued_at });
        Ok(frames)
    }

    pub fn leave(&mut self, id: &SessionId) {
        let Some(SignedIn { user: name, .. }) = self.by_session.remove(id) else { return };
        if let Some(user) = self.by_user.get_mut(&name) {
            user.sessions.remove(id);
            if user.sessions.is_empty() {
                self.by_user.remove(&name);
            }
        }
    }

    /// All sessions of this session's user, including itself.
    pub fn sessions_of_same_user(&self, id: &SessionId) -> impl Iterator<Item = &SessionId> {
        let user = self.by_session.get(id).and_then(|signed_in| self.by_user.get(&signed_in.user));
        user.into_iter().flat_map(|user| &user.sessions)
    }

    /// The sessions that a revocation ends.
    pub fn covered_by(&self, revocation: &Revocation) -> Vec<SessionId> {
        let sessions = self.by_user.get(revocation.user.as_str()).into_iter().flat_map(|user| &user.sessions);
        let covered = sessions.filter(|id| {
            self.by_session.get(*id).is_some_and(|signed_in| revocation.covers(signed_in.issued_at))
        });
        covered.cloned().collect()
    }

    /// Drops the rate limits of users who have not connected for a while.
    pub fn forget_idle(&self) {
        if let Some(connects) = &self.connects {
            connects.retain_recent();
            connects.shrink_to_fit();
        }
    }
}

impl UserSessions {
    fn new() -> Self {
        let quota = Quota::per_second(FRAMES_PER_USER_PER_SECOND).allow_burst(FRAMES_PER_USER_BURST);
        Self { sessions: HashSet::new(), frames: Arc::new(RateLimiter::direct(quota)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(sub: &str, issued_at: Option<i64>) -> Identity {
        let issued_at = issued_at.map(|second| Timestamp::from_second(second).unwrap());
        Identity { sub: sub.into(), issued_at, ..Identity::anonymous() }
    }

    fn id(name: &str) -> SessionId {
        name.into()
    }

    #[test]
    fn a_user_has_as_many_sockets_as_the_limit_and_others_have_theirs() {
        let mut users = Users::new(2);
        let ana = identity("ana", None);
        assert!(users.admit(&id("1"), &ana).is_ok() && users.admit(&id("2"), &ana).is_ok());
        assert!(matches!(users.admit(&id("3"), &ana), Err(AdmitError::TooManySessions)));
        assert!(users.admit(&id("2"), &ana).is_ok(), "a newer token is no new socket");
        assert!(users.admit(&id("4"), &identity("eve", None)).is_ok());
        assert_eq!(users.sessions_of_same_user(&id("1")).count(), 2);
        users.leave(&id("1"));
        users.leave(&id("1"));
        assert_eq!(users.sessions_of_same_user(&id("2")).count(), 1);
    }

    #[test]
    fn a_user_who_comes_and_goes_is_slowed_down() {
        let mut users = Users::new(3);
        let ana = identity("ana", None);
        let mut comes_and_goes = || {
            let outcome = users.admit(&id("1"), &ana);
            users.leave(&id("1"));
            outcome
        };
        assert!((0..3).all(|_| comes_and_goes().is_ok()));
        assert!(matches!(comes_and_goes(), Err(AdmitError::TooFast)));
        assert!(users.admit(&id("2"), &identity("eve", None)).is_ok());
        let mut unlimited = Users::new(0);
        assert!((0..500).all(|number| unlimited.admit(&id(&number.to_string()), &ana).is_ok()));
    }

    #[test]
    fn a_revocation_reaches_the_older_tokens_of_its_user_only() {
        let mut users = Users::new(0);
        for (session, sub, issued_at) in [
            ("old", "ana", Some(99)),
            ("new", "ana", Some(100)),
            ("none", "ana", None),
            ("eve", "eve", Some(1)),
        ] {
            assert!(users.admit(&id(session), &identity(sub, issued_at)).is_ok());
        }
        let moment = Timestamp::from_second(100).unwrap();
        let revocation = Revocation {
            user: "ana".into(),
            issued_before: moment,
            revoked_at: moment,
            revoked_by: "root".into(),
        };
        let mut covered = users.covered_by(&revocation);
        covered.sort();
        assert_eq!(covered, [id("none"), id("old")]);
        assert!(users.admit(&id("old"), &identity("ana", Some(101))).is_ok());
        assert_eq!(users.covered_by(&revocation), [id("none")], "a newer token saves the socket");
    }
}
