//! What a client sends is bounded and parsed here, and then refused with a code or passed on to the hub.

use std::num::NonZeroU32;
use std::sync::Arc;

use actix::prelude::*;
use actix_http::ws::Item;
use actix_web_actors::ws;
use bytes::BytesMut;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde::Serialize;
use serde_json::value::RawValue;

use super::WsSession;
use super::frame_guard::FRAME_BYTES_MAX;
use super::noting::Shown;
use crate::hub::sessions::users::FRAMES_PER_USER_PER_SECOND;
use crate::hub::{SendSnapshot, SetPresence, Subscribe, UmblerHub, Unsubscribe};
use crate::protocol::event::{ServerEvent, encode, encode_error};
use crate::protocol::{ClientEvent, CloseCode, Envelope, EnvelopeError, ErrorCode, Request};
use crate::telemetry::clock;

/// Frames that one session may send in a second, on average.
pub const FRAMES_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// Frames that one session may send at once.
pub const FRAMES_BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// Refused frames in a row after which the socket is closed.
pub const REFUSALS_MAX: u32 = 50;
/// This many temporary refusals weigh as much as one refusal of another kind.
const TEMPORARY_REFUSALS_PER_REFUSAL: u32 = 20;

/// What is remembered of the frames that one session has sent.
pub struct Incoming {
    limiter: DefaultDirectRateLimiter,
    /// The weight of refused frames since the last good one.
    refusals: u32,
    /// The message of which the last frame has not come yet.
    unfinished: Option<Unfinished>,
}

/// What is kept of a message that comes in several frames.
enum Unfinished {
    /// A text message, and what has come of it.
    Text(BytesMut),
    /// A binary message. Nothing is kept; it is refused when it ends.
    Binary,
    /// A message that was already refused because its frames came too fast. Nothing is kept.
    Refused,
}

impl Default for Incoming {
    fn default() -> Self {
        Self {
            limiter: RateLimiter::direct(Quota::per_second(FRAMES_PER_SECOND).allow_burst(FRAMES_BURST)),
            refusals: 0,
            unfinished: None,
        }
    }
}

/// The content of an answer without content.
#[derive(Serialize)]
struct Nothing {}

impl WsSession {
    /// Handles one frame. Frames of every kind count towards the limits, because a flood of pings costs as much
    /// as one of requests.
    pub(super) fn take(&mut self, message: ws::Message, ctx: &mut ws::WebsocketContext<Self>) {
        let is_counted = !matches!(message, ws::Message::Close(_) | ws::Message::Nop);
        if is_counted && self.is_too_fast(ctx) {
            return self.skip(&message);
        }
        match message {
            ws::Message::Text(text) => self.hear(&text, ctx),
            ws::Message::Continuation(item) => self.gather(item, ctx),
            ws::Message::Binary(_) => self.refuse_binary(ctx),
            ws::Message::Ping(bytes) => ctx.pong(&bytes),
            ws::Message::Close(reason) => {
                ctx.close(reason);
                self.end(ctx);
            }
            ws::Message::Pong(_) | ws::Message::Nop => {}
        }
    }

    /// Joins the frames of one message. The frame guard has bounded their sum.
    fn gather(&mut self, item: Item, ctx: &mut ws::WebsocketContext<Self>) {
        match item {
            Item::FirstText(bytes) => {
                self.incoming.unfinished = Some(Unfinished::Text(BytesMut::from(&bytes[..])));
            }
            Item::FirstBinary(_) => self.incoming.unfinished = Some(Unfinished::Binary),
            Item::Continue(bytes) => {
                if let Some(Unfinished::Text(fragments)) = &mut self.incoming.unfinished {
                    debug_assert!(
                        fragments.len() + bytes.len() <= FRAME_BYTES_MAX,
                        "the frame guard bounds the sum"
                    );
                    fragments.extend_from_slice(&bytes);
                }
            }
            Item::Last(bytes) => {
                let mut fragments = match self.incoming.unfinished.take() {
                    Some(Unfinished::Text(fragments)) => fragments,
                    Some(Unfinished::Binary) => return self.refuse_binary(ctx),
                    Some(Unfinished::Refused) | None => return,
                };
                fragments.extend_from_slice(&bytes);
                match std::str::from_utf8(&fragments) {
                    Ok(text) => self.hear(text, ctx),
                    Err(_not_utf8) => {
                        ctx.close(Some(ws::CloseCode::Invalid.into()));
                        ctx.stop();
                    }
                }
            }
        }
    }

    /// Counts a frame. True where it was one too many; the client has then been told.
    fn is_too_fast(&mut self, ctx: &mut ws::WebsocketContext<Self>) -> bool {
        let message = if self.incoming.limiter.check().is_err() {
            format!("at most {FRAMES_PER_SECOND} frames a second")
        } else if self.sign_in.is_user_too_fast() {
            format!("at most {FRAMES_PER_USER_PER_SECOND} frames a second over all sessions of a user")
        } else {
            return false;
        };
        self.refuse(ErrorCode::TooManyRequests, &message, None, ctx);
        true
    }

    /// Skips a frame, and with it the message that it belongs to.
    fn skip(&mut self, message: &ws::Message) {
        if let ws::Message::Continuation(item) = message {
            let is_last = matches!(item, Item::Last(_));
            self.incoming.unfinished = (!is_last).then_some(Unfinished::Refused);
        }
    }

    fn refuse_binary(&mut self, ctx: &mut ws::WebsocketContext<Self>) {
        self.refuse(ErrorCode::BadEnvelope, "frames must be text", None, ctx);
    }

    fn hear(&mut self, text: &str, ctx: &mut ws::WebsocketContext<Self>) {
        match Envelope::parse(text) {
            Err(error) => self.refuse(error.code, &error.message, None, ctx),
            Ok(Envelope { id, event, request: Err(error) }) => self.refuse_request(event, &error, id, ctx),
            Ok(Envelope { id, request: Ok(request), .. }) => self.serve(request, id, ctx),
        }
    }

    fn refuse_request(
        &mut self,
        event: Option<ClientEvent>,
        error: &EnvelopeError,
        id: Option<&RawValue>,
        ctx: &mut ws::WebsocketContext<Self>,
    ) {
        if event == Some(ClientEvent::Authenticate) && !self.sign_in.is_required() {
            // Without a key everybody is signed in, whatever token they send.
            return self.authenticate("", id, ctx);
        }
        let is_envelope = error.code != ErrorCode::BadEnvelope;
        if is_envelope && event != Some(ClientEvent::Authenticate) && !self.sign_in.is_done() {
            return self.refuse(ErrorCode::Unauthorized, "authenticate first", id, ctx);
        }
        self.refuse(error.code, &error.message, id, ctx);
    }

    fn serve(&mut self, request: Request, id: Option<&RawValue>, ctx: &mut ws::WebsocketContext<Self>) {
        match request {
            Request::Ping => {
                self.incoming.refusals = 0;
                self.say(encode(ServerEvent::Pong, id, clock::now(), &Nothing {}), ctx);
            }
            Request::Authenticate { token } => self.authenticate(&token, id, ctx),
            _ if !self.sign_in.is_done() => {
                self.refuse(ErrorCode::Unauthorized, "authenticate first", id, ctx);
            }
            Request::Subscribe(request) => {
                if let Some(channel) = self.sign_in.forbidden(&request.channels) {
                    let message = format!("the token does not allow {channel}");
                    return self.refuse(ErrorCode::Forbidden, &message, id, ctx);
                }
                self.note(ClientEvent::SubscribeUpdates, |shown| shown.channels(&request.channels));
                let session = Arc::clone(&self.id);
                self.ask(Subscribe { session, request_id: id.map(ToOwned::to_owned), request }, id, ctx);
            }
            Request::Unsubscribe { channels } => {
                let session = Arc::clone(&self.id);
                self.ask(Unsubscribe { session, request_id: id.map(ToOwned::to_owned), channels }, id, ctx);
            }
            Request::SetPresence { chat } => {
                let session = Arc::clone(&self.id);
                self.ask(SetPresence { session, request_id: id.map(ToOwned::to_owned), chat }, id, ctx);
            }
            Request::Snapshot(limits) => {
                self.note(ClientEvent::RequestUmblerData, |shown| shown.snapshot(limits));
                let session = Arc::clone(&self.id);
                self.ask(SendSnapshot { session, request_id: id.map(ToOwned::to_owned), limits }, id, ctx);
            }
        }
    }

    /// Notes for the log of reads what this user is about to be shown.
    fn note(&self, event: ClientEvent, note: impl FnOnce(Shown<'_>)) {
        let Some(identity) = self.sign_in.identity() else { return };
        note(Shown { log: &self.context.read_log, identity, route: &format!("/ws {}", event.as_str()) });
    }

    /// Passes a request on to the hub. The answer comes through the outbox, in order with the updates.
    fn ask<M>(&mut self, message: M, id: Option<&RawValue>, ctx: &mut ws::WebsocketContext<Self>)
    where
        M: Message<Result = ()> + Send + 'static,
        UmblerHub: Handler<M>,
    {
        self.incoming.refusals = 0;
        if self.context.hub.try_send(message).is_err() {
            self.refuse(ErrorCode::Unavailable, "the hub is busy", id, ctx);
        }
    }

    /// Answers with an `error`, and closes the socket of a client that is refused too often.
    pub(super) fn refuse(
        &mut self,
        code: ErrorCode,
        message: &str,
        id: Option<&RawValue>,
        ctx: &mut ws::WebsocketContext<Self>,
    ) {
        self.context.metrics.frame_refused(code.as_str());
        self.say(encode_error(id, clock::now(), code, message), ctx);
        // A client that is only too fast may be refused more often than one that sends nonsense.
        self.incoming.refusals += if code.is_temporary() { 1 } else { TEMPORARY_REFUSALS_PER_REFUSAL };
        if self.incoming.refusals >= REFUSALS_MAX * TEMPORARY_REFUSALS_PER_REFUSAL {
            self.close(CloseCode::ProtocolAbuse, ctx);
        }
    }
}
