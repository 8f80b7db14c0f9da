//! What the provider knows and the archive does not. A difference is what would change something that is shown, found by the
//! rules by which deliveries are absorbed.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Transaction};
use serde::de::DeserializeOwned;

use crate::domain::chat::ChatFields;
use crate::domain::register::{EventKey, from_nanos, to_nanos};
use crate::domain::{Chat, ChatId, ChatMessage, Contact, EventId, Facts, MessageFacts, MessageId, RefId};
use crate::journal::{LinkProgress, link};
use crate::protocol::link::LinkAlert;
use crate::reads::{Query, ReadError};

/// Deliveries of a chat this long before the provider was asked may be followed by others that are under way.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(25);

/// Which of these messages of a chat are news.
#[derive(Debug)]
pub struct FindMissing {
    pub chat: ChatId,
    /// What the provider says of each message.
    pub said: Vec<MessageFacts>,
}

#[derive(Debug, Default)]
pub struct Missing {
    /// Their places in what was asked.
    pub news: Vec<usize>,
    /// Of them, those that were not known at all.
    pub unknown: Vec<usize>,
}

impl Query for FindMissing {
    type Answer = Missing;

    fn answer(self, tx: &Transaction<'_>) -> Result<Missing, ReadError> {
        let mut missing = Missing::default();
        for (place, said) in self.said.iter().enumerate() {
            let Some(id) = &said.id else { continue };
            let known: Option<ChatMessage> =
                state(tx, "SELECT state FROM messages WHERE id = ?", id.as_str())?;
            match known {
                None => {
                    missing.unknown.push(place);
                    missing.news.push(place);
                }
                // A message never changes its chat.
                Some(known) if known.chat_id == self.chat && would_change(&known, said) => {
                    missing.news.push(place);
                }
                Some(_) => {}
            }
        }
        Ok(missing)
    }
}

fn would_change(known: &ChatMessage, said: &MessageFacts) -> bool {
    let key = EventKey { at: said.at.unwrap_or(known.at), event: asked() };
    let mut after = known.clone();
    after.learn(said, &key);
    !known.looks_like(&after)
}

fn asked() -> EventId {
    EventId::from("reconcile:")
}

/// Whether messages of a chat are known that happened from one moment on and before another.
#[derive(Debug)]
pub struct KnowsBetween {
    pub chat: ChatId,
    /// From this moment on.
    pub from: Timestamp,
    /// Before this one.
    pub before: Timestamp,
}

impl Query for KnowsBetween {
    type Answer = bool;

    fn answer(self, tx: &Transaction<'_>) -> Result<bool, ReadError> {
        let mut select = tx.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM messages WHERE chat_id = ?1 AND at >= ?2 AND at < ?3)",
        )?;
        let bounds = rusqlite::params![self.chat.as_str(), to_nanos(self.from), to_nanos(self.before)];
        Ok(select.query_row(bounds, |row| row.get(0))?)
    }
}

/// Whether a message is known.
#[derive(Debug)]
pub struct KnowsMessage(pub MessageId);

impl Query for KnowsMessage {
    type Answer = bool;

    fn answer(self, tx: &Transaction<'_>) -> Result<bool, ReadError> {
        let mut select = tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM messages WHERE id = ?)")?;
        Ok(select.query_row([self.0.as_str()], |row| row.get(0))?)
    }
}

/// Whether the state of a chat is news.
#[derive(Debug)]
pub struct FindState {
    /// What the provider says of it.
    pub said: Facts,
    /// Its place in the chat's order.
    pub at: Timestamp,
}

/// The state of a chat is news.
#[derive(Debug, PartialEq, Eq)]
pub struct StateNews {
    /// The newest delivery that it corrects; `None`: the chat was not known.
    pub corrects: Option<EventKey>,
}

impl Query for FindState {
    type Answer = Option<StateNews>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Option<StateNews>, ReadError> {
        let chat = &self.said.chat;
        let known: Option<Chat> = state(tx, "SELECT state FROM chats WHERE id = ?", chat.id.as_str())?;
        let Some(known) = known else { return Ok(Some(StateNews { corrects: None })) };
        let key = EventKey { at: self.at, event: asked() };
        let mut after = known.clone();
        after.learn(chat, &key);
        if compared(&known.fields()) == compared(&after.fields()) && !self.names_contact_anew(tx, &key)? {
            return Ok(None);
        }
        let corrects = newest_entry(tx, &chat.id)?;
        let may_be_under_way = corrects
            .as_ref()
            .is_some_and(|newest| newest.at.checked_add(UNDER_WAY).is_ok_and(|until| until > self.at));
        Ok((!may_be_under_way).then_some(StateNews { corrects }))
    }
}

impl FindState {
    fn names_contact_anew(&self, tx: &Transaction<'_>, key: &EventKey) -> Result<bool, ReadError> {
        let Some(said) = &self.said.contact else { return Ok(false) };
        let known: Option<Contact> = state(tx, "SELECT state FROM contacts WHERE id = ?", said.id.as_str())?;
        let Some(known) = known else { return Ok(true) };
        let mut after = known.clone();
        after.learn(said, key, self.said.chat.created_at);
        Ok(known.fields() != after.fields())
    }
}

/// What of a chat is compared: where it stands. Names come with deliveries, and waits follow from messages.
fn compared(fields: &ChatFields) -> impl PartialEq + use<> {
    let id = |named: &Option<crate::domain::Named>| named.as_ref().map(|named| named.id.clone());
    let mut tags: Vec<RefId> = fields.tags.iter().map(|tag| tag.id.clone()).collect();
    tags.sort();
    (
        (fields.open, fields.waiting, fields.private, fields.closed_at),
        (id(&fields.owner), id(&fields.sector), tags, fields.contact_id.clone()),
    )
}

fn newest_entry(tx: &Transaction<'_>, chat: &ChatId) -> Result<Option<EventKey>, ReadError> {
    let mut select = tx.prepare_cached(
        "SELECT at, event_id FROM timeline WHERE chat_id = ? ORDER BY at DESC, event_id DESC LIMIT 1",
    )?;
    let newest = select.query_row([chat.as_str()], |row| {
        Ok(EventKey { at: from_nanos(row.get(0)?), event: EventId::from(row.get::<_, String>(1)?) })
    });
    Ok(newest.optional()?)
}

fn state<T: DeserializeOwned>(tx: &Transaction<'_>, sql: &str, id: &str) -> Result<Option<T>, ReadError> {
    let stored: Option<String> = tx.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
    Ok(stored.map(|stored| serde_json::from_str(&stored)).transpose()?)
}

/// Which of these assignments of a chat no delivery told.
#[derive(Debug)]
pub struct FindTransfers {
    pub chat: ChatId,
    /// Since when it is looked.
    pub from: Timestamp,
    /// Who it was assigned to, and when.
    pub said: Vec<(Timestamp, RefId)>,
}

/// How much earlier than the provider says a delivery may tell of an assignment: stamps of the two differ.
const EARLIER: SignedDuration = SignedDuration::from_secs(2);

impl Query for FindTransfers {
    type Answer = Vec<(Timestamp, RefId)>;

    fn answer(mut self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        // Any delivery that shows the agent until the next assignment tells of this one.
        let mut select = tx.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM timeline WHERE chat_id = ?1 AND owner_id = ?2 AND at >= ?3 AND at < ?4)",
        )?;
        self.said.sort();
        let mut news = Vec::new();
        for (place, (at, member)) in self.said.iter().enumerate() {
            let until = self.said.get(place + 1).map_or(i64::MAX, |(next, _)| to_nanos(*next));
            let from = at.checked_sub(EARLIER).map_or(i64::MIN, to_nanos);
            let known: bool =
                select.query_row((self.chat.as_str(), member.as_str(), from, until), |row| row.get(0))?;
            if *at >= self.from && !known {
                news.push((*at, member.clone()));
            }
        }
        Ok(news)
    }
}

/// What a comparison begins with.
#[derive(Debug, Clone, Copy)]
pub struct Beginning;

/// What is known before anything is compared.
#[derive(Debug, Clone, Default)]
pub struct Begun {
    /// How far everything was known.
    pub progress: LinkProgress,
    pub has_chats: bool,
    pub alerts: Vec<LinkAlert>,
}

impl Query for Beginning {
    type Answer = Begun;

    fn answer(self, tx: &Transaction<'_>) -> Result<Begun, ReadError> {
        let has_chats =
            tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM chats)")?.query_row([], |row| row.get(0))?;
        // What was wrong and cannot be read is found again.
        let alerts = link::load_alerts(tx).unwrap_or_default();
        Ok(Begun { progress: link::load(tx)?, has_chats, alerts })
    }
}
