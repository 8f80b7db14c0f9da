//! `GET /api/asyncapi.json`: describes the WebSocket and the event stream to programs (`AsyncAPI` 3.0).
//!
//! It is made from the tables and types of the wire. A new event does not compile without its message here, and
//! a test compares the rest with real traffic.

mod messages;
mod boards;
mod schemas;

use std::sync::LazyLock;

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use crate::protocol::event::ServerEvent;
use crate::protocol::{ClientEvent, CloseCode};
use messages::{Transport, answer, client_message, is_answer, server_message, transport};
use schemas::Schemas;

/// The path of the description.
pub const PATH: &str = "/api/asyncapi.json";

/// Made once, because it only depends on the code.
static ENCODED: LazyLock<String> = LazyLock::new(|| document().to_string());

/// Registers the route of the description.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(web::resource(PATH).get(describe).route(web::route().method(Method::HEAD).to(describe)));
}

async fn describe() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(ENCODED.as_str())
}

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
            "variables": { "host": { "default": "localhost:3001", "description": "Host and port of the hub." } },
        })
    };
    let bearer = json!([{ "$ref": "#/components/securitySchemes/bearer" }]);
    let mut servers = json!({
        "ws": server("ws", "The socket on the same machine."),
        "wss": server("wss", "The socket behind a proxy that adds TLS."),
        "http": server("http", "The event stream on the same machine."),
        "https": server("https", "The event stream behind a proxy that adds TLS."),
    });
    for name in ["http", "https"] {
        servers[name]["security"] = bearer.clone();
    }
    servers
}

fn names_sent_over(this: Transport) -> impl Iterator<Item = &'static str> {
    let events = ServerEvent::ALL
        .into_iter()
        .filter(move |event| [this, Transport::Both].contains(&transport(*event)));
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
            "messages": messages(&mut said.chain(names_sent_over(Transport::Socket))),
            "bindings": { "ws": { "method": "GET", "bindingVersion": "0.1.0" } },
            "x-closeCodes": closes,
        },
        "stream": {
            "address": "/api/umbler/stream",
            "description": "The same envelopes as `text/event-stream`, one in each `data:` line; its parameters are \
                described by OpenAPI.",
            "servers": [reference("servers", "http"), reference("servers", "https")],
            "messages": messages(&mut names_sent_over(Transport::Stream)),
        },
    })
}

fn operations() -> Value {
    let on = |channel: &str, name: &str| reference(&format!("channels/{channel}/messages"), name);
    let socket = reference("channels", "socket");
    let requests = ClientEvent::ALL.into_iter().map(|event| {
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
        let comes_unasked = !is_answer(*event) || *event == ServerEvent::Error;
        comes_unasked && transport(*event) != Transport::Stream
    });
    let pushes = unasked.map(|event| {
        let name = event.as_str();
        let operation = json!({ "action": "send", "channel": socket, "messages": [on("socket", name)] });
        (name.to_owned(), operation)
    });
    let mut operations: Map<String, Value> = requests.chain(pushes).collect();
    let messages: Vec<Value> = names_sent_over(Transport::Stream).map(|name| on("stream", name)).collect();
    let channel = reference("channels", "stream");
    let stream = json!({ "action": "send", "channel": channel, "messages": messages });
    operations.insert("stream".to_owned(), stream);
    Value::Object(operations)
}

fn reference(place: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/{place}/{name}") })
}
