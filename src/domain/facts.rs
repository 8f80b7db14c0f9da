//! What one delivery says, in our words: the input of [`absorb`](super::absorb()).
//!
//! An outer `None` means that the delivery did not say it, or said it with a wrong type. An inner `None` means
//! that it said there is none.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::ids::{ChatId, ContactId, EventId, MessageId, RefId};
use super::order::sortable;
use super::register::EventKey;
use super::visible;

/// Reads a field that is there as said, even where it is null.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// One delivery that carries an id and a type, read from the provider's JSON.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The provider's id. A delivery with a known id is a duplicate, however old the first one is.
    pub event_id: EventId,
    /// The provider's `Type`, as it came.
    pub event_type: String,
    /// The number of the provider's attempt, from its `x-attempt` header.
    pub attempt: Option<u32>,
    pub received_at: Timestamp,
    pub body: DeliveryBody,
}

/// The content of a delivery, as far as it was understood.
#[derive(Debug, Clone)]
pub enum DeliveryBody {
    /// A chat as it was when the provider built the event.
    Understood(Box<Facts>),
    /// Kept raw, because the type or the content was not understood.
    Unrecognized {
        /// Which part was missing or unknown, as a text for people.
        reason: String,
    },
}

/// A chat, its contact and its messages as one delivery shows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Where the delivery stands in the order of the chat's deliveries.
    pub key: EventKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<RefId>,
    pub chat: ChatFacts,
    /// The contact; `None` where the delivery names none with an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactFacts>,
    /// The messages that the delivery carries, one per id: at most two of the provider's, more of the hub's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<MessageFacts>,
    /// Reactions to messages that the delivery does not contain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<(MessageId, Reaction)>,
}

/// Something that is referred to by id, with its name where the delivery has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub id: RefId,
    /// `None` where the provider gave no name (it never gives names of agents), or one without visible
    /// characters.
    #[serde(default, deserialize_with = "visible::name")]
    pub name: Option<String>,
}

/// The line that a chat runs on: a WhatsApp number or another account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatLine {
    pub id: RefId,
    /// `None` where the provider gave no name, or one without visible characters.
    #[serde(default, deserialize_with = "visible::name")]
    pub name: Option<String>,
    /// The provider's `ChannelType`, unchanged.
    #[serde(rename = "type")]
    pub channel_type: Option<String>,
}

impl ChatLine {
    /// True where the line is a WhatsApp line, on which free answers end 24 hours after the customer's last
    /// message.
    pub fn is_whatsapp(&self) -> bool {
        self.channel_type.as_deref().is_some_and(|name| name.to_ascii_lowercase().contains("whatsapp"))
    }
}

/// Who a chat is held with. Only direct chats count in the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChatKind {
    /// A chat with one customer.
    Direct,
    Group,
    /// A chat between colleagues (`MemberDirectMessage`, `MemberGroup`).
    Internal,
}

impl ChatKind {
    pub const ALL: [Self; 3] = [Self::Direct, Self::Group, Self::Internal];

    /// The kind as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
            Self::Internal => "internal",
        }
    }
}

/// What a delivery says of its chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatFacts {
    /// The only field that is required.
    pub id: ChatId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<ContactId>,
    /// Read from the contact's type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ChatKind>,
    /// The line that the chat runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChatLine>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub sector: Option<Option<Named>>,
    /// The agent who has the chat. A closed chat without an agent counts as not said, because closing a chat
    /// does not transfer it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub owner: Option<Option<Named>>,
    /// The agents who take part in the chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<Named>>,
    /// The chat's own tags, always the complete list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Named>>,
    /// True where the chat is open, false where it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// True where the provider has the chat in its waiting list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<bool>,
    /// True where only its members, admins and supervisors see the chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// True while a bot answers in the chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_running: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub closed_at: Option<Option<Timestamp>>,
    /// `EventAtUTC`: the last activity that the provider knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_at: Option<Timestamp>,
}

/// What a delivery says of its contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactFacts {
    /// The only field that is required.
    pub id: ContactId,
    /// A name of `null` counts as not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// In E.164 form, with `+`. A phone of `null` counts as not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Address of the picture; an inner `None` where the contact has none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub picture_url: Option<Option<String>>,
    /// The provider's `ContactType`, unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_type: Option<String>,
    /// True where the team blocked the contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// The contact's tags, always the complete list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Named>>,
    /// When the contact was created, where a delivery says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_at: Option<Timestamp>,
}

/// What a delivery says of one message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MessageFacts {
    /// The only field that is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// `CreatedAtUTC`. It orders messages of one instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// `Contact`, `Member`, `Bot`, `External`, or another word of the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The provider's word: `Text`, `Image` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// The text, or the caption of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How far the message was delivered, as the provider's word: `Sent`, `Read` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// True for a note that only the team sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// The agent who sent the message, or the member of a group who did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<Named>,
    /// Sent by a template, a campaign or a schedule, so it does not answer a waiting customer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automated: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<Edit>,
    /// Reactions that came inside the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// The attached file, without its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
    /// A location that was shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Contact cards that were shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<ContactCard>>,
    /// True where the message was deleted for everyone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// The outbox entry that the message was found to repeat, by its text, before the text was forgotten. No
    /// provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo_of: Option<String>,
    /// True where the hub took content out, because it was erased or is too old. No provider says it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// A later text of a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edit {
    /// When the sender edited the message.
    pub at: Timestamp,
    /// The text after the edit.
    pub text: String,
}

/// An emoji on a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reaction {
    /// When somebody reacted. Of several reactions with one id the newest counts.
    pub at: Option<Timestamp>,
    pub id: String,
    /// Empty where the reaction was taken back.
    pub emoji: String,
    /// Who reacted, in the provider's word.
    pub source: Option<String>,
}

impl Reaction {
    /// True where this takes an earlier reaction back.
    pub fn is_taken_back(&self) -> bool {
        self.emoji.is_empty()
    }

    /// True where `other` is newer: by its time, then by its id, as the provider assigned them. Where both are
    /// equal, taking back is newer than reacting.
    pub fn is_older_than(&self, other: &Self) -> bool {
        let place = |reaction: &Self| (reaction.at, sortable(&reaction.id), reaction.is_taken_back());
        // The last comparison only makes the answer independent of the order in which the two came.
        place(self).cmp(&place(other)).then_with(|| self.cmp(other)).is_lt()
    }
}

/// The message that another message answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplyTo {
    /// Id of the answered message.
    #[schema(value_type = String)]
    pub id: MessageId,
    /// The chat of the answered message; null where the provider did not say it.
    #[schema(value_type = Option<String>)]
    pub chat_id: Option<ChatId>,
}

/// An attached file. Its bytes are never read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Where the file can be fetched. Not known until the provider has stored it.
    pub url: Option<String>,
    /// The media type, as the provider says it.
    pub content_type: Option<String>,
    /// The name that the file was sent with.
    pub name: Option<String>,
    /// Size of the file in bytes.
    pub size: Option<u64>,
    /// What is said in a recording, where the provider wrote it down; left out otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcription: Option<String>,
}

/// A shared location. Coordinates are decimal degrees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Location {
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    /// What the sender called the place.
    pub name: Option<String>,
    /// The postal address of the place.
    pub address: Option<String>,
}

/// A contact card that was shared in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactCard {
    /// Name of the person on the card.
    pub name: Option<String>,
    /// Phones of the person on the card.
    pub phones: Vec<String>,
    /// E-mail addresses of the person.
    pub emails: Vec<String>,
    /// Company of the person on the card.
    pub company: Option<String>,
}
