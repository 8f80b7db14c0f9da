//! One message for each event of the tables: what it carries, and by which way it goes.

use serde_json::{Value, json};

use super::boards::MetricsUpdate;
use super::schemas::Schemas;
use crate::hub::drain::GoingAway;
use crate::hub::requests::{ConnectionEstablished, Unsubscribed};
use crate::hub::snapshots::UmblerData;
use crate::hub::states::PresenceSet;
use crate::hub::states::presence::PresenceData as PresenceUpdate;
use crate::hub::states::status::StatusData;
use crate::hub::updates::subscribed::Subscribed;
use crate::protocol::event::{ErrorData, Heartbeat, ResyncRequired, ServerEvent};
use crate::protocol::replay::ReplayEnded;
use crate::protocol::request_data::{
    AuthenticateData, PresenceData, SnapshotData, SubscribeData, UnsubscribeData,
};
use crate::protocol::{ClientEvent, StatsShape};
use crate::session::sign_in::{Authenticated, TokenExpiring};
use crate::session::stream::Closed;

/// By which way an event goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Socket,
    Stream,
    Both,
}

pub(super) fn way(event: ServerEvent) -> Way {
    match event {
        ServerEvent::ConnectionEstablished
        | ServerEvent::Authenticated
        | ServerEvent::UmblerData
        | ServerEvent::Subscribed
        | ServerEvent::UmblerUpdate
        | ServerEvent::Heartbeat
        | ServerEvent::UmblerStats
        | ServerEvent::PresenceUpdate
        | ServerEvent::MetricsUpdate
        | ServerEvent::ResyncRequired
        | ServerEvent::HubStatus
        | ServerEvent::GoingAway
        | ServerEvent::Error => Way::Both,
        ServerEvent::Unsubscribed
        | ServerEvent::Pong
        | ServerEvent::PresenceSet
        | ServerEvent::ReplayEnded
        | ServerEvent::TokenExpiring => Way::Socket,
        ServerEvent::Closed => Way::Stream,
    }
}

/// What a request is answered with, where it is not refused.
pub(super) fn answer(event: ClientEvent) -> ServerEvent {
    match event {
        ClientEvent::Authenticate => ServerEvent::Authenticated,
        ClientEvent::RequestUmblerData => ServerEvent::UmblerData,
        ClientEvent::SubscribeUpdates => ServerEvent::Subscribed,
        ClientEvent::UnsubscribeUpdates => ServerEvent::Unsubscribed,
        ClientEvent::SetPresence => ServerEvent::PresenceSet,
        ClientEvent::Ping => ServerEvent::Pong,
    }
}

pub(super) fn is_answer(event: ServerEvent) -> bool {
    event == ServerEvent::Error || ClientEvent::ALL.iter().any(|asked| answer(*asked) == event)
}

pub(super) fn client_message(event: ClientEvent, schemas: &mut Schemas) -> Value {
    let id =
        json!({ "type": ["string", "number"], "description": "The client's own; comes back in the answer." });
    let optional = |data: Value| json!({ "oneOf": [{ "type": "null" }, data] });
    let (data, summary) = match event {
        ClientEvent::Authenticate => {
            (schemas.said::<AuthenticateData>(), "Signs in, or brings a newer token.")
        }
        ClientEvent::RequestUmblerData => (optional(schemas.said::<SnapshotData>()), "Asks for a snapshot."),
        ClientEvent::SubscribeUpdates => (
            optional(schemas.said::<SubscribeData>()),
            "Follows channels, from a position where one is given.",
        ),
        ClientEvent::UnsubscribeUpdates => {
            (optional(schemas.said::<UnsubscribeData>()), "Stops following these channels, or all.")
        }
        ClientEvent::SetPresence => {
            (optional(schemas.said::<PresenceData>()), "Tells others which chat this screen shows.")
        }
        ClientEvent::Ping => (json!({ "description": "Not looked at." }), "Asks for a `pong`."),
    };
    let required = if event == ClientEvent::Authenticate { vec!["event", "data"] } else { vec!["event"] };
    let properties = json!({ "event": { "const": event.as_str() }, "id": id, "data": data });
    message(event.as_str(), summary, &required, &properties)
}

pub(super) fn server_message(event: ServerEvent, schemas: &mut Schemas) -> Value {
    let (data, summary) = match event {
        ServerEvent::ConnectionEstablished => {
            (schemas.told::<ConnectionEstablished<'_>>(), "The first envelope of every session.")
        }
        ServerEvent::Authenticated => (schemas.told::<Authenticated<'_>>(), "Signed in."),
        ServerEvent::UmblerData => {
            (schemas.told::<UmblerData<'_>>(), "A consistent snapshot at one position.")
        }
        ServerEvent::Subscribed => (schemas.told::<Subscribed<'_>>(), "Channels are followed from here on."),
        ServerEvent::Unsubscribed => (schemas.told::<Unsubscribed>(), "Channels are no longer followed."),
        ServerEvent::Pong => (json!({ "type": "object", "properties": {} }), "The answer to `ping`."),
        ServerEvent::UmblerUpdate => (
            schemas.updates(),
            "One accepted delivery, a notice to one user, what happened to an alert, or changes of the directory of \
             agents, of settings or of the link to Umbler's API.",
        ),
        ServerEvent::Heartbeat => (schemas.told::<Heartbeat>(), "Proves that data comes through."),
        ServerEvent::UmblerStats => (schemas.told::<StatsShape>(), "The counters, to followers of `stats`."),
        ServerEvent::PresenceUpdate => {
            (schemas.told::<PresenceUpdate>(), "Who is on which screen, to followers of `presence`.")
        }
        ServerEvent::PresenceSet => {
            (schemas.told::<PresenceSet<'_>>(), "Others are told which chat this screen shows.")
        }
        ServerEvent::MetricsUpdate => (
            schemas.told::<MetricsUpdate>(),
            "Numbers of the team, to followers of a board: all, or what changed.",
        ),
        ServerEvent::ReplayEnded => (schemas.told::<ReplayEnded>(), "A replay of the past is over."),
        ServerEvent::ResyncRequired => {
            (schemas.told::<ResyncRequired>(), "Something was missed: ask for a snapshot.")
        }
        ServerEvent::HubStatus => {
            (schemas.told::<StatusData>(), "Whether deliveries are taken in; told on change.")
        }
        ServerEvent::GoingAway => (schemas.told::<GoingAway>(), "The session ends next; when to come back."),
        ServerEvent::Closed => (schemas.told::<Closed>(), "The stream ends."),
        ServerEvent::TokenExpiring => (schemas.told::<TokenExpiring>(), "Send a newer token."),
        ServerEvent::Error => {
            (schemas.told::<ErrorData<'_>>(), "A request was refused, or the session ends.")
        }
    };
    let timestamp = json!({ "type": "string", "format": "date-time" });
    let mut properties =
        json!({ "event": { "const": event.as_str() }, "timestamp": timestamp, "data": data });
    let mut required = vec!["event", "timestamp", "data"];
    if event == ServerEvent::UmblerUpdate {
        properties["seq"] = json!({ "type": "integer", "minimum": 1, "description": "Its position; grows." });
        required.push("seq");
    }
    if is_answer(event) {
        let id =
            json!({ "type": ["string", "number"], "description": "The client's own, where it sent one." });
        properties["id"] = id;
    }
    message(event.as_str(), summary, &required, &properties)
}

fn message(name: &str, summary: &str, required: &[&str], properties: &Value) -> Value {
    json!({
        "name": name,
        "title": name,
        "summary": summary,
        "payload": { "type": "object", "required": required, "properties": properties },
    })
}
