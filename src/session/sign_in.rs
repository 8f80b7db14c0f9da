//! Signing in on a socket: the deadline, the three attempts, the hub's decision, the refresh in place, the
//! warning before a token expires, and its expiry.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use actix_web_actors::ws;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::WsSession;
use crate::auth::{Authenticator, Identity, LEEWAY_SECONDS, Role};
use crate::hub::messages::FrameMeter;
use crate::hub::{Admit, AdmitError, SessionUser};
use crate::protocol::event::{ServerEvent, encode, encode_error};
use crate::protocol::{Channel, CloseCode, ErrorCode};
use crate::telemetry::clock;

/// How long a socket may stay without a token where one is required.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// Refused tokens after which the socket is closed.
pub const BAD_TOKENS_MAX: u8 = 3;

/// Seconds before a token expires at which the client is warned; at once where its first token has less left.
pub const WARNING_SECONDS: i64 = 60;
/// Seconds below which a warning would come too late to be of use.
pub const WARNING_SECONDS_MIN: i64 = 5;

/// Who is signed in on a socket.
pub struct SignIn {
    authenticator: Option<Arc<Authenticator>>,
    identity: Option<Identity>,
    bad_tokens: u8,
    expiry: Option<SpawnHandle>,
    warning: Option<SpawnHandle>,
    /// Counts the frames of all sessions of the user.
    frames: Option<FrameMeter>,
}

impl SignIn {
    /// Without a key everybody is signed in as the anonymous admin.
    pub fn new(authenticator: Option<Arc<Authenticator>>) -> Self {
        let identity = authenticator.is_none().then(Identity::anonymous);
        Self { authenticator, identity, bad_tokens: 0, expiry: None, warning: None, frames: None }
    }

    /// True where a key is set.
    pub fn is_required(&self) -> bool {
        self.authenticator.is_some()
    }

    /// True once somebody is signed in.
    pub fn is_done(&self) -> bool {
        self.identity.is_some()
    }

    /// Who is signed in, in the form in which the hub is told.
    pub fn who(&self) -> Option<SessionUser> {
        self.identity.as_ref().map(SessionUser::new)
    }

    /// Who is signed in; `None` before.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Counts one frame. True where the user sends too many over all of their sessions.
    pub fn is_user_too_fast(&self) -> bool {
        self.frames.as_ref().is_some_and(|frames| frames.check().is_err())
    }

    /// The first channel that the token does not allow, because it is another user's own.
    pub fn forbidden<'a>(&self, channels: &'a [Channel]) -> Option<&'a Channel> {
        self.identity.as_ref()?.forbidden_channel(channels)
    }
}

/// The content of an `authenticated` event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Authenticated<'a> {
    /// Always true: a refusal is an `error` event.
    success: bool,
    /// The user who is signed in.
    user: User<'a>,
    /// When the token expires; `null` where the hub has no key.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl<'a> Authenticated<'a> {
    pub(super) fn of(identity: &'a Identity) -> Self {
        Self {
            success: true,
            user: User { id: &identity.sub, name: identity.name.as_deref(), role: identity.role },
            expires_at: identity.expires_at,
        }
    }
}

/// The content of a `token_expiring` event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenExpiring {
    /// When the token expires, without leeway.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Seconds from now until the token expires.
    seconds_left: i64,
}

/// The user who is signed in.
#[derive(Serialize, ToSchema)]
struct User<'a> {
    /// Id of the user: the token's `sub`.
    id: &'a str,
    /// Name of the user: the token's `name`.
    name: Option<&'a str>,
    role: Role,
}

impl WsSession {
    /// Starts the deadline, where sign-in is required.
    pub(super) fn await_sign_in(&mut self, ctx: &mut ws::WebsocketContext<Self>) {
        if self.sign_in.is_done() {
            return;
        }
        ctx.run_later(DEADLINE, |session, ctx| {
            if !session.sign_in.is_done() {
                session.close(CloseCode::AuthDeadline, ctx);
            }
        });
    }

    /// Checks a token. A wrong one changes nothing but the count of attempts.
    pub(super) fn authenticate(
        &mut self,
        token: &str,
        id: Option<&RawValue>,
        ctx: &mut ws::WebsocketContext<Self>,
    ) {
        let now = clock::now();
        let Some(authenticator) = self.sign_in.authenticator.clone() else {
            return self.welcome(id, now, ctx);
        };
        let identity = match authenticator.verify(token, now) {
            Ok(identity) => identity,
            Err(error) => return self.refuse_token(&error.to_string(), id, ctx),
        };
        if self.sign_in.identity.as_ref().is_some_and(|known| known.sub != identity.sub) {
            let message = "this socket belongs to another user; open a new one";
            return self.refuse(ErrorCode::Forbidden, message, id, ctx);
        }
        self.ask_to_be_admitted(identity, id, ctx);
    }

    /// Asks the hub, which alone knows the user's other sessions, whether the user may sign in. Later frames
    /// wait for its answer, so a client may subscribe without waiting.
    fn ask_to_be_admitted(
        &mut self,
        identity: Identity,
        id: Option<&RawValue>,
        ctx: &mut ws::WebsocketContext<Self>,
    ) {
        let identity = Arc::new(identity);
        let id = id.map(ToOwned::to_owned);
        let admit = Admit { session: Arc::clone(&self.id), identity: Arc::clone(&identity) };
        let asked = self.context.hub.send(admit).into_actor(self);
        ctx.wait(asked.map(move |answer, session, ctx| {
            let id = id.as_deref();
            match answer {
                Ok(Ok(frames)) => session.adopt(&identity, frames, id, ctx),
                Ok(Err(error @ AdmitError::Revoked)) => session.refuse_token(&error.to_string(), id, ctx),
                Ok(Err(AdmitError::TooManySessions)) => session.close(CloseCode::Limit, ctx),
                Ok(Err(error @ AdmitError::TooFast)) => {
                    session.refuse(ErrorCode::TooManyRequests, &error.to_string(), id, ctx);
                }
                // Its close frame is on the way.
                Ok(Err(AdmitError::Unknown)) => {}
                Err(_gone) => session.refuse(ErrorCode::Unavailable, "the hub is stopping", id, ctx),
            }
        }));
    }

    fn refuse_token(&mut self, message: &str, id: Option<&RawValue>, ctx: &mut ws::WebsocketContext<Self>) {
        self.refuse(ErrorCode::Unauthorized, message, id, ctx);
        self.sign_in.bad_tokens += 1;
        if self.sign_in.bad_tokens >= BAD_TOKENS_MAX {
            self.close(CloseCode::Refused, ctx);
        }
    }

    fn adopt(
        &mut self,
        identity: &Arc<Identity>,
        frames: FrameMeter,
        id: Option<&RawValue>,
        ctx: &mut ws::WebsocketContext<Self>,
    ) {
        let now = clock::now();
        let first = !self.sign_in.is_done();
        self.sign_in.bad_tokens = 0;
        self.sign_in.frames = Some(frames);
        self.sign_in.identity = Some(Identity::clone(identity));
        self.welcome(id, now, ctx);
        for timer in [self.sign_in.expiry.take(), self.sign_in.warning.take()].into_iter().flatten() {
            ctx.cancel_future(timer);
        }
        let Some(expires_at) = identity.expires_at else { return };
        let left = seconds_left(expires_at, now);
        let until_end = u64::try_from(left.saturating_add(LEEWAY_SECONDS)).unwrap_or(0);
        self.sign_in.expiry = Some(ctx.run_later(Duration::from_secs(until_end), Self::expire));
        match warn_after(left, first) {
            None => {}
            Some(0) => self.warn(expires_at, ctx),
            Some(wait) => {
                let warn = move |session: &mut Self, ctx: &mut ws::WebsocketContext<Self>| {
                    session.warn(expires_at, ctx);
                };
                self.sign_in.warning = Some(ctx.run_later(Duration::from_secs(wait), warn));
            }
        }
    }

    fn warn(&self, expires_at: Timestamp, ctx: &mut ws::WebsocketContext<Self>) {
        let now = clock::now();
        let warning = TokenExpiring { expires_at, seconds_left: seconds_left(expires_at, now) };
        self.say(encode(ServerEvent::TokenExpiring, None, now, &warning), ctx);
    }

    fn welcome(&mut self, id: Option<&RawValue>, now: Timestamp, ctx: &mut ws::WebsocketContext<Self>) {
        let Some(identity) = &self.sign_in.identity else { return };
        self.say(encode(ServerEvent::Authenticated, id, now, &Authenticated::of(identity)), ctx);
    }

    fn expire(&mut self, ctx: &mut ws::WebsocketContext<Self>) {
        let message = "the token has expired";
        self.say(encode_error(None, clock::now(), ErrorCode::TokenExpired, message), ctx);
        self.close(CloseCode::TokenExpired, ctx);
    }
}

/// Whole seconds until a token expires, without leeway.
fn seconds_left(expires_at: Timestamp, now: Timestamp) -> i64 {
    expires_at.as_second().saturating_sub(now.as_second())
}

/// Seconds until the client is warned; `None`: it is not. The first token of a socket is warned of at once
/// where it expires within a minute. A token that replaced another is then warned of when half of the rest has
/// passed: where tokens are valid for less than a minute, a client that takes each warning as a reason to
/// refresh would otherwise never stop.
fn warn_after(left: i64, first: bool) -> Option<u64> {
    if left < WARNING_SECONDS_MIN {
        return None;
    }
    let soonest = if first { 0 } else { left / 2 };
    u64::try_from(left.saturating_sub(WARNING_SECONDS).max(soonest)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_warned_of_a_minute_before_its_end_or_at_once_and_never_too_late() {
        for (left, first, after) in [
            (3_600, true, Some(3_540)),
            (61, true, Some(1)),
            (60, true, Some(0)),
            (5, true, Some(0)),
            (4, true, None),
            (-20, true, None),
            (i64::MAX, true, Some(9_223_372_036_854_775_747)),
        ] {
            assert_eq!(warn_after(left, first), after, "{left}");
        }
    }

    #[test]
    fn tokens_that_live_shorter_than_the_warning_do_not_make_a_client_refresh_without_end() {
        for (left, after) in [(3_600, Some(3_540)), (119, Some(59)), (60, Some(30)), (6, Some(3)), (4, None)]
        {
            assert_eq!(warn_after(left, false), after, "{left}");
        }
    }
}
