//! Contacts, chats and messages as clients see them. Unknown is `null`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::facts::{ContactCard, File, Location, ReplyTo};
use crate::domain::{Chat, ChatKind, ChatMessage, ChatStatus, Contact, Direction, MessagePosition, Named};

/// The `source` of what an agent sent.
pub const SOURCE_MEMBER: &str = "Member";

/// Something referred to by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Named)]
pub struct NamedShape {
    /// The provider's id.
    pub id: String,
    /// Its name, where known.
    pub name: Option<String>,
}

impl From<&Named> for NamedShape {
    fn from(named: &Named) -> Self {
        Self { id: named.id.to_string(), name: named.name.clone() }
    }
}

/// The line that a chat runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Channel)]
pub struct ChannelShape {
    /// The provider's id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// The provider's `ChannelType`.
    #[serde(rename = "type")]
    pub channel_type: Option<String>,
}

impl From<&crate::domain::Channel> for ChannelShape {
    fn from(channel: &crate::domain::Channel) -> Self {
        Self {
            id: channel.id.to_string(),
            name: channel.name.clone(),
            channel_type: channel.channel_type.clone(),
        }
    }
}

/// The newest message of a chat or contact, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageSummary {
    /// The provider's id.
    pub id: String,
    /// The chat it belongs to.
    pub chat_id: String,
    /// `in` from the customer, `out` to the customer.
    pub direction: Direction,
    /// `Contact`, `Member`, `Bot`, `External`.
    pub source: Option<String>,
    /// `Text`, `Image` and so on.
    #[serde(rename = "type")]
    pub message_type: Option<String>,
    /// The text to show.
    pub text: Option<String>,
    /// The delivery state.
    pub state: Option<String>,
    /// An internal note.
    pub private: bool,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// When the provider created it: orders messages of one instant. Null where no delivery told it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// Deleted for everyone: its words are not known any more. Older hubs did not say.
    #[serde(default)]
    pub deleted: bool,
}

impl MessageSummary {
    /// Takes its words out: it was deleted after this was written.
    pub fn forget_words(&mut self) {
        self.text = None;
        self.deleted = true;
    }

    /// Where it stands among other messages.
    pub fn position(&self) -> MessagePosition {
        MessagePosition { at: self.at, created_at: self.created_at, id: self.id.as_str().into() }
    }
}

impl From<&ChatMessage> for MessageSummary {
    fn from(message: &ChatMessage) -> Self {
        Self {
            id: message.id.to_string(),
            chat_id: message.chat_id.to_string(),
            direction: message.direction(),
            source: message.source.get().cloned(),
            message_type: message.message_type.get().cloned(),
            text: message.shown_text().map(str::to_owned),
            state: message.state.clone(),
            private: message.private.get().copied().unwrap_or(false),
            at: message.at,
            created_at: message.created_at,
            deleted: message.deleted,
        }
    }
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Contact)]
pub struct ContactShape {
    /// The provider's id.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// E.164 with `+`.
    pub phone: Option<String>,
    /// The picture's address.
    pub picture_url: Option<String>,
    /// `DirectMessage`, `Group` and so on.
    #[serde(rename = "type")]
    pub contact_type: Option<String>,
    /// Blocked by the team.
    pub blocked: bool,
    /// The contact's tags.
    pub tags: Vec<NamedShape>,
    /// The earliest moment that speaks of the contact.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// The latest of its own activity and its newest message.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_interaction_at: Option<Timestamp>,
    /// The newest message of its chats.
    pub last_message: Option<MessageSummary>,
}

impl ContactShape {
    /// The wire form of a contact; `last_message` is the message at its newest position.
    pub fn new(contact: &Contact, last_message: Option<MessageSummary>) -> Self {
        Self {
            id: contact.id.to_string(),
            name: contact.name.get().cloned(),
            phone: contact.phone.get().cloned(),
            picture_url: contact.picture_url.flat().cloned(),
            contact_type: contact.contact_type.get().cloned(),
            blocked: contact.blocked.get().copied().unwrap_or(false),
            tags: contact
                .tags
                .get()
                .map(|tags| tags.iter().map(NamedShape::from).collect())
                .unwrap_or_default(),
            created_at: contact.created_at,
            last_interaction_at: contact.last_interaction_at(),
            last_message,
        }
    }

    /// Leaves out what may have happened in chats that a limited scope does not see: `newest` is the newest message
    /// of those that it sees.
    pub fn limit_to(&mut self, newest: Option<MessageSummary>) {
        self.last_interaction_at = newest.as_ref().map(|message| message.at);
        self.last_message = newest;
    }
}

/// A chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Chat)]
pub struct ChatShape {
    /// The provider's id.
    pub id: String,
    /// Who it is held with.
    pub contact_id: Option<String>,
    /// Their name.
    pub contact_name: Option<String>,
    /// Their phone, E.164 with `+`: what is shown where there is no name. Older hubs did not say it.
    #[serde(default)]
    pub contact_phone: Option<String>,
    /// `direct`, `group` or `internal`.
    pub kind: ChatKind,
    /// The line it runs on.
    pub channel: Option<ChannelShape>,
    /// The sector it stands in.
    pub sector: Option<NamedShape>,
    /// The agent it is assigned to; a closed chat keeps its last one.
    pub owner: Option<NamedShape>,
    /// Everyone in it.
    pub members: Vec<NamedShape>,
    /// Its own tags.
    pub tags: Vec<NamedShape>,
    /// `open`, `waiting` or `closed`.
    pub status: ChatStatus,
    /// Open or closed.
    pub open: bool,
    /// In the waiting list.
    pub waiting: bool,
    /// Seen by its members only.
    pub private: bool,
    /// The first customer message that no human answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub waiting_since: Option<Timestamp>,
    /// When it was created.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// When it was closed; `null` while open.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// The latest activity.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_activity_at: Option<Timestamp>,
    /// The newest message.
    pub last_message: Option<MessageSummary>,
}

impl ChatShape {
    /// The wire form of a chat; the contact's name and phone and the newest message are kept elsewhere.
    pub fn new(
        chat: &Chat,
        (contact_name, contact_phone): (Option<String>, Option<String>),
        last_message: Option<MessageSummary>,
    ) -> Self {
        let fields = chat.fields();
        Self {
            id: chat.id.to_string(),
            contact_id: fields.contact_id.map(|id| id.to_string()),
            contact_name,
            contact_phone,
            kind: fields.kind,
            channel: fields.channel.as_ref().map(ChannelShape::from),
            sector: fields.sector.as_ref().map(NamedShape::from),
            owner: fields.owner.as_ref().map(NamedShape::from),
            members: fields.members.iter().map(NamedShape::from).collect(),
            tags: fields.tags.iter().map(NamedShape::from).collect(),
            status: fields.status,
            open: fields.open,
            waiting: fields.waiting,
            private: fields.private,
            waiting_since: fields.waiting_since,
            created_at: fields.created_at,
            closed_at: fields.closed_at,
            last_activity_at: chat.last_activity_at(),
            last_message,
        }
    }
}

impl ChatShape {
    /// The agents in it.
    pub fn people_mut(&mut self) -> impl Iterator<Item = &mut NamedShape> {
        self.owner.iter_mut().chain(&mut self.members)
    }
}

/// An emoji on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Reaction)]
pub struct ReactionShape {
    /// The provider's id.
    pub id: String,
    /// The emoji.
    pub emoji: String,
    /// Who reacted.
    pub source: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}

/// A chat message. Base64 of media never leaves the hub.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Message)]
pub struct MessageShape {
    /// The provider's id.
    pub id: String,
    /// The chat it belongs to.
    pub chat_id: String,
    /// Who that chat is held with.
    pub contact_id: Option<String>,
    /// `in` from the customer, `out` to the customer.
    pub direction: Direction,
    /// `Contact`, `Member`, `Bot`, `External`.
    pub source: Option<String>,
    /// The agent who sent it, or the group's member who did.
    pub author: Option<NamedShape>,
    /// The bot that sent it.
    pub bot: Option<NamedShape>,
    /// `Text`, `Image` and so on.
    #[serde(rename = "type")]
    pub message_type: Option<String>,
    /// The text to show: the newest edit, else what was sent.
    pub text: Option<String>,
    /// The furthest delivery state.
    pub state: Option<String>,
    /// An internal note.
    pub private: bool,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// When the provider created it: orders messages of one instant. Null where no delivery told it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// When its sender edited it last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub edited_at: Option<Timestamp>,
    /// Emojis on it: in a direct chat one of a person at most.
    pub reactions: Vec<ReactionShape>,
    /// The message it answers: `{id, chatId}`.
    pub reply_to: Option<ReplyTo>,
    /// Its file: `{url, contentType, name, size}`; `url` is null until the provider has stored it.
    pub file: Option<File>,
    /// A place: `{latitude, longitude, name, address}`.
    pub location: Option<Location>,
    /// Shared contact cards: `{name, phones, emails, company}`.
    pub contacts: Vec<ContactCard>,
    /// Deleted for everyone: text, edit, reactions, file, place and cards are not known any more.
    pub deleted: bool,
}

impl MessageShape {
    /// The wire form of a message; its contact and its kind are the chat's.
    pub fn new(message: &ChatMessage, contact_id: Option<String>, kind: ChatKind) -> Self {
        Self {
            id: message.id.to_string(),
            chat_id: message.chat_id.to_string(),
            contact_id,
            direction: message.direction(),
            source: message.source.get().cloned(),
            author: message.author.get().map(NamedShape::from),
            bot: message.bot.get().map(NamedShape::from),
            message_type: message.message_type.get().cloned(),
            text: message.shown_text().map(str::to_owned),
            state: message.state.clone(),
            private: message.private.get().copied().unwrap_or(false),
            at: message.at,
            created_at: message.created_at,
            edited_at: message.edit.as_ref().map(|edit| edit.at),
            reactions: message
                .shown_reactions(kind)
                .into_iter()
                .map(|reaction| ReactionShape {
                    id: reaction.id.clone(),
                    emoji: reaction.emoji.clone(),
                    source: reaction.source.clone(),
                    at: reaction.at,
                })
                .collect(),
            reply_to: message.reply_to.get().cloned(),
            file: message.file.view(),
            location: message.location.get().cloned(),
            contacts: message.contacts.get().cloned().unwrap_or_default(),
            deleted: message.deleted,
        }
    }
}

impl MessageShape {
    /// Takes its words out: it was deleted after this was written.
    pub fn forget_words(&mut self) {
        (self.text, self.edited_at, self.file, self.location) = (None, None, None, None);
        self.reactions.clear();
        self.contacts.clear();
        self.deleted = true;
    }

    /// The agent who sent it. Where nobody of the team did, the author is a customer in a group.
    pub fn people_mut(&mut self) -> impl Iterator<Item = &mut NamedShape> {
        let by_agent = self.source.as_deref() == Some(SOURCE_MEMBER);
        self.author.iter_mut().filter(move |_| by_agent)
    }
}
