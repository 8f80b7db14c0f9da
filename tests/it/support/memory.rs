//! The stored state in maps, where every question looks at everything: slow, and hard to get wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use jiff::Timestamp;
use umbler_hub::facade::rules::{
    Chat, ChatFacts, ChatId, ChatMessage, Contact, ContactId, Delivery, DeliveryBody, EventId, EventKey,
    MessageId, MessagePosition, MessageRole, OrderKey, OutboxFact, Reaction, StatsDelta, Store,
    TimelineEntry, absorb, closing_time,
};

/// Everything that a hub would store.
#[derive(Default)]
pub struct Memory {
    pub chats: BTreeMap<ChatId, Chat>,
    pub contacts: BTreeMap<ContactId, Contact>,
    pub messages: BTreeMap<MessageId, ChatMessage>,
    pub timeline: BTreeMap<(ChatId, EventKey), ChatFacts>,
    pub parked: BTreeSet<(MessageId, Reaction)>,
    /// The sum of all changes of the counters.
    pub counted: StatsDelta,
    seen: BTreeSet<EventId>,
}

impl Memory {
    /// Absorbs a delivery as the journal does: each `EventId` once.
    pub fn take(&mut self, delivery: &Delivery) {
        let DeliveryBody::Understood(facts) = &delivery.body else { panic!("not understood: {delivery:?}") };
        if self.seen.insert(delivery.event_id.clone()) {
            let Ok(absorbed) = absorb(facts, self);
            self.counted.add(&absorbed.delta);
        }
    }

    /// All of it in a form that can be compared.
    pub fn state(&self) -> serde_json::Value {
        let timeline: Vec<String> =
            self.timeline.iter().map(|(key, facts)| format!("{key:?} {facts:?}")).collect();
        let parked: Vec<String> = self.parked.iter().map(|parked| format!("{parked:?}")).collect();
        serde_json::json!({
            "chats": self.chats.values().collect::<Vec<_>>(),
            "contacts": self.contacts.values().collect::<Vec<_>>(),
            "messages": self.messages.values().collect::<Vec<_>>(),
            "timeline": timeline,
            "parked": parked,
            "counted": format!("{:?}", self.counts()),
        })
    }

    /// The counters as the deltas changed them, without buckets that are empty again.
    pub fn counts(&self) -> StatsDelta {
        let mut counts = self.counted.clone();
        counts.buckets.retain(|_, count| *count != 0);
        counts
    }

    /// The counters, counted from what is stored.
    pub fn recount(&self) -> StatsDelta {
        let few = |count: usize| i64::try_from(count).expect("few");
        let mut counts = StatsDelta {
            chats: few(self.chats.len()),
            contacts: few(self.contacts.len()),
            messages: few(self.messages.len()),
            ..StatsDelta::default()
        };
        self.chats.values().for_each(|chat| counts.count_chat(chat, 1));
        for message in self.messages.values().filter(|message| self.chats[&message.chat_id].is_direct()) {
            counts.count_at(message.at, 1);
        }
        counts
    }

    fn of<'a>(&'a self, chat: &'a ChatId) -> impl Iterator<Item = &'a ChatMessage> {
        self.messages.values().filter(move |message| message.chat_id == *chat)
    }
}

impl Store for Memory {
    type Error = Infallible;

    fn chat(&mut self, id: &ChatId) -> Result<Option<Chat>, Infallible> {
        Ok(self.chats.get(id).cloned())
    }

    fn contact(&mut self, id: &ContactId) -> Result<Option<Contact>, Infallible> {
        Ok(self.contacts.get(id).cloned())
    }

    fn message(&mut self, id: &MessageId) -> Result<Option<ChatMessage>, Infallible> {
        Ok(self.messages.get(id).cloned())
    }

    fn put_chat(&mut self, chat: &Chat) -> Result<(), Infallible> {
        self.chats.insert(chat.id.clone(), chat.clone());
        Ok(())
    }

    fn put_contact(&mut self, contact: &Contact) -> Result<(), Infallible> {
        self.contacts.insert(contact.id.clone(), contact.clone());
        Ok(())
    }

    fn put_message(&mut self, message: &ChatMessage, new: bool) -> Result<(), Infallible> {
        let known = self.messages.insert(message.id.clone(), message.clone());
        assert_eq!(known.is_none(), new, "new means not known before");
        Ok(())
    }

    fn add_to_timeline(&mut self, entry: &TimelineEntry<'_>) -> Result<(), Infallible> {
        self.timeline.insert((entry.facts.id.clone(), entry.key.clone()), entry.facts.clone());
        Ok(())
    }

    fn park_reaction(&mut self, message: &MessageId, reaction: &Reaction) -> Result<(), Infallible> {
        self.parked.insert((message.clone(), reaction.clone()));
        Ok(())
    }

    fn take_reactions(&mut self, message: &MessageId) -> Result<Vec<Reaction>, Infallible> {
        let taken = self.parked.extract_if(.., |(id, _)| id == message);
        Ok(taken.map(|(_, reaction)| reaction).collect())
    }

    fn outgoing(&mut self, _: &ChatMessage) -> Result<Option<OutboxFact>, Infallible> {
        Ok(None)
    }

    fn last_reply(&mut self, chat: &ChatId) -> Result<Option<MessagePosition>, Infallible> {
        let replies = self.of(chat).filter(|message| message.role() == MessageRole::Reply);
        Ok(replies.map(ChatMessage::position).max())
    }

    fn last_customer_at(&mut self, chat: &ChatId) -> Result<Option<Timestamp>, Infallible> {
        Ok(self
            .of(chat)
            .filter(|message| message.role() == MessageRole::Customer)
            .map(|message| message.at)
            .max())
    }

    fn last_public_at(&mut self, chat: &ChatId) -> Result<Option<Timestamp>, Infallible> {
        let messages = self.of(chat).filter(|message| !message.is_reaction());
        Ok(messages.filter(|message| message.role().ends_silence()).map(|message| message.at).max())
    }

    fn first_customer_message_after(
        &mut self,
        chat: &ChatId,
        floor: Option<&OrderKey>,
    ) -> Result<Option<MessagePosition>, Infallible> {
        let customers = self.of(chat).filter(|message| message.role() == MessageRole::Customer);
        Ok(customers.map(ChatMessage::position).filter(|position| Some(&position.key()) > floor).min())
    }

    fn newest_message(&mut self, chat: &ChatId) -> Result<Option<MessagePosition>, Infallible> {
        let messages = self.of(chat).filter(|message| !message.is_reaction());
        Ok(messages.map(ChatMessage::position).max())
    }

    fn newest_message_of(&mut self, contact: &ContactId) -> Result<Option<MessagePosition>, Infallible> {
        let chats = self.chats.values().filter(|chat| chat.contact_id.get() == Some(contact));
        Ok(chats.filter_map(|chat| chat.last_message.clone()).max())
    }

    fn closed_stretch_start(&mut self, chat: &ChatId) -> Result<Option<Timestamp>, Infallible> {
        let entries = self.timeline.iter().filter(|((of, _), _)| of == chat);
        let mut start = None;
        for ((_, key), facts) in entries {
            match facts.open {
                Some(true) => start = None,
                Some(false) => start = start.or_else(|| Some(closing_time(facts, key))),
                None => {}
            }
        }
        Ok(start)
    }

    fn message_times(&mut self, chat: &ChatId) -> Result<Vec<Timestamp>, Infallible> {
        Ok(self.of(chat).map(|message| message.at).collect())
    }
}
