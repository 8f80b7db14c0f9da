//! What a delivery changed, found by comparing before with after.

use serde::Serialize;
use utoipa::ToSchema;

use super::chat::ChatFields;

/// The types of updates. The first one that applies names the update (contract, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A delivery whose type or content was not understood. It is kept raw.
    Unrecognized,
    /// A message that was not known before.
    NewMessage,
    /// The chat was closed, or was closed when it was first seen.
    ChatClosed,
    /// A closed chat is open again.
    ChatReopened,
    /// A chat was first seen, and was open.
    ChatOpened,
    /// The chat has another owner, or none.
    ChatTransferred,
    /// The chat is in another sector, or in none.
    ChatSectorChanged,
    /// The chat has other tags.
    ChatTagsChanged,
    /// The chat became private or public.
    ChatVisibilityChanged,
    /// More is known of a known message.
    MessageUpdated,
    /// A known contact has another name, phone, picture, type or tags, or was blocked or unblocked.
    ContactUpdated,
    /// Another field of the chat changed, or nothing did.
    ChatUpdated,
}

impl Change {
    /// All types, in the order in which they name an update.
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

    /// The type as it is written on the wire.
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

/// The changes of the chat itself, in the order of [`Change::ALL`].
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

/// Compares the fields that have no type of their own. Status, closing time and waiting time follow from open
/// and closed, so they are not reported beside those.
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
