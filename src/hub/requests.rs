//! Sessions connect, sign in, follow channels, and leave.

use std::sync::Arc;

use actix::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::UmblerHub;
use super::drain::{RETURN_AFTER, farewell};
use super::messages::{Connect, Disconnected, SessionId, Subscribe, Unsubscribe};
use super::sessions::flow::Unanswered;
use super::sessions::users::CHANNELS_PER_USER_MAX;
use super::sessions::{CHANNELS_PER_SESSION_MAX, Session};
use crate::cluster::ClusterState;
use crate::cluster::reach::{Reached, reach};
use crate::protocol::event::{ServerEvent, encode, encode_error};
use crate::protocol::{
    AwayReason, Channel, CloseCode, ErrorCode, HEARTBEAT_SECONDS, PROTOCOL_VERSION, SubscribeRequest,
};
use crate::telemetry::clock;

/// The content of `connection_established`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionEstablished<'a> {
    /// For logs and support.
    session_id: &'a str,
    /// Version of the protocol.
    protocol: u32,
    /// Epoch of the journal.
    epoch: &'a str,
    /// The newest published position.
    seq: i64,
    /// Seconds between two `heartbeat` events.
    heartbeat_seconds: u64,
    /// True if the client must `authenticate` first.
    auth_required: bool,
    /// Name of the company or team whose hub it is; null where the operator gave none.
    organization: Option<&'a str>,
}

/// The content of `unsubscribed`.
#[derive(Serialize, ToSchema)]
pub struct Unsubscribed {
    /// Channels that were followed and no longer are.
    channels: Vec<String>,
}

impl Handler<Connect> for UmblerHub {
    type Result = ();

    fn handle(&mut self, connect: Connect, ctx: &mut Self::Context) {
        let mut session = Session::new(connect.session, connect.outbox, connect.backlog, connect.address);
        if self.draining {
            return session.close(CloseCode::GoingAway);
        }
        let full = |limit: usize, count: usize| limit > 0 && count >= limit;
        if full(self.settings.sessions_max, self.sessions.len())
            || full(self.settings.sessions_per_address_max, self.sessions.count_at_address(session.address))
        {
            return session.close(CloseCode::Limit);
        }
        session.notify(encode(
            ServerEvent::ConnectionEstablished,
            None,
            clock::now(),
            &ConnectionEstablished {
                session_id: &session.id,
                protocol: PROTOCOL_VERSION,
                epoch: self.updates.epoch(),
                seq: self.updates.newest().0,
                heartbeat_seconds: HEARTBEAT_SECONDS,
                auth_required: connect.auth_required,
                organization: self.settings.organization_name.as_deref(),
            },
        ));
        self.status.greet(&mut session);
        let id = Arc::clone(&session.id);
        self.sessions.join(session);
        if let Some(who) = connect.who {
            self.seat(&id, who, ctx);
        }
    }
}

impl Handler<Disconnected> for UmblerHub {
    type Result = ();

    fn handle(&mut self, disconnected: Disconnected, ctx: &mut Self::Context) {
        self.let_go(&disconnected.session);
        self.push_states(ctx);
    }
}

impl Handler<Subscribe> for UmblerHub {
    type Result = ();

    fn handle(&mut self, subscribe: Subscribe, ctx: &mut Self::Context) {
        let Some((since, cluster)) = self.position_elsewhere(&subscribe) else {
            return self.subscribe(subscribe, ctx);
        };
        let newest = self.updates.follow_newest();
        let reached = async move { reach(newest, since, &cluster).await };
        ctx.spawn(reached.into_actor(self).map(move |reached, hub, ctx| match reached {
            Reached::Here | Reached::Nowhere => hub.subscribe(subscribe, ctx),
            Reached::Elsewhere => hub.send_on(&subscribe.session),
        }));
    }
}

impl UmblerHub {
    /// The position of a screen that comes from another hub of the cluster, which was ahead of this one.
    fn position_elsewhere(&self, subscribe: &Subscribe) -> Option<(i64, ClusterState)> {
        let cluster = self.settings.cluster.as_ref()?.state.clone();
        let request = &subscribe.request;
        let is_of_this_history = request.epoch.as_deref() == Some(self.updates.epoch());
        let since = request.since.filter(|since| is_of_this_history && *since > self.updates.newest().0);
        since.map(|since| (since, cluster))
    }

    /// Sends a session on to another hub, because this one is too far behind its position. It keeps the position.
    fn send_on(&self, id: &SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        self.metrics.recovered(AwayReason::TooFarAhead.as_str());
        farewell(session, AwayReason::TooFarAhead, RETURN_AFTER.mul_f64(1.0 + rand::random::<f64>()));
    }

    fn subscribe(&mut self, subscribe: Subscribe, ctx: &mut Context<Self>) {
        let Subscribe { session: id, request_id, request } = subscribe;
        let Some(session) = self.sessions.get(&id) else { return };
        let channels = request.channels.iter().map(ToString::to_string).collect();
        let unanswered = Unanswered { request_id, channels };
        if let Some(asked) = &request.replay {
            return self.open_replay(&id, unanswered, &request.channels, asked, ctx);
        }
        // After a playback a session begins again, because it was sent nothing live meanwhile.
        let first = !session.subscribed_once || session.flow.is_of_the_past();
        if let Some((code, message)) = self.try_follow(&id, &request, first) {
            let answered = unanswered.request_id.as_deref();
            return self.sessions.answer(&id, encode_error(answered, clock::now(), code, &message));
        }
        self.playback.stop(&mut self.sessions, &id);
        if first {
            let needs = self.updates.begin(&mut self.sessions, &id, &request, unanswered);
            self.see_to(needs, ctx);
        } else if let Some(session) = self.sessions.get_mut(&id) {
            self.updates.answer_added(session, &unanswered);
        }
        self.greet(&id, &request.channels, ctx);
    }
}

impl UmblerHub {
    /// Follows the channels. Returns why it cannot, and `None` if it could.
    fn try_follow(
        &mut self,
        id: &SessionId,
        request: &SubscribeRequest,
        first: bool,
    ) -> Option<(ErrorCode, String)> {
        if request.since.is_some() && !first {
            let message = "data.since belongs to the first subscribe_updates of a session".to_owned();
            Some((ErrorCode::BadRequest, message))
        } else if self.is_too_much_for_user(id, &request.channels) {
            let message =
                format!("a user follows at most {CHANNELS_PER_USER_MAX} channels over all sessions");
            Some((ErrorCode::TooManyRequests, message))
        } else if !self.sessions.follow(id, &request.channels) {
            let message = format!("a session follows at most {CHANNELS_PER_SESSION_MAX} channels");
            Some((ErrorCode::BadRequest, message))
        } else {
            None
        }
    }

    /// Sends a session the present values of the states that it begins to follow.
    fn greet(&mut self, id: &SessionId, channels: &[Channel], ctx: &mut Context<Self>) {
        if channels.contains(&Channel::Stats) {
            let stats = self.stats_shape();
            self.stats_push.greet(&mut self.sessions, id, || stats);
            self.count_next(ctx);
        }
        if channels.contains(&Channel::Presence) {
            self.presence.greet(&mut self.sessions, id);
        }
        if let Some(session) = self.sessions.get(id) {
            self.boards.follow(session, channels.iter());
            self.push_boards(ctx);
        }
    }
}

impl Handler<Unsubscribe> for UmblerHub {
    type Result = ();

    fn handle(&mut self, unsubscribe: Unsubscribe, _: &mut Self::Context) {
        let mut gone = self.sessions.unfollow(&unsubscribe.session, unsubscribe.channels.as_deref());
        if gone.iter().any(|channel| matches!(channel, Channel::Metrics(_))) {
            // If the session follows a board again, it needs all of it.
            self.boards.unfollow(&unsubscribe.session, &gone);
        }
        gone.extend(self.playback.channels(&unsubscribe.session).cloned());
        let unsubscribed = Unsubscribed { channels: gone.iter().map(ToString::to_string).collect() };
        if let Some(session) = self.sessions.get_mut(&unsubscribe.session)
            && !session.follows_updates()
            && !session.flow.is_of_the_past()
        {
            session.stop_flow();
        }
        let id = unsubscribe.request_id.as_deref();
        let frame = encode(ServerEvent::Unsubscribed, id, clock::now(), &unsubscribed);
        self.sessions.answer(&unsubscribe.session, frame);
        self.playback.stop(&mut self.sessions, &unsubscribe.session);
    }
}
