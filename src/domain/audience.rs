//! Who an event concerns: where its chat stood before and after, and what may be followed to hear of it.
//!
//! Ids only, so that it may be kept for good beside the journal's row: a replay years later decides with it what
//! the live fan-out decided then.

use serde::{Deserialize, Serialize};

use super::chat::{Chat, ChatFields};
use super::ids::{ChatId, ContactId, RefId};

/// Where a chat stands, as far as a token may be limited to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Its organization.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<RefId>,
    /// Its sector.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<RefId>,
    /// The line it runs on.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<RefId>,
    /// Its agent.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<RefId>,
    /// Everyone in it.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<RefId>,
    /// Seen by its members only.
    #[serde(rename = "p", default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
}

impl Placement {
    /// Where a chat with these fields stands.
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

    /// Where a chat stands now.
    pub fn of(chat: &Chat) -> Self {
        Self::new(chat.organization.as_ref(), &chat.fields())
    }

    /// Its owner and everyone in it.
    pub fn people(&self) -> impl Iterator<Item = &RefId> {
        self.owner.iter().chain(&self.members)
    }
}

/// Whom an event concerns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// The chat; `None` for what was not understood, for notices to one user, and for the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<ChatId>,
    /// Who the chat was and is held with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<ContactId>,
    /// Tags of the chat, before and after, and of its contact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<RefId>,
    /// Where the chat stood; `None` where it was not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Placement>,
    /// Where it stands; `None` where no chat is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Placement>,
    /// The contact's name, phone or tags changed, which concerns all of its chats.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contact_changed: bool,
    /// Where the contact's other chats stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<Placement>,
    /// The one user that a notice is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The directory of agents or the settings changed, which concerns everybody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub directory: bool,
}

impl Audience {
    /// The placements of the chat, the old one first.
    pub fn placements(&self) -> impl Iterator<Item = &Placement> {
        self.before.iter().chain(&self.after)
    }
}
