//! What a delivery changed, found by comparing before with after.

use serde::Serialize;
use utoipa::ToSchema;

use super::chat::ChatFields;

/// The types of updates, in the order in which the first that applies names the update (contract, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Kept raw: its type or its content was not understood.
    Unrecognized,
    /// A message that was not known.
    NewMessage,
    /// A chat was closed, or first seen closed.
    ChatClosed,
    /// A closed chat is open again.
    ChatReopened,
    /// A chat was first seen, open.
    ChatOpened,
    /// Another owner, or none.
    ChatTransferred,
    /// Another sector.
    ChatSectorChanged,
    /// Other chat tags.
    ChatTagsChanged,
    /// Private or public.
    ChatVisibilityChanged,
    /// More is known of a known message.
    MessageUpdated,
    /// Name, phone, picture, type, block or tags of a known contact.
    ContactUpdated,
    /// Any other field of the chat, or nothing at all.
    ChatUpdated,
}

impl Change {
    /// Every type, in naming order.
    pub const ALL: [Self; 12] = [
        Self::Unrecognized,
        Self::NewMessage,
        Self::ChatClosed,
        Self::ChatReopened,
        Self::ChatOpened,
        Self::ChatTransferred,
        Self::ChatSectorChanged,
        Self::ChatTagsChanged,
        Self::ChatVisibilityChanged,
        Self::MessageUpdated,
        Self::ContactUpdated,
        Self::ChatUpdated,
    ];

    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unrecognized => "unrecognized",
            Self::NewMessage => "new_message",
            Self::ChatClosed => "chat_closed",
            Self::ChatReopened => "chat_reopened",
            Self::ChatOpened => "chat_opened",
            Self::ChatTransferred => "chat_transferred",
            Self::ChatSectorChanged => "chat_sector_changed",
            Self::ChatTagsChanged => "chat_tags_changed",
            Self::ChatVisibilityChanged => "chat_visibility_changed",
            Self::MessageUpdated => "message_updated",
            Self::ContactUpdated => "contact_updated",
            Self::ChatUpdated => "chat_updated",
        }
    }
}

/// What happened to the chat itself, in naming order.
pub fn chat_changes(before: Option<&ChatFields>, after: &ChatFields) -> Vec<Change> {
    let Some(before) = before else {
        return vec![if after.open { Change::ChatOpened } else { Change::ChatClosed }];
    };
    let id = |named: &Option<super::Named>| named.as_ref().map(|named| named.id.clone());
    let mut changes = Vec::new();
    let mut note = |happened: bool, change: Change| {
        if happened {
            changes.push(change);
        }
    };
    note(before.open && !after.open, Change::ChatClosed);
    note(!before.open && after.open, Change::ChatReopened);
    note(id(&before.owner) != id(&after.owner), Change::ChatTransferred);
    note(id(&before.sector) != id(&after.sector), Change::ChatSectorChanged);
    note(before.tags != after.tags, Change::ChatTagsChanged);
    note(before.private != after.private, Change::ChatVisibilityChanged);
    note(other_fields_changed(before, after), Change::ChatUpdated);
    changes
}

/// Fields without a type of their own. What follows from open and closed (status, closing time, the wait) is
/// no change beside it.
fn other_fields_changed(before: &ChatFields, after: &ChatFields) -> bool {
    let name = |named: &Option<super::Named>| named.as_ref().and_then(|named| named.name.clone());
    let renamed = before.sector.as_ref().map(|sector| &sector.id)
        == after.sector.as_ref().map(|sector| &sector.id)
        && name(&before.sector) != name(&after.sector);
    let waiting = before.open && after.open && before.waiting != after.waiting;
    renamed
        || waiting
        || before.contact_id != after.contact_id
        || before.kind != after.kind
        || before.channel != after.channel
        || before.members != after.members
        || before.created_at != after.created_at
}
