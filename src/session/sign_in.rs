//! Signing in on a socket: the deadline, the three tries, the refresh in place, and the end of a token.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use actix_web_actors::ws;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::WsSession;
use crate::auth::{Authenticator, Identity, LEEWAY_SECONDS, Role};
use crate::hub::{SignedIn, Who};
use crate::protocol::event::{ServerEvent, encode, encode_error};
use crate::protocol::{Channel, CloseCode, ErrorCode};
use crate::telemetry::clock;

/// How long a socket may stay without a token where one is required.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// Bad tokens after which the socket is closed.
pub const BAD_TOKENS_MAX: u8 = 3;

/// Who sits at the other end.
pub struct SignIn {
    authenticator: Option<Arc<Authenticator>>,
    identity: Option<Identity>,
    bad_tokens: u8,
    expiry: Option<SpawnHandle>,
}

impl SignIn {
    /// Without a key everybody is signed in as the anonymous admin.
    pub fn new(authenticator: Option<Arc<Authenticator>>) -> Self {
        let identity = authenticator.is_none().then(Identity::anonymous);
        Self { authenticator, identity, bad_tokens: 0, expiry: None }
    }

    /// True where a key is set.
    pub fn is_required(&self) -> bool {
        self.authenticator.is_some()
    }

    /// True once somebody is signed in.
    pub fn is_done(&self) -> bool {
        self.identity.is_some()
    }

    /// Who is signed in, for the hub.
    pub fn who(&self) -> Option<Who> {
        self.identity.as_ref().map(Who::new)
    }

    /// The first channel that the token does not allow: another user's own.
    pub fn forbidden<'a>(&self, channels: &'a [Channel]) -> Option<&'a Channel> {
        self.identity.as_ref()?.forbidden_channel(channels)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Authenticated<'a> {
    success: bool,
    user: User<'a>,
    expires_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct User<'a> {
    id: &'a str,
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

    /// Checks a token; a wrong one changes nothing but the count of tries.
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
            Err(error) => {
                self.refuse(ErrorCode::Unauthorized, &error.to_string(), id, ctx);
                self.sign_in.bad_tokens += 1;
                if self.sign_in.bad_tokens >= BAD_TOKENS_MAX {
                    self.close(CloseCode::Refused, ctx);
                }
                return;
            }
        };
        if self.sign_in.identity.as_ref().is_some_and(|known| known.sub != identity.sub) {
            let message = "this socket belongs to another user; open a new one";
            return self.refuse(ErrorCode::Forbidden, message, id, ctx);
        }
        // The hub must know before anything is asked: it decides what this session may see.
        let signed_in = SignedIn { session: Arc::clone(&self.id), who: Who::new(&identity) };
        if self.seat.hub.try_send(signed_in).is_err() {
            return self.refuse(ErrorCode::Unavailable, "the hub is busy", id, ctx);
        }
        self.adopt(identity, now, ctx);
        self.welcome(id, now, ctx);
    }

    fn adopt(&mut self, identity: Identity, now: Timestamp, ctx: &mut ws::WebsocketContext<Self>) {
        self.sign_in.bad_tokens = 0;
        if let Some(expiry) = self.sign_in.expiry.take() {
            ctx.cancel_future(expiry);
        }
        if let Some(expires_at) = identity.expires_at {
            let seconds =
                expires_at.as_second().saturating_sub(now.as_second()).saturating_add(LEEWAY_SECONDS);
            let left = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
            self.sign_in.expiry = Some(ctx.run_later(left, Self::expire));
        }
        self.sign_in.identity = Some(identity);
    }

    fn welcome(&mut self, id: Option<&RawValue>, now: Timestamp, ctx: &mut ws::WebsocketContext<Self>) {
        let Some(identity) = &self.sign_in.identity else { return };
        let authenticated = Authenticated {
            success: true,
            user: User { id: &identity.sub, name: identity.name.as_deref(), role: identity.role },
            expires_at: identity.expires_at,
        };
        ctx.text(encode(ServerEvent::Authenticated, id, now, &authenticated));
    }

    fn expire(&mut self, ctx: &mut ws::WebsocketContext<Self>) {
        let message = "the token's time is over";
        ctx.text(encode_error(None, clock::now(), ErrorCode::TokenExpired, message));
        self.close(CloseCode::TokenExpired, ctx);
    }
}
