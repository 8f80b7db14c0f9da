//! One socket, one actor: frames in become typed requests to the hub. What the hub sends goes out on the socket's line
//! (docs/decisions/0008-lines.md); the actor writes answers of its own, pings and closes.
//!
//! `actix-web-actors` is used here and nowhere else (docs/decisions/0001-actix-web-actors.md).
//!
//! # Contract
//!
//! 1. Nothing that a client sends makes the session panic: it is answered with an `error` or a close code.
//! 2. A frame above [`FRAME_BYTES_MAX`](frame_guard::FRAME_BYTES_MAX) is refused before it is buffered.
//! 3. Where sign-in is required, nothing but `authenticate` and `ping` is served before it.
//! 4. The session never waits for its own peer, and for the hub only with the answer to a token.

pub mod frame_guard;
pub mod sign_in;
pub mod incoming;
pub mod outgoing;
pub mod line;
pub mod wire;
pub mod switchboard;
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
use crate::hub::{Connect, Disconnected, LineId, SessionId, UmblerHub};
use crate::protocol::{CloseCode, HEARTBEAT_SECONDS};
use crate::telemetry::metrics::Metrics;
use frame_guard::{FRAME_BYTES_MAX, FrameGuard};
use incoming::Incoming;
use line::{Line, Owner};
use sign_in::SignIn;
use slices::Slices;
use switchboard::Lines;

/// A peer that sent nothing for this long, not even a pong, is gone. A live one is pinged every [`HEARTBEAT_SECONDS`], so
/// this leaves a pong ten seconds on the slowest line.
pub const SILENCE_MAX: Duration = Duration::from_secs(HEARTBEAT_SECONDS + 10);

/// How long a peer that is told the end may take to answer with its own close frame.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// What a session needs from its surroundings.
#[derive(Clone)]
pub struct SessionSeat {
    /// The hub.
    pub hub: Addr<UmblerHub>,
    /// Checks tokens; `None` where no key is set and everybody is admin.
    pub authenticator: Option<Arc<Authenticator>>,
    /// The client's address.
    pub address: IpAddr,
    /// Where refusals and closes are counted.
    pub metrics: Metrics,
}

/// One socket.
pub struct WsSession {
    id: SessionId,
    seat: SessionSeat,
    backlog: Arc<Backlog>,
    sign_in: SignIn,
    incoming: Incoming,
    /// What the hub sends goes out here.
    line: Rc<Line>,
    lines: Rc<Lines>,
    line_id: Option<LineId>,
    last_heard: Instant,
    /// Set by the frame guard when it ended the stream.
    too_large: Arc<AtomicBool>,
    /// Its close frame is written, or about to be: nothing may follow it.
    closing: bool,
}

/// Opens the socket: answers the handshake and starts the actor.
pub fn open(request: &HttpRequest, payload: web::Payload, seat: SessionSeat) -> Result<HttpResponse, Error> {
    let (Some(line), Some(lines)) = (request.conn_data::<Rc<Line>>(), request.app_data::<Rc<Lines>>()) else {
        log::error!("a socket has no line to the hub");
        return Ok(HttpResponse::InternalServerError().finish());
    };
    let (line, lines) = (Rc::clone(line), Rc::clone(lines));
    let too_large = Arc::new(AtomicBool::new(false));
    let guarded = FrameGuard::new(payload, Arc::clone(&too_large));
    let session = WsSession {
        id: new_session_id(),
        sign_in: SignIn::new(seat.authenticator.clone()),
        seat,
        backlog: Arc::default(),
        incoming: Incoming::default(),
        line: Rc::clone(&line),
        lines,
        line_id: None,
        last_heard: Instant::now(),
        too_large,
        closing: false,
    };
    let response =
        ws::WsResponseBuilder::new(session, request, guarded).frame_size(FRAME_BYTES_MAX).start()?;
    Ok(response.map_body(|_, body| BoxBody::new(Slices::of(body, line))))
}

/// An id that nobody guesses.
fn new_session_id() -> SessionId {
    URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 16]>()).into()
}

/// How much longer a peer that is silent for so long is waited for; `None` where it is gone.
fn patience_left(silent: Duration) -> Option<Duration> {
    SILENCE_MAX.checked_sub(silent).filter(|left| !left.is_zero())
}

impl WsSession {
    /// Ends the socket with a code of the table. The connection ends when the peer has answered with its own close frame
    /// (RFC 6455, 7.1.1), and soon without.
    fn close(&mut self, code: CloseCode, ctx: &mut ws::WebsocketContext<Self>) {
        if std::mem::replace(&mut self.closing, true) {
            return;
        }
        // What was sent before comes before.
        self.line.write_out();
        self.seat.metrics.session_closed(code.number());
        ctx.close(Some(ws::CloseReason {
            code: ws::CloseCode::from(code.number()),
            description: Some(code.reason().to_owned()),
        }));
        self.leave();
        ctx.run_later(CLOSE_WAIT, Self::end);
    }

    /// Both have said that it is over: once this end's word is written out, nobody waits any longer.
    fn end(&mut self, ctx: &mut ws::WebsocketContext<Self>) {
        self.line.finish();
        ctx.stop();
    }

    /// Says something, unless the close frame went before it.
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

    /// The hub sends nothing more, and counts the session no longer.
    fn leave(&mut self) {
        let Some(id) = self.line_id.take() else { return };
        self.line.end();
        self.lines.remove(id);
        let gone = Disconnected { session: Arc::clone(&self.id) };
        // Must arrive, or the hub would count a ghost: sent by a future that waits for room.
        let told = self.seat.hub.send(gone);
        actix_rt::spawn(async move {
            if told.await.is_err() {
                log::debug!("a session ended after the hub");
            }
        });
    }

    /// Ends the session when its peer has been silent for too long. It looks again when that may be so for the first time,
    /// not in fixed steps: a dead peer would be noticed up to one step too late.
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
        let (line_id, outbox) = self.lines.add(Rc::clone(&self.line), &self.seat.metrics);
        self.line_id = Some(line_id);
        self.line.begin(Owner {
            id: Arc::clone(&self.id),
            hub: self.seat.hub.clone(),
            backlog: Arc::clone(&self.backlog),
            actor: ctx.address().recipient(),
        });
        let connect = Connect {
            session: Arc::clone(&self.id),
            outbox,
            backlog: Arc::clone(&self.backlog),
            address: self.seat.address,
            who: self.sign_in.who(),
            auth_required: self.sign_in.who().is_none(),
        };
        if self.seat.hub.try_send(connect).is_err() {
            log::warn!("the hub is too busy to take in session {}", self.id);
            return self.close(CloseCode::GoingAway, ctx);
        }
        self.seat.metrics.session_opened();
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
            // Written before the peer knew.
            Ok(_) if self.closing => {}
            Ok(message) => self.take(message, ctx),
            Err(_) if self.closing => ctx.stop(),
            Err(error) => {
                log::debug!("session {} broke the protocol: {error}", self.id);
                self.seat.metrics.frame_refused("protocol_error");
                ctx.close(Some(violation::close_code(&error).into()));
                ctx.stop();
            }
        }
    }

    fn finished(&mut self, ctx: &mut Self::Context) {
        if self.too_large.load(Ordering::Acquire) {
            self.seat.metrics.frame_refused("too_large");
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
