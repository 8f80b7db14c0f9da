//! Sends changes of presence to followers of the channel.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytestring::ByteString;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::elsewhere::PresenceTold;
use super::presence::Presence;
use crate::cluster::telling::{Teller, Topic};
use crate::domain::{ChatId, Placement};
use crate::hub::messages::SessionId;
use crate::hub::sessions::{Session, Sessions};
use crate::journal::Recorded;
use crate::protocol::Channel;
use crate::protocol::event::{ServerEvent, encode};
use crate::telemetry::clock;

/// Tells the other hubs that the screens of this one come back elsewhere.
pub fn tell_leaving(teller: &Teller) {
    tell(teller, &PresenceTold { leaving: true, ..PresenceTold::default() });
}

fn tell(teller: &Teller, told: &PresenceTold) {
    match serde_json::to_vec(told) {
        Ok(text) => teller.tell(Topic::Presence, text),
        Err(error) => log::error!("presence cannot be told to other hubs: {error}"),
    }
}

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

    /// Tells the other hubs of changes if they are due. Returns when the next are.
    pub fn tell_changes(&mut self, teller: &Teller, now: Instant) -> Option<Instant> {
        if !self.has_untold() {
            return None;
        }
        self.telling.change();
        if !self.telling.take(now) {
            return self.telling.due_at(now);
        }
        if let Some(told) = self.told_changes() {
            tell(teller, &told);
        }
        None
    }

    /// Tells the other hubs of everybody: some of them may have missed a change, or may be new.
    pub fn tell_whole(&mut self, teller: &Teller) {
        tell(teller, &self.told_whole());
    }

    /// Sends everybody to a session that begins to follow presence.
    pub fn greet(&self, sessions: &mut Sessions, id: &SessionId) {
        let Some((_, scope)) = sessions.get(id).and_then(Session::scope) else { return };
        let frame = encode(ServerEvent::PresenceUpdate, None, clock::now(), &self.all(scope));
        sessions.answer(id, frame);
    }
}
