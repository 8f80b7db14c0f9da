//! What the rules need to know of what is stored: the journal answers from SQLite, tests from memory.

use jiff::Timestamp;

use super::chat::Chat;
use super::contact::Contact;
use super::facts::{ChatFacts, Reaction};
use super::ids::{ChatId, ContactId, MessageId};
use super::message::ChatMessage;
use super::order::{MessagePosition, OrderKey};
use super::register::EventKey;

/// One delivery's entry in its chat's timeline: what it said of the state that metrics are read off.
#[derive(Debug, Clone)]
pub struct TimelineEntry<'a> {
    /// Its place in the order of the chat.
    pub key: &'a EventKey,
    /// What it said.
    pub facts: &'a ChatFacts,
}

/// The stored state, as far as absorbing a delivery needs it.
///
/// Within one delivery a `put` is visible to every later question.
pub trait Store {
    /// Why a question or a write failed.
    type Error;

    /// The chat, if known.
    fn chat(&mut self, id: &ChatId) -> Result<Option<Chat>, Self::Error>;
    /// The contact, if known.
    fn contact(&mut self, id: &ContactId) -> Result<Option<Contact>, Self::Error>;
    /// The message, if known.
    fn message(&mut self, id: &MessageId) -> Result<Option<ChatMessage>, Self::Error>;

    /// Stores the chat.
    fn put_chat(&mut self, chat: &Chat) -> Result<(), Self::Error>;
    /// Stores the contact.
    fn put_contact(&mut self, contact: &Contact) -> Result<(), Self::Error>;
    /// Stores the message; `new` if it was not known before.
    fn put_message(&mut self, message: &ChatMessage, new: bool) -> Result<(), Self::Error>;
    /// Adds an entry to the chat's timeline.
    fn add_to_timeline(&mut self, entry: &TimelineEntry<'_>) -> Result<(), Self::Error>;

    /// Keeps a reaction to a message that is not known yet.
    fn park_reaction(&mut self, message: &MessageId, reaction: &Reaction) -> Result<(), Self::Error>;
    /// Hands out, and forgets, the reactions that waited for a message.
    fn take_reactions(&mut self, message: &MessageId) -> Result<Vec<Reaction>, Self::Error>;

    /// The last message of the chat that is a human, public reply.
    fn last_reply(&mut self, chat: &ChatId) -> Result<Option<MessagePosition>, Self::Error>;
    /// When a customer wrote last in the chat.
    fn last_customer_at(&mut self, chat: &ChatId) -> Result<Option<Timestamp>, Self::Error>;
    /// The newest message of the chat that [ends a silence](super::Role::ends_silence) and is no reaction.
    fn last_public_at(&mut self, chat: &ChatId) -> Result<Option<Timestamp>, Self::Error>;
    /// The first customer message of the chat after `floor`; `None` as a floor is before all.
    fn first_customer_message_after(
        &mut self,
        chat: &ChatId,
        floor: Option<&OrderKey>,
    ) -> Result<Option<MessagePosition>, Self::Error>;
    /// The newest message of the chat that is no reaction.
    fn newest_message(&mut self, chat: &ChatId) -> Result<Option<MessagePosition>, Self::Error>;
    /// The newest message over all chats of the contact.
    fn newest_message_of(&mut self, contact: &ContactId) -> Result<Option<MessagePosition>, Self::Error>;
    /// Closing time of the first entry of the closed stretch at the end of the chat's timeline.
    fn closed_stretch_start(&mut self, chat: &ChatId) -> Result<Option<Timestamp>, Self::Error>;
    /// The times of all messages of the chat. Asked only when a chat turns out to be of another kind.
    fn message_times(&mut self, chat: &ChatId) -> Result<Vec<Timestamp>, Self::Error>;
}
