//! A hub that sends, and the provider that it sends to: its webhooks come to the hub by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use umbler_hub::facade::testing::FakeApi;

use super::api::{api, linked, said};
use super::hub::{Answer, Hub, hub_with};
use super::provider::Delivery;
use super::screen::Screen;
use super::{PATIENCE, keys};

/// A hub with sending switched on, its provider, and the thread that posts the provider's webhooks.
pub struct Sending {
    pub hub: Hub,
    pub api: Arc<FakeApi>,
    posting: Option<Posting>,
    /// The header of who reads; `None` where the hub asks nobody.
    reader: Option<String>,
}

/// The thread that posts; it ends when this is dropped.
struct Posting {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Posting {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it posts");
        }
    }
}

/// Settings with which a hub sends, without a prefix and with a short look for what is unclear.
pub const SENDING: [(&str, &str); 2] = [("UMBLER_SEND", "on"), ("UMBLER_SEND_LOOK_SECONDS", "5")];

impl Sending {
    pub fn new(more: &[(&str, &str)]) -> Self {
        let api = Arc::new(api());
        let settings: Vec<_> = SENDING.iter().chain(more).copied().collect();
        let hub = linked(&api, &settings);
        Self::of(hub, api)
    }

    /// The same with a hub that has no token of the API yet.
    pub fn without_token() -> Self {
        let api = Arc::new(api());
        let url = api.url();
        let at = [("UMBLER_API_URL", &*url), ("UMBLER_RECONCILE_SECONDS", "86400")];
        let settings: Vec<_> = SENDING.iter().chain(&at).copied().collect();
        Self::of(hub_with(&settings), api)
    }

    /// A hub that runs, and its provider.
    pub fn of(hub: Hub, api: Arc<FakeApi>) -> Self {
        let mut sending = Self { hub, api, posting: None, reader: None };
        sending.posts_webhooks();
        sending
    }

    /// The same with a hub that wants tokens, so that many users can send; an admin reads.
    pub fn with_users(more: &[(&str, &str)]) -> Self {
        let settings: Vec<_> = more.iter().copied().chain([("JWT_SECRET", keys::SECRET)]).collect();
        let reader = Some(bearer(json!({ "sub": "root", "role": "admin" })));
        Self { reader, ..Self::new(&settings) }
    }

    /// What the hub answers to whoever reads.
    pub fn reads(&self, path: &str) -> Value {
        let headers: Vec<(&str, &str)> =
            self.reader.iter().map(|reader| ("authorization", reader.as_str())).collect();
        let answer = self.hub.get_with(path, &headers);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// Posts the provider's webhooks to the hub that runs now. One that the hub does not take is lost.
    pub fn posts_webhooks(&mut self) {
        self.posting = None;
        let (api, stop) = (Arc::clone(&self.api), Arc::new(AtomicBool::new(false)));
        let (stopped, url) = (Arc::clone(&stop), self.hub.url("/api/umbler/webhook"));
        let agent = self.hub.agent().clone();
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if let Some(webhook) = api.next_webhook(Duration::from_millis(50)) {
                    drop(agent.post(&url).send(&webhook[..]));
                }
            }
        });
        self.posting = Some(Posting { stop, thread: Some(thread) });
    }

    /// A chat on a WhatsApp line whose customer wrote so many seconds ago; hub and provider know it.
    pub fn chat(&self, id: &str, seconds: i64) {
        let delivery = self.said(id, seconds);
        self.hub.provider().posts(&delivery);
        self.api.world(|world| world.absorb(&delivery.bytes()));
    }

    /// What the customer of a chat wrote so many seconds ago.
    pub fn said(&self, id: &str, seconds: i64) -> Delivery {
        said(id, seconds)
            .chat_field("Channel", json!({ "Id": "line", "Name": "Loja", "ChannelType": "WhatsappApi" }))
            .chat_field("Organization", json!({ "Id": self.api.world(|world| world.organization.clone()) }))
    }

    /// Asks the hub to send.
    pub fn asks(&self, chat: &str, body: &Value) -> Answer {
        let path = format!("/api/umbler/chats/{chat}/messages");
        let headers = [("content-type", "application/json")];
        self.hub.provider().post_to(&path, &headers, body.to_string())
    }

    /// Has one of many users ask it.
    pub fn asks_as(&self, user: usize, chat: &str, body: &Value) -> Answer {
        let path = format!("/api/umbler/chats/{chat}/messages");
        let user = bearer(json!({ "sub": format!("user{user}"), "role": "agent" }));
        let headers = [("content-type", "application/json"), ("authorization", &*user)];
        self.hub.provider().post_to(&path, &headers, body.to_string())
    }

    /// Sends a text; the entry's id.
    pub fn sends(&self, chat: &str, text: &str) -> String {
        let answer = self.asks(chat, &json!({ "text": text }));
        assert_eq!(answer.status, 202, "{}", answer.text);
        let answer = answer.json();
        assert_eq!(answer["state"], "queued", "{answer}");
        answer["outboxId"].as_str().expect("an id").to_owned()
    }

    pub fn entry(&self, id: &str) -> Value {
        self.reads(&format!("/api/umbler/outbox/{id}"))["outbox"].clone()
    }

    /// Waits until an entry is in one of these states.
    pub fn becomes(&self, id: &str, states: &[&str]) -> Value {
        let begun = Instant::now();
        loop {
            let entry = self.entry(id);
            if states.iter().any(|state| entry["state"] == *state) {
                return entry;
            }
            assert!(begun.elapsed() < PATIENCE, "{states:?}: {entry}");
            std::thread::yield_now();
        }
    }

    /// Waits until the hub has a message with this id that is as wanted.
    pub fn message(&self, chat: &str, id: &Value, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let list = self.reads(&format!("/api/umbler/chats/{chat}/messages"))["messages"].clone();
            let found = list.as_array().expect("a list").iter().find(|message| message["id"] == *id).cloned();
            if let Some(message) = found.filter(|message| wanted(message)) {
                return message;
            }
            assert!(begun.elapsed() < PATIENCE, "{list:#}");
            std::thread::yield_now();
        }
    }
}

/// What the next update of the outbox says that an entry is.
pub fn hears_entry(screen: &mut Screen) -> Value {
    loop {
        let update = screen.hears("umbler_update");
        if update["type"] == "outbox_updated" {
            return update["outbox"].clone();
        }
    }
}

/// The header of a token with these claims.
pub fn bearer(claims: Value) -> String {
    format!("Bearer {}", keys::token(claims))
}

impl Sending {
    /// Kills the hub with `kill -9`, while nothing that the provider posts reaches it.
    pub fn killed(self) -> (Hub, Arc<FakeApi>) {
        let Self { mut hub, api, posting, .. } = self;
        drop(posting);
        hub.kill();
        (hub, api)
    }

    /// Kills the hub with `kill -9` and starts it again on the same database, with the same provider.
    pub fn killed_and_started_again(self) -> Self {
        let Self { hub, api, posting, reader } = self;
        drop(posting);
        let mut again = Self { hub: hub.restarted(), api, posting: None, reader };
        again.posts_webhooks();
        again
    }
}
