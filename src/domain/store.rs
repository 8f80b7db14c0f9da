//! What the rules need of the stored state. The journal answers from SQLite, tests from memory.

use jiff::Timestamp;

use super::chat::Chat;
use super::contact::Contact;
use super::facts::{ChatFacts, Reaction};
use super::ids::{ChatId, ContactId, MessageId};
use super::message::ChatMessage;
use super::order::{MessagePosition, OrderKey};
use super::register::EventKey;
use super::sender::OutboxFact;

/// One delivery's entry in its chat's timeline: what it said of the state that metrics are computed from.
#[derive(Debug, Clone)]
pub struct TimelineEntry<'a> {
    /// Where the entry stands in the chat's order.
    pub key: &'a EventKey,
    pub facts: &'a ChatFacts,
}

/// The stored state, as far as absorbing a delivery needs it.
///
/// Within one delivery, what a `put` stored is visible to every later question.
pub trait Store {
    /// Why a question or a write failed.
    type Error;

    fn chat(&mut self, id: &ChatId) -> Result<Option<Chat>, Self::Error>;
    fn contact(&mut self, id: &ContactId) -> Result<Option<Contact>, Self::Error>;
    fn message(&mut self, id: &MessageId) -> Result<Option<ChatMessage>, Self::Error>;

    fn put_chat(&mut self, chat: &Chat) -> Result<(), Self::Error>;
    fn put_contact(&mut self, contact: &Contact) -> Result<(), Self::Error>;
    /// Stores the message; `new` is true if it was not known before.
    fn put_message(&mut self, message: &ChatMessage, new: bool) -> Result<(), Self::Error>;
    fn add_to_timeline(&mut self, entry: &TimelineEntry<'_>) -> Result<(), Self::Error>;

    /// Keeps a reaction to a message that is not known yet.
    fn park_reaction(&mut self, message: &MessageId, reaction: &Reaction) -> Result<(), Self::Error>;
    /// Returns and removes the reactions that were kept for a message.
    fn take_reactions(&mut self, message: &MessageId) -> Result<Vec<Reaction>, Self::Error>;

    /// What the outbox knows of a message that went out and that was not known before.
    fn outgoing(&mut self, message: &ChatMessage) -> Result<Option<OutboxFact>, Self::Error>;

    /// The last message of the chat that is a human, public reply.
    fn last_reply(&mut self, chat: &ChatId) -> Result<Option<MessagePosition>, Self::Error>;
    /// When a customer last wrote in the chat.
    fn last_customer_at(&mut self, chat: &ChatId) -> Result<Option<Timestamp>, Self::Error>;
    /// When the newest message of the chat was written that [ends a silence](super::MessageRole::ends_silence) and is
    /// not a reaction.
    fn last_public_at(&mut self, chat: &ChatId) -> Result<Option<Timestamp>, Self::Error>;
    /// The first customer message of the chat after `floor`; without a floor, the first of all.
    fn first_customer_message_after(
        &mut self,
        chat: &ChatId,
        floor: Option<&OrderKey>,
    ) -> Result<Option<MessagePosition>, Self::Error>;
    /// The newest message of the chat that is not a reaction.
    fn newest_message(&mut self, chat: &ChatId) -> Result<Option<MessagePosition>, Self::Error>;
    /// The newest message of all chats of the contact.
    fn newest_message_of(&mut self, contact: &ContactId) -> Result<Option<MessagePosition>, Self::Error>;
    /// The closing time of the first of the consecutive entries at the end of the timeline that show the chat
    /// closed.
    fn closed_stretch_start(&mut self, chat: &ChatId) -> Result<Option<Timestamp>, Self::Error>;
    /// The times of all messages of the chat. Asked only when a chat turns out to be of another kind.
    fn message_times(&mut self, chat: &ChatId) -> Result<Vec<Timestamp>, Self::Error>;
}
