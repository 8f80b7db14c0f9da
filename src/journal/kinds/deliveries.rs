//! Deliveries of the provider change chats, contacts and messages. One that is not understood is kept raw.

use super::update;
use super::{NewEvent, Outcome};
use crate::domain::register::to_nanos;
use crate::domain::{Audience, Clocks, Delivery, DeliveryBody, Facts, File, Forgetting, Seq, Store, absorb};
use crate::journal::append::Ack;
use crate::journal::entry::Entry;
use crate::journal::fault::{Spoilt, StoreError};
use crate::journal::recorded::HubEffect;
use crate::journal::store::SqliteStore;
use crate::journal::{reduced, rows};

/// Rules from which what is said in a recording is stored.
const TRANSCRIPTIONS_FROM: u32 = 7;
/// The largest update in bytes, which is what a screen's queue holds. Each screen gets a copy.
pub const UPDATE_BYTES_MAX: usize = 1024 * 1024;

/// Applies a delivery. If it is `spoilt`, it is kept raw with that reason, because trying again would change
/// nothing and would hold up every delivery behind it.
pub(in crate::journal) fn apply<'a>(
    store: &mut SqliteStore,
    seq: Seq,
    delivery: &'a Delivery,
    spoilt: Option<&Spoilt>,
    rules: u32,
) -> Result<Outcome<'a>, StoreError> {
    match (&delivery.body, spoilt) {
        (DeliveryBody::Unrecognized { reason }, _) => kept_raw(seq, delivery, reason),
        (DeliveryBody::Understood(_), Some(spoilt)) => kept_raw(seq, delivery, spoilt.reason()),
        (DeliveryBody::Understood(facts), None) => understood(store, seq, delivery, facts, rules),
    }
}

fn kept_raw<'a>(seq: Seq, delivery: &'a Delivery, reason: &str) -> Result<Outcome<'a>, StoreError> {
    let data = update::unrecognized(delivery, reason);
    let update_type = data.update_type.as_str();
    let frame = update::encode(seq, delivery, data)?;
    let event = NewEvent::new(update_type, Audience::default(), frame);
    Ok(NewEvent { event_type: &delivery.event_type, reason: Some(reason.to_owned()), ..event }.into())
}

fn understood<'a>(
    store: &mut SqliteStore,
    seq: Seq,
    delivery: &'a Delivery,
    facts: &Facts,
    rules: u32,
) -> Result<Outcome<'a>, StoreError> {
    let untranscribed = if rules < TRANSCRIPTIONS_FROM { without_transcriptions(facts) } else { None };
    let facts = untranscribed.as_ref().unwrap_or(facts);
    let left = without_forgotten(store, facts)?;
    let facts = left.as_ref().unwrap_or(facts);
    store.begin(seq, facts.organization.clone());
    let absorbed = absorb(facts, store)?;
    store.count_messages(&absorbed)?;
    let data = update::understood(delivery, &absorbed, store)?;
    let (audience, elsewhere) = update::audience(&absorbed, store)?;
    let update_type = data.update_type.as_str();
    let frame = update::encode(seq, delivery, data)?;
    if frame.len() > UPDATE_BYTES_MAX {
        log::error!("the update of delivery {} would have {} bytes", delivery.event_id, frame.len());
        return Err(StoreError::TooLarge);
    }
    let event = NewEvent::new(update_type, audience, frame)
        .with(HubEffect::Clocks(Box::new(Clocks::of(&absorbed.chat))));
    Ok(NewEvent {
        event_type: &delivery.event_type,
        event_at: Some(to_nanos(facts.key.at)),
        elsewhere,
        delta: absorbed.delta,
        deleted: absorbed.deleted,
        reduced: left
            .map(|left| reduced::encode(delivery, Some(&left)))
            .transpose()
            .map_err(StoreError::compress)?,
        ..event
    }
    .into())
}

/// What a release heard that does not know transcriptions; `None` if there are none.
fn without_transcriptions(facts: &Facts) -> Option<Facts> {
    let is_transcribed = |file: &File| file.transcription.is_some();
    if !facts.messages.iter().any(|message| message.file.as_ref().is_some_and(is_transcribed)) {
        return None;
    }
    let mut heard = facts.clone();
    for file in heard.messages.iter_mut().filter_map(|message| message.file.as_mut()) {
        file.transcription = None;
    }
    Some(heard)
}

/// What is left of a delivery that repeats what was erased or is too old; `None` if it repeats nothing of that.
fn without_forgotten(store: &mut SqliteStore, facts: &Facts) -> Result<Option<Facts>, StoreError> {
    let forgetting = store.forgetting_of(facts)?;
    if forgetting == Forgetting::NOTHING {
        return Ok(None);
    }
    let mut left = facts.clone();
    let known = store.chat(&facts.chat.id)?.and_then(|chat| chat.last_customer_at);
    if let Some(contact) =
        left.contact.as_mut().filter(|_| forgetting.takes_person(facts.customer_wrote_at().max(known)))
    {
        contact.forget_person();
    }
    for message in &mut left.messages {
        let Some(id) = &message.id else { continue };
        let known_at = store.message(id)?.map(|known| known.at);
        if forgetting.takes_content(known_at.or(message.at).unwrap_or(facts.key.at)) {
            message.forget_content();
        }
    }
    for (message, reaction) in std::mem::take(&mut left.reactions) {
        // A reaction to a message that is not known yet is as old as it says.
        let known_at = store.message(&message)?.map(|known| known.at);
        if !forgetting.takes_content(known_at.or(reaction.at).unwrap_or(facts.key.at)) {
            left.reactions.push((message, reaction));
        }
    }
    Ok((left != *facts).then_some(left))
}

/// Stores a posted object that is not an event.
pub(in crate::journal) fn keep_ignored(
    store: &SqliteStore,
    entry: &Entry,
    reason: &str,
) -> Result<Outcome<'static>, StoreError> {
    rows::keep_ignored(store.connection(), reason, entry.at, &entry.body)?;
    Ok(Outcome::NoEvent(Ack::ignored(entry.id.clone()).because(Some(reason.to_owned()))))
}
