//! Sign-ins and revocations: who is let in, and whose sessions are ended.

use actix::fut::ready;
use actix::prelude::*;

use super::UmblerHub;
use super::messages::{
    Admit, AdmitError, FrameMeter, ListRevocations, Revoke, RevokeError, Revoked, SessionId, SessionUser,
};
use super::sessions::Session;
use super::sessions::users::CHANNELS_PER_USER_MAX;
use crate::auth::Revocation;
use crate::protocol::{Channel, CloseCode, ResyncReason};
use crate::telemetry::clock;

impl Handler<Admit> for UmblerHub {
    type Result = Result<FrameMeter, AdmitError>;

    fn handle(&mut self, admit: Admit, ctx: &mut Self::Context) -> Self::Result {
        let identity = &admit.identity;
        // Checked again here, because the token may have been verified just before its user was
        // revoked.
        if self.settings.revocations.cover(&identity.sub, identity.issued_at) {
            return Err(AdmitError::Revoked);
        }
        if self.sessions.get(&admit.session).is_none() {
            return Err(AdmitError::Unknown);
        }
        let frames = self.users.admit(&admit.session, identity)?;
        self.seat(&admit.session, SessionUser::new(identity), ctx);
        Ok(frames)
    }
}

impl Handler<Revoke> for UmblerHub {
    type Result = ResponseActFuture<Self, Result<Revoked, RevokeError>>;

    fn handle(&mut self, revoke: Revoke, _: &mut Self::Context) -> Self::Result {
        let put = self.append(revoke.record);
        Box::pin(put.into_actor(self).then(|outcome, hub, _| {
            let outcome = outcome.map_err(RevokeError::from);
            let in_force = match outcome.and_then(|ack| ack.in_force.ok_or(RevokeError::Full)) {
                Ok(in_force) => in_force,
                Err(error) => return Box::pin(ready(Err(error))) as Self::Result,
            };
            let here = hub.put_in_force(&in_force);
            let elsewhere = hub.gather_reports(in_force.clone());
            Box::pin(
                elsewhere
                    .map(move |elsewhere, _, _| Ok(Revoked { in_force, sessions_closed: here + elsewhere })),
            )
        }))
    }
}

impl Handler<ListRevocations> for UmblerHub {
    type Result = MessageResult<ListRevocations>;

    fn handle(&mut self, list: ListRevocations, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.settings.revocations.list(list.user.as_deref(), list.limit))
    }
}

impl UmblerHub {
    /// Puts a revocation in force: tokens that it covers are refused, and their sessions end. Returns how
    /// many sessions were ended.
    pub(super) fn put_in_force(&mut self, revocation: &Revocation) -> usize {
        self.settings.revocations.add(revocation.clone());
        let covered = self.users.covered_by(revocation);
        for id in &covered {
            if let Some(session) = self.sessions.get(id) {
                session.close(CloseCode::Revoked);
            }
            // Not only when the socket has ended: a socket whose peer reads nothing ends later,
            // and must not be sent anything until then.
            self.let_go(id);
        }
        log::info!("{} sessions ended by a revocation", covered.len());
        covered.len()
    }

    /// Notes who uses a session, and what they may see from now on.
    pub(super) fn seat(&mut self, id: &SessionId, who: SessionUser, ctx: &mut Context<Self>) {
        self.presence.join(id, &who, clock::now());
        if self.sessions.sign_in(id, who) {
            self.see_otherwise(id, ctx);
        }
        self.push_states(ctx);
    }

    /// Adapts a session that was signed in before to what it may see now.
    fn see_otherwise(&mut self, id: &SessionId, ctx: &mut Context<Self>) {
        self.boards.forget(id);
        let Some(session) = self.sessions.get_mut(id) else { return };
        self.boards.follow(session, session.channels().iter());
        if session.subscribed_once || session.flow.is_of_the_past() {
            // What the client holds may include what it may no longer see.
            session.require_resync(ResyncReason::ScopeChanged);
        }
        // What was read for the old scope must not be sent to the new one.
        self.playback.stop(&mut self.sessions, id);
        self.push_boards(ctx);
    }

    /// Removes a session from every part that knows it.
    pub(super) fn let_go(&mut self, id: &SessionId) {
        if let Some(who) = self.sessions.get(id).and_then(Session::who) {
            self.presence.leave(id, &who.user, self.ticks.count());
        }
        self.boards.forget(id);
        self.playback.forget(id);
        self.sessions.leave(id);
        self.users.leave(id);
    }

    /// True if following these channels too would exceed the limit of the session's user.
    pub(super) fn is_too_much_for_user(&self, id: &SessionId, channels: &[Channel]) -> bool {
        let followed: usize = self
            .users
            .sessions_of_same_user(id)
            .filter_map(|id| self.sessions.get(id))
            .map(|session| session.channels().len())
            .sum();
        let own = self.sessions.get(id);
        let added = channels
            .iter()
            .filter(|channel| own.is_some_and(|session| !session.channels().contains(channel)))
            .count();
        followed + added > CHANNELS_PER_USER_MAX
    }
}
