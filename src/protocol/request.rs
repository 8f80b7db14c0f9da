//! What a client may send: the envelope and its requests, read into types or refused with a code.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::channel::{Channel, ID_CHARS_MAX, is_id};
use super::codes::ErrorCode;
use super::depth::{JSON_DEPTH_MAX, is_too_deep};
use super::refusal::{EnvelopeError, refuse};
use super::replay::{ReplayRequest, read_replay};
use super::request_data::{AuthenticateData, PresenceData, SnapshotData, SubscribeData, UnsubscribeData};

/// Longest `id` that a client may give a request, in bytes of JSON. It is sent back, so it is bounded.
pub const REQUEST_ID_BYTES_MAX: usize = 128;
/// Most channels in one request.
pub const CHANNELS_PER_REQUEST_MAX: usize = 100;
/// Most items of one kind in a snapshot.
pub const SNAPSHOT_ITEMS_MAX: u32 = 200;

/// The events that a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientEvent {
    /// Signs in, or replaces the token by a newer one.
    Authenticate,
    RequestUmblerData,
    SubscribeUpdates,
    UnsubscribeUpdates,
    /// Tells others which chat this screen shows.
    SetPresence,
    Ping,
}

impl ClientEvent {
    pub const ALL: [Self; 6] = [
        Self::Authenticate,
        Self::RequestUmblerData,
        Self::SubscribeUpdates,
        Self::UnsubscribeUpdates,
        Self::SetPresence,
        Self::Ping,
    ];

    /// The event as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authenticate => "authenticate",
            Self::RequestUmblerData => "request_umbler_data",
            Self::SubscribeUpdates => "subscribe_updates",
            Self::UnsubscribeUpdates => "unsubscribe_updates",
            Self::SetPresence => "set_presence",
            Self::Ping => "ping",
        }
    }
}

/// A frame that has the form of an envelope.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// The id that the client gave the request, as JSON. The answer carries it.
    pub id: Option<&'a RawValue>,
    /// The event; `None` where clients may not send it.
    pub event: Option<ClientEvent>,
    /// The request, or why it is refused.
    pub request: Result<Request, EnvelopeError>,
}

/// A request that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Authenticate {
        /// A signed JSON Web Token.
        token: String,
    },
    Snapshot(SnapshotLimits),
    Subscribe(SubscribeRequest),
    Unsubscribe {
        /// The channels; `None`: all of them.
        channels: Option<Vec<Channel>>,
    },
    /// Tells others which chat this screen shows.
    SetPresence {
        /// The chat; `None`: no chat.
        chat: Option<String>,
    },
    Ping,
}

/// Most items of each kind in a snapshot, 0 to [`SNAPSHOT_ITEMS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SnapshotLimits {
    /// The contacts with the latest activity.
    pub contacts: u32,
    pub chats: u32,
    pub messages: u32,
}

impl Default for SnapshotLimits {
    fn default() -> Self {
        Self { contacts: 50, chats: 200, messages: 50 }
    }
}

/// What to follow, and from which position on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribeRequest {
    /// At least one; `updates` where the client named none.
    pub channels: Vec<Channel>,
    /// The last position that the client has. Needs `epoch`.
    pub since: Option<i64>,
    /// The epoch of the journal that `since` belongs to.
    pub epoch: Option<String>,
    /// The hash of the scope that the client had at `since`.
    pub scope: Option<String>,
    /// The part of the past to play instead of live updates.
    pub replay: Option<ReplayRequest>,
}

#[derive(Deserialize)]
struct WireEnvelope<'a> {
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Reads one text frame. An `Err` means that the frame has no id to answer to.
    pub fn parse(text: &'a str) -> Result<Self, EnvelopeError> {
        if !is_object(text) {
            return Err(refuse(ErrorCode::BadEnvelope, "not an envelope: a frame must be one JSON object"));
        }
        if is_too_deep(text) {
            let message = format!("not an envelope: it nests deeper than {JSON_DEPTH_MAX} levels");
            return Err(refuse(ErrorCode::BadEnvelope, message));
        }
        let wire: WireEnvelope<'a> = serde_json::from_str(text)
            .map_err(|error| refuse(ErrorCode::BadEnvelope, format!("not an envelope: {error}")))?;
        if let Some(id) = wire.id {
            check_id(id)?;
        }
        let name = wire.event.and_then(|event| serde_json::from_str::<Cow<'a, str>>(event.get()).ok());
        let Some(name) = name else {
            let error = refuse(ErrorCode::BadEnvelope, "not an envelope: event must be a string");
            return Ok(Self { id: wire.id, event: None, request: Err(error) });
        };
        let event = ClientEvent::ALL.into_iter().find(|known| known.as_str() == name);
        Ok(Self { id: wire.id, event, request: read(&name, event, wire.data) })
    }
}

/// True for a JSON object. Serde would also accept an array for a structure.
fn is_object(json: &str) -> bool {
    json.trim_start().starts_with('{')
}

fn check_id(id: &RawValue) -> Result<(), EnvelopeError> {
    let text = id.get();
    let scalar =
        text.starts_with('"') || text.starts_with('-') || text.starts_with(|c: char| c.is_ascii_digit());
    if scalar && text.len() <= REQUEST_ID_BYTES_MAX {
        return Ok(());
    }
    let message = format!("id must be a string or a number of at most {REQUEST_ID_BYTES_MAX} bytes");
    Err(refuse(ErrorCode::BadEnvelope, message))
}

fn read(event: &str, known: Option<ClientEvent>, data: Option<&RawValue>) -> Result<Request, EnvelopeError> {
    let Some(known) = known else {
        let shown: String = event.chars().take(40).collect();
        return Err(refuse(
            ErrorCode::UnsupportedEvent,
            format!("{shown:?} is not an event that a client may send"),
        ));
    };
    match known {
        ClientEvent::Authenticate => read_authenticate(data),
        ClientEvent::RequestUmblerData => read_snapshot(data),
        ClientEvent::SubscribeUpdates => read_subscribe(data),
        ClientEvent::UnsubscribeUpdates => {
            let data: UnsubscribeData = optional(data)?;
            Ok(Request::Unsubscribe { channels: data.channels.as_deref().map(channels).transpose()? })
        }
        ClientEvent::SetPresence => {
            let PresenceData { chat } = optional(data)?;
            if chat.as_deref().is_some_and(|chat| !is_id(chat)) {
                let message = format!("data.chat must be null or an id of 1 to {ID_CHARS_MAX} characters");
                return Err(refuse(ErrorCode::BadRequest, message));
            }
            Ok(Request::SetPresence { chat })
        }
        ClientEvent::Ping => Ok(Request::Ping),
    }
}

/// Data that may be left out; `null` counts as left out.
fn optional<'a, T: Deserialize<'a> + Default>(data: Option<&'a RawValue>) -> Result<T, EnvelopeError> {
    match data.filter(|data| data.get() != "null") {
        None => Ok(T::default()),
        Some(data) if !is_object(data.get()) => Err(refuse(ErrorCode::BadRequest, "data must be an object")),
        Some(data) => serde_json::from_str(data.get())
            .map_err(|error| refuse(ErrorCode::BadRequest, format!("data: {error}"))),
    }
}

fn read_authenticate(data: Option<&RawValue>) -> Result<Request, EnvelopeError> {
    let data: Option<AuthenticateData> = optional(data)?;
    let Some(AuthenticateData { token }) = data else {
        return Err(refuse(ErrorCode::BadRequest, "data.token is missing"));
    };
    Ok(Request::Authenticate { token })
}

fn read_snapshot(data: Option<&RawValue>) -> Result<Request, EnvelopeError> {
    let data: SnapshotData = optional(data)?;
    let default = SnapshotLimits::default();
    let within = |name: &str, asked: Option<u32>, default: u32| match asked {
        None => Ok(default),
        Some(count) if count <= SNAPSHOT_ITEMS_MAX => Ok(count),
        Some(_) => {
            Err(refuse(ErrorCode::BadRequest, format!("data.{name} must be 0 to {SNAPSHOT_ITEMS_MAX}")))
        }
    };
    Ok(Request::Snapshot(SnapshotLimits {
        contacts: within("contacts", data.contacts, default.contacts)?,
        chats: within("chats", data.chats, default.chats)?,
        messages: within("messages", data.messages, default.messages)?,
    }))
}

fn read_subscribe(raw: Option<&RawValue>) -> Result<Request, EnvelopeError> {
    let data: SubscribeData = optional(raw)?;
    let channels = match &data.channels {
        None => vec![Channel::Updates],
        Some(names) => channels(names)?,
    };
    let replay = read_replay(&data, &channels, raw)?;
    if data.since.is_some_and(|since| since < 0) {
        return Err(refuse(ErrorCode::BadRequest, "data.since must not be negative"));
    }
    if data.since.is_some() && data.epoch.is_none() {
        return Err(refuse(ErrorCode::BadRequest, "data.epoch is missing: since is a position in one epoch"));
    }
    Ok(Request::Subscribe(SubscribeRequest {
        channels,
        replay,
        since: data.since,
        epoch: data.epoch,
        scope: data.scope,
    }))
}

fn channels(names: &[String]) -> Result<Vec<Channel>, EnvelopeError> {
    if names.is_empty() || names.len() > CHANNELS_PER_REQUEST_MAX {
        let message = format!("data.channels must name 1 to {CHANNELS_PER_REQUEST_MAX} channels");
        return Err(refuse(ErrorCode::BadRequest, message));
    }
    let mut channels = Vec::with_capacity(names.len());
    for name in names {
        let channel = Channel::parse(name)
            .map_err(|error| refuse(ErrorCode::BadRequest, format!("data.channels: {error}")))?;
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    Ok(channels)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(text: &str) -> ErrorCode {
        match Envelope::parse(text) {
            Err(error) => error.code,
            Ok(envelope) => envelope.request.expect_err(text).code,
        }
    }

    #[test]
    fn a_wrong_frame_is_refused_with_the_code_of_the_table() {
        for (text, expected) in [
            ("", ErrorCode::BadEnvelope),
            ("[]", ErrorCode::BadEnvelope),
            (r#"["ping"]"#, ErrorCode::BadEnvelope),
            ("{}", ErrorCode::BadEnvelope),
            (r#"{"event":1}"#, ErrorCode::BadEnvelope),
            (r#"{"event":"ping","id":{}}"#, ErrorCode::BadEnvelope),
            (r#"{"event":"unknown"}"#, ErrorCode::UnsupportedEvent),
            (r#"{"event":"connection_established"}"#, ErrorCode::UnsupportedEvent),
            (r#"{"event":"authenticate"}"#, ErrorCode::BadRequest),
            (r#"{"event":"authenticate","data":{"token":7}}"#, ErrorCode::BadRequest),
            (r#"{"event":"request_umbler_data","data":{"chats":201}}"#, ErrorCode::BadRequest),
            (r#"{"event":"request_umbler_data","data":{"chats":-1}}"#, ErrorCode::BadRequest),
            (r#"{"event":"request_umbler_data","data":[]}"#, ErrorCode::BadRequest),
            (r#"{"event":"subscribe_updates","data":{"channels":[]}}"#, ErrorCode::BadRequest),
            (r#"{"event":"subscribe_updates","data":{"channels":["x"]}}"#, ErrorCode::BadRequest),
            (r#"{"event":"subscribe_updates","data":{"since":1}}"#, ErrorCode::BadRequest),
            (r#"{"event":"subscribe_updates","data":{"since":-1,"epoch":"e"}}"#, ErrorCode::BadRequest),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let parse = |text| Envelope::parse(text).unwrap().request.unwrap();
        assert_eq!(
            parse(r#"{"event":"request_umbler_data"}"#),
            Request::Snapshot(SnapshotLimits { contacts: 50, chats: 200, messages: 50 })
        );
        let Request::Subscribe(subscribe) = parse(r#"{"event":"subscribe_updates","data":null}"#) else {
            panic!("not a subscribe")
        };
        assert_eq!(subscribe.channels, [Channel::Updates]);
    }

    proptest! {
        #[test]
        fn no_frame_makes_the_reader_panic(text in ".{0,300}") {
            drop(Envelope::parse(&text).map(|envelope| envelope.request));
        }

        #[test]
        fn no_envelope_with_odd_data_makes_the_reader_panic(
            event in prop::sample::select(vec!["authenticate", "request_umbler_data", "subscribe_updates", "unsubscribe_updates", "ping", "x"]),
            data in r#"(null|\{\}|\[\]|1e999|"\\ud800"|\{"channels":\[[^\]]{0,20}\]\}|\{"since":[0-9.e-]{1,9}\}|[^x]{0,40})"#,
        ) {
            let text = format!(r#"{{"event":"{event}","id":7,"data":{data}}}"#);
            drop(Envelope::parse(&text).map(|envelope| envelope.request));
        }
    }
}
