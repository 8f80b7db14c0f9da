//! The `umbler_update` envelope: one per accepted delivery, encoded once and then only copied.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::shapes::{ChannelShape, ChatShape, ContactShape, MessageShape, NamedShape};
use crate::domain::chat::ChatFields;
use crate::domain::{Change, ChatKind, ChatStatus, EventId, Seq};

/// The update that reports one delivery.
#[derive(Debug, Clone, Serialize)]
pub struct Update {
    event: &'static str,
    /// The position in the journal.
    pub seq: Seq,
    timestamp: Timestamp,
    pub data: UpdateData,
}

/// The content of an update.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Update)]
pub struct UpdateData {
    /// The provider's id of the delivery.
    #[schema(value_type = String)]
    pub event_id: EventId,
    /// The first of `changes`; `chat_updated` where nothing changed.
    #[serde(rename = "type")]
    pub update_type: Change,
    /// Everything that changed, in naming order.
    pub changes: Vec<Change>,
    /// The chat as it is now; `null` for `unrecognized`.
    pub chat: Option<ChatShape>,
    /// The contact as it is now.
    pub contact: Option<ContactShape>,
    /// The message that is new, or of which more is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageShape>,
    /// Further messages of the same delivery that are new or of which more is known; rare.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_messages: Vec<MessageShape>,
    /// The old values of the chat's fields that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// Why the delivery was not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `reconcile` where it was found at the provider's API; left out where a webhook brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<&'static str>,
}

impl UpdateData {
    /// All agents named in it.
    pub fn people_mut(&mut self) -> impl Iterator<Item = &mut NamedShape> {
        let of_chat = self.chat.iter_mut().flat_map(ChatShape::people_mut);
        let before = self.previous.iter_mut().flat_map(Previous::people_mut);
        let messages = self.message.iter_mut().chain(&mut self.other_messages);
        of_chat.chain(before).chain(messages.flat_map(MessageShape::people_mut))
    }
}

impl Update {
    /// `timestamp` is when the hub received the delivery.
    pub fn new(seq: Seq, timestamp: Timestamp, data: UpdateData) -> Self {
        Self { event: "umbler_update", seq, timestamp, data }
    }
}

/// The type of a notice to one user.
pub const NOTIFICATION: &str = "notification";

/// The update with a notice to one user. It has a position like all others, so clients recover and count it in
/// the same way.
#[derive(Debug, Serialize)]
pub struct NoticeUpdate<'a> {
    event: &'static str,
    seq: Seq,
    timestamp: Timestamp,
    data: NoticeData<'a>,
}

/// What `POST /api/umbler/notify` sent to one user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Notification)]
pub struct NoticeData<'a> {
    /// `notify:` and the id that the caller gave.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// The type of the update: `notification`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// The `sub` of the user.
    user: &'a str,
    /// Any JSON, exactly as the caller sent it.
    #[schema(value_type = serde_json::Value)]
    data: &'a RawValue,
}

impl<'a> NoticeUpdate<'a> {
    /// `timestamp` is when the hub received the notice.
    pub fn new(
        seq: Seq,
        timestamp: Timestamp,
        event_id: &'a EventId,
        user: &'a str,
        data: &'a RawValue,
    ) -> Self {
        let (update_type, changes) = (NOTIFICATION, [NOTIFICATION]);
        let data = NoticeData { event_id, update_type, changes, chat: None, contact: None, user, data };
        Self { event: "umbler_update", seq, timestamp, data }
    }
}

/// Old values; only of the fields that changed.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Previous {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    contact_id: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<ChatKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ChannelShape>)]
    channel: Option<Option<ChannelShape>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<NamedShape>)]
    sector: Option<Option<NamedShape>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<NamedShape>)]
    owner: Option<Option<NamedShape>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<NamedShape>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<NamedShape>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<ChatStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    waiting_since: Option<Option<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Option<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Option<Timestamp>>,
}

impl Previous {
    /// The agents named in it.
    fn people_mut(&mut self) -> impl Iterator<Item = &mut NamedShape> {
        self.owner.iter_mut().flatten().chain(self.members.iter_mut().flatten())
    }

    /// The old values; `None` where no field changed, or where the chat was new.
    pub fn new(before: Option<&ChatFields>, after: &ChatFields) -> Option<Self> {
        let before = before.filter(|before| *before != after)?;
        let named = |all: &[crate::domain::Named]| all.iter().map(NamedShape::from).collect::<Vec<_>>();
        Some(Self {
            contact_id: (before.contact_id != after.contact_id)
                .then(|| before.contact_id.as_ref().map(ToString::to_string)),
            kind: (before.kind != after.kind).then_some(before.kind),
            channel: (before.channel != after.channel)
                .then(|| before.channel.as_ref().map(ChannelShape::from)),
            sector: (before.sector != after.sector).then(|| before.sector.as_ref().map(NamedShape::from)),
            owner: (before.owner != after.owner).then(|| before.owner.as_ref().map(NamedShape::from)),
            members: (before.members != after.members).then(|| named(&before.members)),
            tags: (before.tags != after.tags).then(|| named(&before.tags)),
            status: (before.status != after.status).then_some(before.status),
            open: (before.open != after.open).then_some(before.open),
            waiting: (before.waiting != after.waiting).then_some(before.waiting),
            private: (before.private != after.private).then_some(before.private),
            waiting_since: (before.waiting_since != after.waiting_since).then_some(before.waiting_since),
            created_at: (before.created_at != after.created_at).then_some(before.created_at),
            closed_at: (before.closed_at != after.closed_at).then_some(before.closed_at),
        })
    }
}
