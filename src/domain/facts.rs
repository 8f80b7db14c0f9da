//! What one delivery says, in our words: the input of [`absorb`](super::absorb()).
//!
//! An outer `None` means "not said" (absent, or of a wrong type); an inner `None` means "said to be nothing".

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::chat::ChatKind;
use super::ids::{ChatId, ContactId, EventId, MessageId, RefId};
use super::order::sortable;
use super::register::EventKey;
use super::visible;

/// One delivery that carries an id and a type, read off the provider's JSON.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The provider's id, the key of deduplication for all time.
    pub event_id: EventId,
    /// The provider's `Type`, as it came.
    pub event_type: String,
    /// Which attempt of the provider this is, from its `x-attempt` header.
    pub attempt: Option<u32>,
    /// When the hub received it.
    pub received_at: Timestamp,
    /// What it says.
    pub body: DeliveryBody,
}

/// What a delivery says, as far as it was understood.
#[derive(Debug, Clone)]
pub enum DeliveryBody {
    /// A chat as it was when the event was built.
    Understood(Box<Facts>),
    /// Kept raw; the reason says what was not understood.
    Unrecognized {
        /// For people: which part was missing or unknown.
        reason: String,
    },
}

/// A chat, its contact and its messages as one delivery shows them.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The delivery's place in the chat's order.
    pub key: EventKey,
    /// The organization's id.
    pub organization: Option<RefId>,
    /// The chat.
    pub chat: ChatFacts,
    /// The contact, where it was said with an id.
    pub contact: Option<ContactFacts>,
    /// The messages that the delivery carries, one per id: at most two of the provider's, more of the hub's own.
    pub messages: Vec<MessageFacts>,
    /// Reactions to messages that the delivery itself does not carry, too.
    pub reactions: Vec<(MessageId, Reaction)>,
}

/// Something that is referred to by id, with the name where one came along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The provider's id.
    pub id: RefId,
    /// Its name; `None` where the provider did not say it (names of agents never come), or said one that shows nothing.
    #[serde(default, deserialize_with = "visible::name")]
    pub name: Option<String>,
}

/// The line that a chat runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// The provider's id.
    pub id: RefId,
    /// Its name; `None` where the provider did not say it, or said one that shows nothing.
    #[serde(default, deserialize_with = "visible::name")]
    pub name: Option<String>,
    /// `ChannelType` as the provider writes it.
    #[serde(rename = "type")]
    pub channel_type: Option<String>,
}

impl Channel {
    /// True where the provider's type is one of WhatsApp's, whose window of free answers closes after 24 hours.
    pub fn is_whatsapp(&self) -> bool {
        self.channel_type.as_deref().is_some_and(|name| name.to_ascii_lowercase().contains("whatsapp"))
    }
}

/// What a delivery says of its chat.
#[derive(Debug, Clone)]
pub struct ChatFacts {
    /// The only part that must be there.
    pub id: ChatId,
    /// Who the chat is held with.
    pub contact_id: Option<ContactId>,
    /// Read off the contact's type.
    pub kind: Option<ChatKind>,
    /// The line it runs on.
    pub channel: Option<Channel>,
    /// The sector it stands in.
    pub sector: Option<Option<Named>>,
    /// The agent it is assigned to. Not said by a closed chat without an agent: closing is no transfer.
    pub owner: Option<Option<Named>>,
    /// Everyone in the chat.
    pub members: Option<Vec<Named>>,
    /// The chat's own tags, always the whole list.
    pub tags: Option<Vec<Named>>,
    /// Open or closed.
    pub open: Option<bool>,
    /// In the waiting list.
    pub waiting: Option<bool>,
    /// Seen by its members only.
    pub private: Option<bool>,
    /// The provider's own waiting clock, used where no message explains the wait.
    pub waiting_since: Option<Option<Timestamp>>,
    /// A bot is running.
    pub bot_running: Option<bool>,
    /// When the chat was created.
    pub created_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Option<Timestamp>>,
    /// `EventAtUTC`: the provider's last activity.
    pub active_at: Option<Timestamp>,
}

/// What a delivery says of its contact.
#[derive(Debug, Clone)]
pub struct ContactFacts {
    /// The only part that must be there.
    pub id: ContactId,
    /// The name; a null name is no knowledge and says nothing.
    pub name: Option<String>,
    /// E.164 with `+`; a null phone says nothing.
    pub phone: Option<String>,
    /// The picture; null where there is none.
    pub picture_url: Option<Option<String>>,
    /// `ContactType` as the provider writes it.
    pub contact_type: Option<String>,
    /// Blocked by the team.
    pub blocked: Option<bool>,
    /// The contact's tags, always the whole list.
    pub tags: Option<Vec<Named>>,
    /// When the contact was created, where a delivery says so.
    pub created_at: Option<Timestamp>,
    /// `LastActiveUTC`.
    pub active_at: Option<Timestamp>,
}

/// What a delivery says of one message.
#[derive(Debug, Clone, Default)]
pub struct MessageFacts {
    /// The only part that must be there; empty never occurs.
    pub id: Option<MessageId>,
    /// `EventAtUTC`, else `CreatedAtUTC`.
    pub at: Option<Timestamp>,
    /// `CreatedAtUTC`: orders messages of one instant.
    pub created_at: Option<Timestamp>,
    /// `Contact`, `Member`, `Bot`, `External`, or a word we do not know.
    pub source: Option<String>,
    /// `Text`, `Image` and so on, as the provider writes it.
    pub message_type: Option<String>,
    /// The text, or the caption of a file.
    pub text: Option<String>,
    /// The delivery state.
    pub state: Option<String>,
    /// An internal note.
    pub private: Option<bool>,
    /// The agent who sent it, or the group's member who did.
    pub author: Option<Named>,
    /// The bot that sent it.
    pub bot: Option<Named>,
    /// Sent by a template, a bulk campaign or a schedule: no reply to a waiting customer.
    pub automated: bool,
    /// The newest edit.
    pub edit: Option<Edit>,
    /// Reactions that came with the message.
    pub reactions: Vec<Reaction>,
    /// The message it answers.
    pub reply_to: Option<ReplyTo>,
    /// The attached file, without its bytes.
    pub file: Option<File>,
    /// A place.
    pub location: Option<Location>,
    /// Shared contact cards.
    pub contacts: Option<Vec<ContactCard>>,
    /// Deleted for everyone.
    pub deleted: bool,
}

/// A later text of a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edit {
    /// When the sender edited.
    pub at: Timestamp,
    /// The text since then.
    pub text: String,
}

/// An emoji on a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reaction {
    /// When; the newest of one id wins.
    pub at: Option<Timestamp>,
    /// The provider's id.
    pub id: String,
    /// The emoji; empty means that it was taken back.
    pub emoji: String,
    /// Who reacted, as the provider writes it.
    pub source: Option<String>,
}

impl Reaction {
    /// True where it takes an earlier one back.
    pub fn is_taken_back(&self) -> bool {
        self.emoji.is_empty()
    }

    /// True where the other one came later: by its time, then by its id, as the provider made them. Where both are
    /// the same, taking back comes after reacting.
    pub fn is_older_than(&self, other: &Self) -> bool {
        let place = |reaction: &Self| (reaction.at, sortable(&reaction.id), reaction.is_taken_back());
        // The rest only makes the answer the same whatever the order in which the two came.
        place(self).cmp(&place(other)).then_with(|| self.cmp(other)).is_lt()
    }
}

/// The message that another one answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplyTo {
    /// The answered message.
    #[schema(value_type = String)]
    pub id: MessageId,
    /// Its chat, where it was said.
    #[schema(value_type = Option<String>)]
    pub chat_id: Option<ChatId>,
}

/// An attached file. Its bytes are never read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Where it can be fetched; `None` until the provider has stored it.
    pub url: Option<String>,
    /// The media type.
    pub content_type: Option<String>,
    /// The name it was sent with.
    pub name: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
}

/// A place. Coordinates are decimal degrees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Location {
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// What the sender called it.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<String>,
}

/// A shared contact card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactCard {
    /// The person's name.
    pub name: Option<String>,
    /// Their phones.
    pub phones: Vec<String>,
    /// Their e-mail addresses.
    pub emails: Vec<String>,
    /// Their company.
    pub company: Option<String>,
}
