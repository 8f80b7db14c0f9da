//! A screen that keeps its snapshot current with updates, as `docs/protocol.md` tells clients to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::hub::Hub;
use super::screen::Screen;

/// What the client knows.
pub struct Mirror {
    screen: Screen,
    token: String,
    /// The position, epoch and scope that it reconnects with.
    position: (i64, Value, Value),
    /// Snapshots that it asked for and has not got yet, because a reader takes its time.
    awaited: usize,
    /// Number of missed updates that are still to come.
    replayed: u64,
    stats: Value,
    chats: BTreeMap<String, Value>,
    contacts: BTreeMap<String, Value>,
    messages: BTreeMap<String, Value>,
}

fn id(item: &Value) -> String {
    item["id"].as_str().expect("an id").to_owned()
}

impl Mirror {
    /// A new screen with its snapshot.
    pub fn begin(hub: &Hub, token: String) -> Self {
        let mut mirror = Self {
            screen: hub.screen().signed_in(&token),
            token,
            position: (0, Value::Null, Value::Null),
            awaited: 0,
            replayed: 0,
            stats: Value::Null,
            chats: BTreeMap::new(),
            contacts: BTreeMap::new(),
            messages: BTreeMap::new(),
        };
        mirror.screen.says("subscribe_updates", json!({ "channels": ["updates", "stats"] }));
        mirror.ask_for_snapshot();
        mirror.catch_up();
        mirror
    }

    /// The token that it signs in with.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The position that it reconnects with.
    pub fn position(&self) -> i64 {
        self.position.0
    }

    /// The socket broke: it reconnects with its position.
    pub fn come_back(&mut self, hub: &Hub) {
        self.screen = hub.screen().signed_in(&self.token);
        let (since, epoch, scope) = &self.position;
        let data =
            json!({ "channels": ["updates", "stats"], "since": since, "epoch": epoch, "scope": scope });
        self.screen.says("subscribe_updates", data);
        (self.awaited, self.replayed) = (0, 0);
        loop {
            let envelope = self.screen.hears_anything();
            self.take(&envelope);
            if envelope["event"] == "subscribed" {
                return self.catch_up();
            }
        }
    }

    /// Continues with another token.
    pub fn sign_in(&mut self, token: String) {
        self.screen.says("authenticate", json!({ "token": token }));
        self.token = token;
        self.catch_up();
    }

    /// Handles whatever has come, and the answers to what it asks because of that.
    pub fn catch_up(&mut self) {
        for envelope in self.screen.catches_up() {
            self.take(&envelope);
        }
        while self.awaited > 0 || self.replayed > 0 {
            let envelope = self.screen.hears_anything();
            self.take(&envelope);
        }
        self.await_stats(self.position.0);
    }

    /// Counters come a moment after the updates that they count, at most four times a second.
    fn await_stats(&mut self, seq: i64) {
        while self.stats["asOfSeq"].as_i64() < Some(seq) {
            let envelope = self.screen.hears_anything();
            self.take(&envelope);
        }
    }

    fn take(&mut self, envelope: &Value) {
        let data = &envelope["data"];
        match envelope["event"].as_str().expect("an event") {
            "umbler_data" => self.begin_with(data),
            "umbler_update" => {
                self.replayed = self.replayed.saturating_sub(1);
                self.apply(envelope["seq"].as_i64().expect("a position"), data);
            }
            "umbler_stats" => self.stats = data.clone(),
            "resync_required" => self.ask_for_snapshot(),
            "subscribed" if data["recovered"] == false && self.awaited == 0 => self.ask_for_snapshot(),
            "subscribed" => self.replayed = data["replayed"].as_u64().expect("a count"),
            "authenticated" => {}
            other => panic!("unexpected {other}: {envelope}"),
        }
    }

    fn ask_for_snapshot(&mut self) {
        self.awaited += 1;
        self.screen.says("request_umbler_data", json!({ "contacts": 200, "chats": 200, "messages": 200 }));
    }

    fn begin_with(&mut self, data: &Value) {
        self.awaited -= 1;
        let list = |name: &str| {
            let items = data[name].as_array().expect("a list").iter();
            items.map(|item| (id(item), item.clone())).collect::<BTreeMap<_, _>>()
        };
        self.position =
            (data["seq"].as_i64().expect("a position"), data["epoch"].clone(), data["scope"].clone());
        self.stats = data["stats"].clone();
        (self.chats, self.contacts) = (list("chats"), list("contacts"));
        self.messages = list("recentMessages");
    }

    fn apply(&mut self, seq: i64, data: &Value) {
        if seq <= self.position.0 {
            // The snapshot contains it already.
            return;
        }
        self.position.0 = seq;
        for member in data["members"].as_array().into_iter().flatten() {
            self.rename(member);
        }
        if data["type"] == "chat_gone" {
            let gone = id(&data["chat"]);
            self.chats.remove(&gone);
            self.messages.retain(|_, message| message["chatId"] != gone.as_str());
            if data["contactGone"] == true {
                self.contacts.retain(|known, _| data["contact"]["id"] != known.as_str());
                return;
            }
        }
        if data["chat"].is_object() && data["type"] != "chat_gone" {
            self.chats.insert(id(&data["chat"]), data["chat"].clone());
        }
        if data["contact"].is_object() {
            let contact = &data["contact"];
            for chat in self.chats.values_mut().filter(|chat| chat["contactId"] == contact["id"]) {
                chat["contactName"] = contact["name"].clone();
                chat["contactPhone"] = contact["phone"].clone();
            }
            self.contacts.insert(id(contact), contact.clone());
        }
        let further = data["otherMessages"].as_array().into_iter().flatten();
        for message in data["message"].is_object().then_some(&data["message"]).into_iter().chain(further) {
            self.messages.insert(id(message), message.clone());
        }
    }

    /// An agent has another name now, wherever they occur.
    fn rename(&mut self, member: &Value) {
        let named = |agent: &&mut Value| agent["id"] == member["id"];
        for chat in self.chats.values_mut() {
            let fields = chat.as_object_mut().expect("a chat");
            for field in ["owner", "members"] {
                let people = match fields.get_mut(field) {
                    Some(Value::Array(members)) => members.iter_mut().collect(),
                    Some(owner @ Value::Object(_)) => vec![owner],
                    _ => Vec::new(),
                };
                people.into_iter().filter(named).for_each(|agent| agent["name"] = member["name"].clone());
            }
        }
        for message in self.messages.values_mut().filter(|message| message["source"] == "Member") {
            if message["author"]["id"] == member["id"] {
                message["author"]["name"] = member["name"].clone();
            }
        }
    }

    /// Asserts that both know the same where both know something, and that the counters are equal. Positions
    /// may differ, because events outside a scope do not move its position.
    pub fn agrees_with(&mut self, fresh: &Self) {
        self.await_stats(fresh.stats["asOfSeq"].as_i64().expect("a position"));
        assert_eq!((&self.position.1, &self.position.2), (&fresh.position.1, &fresh.position.2));
        assert_eq!(self.stats, fresh.stats);
        for (name, own, theirs) in [
            ("chat", &self.chats, &fresh.chats),
            ("contact", &self.contacts, &fresh.contacts),
            ("message", &self.messages, &fresh.messages),
        ] {
            for (id, item) in own {
                if let Some(other) = theirs.get(id) {
                    assert_eq!(item, other, "{name} {id}");
                } else {
                    // Closed chats are not in a snapshot; everything else that is visible is.
                    assert!(
                        name == "chat" && item["open"] == false,
                        "{name} {id} is held and not seen: {item}"
                    );
                }
            }
            for id in theirs.keys() {
                let known = own.contains_key(id);
                assert!(known || name != "chat", "chat {id} is open and not held");
            }
        }
    }
}
