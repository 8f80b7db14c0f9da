//! What is left of shapes that were encoded before a person's data were erased, or a text became too old.

use super::shapes::{ContactShape, MessageShape, MessageSummary, SOURCE_MEMBER};

impl MessageSummary {
    /// Removes the content, which was erased or is too old.
    pub fn forget_content(&mut self) {
        self.text = None;
    }
}

impl ContactShape {
    /// Removes what tells who the contact is.
    pub fn forget_person(&mut self) {
        (self.name, self.phone, self.picture_url, self.blocked) = (None, None, None, false);
        self.tags.clear();
    }
}

impl MessageShape {
    /// Removes the content, which was erased or is too old.
    pub fn forget_content(&mut self) {
        self.erased |= self.text.is_some()
            || self.file.is_some()
            || self.location.is_some()
            || !self.contacts.is_empty();
        (self.text, self.edited_at, self.file, self.location) = (None, None, None, None);
        self.reactions.clear();
        self.contacts.clear();
    }

    /// Removes the content, and the name of a member of a group who wrote it.
    pub fn forget_person(&mut self) {
        self.forget_content();
        if self.source.as_deref() != Some(SOURCE_MEMBER)
            && let Some(author) = &mut self.author
        {
            author.name = None;
        }
    }
}
