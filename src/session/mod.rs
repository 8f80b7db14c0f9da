//! One actor per socket: frames become typed requests to the hub. What the hub sends goes out on the socket's
//! own queue (docs/decisions/0008-lines.md); the actor itself writes answers, pings and closes.
//!
//! `actix-web-actors` is used in this room only (docs/decisions/0001-actix-web-actors.md).
//!
//! # Contract
//!
//! 1. Nothing that a client sends makes the session panic: it is answered with an `error` or a close code.
//! 2. A frame larger than [`FRAME_BYTES_MAX`] is refused before it is buffered.
//! 3. Where sign-in is required, only `authenticate` and `ping` are served before it.
//! 4. The session never waits for its own peer. It waits for the hub only where a token is to be answered.

pub mod frame_guard;
pub mod sign_in;
pub mod incoming;
pub mod outgoing;
pub mod socket_queue;
pub mod wire;
pub mod worker_fan_out;
pub mod noting;
pub mod stream_body;
pub mod stream;
pub mod slices;
mod violation;

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actix::prelude::*;
use actix_web::body::BoxBody;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use actix_web_actors::ws;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytestring::ByteString;
use rand::RngExt;

use crate::auth::Authenticator;
use crate::hub::sessions::backlog::Backlog;
use crate::hub::{Connect, Disconnected, SessionId, SlotId, UmblerHub};
use crate::protocol::{CloseCode, HEARTBEAT_SECONDS};
use crate::reads::ReadLog;
use crate::telemetry::metrics::Metrics;
use frame_guard::{FRAME_BYTES_MAX, FrameGuard};
use incoming::Incoming;
use sign_in::SignIn;
use slices::Slices;
use socket_queue::{Owner, SocketQueue};
use worker_fan_out::WorkerSockets;

/// A peer that sent nothing for this long, not even a pong, is gone. A live one is pinged every
/// [`HEARTBEAT_SECONDS`], so on the slowest connection a pong has ten seconds.
pub const SILENCE_MAX: Duration = Duration::from_secs(HEARTBEAT_SECONDS + 10);

/// How long a peer may take to answer the hub's close frame with its own.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// What a session is given when it is opened.
#[derive(Clone)]
pub struct SessionContext {
    pub hub: Addr<UmblerHub>,
    /// Checks tokens; `None` where no key is set and everybody is admin.
    pub authenticator: Option<Arc<Authenticator>>,
    pub address: IpAddr,
    pub metrics: Metrics,
    /// Notes who is shown what.
    pub read_log: ReadLog,
}

/// The actor of one socket.
pub struct WsSession {
    id: SessionId,
    context: SessionContext,
    backlog: Arc<Backlog>,
    sign_in: SignIn,
    incoming: Incoming,
    /// The way out for what the hub sends.
    queue: Rc<SocketQueue>,
    sockets: Rc<WorkerSockets>,
    socket_id: Option<SlotId>,
    last_heard: Instant,
    /// Set by the frame guard when it ended the stream.
    too_large: Arc<AtomicBool>,
    /// True once its close frame is written, or about to be: nothing may follow it.
    closing: bool,
}

/// Opens the socket: answers the handshake and starts the actor.
pub fn open(
    request: &HttpRequest,
    payload: web::Payload,
    context: SessionContext,
) -> Result<HttpResponse, Error> {
    let (Some(queue), Some(sockets)) =
        (request.conn_data::<Rc<SocketQueue>>(), request.app_data::<Rc<WorkerSockets>>())
    else {
        log::error!("a socket was accepted without an output for the hub");
        return Ok(HttpResponse::InternalServerError().finish());
    };
    let (queue, sockets) = (Rc::clone(queue), Rc::clone(sockets));
    let too_large = Arc::new(AtomicBool::new(false));
    let guarded = FrameGuard::new(payload, Arc::clone(&too_large));
    let session = WsSession {
        id: new_session_id(),
        sign_in: SignIn::new(context.authenticator.clone()),
        context,
        backlog: Arc::default(),
        incoming: Incoming::default(),
        queue: Rc::clone(&queue),
        sockets,
        socket_id: None,
        last_heard: Instant::now(),
        too_large,
        closing: false,
    };
    let response =
        ws::WsResponseBuilder::new(session, request, guarded).frame_size(FRAME_BYTES_MAX).start()?;
    Ok(response.map_body(|_, body| BoxBody::new(Slices::of(body, queue))))
}

/// An id that nobody can guess.
fn new_session_id() -> SessionId {
    URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 16]>()).into()
}

/// How much longer to wait for a peer that has been silent for `silent`; `None` where it counts as gone.
fn patience_left(silent: Duration) -> Option<Duration> {
    SILENCE_MAX.checked_sub(silent).filter(|left| !left.is_zero())
}

impl WsSession {
    /// Closes the socket with a code of the table. The connection ends when the peer has answered with its own
    /// close frame (RFC 6455, section 7.1.1), or soon after without one.
    fn close(&mut self, code: CloseCode, ctx: &mut ws::WebsocketContext<Self>) {
        if std::mem::replace(&mut self.closing, true) {
            return;
        }
        // What the hub sent before must go out before the close frame.
        self.queue.write_out();
        self.context.metrics.session_closed(code.number());
        ctx.close(Some(ws::CloseReason {
            code: ws::CloseCode::from(code.number()),
            description: Some(code.reason().to_owned()),
        }));
        self.leave();
        ctx.run_later(CLOSE_WAIT, Self::end);
    }

    /// Both sides have closed: once the output is written, the connection ends.
    fn end(&mut self, ctx: &mut ws::WebsocketContext<Self>) {
        self.queue.finish();
        ctx.stop();
    }

    /// Sends a text, unless the close frame was sent already.
    fn say(&self, text: ByteString, ctx: &mut ws::WebsocketContext<Self>) {
        if !self.closing {
            ctx.text(text);
        }
    }

    fn ping(&mut self, ctx: &mut ws::WebsocketContext<Self>) {
        if !self.closing {
            ctx.ping(b"");
        }
    }

    /// Takes the session off the hub, which sends nothing more to it and no longer counts it.
    fn leave(&mut self) {
        let Some(id) = self.socket_id.take() else { return };
        self.queue.end();
        self.sockets.remove(id);
        let gone = Disconnected { session: Arc::clone(&self.id) };
        // This must arrive, or the hub would count a session that is gone, so it is sent by a future that waits
        // for room.
        let told = self.context.hub.send(gone);
        actix_rt::spawn(async move {
            if told.await.is_err() {
                log::debug!("a session ended after the hub");
            }
        });
    }

    /// Ends the session when its peer has been silent for too long. It looks again at the earliest time when
    /// that may be so. In fixed steps, a dead peer would be noticed up to one step too late.
    fn watch_silence(&mut self, ctx: &mut ws::WebsocketContext<Self>) {
        if let Some(left) = patience_left(self.last_heard.elapsed()) {
            ctx.run_later(left, Self::watch_silence);
        } else {
            log::debug!("session {} has fallen silent", self.id);
            ctx.stop();
        }
    }
}

impl Actor for WsSession {
    type Context = ws::WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (socket_id, outbox) = self.sockets.add(Rc::clone(&self.queue), &self.context.metrics);
        self.socket_id = Some(socket_id);
        self.queue.begin(Owner {
            id: Arc::clone(&self.id),
            hub: self.context.hub.clone(),
            backlog: Arc::clone(&self.backlog),
            actor: ctx.address().recipient(),
        });
        let connect = Connect {
            session: Arc::clone(&self.id),
            outbox,
            backlog: Arc::clone(&self.backlog),
            address: self.context.address,
            who: self.sign_in.who(),
            auth_required: self.sign_in.who().is_none(),
        };
        if self.context.hub.try_send(connect).is_err() {
            log::warn!("the hub is too busy to accept session {}", self.id);
            return self.close(CloseCode::GoingAway, ctx);
        }
        self.context.metrics.session_opened();
        ctx.run_interval(Duration::from_secs(HEARTBEAT_SECONDS), Self::ping);
        self.watch_silence(ctx);
        self.await_sign_in(ctx);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.leave();
    }
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for WsSession {
    fn handle(&mut self, item: Result<ws::Message, ws::ProtocolError>, ctx: &mut Self::Context) {
        self.last_heard = Instant::now();
        match item {
            Ok(ws::Message::Close(_)) if self.closing => self.end(ctx),
            // Written before the peer knew of the close.
            Ok(_) if self.closing => {}
            Ok(message) => self.take(message, ctx),
            Err(_) if self.closing => ctx.stop(),
            Err(error) => {
                log::debug!("session {} broke the protocol: {error}", self.id);
                self.context.metrics.frame_refused("protocol_error");
                ctx.close(Some(violation::close_code(&error).into()));
                ctx.stop();
            }
        }
    }

    fn finished(&mut self, ctx: &mut Self::Context) {
        if self.too_large.load(Ordering::Acquire) {
            self.context.metrics.frame_refused("too_large");
            self.close(CloseCode::TooLarge, ctx);
        }
        ctx.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_waited_for_until_35_seconds_of_silence_and_no_longer() {
        let seconds = Duration::from_secs;
        assert_eq!(patience_left(seconds(0)), Some(seconds(35)));
        assert_eq!(patience_left(seconds(25)), Some(seconds(10)), "its pong may be on the way");
        assert_eq!(patience_left(Duration::from_millis(34_999)), Some(Duration::from_millis(1)));
        assert_eq!(patience_left(seconds(35)), None);
        assert_eq!(patience_left(seconds(76)), None);
    }
}
