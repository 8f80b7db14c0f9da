//! A contact: who a chat is held with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::facts::{ContactFacts, Named};
use super::ids::{ContactId, RefId};
use super::order::MessagePosition;
use super::register::{EventKey, Register, keep_earliest, keep_latest};

/// What is known of one contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The provider's id. It stays the same when the contact changes its phone.
    pub id: ContactId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<RefId>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub name: Register<String>,
    /// In E.164 form, with `+`.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub phone: Register<String>,
    /// Address of the picture; an inner `None` where the contact has none.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub picture_url: Register<Option<String>>,
    /// The provider's word: `DirectMessage`, `Group` and so on.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub contact_type: Register<String>,
    /// True where the team blocked the contact.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub blocked: Register<bool>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub tags: Register<Vec<Named>>,
    /// The contact's creation time where a delivery gave it, else the earliest creation of one of its chats.
    pub created_at: Option<Timestamp>,
    /// The latest `LastActiveUTC` of all deliveries.
    pub active_at: Option<Timestamp>,
    /// The newest message of all its chats.
    pub last_message: Option<MessagePosition>,
}

/// The fields of a contact whose change is reported as an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactFields {
    name: Option<String>,
    phone: Option<String>,
    picture_url: Option<String>,
    contact_type: Option<String>,
    blocked: Option<bool>,
    tags: Option<Vec<Named>>,
}

impl ContactFields {
    /// The same with tags in an order of their own: the provider tells them in any.
    #[must_use]
    pub fn in_any_order(mut self) -> Self {
        if let Some(tags) = &mut self.tags {
            tags.sort_by(|one, other| one.id.cmp(&other.id));
        }
        self
    }
}

impl Contact {
    /// A contact of which only the id is known.
    pub fn new(id: ContactId) -> Self {
        Self {
            id,
            organization: None,
            name: Register::default(),
            phone: Register::default(),
            picture_url: Register::default(),
            contact_type: Register::default(),
            blocked: Register::default(),
            tags: Register::default(),
            created_at: None,
            active_at: None,
            last_message: None,
        }
    }

    /// Takes what a delivery says of the contact. `chat_created_at` is the creation time of the chat in the
    /// same delivery.
    pub fn learn(&mut self, facts: &ContactFacts, key: &EventKey, chat_created_at: Option<Timestamp>) {
        self.name.hear(facts.name.clone(), key);
        self.phone.hear(facts.phone.clone(), key);
        self.picture_url.hear(facts.picture_url.clone(), key);
        self.contact_type.hear(facts.contact_type.clone(), key);
        self.blocked.hear(facts.blocked, key);
        self.tags.hear(facts.tags.clone(), key);
        keep_earliest(&mut self.created_at, facts.created_at);
        keep_earliest(&mut self.created_at, chat_created_at.or(Some(key.at)));
        keep_latest(&mut self.active_at, facts.active_at);
    }

    /// Removes everything that tells who the contact is, as if no delivery had told it. What stays are ids, times
    /// and the kind of chat.
    pub fn forget_person(&mut self) {
        self.name = Register::default();
        self.phone = Register::default();
        self.picture_url = Register::default();
        self.blocked = Register::default();
        self.tags = Register::default();
    }

    /// The later of its own activity and its newest message.
    pub fn last_interaction_at(&self) -> Option<Timestamp> {
        self.active_at.max(self.last_message.as_ref().map(|position| position.at))
    }

    /// The fields that are compared before and after a delivery.
    pub fn fields(&self) -> ContactFields {
        ContactFields {
            name: self.name.get().cloned(),
            phone: self.phone.get().cloned(),
            picture_url: self.picture_url.flat().cloned(),
            contact_type: self.contact_type.get().cloned(),
            blocked: self.blocked.get().copied(),
            tags: self.tags.get().cloned(),
        }
    }
}
