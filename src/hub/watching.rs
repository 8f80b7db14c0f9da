//! Tells followers of `presence` who comes, goes and looks at what.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use bytestring::ByteString;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::UmblerHub;
use super::messages::{SessionId, SetPresence};
use crate::archive::{ArchiveError, Ask, GetPlacement};
use crate::domain::ChatId;
use crate::journal::Recorded;
use crate::protocol::event::{ServerEvent, encode, encode_error};
use crate::protocol::{Channel, ErrorCode};
use crate::telemetry::clock;

/// Changes of presence are sent at most this often.
const PRESENCE_INTERVAL: Duration = Duration::from_millis(250);

/// The content of `presence_set`.
#[derive(Serialize, ToSchema)]
pub struct PresenceSet<'a> {
    /// The chat in view; `null`: none.
    #[schema(value_type = Option<String>)]
    chat: Option<&'a ChatId>,
}

impl Handler<SetPresence> for UmblerHub {
    type Result = ();

    fn handle(&mut self, ask: SetPresence, ctx: &mut Self::Context) {
        let SetPresence { session: id, request_id, chat } = ask;
        let Some((_, scope)) = self.sessions.get(&id).and_then(|session| session.scope()) else { return };
        let Some(chat) = chat else { return self.set_view(&id, request_id.as_deref(), None, ctx) };
        let placement = self.archive.send(Ask(GetPlacement { chat: chat.clone(), scope: Arc::clone(scope) }));
        self.presence.begin_lookup();
        let answered = placement.into_actor(self).map(move |found, hub, ctx| {
            let chat = ChatId::from(chat);
            let moved = hub.presence.end_lookup(&chat);
            match found.unwrap_or(Err(ArchiveError::Busy)) {
                Ok(Some(place)) => {
                    let view = Some((chat, moved.unwrap_or(place)));
                    hub.set_view(&id, request_id.as_deref(), view, ctx);
                }
                Ok(None) => {
                    let message = "data.chat names no chat that this token sees";
                    hub.refuse_view(&id, request_id.as_deref(), ErrorCode::BadRequest, message);
                }
                Err(_) => {
                    let message = "the chat cannot be looked up now";
                    hub.refuse_view(&id, request_id.as_deref(), ErrorCode::Unavailable, message);
                }
            }
        });
        ctx.spawn(answered);
    }
}

impl UmblerHub {
    fn set_view(
        &mut self,
        id: &SessionId,
        request_id: Option<&RawValue>,
        view: Option<(ChatId, crate::domain::Placement)>,
        ctx: &mut Context<Self>,
    ) {
        let Some(who) = self.sessions.get(id).and_then(|session| session.who().cloned()) else { return };
        let set = PresenceSet { chat: view.as_ref().map(|(chat, _)| chat) };
        let frame = encode(ServerEvent::PresenceSet, request_id, clock::now(), &set);
        self.presence.view(id, &who.user, view);
        self.answer(id, frame);
        self.note_presence(ctx);
    }

    fn refuse_view(&mut self, id: &SessionId, request_id: Option<&RawValue>, code: ErrorCode, message: &str) {
        self.answer(id, encode_error(request_id, clock::now(), code, message));
    }

    /// Chats that somebody looks at may have moved.
    pub(super) fn follow_viewed_chats(&mut self, events: &[Arc<Recorded>], ctx: &mut Context<Self>) {
        for audience in events.iter().filter_map(|event| event.audience.as_ref()) {
            if let (Some(chat), Some(place)) = (&audience.chat, &audience.after) {
                self.presence.moved(chat, place);
            }
        }
        self.note_presence(ctx);
    }

    /// Tells followers what changed, now or when the interval is over.
    pub(super) fn note_presence(&mut self, ctx: &mut Context<Self>) {
        if !self.presence.has_changed() || self.pulse.presence_resting {
            return;
        }
        if self.sessions.nobody_follows(&Channel::Presence) {
            drop(self.presence.take_changed());
            return;
        }
        self.pulse.presence_resting = true;
        let changed = self.presence.take_changed();
        let mut frames: HashMap<usize, ByteString> = HashMap::new();
        for id in self.sessions.followers(&Channel::Presence) {
            let Some(session) = self.sessions.get_mut(&id) else { continue };
            let Some((slot, scope)) = session.scope() else { continue };
            let frame = frames.entry(slot).or_insert_with(|| {
                let data = self.presence.of(&changed, scope);
                encode(ServerEvent::PresenceUpdate, None, clock::now(), &data)
            });
            let frame = frame.clone();
            session.notify(frame);
        }
        ctx.run_later(PRESENCE_INTERVAL, |hub, ctx| {
            hub.pulse.presence_resting = false;
            hub.note_presence(ctx);
        });
    }

    /// Tells a session that begins to follow presence who is there.
    pub(super) fn greet_with_presence(&mut self, id: &SessionId) {
        let Some((_, scope)) = self.sessions.get(id).and_then(|session| session.scope()) else { return };
        let frame = encode(ServerEvent::PresenceUpdate, None, clock::now(), &self.presence.all(scope));
        self.answer(id, frame);
    }
}
