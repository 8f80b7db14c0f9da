//! A chat message. What is known of it only grows.
//!
//! One message comes in several deliveries: its file follows later, its state advances, and every event of its
//! chat repeats it. [`ChatMessage::learn`] takes each of them, in any order.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::facts::{ChatKind, ContactCard, Edit, File, Location, MessageFacts, Named, Reaction, ReplyTo};
use super::ids::{ChatId, MessageId};
use super::order::MessagePosition;
use super::register::{EventKey, Register, keep_earliest, keep_latest, nanos};
use super::role::{Direction, MessageRole};
use super::sender::SentBy;

/// What is known of one message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatMessage {
    pub id: MessageId,
    pub chat_id: ChatId,
    /// When the message happened: the earliest time that any delivery gave.
    #[serde(with = "nanos")]
    pub at: Timestamp,
    /// When the provider created it: the earliest time that any delivery gave; `None` where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// `Contact`, `Member`, `Bot`, `External`, or another word of the provider.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub source: Register<String>,
    /// The provider's word: `Text`, `Image` and so on.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub message_type: Register<String>,
    /// The text as it was first sent.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub text: Register<String>,
    /// The furthest delivery state: `Sent`, `Read` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// True for a note that only the team sees.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub private: Register<bool>,
    /// The agent who sent the message, or the member of a group who did.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub author: Register<Named>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub bot: Register<Named>,
    /// Sent by a template, a campaign or a schedule, so it does not answer a waiting customer.
    #[serde(default)]
    pub automated: bool,
    /// The newest edit; it decides which text is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<Edit>,
    /// The newest reaction of each reaction id, including those that were taken back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reactions: BTreeMap<String, Reaction>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub reply_to: Register<ReplyTo>,
    /// The file. Each part is learned on its own, because the address follows later.
    #[serde(default, skip_serializing_if = "FileParts::is_unheard")]
    pub file: FileParts,
    /// A location that was shared.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub location: Register<Location>,
    /// Contact cards that were shared.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub contacts: Register<Vec<ContactCard>>,
    /// True where the message was deleted for everyone.
    #[serde(default)]
    pub deleted: bool,
    /// The user who sent it through the hub; `None` where it was sent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_by: Option<SentBy>,
    /// Id of the outbox entry whose message this one repeats under another id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo_of: Option<String>,
    /// True where content was known and is not stored any more, because it was erased or is too old.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

/// The parts of a file. Each one only changes from unknown to known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileParts {
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    url: Register<String>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    content_type: Register<String>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    name: Register<String>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    size: Register<u64>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    transcription: Register<String>,
    /// True once a delivery showed a file, even one of which nothing was said.
    #[serde(default)]
    seen: bool,
}

impl FileParts {
    pub(super) fn is_unheard(&self) -> bool {
        !self.seen
    }

    fn hear(&mut self, file: Option<&File>, key: &EventKey) {
        let Some(file) = file else { return };
        self.seen = true;
        self.url.hear_first(file.url.clone(), key);
        self.content_type.hear_first(file.content_type.clone(), key);
        self.name.hear_first(file.name.clone(), key);
        self.size.hear_first(file.size, key);
        self.transcription.hear_first(file.transcription.clone(), key);
    }

    /// The file as far as it is known; `None` while no delivery showed one.
    pub fn view(&self) -> Option<File> {
        self.seen.then(|| File {
            url: self.url.get().cloned(),
            content_type: self.content_type.get().cloned(),
            name: self.name.get().cloned(),
            size: self.size.get().copied(),
            transcription: self.transcription.get().cloned(),
        })
    }
}

impl ChatMessage {
    /// The message as the first delivery that came shows it.
    pub fn first_seen(id: MessageId, chat_id: ChatId, facts: &MessageFacts, key: &EventKey) -> Self {
        let mut message = Self {
            id,
            chat_id,
            at: facts.at.unwrap_or(key.at),
            created_at: None,
            source: Register::default(),
            message_type: Register::default(),
            text: Register::default(),
            state: None,
            private: Register::default(),
            author: Register::default(),
            bot: Register::default(),
            automated: false,
            edit: None,
            reactions: BTreeMap::new(),
            reply_to: Register::default(),
            file: FileParts::default(),
            location: Register::default(),
            contacts: Register::default(),
            deleted: false,
            sent_by: None,
            echo_of: None,
            erased: false,
        };
        message.learn(facts, key);
        message
    }

    /// Takes what another delivery says of the message.
    pub fn learn(&mut self, facts: &MessageFacts, key: &EventKey) {
        let mut at = Some(self.at);
        keep_earliest(&mut at, facts.at.or(Some(key.at)));
        self.at = at.unwrap_or(self.at);
        keep_earliest(&mut self.created_at, facts.created_at);
        self.source.hear_first(facts.source.clone(), key);
        self.message_type.hear_first(facts.message_type.clone(), key);
        self.text.hear_first(facts.text.clone(), key);
        self.private.hear_first(facts.private, key);
        self.author.hear_first(facts.author.clone(), key);
        self.bot.hear_first(facts.bot.clone(), key);
        self.reply_to.hear_first(facts.reply_to.clone(), key);
        self.location.hear_first(facts.location.clone(), key);
        self.contacts.hear_first(facts.contacts.clone(), key);
        self.file.hear(facts.file.as_ref(), key);
        self.automated |= facts.automated;
        self.deleted |= facts.deleted;
        self.erased |= facts.erased;
        self.echo_of = facts.echo_of.clone().or(self.echo_of.take());
        keep_latest(&mut self.edit, facts.edit.clone());
        self.advance(facts.state.as_deref());
        for reaction in &facts.reactions {
            self.react(reaction);
        }
        if self.deleted {
            self.forget_words();
            self.erased = false;
        }
    }

    /// Adds a reaction. Of two with one id the newer one stays. A deleted message has none.
    pub fn react(&mut self, reaction: &Reaction) {
        if self.deleted {
            return;
        }
        let known = self.reactions.entry(reaction.id.clone()).or_insert_with(|| reaction.clone());
        if known.is_older_than(reaction) {
            *known = reaction.clone();
        }
    }

    /// The reactions to show, without those that were taken back. In a direct chat a person has at most one,
    /// the newest, whatever ids the provider gave them; in other chats only the id tells people apart.
    pub fn shown_reactions(&self, kind: ChatKind) -> Vec<&Reaction> {
        let mut shown: Vec<&Reaction> = Vec::with_capacity(self.reactions.len());
        for reaction in self.reactions.values() {
            let same_person = |other: &&mut &Reaction| {
                kind == ChatKind::Direct && reaction.source.is_some() && other.source == reaction.source
            };
            match shown.iter_mut().find(same_person) {
                None => shown.push(reaction),
                Some(known) if known.is_older_than(reaction) => *known = reaction,
                Some(_) => {}
            }
        }
        shown.retain(|reaction| !reaction.is_taken_back());
        shown
    }

    /// True where both show the same, even if they learned it from different deliveries.
    pub fn shows_the_same_as(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(one: &Register<T>, other: &Register<T>) -> bool {
            one.get() == other.get()
        }
        self.at == other.at
            && self.created_at == other.created_at
            && same(&self.source, &other.source)
            && same(&self.message_type, &other.message_type)
            && same(&self.text, &other.text)
            && self.state == other.state
            && same(&self.private, &other.private)
            && same(&self.author, &other.author)
            && same(&self.bot, &other.bot)
            && self.automated == other.automated
            && self.edit == other.edit
            && self.reactions == other.reactions
            && same(&self.reply_to, &other.reply_to)
            && self.file.view() == other.file.view()
            && same(&self.location, &other.location)
            && same(&self.contacts, &other.contacts)
            && self.deleted == other.deleted
            && self.sent_by == other.sent_by
            && self.echo_of == other.echo_of
            && self.erased == other.erased
    }

    fn advance(&mut self, state: Option<&str>) {
        let Some(state) = state else { return };
        let heard = (state_rank(state), state);
        if self.state.as_deref().is_none_or(|known| (state_rank(known), known) < heard) {
            self.state = Some(state.to_owned());
        }
    }

    /// `Contact` is the customer; `Member`, `Bot` and `External` are our side. Unknown words count as our side,
    /// so that they cannot make a customer wait.
    pub fn direction(&self) -> Direction {
        if self.source.get().is_some_and(|source| source == "Contact") {
            Direction::In
        } else {
            Direction::Out
        }
    }

    /// Its position in the order of messages.
    pub fn position(&self) -> MessagePosition {
        MessagePosition { at: self.at, created_at: self.created_at, id: self.id.clone() }
    }

    /// What the message means for waits and silence.
    pub fn role(&self) -> MessageRole {
        if self.is_reaction() {
            return MessageRole::Other;
        }
        if self.private.get().copied().unwrap_or(false) {
            return MessageRole::Note;
        }
        if self.deleted {
            return MessageRole::Other;
        }
        match self.source.get().map(String::as_str) {
            Some("Contact") => MessageRole::Customer,
            _ if self.is_undelivered() => MessageRole::Undelivered,
            // Whatever word the provider has for what comes over its API: a person wrote it.
            _ if self.sent_by.is_some() => MessageRole::Reply,
            Some("Member") if !self.automated => MessageRole::Reply,
            _ => MessageRole::Other,
        }
    }

    /// True where sending failed. No later state changes that.
    pub fn is_undelivered(&self) -> bool {
        self.state.as_deref().is_some_and(|state| state_rank(state) == FAILED_RANK)
    }

    /// The agent who sent the message.
    pub fn agent(&self) -> Option<&Named> {
        self.author.get().filter(|_| self.source.get().is_some_and(|source| source == "Member"))
    }

    /// True for a reaction that came as a message of its own. It is never shown as the newest message.
    pub fn is_reaction(&self) -> bool {
        self.message_type.get().is_some_and(|message_type| message_type == "Reaction")
    }

    /// The text to show: the newest edit, else what was sent.
    pub fn shown_text(&self) -> Option<&str> {
        self.edit.as_ref().map(|edit| edit.text.as_str()).or_else(|| self.text.get().map(String::as_str))
    }
}

/// Rank of the state of a message that could not be sent.
const FAILED_RANK: u8 = 5;
/// Rank of the state of a message that arrived.
pub const DELIVERED_RANK: u8 = 3;

/// How far a state is: unknown < Processing < Sent < Delivered < Read < failed (contract, section 4).
///
/// Failure words are matched by part, because their names changed between channels.
pub fn state_rank(state: &str) -> u8 {
    const FAILURES: [&str; 5] = ["fail", "error", "reject", "undeliver", "expired"];
    let state = state.to_ascii_lowercase();
    if FAILURES.iter().any(|word| state.contains(word)) {
        return FAILED_RANK;
    }
    match state.as_str() {
        "processing" => 1,
        "sent" => 2,
        "delivered" => DELIVERED_RANK,
        "read" => 4,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::OutboxFact;

    fn key(second: i64) -> EventKey {
        EventKey { at: Timestamp::from_second(second).unwrap(), event: "e".into() }
    }

    fn message(facts: &MessageFacts) -> ChatMessage {
        ChatMessage::first_seen("m".into(), "c".into(), facts, &key(1))
    }

    fn with_state(state: &str) -> MessageFacts {
        MessageFacts { state: Some(state.into()), ..MessageFacts::default() }
    }

    #[test]
    fn a_late_state_never_takes_a_message_back() {
        for (known, heard, kept) in [
            ("Read", "Sent", "Read"),
            ("Processing", "Delivered", "Delivered"),
            ("Read", "FailedToSend", "FailedToSend"),
            ("Failed", "Read", "Failed"),
            ("Sent", "SomethingNew", "Sent"),
        ] {
            let mut message = message(&with_state(known));
            message.learn(&with_state(heard), &key(2));
            assert_eq!(message.state.as_deref(), Some(kept), "{known} then {heard}");
        }
    }

    #[test]
    fn a_file_address_once_known_stays_known() {
        let ready = MessageFacts {
            file: Some(File { url: Some("https://x".into()), ..File::default() }),
            ..MessageFacts::default()
        };
        let pending = MessageFacts { file: Some(File::default()), ..MessageFacts::default() };
        let mut message = message(&ready);
        message.learn(&pending, &key(9));
        message.learn(&MessageFacts::default(), &key(10));
        assert_eq!(message.file.view().unwrap().url.as_deref(), Some("https://x"));
    }

    #[test]
    fn only_a_human_public_reply_stops_the_clock() {
        let facts = |source: &str| MessageFacts { source: Some(source.into()), ..MessageFacts::default() };
        assert_eq!(message(&facts("Contact")).role(), MessageRole::Customer);
        assert_eq!(message(&facts("Member")).role(), MessageRole::Reply);
        assert_eq!(message(&facts("Bot")).role(), MessageRole::Other);
        assert_eq!(message(&facts("External")).role(), MessageRole::Other);
        let note = MessageFacts { private: Some(true), ..facts("Member") };
        assert_eq!(message(&note).role(), MessageRole::Note);
        let campaign = MessageFacts { automated: true, ..facts("Member") };
        assert_eq!(message(&campaign).role(), MessageRole::Other);
        let failed = MessageFacts { state: Some("Failed".into()), ..facts("Member") };
        assert_eq!(message(&failed).role(), MessageRole::Undelivered);
        let reaction = MessageFacts { message_type: Some("Reaction".into()), ..facts("Contact") };
        assert_eq!(message(&reaction).role(), MessageRole::Other);
        let mut through_the_hub = message(&facts("External"));
        through_the_hub.note_outgoing(OutboxFact::Sent(SentBy { id: "u".into(), name: None, agent: None }));
        assert_eq!(through_the_hub.role(), MessageRole::Reply);
    }
}
