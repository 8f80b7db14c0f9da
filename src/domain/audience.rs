//! Who may be told of an event: where its chat stood before and after, and by which ids it can be followed.
//!
//! Only ids are kept, so that this can be stored for good beside the event. When the event is sent again years
//! later, the same data decides who gets it as on the day it happened.

use serde::{Deserialize, Serialize};

use super::chat::{Chat, ChatFields};
use super::ids::{ChatId, ContactId, RefId};

/// The attributes of a chat that a token may be limited by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<RefId>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<RefId>,
    /// The WhatsApp line, or other account, that the chat runs on.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<RefId>,
    /// The agent who has the chat.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<RefId>,
    /// The agents who take part in the chat.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<RefId>,
    /// True where only its members, admins and supervisors see the chat.
    #[serde(rename = "p", default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
}

impl Placement {
    /// The placement of a chat with these fields.
    pub fn new(organization: Option<&RefId>, fields: &ChatFields) -> Self {
        Self {
            organization: organization.cloned(),
            sector: fields.sector.as_ref().map(|sector| sector.id.clone()),
            channel: fields.channel.as_ref().map(|channel| channel.id.clone()),
            owner: fields.owner.as_ref().map(|owner| owner.id.clone()),
            members: fields.members.iter().map(|member| member.id.clone()).collect(),
            private: fields.private,
        }
    }

    /// The present placement of a chat.
    pub fn of(chat: &Chat) -> Self {
        Self::new(chat.organization.as_ref(), &chat.fields())
    }

    /// The owner and the members.
    pub fn people(&self) -> impl Iterator<Item = &RefId> {
        self.owner.iter().chain(&self.members)
    }
}

/// The data by which the hub decides which sessions are told of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// The chat; `None` for a delivery that was not understood, for a notice to one user, and for changes of
    /// the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<ChatId>,
    /// The contacts that the chat was held with before the event and is held with after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<ContactId>,
    /// Tags of the chat, before and after the event, and of its contact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<RefId>,
    /// The chat's placement before the event; `None` where the chat was not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Placement>,
    /// The chat's placement after the event; `None` where the event is not about a chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Placement>,
    /// The contact's name, phone or tags changed, so all of its chats are affected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contact_changed: bool,
    /// The placements of the contact's other chats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<Placement>,
    /// The `sub` of the only user who is told; `None` for everything but notices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The directory of agents or the settings changed, so everybody is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub directory: bool,
}

impl Audience {
    /// The chat's placements, the earlier one first.
    pub fn placements(&self) -> impl Iterator<Item = &Placement> {
        self.before.iter().chain(&self.after)
    }
}
