//! Umbler Talk, as far as its webhook goes: deliveries in its real format.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use umbler_hub::facade::rules::KNOWN_TYPES;

use super::hub::{Answer, Hub};

/// When test conversations start: a Monday morning in São Paulo.
pub const START: &str = "2026-03-02T13:00:00Z";

/// The bytes of a delivery in `tests/fixtures/deliveries`.
pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The folder of the fixtures.
pub fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/deliveries")
}

/// The deliveries of a file in `tests/fixtures/faults`, one per line: inputs that once made the hub show
/// something wrong.
pub fn fault_lines(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/faults").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub fn fault(name: &str) -> Vec<Delivery> {
    fault_lines(name).lines().map(|line| Delivery(serde_json::from_str(line).expect("JSON"))).collect()
}

/// The moment `seconds` after [`START`], as the provider writes it.
pub fn moment(seconds: i64) -> String {
    let start: Timestamp = START.parse().expect("a moment");
    format!("{:.3}", start + SignedDuration::from_secs(seconds))
}

/// The sender of deliveries.
pub struct Provider<'a> {
    hub: &'a Hub,
}

impl<'a> Provider<'a> {
    pub fn new(hub: &'a Hub) -> Self {
        Self { hub }
    }

    /// Posts a delivery that must be accepted.
    pub fn posts(&self, delivery: &Delivery) -> Value {
        let answer = self.post(delivery.0.to_string());
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// Posts a fixture that must be accepted.
    pub fn posts_fixture(&self, name: &str) -> Value {
        let answer = self.post(fixture(name));
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        answer.json()
    }

    /// Posts every line of a file in `tests/fixtures/faults`, in order. Each must be accepted.
    pub fn posts_lines(&self, name: &str) {
        for line in fault_lines(name).lines() {
            let answer = self.post(line);
            assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        }
    }

    /// A customer writes in this chat.
    pub fn says(&self, chat: &str, text: &str) -> Value {
        self.posts(&Delivery::message(chat).text(text))
    }

    /// Posts any bytes to the webhook.
    pub fn post(&self, body: impl AsRef<[u8]>) -> Answer {
        self.post_to("/api/umbler/webhook", &[("content-type", "application/json")], body)
    }

    /// Posts any bytes to any path.
    pub fn post_to(&self, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
        let mut request = self.hub.agent().post(self.hub.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::from(request.send(body.as_ref()).expect("the hub answers"))
    }
}

/// A delivery that is being made: a waiting chat with a text of its contact, unless something else is set.
#[derive(Debug, Clone)]
pub struct Delivery(pub Value);

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Delivery {
    /// A new message of the chat's contact, one second after the one before.
    pub fn message(chat: &str) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let base =
            serde_json::from_slice(&fixture("01_message_text_contact.json")).expect("the fixture is JSON");
        Self(base)
            .event_id(&format!("event-{number:010}"))
            .message_id(&format!("message-{number:08}"))
            .chat(chat)
            .at(i64::try_from(number).expect("a small number"))
    }

    /// An event of another type that is understood, which repeats the chat and has no message of its own.
    pub fn of_type(event_type: &str, chat: &str) -> Self {
        assert!(KNOWN_TYPES.contains(&event_type), "{event_type} would not be understood");
        Self::of_any_type(event_type, chat)
    }

    /// As [`Self::of_type`], of a type that may be unknown.
    pub fn of_any_type(event_type: &str, chat: &str) -> Self {
        Self::message(chat).set("/Type", json!(event_type)).without_message()
    }

    /// Sets any field.
    pub fn set(mut self, pointer: &str, value: Value) -> Self {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let object = self.0.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}"));
        object[key] = value;
        self
    }

    /// Sets a field of the chat.
    pub fn chat_field(self, key: &str, value: Value) -> Self {
        self.set(&format!("/Payload/Content/{key}"), value)
    }

    /// Sets a field of the message.
    pub fn message_field(self, key: &str, value: Value) -> Self {
        self.set(&format!("/Payload/Content/LastMessage/{key}"), value)
    }

    pub fn event_id(self, id: &str) -> Self {
        self.set("/EventId", json!(id))
    }

    /// Sets chat and contact; each chat has a contact of its own.
    pub fn chat(self, id: &str) -> Self {
        self.chat_field("Id", json!(id))
            .message_field("Chat", json!({ "Id": id }))
            .set("/Payload/Content/Contact/Id", json!(format!("contact-of-{id}")))
    }

    pub fn message_id(self, id: &str) -> Self {
        self.message_field("Id", json!(id))
    }

    pub fn text(self, text: &str) -> Self {
        self.message_field("Content", json!(text))
    }

    /// Sets when the event was emitted, and when its message happened and was created, in seconds after
    /// [`START`].
    pub fn at(self, seconds: i64) -> Self {
        let at = json!(moment(seconds));
        self.emitted_at(seconds).message_field("EventAtUTC", at.clone()).message_field("CreatedAtUTC", at)
    }

    /// Sets when the event was emitted.
    pub fn emitted_at(self, seconds: i64) -> Self {
        self.set("/EventDate", json!(moment(seconds)))
    }

    pub fn source(self, source: &str) -> Self {
        self.message_field("Source", json!(source))
    }

    /// Sent by an agent, who ends the wait.
    pub fn by_member(self, id: &str) -> Self {
        self.source("Member").message_field("SentByOrganizationMember", json!({ "Id": id }))
    }

    pub fn owner(self, id: &str) -> Self {
        self.chat_field("OrganizationMember", json!({ "Id": id, "Muted": false, "TotalUnread": null }))
    }

    pub fn waiting(self, waiting: bool) -> Self {
        self.chat_field("Waiting", json!(waiting))
    }

    pub fn closed(self, seconds: i64) -> Self {
        self.chat_field("Open", json!(false))
            .waiting(false)
            .chat_field("WaitingSinceUTC", Value::Null)
            .chat_field("ClosedAtUTC", json!(moment(seconds)))
    }

    pub fn without_message(self) -> Self {
        self.chat_field("LastMessage", Value::Null)
    }

    /// Its `EventId`.
    pub fn id(&self) -> &str {
        self.0["EventId"].as_str().expect("an id")
    }

    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }
}
