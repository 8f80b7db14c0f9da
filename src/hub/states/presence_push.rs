//! Sends changes of presence to followers of the channel.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytestring::ByteString;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::presence::Presence;
use crate::domain::{ChatId, Placement};
use crate::hub::messages::SessionId;
use crate::hub::sessions::{Session, Sessions};
use crate::journal::Recorded;
use crate::protocol::Channel;
use crate::protocol::event::{ServerEvent, encode};
use crate::telemetry::clock;

/// The content of `presence_set`.
#[derive(Serialize, ToSchema)]
pub struct PresenceSet<'a> {
    /// The chat that is open; `null` if none is.
    #[schema(value_type = Option<String>)]
    chat: Option<&'a ChatId>,
}

impl Presence {
    /// Notes which chat is open on a session's screen, and answers its request.
    pub fn set_view(
        &mut self,
        sessions: &mut Sessions,
        id: &SessionId,
        request_id: Option<&RawValue>,
        view: Option<(ChatId, Placement)>,
    ) {
        let Some(who) = sessions.get(id).and_then(|session| session.who().cloned()) else { return };
        let set = PresenceSet { chat: view.as_ref().map(|(chat, _)| chat) };
        let frame = encode(ServerEvent::PresenceSet, request_id, clock::now(), &set);
        self.view(id, &who.user, view);
        sessions.answer(id, frame);
    }

    /// Takes note of open chats that may have moved.
    pub fn follow_chats(&mut self, events: &[Arc<Recorded>]) {
        for audience in events.iter().filter_map(|event| event.audience.as_ref()) {
            if let (Some(chat), Some(place)) = (&audience.chat, &audience.after) {
                self.moved(chat, place);
            }
        }
    }

    /// Sends changes if they are due. Returns when the next are.
    pub fn flush(&mut self, sessions: &mut Sessions, now: Instant) -> Option<Instant> {
        if !self.has_changed() {
            return None;
        }
        if sessions.nobody_follows(&Channel::Presence) {
            // Who follows later is first sent everybody.
            drop(self.take_changed());
            return None;
        }
        self.throttle.change();
        if !self.throttle.take(now) {
            return self.throttle.due_at(now);
        }
        let changed = self.take_changed();
        let mut frames: HashMap<usize, ByteString> = HashMap::new();
        for id in sessions.followers(&Channel::Presence) {
            let Some(session) = sessions.get_mut(&id) else { continue };
            let Some((slot, scope)) = session.scope() else { continue };
            let frame = frames.entry(slot).or_insert_with(|| {
                let data = self.of(&changed, scope);
                encode(ServerEvent::PresenceUpdate, None, clock::now(), &data)
            });
            session.notify(frame.clone());
        }
        None
    }

    /// Sends everybody to a session that begins to follow presence.
    pub fn greet(&self, sessions: &mut Sessions, id: &SessionId) {
        let Some((_, scope)) = sessions.get(id).and_then(Session::scope) else { return };
        let frame = encode(ServerEvent::PresenceUpdate, None, clock::now(), &self.all(scope));
        sessions.answer(id, frame);
    }
}
