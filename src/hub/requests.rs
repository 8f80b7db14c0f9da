//! Sessions come, go, sign in, follow and stop following.

use actix::prelude::*;
use serde::Serialize;

use super::UmblerHub;
use super::messages::{Connect, Disconnected, Drain, SessionId, Subscribe, Unsubscribe};
use super::sessions::{CHANNELS_PER_SESSION_MAX, Session};
use super::users::CHANNELS_PER_USER_MAX;
use crate::protocol::event::{ServerEvent, encode, encode_error};
use crate::protocol::{Channel, CloseCode, ErrorCode, HEARTBEAT_SECONDS, PROTOCOL_VERSION, SubscribeRequest};
use crate::telemetry::clock;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionEstablished<'a> {
    session_id: &'a str,
    protocol: u32,
    epoch: &'a str,
    seq: i64,
    heartbeat_seconds: u64,
    auth_required: bool,
}

#[derive(Serialize)]
struct Subscribed<'a> {
    channels: Vec<String>,
    seq: i64,
    epoch: &'a str,
    scope: &'a str,
    recovered: bool,
    replayed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

#[derive(Serialize)]
struct Unsubscribed {
    channels: Vec<String>,
}

impl Handler<Connect> for UmblerHub {
    type Result = ();

    fn handle(&mut self, connect: Connect, _: &mut Self::Context) {
        let mut session = Session::new(connect.session, connect.outbox, connect.backlog, connect.address);
        if self.draining {
            return session.close(CloseCode::GoingAway);
        }
        let full = |limit: usize, count: usize| limit > 0 && count >= limit;
        if full(self.settings.sessions_max, self.sessions.len())
            || full(self.settings.sessions_per_address_max, self.sessions.from_address(session.address))
        {
            return session.close(CloseCode::Limit);
        }
        session.signed_in = connect.signed_in;
        session.notify(encode(
            ServerEvent::ConnectionEstablished,
            None,
            clock::now(),
            &ConnectionEstablished {
                session_id: &session.id,
                protocol: PROTOCOL_VERSION,
                epoch: &self.settings.epoch,
                seq: self.stats.as_of.0,
                heartbeat_seconds: HEARTBEAT_SECONDS,
                auth_required: !connect.signed_in,
            },
        ));
        self.sessions.join(session);
    }
}

impl Handler<Disconnected> for UmblerHub {
    type Result = ();

    fn handle(&mut self, disconnected: Disconnected, _: &mut Self::Context) {
        self.let_go(&disconnected.session);
    }
}

impl Handler<Subscribe> for UmblerHub {
    type Result = ();

    fn handle(&mut self, subscribe: Subscribe, _: &mut Self::Context) {
        let Subscribe { session: id, request_id, request, scope } = subscribe;
        let Some(session) = self.sessions.get(&id) else { return };
        let now = clock::now();
        let first = !session.subscribed_once;
        let refused = if request.since.is_some() && !first {
            let message = "data.since belongs to the first subscribe_updates of a session".to_owned();
            Some((ErrorCode::BadRequest, message))
        } else if self.is_too_much_for_user(&id, &request.channels) {
            let message =
                format!("a user follows at most {CHANNELS_PER_USER_MAX} channels over all sessions");
            Some((ErrorCode::TooManyRequests, message))
        } else if !self.sessions.follow(&id, &request.channels) {
            let message = format!("a session follows at most {CHANNELS_PER_SESSION_MAX} channels");
            Some((ErrorCode::BadRequest, message))
        } else {
            None
        };
        let Some(session) = self.sessions.get(&id) else { return };
        if let Some((code, message)) = refused {
            session.notify(encode_error(request_id.as_deref(), now, code, &message));
            return;
        }
        let subscribed = Subscribed {
            channels: request.channels.iter().map(ToString::to_string).collect(),
            seq: self.stats.as_of.0,
            epoch: &self.settings.epoch,
            scope: &scope,
            recovered: false,
            replayed: 0,
            reason: first.then(|| self.why_not_recovered(&request)),
        };
        session.notify(encode(ServerEvent::Subscribed, request_id.as_deref(), now, &subscribed));
        if request.channels.contains(&Channel::Stats) {
            session.notify(encode(ServerEvent::UmblerStats, None, now, &self.stats_shape()));
        }
    }
}

impl UmblerHub {
    /// Missed updates are not replayed yet: every position is answered with the reason for a fresh snapshot.
    fn why_not_recovered(&self, request: &SubscribeRequest) -> &'static str {
        let Some(since) = request.since else { return "no_position" };
        if request.epoch.as_deref() != Some(self.settings.epoch.as_str()) {
            return "epoch_changed";
        }
        if since > self.stats.as_of.0 { "position_ahead" } else { "too_old" }
    }

    /// The session, if it is still there.
    pub(super) fn session(&self, id: &SessionId) -> Option<&Session> {
        self.sessions.get(id)
    }
}

impl Handler<Unsubscribe> for UmblerHub {
    type Result = ();

    fn handle(&mut self, unsubscribe: Unsubscribe, _: &mut Self::Context) {
        let gone = self.sessions.unfollow(&unsubscribe.session, unsubscribe.channels.as_deref());
        let unsubscribed = Unsubscribed { channels: gone.iter().map(ToString::to_string).collect() };
        if let Some(session) = self.session(&unsubscribe.session) {
            let id = unsubscribe.request_id.as_deref();
            session.notify(encode(ServerEvent::Unsubscribed, id, clock::now(), &unsubscribed));
        }
    }
}

impl Handler<Drain> for UmblerHub {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Drain, _: &mut Self::Context) -> Self::Result {
        self.draining = true;
        for session in self.sessions.iter() {
            session.close(CloseCode::Drain);
        }
        let writer = self.journal.take().map(crate::journal::Journal::close);
        Box::pin(async move {
            let Some(writer) = writer else { return };
            // Joining blocks, so it happens on a thread made for that.
            if actix_rt::task::spawn_blocking(move || writer.join()).await.is_err() {
                log::error!("the journal's thread could not be waited for");
            }
        })
    }
}
