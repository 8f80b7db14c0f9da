//! Turns what a delivery did into the update that screens are sent, and says who hears it.

use bytestring::ByteString;

use super::append::Route;
use super::store::{SqliteStore, StoreError};
use crate::domain::chat::ChatFields;
use crate::domain::{Absorbed, Change, Delivery, MessagePosition, RefId, Seq, Store};
use crate::protocol::shapes::{ChatShape, ContactShape, MessageShape, MessageSummary};
use crate::protocol::update::{Previous, Update, UpdateData};

/// The update of an understood delivery.
pub fn understood(
    delivery: &Delivery,
    absorbed: &Absorbed,
    store: &mut SqliteStore,
) -> Result<UpdateData, StoreError> {
    let contact_id = absorbed.chat.contact_id.get().map(ToString::to_string);
    let name = absorbed.contact.as_ref().and_then(|contact| contact.name.get().cloned());
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
    let mut messages = absorbed.messages.iter().map(|message| MessageShape::new(message, contact_id.clone()));
    Ok(UpdateData {
        event_id: delivery.event_id.clone(),
        update_type: update_type(&absorbed.changes),
        changes: absorbed.changes.clone(),
        chat: Some(ChatShape::new(&absorbed.chat, name, of_chat)),
        contact,
        message: messages.next(),
        other_messages: messages.collect(),
        previous: Previous::new(absorbed.before.as_ref(), &absorbed.after),
        reason: None,
    })
}

/// The update of a delivery that was kept raw.
pub fn unrecognized(delivery: &Delivery, reason: &str) -> UpdateData {
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
    }
}

/// The first change names the update.
fn update_type(changes: &[Change]) -> Change {
    changes.first().copied().unwrap_or(Change::ChatUpdated)
}

/// Encodes an update once; every session gets these bytes.
pub fn encode(seq: Seq, delivery: &Delivery, data: UpdateData) -> Result<ByteString, StoreError> {
    Ok(serde_json::to_string(&Update::new(seq, delivery.received_at, data))?.into())
}

/// Everybody who follows something that the chat was or is part of.
pub fn route(absorbed: &Absorbed) -> Route {
    let mut route = Route { chat: Some(absorbed.chat.id.to_string()), ..Route::default() };
    for fields in absorbed.before.iter().chain([&absorbed.after]) {
        add_fields(&mut route, fields);
    }
    if let Some(tags) = absorbed.contact.as_ref().and_then(|contact| contact.tags.get()) {
        route.tags.extend(tags.iter().map(|tag| tag.id.clone()));
    }
    route
}

fn add_fields(route: &mut Route, fields: &ChatFields) {
    let add = |ids: &mut Vec<RefId>, id: &RefId| {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    };
    let contact = fields.contact_id.as_ref().map(ToString::to_string);
    route.contacts.extend(contact.filter(|contact| !route.contacts.contains(contact)));
    if let Some(sector) = &fields.sector {
        add(&mut route.sectors, &sector.id);
    }
    for member in fields.owner.iter().chain(&fields.members) {
        add(&mut route.members, &member.id);
    }
    if let Some(channel) = &fields.channel {
        add(&mut route.channels, &channel.id);
    }
    for tag in &fields.tags {
        add(&mut route.tags, &tag.id);
    }
}

/// The newest message in short: usually the one that the delivery brought.
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
