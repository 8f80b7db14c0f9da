//! What the provider knows: chats and their messages as its own deliveries tell them, agents, lines and webhooks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::tools::simulate::cast;

/// Message states in the order in which they follow each other. A message that failed stays so, whatever is told later.
const STATES: [&str; 5] = ["Processing", "Sent", "Delivered", "Read", "Failed"];

/// Everything that the provider knows.
pub struct World {
    pub(super) chats: BTreeMap<String, FakeChat>,
    pub organization: String,
    /// Agents, as REST has them.
    pub members: Vec<Value>,
    /// Lines, as REST has them.
    pub channels: Vec<Value>,
    /// Webhooks, as REST has them.
    pub webhooks: Vec<Value>,
}

#[derive(Default)]
pub(super) struct FakeChat {
    /// What it looks like, in REST's spelling and without messages.
    pub(super) content: Value,
    /// Who it was assigned to, as REST has it.
    history: Vec<Value>,
    owner: Option<String>,
    /// The delivery that told it.
    told: Option<(Timestamp, String)>,
    pub(super) messages: BTreeMap<String, Message>,
}

pub(super) struct Message {
    pub(super) value: Value,
    pub(super) at: Timestamp,
    told: (Timestamp, String),
}

impl Default for World {
    fn default() -> Self {
        let agents = cast::AGENTS.iter().zip(cast::SIGNATURES);
        let members = agents.map(|(id, name)| {
            json!({ "_t": "OrganizationHumanAgentReferenceModel", "id": id, "displayName": name, "active": true,
                "emailAddress": null, "profilePictureUrl": format!("https://files.example.com/{name}.png") })
        });
        let channels = cast::CHANNELS
            .iter()
            .map(|(id, name, kind, _)| json!({ "id": id, "name": name, "channelType": kind }));
        Self {
            chats: BTreeMap::new(),
            organization: cast::ORGANIZATION.to_owned(),
            members: members.collect(),
            channels: channels.collect(),
            webhooks: Vec::new(),
        }
    }
}

impl World {
    /// Hears a delivery of the provider, in any order. Whatever is no chat is passed over.
    pub fn hears(&mut self, delivery: &[u8]) {
        let Ok(envelope) = serde_json::from_slice::<Value>(delivery) else { return };
        let content = &envelope["Payload"]["Content"];
        let (Some(id), Some(event)) = (content["Id"].as_str(), envelope["EventId"].as_str()) else { return };
        let Some(at) = moment(&envelope["EventDate"]) else { return };
        if envelope["Payload"]["Type"] == "Chat" {
            self.chats.entry(id.to_owned()).or_default().hears(content, (at, event.to_owned()));
        }
    }

    /// Ids of all messages, in order.
    pub fn message_ids(&self) -> Vec<String> {
        self.message_ids_since(Timestamp::MIN)
    }

    /// Ids of the messages since a moment, in order.
    pub fn message_ids_since(&self, from: Timestamp) -> Vec<String> {
        let messages = self.chats.values().flat_map(|chat| &chat.messages);
        let mut ids: Vec<String> =
            messages.filter(|(_, message)| message.at >= from).map(|(id, _)| id.clone()).collect();
        ids.sort();
        ids
    }
}

impl FakeChat {
    fn hears(&mut self, content: &Value, told: (Timestamp, String)) {
        for name in ["LastMessage", "Message"] {
            let message = &content[name];
            let (Some(id), Some(at)) = (message["Id"].as_str(), moment(&message["EventAtUTC"])) else {
                continue;
            };
            let mut value = camel(message);
            value["_t"] = json!("MessageModel");
            let known = self.messages.remove(id);
            self.messages.insert(id.to_owned(), Message::grown(known, value, at, told.clone()));
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
        said.max(self.newest(Timestamp::MAX).map(|message| message.at)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The newest message until a moment.
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
    /// What a delivery tells of a message, added to what is known. The newest delivery says what the message is, but some of its
    /// parts only grow: a delivery that reports a state may be newer than a correction and still carry the text before it.
    fn grown(known: Option<Self>, value: Value, at: Timestamp, told: (Timestamp, String)) -> Self {
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

/// The reactions of a message in two deliveries, each of them once.
fn all_reactions(newer: &Value, older: &Value) -> Vec<Value> {
    let mut all: BTreeMap<&str, &Value> = BTreeMap::new();
    for reaction in [older, newer].iter().filter_map(|value| value["reactions"].as_array()).flatten() {
        if let Some(id) = reaction["id"].as_str() {
            all.insert(id, reaction);
        }
    }
    all.into_values().cloned().collect()
}

/// A time of JSON.
pub(super) fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// REST spells keys in camelCase, and values as webhooks do.
fn camel(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(key, value)| (lowered(key), camel(value))).collect::<Map<_, _>>(),
        ),
        Value::Array(items) => items.iter().map(camel).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn lowered(key: &str) -> String {
    let mut characters = key.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-03-02T13:00:00Z";

    fn grown(deliveries: &[(&str, Value)]) -> Value {
        let mut message = None;
        for (told, value) in deliveries {
            let told = told.parse().unwrap();
            let at = AT.parse().unwrap();
            message = Some(Message::grown(message, value.clone(), at, (told, "e".to_owned())));
        }
        message.unwrap().value
    }

    #[test]
    fn a_newer_state_with_an_older_text_takes_no_correction_and_no_reaction_back() {
        let corrected = json!({ "messageState": "Sent", "latestEdit": { "content": "x", "senderAtUTC": AT },
            "reactions": [{ "id": "r" }] });
        let read = json!({ "messageState": "Read", "latestEdit": null, "reactions": [] });
        let first = ("2026-03-02T13:00:10Z", corrected);
        let second = ("2026-03-02T13:00:12Z", read);
        let message = grown(&[first.clone(), second.clone()]);
        assert_eq!(message["messageState"], "Read");
        assert_eq!(message["latestEdit"]["content"], "x");
        assert_eq!(message["reactions"], json!([{ "id": "r" }]));
        assert_eq!(grown(&[second, first]), message, "in any order");
        let state = |state| json!({ "messageState": state, "reactions": [] });
        let failed =
            grown(&[("2026-03-02T13:00:10Z", state("Failed")), ("2026-03-02T13:00:12Z", state("Sent"))]);
        assert_eq!(
            failed["messageState"], "Failed",
            "a later delivery of the chat shows the message as it was sent"
        );
    }
}
