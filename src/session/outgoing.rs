//! What the hub delivers: written to the socket as it comes, in one go per commit.

use std::sync::Arc;

use actix::prelude::*;

use super::WsSession;
use crate::hub::{Deliver, Drained, Outgoing};
use crate::protocol::event::{Heartbeat, ServerEvent, encode};
use crate::telemetry::clock;

impl Handler<Deliver> for WsSession {
    type Result = ();

    fn handle(&mut self, deliver: Deliver, ctx: &mut Self::Context) {
        match deliver.frames {
            Outgoing::Updates(frames) => {
                self.sent += frames.len() as u64;
                for frame in frames.iter() {
                    ctx.text(frame.clone());
                }
            }
            Outgoing::Notice(frame) | Outgoing::Subscribed { frame, .. } => ctx.text(frame),
            Outgoing::Heartbeat(seq) => {
                let heartbeat = Heartbeat { seq, sent: self.sent };
                ctx.text(encode(ServerEvent::Heartbeat, None, clock::now(), &heartbeat));
            }
            // Not counted in the backlog: a close reaches a session that is full.
            Outgoing::Close(code) => return self.close(code, ctx),
        }
        if self.backlog.subtract(deliver.bytes) {
            let drained = Drained { session: Arc::clone(&self.id) };
            if self.seat.hub.try_send(drained).is_err() {
                // The hub looks for such sessions once a second.
                log::debug!("the hub is too busy to hear that session {} has read all", self.id);
            }
        }
    }
}
