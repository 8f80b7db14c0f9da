//! Which chat is open on each screen.

use actix::prelude::*;

use super::UmblerHub;
use super::messages::SetPresence;
use crate::domain::ChatId;
use crate::protocol::ErrorCode;
use crate::protocol::event::encode_error;
use crate::reads::GetPlacement;
use crate::telemetry::clock;

impl Handler<SetPresence> for UmblerHub {
    type Result = ();

    fn handle(&mut self, ask: SetPresence, ctx: &mut Self::Context) {
        let SetPresence { session: id, request_id, chat } = ask;
        let Some((_, scope)) = self.sessions.get(&id).and_then(|session| session.scope()) else { return };
        let Some(chat) = chat else {
            self.presence.set_view(&mut self.sessions, &id, request_id.as_deref(), None);
            return self.push_states(ctx);
        };
        let query = GetPlacement { chat: chat.clone(), scope: scope.clone() };
        let placement = self.history.ask(self.asker_at(&id), query);
        self.presence.begin_lookup();
        ctx.spawn(placement.into_actor(self).map(move |found, hub, ctx| {
            let chat = ChatId::from(chat);
            let moved = hub.presence.end_lookup(&chat);
            let (code, message) = match found {
                Ok(Some(place)) => {
                    let view = Some((chat, moved.unwrap_or(place)));
                    hub.presence.set_view(&mut hub.sessions, &id, request_id.as_deref(), view);
                    return hub.push_states(ctx);
                }
                Ok(None) => (ErrorCode::BadRequest, "data.chat names no chat that this token sees"),
                Err(_) => (ErrorCode::Unavailable, "the chat cannot be looked up now"),
            };
            let refusal = encode_error(request_id.as_deref(), clock::now(), code, message);
            hub.sessions.answer(&id, refusal);
        }));
    }
}
