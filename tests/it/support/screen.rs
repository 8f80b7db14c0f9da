//! A client: one real WebSocket that speaks the protocol.

use std::net::TcpStream;
use std::time::Instant;

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, Message, WebSocket, client};

use super::PATIENCE;
use super::hub::Hub;

/// A connected screen.
pub struct Screen {
    socket: WebSocket<TcpStream>,
    /// The data of `connection_established`.
    pub welcome: Value,
    /// What the hub says of its own state is skipped.
    ignores_status: bool,
}

impl Screen {
    /// Connects, and reads the first event.
    pub fn connect(hub: &Hub) -> Self {
        Self::connect_with(hub, &[])
            .unwrap_or_else(|status| panic!("the handshake was answered with {status}"))
    }

    /// Connects with these headers; fails with the status where the handshake is refused.
    pub fn connect_with(hub: &Hub, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut screen =
            Self { socket: handshake(hub, headers)?, welcome: Value::Null, ignores_status: false };
        screen.welcome = screen.hears("connection_established");
        Ok(screen)
    }

    /// Connects where the hub closes the socket instead of sending the first event.
    pub fn connect_unwelcome(hub: &Hub) -> Self {
        let socket =
            handshake(hub, &[]).unwrap_or_else(|status| panic!("the handshake was answered with {status}"));
        Self { socket, welcome: Value::Null, ignores_status: false }
    }

    /// From now on skips what the hub says of its own state: how often it does depends on time.
    pub fn ignoring_status(mut self) -> Self {
        self.ignores_status = true;
        self
    }

    /// Subscribes to these channels, and reads the answer.
    pub fn watching(mut self, channels: &[&str]) -> Self {
        self.says("subscribe_updates", json!({ "channels": channels }));
        self.hears("subscribed");
        self
    }

    /// Reconnects with a position, and returns the data of `subscribed`.
    pub fn comes_back(&mut self, channels: &[&str], since: i64, epoch: &Value) -> Value {
        self.says("subscribe_updates", json!({ "channels": channels, "since": since, "epoch": epoch }));
        self.hears("subscribed")
    }

    /// The positions of the next updates, up to and including this one.
    pub fn hears_updates_until(&mut self, seq: i64) -> Vec<i64> {
        let mut heard = Vec::new();
        while heard.last() != Some(&seq) {
            let envelope = self.hears_anything();
            assert_eq!(envelope["event"], "umbler_update", "{envelope}");
            heard.push(envelope["seq"].as_i64().expect("a position"));
        }
        heard
    }

    /// Signs in, and reads the answer.
    pub fn signed_in(mut self, token: &str) -> Self {
        self.says("authenticate", json!({ "token": token }));
        self.hears("authenticated");
        self
    }

    /// Sends an event.
    #[expect(clippy::needless_pass_by_value, reason = "tests write `json!` in place")]
    pub fn says(&mut self, event: &str, data: Value) {
        self.sends(&json!({ "event": event, "data": data }).to_string());
    }

    /// Sends any text.
    pub fn sends(&mut self, text: &str) {
        self.send(Message::text(text));
    }

    /// Sends any frame.
    pub fn send(&mut self, message: Message) {
        self.socket.send(message).expect("the socket is open");
    }

    /// The socket itself, for bytes that no client library would send.
    pub fn stream(&mut self) -> &mut TcpStream {
        self.socket.get_mut()
    }

    /// The next envelope of any kind. Heartbeats, which come at any time, are skipped.
    pub fn hears_anything(&mut self) -> Value {
        let begun = Instant::now();
        loop {
            // Heartbeats come more often than the socket's own limit.
            assert!(begun.elapsed() < PATIENCE, "the screen heard nothing but heartbeats");
            let envelope = match self.socket.read() {
                Ok(Message::Text(text)) => serde_json::from_str::<Value>(&text).expect("every frame is JSON"),
                Ok(Message::Ping(_) | Message::Pong(_)) => continue,
                Ok(other) => panic!("the screen heard {other:?}"),
                Err(error) => panic!("the screen heard nothing: {error}"),
            };
            assert!(envelope["timestamp"].is_string(), "every envelope carries its time: {envelope}");
            let is_skipped = self.ignores_status && envelope["event"] == "hub_status";
            if envelope["event"] != "heartbeat" && !is_skipped {
                return envelope;
            }
        }
    }

    /// The next envelope must be this event; its data.
    pub fn hears(&mut self, event: &str) -> Value {
        let envelope = self.hears_anything();
        assert_eq!(envelope["event"], event, "{envelope}");
        envelope["data"].clone()
    }

    /// The next envelope must be an update of this type; the whole envelope.
    pub fn hears_update(&mut self, update_type: &str) -> Value {
        let envelope = self.hears_anything();
        assert_eq!(envelope["event"], "umbler_update", "{envelope}");
        assert_eq!(envelope["data"]["type"], update_type, "{envelope}");
        envelope
    }

    /// The next envelope must be an error of this code; its data.
    pub fn hears_error(&mut self, code: &str) -> Value {
        let error = self.hears("error");
        assert_eq!(error["code"], code, "{error}");
        error
    }

    /// Reads everything until the connection breaks.
    pub fn hears_until_it_breaks(&mut self) -> Vec<Value> {
        let mut heard = Vec::new();
        while let Ok(message) = self.socket.read() {
            if let Message::Text(text) = message {
                let envelope: Value = serde_json::from_str(&text).expect("every frame is JSON");
                if envelope["event"] != "heartbeat" {
                    heard.push(envelope);
                }
            }
        }
        heard
    }

    /// What comes before the next heartbeat, and the heartbeat's data; `None` where the connection ends first.
    pub fn hears_until_heartbeat(&mut self) -> Option<(Vec<Value>, Value)> {
        let mut heard = Vec::new();
        while let Ok(message) = self.socket.read() {
            if let Message::Text(text) = message {
                let mut envelope: Value = serde_json::from_str(&text).expect("every frame is JSON");
                if envelope["event"] == "heartbeat" {
                    return Some((heard, envelope["data"].take()));
                }
                heard.push(envelope);
            }
        }
        None
    }

    /// Reads the envelopes that are on their way, until the socket is closed; returns the code.
    pub fn is_closed_with(&mut self) -> u16 {
        loop {
            match self.socket.read() {
                Ok(Message::Close(Some(frame))) => return frame.code.into(),
                Ok(Message::Close(None)) => return 1005,
                Ok(_) => {}
                Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(_)) => return 1006,
                Err(error) => panic!("the screen was not closed: {error}"),
            }
        }
    }

    /// Proves by an answer that everything which the hub sent before was read, and returns it. The answer must
    /// come from the hub: a `pong` comes from the session and may overtake what the hub sends.
    pub fn catches_up(&mut self) -> Vec<Value> {
        let nothing = json!({ "contacts": 0, "chats": 0, "messages": 0 });
        self.sends(&json!({ "event": "request_umbler_data", "id": "fence", "data": nothing }).to_string());
        let mut heard = Vec::new();
        loop {
            let envelope = self.hears_anything();
            // An error will do as well, since the hub sends nothing to a screen that may not ask.
            if envelope["id"] == "fence" {
                return heard;
            }
            heard.push(envelope);
        }
    }

    /// Asks for the snapshot.
    pub fn snapshot(&mut self) -> Value {
        self.says("request_umbler_data", json!({}));
        self.hears("umbler_data")
    }
}

fn handshake(hub: &Hub, headers: &[(&'static str, &str)]) -> Result<WebSocket<TcpStream>, u16> {
    let stream = TcpStream::connect(hub.address()).expect("the hub listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_nodelay(true).expect("no delay");
    let mut request = format!("ws://{}/ws", hub.address()).into_client_request().expect("a request");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    match client(request, stream) {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
        Err(error) => panic!("the handshake failed: {error}"),
    }
}
