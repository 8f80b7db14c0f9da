//! Builds the update that screens are sent for a delivery, and decides who gets it.

use bytestring::ByteString;

use jiff::Timestamp;

use crate::domain::{Absorbed, Audience, Change, Delivery, EventId, MessagePosition, Placement, Seq, Store};
use crate::journal::fault::StoreError;
use crate::journal::payload::Notice;
use crate::journal::store::SqliteStore;
use crate::protocol::shapes::{ChatShape, ContactShape, MessageShape, MessageSummary};
use crate::protocol::update::{NoticeUpdate, Previous, Update, UpdateData};
use crate::umbler::reconcile;

/// What screens are told of a delivery that could be read: the chat, its contact and messages as the delivery left them, and
/// what it changed. Agents get the names of the directory.
pub(super) fn understood(
    delivery: &Delivery,
    absorbed: &Absorbed,
    store: &mut SqliteStore,
) -> Result<UpdateData, StoreError> {
    let contact_id = absorbed.chat.contact_id.get().map(ToString::to_string);
    let contact = absorbed.contact.as_ref();
    let name = contact.and_then(|contact| contact.name.get().cloned());
    let phone = contact.and_then(|contact| contact.phone.get().cloned());
    let of_chat = summary(absorbed.chat.last_message.as_ref(), absorbed, store)?;
    let contact = match &absorbed.contact {
        None => None,
        Some(contact) if contact.last_message == absorbed.chat.last_message => {
            Some(ContactShape::new(contact, of_chat.clone()))
        }
        Some(contact) => {
            Some(ContactShape::new(contact, summary(contact.last_message.as_ref(), absorbed, store)?))
        }
    };
    let kind = absorbed.chat.kind();
    let mut messages =
        absorbed.messages.iter().map(|message| MessageShape::new(message, contact_id.clone(), kind));
    let mut data = UpdateData {
        event_id: delivery.event_id.clone(),
        update_type: update_type(&absorbed.changes),
        changes: absorbed.changes.clone(),
        chat: Some(ChatShape::new(&absorbed.chat, (name, phone), of_chat)),
        contact,
        message: messages.next(),
        other_messages: messages.collect(),
        previous: Previous::new(absorbed.before.as_ref(), &absorbed.after),
        reason: None,
        origin: (delivery.event_type == reconcile::TYPE).then_some("reconcile"),
    };
    let (directory, _) = store.directory()?;
    for agent in data.people_mut() {
        if let Some(name) = directory.name_of(&agent.id) {
            agent.name = Some(name.to_owned());
        }
    }
    Ok(data)
}

/// The update of a delivery that was kept raw.
pub(super) fn unrecognized(delivery: &Delivery, reason: &str) -> UpdateData {
    UpdateData {
        event_id: delivery.event_id.clone(),
        update_type: Change::Unrecognized,
        changes: vec![Change::Unrecognized],
        chat: None,
        contact: None,
        message: None,
        other_messages: Vec::new(),
        previous: None,
        reason: Some(reason.to_owned()),
        origin: None,
    }
}

/// The type of an update is its first change.
fn update_type(changes: &[Change]) -> Change {
    changes.first().copied().unwrap_or(Change::ChatUpdated)
}

/// Encodes an update, once for all sessions.
pub(super) fn encode(seq: Seq, delivery: &Delivery, data: UpdateData) -> Result<ByteString, StoreError> {
    Ok(serde_json::to_string(&Update::new(seq, delivery.received_at, data))?.into())
}

/// The audience of an understood delivery, and the newest messages of the contact's other chats in the order
/// of [`Audience::elsewhere`].
pub(super) fn audience(
    absorbed: &Absorbed,
    store: &mut SqliteStore,
) -> Result<(Audience, Vec<Option<MessageSummary>>), StoreError> {
    let organization = absorbed.chat.organization.as_ref();
    let fields = || absorbed.before.iter().chain([&absorbed.after]);
    let of_contact = absorbed.contact.as_ref().and_then(|contact| contact.tags.get());
    let mut audience = Audience {
        chat: Some(absorbed.chat.id.clone()),
        before: absorbed.before.as_ref().map(|fields| Placement::new(organization, fields)),
        after: Some(Placement::new(organization, &absorbed.after)),
        contact_changed: absorbed.changes.contains(&Change::ContactUpdated),
        ..Audience::default()
    };
    for contact in fields().filter_map(|fields| fields.contact_id.as_ref()) {
        add(&mut audience.contacts, contact);
    }
    for tag in fields().flat_map(|fields| &fields.tags).chain(of_contact.into_iter().flatten()) {
        add(&mut audience.tags, &tag.id);
    }
    let mut newest = Vec::new();
    if let Some(contact) = &absorbed.after.contact_id {
        for (place, position) in store.other_chats(contact, &absorbed.chat.id)? {
            audience.elsewhere.push(place);
            newest.push(summary(position.as_ref(), absorbed, store)?);
        }
    }
    Ok((audience, newest))
}

fn add<T: Clone + PartialEq>(known: &mut Vec<T>, id: &T) {
    if !known.contains(id) {
        known.push(id.clone());
    }
}

/// Encodes a notice to one user.
pub(super) fn encode_notice(
    seq: Seq,
    at: Timestamp,
    id: &EventId,
    notice: &Notice,
) -> Result<ByteString, StoreError> {
    Ok(serde_json::to_string(&NoticeUpdate::new(seq, at, id, &notice.user, &notice.data))?.into())
}

/// Summary of a message. It usually is one that the delivery brought.
fn summary(
    position: Option<&MessagePosition>,
    absorbed: &Absorbed,
    store: &mut SqliteStore,
) -> Result<Option<MessageSummary>, StoreError> {
    let Some(position) = position else { return Ok(None) };
    if let Some(message) = absorbed.messages.iter().find(|message| message.id == position.id) {
        return Ok(Some(message.into()));
    }
    Ok(store.message(&position.id)?.as_ref().map(MessageSummary::from))
}
