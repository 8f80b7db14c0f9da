//! Messages that go out. What is stored says what may have reached the provider, whatever ends the hub when.
//!
//! # Contract
//!
//! 1. `queued` → `sending` → `sent`, `failed` or `unclear`; `unclear` → `sent` or `unconfirmed`. A person has what failed or
//!    is unconfirmed sent again, which makes it `queued`, or drops it.
//!    An attempt that the provider certainly did not accept and that may succeed later makes it `queued` again.
//! 2. Only the next attempt of a queued message is taken: whoever is refused must not send.
//! 3. A message of the provider belongs to one entry.
//! 4. What the provider says of a message whose person was erased meanwhile is stored nowhere, by the rules from [`NO_WORDS_FROM`] on.

use rusqlite::{Connection, params};

use super::{NewEvent, Outcome};
use crate::domain::register::to_nanos;
use crate::domain::sending::{TEXT_ERASED, note_sender};
use crate::domain::{
    Audience, Chat, ChatId, ChatKind, ChatMessage, Clocks, EventId, MessageId, Placement, Seq, Store,
};
use crate::journal::append::Ack;
use crate::journal::entry::Entry;
use crate::journal::erasures::erased_of;
use crate::journal::fault::StoreError;
use crate::journal::outbox::{self, OutboxAttempt, OutboxMessage, OutboxRequest, OutboxResult, OutboxRow};
use crate::journal::payload::Payload;
use crate::journal::record::Record;
use crate::journal::recorded::HubEffect;
use crate::journal::store::SqliteStore;
use crate::protocol::alerts::SideUpdate;
use crate::protocol::outbox::{OUTBOX_UPDATED, OutboxData, OutboxReason, OutboxState};
use crate::protocol::{MessageShape, OutboxShape};

/// Rules before these kept what the provider said of a message whose person was erased meanwhile.
const NO_WORDS_FROM: u32 = 6;

/// Queues a message, or does what a person decided about one.
pub(in crate::journal) fn apply<'a>(
    store: &mut SqliteStore,
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    request: &OutboxRequest,
) -> Result<Outcome<'a>, StoreError> {
    let told = Told { seq, entry, id };
    match request {
        OutboxRequest::Queue(message) => {
            queue(store.connection(), &told, message)?;
            told.event(store, &message.id)
        }
        OutboxRequest::Resend { id: of } => decide(
            store,
            &told,
            of,
            "UPDATE outbox SET state = 'queued', message_id = NULL, reason = NULL, detail = NULL,
                 since = CASE WHEN state = 'unconfirmed' THEN since END, changed_at = ?2, seq = ?3 WHERE id = ?1",
        ),
        OutboxRequest::Discard { id: of } => decide(
            store,
            &told,
            of,
            "UPDATE outbox SET state = 'discarded', changed_at = ?2, seq = ?3 WHERE id = ?1",
        ),
    }
}

/// Does to an entry what a person decided, where it is for a person to decide.
fn decide<'a>(
    store: &mut SqliteStore,
    told: &Told<'_>,
    id: &str,
    sql: &str,
) -> Result<Outcome<'a>, StoreError> {
    if !is_for_a_person(store, id)? {
        return Ok(told.nothing());
    }
    store.connection().prepare_cached(sql)?.execute(params![id, to_nanos(told.entry.at), told.seq.0])?;
    told.event(store, id)
}

/// Notes that a message is handed to the provider next, where it is still waiting for that.
pub(in crate::journal) fn apply_attempt<'a>(
    store: &mut SqliteStore,
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    attempt: &OutboxAttempt,
) -> Result<Outcome<'a>, StoreError> {
    let told = Told { seq, entry, id };
    let sql = "UPDATE outbox SET state = 'sending', attempts = ?2, attempted_at = ?3, since = ?4, changed_at = ?3, seq = ?5
               WHERE id = ?1 AND state = 'queued' AND attempts = ?2 - 1";
    let (at, since) = (to_nanos(entry.at), to_nanos(attempt.since));
    let values = params![attempt.id, attempt.attempt, at, since, seq.0];
    if store.connection().prepare_cached(sql)?.execute(values)? == 0 {
        return Ok(told.nothing());
    }
    told.event(store, &attempt.id)
}

/// Notes what became of the newest attempt.
pub(in crate::journal) fn apply_result<'a>(
    store: &mut SqliteStore,
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    result: &OutboxResult,
    rules: u32,
) -> Result<Outcome<'a>, StoreError> {
    let told = Told { seq, entry, id };
    let Some(row) = OutboxRow::find(store.connection(), &result.id)? else { return Ok(told.nothing()) };
    let is_taken = match &result.message {
        Some(message) => belongs_to_another(store.connection(), &result.id, message)?,
        None => false,
    };
    if row.shape.attempts != result.attempt || !may_follow(row.shape.state, result.state) || is_taken {
        return Ok(told.nothing());
    }
    let left = if rules < NO_WORDS_FROM { None } else { without_words(store, &row.shape, result)? };
    let without_words = left.as_ref().map(|left| encode(entry, left)).transpose()?;
    let result = left.as_ref().unwrap_or(result);
    store
        .connection()
        .prepare_cached(
            "UPDATE outbox SET state = ?2, message_id = ?3, reason = ?4, detail = ?5, changed_at = ?6, seq = ?7,
                 since = CASE WHEN ?2 <> 'queued' THEN since END
             WHERE id = ?1",
        )?
        .execute(params![
            result.id,
            result.state.as_str(),
            result.message.as_ref().map(MessageId::as_str),
            result.reason.map(OutboxReason::as_str),
            result.detail,
            to_nanos(entry.at),
            seq.0,
        ])?;
    let by = row.shape.sent_by;
    let tied = match &result.message {
        Some(message) => {
            let by = outbox::sender(store.connection(), by.id, by.name)?;
            note_sender(message, by, store)?
        }
        None => None,
    };
    let effect =
        tied.as_ref().map_or(HubEffect::None, |(_, chat)| HubEffect::Clocks(Box::new(Clocks::of(chat))));
    let event = told.new_event(store, &result.id, tied.map(|(message, _)| message))?;
    Ok(event.map_or_else(|| told.nothing(), |event| NewEvent { without_words, ..event.with(effect) }.into()))
}

/// What is left of an outcome whose message was queued before its person was erased; `None`: all of it.
fn without_words(
    store: &mut SqliteStore,
    shape: &OutboxShape,
    result: &OutboxResult,
) -> Result<Option<OutboxResult>, StoreError> {
    if result.detail.as_deref().is_none_or(|detail| detail == TEXT_ERASED) {
        return Ok(None);
    }
    let chat = store.chat(&ChatId::from(shape.chat_id.as_str()))?;
    let Some(contact) = chat.as_ref().and_then(|chat| chat.contact_id.get()) else { return Ok(None) };
    let forgetting = erased_of(store.connection(), contact)?;
    let is_erased = forgetting.takes_content(shape.queued_at);
    Ok(is_erased.then(|| OutboxResult { detail: None, ..result.clone() }))
}

/// The body of a record that says this instead.
fn encode(entry: &Entry, result: &OutboxResult) -> Result<Vec<u8>, StoreError> {
    let payload = Payload::OutboxResult(result.clone());
    let record = Record::new(payload, entry.id.clone(), entry.origin.clone(), entry.at);
    Ok(record.map_err(StoreError::compress)?.entry.body)
}

/// What may become of a message in a state.
fn may_follow(state: OutboxState, next: OutboxState) -> bool {
    match state {
        // It may not be sent any more, or was found when it was looked for before sending it again.
        OutboxState::Queued => matches!(next, OutboxState::Failed | OutboxState::Sent),
        OutboxState::Sending => {
            // Queued: it was certainly not accepted, and the next attempt may succeed.
            let may_go_on = matches!(next, OutboxState::Queued | OutboxState::Unclear);
            may_go_on || matches!(next, OutboxState::Sent | OutboxState::Failed)
        }
        OutboxState::Unclear => matches!(next, OutboxState::Sent | OutboxState::Unconfirmed),
        OutboxState::Sent | OutboxState::Failed | OutboxState::Unconfirmed | OutboxState::Discarded => false,
    }
}

fn queue(connection: &Connection, told: &Told<'_>, message: &OutboxMessage) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO outbox (id, temp_id, chat_id, state, text, private, prefix, user_id, user_name, queued_at, changed_at,
             seq)
         VALUES (?1, ?2, ?3, 'queued', ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)",
    )?;
    insert.execute(params![
        message.id,
        message.temp_id,
        message.chat.as_str(),
        // The text of a record is empty once it was erased, or became too old.
        (!message.text.is_empty()).then_some(&message.text),
        message.private,
        message.prefix,
        message.by.id,
        message.by.name,
        to_nanos(told.entry.at),
        told.seq.0,
    ])?;
    Ok(())
}

/// Whether it is for a person to decide what becomes of an entry.
fn is_for_a_person(store: &mut SqliteStore, id: &str) -> Result<bool, StoreError> {
    let Some(row) = OutboxRow::find(store.connection(), id)? else { return Ok(false) };
    if row.shape.state.is_for_a_person() {
        return Ok(true);
    }
    let message = match (row.shape.state, &row.shape.message_id) {
        (OutboxState::Sent, Some(message)) => store.message(&MessageId::from(message.as_str()))?,
        _ => None,
    };
    Ok(message.is_some_and(|message| message.is_undelivered()))
}

fn belongs_to_another(connection: &Connection, id: &str, message: &MessageId) -> Result<bool, StoreError> {
    let mut select = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM outbox WHERE message_id = ?1 AND id <> ?2)")?;
    Ok(select.query_row([message.as_str(), id], |row| row.get(0))?)
}

/// The record that is applied.
struct Told<'a> {
    seq: Seq,
    entry: &'a Entry,
    id: &'a EventId,
}

impl Told<'_> {
    fn nothing<'a>(&self) -> Outcome<'a> {
        Outcome::NoEvent(Ack::duplicate(Some(self.id.clone()), None))
    }

    /// Tells everybody who sees the chat what an entry is now.
    fn event<'a>(&self, store: &mut SqliteStore, id: &str) -> Result<Outcome<'a>, StoreError> {
        Ok(self.new_event(store, id, None)?.map_or_else(|| self.nothing(), Outcome::from))
    }

    fn new_event<'a>(
        &self,
        store: &mut SqliteStore,
        id: &str,
        message: Option<ChatMessage>,
    ) -> Result<Option<NewEvent<'a>>, StoreError> {
        let Some(OutboxRow { shape, .. }) = OutboxRow::find(store.connection(), id)? else {
            debug_assert!(false, "it was just changed");
            return Ok(None);
        };
        let audience = audience(store, &shape)?;
        let message = message.map(|message| message_shape(store, &message)).transpose()?;
        let data = OutboxData::new(self.id, &shape, message);
        let frame = serde_json::to_string(&SideUpdate::new(self.seq, self.entry.at, data))?;
        Ok(Some(NewEvent::new(OUTBOX_UPDATED, audience, frame.into())))
    }
}

fn message_shape(store: &mut SqliteStore, message: &ChatMessage) -> Result<MessageShape, StoreError> {
    let chat = store.chat(&message.chat_id)?;
    let contact = chat.as_ref().and_then(|chat| chat.contact_id.get()).map(ToString::to_string);
    let kind = chat.as_ref().map_or(ChatKind::Direct, Chat::kind);
    let mut shape = MessageShape::new(message, contact, kind);
    let (directory, _) = store.directory()?;
    for agent in shape.people_mut() {
        if let Some(name) = directory.name_of(&agent.id) {
            agent.name = Some(name.to_owned());
        }
    }
    Ok(shape)
}

/// Those who see the chat, or follow it in any way.
fn audience(store: &mut SqliteStore, shape: &OutboxShape) -> Result<Audience, StoreError> {
    let id = ChatId::from(shape.chat_id.as_str());
    let Some(chat) = store.chat(&id)? else {
        return Ok(Audience { chat: Some(id), ..Audience::default() });
    };
    let place = Placement::of(&chat);
    Ok(Audience {
        chat: Some(id),
        contacts: chat.contact_id.get().cloned().into_iter().collect(),
        tags: chat.tags.get().into_iter().flatten().map(|tag| tag.id.clone()).collect(),
        before: Some(place.clone()),
        after: Some(place),
        ..Audience::default()
    })
}
