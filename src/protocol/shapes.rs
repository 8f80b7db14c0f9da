//! Contacts, chats and messages as clients see them. What is not known is `null`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::facts::{ContactCard, File, Location, ReplyTo};
use crate::domain::{Chat, ChatKind, ChatMessage, ChatStatus, Contact, Direction, MessagePosition, Named};

/// The `source` of what an agent sent.
pub const SOURCE_MEMBER: &str = "Member";

/// Something that is referred to by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Named)]
pub struct NamedShape {
    /// The provider's id of it.
    pub id: String,
    /// The name; null where it is not known.
    pub name: Option<String>,
}

impl From<&Named> for NamedShape {
    fn from(named: &Named) -> Self {
        Self { id: named.id.to_string(), name: named.name.clone() }
    }
}

/// The line that a chat runs on: a WhatsApp number or another account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Channel)]
pub struct ChannelShape {
    /// The provider's id of the line.
    pub id: String,
    /// The name of the line; null where it is not known.
    pub name: Option<String>,
    /// The provider's `ChannelType` of the line.
    #[serde(rename = "type")]
    pub channel_type: Option<String>,
}

impl From<&crate::domain::ChatLine> for ChannelShape {
    fn from(channel: &crate::domain::ChatLine) -> Self {
        Self {
            id: channel.id.to_string(),
            name: channel.name.clone(),
            channel_type: channel.channel_type.clone(),
        }
    }
}

/// A summary of the newest message of a chat or contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageSummary {
    /// The provider's id of the message.
    pub id: String,
    /// The chat that the message belongs to.
    pub chat_id: String,
    /// `in` from the customer, `out` to the customer.
    pub direction: Direction,
    /// Who wrote it: `Contact`, `Member`, `Bot` or `External`.
    pub source: Option<String>,
    /// The provider's word: `Text`, `Image` and so on.
    #[serde(rename = "type")]
    pub message_type: Option<String>,
    /// The text to show: the newest edit, else what was sent.
    pub text: Option<String>,
    /// How far it was delivered, in the provider's word: `Sent`, `Read` and so on.
    pub state: Option<String>,
    /// True for a note that only the team sees.
    pub private: bool,
    /// When the message happened, as far as known.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// When the provider created it, which orders messages of one instant. Null where no delivery said so.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// True where the message was deleted for everyone: its content is no longer known. Older versions did not
    /// say it.
    #[serde(default)]
    pub deleted: bool,
}

impl MessageSummary {
    /// Removes the content: the message was deleted after this summary was made.
    pub fn forget_words(&mut self) {
        self.text = None;
        self.deleted = true;
    }

    /// Its position in the order of messages.
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

/// A contact: a customer, a group or a colleague.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Contact)]
pub struct ContactShape {
    /// The provider's id of the contact.
    pub id: String,
    /// Name of the contact; null where it is not known.
    pub name: Option<String>,
    /// Phone in E.164 form, with `+`.
    pub phone: Option<String>,
    /// Address of the picture; null where there is none.
    pub picture_url: Option<String>,
    /// The provider's word: `DirectMessage`, `Group` and so on.
    #[serde(rename = "type")]
    pub contact_type: Option<String>,
    /// True where the team blocked the contact.
    pub blocked: bool,
    /// Tags of the contact, not those of its chats.
    pub tags: Vec<NamedShape>,
    /// When the contact was created, or its earliest chat.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// The later of its own activity and its newest message.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_interaction_at: Option<Timestamp>,
    /// The newest message of all its chats.
    pub last_message: Option<MessageSummary>,
}

impl ContactShape {
    /// The contact as it is sent; `last_message` is the message at its newest position.
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

    /// Leaves out what may have happened in chats that a limited scope does not see. `newest` is the newest
    /// message of the chats that it sees.
    pub fn limit_to(&mut self, newest: Option<MessageSummary>) {
        self.last_interaction_at = newest.as_ref().map(|message| message.at);
        self.last_message = newest;
    }
}

/// A chat with one contact on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Chat)]
pub struct ChatShape {
    /// The provider's id of the chat.
    pub id: String,
    /// The contact that the chat is held with.
    pub contact_id: Option<String>,
    /// Name of the contact; null where it is not known.
    pub contact_name: Option<String>,
    /// Phone of the contact in E.164 form, with `+`. It is shown where there is no name. Older versions did not
    /// say it.
    #[serde(default)]
    pub contact_phone: Option<String>,
    /// Whom the chat is held with: `direct`, `group` or `internal`.
    pub kind: ChatKind,
    /// The line that the chat runs on.
    pub channel: Option<ChannelShape>,
    /// The sector that the chat is in.
    pub sector: Option<NamedShape>,
    /// The agent who has the chat. A closed chat keeps its last one.
    pub owner: Option<NamedShape>,
    /// The agents who take part in the chat.
    pub members: Vec<NamedShape>,
    /// Tags of the chat itself.
    pub tags: Vec<NamedShape>,
    /// Where the chat stands: `open`, `waiting` or `closed`.
    pub status: ChatStatus,
    /// True for an open chat, waiting or not.
    pub open: bool,
    /// True where the provider has the chat in its waiting list.
    pub waiting: bool,
    /// True where only its members, admins and supervisors see the chat.
    pub private: bool,
    /// When the first customer message was written that no human has answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub waiting_since: Option<Timestamp>,
    /// When the chat was created.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// When the chat was closed; `null` while it is open.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// The latest activity in the chat.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_activity_at: Option<Timestamp>,
    /// The newest message of the chat.
    pub last_message: Option<MessageSummary>,
}

impl ChatShape {
    /// The chat as it is sent. The contact's name and phone and the newest message come from elsewhere.
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
    /// The agents named in it.
    pub fn people_mut(&mut self) -> impl Iterator<Item = &mut NamedShape> {
        self.owner.iter_mut().chain(&mut self.members)
    }
}

/// An emoji on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Reaction)]
pub struct ReactionShape {
    /// The provider's id of the reaction.
    pub id: String,
    /// The emoji with which somebody reacted.
    pub emoji: String,
    /// Who reacted, in the provider's word.
    pub source: Option<String>,
    /// When somebody reacted to the message.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}

/// A chat message. The base64 of media never leaves the hub.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Message)]
pub struct MessageShape {
    /// The provider's id of the message.
    pub id: String,
    /// The chat that the message belongs to.
    pub chat_id: String,
    /// The contact that the chat is held with.
    pub contact_id: Option<String>,
    /// `in` from the customer, `out` to the customer.
    pub direction: Direction,
    /// Who wrote it: `Contact`, `Member`, `Bot` or `External`.
    pub source: Option<String>,
    /// The agent who sent it, or the member of a group who did.
    pub author: Option<NamedShape>,
    /// The bot that sent it.
    pub bot: Option<NamedShape>,
    /// The provider's word: `Text`, `Image` and so on.
    #[serde(rename = "type")]
    pub message_type: Option<String>,
    /// The text to show: the newest edit, else what was sent.
    pub text: Option<String>,
    /// How far it was delivered, in the provider's word: `Sent`, `Read` and so on.
    pub state: Option<String>,
    /// True for a note that only the team sees.
    pub private: bool,
    /// When the message happened, as far as known.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// When the provider created it, which orders messages of one instant. Null where no delivery said so.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// When the sender last edited it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub edited_at: Option<Timestamp>,
    /// Reactions to the message; in a direct chat at most one of each person.
    pub reactions: Vec<ReactionShape>,
    /// The message that it answers: `{id, chatId}`.
    pub reply_to: Option<ReplyTo>,
    /// Its file: `{url, contentType, name, size}`. `url` is null until the provider has stored it.
    pub file: Option<File>,
    /// A shared location: `{latitude, longitude, name, address}`.
    pub location: Option<Location>,
    /// Shared contact cards: `{name, phones, emails, company}`.
    pub contacts: Vec<ContactCard>,
    /// True where it was deleted for everyone: text, edit, reactions, file, location and cards are no longer
    /// known.
    pub deleted: bool,
    /// The user who sent it through the hub; left out where it was sent elsewhere. `author` is then the owner of the
    /// API's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_by: Option<NamedShape>,
    /// The outbox entry whose message it repeats under another id; left out where it repeats none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo_of: Option<String>,
    /// True where its content was erased, or was older than the hub keeps it; left out otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

impl MessageShape {
    /// The message as it is sent; contact and kind are those of its chat.
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
            sent_by: message
                .sent_by
                .as_ref()
                .map(|by| NamedShape { id: by.id.clone(), name: by.name.clone() }),
            echo_of: message.echo_of.clone(),
            erased: message.erased,
        }
    }
}

impl MessageShape {
    /// Removes the content: the message was deleted after this was encoded.
    pub fn forget_words(&mut self) {
        self.forget_content();
        (self.deleted, self.erased) = (true, false);
    }

    /// The agent who sent it. In what a customer sent, the author is a member of a group and no agent.
    pub fn people_mut(&mut self) -> impl Iterator<Item = &mut NamedShape> {
        let by_agent = self.source.as_deref() == Some(SOURCE_MEMBER);
        self.author.iter_mut().filter(move |_| by_agent)
    }
}
