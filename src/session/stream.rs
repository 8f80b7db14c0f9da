//! The same session over an event stream, for networks that let no WebSocket through: one actor, and one
//! response body that only flows to the client. What a client would send on a socket is given in the query of
//! the request.
//!
//! # Contract
//!
//! 1. The envelopes are those of the socket, one in each `data:` line; an update's `id:` is `EPOCH:SEQ`.
//! 2. It begins with `connection_established`, `authenticated` where the hub has a key, and `subscribed`; then
//!    `umbler_data` unless the position was recovered.
//! 3. Where the hub ends it, it ends with `closed` `{code, reason}`, a code of the close table.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use bytestring::ByteString;
use serde::Serialize;
use tokio::sync::mpsc::Sender;
use utoipa::ToSchema;

use super::sign_in::Authenticated;
use super::stream_body::{StreamBody, StreamContent, StreamPiece};
use super::{SessionContext, new_session_id};
use crate::auth::{Identity, LEEWAY_SECONDS};
use crate::hub::sessions::backlog::{Backlog, MESSAGES_MAX};
use crate::hub::sessions::outbox::CLOSES_WAITING_MAX;
use crate::hub::{
    Admit, AdmitError, Connect, Deliver, Disconnected, Outbox, Outgoing, SendSnapshot, SessionId,
    SessionUser, Subscribe,
};
use crate::protocol::event::{Heartbeat, ServerEvent, encode, encode_error};
use crate::protocol::{CloseCode, ErrorCode, SnapshotLimits, SubscribeRequest};
use crate::telemetry::clock;

/// What a client asks for by opening a stream.
#[derive(Debug, Clone)]
pub struct StreamRequest {
    /// What to follow, and from which position on.
    pub subscribe: SubscribeRequest,
    /// Most items of each kind in a snapshot.
    pub limits: SnapshotLimits,
}

/// The actor of one stream.
pub struct StreamSession {
    id: SessionId,
    context: SessionContext,
    identity: Identity,
    request: StreamRequest,
    epoch: Option<Arc<str>>,
    backlog: Arc<Backlog>,
    body: Sender<StreamPiece>,
    sent: u64,
}

/// The content of a `closed` event.
#[derive(Serialize, ToSchema)]
pub struct Closed {
    /// One of the close codes.
    code: u16,
    /// The reason that belongs to the code.
    reason: &'static str,
}

/// Opens a stream: starts its actor and returns the body.
pub fn open(context: SessionContext, identity: Identity, request: StreamRequest) -> StreamBody {
    let (id, backlog) = (new_session_id(), Arc::<Backlog>::default());
    let hub = context.hub.clone().recipient();
    let (body, stream) = StreamBody::new(Arc::clone(&id), hub, Arc::clone(&backlog));
    StreamSession { id, context, identity, request, epoch: None, backlog, body, sent: 0 }.start();
    stream
}

impl Actor for StreamSession {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MESSAGES_MAX + CLOSES_WAITING_MAX);
        let connect = Connect {
            session: Arc::clone(&self.id),
            outbox: Outbox::Actor(ctx.address().recipient::<Deliver>()),
            backlog: Arc::clone(&self.backlog),
            address: self.context.address,
            who: Some(SessionUser::new(&self.identity)),
            auth_required: self.is_signed_in(),
        };
        if self.context.hub.try_send(connect).is_err() {
            return self.give_up(ctx);
        }
        // Before it subscribes, so that its channels count as its user's.
        if self.is_signed_in() {
            self.ask_to_be_admitted(ctx);
        } else {
            self.subscribe(ctx);
        }
        self.context.metrics.session_opened();
        self.await_expiry(ctx);
        let gone = self.body.clone();
        let reader_left = async move { gone.closed().await };
        ctx.spawn(reader_left.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        let told = self.context.hub.send(Disconnected { session: Arc::clone(&self.id) });
        actix_rt::spawn(async move {
            if told.await.is_err() {
                log::debug!("a stream ended after the hub");
            }
        });
    }
}

impl StreamSession {
    /// True where the hub has a key, so that the token was checked.
    fn is_signed_in(&self) -> bool {
        self.identity.expires_at.is_some()
    }

    fn subscribe(&mut self, ctx: &mut Context<Self>) {
        let request = self.request.subscribe.clone();
        let subscribe = Subscribe { session: Arc::clone(&self.id), request_id: None, request };
        if self.context.hub.try_send(subscribe).is_err() {
            self.give_up(ctx);
        }
    }

    fn give_up(&mut self, ctx: &mut Context<Self>) {
        log::warn!("the hub is too busy to accept stream {}", self.id);
        self.close(CloseCode::GoingAway, ctx);
    }

    /// Asks the hub, which knows the user's other sessions and who was revoked, whether the user may open this
    /// stream.
    fn ask_to_be_admitted(&self, ctx: &mut Context<Self>) {
        let admit = Admit { session: Arc::clone(&self.id), identity: Arc::new(self.identity.clone()) };
        let asked = self.context.hub.send(admit).into_actor(self);
        ctx.wait(asked.map(|answer, stream, ctx| match answer {
            // Where it has ended already, its close is on the way.
            Ok(Err(AdmitError::Unknown)) => {}
            Ok(Ok(_)) => {
                // Through its own mailbox: the greeting is there already, and the answer to the subscription
                // comes later.
                if ctx.address().try_send(Welcome).is_err() {
                    return stream.give_up(ctx);
                }
                stream.subscribe(ctx);
            }
            Ok(Err(AdmitError::Revoked)) => stream.close(CloseCode::Revoked, ctx),
            Ok(Err(AdmitError::TooManySessions | AdmitError::TooFast)) => stream.close(CloseCode::Limit, ctx),
            Err(_gone) => stream.close(CloseCode::GoingAway, ctx),
        }));
    }

    fn await_expiry(&self, ctx: &mut Context<Self>) {
        let Some(expires_at) = self.identity.expires_at else { return };
        let left =
            expires_at.as_second().saturating_sub(clock::now().as_second()).saturating_add(LEEWAY_SECONDS);
        ctx.run_later(Duration::from_secs(u64::try_from(left).unwrap_or(0)), |stream, ctx| {
            let message = "the token has expired";
            stream.write(encode_error(None, clock::now(), ErrorCode::TokenExpired, message), None);
            stream.close(CloseCode::TokenExpired, ctx);
        });
    }

    fn close(&mut self, code: CloseCode, ctx: &mut Context<Self>) {
        self.context.metrics.session_closed(code.number());
        let closed = Closed { code: code.number(), reason: code.reason() };
        self.write(encode(ServerEvent::Closed, None, clock::now(), &closed), None);
        ctx.stop();
    }

    fn write(&self, frame: ByteString, weight: Option<usize>) {
        self.push(StreamContent::Envelope(frame), weight);
    }

    fn push(&self, content: StreamContent, weight: Option<usize>) {
        // The backlog keeps what the hub queues below the channel's capacity. A reader who left needs nothing.
        if let Err(error) = self.body.try_send(StreamPiece { content, weight }) {
            log::debug!("a stream accepts no frames: {error}");
        }
    }
}

/// Tells the stream that the hub has admitted its user.
#[derive(Message)]
#[rtype(result = "()")]
struct Welcome;

impl Handler<Welcome> for StreamSession {
    type Result = ();

    fn handle(&mut self, _: Welcome, _: &mut Self::Context) {
        let authenticated = Authenticated::of(&self.identity);
        self.write(encode(ServerEvent::Authenticated, None, clock::now(), &authenticated), None);
    }
}

impl Handler<Deliver> for StreamSession {
    type Result = ();

    fn handle(&mut self, deliver: Deliver, ctx: &mut Self::Context) {
        let weight = Some(deliver.bytes);
        match deliver.frames {
            Outgoing::Updates(batch) => {
                self.sent += batch.frames().len() as u64;
                self.push(StreamContent::Updates(batch, self.epoch.clone()), weight);
            }
            Outgoing::Notice(frame) => self.write(frame, weight),
            Outgoing::Subscribed { frame, epoch, recovered } => {
                self.epoch = Some(epoch);
                self.write(frame, weight);
                if !recovered {
                    self.ask_for_snapshot(ctx);
                }
            }
            Outgoing::Heartbeat(seq) => {
                let heartbeat = Heartbeat { seq, sent: self.sent };
                self.write(encode(ServerEvent::Heartbeat, None, clock::now(), &heartbeat), weight);
            }
            Outgoing::Close(code) => self.close(code, ctx),
        }
    }
}

impl StreamSession {
    fn ask_for_snapshot(&mut self, ctx: &mut Context<Self>) {
        let ask =
            SendSnapshot { session: Arc::clone(&self.id), request_id: None, limits: self.request.limits };
        if self.context.hub.try_send(ask).is_err() {
            self.close(CloseCode::GoingAway, ctx);
        }
    }
}
