//! What the simulated provider knows: chats and messages, taken from its own deliveries, and agents, lines and webhooks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::tools::simulate::cast;
use crate::umbler::KNOWN_TYPES;

/// Message states in the order in which they follow each other. A failed message stays failed, whatever comes later.
pub(super) const STATES: [&str; 5] = ["Processing", "Sent", "Delivered", "Read", "Failed"];

/// Everything that the simulated provider knows.
pub struct World {
    pub(super) chats: BTreeMap<String, FakeChat>,
    pub organization: String,
    /// Agents, as the API answers them.
    pub members: Vec<Value>,
    /// The agents who are at work at the moment, in the form in which the API answers them.
    pub online: Vec<Value>,
    /// Lines, as the API answers them.
    pub channels: Vec<Value>,
    /// Webhooks, as the API answers them.
    pub webhooks: Vec<Value>,
    /// Where the files of messages are, by the messages' ids; over what deliveries said.
    pub files: BTreeMap<String, String>,
    /// Tags, as REST has them.
    pub tags: Vec<Value>,
    /// Sectors, as REST has them.
    pub sectors: Vec<Value>,
}

#[derive(Default)]
pub(super) struct FakeChat {
    /// The chat as the API answers it, without messages.
    pub(super) content: Value,
    /// Its assignments, as the API answers them.
    history: Vec<Value>,
    owner: Option<String>,
    /// The time and id of the newest delivery.
    told: Option<(Timestamp, String)>,
    /// When it came to the top of the list of chats without a message.
    pub(super) risen_at: Option<Timestamp>,
    pub(super) messages: BTreeMap<String, Message>,
}

pub(super) struct Message {
    /// The message as the API answers it.
    pub(super) value: Value,
    pub(super) at: Timestamp,
    /// The time and id of the newest delivery of it.
    told: (Timestamp, String),
}

impl Default for World {
    fn default() -> Self {
        let agents = cast::AGENTS.iter().zip(cast::SIGNATURES);
        let members = agents.map(|(id, name)| {
            json!({ "_t": "OrganizationHumanAgentReferenceModel", "id": id, "displayName": name, "active": true,
                "emailAddress": null, "profilePictureUrl": format!("https://files.example.com/{name}.png") })
        });
        // The last one has the day off.
        let online = cast::AGENTS.iter().zip(cast::SIGNATURES).rev().skip(1).rev();
        let online = online.map(|(id, name)| json!({ "id": id, "displayName": name }));
        let channels = cast::CHANNELS
            .iter()
            .map(|(id, name, kind, _)| json!({ "id": id, "name": name, "channelType": kind }));
        Self {
            chats: BTreeMap::new(),
            organization: cast::ORGANIZATION.to_owned(),
            members: members.collect(),
            online: online.collect(),
            channels: channels.collect(),
            webhooks: Vec::new(),
            files: BTreeMap::new(),
            tags: named(&cast::TAGS),
            sectors: named(&cast::SECTORS),
        }
    }
}

fn named(list: &[(&str, &str)]) -> Vec<Value> {
    list.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect()
}

impl World {
    /// A message as the API answers it, with the address of its file.
    pub(super) fn with_file(&self, id: &str, message: &Message) -> Value {
        let mut value = message.value.clone();
        if let Some(url) = self.files.get(id) {
            if value["file"].is_null() {
                value["file"] = json!({});
            }
            value["file"]["url"] = json!(url);
        }
        value
    }

    /// All deliveries are posted to this address.
    pub fn posts_to(&mut self, url: &str) {
        let channels: Vec<Value> =
            self.channels.iter().map(|channel| json!({ "id": channel["id"] })).collect();
        self.webhooks = vec![
            json!({ "id": "hub", "name": "Umbler Hub", "url": url, "paused": false, "forChannels": channels,
                "events": KNOWN_TYPES }),
        ];
    }

    /// Creates the webhook that a request describes. A line posts to one application, so the other webhooks lose its lines.
    pub(super) fn register(&mut self, body: &[u8]) -> (u16, Value) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        if body["organizationId"] != json!(self.organization) {
            return (403, json!({ "message": "this organization is not the token's" }));
        }
        let (Some(name), Some(url), Some(channels)) =
            (body["name"].as_str(), body["url"].as_str(), body["channelIds"].as_array())
        else {
            return (400, json!({ "message": "name, url and channelIds are required" }));
        };
        if let Some(unknown) =
            channels.iter().find(|id| self.channels.iter().all(|known| known["id"] != **id))
        {
            return (400, json!({ "message": format!("there is no channel {unknown}") }));
        }
        for other in &mut self.webhooks {
            if let Some(lines) = other["forChannels"].as_array_mut() {
                lines.retain(|line| !channels.contains(&line["id"]));
            }
        }
        let lines: Vec<Value> = channels.iter().map(|id| json!({ "id": id })).collect();
        let webhook = json!({ "id": format!("webhook-{}", self.webhooks.len() + 1), "name": name, "url": url,
            "paused": false, "forChannels": lines, "events": KNOWN_TYPES });
        self.webhooks.push(webhook.clone());
        (200, webhook)
    }

    /// The provider has paused all webhooks.
    pub fn pause_webhooks(&mut self) {
        for webhook in &mut self.webhooks {
            webhook["paused"] = json!(true);
        }
    }

    /// Agents have pictures that this stand-in draws itself. `url` is its address.
    pub fn has_pictures_at(&mut self, url: &str) {
        for member in &mut self.members {
            if let Some(name) = member["displayName"].as_str() {
                member["profilePictureUrl"] = json!(format!("{url}/pictures/{name}.svg"));
            }
        }
    }

    /// Takes in a delivery, in any order. Deliveries without a chat are ignored.
    pub fn absorb(&mut self, delivery: &[u8]) {
        let Ok(envelope) = serde_json::from_slice::<Value>(delivery) else { return };
        let content = &envelope["Payload"]["Content"];
        let (Some(id), Some(event)) = (content["Id"].as_str(), envelope["EventId"].as_str()) else { return };
        let Some(at) = moment(&envelope["EventDate"]) else { return };
        if envelope["Payload"]["Type"] == "Chat" {
            self.chats.entry(id.to_owned()).or_default().absorb(content, (at, event.to_owned()));
        }
    }

    /// A message of any chat.
    pub(super) fn message(&self, id: &str) -> Option<&Message> {
        self.chats.values().find_map(|chat| chat.messages.get(id))
    }

    /// The ids of all messages, sorted.
    pub fn message_ids(&self) -> Vec<String> {
        self.message_ids_since(Timestamp::MIN)
    }

    /// The ids of the messages since a moment, sorted.
    pub fn message_ids_since(&self, from: Timestamp) -> Vec<String> {
        let messages = self.chats.values().flat_map(|chat| &chat.messages);
        let mut ids: Vec<String> =
            messages.filter(|(_, message)| message.at >= from).map(|(id, _)| id.clone()).collect();
        ids.sort();
        ids
    }
}

impl FakeChat {
    fn absorb(&mut self, content: &Value, told: (Timestamp, String)) {
        for name in ["LastMessage", "Message"] {
            let message = &content[name];
            let (Some(id), Some(at)) = (message["Id"].as_str(), moment(&message["EventAtUTC"])) else {
                continue;
            };
            let mut value = camel(message);
            value["_t"] = json!("MessageModel");
            let known = self.messages.remove(id);
            self.messages.insert(id.to_owned(), Message::merged(known, value, at, told.clone()));
        }
        if self.told.as_ref().is_none_or(|known| *known < told) {
            let owner = content["OrganizationMember"]["Id"].as_str();
            if let Some(owner) = owner.filter(|owner| Some(*owner) != self.owner.as_deref()) {
                self.history.push(json!({ "enteredAt": format!("{:.3}", told.0), "memberId": owner,
                    "transferredBy": { "reason": "ChatEdited" } }));
            }
            self.owner = owner.map(str::to_owned);
            let mut content = camel(content);
            content["organizationMemberHistory"] = json!(self.history);
            if let Some(fields) = content.as_object_mut() {
                for name in ["lastMessage", "message", "lastMessageReaction"] {
                    fields.remove(name);
                }
            }
            (self.content, self.told) = (content, Some(told));
        }
    }

    pub(super) fn active_at(&self) -> Timestamp {
        let said = moment(&self.content["eventAtUTC"]);
        let newest = self.newest(Timestamp::MAX).map(|message| message.at);
        said.max(newest).max(self.risen_at).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The newest message that is not later than `until`.
    pub(super) fn newest(&self, until: Timestamp) -> Option<&Message> {
        self.messages.values().filter(|message| message.at <= until).max_by_key(|message| message.at)
    }

    pub(super) fn created_at(&self) -> Option<Timestamp> {
        moment(&self.content["createdAtUTC"])
    }

    pub(super) fn is_open(&self) -> bool {
        self.content["open"] != json!(false)
    }
}

impl Message {
    /// Merges what a delivery tells of a message into what is known. The newest delivery decides, except for state, file, correction
    /// and reactions, which are never lost: a delivery that reports a state may be newer than a correction and still carry the old text.
    fn merged(known: Option<Self>, value: Value, at: Timestamp, told: (Timestamp, String)) -> Self {
        let Some(known) = known else { return Self { value, at, told } };
        let (mut newest, older) =
            if known.told > told { (known, value) } else { (Self { value, at, told }, known.value) };
        let value = &mut newest.value;
        let rank = |value: &Value| STATES.iter().position(|state| value["messageState"] == *state);
        if rank(value).is_some() && rank(&older) > rank(value) {
            value["messageState"] = older["messageState"].clone();
        }
        if value["file"]["url"].is_null() && !older["file"].is_null() {
            value["file"] = older["file"].clone();
        }
        let edited_at = |value: &Value| moment(&value["latestEdit"]["senderAtUTC"]);
        if edited_at(&older) > edited_at(value) {
            value["latestEdit"] = older["latestEdit"].clone();
        }
        value["reactions"] = json!(all_reactions(value, &older));
        newest
    }
}

/// The reactions of a message in two deliveries, each once.
fn all_reactions(newer: &Value, older: &Value) -> Vec<Value> {
    let mut all: BTreeMap<&str, &Value> = BTreeMap::new();
    for reaction in [older, newer].iter().filter_map(|value| value["reactions"].as_array()).flatten() {
        if let Some(id) = reaction["id"].as_str() {
            all.insert(id, reaction);
        }
    }
    all.into_values().cloned().collect()
}

/// Parses a time from JSON.
pub(super) fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Changes all keys to camelCase, as the API spells them. Values stay as in webhooks.
fn camel(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(key, value)| (lower_first(key), camel(value))).collect::<Map<_, _>>(),
        ),
        Value::Array(items) => items.iter().map(camel).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn lower_first(key: &str) -> String {
    let mut characters = key.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-03-02T13:00:00Z";

    fn merged(deliveries: &[(&str, Value)]) -> Value {
        let mut message = None;
        for (told, value) in deliveries {
            let told = told.parse().unwrap();
            let at = AT.parse().unwrap();
            message = Some(Message::merged(message, value.clone(), at, (told, "e".to_owned())));
        }
        message.unwrap().value
    }

    #[test]
    fn a_newer_state_with_an_older_text_keeps_the_correction_and_the_reaction() {
        let corrected = json!({ "messageState": "Sent", "latestEdit": { "content": "x", "senderAtUTC": AT },
            "reactions": [{ "id": "r" }] });
        let read = json!({ "messageState": "Read", "latestEdit": null, "reactions": [] });
        let first = ("2026-03-02T13:00:10Z", corrected);
        let second = ("2026-03-02T13:00:12Z", read);
        let message = merged(&[first.clone(), second.clone()]);
        assert_eq!(message["messageState"], "Read");
        assert_eq!(message["latestEdit"]["content"], "x");
        assert_eq!(message["reactions"], json!([{ "id": "r" }]));
        assert_eq!(merged(&[second, first]), message, "in any order");
        let state = |state| json!({ "messageState": state, "reactions": [] });
        let failed =
            merged(&[("2026-03-02T13:00:10Z", state("Failed")), ("2026-03-02T13:00:12Z", state("Sent"))]);
        assert_eq!(
            failed["messageState"], "Failed",
            "a later delivery of the chat shows the message as it was sent"
        );
    }
}
