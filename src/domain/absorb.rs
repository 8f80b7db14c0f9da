//! Applies one delivery to what is stored. Chats, contacts and messages change nowhere else.

use super::change::{Change, chat_changes};
use super::chat::{Chat, ChatFields};
use super::chat_clocks::set_clocks_anew;
use super::contact::Contact;
use super::facts::{ContactFacts, Facts, MessageFacts, Reaction};
use super::ids::MessageId;
use super::message::ChatMessage;
use super::register::{EventKey, keep_earliest, keep_latest};
use super::role::{Direction, MessageRole};
use super::stats::StatsDelta;
use super::store::{Store, TimelineEntry};

/// The outcome of absorbing one delivery.
#[derive(Debug, Clone)]
pub struct Absorbed {
    /// The chat after the delivery.
    pub chat: Chat,
    /// The contact of the chat after the delivery; `None` where no delivery has named one yet.
    pub contact: Option<Contact>,
    /// The messages that are new, or of which more is known now, newest first.
    pub messages: Vec<ChatMessage>,
    /// What changed, in the order of [`Change::ALL`]; empty where the delivery said nothing new.
    pub changes: Vec<Change>,
    /// The chat's fields before the delivery; `None` where the chat was not known.
    pub before: Option<ChatFields>,
    pub after: ChatFields,
    /// Messages that were stored with their text and that this delivery shows as deleted. Stored updates that
    /// repeat the text must be blanked.
    pub deleted: Vec<MessageId>,
    pub delta: StatsDelta,
}

/// Applies what a delivery says to what is stored, and returns what changed.
///
/// ```
/// # use std::convert::Infallible;
/// # use umbler_hub::facade::rules::*;
/// # type Answer<T> = Result<T, Infallible>;
/// # /// A store that knows nothing.
/// # struct Empty;
/// # impl Store for Empty {
/// #     type Error = Infallible;
/// #     fn chat(&mut self, _: &ChatId) -> Answer<Option<Chat>> { Ok(None) }
/// #     fn contact(&mut self, _: &ContactId) -> Answer<Option<Contact>> { Ok(None) }
/// #     fn message(&mut self, _: &MessageId) -> Answer<Option<ChatMessage>> { Ok(None) }
/// #     fn put_chat(&mut self, _: &Chat) -> Answer<()> { Ok(()) }
/// #     fn put_contact(&mut self, _: &Contact) -> Answer<()> { Ok(()) }
/// #     fn put_message(&mut self, _: &ChatMessage, _: bool) -> Answer<()> { Ok(()) }
/// #     fn add_to_timeline(&mut self, _: &TimelineEntry<'_>) -> Answer<()> { Ok(()) }
/// #     fn park_reaction(&mut self, _: &MessageId, _: &Reaction) -> Answer<()> { Ok(()) }
/// #     fn take_reactions(&mut self, _: &MessageId) -> Answer<Vec<Reaction>> { Ok(Vec::new()) }
/// #     fn outgoing(&mut self, _: &ChatMessage) -> Answer<Option<OutboxFact>> { Ok(None) }
/// #     fn last_reply(&mut self, _: &ChatId) -> Answer<Option<MessagePosition>> { Ok(None) }
/// #     fn last_customer_at(&mut self, _: &ChatId) -> Answer<Option<jiff::Timestamp>> { Ok(None) }
/// #     fn last_public_at(&mut self, _: &ChatId) -> Answer<Option<jiff::Timestamp>> { Ok(None) }
/// #     fn first_customer_message_after(
/// #         &mut self, _: &ChatId, _: Option<&OrderKey>,
/// #     ) -> Answer<Option<MessagePosition>> { Ok(None) }
/// #     fn newest_message(&mut self, _: &ChatId) -> Answer<Option<MessagePosition>> { Ok(None) }
/// #     fn newest_message_of(&mut self, _: &ContactId) -> Answer<Option<MessagePosition>> { Ok(None) }
/// #     fn closed_stretch_start(&mut self, _: &ChatId) -> Answer<Option<jiff::Timestamp>> { Ok(None) }
/// #     fn message_times(&mut self, _: &ChatId) -> Answer<Vec<jiff::Timestamp>> { Ok(Vec::new()) }
/// # }
/// # let mut store = Empty;
/// let body = r#"{ "EventId": "e1", "Type": "Message", "EventDate": "2026-03-02T13:00:00Z", "Payload": { "Content": {
///     "Id": "c1", "Contact": { "Id": "p1", "Name": "Maria" },
///     "LastMessage": { "Id": "m1", "Source": "Contact", "Content": "Bom dia", "EventAtUTC": "2026-03-02T13:00:00Z" } } } }"#;
/// let received_at = "2026-03-02T13:00:01Z".parse()?;
/// let Reading::Event(delivery) = read(body.as_bytes(), None, received_at)? else { panic!("it is an event") };
/// let DeliveryBody::Understood(facts) = delivery.body else { panic!("it is understood") };
///
/// // The store knows nothing yet, so the chat is new, and the customer waits from the first message on.
/// let absorbed = absorb(&facts, &mut store)?;
/// assert_eq!(absorbed.changes, [Change::NewMessage, Change::ChatOpened]);
/// assert_eq!(absorbed.chat.waiting_since(), Some("2026-03-02T13:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn absorb<S: Store>(facts: &Facts, store: &mut S) -> Result<Absorbed, S::Error> {
    let known = store.chat(&facts.chat.id)?;
    let mut chat = known.clone().unwrap_or_else(|| Chat::new(facts.chat.id.clone()));
    chat.organization = chat.organization.or_else(|| facts.organization.clone());
    chat.learn(&facts.chat, &facts.key);
    store.add_to_timeline(&TimelineEntry { key: &facts.key, facts: &facts.chat })?;

    let mut delta = StatsDelta::default();
    let mut learned = Learned::default();
    for message in &facts.messages {
        learn_message(message, &facts.key, &chat, store, &mut learned)?;
    }
    for (message, reaction) in &facts.reactions {
        learn_reaction(message, reaction, store, &mut learned)?;
    }
    chat.message_count += learned.new_count();
    set_clocks(known.as_ref(), &mut chat, &learned, store)?;
    if chat.is_open() && known.as_ref().is_some_and(|known| !known.is_open()) {
        // A chat that an older version stored as closed does not have this time.
        chat.last_public_at = store.last_public_at(&chat.id)?;
    }
    store.put_chat(&chat)?;

    let (contact, contact_changed) =
        learn_contact(facts, &chat, known.as_ref(), &learned, store, &mut delta)?;
    count(known.as_ref(), &chat, &learned, store, &mut delta)?;

    let before = known.as_ref().map(Chat::fields);
    let after = chat.fields();
    let mut changes = chat_changes(before.as_ref(), &after);
    if learned.new_count() > 0 {
        changes.push(Change::NewMessage);
    }
    if learned.0.iter().any(|learning| learning.before.is_some()) {
        changes.push(Change::MessageUpdated);
    }
    if contact_changed {
        changes.push(Change::ContactUpdated);
    }
    if changes.is_empty() && before.as_ref().is_some_and(|before| *before != after) {
        // A late delivery may change nothing but the waiting time.
        changes.push(Change::ChatUpdated);
    }
    changes.sort_unstable();
    let deleted = learned.deleted();
    Ok(Absorbed {
        chat,
        contact,
        messages: learned.into_newest_first(),
        changes,
        before,
        after,
        deleted,
        delta,
    })
}

/// The messages of which a delivery says something new, each once.
#[derive(Default)]
struct Learned(Vec<Learning>);

struct Learning {
    before: Option<ChatMessage>,
    after: ChatMessage,
}

impl Learned {
    fn new_count(&self) -> i64 {
        self.0.iter().map(|learning| i64::from(learning.before.is_none())).sum()
    }

    fn deleted(&self) -> Vec<MessageId> {
        let was_whole = |learning: &&Learning| learning.before.as_ref().is_some_and(|before| !before.deleted);
        let now = self.0.iter().filter(was_whole).filter(|learning| learning.after.deleted);
        now.map(|learning| learning.after.id.clone()).collect()
    }

    fn into_newest_first(self) -> Vec<ChatMessage> {
        let mut learnings = self.0;
        // The new message is the subject of the update; a known one of which more is known now comes after it.
        learnings.sort_by_key(|learning| {
            (learning.before.is_some(), std::cmp::Reverse(learning.after.position()))
        });
        learnings.into_iter().map(|learning| learning.after).collect()
    }
}

impl Learning {
    /// True where the message's position among others, or its role, has changed.
    fn moved(&self) -> bool {
        self.before.as_ref().is_some_and(|before| {
            before.position() != self.after.position()
                || before.role() != self.after.role()
                || before.is_reaction() != self.after.is_reaction()
        })
    }
}

fn learn_message<S: Store>(
    facts: &MessageFacts,
    key: &EventKey,
    chat: &Chat,
    store: &mut S,
    learned: &mut Learned,
) -> Result<(), S::Error> {
    let Some(id) = &facts.id else { return Ok(()) };
    let before = store.message(id)?;
    if before.as_ref().is_some_and(|known| known.chat_id != chat.id) {
        // Another chat has a message of this id. A message never changes its chat, so this one is ignored.
        return Ok(());
    }
    let mut after = if let Some(known) = &before {
        let mut after = known.clone();
        after.learn(facts, key);
        after
    } else {
        ChatMessage::first_seen(id.clone(), chat.id.clone(), facts, key)
    };
    if before.is_none() {
        for reaction in store.take_reactions(id)? {
            after.react(&reaction);
        }
        if after.direction() == Direction::Out
            && let Some(outgoing) = store.outgoing(&after)?
        {
            after.note_outgoing(outgoing);
        }
    }
    keep_learning(before, after, store, learned)
}

fn learn_reaction<S: Store>(
    id: &MessageId,
    reaction: &Reaction,
    store: &mut S,
    learned: &mut Learned,
) -> Result<(), S::Error> {
    let Some(known) = store.message(id)? else { return store.park_reaction(id, reaction) };
    let mut after = known.clone();
    after.react(reaction);
    keep_learning(Some(known), after, store, learned)
}

/// Stores a message of which more is known. Where an older delivery only confirms what is known, the message is
/// stored but not reported as changed.
fn keep_learning<S: Store>(
    before: Option<ChatMessage>,
    after: ChatMessage,
    store: &mut S,
    learned: &mut Learned,
) -> Result<(), S::Error> {
    if before.as_ref() == Some(&after) {
        return Ok(());
    }
    store.put_message(&after, before.is_none())?;
    if let Some(learning) = learned.0.iter_mut().find(|learning| learning.after.id == after.id) {
        learning.after = after;
    } else if before.as_ref().is_none_or(|before| !before.shows_the_same_as(&after)) {
        learned.0.push(Learning { before, after });
    }
    Ok(())
}

/// Sets those fields of a chat that follow from its messages and its timeline.
fn set_clocks<S: Store>(
    known: Option<&Chat>,
    chat: &mut Chat,
    learned: &Learned,
    store: &mut S,
) -> Result<(), S::Error> {
    // A delivery that was emitted earlier may report the same close. That moves the close back, possibly to
    // before a message that preceded it so far.
    let close = |chat: &Chat| chat.last_close.map(|close| close.moment());
    let close_moved_back = known.is_some_and(|known| close(known) > close(chat));
    if close_moved_back || learned.0.iter().any(Learning::moved) {
        set_clocks_anew(chat, store)?;
    } else {
        follow_new_messages(chat, learned, store)?;
    }
    chat.closed_since = if chat.is_open() || chat.provider_closed_at.flat().is_some() {
        None
    } else {
        store.closed_stretch_start(&chat.id)?
    };
    Ok(())
}

fn follow_new_messages<S: Store>(chat: &mut Chat, learned: &Learned, store: &mut S) -> Result<(), S::Error> {
    let new = || learned.0.iter().filter(|learning| learning.before.is_none());
    for learning in new().filter(|learning| learning.after.role() == MessageRole::Reply) {
        keep_latest(&mut chat.last_reply, Some(learning.after.position()));
    }
    let floor = chat.wait_floor();
    if chat.unanswered.as_ref().is_some_and(|message| Some(message.key()) <= floor) {
        chat.unanswered = store.first_customer_message_after(&chat.id, floor.as_ref())?;
    }
    for learning in new() {
        let (position, role) = (learning.after.position(), learning.after.role());
        if role.opens_window() {
            keep_latest(&mut chat.last_customer_at, Some(position.at));
        }
        if role == MessageRole::Customer && Some(position.key()) > floor {
            keep_earliest(&mut chat.unanswered, Some(position.clone()));
        }
        if !learning.after.is_reaction() {
            if role.ends_silence() {
                keep_latest(&mut chat.last_public_at, Some(position.at));
            }
            keep_latest(&mut chat.last_message, Some(position));
        }
    }
    Ok(())
}

/// Applies what the delivery says of the contact. Returns true where fields of a known contact changed.
fn learn_contact<S: Store>(
    facts: &Facts,
    chat: &Chat,
    known_chat: Option<&Chat>,
    learned: &Learned,
    store: &mut S,
    delta: &mut StatsDelta,
) -> Result<(Option<Contact>, bool), S::Error> {
    let own = chat.contact_id.get();
    if let Some(said) = facts.contact.as_ref().filter(|said| own != Some(&said.id)) {
        // A late delivery may name the contact that the chat was held with before. That contact is stored as
        // well.
        let known = store.contact(&said.id)?;
        let contact = hear_contact(known.as_ref(), said, facts, delta);
        store.put_contact(&contact)?;
    }
    let Some(id) = own.cloned() else { return Ok((None, false)) };
    let known = store.contact(&id)?;
    let mut contact = match facts.contact.as_ref().filter(|said| said.id == id) {
        Some(said) => hear_contact(known.as_ref(), said, facts, delta),
        None => known.clone().unwrap_or_else(|| Contact::new(id.clone())),
    };

    let moved_here = known_chat.is_some_and(|known| known.contact_id.get() != Some(&id));
    if moved_here || learned.0.iter().any(Learning::moved) {
        contact.last_message = store.newest_message_of(&id)?;
    } else {
        keep_latest(&mut contact.last_message, chat.last_message.clone());
    }
    if known.as_ref() != Some(&contact) {
        store.put_contact(&contact)?;
    }
    if let Some(left) = known_chat.and_then(|known| known.contact_id.get()).filter(|left| **left != id) {
        leave_contact(left, store)?;
    }
    let changed = known.is_some_and(|known| known.fields() != contact.fields());
    Ok((Some(contact), changed))
}

/// Applies what a delivery says of a contact. Only deliveries that name the contact change it, so that their
/// order does not matter.
fn hear_contact(
    known: Option<&Contact>,
    said: &ContactFacts,
    facts: &Facts,
    delta: &mut StatsDelta,
) -> Contact {
    let mut contact = known.cloned().unwrap_or_else(|| Contact::new(said.id.clone()));
    contact.organization = contact.organization.or_else(|| facts.organization.clone());
    contact.learn(said, &facts.key, facts.chat.created_at);
    delta.contacts += i64::from(known.is_none());
    contact
}

/// Recomputes the newest message of a contact that lost a chat to another contact: the chat takes its messages
/// along.
fn leave_contact<S: Store>(id: &super::ContactId, store: &mut S) -> Result<(), S::Error> {
    let Some(mut contact) = store.contact(id)? else { return Ok(()) };
    contact.last_message = store.newest_message_of(id)?;
    store.put_contact(&contact)
}

/// Moves the counters by the difference that the delivery made.
fn count<S: Store>(
    known: Option<&Chat>,
    chat: &Chat,
    learned: &Learned,
    store: &mut S,
    delta: &mut StatsDelta,
) -> Result<(), S::Error> {
    delta.chats += i64::from(known.is_none());
    delta.messages += learned.new_count();
    if let Some(known) = known {
        delta.count_chat(known, -1);
    }
    delta.count_chat(chat, 1);

    let was_direct = known.is_none_or(Chat::is_direct);
    if known.is_some() && was_direct != chat.is_direct() {
        let by = if chat.is_direct() { 1 } else { -1 };
        for at in store.message_times(&chat.id)? {
            delta.count_at(at, by);
        }
        // The stored times are those after this delivery. What was counted before are the times before it.
        if !chat.is_direct() {
            for learning in learned.0.iter().filter(|learning| learning.after.chat_id == chat.id) {
                delta.count_at(learning.after.at, 1);
                if let Some(before) = &learning.before {
                    delta.count_at(before.at, -1);
                }
            }
        }
        return Ok(());
    }
    if chat.is_direct() {
        for learning in &learned.0 {
            if let Some(before) = &learning.before {
                delta.count_at(before.at, -1);
            }
            delta.count_at(learning.after.at, 1);
        }
        delta.buckets.retain(|_, count| *count != 0);
    }
    Ok(())
}
