//! Composes deliveries of the hub's own from answers of the provider's API, for what no webhook brought.
//!
//! # Contract
//!
//! 1. The id is made of the content, so the same content always has the same id. Finding it again, or on another hub, changes nothing.
//! 2. A delivery of messages says nothing about their chat except its id, because old messages must not change the chat's present state.
//! 3. No webhook can bring such a delivery: [`read_posted`](super::read_posted) ignores bodies with an id or type of the hub's own.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde_json::json;

use super::api::{ChatItem, MessageItem};
use super::{Reading, read_own};
use crate::domain::register::EventKey;
use crate::domain::{
    ChatFacts, ChatId, ChatMessage, ContactFacts, DeliveryBody, EventId, Facts, MessageFacts, Named, RefId,
};

/// The type of these deliveries.
pub const TYPE: &str = "HubReconcile";
/// The prefixes of ids of the hub's own records. A delivery of the provider may not use them.
pub const OWN_PREFIXES: [&str; 8] =
    ["reconcile:", "notify:", "directory:", "settings:", "alert:", "link:", "outbox:", "erasure:"];
/// Bytes of a hash that an id contains.
const HASH_BYTES: usize = 8;

/// True if the id or the type is one that only the hub's own records may have.
pub fn is_own(event_id: Option<&str>, event_type: Option<&str>) -> bool {
    let is_own_id = |id: &str| OWN_PREFIXES.iter().any(|prefix| id.starts_with(prefix));
    event_id.is_some_and(is_own_id) || event_type == Some(TYPE)
}

/// A delivery of the hub's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// Made of the content, so that it is the same everywhere.
    pub event_id: EventId,
    /// The delivery as JSON, in the provider's form.
    pub body: String,
}

fn compose(event_id: String, at: Timestamp, content: &str) -> Composed {
    let (id, date) = (json!(event_id), json!(format!("{at:.7}")));
    let body = format!(
        r#"{{"EventId":{id},"Type":"{TYPE}","EventDate":{date},"Payload":{{"Type":"Chat","Content":{content}}}}}"#
    );
    Composed { event_id: event_id.into(), body }
}

/// Reads messages as they will be read from a composed delivery. One result for each message, in order.
pub fn read_messages(chat: &ChatId, items: &[MessageItem], at: Timestamp) -> Vec<MessageFacts> {
    let texts: Vec<&str> = items.iter().map(|item| item.text.as_str()).collect();
    let content = format!(r#"{{"Id":{},"Messages":[{}]}}"#, json!(chat), texts.join(","));
    read_content(&content, at).map(|facts| facts.messages).unwrap_or_default()
}

/// Reads a chat's state as it will be read from a composed delivery.
pub fn read_chat(item: &ChatItem, at: Timestamp) -> Option<Facts> {
    read_content(&item.text, at)
}

fn read_content(content: &str, at: Timestamp) -> Option<Facts> {
    let body = compose("reconcile:".to_owned(), at, content).body;
    match read_own(body.as_bytes(), at).ok()? {
        Reading::Event(delivery) => match delivery.body {
            DeliveryBody::Understood(facts) => Some(*facts),
            DeliveryBody::Unrecognized { .. } => None,
        },
        Reading::Ignored { .. } => None,
    }
}

/// Composes a delivery of messages of one chat. Each comes with the facts that were read from it. `None`: the list is empty.
pub fn messages(chat: &ChatId, found: &[(&MessageItem, &MessageFacts)]) -> Option<Composed> {
    let earliest = found.iter().map(|(item, _)| item.at).min()?;
    // The hash is made of what would be stored of each message, under a key that is always the same.
    let nothing = EventKey { at: Timestamp::UNIX_EPOCH, event: EventId::from("") };
    let said = |(item, facts): &(&MessageItem, &MessageFacts)| {
        let message = ChatMessage::first_seen(item.id.clone(), chat.clone(), facts, &nothing);
        json!([item.id, message]).to_string()
    };
    let mut all: Vec<String> = found.iter().map(said).collect();
    all.sort();
    let texts: Vec<&str> = found.iter().map(|(item, _)| item.text.as_str()).collect();
    let content = format!(r#"{{"Id":{},"Messages":[{}]}}"#, json!(chat), texts.join(","));
    Some(compose(format!("reconcile:m:{chat}:{}", hash(&all.concat())), earliest, &content))
}

/// Composes a delivery of a chat's present state. `at` orders it among the chat's deliveries. `corrects` is the newest delivery, which
/// it corrects; it is part of the id, because a chat may return to an earlier state, and that is news again.
pub fn state(
    chat: &ChatItem,
    facts: &ChatFacts,
    contact: Option<&ContactFacts>,
    at: Timestamp,
    corrects: Option<&EventKey>,
) -> Composed {
    let ids = |list: &Option<Vec<Named>>| {
        list.as_ref().map(|list| list.iter().map(|named| named.id.to_string()).collect::<Vec<_>>())
    };
    let id = |named: &Option<Option<Named>>| {
        named.as_ref().map(|named| named.as_ref().map(|named| named.id.to_string()))
    };
    let said = json!([
        facts.open,
        facts.waiting,
        id(&facts.owner),
        id(&facts.sector),
        ids(&facts.tags),
        facts.private,
        facts.closed_at.map(|at| at.map(|at| at.to_string())),
        contact.map(|contact| json!([contact.id, contact.name, contact.phone, ids(&contact.tags)])),
    ]);
    let corrected = corrects.map_or_else(String::new, |key| format!("{}{}", key.at, key.event));
    let id = format!("reconcile:c:{}:{}:{}", chat.id, hash(&said.to_string()), hash(&corrected));
    compose(id, at, &chat.text)
}

/// Composes a delivery that tells that a chat was assigned to an agent at this moment.
pub fn transfer(chat: &ChatId, at: Timestamp, member: &RefId) -> Composed {
    let content = json!({ "Id": chat, "OrganizationMember": { "Id": member } });
    compose(format!("reconcile:h:{chat}:{at}:{member}"), at, &content.to_string())
}

/// The first [`HASH_BYTES`] bytes of a SHA-256 as hexadecimal digits.
fn hash(text: &str) -> String {
    let whole = digest(&SHA256, text.as_bytes());
    let digits: Vec<String> =
        whole.as_ref().iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::umbler::api::{ChatsPage, MessagesPage};
    use crate::umbler::{read, read_posted};

    const AT: &str = "2026-03-02T14:00:00Z";

    fn at() -> Timestamp {
        AT.parse().unwrap()
    }

    fn understood(body: &str) -> Facts {
        let Reading::Event(delivery) = read_own(body.as_bytes(), at()).unwrap() else { panic!("{body}") };
        match delivery.body {
            DeliveryBody::Understood(facts) => *facts,
            DeliveryBody::Unrecognized { reason } => panic!("{reason}"),
        }
    }

    fn page(texts: &[&str]) -> Vec<MessageItem> {
        let answer = format!(r#"{{"messages":[{}]}}"#, texts.join(","));
        MessagesPage::read(answer.as_bytes(), at()).unwrap().items
    }

    fn composed(texts: &[&str]) -> Composed {
        let items = page(texts);
        let facts = read_messages(&"c".into(), &items, at());
        messages(&"c".into(), &items.iter().zip(&facts).collect::<Vec<_>>()).unwrap()
    }

    const FIRST: &str = r#"{"_t":"MessageModel","id":"m1","source":"Contact","content":"Oi","eventAtUTC":"2026-03-02T13:00:05Z"}"#;
    const SECOND: &str = r#"{"_t":"MessageModel","id":"m2","source":"Member","content":"Olá","eventAtUTC":"2026-03-02T13:00:07Z"}"#;

    #[test]
    fn the_same_messages_have_the_same_id_and_a_changed_word_has_another() {
        let both = composed(&[FIRST, SECOND]);
        assert_eq!(both.event_id, composed(&[SECOND, FIRST]).event_id);
        let other = SECOND.replace("Olá", "Olá!");
        assert_ne!(both.event_id, composed(&[FIRST, &other]).event_id);
        assert_eq!(
            composed(&[FIRST]).event_id,
            composed(&[&FIRST.replace('}', r#","totalUnread":3}"#)]).event_id
        );
        assert!(both.event_id.as_str().starts_with("reconcile:m:c:"));
    }

    #[test]
    fn messages_say_nothing_about_their_chat_and_have_the_time_of_the_first_of_them() {
        let facts = understood(&composed(&[SECOND, FIRST]).body);
        assert_eq!(facts.messages.len(), 2);
        assert_eq!(facts.key.at.to_string(), "2026-03-02T13:00:05Z");
        let chat = &facts.chat;
        assert_eq!((chat.open, chat.waiting, chat.private, &chat.owner), (None, None, None, &None));
        assert!(facts.contact.is_none() && chat.tags.is_none() && chat.closed_at.is_none());
    }

    #[test]
    fn the_same_state_after_another_delivery_has_another_id() {
        let answer = br#"{"items":[{"id":"c","open":true,"tags":[{"id":"t"}],"lastMessage":{"id":"m","eventAtUTC":"2026-03-02T13:00:05Z"}}]}"#;
        let item = ChatsPage::read(answer, at()).unwrap().items.remove(0);
        let facts = read_chat(&item, at()).unwrap();
        assert!(facts.messages.is_empty());
        let key = |event: &str| EventKey { at: at(), event: event.into() };
        let state =
            |corrects: Option<EventKey>| state(&item, &facts.chat, None, at(), corrects.as_ref()).event_id;
        assert_eq!(state(Some(key("a"))), state(Some(key("a"))));
        assert_ne!(state(Some(key("a"))), state(Some(key("b"))));
        assert_ne!(state(Some(key("a"))), state(None));
    }

    #[test]
    fn no_webhook_brings_what_only_the_hub_may_say() {
        let own = composed(&[FIRST]).body;
        let refused =
            |body: &str| matches!(read_posted(body.as_bytes(), None, at()), Ok(Reading::Ignored { .. }));
        assert!(refused(&own));
        for prefix in OWN_PREFIXES {
            assert!(refused(&format!(r#"{{"EventId":"{prefix}1","Type":"Message"}}"#)), "{prefix}");
        }
        assert!(refused(r#"{"EventId":"e","Type":"HubReconcile"}"#));
        assert!(!refused(r#"{"EventId":"e","Type":"Message"}"#));
        // A body that an older version of the hub stored is still read as it was then.
        let Ok(Reading::Event(delivery)) = read(own.as_bytes(), None, at()) else { panic!("{own}") };
        assert!(matches!(delivery.body, DeliveryBody::Unrecognized { .. }));
    }
}
