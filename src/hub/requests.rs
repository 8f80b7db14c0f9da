//! Sessions come, go, sign in, follow and stop following.

use std::sync::Arc;

use actix::prelude::*;
use bytestring::ByteString;
use serde::Serialize;
use utoipa::ToSchema;

use super::UmblerHub;
use super::flow::{Flow, Unanswered};
use super::messages::{Connect, Disconnected, Outgoing, SessionId, Subscribe, Unsubscribe};
use super::sessions::{CHANNELS_PER_SESSION_MAX, Session};
use super::users::CHANNELS_PER_USER_MAX;
use crate::domain::Seq;
use crate::protocol::event::{ServerEvent, encode, encode_error};
use crate::protocol::replay::ReplayShape;
use crate::protocol::{
    Channel, CloseCode, ErrorCode, HEARTBEAT_SECONDS, PROTOCOL_VERSION, RecoveryReason, SubscribeRequest,
};
use crate::telemetry::clock;

/// The content of `connection_established`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionEstablished<'a> {
    /// For logs and support.
    session_id: &'a str,
    /// The version of the protocol.
    protocol: u32,
    /// The life of the journal.
    epoch: &'a str,
    /// The hub's newest position.
    seq: i64,
    /// A `heartbeat` comes this often.
    heartbeat_seconds: u64,
    /// True where the client must `authenticate` first.
    auth_required: bool,
}

/// The content of `subscribed`.
#[derive(Serialize, ToSchema)]
pub struct Subscribed<'a> {
    /// The channels that were asked for.
    channels: &'a [String],
    /// The hub's newest position.
    seq: i64,
    /// The life of the journal.
    epoch: &'a str,
    /// A hash of what the token allows.
    scope: &'a str,
    /// The missed updates come next; where it is false, a snapshot is needed.
    recovered: bool,
    /// How many updates were missed.
    replayed: usize,
    /// Why the position was not recovered.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The stretch of the past that comes next, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<ReplayShape>,
}

/// The content of `unsubscribed`.
#[derive(Serialize, ToSchema)]
pub struct Unsubscribed {
    /// What was followed and is no longer.
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
            || full(self.settings.sessions_per_address_max, self.sessions.from_address(session.address))
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
                epoch: &self.settings.epoch,
                seq: self.stats.as_of.0,
                heartbeat_seconds: HEARTBEAT_SECONDS,
                auth_required: connect.auth_required,
            },
        ));
        self.tell_newcomer(&mut session);
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
        self.note_presence(ctx);
    }
}

impl Handler<Subscribe> for UmblerHub {
    type Result = ();

    fn handle(&mut self, subscribe: Subscribe, ctx: &mut Self::Context) {
        let Subscribe { session: id, request_id, request } = subscribe;
        let Some(session) = self.sessions.get(&id) else { return };
        if let Some(asked) = &request.replay {
            return self.open_replay(&id, request_id, &request.channels, asked, ctx);
        }
        // After a replay a session begins anew: what was live meanwhile passed it by.
        let first = !session.subscribed_once || session.flow.is_of_the_past();
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
        if let Some((code, message)) = refused {
            return self.answer(&id, encode_error(request_id.as_deref(), clock::now(), code, &message));
        }
        self.stop_replay(&id);
        let channels = request.channels.iter().map(ToString::to_string).collect();
        let unanswered = Unanswered { request_id, channels };
        if first {
            self.begin(&id, &request, unanswered, ctx);
        } else {
            self.answer_subscribed(&id, &unanswered, None, None);
            self.go_live(&id);
        }
        if request.channels.contains(&Channel::Stats) {
            self.greet_with_stats(&id, ctx);
        }
        if request.channels.contains(&Channel::Presence) {
            self.greet_with_presence(&id);
        }
        self.follow_metrics(&id, request.channels.iter(), ctx);
    }
}

impl UmblerHub {
    /// The first subscription of a session: from its position, or from now on.
    fn begin(
        &mut self,
        id: &SessionId,
        request: &SubscribeRequest,
        unanswered: Unanswered,
        ctx: &mut Context<Self>,
    ) {
        let Some(session) = self.sessions.get(id) else { return };
        let since = match self.position(session, request) {
            Ok(since) => since,
            Err(reason) => return self.answer_unrecovered(id, &unanswered, reason),
        };
        if let Some(missed) = self.count_missed(session, since) {
            self.answer_recovered(id, &unanswered, since, missed);
            return self.advance(id, ctx);
        }
        if let Some(session) = self.sessions.get_mut(id) {
            session.flow = Flow::AwaitingDisk { after: since, answer: Some(unanswered) };
        }
        self.load_stretch(ctx);
    }

    /// The position from which a session goes on, or why it cannot.
    fn position(&self, session: &Session, request: &SubscribeRequest) -> Result<Seq, RecoveryReason> {
        let since = request.since.ok_or(RecoveryReason::NoPosition)?;
        if request.epoch.as_deref() != Some(self.settings.epoch.as_str()) {
            return Err(RecoveryReason::EpochChanged);
        }
        let newest = self.stats.as_of.0;
        if since > newest {
            return Err(RecoveryReason::PositionAhead);
        }
        let scope = session.scope().map(|(_, scope)| scope.hash());
        if request.scope.as_deref().is_some_and(|known| Some(known) != scope) {
            return Err(RecoveryReason::ScopeChanged);
        }
        if newest - since > i64::from(self.settings.replay_updates_max) {
            return Err(RecoveryReason::TooMany);
        }
        Ok(Seq(since))
    }

    /// The missed updates come next.
    pub(super) fn answer_recovered(
        &mut self,
        id: &SessionId,
        unanswered: &Unanswered,
        since: Seq,
        missed: usize,
    ) {
        self.answer_subscribed(id, unanswered, Some(missed), None);
        self.metrics.recovered("recovered");
        if let Some(session) = self.sessions.get_mut(id) {
            session.flow = Flow::CatchingUp { after: since };
        }
    }

    /// Updates come from now on; what was missed does not.
    pub(super) fn answer_unrecovered(
        &mut self,
        id: &SessionId,
        unanswered: &Unanswered,
        reason: RecoveryReason,
    ) {
        self.answer_subscribed(id, unanswered, None, Some(reason));
        self.metrics.recovered(reason.as_str());
        self.go_live(id);
    }

    fn answer_subscribed(
        &mut self,
        id: &SessionId,
        unanswered: &Unanswered,
        missed: Option<usize>,
        reason: Option<RecoveryReason>,
    ) {
        let Some((_, scope)) = self.sessions.get(id).and_then(Session::scope) else { return };
        let subscribed = Subscribed {
            channels: &unanswered.channels,
            seq: self.stats.as_of.0,
            epoch: &self.settings.epoch,
            scope: scope.hash(),
            recovered: missed.is_some(),
            replayed: missed.unwrap_or(0),
            reason: reason.map(RecoveryReason::as_str),
            replay: None,
        };
        let frame =
            encode(ServerEvent::Subscribed, unanswered.request_id.as_deref(), clock::now(), &subscribed);
        let epoch = self.settings.epoch.as_str().into();
        if let Some(session) = self.sessions.get_mut(id) {
            session.tell(Outgoing::Subscribed { frame, epoch, recovered: missed.is_some() });
        }
    }

    /// A stretch of the past comes next.
    pub(super) fn answer_replay(&mut self, id: &SessionId, unanswered: &Unanswered, replay: ReplayShape) {
        let Some((_, scope)) = self.sessions.get(id).and_then(Session::scope) else { return };
        let subscribed = Subscribed {
            channels: &unanswered.channels,
            seq: self.stats.as_of.0,
            epoch: &self.settings.epoch,
            scope: scope.hash(),
            recovered: false,
            replayed: 0,
            reason: Some(RecoveryReason::Replay.as_str()),
            replay: Some(replay),
        };
        let answered = unanswered.request_id.as_deref();
        self.answer(id, encode(ServerEvent::Subscribed, answered, clock::now(), &subscribed));
    }

    /// Lets updates come as they are committed, unless older ones come first.
    fn go_live(&mut self, id: &SessionId) {
        if let Some(session) = self.sessions.get_mut(id)
            && matches!(session.flow, Flow::Off | Flow::Replayed)
        {
            session.flow = if session.follows_updates() { Flow::Live } else { Flow::Off };
        }
    }

    /// Stops the flow of a session for a later request; a first subscription that still waits for the disk is told so.
    pub(super) fn stop_flow(&mut self, id: &SessionId) {
        let before = self.sessions.get_mut(id).map(|session| std::mem::take(&mut session.flow));
        let Some(Flow::AwaitingDisk { answer: Some(unanswered), .. }) = before else { return };
        let message = "a later request came before it was known what was missed";
        let answered = unanswered.request_id.as_deref();
        self.answer(id, encode_error(answered, clock::now(), ErrorCode::BadRequest, message));
    }

    /// Answers a session, if it is still there.
    pub(super) fn answer(&mut self, id: &SessionId, frame: ByteString) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.notify(frame);
        }
    }
}

impl Handler<Unsubscribe> for UmblerHub {
    type Result = ();

    fn handle(&mut self, unsubscribe: Unsubscribe, _: &mut Self::Context) {
        let mut gone = self.sessions.unfollow(&unsubscribe.session, unsubscribe.channels.as_deref());
        if gone.iter().any(|channel| matches!(channel, Channel::Metrics(_))) {
            // Whoever follows again is told all again.
            self.boards.unfollow(&unsubscribe.session, &gone);
        }
        gone.extend(self.sessions.get(&unsubscribe.session).into_iter().flat_map(Session::replayed_channels));
        let unsubscribed = Unsubscribed { channels: gone.iter().map(ToString::to_string).collect() };
        if let Some(session) = self.sessions.get(&unsubscribe.session)
            && !session.follows_updates()
            && !session.flow.is_of_the_past()
        {
            self.stop_flow(&unsubscribe.session);
        }
        let id = unsubscribe.request_id.as_deref();
        self.answer(&unsubscribe.session, encode(ServerEvent::Unsubscribed, id, clock::now(), &unsubscribed));
        self.stop_replay(&unsubscribe.session);
    }
}
