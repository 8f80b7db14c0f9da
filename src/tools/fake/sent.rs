//! Sending over the fake API: the message becomes part of its chat, and webhooks report it and its states.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::behavior::{Echo, StateOrder};
use super::{SentMessage, State};
use crate::tools::simulate::cast::AGENTS;

impl State {
    /// Accepts or refuses a message, and returns status and answer.
    pub(super) fn accept(
        &mut self,
        content_type: &str,
        body: &[u8],
        now: Timestamp,
        instant: Instant,
    ) -> (u16, Value) {
        if let Some((status, words)) = self.behavior.refuses_to_send {
            return (status, json!({ "message": words }));
        }
        let Some(fields) = read(content_type, body) else {
            return (400, json!({ "message": "the body is neither JSON nor a form" }));
        };
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(chat), Some(said)) = (text("chatid"), text("message")) else {
            return (400, json!({ "message": "chatId and message are required" }));
        };
        if text("organizationid").as_ref() != Some(&self.world.organization) {
            return (403, json!({ "message": "this organization is not the token's" }));
        }
        match self.world.chats.get(&chat) {
            Some(known) if known.is_open() => {}
            Some(_) => return (400, json!({ "message": "the chat is closed" })),
            None => return (404, json!({ "message": "no such chat" })),
        }
        let temp_id = text("tempid");
        let is_known = |sent: &&SentMessage| sent.temp_id.is_some() && sent.temp_id == temp_id;
        if let Some(first) = self.sent.iter().find(is_known).filter(|_| self.behavior.temp_id_counts) {
            return (200, answer(&first.chat, &first.id, &first.text));
        }
        let private =
            fields.get("isprivate").is_some_and(|flag| *flag == json!(true) || *flag == json!("true"));
        let id = new_id(now);
        let mut message = message(&chat, &id, &said, now);
        message["IsPrivate"] = json!(private);
        message["Prefix"] = json!(text("prefix").filter(|prefix| !prefix.is_empty()));
        if self.behavior.shows_temp_id {
            message["TempId"] = json!(temp_id);
        }
        if self.behavior.echo == Echo::External {
            message["Source"] = json!("External");
        }
        let sent = SentMessage { chat, temp_id, text: said, id, private, message };
        self.tell(&sent, now, instant);
        let answer = answer(&sent.chat, &sent.id, &sent.text);
        self.sent.push(sent);
        (200, answer)
    }

    /// Adds the message to the world at once, and its webhooks for later.
    fn tell(&mut self, sent: &SentMessage, now: Timestamp, instant: Instant) {
        let behavior = self.behavior.clone();
        let told = |after: Duration| {
            now.checked_add(SignedDuration::try_from(after).unwrap_or_default()).unwrap_or(now)
        };
        let first = self.world.webhook(&sent.chat, &sent.message, now);
        self.world.absorb(&first);
        let echo_at = behavior.echo_after;
        if behavior.echo != Echo::Never {
            self.later.push((instant + echo_at, first));
        }
        if behavior.echo == Echo::Twice {
            let mut copy = sent.message.clone();
            (copy["Id"], copy["Source"]) = (json!(new_id(now)), json!("External"));
            copy["SentByOrganizationMember"] = Value::Null;
            let copy = self.world.webhook(&sent.chat, &copy, told(echo_at));
            self.world.absorb(&copy);
            self.later.push((instant + echo_at, copy));
        }
        let words: &[&str] = match behavior.states {
            StateOrder::InOrder | StateOrder::Unposted => &["Delivered", "Read"],
            StateOrder::Reversed => &["Read", "Delivered"],
            StateOrder::Failed => &["Failed"],
            StateOrder::Never => &[],
        };
        let mut after = echo_at;
        for word in words.iter().filter(|_| !sent.private) {
            after += behavior.states_after;
            let mut grown = sent.message.clone();
            grown["MessageState"] = json!(word);
            let webhook = self.world.webhook(&sent.chat, &grown, told(after));
            self.world.absorb(&webhook);
            if behavior.states != StateOrder::Unposted && behavior.echo != Echo::Never {
                self.later.push((instant + after, webhook));
            }
        }
    }
}

impl super::World {
    /// A webhook that shows a chat as it is, with this message as its last one.
    fn webhook(&self, chat: &str, message: &Value, at: Timestamp) -> Vec<u8> {
        let mut content = self.chats.get(chat).map(|chat| pascal(&chat.content)).unwrap_or_default();
        content["LastMessage"] = message.clone();
        if message["IsPrivate"] != json!(true) {
            (content["Waiting"], content["WaitingSinceUTC"]) = (json!(false), Value::Null);
        }
        content["EventAtUTC"] = json!(format!("{at:.3}"));
        let body = json!({
            "Type": "Message", "EventDate": format!("{at:.7}"),
            "Payload": { "Type": "Chat", "Content": content }, "EventId": new_id(at),
        });
        body.to_string().into_bytes()
    }
}

fn message(chat: &str, id: &str, text: &str, now: Timestamp) -> Value {
    json!({
        "HeaderContent": null, "Content": text, "Footer": null, "File": null, "Thumbnail": null, "Contacts": [],
        "MessageType": "Text", "SentByOrganizationMember": { "Id": AGENTS[0] }, "Location": null, "Question": null,
        "Source": "Member", "InReplyTo": null, "MessageState": "Sent", "EventAtUTC": format!("{now:.3}"),
        "Chat": { "Id": chat }, "FromContact": null, "TemplateId": null, "Buttons": [], "LatestEdit": null,
        "BotInstance": null, "ForwardedFrom": null, "ScheduledMessage": null, "BulkSendSession": null, "Mentions": [],
        "Ad": null, "FileId": null, "Reactions": [], "Id": id, "CreatedAtUTC": format!("{now:.7}"),
    })
}

fn answer(chat: &str, id: &str, text: &str) -> Value {
    json!({ "_t": "MessageModel", "id": id, "chat": { "id": chat }, "content": text, "messageState": "Processing" })
}

/// An id as the provider makes them: its first four bytes are the second in which it was made.
fn new_id(at: Timestamp) -> String {
    let mut bytes = rand::random::<[u8; 12]>();
    let second = u32::try_from(at.as_second()).unwrap_or_default();
    bytes[..4].copy_from_slice(&second.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Webhooks spell keys in `PascalCase`.
fn pascal(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (raised(key), pascal(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(pascal).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn raised(key: &str) -> String {
    let mut characters = key.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// The fields of a body, their names in lower case; `None` where it is neither JSON nor a form.
fn read(content_type: &str, body: &[u8]) -> Option<Map<String, Value>> {
    if let Some((_, boundary)) = content_type.split_once("boundary=") {
        return form(std::str::from_utf8(body).ok()?, boundary);
    }
    let Value::Object(fields) = serde_json::from_slice(body).ok()? else { return None };
    Some(fields.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect())
}

fn form(body: &str, boundary: &str) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    for part in body.split(&format!("--{boundary}")).skip(1) {
        let Some((head, value)) = part.trim_start_matches("\r\n").split_once("\r\n\r\n") else { continue };
        let name = head.split("name=\"").nth(1)?.split('"').next()?;
        fields.insert(name.to_ascii_lowercase(), json!(value.strip_suffix("\r\n").unwrap_or(value)));
    }
    Some(fields)
}
