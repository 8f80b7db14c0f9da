//! `GET /api/asyncapi.json`: the socket and the event stream, described for programs (AsyncAPI 3.0).
//!
//! Made from the tables and the types that the wire is made of. An event that is new in the tables does not compile
//! without its message here; a test holds real traffic against the rest.

use std::sync::LazyLock;

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::guards;
use crate::hub::presence::PresenceData as PresenceUpdate;
use crate::hub::requests::{ConnectionEstablished, Subscribed, Unsubscribed};
use crate::hub::snapshots::UmblerData;
use crate::hub::watching::PresenceSet;
use crate::protocol::event::{ErrorData, Heartbeat, ResyncRequired, ServerEvent};
use crate::protocol::request::{
    AuthenticateData, PresenceData, SnapshotData, SubscribeData, UnsubscribeData,
};
use crate::protocol::update::{NOTIFICATION, NoticeData, UpdateData};
use crate::protocol::view::{CHAT_ENTERED, CHAT_GONE};
use crate::protocol::{
    ClientEvent, CloseCode, ErrorCode, PROTOCOL_VERSION, RecoveryReason, ResyncReason, StatsShape,
};
use crate::session::sign_in::{Authenticated, TokenExpiring};
use crate::session::stream::Closed;

/// Where the description lies.
pub const PATH: &str = "/api/asyncapi.json";

/// What the names of channels look like.
const CHANNEL_PATTERN: &str =
    r"^(updates|stats|presence|(chat|contact|sector|member|channel|tag|user):[\s\S]+)$";

/// Made once: it only depends on the code.
static ENCODED: LazyLock<String> = LazyLock::new(|| document().to_string());

/// The description.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(
        web::resource(PATH)
            .get(describe)
            .route(web::route().method(Method::HEAD).to(describe))
            .default_service(web::route().to(guards::method_not_allowed)),
    );
}

async fn describe() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(ENCODED.as_str())
}

/// The whole description.
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let said: Map<String, Value> = ClientEvent::ALL
        .iter()
        .map(|event| (event.as_str().to_owned(), client_message(*event, &mut schemas)))
        .collect();
    let heard: Map<String, Value> = ServerEvent::ALL
        .iter()
        .map(|event| (event.as_str().to_owned(), server_message(*event, &mut schemas)))
        .collect();
    schemas.narrow_to_tables();
    let messages: Map<String, Value> = said.into_iter().chain(heard).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Umbler Hub",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What screens and the hub say to each other. Lists, single things and the webhook are \
                described by OpenAPI at `/api/openapi.json`.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": servers(),
        "channels": channels(),
        "operations": operations(),
        "components": {
            "messages": messages,
            "schemas": schemas.0,
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
        },
    })
}

fn servers() -> Value {
    let server = |protocol: &str, description: &str| {
        json!({
            "host": "{host}",
            "protocol": protocol,
            "description": description,
            "variables": { "host": { "default": "localhost:3001", "description": "Where the hub is reached." } },
        })
    };
    let bearer = json!([{ "$ref": "#/components/securitySchemes/bearer" }]);
    let mut servers = json!({
        "ws": server("ws", "The socket on the same machine."),
        "wss": server("wss", "The socket behind a proxy that brings TLS."),
        "http": server("http", "The event stream on the same machine."),
        "https": server("https", "The event stream behind a proxy that brings TLS."),
    });
    for name in ["http", "https"] {
        servers[name]["security"] = bearer.clone();
    }
    servers
}

/// By which way an event goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Socket,
    Stream,
    Both,
}

fn way(event: ServerEvent) -> Way {
    match event {
        ServerEvent::ConnectionEstablished
        | ServerEvent::UmblerData
        | ServerEvent::Subscribed
        | ServerEvent::UmblerUpdate
        | ServerEvent::Heartbeat
        | ServerEvent::UmblerStats
        | ServerEvent::PresenceUpdate
        | ServerEvent::ResyncRequired
        | ServerEvent::Error => Way::Both,
        ServerEvent::Authenticated
        | ServerEvent::Unsubscribed
        | ServerEvent::Pong
        | ServerEvent::PresenceSet
        | ServerEvent::TokenExpiring => Way::Socket,
        ServerEvent::Closed => Way::Stream,
    }
}

/// What a request is answered with, where it is not refused.
fn answer(event: ClientEvent) -> ServerEvent {
    match event {
        ClientEvent::Authenticate => ServerEvent::Authenticated,
        ClientEvent::RequestUmblerData => ServerEvent::UmblerData,
        ClientEvent::SubscribeUpdates => ServerEvent::Subscribed,
        ClientEvent::UnsubscribeUpdates => ServerEvent::Unsubscribed,
        ClientEvent::SetPresence => ServerEvent::PresenceSet,
        ClientEvent::Ping => ServerEvent::Pong,
    }
}

fn is_answer(event: ServerEvent) -> bool {
    event == ServerEvent::Error || ClientEvent::ALL.iter().any(|asked| answer(*asked) == event)
}

fn heard_by(this: Way) -> impl Iterator<Item = &'static str> {
    let events = ServerEvent::ALL.into_iter().filter(move |event| [this, Way::Both].contains(&way(*event)));
    events.map(ServerEvent::as_str)
}

fn channels() -> Value {
    let messages = |names: &mut dyn Iterator<Item = &'static str>| -> Map<String, Value> {
        names.map(|name| (name.to_owned(), reference("components/messages", name))).collect()
    };
    let said = ClientEvent::ALL.into_iter().map(ClientEvent::as_str);
    let closes: Vec<Value> = CloseCode::ALL
        .iter()
        .map(|code| {
            let number = code.number();
            json!({ "code": number, "reason": code.reason(), "comeBack": number < 4500 })
        })
        .collect();
    json!({
        "socket": {
            "address": "/ws",
            "description": "Text frames, one envelope each.",
            "servers": [reference("servers", "ws"), reference("servers", "wss")],
            "messages": messages(&mut said.chain(heard_by(Way::Socket))),
            "bindings": { "ws": { "method": "GET", "bindingVersion": "0.1.0" } },
            "x-closeCodes": closes,
        },
        "stream": {
            "address": "/api/umbler/stream",
            "description": "The same envelopes as `text/event-stream`, one in each `data:` line; its parameters are \
                described by OpenAPI.",
            "servers": [reference("servers", "http"), reference("servers", "https")],
            "messages": messages(&mut heard_by(Way::Stream)),
        },
    })
}

fn operations() -> Value {
    let on = |channel: &str, name: &str| reference(&format!("channels/{channel}/messages"), name);
    let socket = reference("channels", "socket");
    let asked = ClientEvent::ALL.into_iter().map(|event| {
        let (name, answered) = (event.as_str(), answer(event).as_str());
        let operation = json!({
            "action": "receive",
            "channel": socket,
            "messages": [on("socket", name)],
            "reply": {
                "channel": socket,
                "messages": [on("socket", answered), on("socket", ServerEvent::Error.as_str())],
            },
        });
        (name.to_owned(), operation)
    });
    let unasked = ServerEvent::ALL.into_iter().filter(|event| {
        let is_told_unasked = !is_answer(*event) || *event == ServerEvent::Error;
        is_told_unasked && way(*event) != Way::Stream
    });
    let told = unasked.map(|event| {
        let name = event.as_str();
        let operation = json!({ "action": "send", "channel": socket, "messages": [on("socket", name)] });
        (name.to_owned(), operation)
    });
    let mut operations: Map<String, Value> = asked.chain(told).collect();
    let messages: Vec<Value> = heard_by(Way::Stream).map(|name| on("stream", name)).collect();
    let channel = reference("channels", "stream");
    let stream = json!({ "action": "send", "channel": channel, "messages": messages });
    operations.insert("stream".to_owned(), stream);
    Value::Object(operations)
}

fn client_message(event: ClientEvent, schemas: &mut Schemas) -> Value {
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
    message(event.as_str(), summary, &required, properties)
}

fn server_message(event: ServerEvent, schemas: &mut Schemas) -> Value {
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
        ServerEvent::UmblerUpdate => (schemas.updates(), "One accepted delivery, or a notice to one user."),
        ServerEvent::Heartbeat => (schemas.told::<Heartbeat>(), "Proves that data comes through."),
        ServerEvent::UmblerStats => (schemas.told::<StatsShape>(), "The counters, to followers of `stats`."),
        ServerEvent::PresenceUpdate => {
            (schemas.told::<PresenceUpdate>(), "Who is on which screen, to followers of `presence`.")
        }
        ServerEvent::PresenceSet => {
            (schemas.told::<PresenceSet<'_>>(), "Others are told which chat this screen shows.")
        }
        ServerEvent::ResyncRequired => {
            (schemas.told::<ResyncRequired>(), "Something was missed: ask for a snapshot.")
        }
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
    message(event.as_str(), summary, &required, properties)
}

fn message(name: &str, summary: &str, required: &[&str], properties: Value) -> Value {
    json!({
        "name": name,
        "title": name,
        "summary": summary,
        "payload": { "type": "object", "required": required, "properties": properties },
    })
}

fn reference(place: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/{place}/{name}") })
}

/// What is said, by name.
#[derive(Default)]
struct Schemas(Map<String, Value>);

impl Schemas {
    /// What a client says: what is optional may be missing.
    fn said<T: ToSchema>(&mut self) -> Value {
        let mut all = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut all);
        // Our own structures always encode.
        self.0.extend(all.into_iter().map(|(name, schema)| (name, json!(schema))));
        reference("components/schemas", &T::name())
    }

    /// What the hub says: unknown is `null`, so nearly everything is there.
    fn told<T: ToSchema>(&mut self) -> Value {
        let mut all = Self::default();
        let top = all.said::<T>();
        for (name, schema) in &mut all.0 {
            let Some(fields) = schema["properties"].as_object() else { continue };
            let there: Vec<&String> = fields.keys().filter(|field| !may_be_missing(name, field)).collect();
            schema["required"] = json!(there);
        }
        self.0.append(&mut all.0);
        top
    }

    /// What an `umbler_update` may hold.
    fn updates(&mut self) -> Value {
        let only_id =
            json!({ "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } });
        let or_null = |schema: &Value| json!({ "oneOf": [{ "type": "null" }, schema] });
        let (update, notification) = (self.told::<UpdateData>(), self.told::<NoticeData<'_>>());
        let gone = json!({
            "type": "object",
            "description": "A chat left the session's scope.",
            "required": ["eventId", "type", "changes", "chat", "contact"],
            "properties": {
                "eventId": { "type": "string" },
                "type": { "const": CHAT_GONE },
                "changes": { "type": "array", "items": { "const": CHAT_GONE } },
                "chat": or_null(&only_id),
                "contact": or_null(&only_id),
            },
        });
        self.0.insert("ChatGone".to_owned(), gone);
        json!({ "oneOf": [update, reference("components/schemas", "ChatGone"), notification] })
    }

    /// Words that stand in a table of the code are no words of any kind.
    fn narrow_to_tables(&mut self) {
        let mut types: Vec<&str> = crate::domain::Change::ALL.iter().map(|change| change.as_str()).collect();
        types.push(CHAT_ENTERED);
        let errors = ErrorCode::ALL.map(ErrorCode::as_str);
        self.narrow("Update", "type", json!({ "enum": types }));
        self.narrow("Update", "changes", json!({ "type": "array", "items": { "enum": types } }));
        self.narrow("Notification", "type", json!({ "const": NOTIFICATION }));
        self.narrow(
            "Notification",
            "changes",
            json!({ "type": "array", "items": { "const": NOTIFICATION } }),
        );
        self.narrow("Error", "code", json!({ "enum": errors }));
        self.narrow("Closed", "code", json!({ "enum": CloseCode::ALL.map(CloseCode::number) }));
        self.narrow("Closed", "reason", json!({ "enum": CloseCode::ALL.map(CloseCode::reason) }));
        self.narrow(
            "Subscribed",
            "reason",
            json!({ "enum": RecoveryReason::ALL.map(RecoveryReason::as_str) }),
        );
        self.narrow(
            "ResyncRequired",
            "reason",
            json!({ "enum": ResyncReason::ALL.map(ResyncReason::as_str) }),
        );
        self.narrow("ConnectionEstablished", "protocol", json!({ "const": PROTOCOL_VERSION }));
        let channel = json!({ "type": "string", "pattern": CHANNEL_PATTERN });
        for (schema, types) in [
            ("SubscribeUpdates", json!(["array", "null"])),
            ("UnsubscribeUpdates", json!(["array", "null"])),
            ("Subscribed", json!("array")),
            ("Unsubscribed", json!("array")),
        ] {
            self.narrow(schema, "channels", json!({ "type": types, "items": channel }));
        }
    }

    /// Says more of a field than its type does.
    fn narrow(&mut self, schema: &str, field: &str, more: Value) {
        let place = self.0.get_mut(schema).and_then(|schema| schema["properties"].get_mut(field));
        debug_assert!(place.is_some(), "{schema} has no {field}");
        let (Some(Value::Object(known)), Value::Object(more)) = (place, more) else { return };
        // A word of the table is no reference, and a type beside it says nothing more.
        if more.contains_key("enum") || more.contains_key("const") {
            known.retain(|key, _| key == "description");
        }
        known.extend(more);
    }
}

/// True where a field is left out when there is nothing to tell.
fn may_be_missing(schema: &str, field: &str) -> bool {
    match schema {
        "Previous" => true,
        "Update" => matches!(field, "message" | "otherMessages" | "previous" | "reason"),
        "Subscribed" => field == "reason",
        _ => false,
    }
}
