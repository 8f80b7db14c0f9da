//! The description of the socket and the event stream, held against real traffic: whatever is heard and said fits the
//! schema of its message, field by field, and every event of the tables is heard or said.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};
use umbler_hub::facade::wire::{
    ASYNCAPI_PATH, ClientEvent, HEARTBEAT_SECONDS, ServerEvent, asyncapi_document,
};

use super::support::keys::{SECRET, now, token};
use super::support::{Delivery, Hub, PATIENCE, fixture, fixtures, hub_with, spawn_hub};

/// Where the validator finds the description as it is given out, and closed; nothing is fetched.
const OPEN: &str = "file:///asyncapi.json";
const CLOSED: &str = "file:///closed.json";

/// The schemas of the messages, and what was held against them.
struct Description {
    schemas: boon::Schemas,
    /// Of each message the schema as it is given out, and the same closed.
    messages: BTreeMap<String, [boon::SchemaIndex; 2]>,
    /// The first envelope of each event.
    samples: RefCell<BTreeMap<String, Value>>,
}

impl Description {
    /// As the hub gives it out, and closed: an undescribed field is an error here, and none to a client.
    fn new() -> Self {
        let open = asyncapi_document();
        let mut closed = open.clone();
        close(&mut closed["components"]);
        let names: Vec<String> =
            open["components"]["messages"].as_object().expect("messages").keys().cloned().collect();
        let mut compiler = boon::Compiler::new();
        compiler.set_default_draft(boon::Draft::V7);
        compiler.enable_format_assertions();
        for (name, document) in [(OPEN, open), (CLOSED, closed)] {
            compiler.add_resource(name, document).expect("JSON");
        }
        let mut schemas = boon::Schemas::new();
        let mut index = |document: &str, name: &str| {
            let place = format!("{document}#/components/messages/{name}/payload");
            compiler.compile(&place, &mut schemas).unwrap_or_else(|error| panic!("{error:#}"))
        };
        let messages = names.into_iter().map(|name| {
            let schemas = [index(OPEN, &name), index(CLOSED, &name)];
            (name, schemas)
        });
        let messages = messages.collect();
        Self { schemas, messages, samples: RefCell::default() }
    }

    /// What does not fit, if anything.
    fn complaint(&self, envelope: &Value) -> Option<String> {
        let event = envelope["event"].as_str().unwrap_or_default();
        let Some(message) = self.messages.get(event) else {
            return Some(format!("{event:?} is not described"));
        };
        message
            .iter()
            .find_map(|schema| self.schemas.validate(envelope, *schema).err())
            .map(|error| error.to_string())
    }

    fn check(&self, envelope: &Value) {
        if let Some(complaint) = self.complaint(envelope) {
            panic!("{complaint}\n{envelope:#}");
        }
        let event = envelope["event"].as_str().expect("an event").to_owned();
        self.samples.borrow_mut().entry(event).or_insert_with(|| envelope.clone());
    }

    /// A socket that checks what goes by.
    fn screen(&self, hub: &Hub) -> Checked<'_> {
        let mut screen = Checked { description: self, socket: connect(hub) };
        screen.hears("connection_established");
        screen
    }
}

/// Nothing but the described fields.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            if fields.get("properties").is_some_and(|properties| !properties["type"].is_string()) {
                fields.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

struct Checked<'a> {
    description: &'a Description,
    socket: WebSocket<TcpStream>,
}

fn connect(hub: &Hub) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(hub.address()).expect("the hub listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let (socket, _) = tungstenite::client(format!("ws://{}/ws", hub.address()), stream).expect("a socket");
    socket
}

/// The next envelope; `None` where the socket was closed.
fn read(socket: &mut WebSocket<TcpStream>) -> Option<Value> {
    loop {
        match socket.read().expect("the socket is not broken") {
            Message::Text(text) => return Some(serde_json::from_str(&text).expect("every frame is JSON")),
            Message::Close(_) => return None,
            Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
        }
    }
}

impl Checked<'_> {
    fn sends(&mut self, text: &str) {
        self.socket.send(Message::text(text)).expect("the socket is open");
    }

    /// Says something that is described.
    #[expect(clippy::needless_pass_by_value, reason = "tests write `json!` in place")]
    fn says(&mut self, event: &str, data: Value) {
        let envelope = json!({ "event": event, "id": event, "data": data });
        self.description.check(&envelope);
        self.sends(&envelope.to_string());
    }

    fn next(&mut self) -> Option<Value> {
        let envelope = read(&mut self.socket)?;
        self.description.check(&envelope);
        Some(envelope)
    }

    /// Reads on to this event.
    fn hears(&mut self, event: &str) -> Value {
        loop {
            let envelope = self.next().unwrap_or_else(|| panic!("closed before {event}"));
            if envelope["event"] == event {
                return envelope;
            }
        }
    }

    /// Reads on to the update of this type.
    fn hears_update(&mut self, update: &str) -> Value {
        loop {
            let envelope = self.hears("umbler_update");
            if envelope["data"]["type"] == update {
                return envelope;
            }
        }
    }

    fn is_refused(&mut self, frame: &str, code: &str) {
        self.sends(frame);
        assert_eq!(self.hears("error")["data"]["code"], code, "{frame}");
    }

    fn follows(mut self, channels: &[&str]) -> Self {
        self.says("subscribe_updates", json!({ "channels": channels }));
        self.hears("subscribed");
        self
    }

    fn signed_in(mut self, token: &str) -> Self {
        self.says("authenticate", json!({ "token": token }));
        self.hears("authenticated");
        self
    }
}

/// Everything that the provider can send, live and in snapshots of every size, and every request with its answer.
fn watch_all_known_deliveries(description: &Description) {
    let hub = spawn_hub();
    let mut screen = description.screen(&hub);
    screen.says("authenticate", json!({ "token": "anything, where no key is set" }));
    screen.hears("authenticated");
    let mut screen = screen.follows(&["updates", "stats", "presence", "user:anonymous"]);
    let mut board = description.screen(&hub).follows(&super::support::boards::names());
    let all = ["chat:a", "contact:a", "sector:a", "member:a", "channel:a", "tag:a"];
    screen.says("subscribe_updates", json!({ "channels": all }));
    screen.says("unsubscribe_updates", json!({ "channels": ["chat:a"] }));
    let manifest = std::fs::read(fixtures().join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    for known in manifest.as_array().expect("a list") {
        hub.provider().post(fixture(known["file"].as_str().expect("a name")));
    }
    let says = |owner| drop(hub.provider().posts(&Delivery::message("owned").owner(owner)));
    ["ana", "bia"].into_iter().for_each(says);
    while board.hears("metrics_update")["data"]["full"] == true {}
    hub.names("ana", Some("Ana"), "none");
    screen.hears_update("member_updated");
    hub.delete("/api/umbler/contacts/contact-of-owned/personal-data?reason=described", &[]);
    screen.hears_update("contact_erased");
    hub.provider().says("viewed", "hello");
    screen.says("set_presence", json!({ "chat": "viewed" }));
    screen.hears("presence_set");
    screen.says("set_presence", Value::Null);
    for limits in
        [Value::Null, json!({ "contacts": 200, "chats": 200, "messages": 200 }), json!({ "chats": 0 })]
    {
        screen.says("request_umbler_data", limits);
        screen.hears("umbler_data");
    }
    for (frame, code) in [
        ("[]", "bad_envelope"),
        (r#"{"event":"no such","id":7}"#, "unsupported_event"),
        (r#"{"event":"subscribe_updates","data":{"channels":[]}}"#, "bad_request"),
    ] {
        screen.is_refused(frame, code);
    }
    screen.says("unsubscribe_updates", Value::Null);
    let now = screen.hears("unsubscribed")["timestamp"].take();
    screen.says("subscribe_updates", json!({ "replayFrom": now, "speed": 1000 }));
    screen.hears("replay_ended");
    screen.says("ping", json!({}));
    screen.hears("pong");
    let mut flood = description.screen(&hub);
    for _ in 0..300 {
        flood.sends(r#"{"event":"ping"}"#);
    }
    assert_eq!(flood.hears("error")["data"]["code"], "too_many_requests");
}

/// What differs by token: masked and limited views, chats that come and go, and a token's life.
fn watch_by_token(description: &Description) {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let in_sector = |role: &str, sector: &str| {
        token(json!({ "sub": "bia", "name": "Bia", "role": role, "sectors": [sector] }))
    };
    let mut stranger = description.screen(&hub);
    stranger.is_refused(r#"{"event":"request_umbler_data"}"#, "unauthorized");
    let mut stranger = stranger.signed_in(&in_sector("agent", "sales"));
    stranger.is_refused(r#"{"event":"subscribe_updates","data":{"channels":["user:eve"]}}"#, "forbidden");

    let mut everything =
        description.screen(&hub).signed_in(&token(json!({ "sub": "root", "role": "admin" })));
    everything = everything.follows(&["updates", "presence"]);
    let mut masked =
        description.screen(&hub).signed_in(&token(json!({ "sub": "vera" }))).follows(&["updates"]);
    let mut agent = description.screen(&hub).signed_in(&in_sector("agent", "sales"));
    agent = agent.follows(&["updates", "stats", "presence", "user:bia"]);
    // The contact of the chat that goes is seen through another one, too.
    let of_the_same = Delivery::message("other").chat_field("Sector", json!({ "Id": "sales" }));
    hub.provider().posts(&of_the_same.set("/Payload/Content/Contact/Id", json!("contact-of-a")));
    for sector in ["sales", "support", "sales"] {
        hub.provider().posts(&Delivery::message("a").chat_field("Sector", json!({ "Id": sector })));
    }
    for sector in ["sales", "support"] {
        hub.provider().posts(&Delivery::message("alone").chat_field("Sector", json!({ "Id": sector })));
    }
    hub.provider().post(json!({ "EventId": "odd", "Type": "NobodyKnows", "Payload": {} }).to_string());
    assert_eq!(agent.hears_update("chat_gone")["data"]["contactGone"], false);
    agent.hears_update("chat_entered");
    assert_eq!(agent.hears_update("chat_gone")["data"]["contactGone"], true);
    let notice = json!({ "user": "bia", "data": ["anything"] }).to_string();
    let admin = format!("Bearer {}", token(json!({ "sub": "root", "role": "admin" })));
    let headers = [("authorization", &*admin), ("content-type", "application/json")];
    assert_eq!(hub.provider().post_to("/api/umbler/notify", &headers, notice).status, 200);
    agent.hears_update("notification");
    everything.hears_update("unrecognized");
    masked.hears_update("unrecognized");
    for screen in [&mut agent, &mut masked] {
        screen.says("request_umbler_data", json!({}));
        screen.hears("umbler_data");
    }
    agent.says("authenticate", json!({ "token": in_sector("agent", "support") }));
    assert_eq!(agent.hears("resync_required")["data"]["reason"], "scope_changed");

    description
        .screen(&hub)
        .signed_in(&token(json!({ "sub": "ana", "exp": now() + 30 })))
        .hears("token_expiring");
    let mut late = description.screen(&hub).signed_in(&token(json!({ "sub": "ana", "exp": now() - 25 })));
    assert_eq!(late.hears("error")["data"]["code"], "token_expired");
    assert_eq!(late.next(), None, "and the socket ends");
}

/// The event stream from its first envelope to its last, and a socket that comes back and hears the hub stop.
fn watch_until_the_hub_stops(description: &Description) {
    let mut hub = spawn_hub();
    let mut screen = description.screen(&hub).follows(&["updates"]);
    hub.provider().says("a", "missed by one that comes back");
    let update = screen.hears("umbler_update");
    let epoch = description.samples.borrow()["connection_established"]["data"]["epoch"].clone();
    let mut back = description.screen(&hub);
    back.says("subscribe_updates", json!({ "since": 0, "epoch": epoch }));
    assert_eq!(back.hears("subscribed")["data"]["recovered"], false, "another hub's epoch");
    let mut back = description.screen(&hub);
    let snapshot = hub.json("/api/umbler/updates?after=0");
    back.says(
        "subscribe_updates",
        json!({ "since": 0, "epoch": snapshot["epoch"], "channels": ["updates"] }),
    );
    assert_eq!(back.hears("subscribed")["data"]["replayed"], 1);
    assert_eq!(back.hears("umbler_update"), update);

    let asked = hub.agent().get(hub.url("/api/umbler/stream?channels=updates,stats,presence,metrics:tags"));
    let lines = BufReader::new(asked.call().expect("the hub answers").into_body().into_reader()).lines();
    let mut heard = lines
        .map(|line| line.expect("the stream is text"))
        .filter_map(|line| line.strip_prefix("data: ").map(|data| serde_json::from_str(data).expect("JSON")))
        .inspect(|envelope: &Value| description.check(envelope));
    assert!(heard.any(|envelope| envelope["event"] == "umbler_data"));
    hub.terminate();
    let document = asyncapi_document();
    let described = document["channels"]["stream"]["messages"].as_object().expect("messages");
    let last = heard.inspect(|envelope| {
        assert!(described.contains_key(envelope["event"].as_str().unwrap_or_default()), "{envelope}");
    });
    assert_eq!(last.last().expect("an end")["event"], "closed");
    while back.next().is_some() {}
    assert!(hub.stop().success());
}

/// Heartbeats of sockets that come together are spread over the round, so with a round of sockets one comes soon.
fn wait_for_a_heartbeat(description: &Description) {
    let hub = spawn_hub();
    let (tell, told) = mpsc::channel();
    for mut socket in (0..HEARTBEAT_SECONDS).map(|_| connect(&hub)) {
        let tell = tell.clone();
        thread::spawn(move || {
            let heard =
                std::iter::from_fn(|| read(&mut socket)).find(|envelope| envelope["event"] == "heartbeat");
            // The others come too late to be listened to.
            drop(tell.send(heard));
        });
    }
    description.check(&told.recv_timeout(PATIENCE).expect("a heartbeat").expect("before the end"));
}

#[test]
fn whatever_is_said_and_heard_is_described() {
    let description = Description::new();
    watch_all_known_deliveries(&description);
    watch_by_token(&description);
    watch_until_the_hub_stops(&description);
    wait_for_a_heartbeat(&description);

    let samples = description.samples.borrow();
    let exercised: BTreeSet<&str> = samples.keys().map(String::as_str).collect();
    let events = ClientEvent::ALL.map(ClientEvent::as_str).into_iter();
    assert_eq!(exercised, events.chain(ServerEvent::ALL.map(ServerEvent::as_str)).collect());
    for (event, sample) in samples.iter() {
        assert_the_schema_is_strict(&description, event, sample);
    }
}

/// The schema of an event refuses an envelope that is wrong in any one way.
fn assert_the_schema_is_strict(description: &Description, event: &str, sample: &Value) {
    let is_refused = |what: &str, change: &dyn Fn(&mut Value)| {
        let mut wrong = sample.clone();
        change(&mut wrong);
        assert!(description.complaint(&wrong).is_some(), "{event} with {what} is taken: {wrong}");
    };
    is_refused("a field beside the envelope's", &|wrong| wrong["extra"] = json!(1));
    is_refused("an id that is none", &|wrong| wrong["id"] = json!({}));
    if ServerEvent::ALL.iter().any(|known| known.as_str() == event) {
        is_refused("a field that nobody described", &|wrong| wrong["data"]["extra"] = json!(1));
        is_refused("a time that is none", &|wrong| wrong["timestamp"] = json!("yesterday"));
        for field in sample["data"].as_object().expect("an object").keys() {
            is_refused(field, &|wrong| wrong["data"][field] = json!([["of no kind"]]));
        }
    }
}

#[test]
fn every_event_of_the_tables_stands_in_the_description_that_the_hub_gives_out() {
    let hub = spawn_hub();
    let document = hub.json(ASYNCAPI_PATH);
    assert_eq!(document, asyncapi_document());
    assert_eq!(
        (&document["asyncapi"], &document["info"]["version"]),
        (&json!("3.0.0"), &json!(env!("CARGO_PKG_VERSION")))
    );
    super::edge::assert_every_reference_resolves(&document, &document);
    let keys = |place: &str| -> BTreeSet<String> {
        document.pointer(place).and_then(Value::as_object).expect(place).keys().cloned().collect()
    };
    let said = ClientEvent::ALL.map(ClientEvent::as_str).into_iter();
    let all: BTreeSet<String> =
        said.chain(ServerEvent::ALL.map(ServerEvent::as_str)).map(str::to_owned).collect();
    assert_eq!(keys("/components/messages"), all);
    let socket = keys("/channels/socket/messages");
    let carried: BTreeSet<String> = socket.union(&keys("/channels/stream/messages")).cloned().collect();
    assert_eq!(carried, all);
    let docs = hub.json("/api/openapi.json");
    assert_eq!(docs["externalDocs"]["url"], ASYNCAPI_PATH);
    hub.provider().post_to(ASYNCAPI_PATH, &[], "{}").refuses(405, "method_not_allowed");
}
