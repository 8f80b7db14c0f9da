//! One message for each event: what it contains, and by which connection it is sent.

use serde_json::{Value, json};

use super::boards::MetricsUpdate;
use super::schemas::Schemas;
use crate::hub::drain::GoingAway;
use crate::hub::requests::{ConnectionEstablished, Unsubscribed};
use crate::hub::snapshots::UmblerData;
use crate::hub::states::PresenceSet;
use crate::hub::states::presence::PresenceUpdate;
use crate::hub::states::status::HubStatus;
use crate::hub::updates::subscribed::Subscribed;
use crate::protocol::event::{ErrorData, Heartbeat, ResyncRequired, ServerEvent};
use crate::protocol::replay::ReplayEnded;
use crate::protocol::request_data::{
    AuthenticateData, PresenceData, SnapshotData, SubscribeData, UnsubscribeData,
};
use crate::protocol::{ClientEvent, StatsShape};
use crate::session::sign_in::{Authenticated, TokenExpiring};
use crate::session::stream::Closed;

/// By which connection an event is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Socket,
    Stream,
    Both,
}

pub(super) fn transport(event: ServerEvent) -> Transport {
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
        | ServerEvent::Error => Transport::Both,
        ServerEvent::Unsubscribed
        | ServerEvent::Pong
        | ServerEvent::PresenceSet
        | ServerEvent::ReplayEnded
        | ServerEvent::TokenExpiring => Transport::Socket,
        ServerEvent::Closed => Transport::Stream,
    }
}

/// The event that answers a request which is not refused.
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
    let id = json!({ "type": ["string", "number"], "description": "An id of the client's choice; the answer carries it." });
    let optional = |data: Value| json!({ "oneOf": [{ "type": "null" }, data] });
    let (data, summary) = match event {
        ClientEvent::Authenticate => {
            (schemas.said::<AuthenticateData>(), "Signs in, or replaces the token by a newer one.")
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
        ClientEvent::Ping => (json!({ "description": "Ignored." }), "Asks for a `pong`."),
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
        ServerEvent::Authenticated => (schemas.told::<Authenticated<'_>>(), "The client is signed in."),
        ServerEvent::UmblerData => {
            (schemas.told::<UmblerData<'_>>(), "A consistent snapshot at one position.")
        }
        ServerEvent::Subscribed => {
            (schemas.told::<Subscribed<'_>>(), "The client follows channels from here on.")
        }
        ServerEvent::Unsubscribed => {
            (schemas.told::<Unsubscribed>(), "The client no longer follows channels.")
        }
        ServerEvent::Pong => (json!({ "type": "object", "properties": {} }), "The answer to `ping`."),
        ServerEvent::UmblerUpdate => (
            schemas.updates(),
            "One accepted delivery, a notice to one user, what happened to an alert or to a message that goes out, or \
             changes of the directory of agents, of settings or of the link to Umbler's API.",
        ),
        ServerEvent::Heartbeat => {
            (schemas.told::<Heartbeat>(), "Sent regularly, so that a client notices a dead connection.")
        }
        ServerEvent::UmblerStats => (schemas.told::<StatsShape>(), "The counters, to followers of `stats`."),
        ServerEvent::PresenceUpdate => (
            schemas.told::<PresenceUpdate>(),
            "Which screens are connected and which chat each shows, to followers of `presence`.",
        ),
        ServerEvent::PresenceSet => (schemas.told::<PresenceSet<'_>>(), "The answer to `set_presence`."),
        ServerEvent::MetricsUpdate => (
            schemas.told::<MetricsUpdate>(),
            "Live metrics, to followers of `metrics:…`: all of them, or the cells that changed.",
        ),
        ServerEvent::ReplayEnded => (schemas.told::<ReplayEnded>(), "A playback of the past has ended."),
        ServerEvent::ResyncRequired => {
            (schemas.told::<ResyncRequired>(), "The client missed something and must ask for a new snapshot.")
        }
        ServerEvent::HubStatus => {
            (schemas.told::<HubStatus>(), "Whether the hub accepts deliveries; sent when that changes.")
        }
        ServerEvent::GoingAway => {
            (schemas.told::<GoingAway>(), "The hub closes this session next, and says when to reconnect.")
        }
        ServerEvent::Closed => (schemas.told::<Closed>(), "The event stream ends."),
        ServerEvent::TokenExpiring => {
            (schemas.told::<TokenExpiring>(), "The token expires soon; send a newer one.")
        }
        ServerEvent::Error => {
            (schemas.told::<ErrorData<'_>>(), "A request was refused, or the session is about to be closed.")
        }
    };
    let timestamp = json!({ "type": "string", "format": "date-time" });
    let mut properties =
        json!({ "event": { "const": event.as_str() }, "timestamp": timestamp, "data": data });
    let mut required = vec!["event", "timestamp", "data"];
    if event == ServerEvent::UmblerUpdate {
        properties["seq"] = json!({ "type": "integer", "minimum": 1, "description": "Position of the update in the journal; it only grows." });
        required.push("seq");
    }
    if is_answer(event) {
        let id = json!({ "type": ["string", "number"], "description": "The id that the client sent with the request, if any." });
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
