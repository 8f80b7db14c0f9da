//! What is left of a delivery once a person's data, or texts that are too old, must no longer be stored.
//!
//! Taking something out of a delivery must do the same as taking it out of the stored chat, contact and messages
//! ([`Contact::forget_person`](super::Contact::forget_person),
//! [`ChatMessage::forget_content`](super::ChatMessage::forget_content)): then the records that are left make the
//! state that is left.

use jiff::Timestamp;

use super::facts::{ContactFacts, Facts, MessageFacts};
use super::message::{ChatMessage, FileParts};
use super::register::Register;

/// What must not be stored any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgetting {
    /// What tells who a contact is, until the contact writes after this moment; `None`: nothing of it is taken out.
    pub person_until: Option<Timestamp>,
    /// The content of messages that were written up to this moment; `None`: nothing of it is taken out.
    pub content_until: Option<Timestamp>,
}

impl Forgetting {
    pub const NOTHING: Self = Self { person_until: None, content_until: None };

    /// Everything about a person, whenever it was said.
    pub const ALL: Self = Self { person_until: Some(Timestamp::MAX), content_until: Some(Timestamp::MAX) };

    /// The same, but only what was said up to a moment.
    pub fn until(moment: Timestamp) -> Self {
        Self { person_until: Some(moment), content_until: Some(moment) }
    }

    /// The content of messages that were written before a moment.
    pub fn content(before: Timestamp) -> Self {
        Self { person_until: None, content_until: Some(before) }
    }

    /// True where what tells who a contact is is taken out. `wrote_at` is when the contact wrote last: only who writes again makes
    /// himself known again. Others, such as an agent who changes a tag, repeat the name in what Umbler Talk sends of the chat.
    pub fn takes_person(&self, wrote_at: Option<Timestamp>) -> bool {
        self.person_until.is_some_and(|until| wrote_at.is_none_or(|at| at <= until))
    }

    /// True where the content of a message of this moment is taken out.
    pub fn takes_content(&self, at: Timestamp) -> bool {
        self.content_until.is_some_and(|until| at <= until)
    }

    /// The stricter of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            person_until: self.person_until.max(other.person_until),
            content_until: self.content_until.max(other.content_until),
        }
    }
}

impl Facts {
    /// Takes out everything about the person, and all content.
    pub fn forget_all(&mut self) {
        if let Some(contact) = &mut self.contact {
            contact.forget_person();
        }
        self.forget_content();
    }

    /// When the customer wrote the newest message that the delivery tells.
    pub fn customer_wrote_at(&self) -> Option<Timestamp> {
        let first_seen = |message: &MessageFacts| {
            let id = message.id.clone()?;
            Some(ChatMessage::first_seen(id, self.chat.id.clone(), message, &self.key))
        };
        let messages = self.messages.iter().filter_map(first_seen);
        messages.filter(|message| message.role().opens_window()).map(|message| message.at).max()
    }

    /// Takes out the content of all messages.
    pub fn forget_content(&mut self) {
        self.messages.iter_mut().for_each(MessageFacts::forget_content);
        self.reactions.clear();
    }
}

impl ChatMessage {
    /// Removes all content of the message, and what comes later. Content that was deleted for everyone must not
    /// be stored, so that it cannot be shown or found.
    pub(super) fn forget_words(&mut self) {
        self.text = Register::default();
        self.edit = None;
        self.reactions.clear();
        self.file = FileParts::default();
        self.location = Register::default();
        self.contacts = Register::default();
    }

    /// Removes all content and the author's name, as if no delivery had told them. Who may be told again is
    /// decided by the caller, in contrast to a message that was deleted for everyone.
    pub fn forget_content(&mut self) {
        self.erased |= self.has_content();
        self.forget_words();
        self.author.alter(|author| author.name = None);
    }

    /// True where more is known than that there is a message. Reactions to it are not its content.
    fn has_content(&self) -> bool {
        self.text.get().is_some()
            || self.edit.is_some()
            || !self.file.is_unheard()
            || self.location.get().is_some()
            || self.contacts.get().is_some()
    }
}

impl ContactFacts {
    /// Takes out what tells who the contact is.
    pub fn forget_person(&mut self) {
        (self.name, self.phone, self.picture_url, self.blocked, self.tags) = (None, None, None, None, None);
    }
}

impl MessageFacts {
    /// Takes out the content and the author's name.
    pub fn forget_content(&mut self) {
        self.erased |= self.has_content();
        (self.text, self.edit, self.file, self.location, self.contacts) = (None, None, None, None, None);
        self.reactions.clear();
        if let Some(author) = &mut self.author {
            author.name = None;
        }
    }

    /// True where it brings what [`ChatMessage::has_content`] counts, so that both are marked as erased together.
    fn has_content(&self) -> bool {
        self.text.is_some()
            || self.edit.is_some()
            || self.file.is_some()
            || self.location.is_some()
            || self.contacts.is_some()
    }
}
