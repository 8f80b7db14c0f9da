//! Finds what the provider knows and the hub does not. Only a difference that would change something on a screen counts. It is
//! found by absorbing the provider's answer into a copy of what is stored, with the same rules as for a delivery.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Transaction};
use serde::de::DeserializeOwned;

use crate::domain::chat::ChatFields;
use crate::domain::register::{EventKey, from_nanos, to_nanos};
use crate::domain::{Chat, ChatId, ChatMessage, Contact, EventId, Facts, MessageFacts, MessageId, RefId};
use crate::journal::{LinkProgress, link};
use crate::protocol::link::LinkAlert;
use crate::reads::{Query, ReadError};

/// If the newest delivery of a chat is less than this older than the provider's answer, further webhooks may still be on their way,
/// and the chat's state is left to the next comparison.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(25);

/// Finds the messages of a chat that are news.
#[derive(Debug)]
pub struct FindMissing {
    pub chat: ChatId,
    /// The messages as the provider tells them.
    pub said: Vec<MessageFacts>,
}

#[derive(Debug, Default)]
pub struct Missing {
    /// Indexes into `said` of the messages that are new or would change what is shown.
    pub news: Vec<usize>,
    /// Indexes into `said` of the messages that the hub did not know at all.
    pub unknown: Vec<usize>,
}

impl Query for FindMissing {
    type Answer = Missing;

    fn answer(self, tx: &Transaction<'_>) -> Result<Missing, ReadError> {
        let mut missing = Missing::default();
        for (index, said) in self.said.iter().enumerate() {
            let Some(id) = &said.id else { continue };
            let known: Option<ChatMessage> =
                state(tx, "SELECT state FROM messages WHERE id = ?", id.as_str())?;
            match known {
                None => {
                    missing.unknown.push(index);
                    missing.news.push(index);
                }
                // A message never changes its chat.
                Some(known) if known.chat_id == self.chat && would_change(&known, said) => {
                    missing.news.push(index);
                }
                Some(_) => {}
            }
        }
        Ok(missing)
    }
}

fn would_change(known: &ChatMessage, said: &MessageFacts) -> bool {
    let key = EventKey { at: said.at.unwrap_or(known.at), event: comparison_id() };
    let mut after = known.clone();
    after.learn(said, &key);
    !known.shows_the_same_as(&after)
}

/// The id under which the answer is absorbed for the comparison. It is never stored.
fn comparison_id() -> EventId {
    EventId::from("reconcile:")
}

/// Asks whether the hub knows messages of a chat in a time that includes `from` and excludes `before`.
#[derive(Debug)]
pub struct KnowsBetween {
    pub chat: ChatId,
    pub from: Timestamp,
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

/// Asks whether the hub knows a message.
#[derive(Debug)]
pub struct KnowsMessage(pub MessageId);

impl Query for KnowsMessage {
    type Answer = bool;

    fn answer(self, tx: &Transaction<'_>) -> Result<bool, ReadError> {
        let mut select = tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM messages WHERE id = ?)")?;
        Ok(select.query_row([self.0.as_str()], |row| row.get(0))?)
    }
}

/// Finds out whether the provider's state of a chat is news.
#[derive(Debug)]
pub struct FindState {
    /// The state as the provider tells it.
    pub said: Facts,
    /// The time that orders this state among the chat's deliveries.
    pub at: Timestamp,
}

/// The provider's state of a chat differs from the stored one.
#[derive(Debug, PartialEq, Eq)]
pub struct StateNews {
    /// The chat's newest delivery, which this state corrects. `None`: the chat was not known.
    pub corrects: Option<EventKey>,
}

impl Query for FindState {
    type Answer = Option<StateNews>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Option<StateNews>, ReadError> {
        let chat = &self.said.chat;
        let known: Option<Chat> = state(tx, "SELECT state FROM chats WHERE id = ?", chat.id.as_str())?;
        let Some(known) = known else { return Ok(Some(StateNews { corrects: None })) };
        let key = EventKey { at: self.at, event: comparison_id() };
        let mut after = known.clone();
        after.learn(chat, &key);
        if comparable(&known.fields()) == comparable(&after.fields()) && !self.changes_contact(tx, &key)? {
            return Ok(None);
        }
        let corrects = newest_entry(tx, &chat.id)?;
        let webhooks_may_come = corrects
            .as_ref()
            .is_some_and(|newest| newest.at.checked_add(UNDER_WAY).is_ok_and(|until| until > self.at));
        Ok((!webhooks_may_come).then_some(StateNews { corrects }))
    }
}

impl FindState {
    fn changes_contact(&self, tx: &Transaction<'_>, key: &EventKey) -> Result<bool, ReadError> {
        let Some(said) = &self.said.contact else { return Ok(false) };
        let known: Option<Contact> = state(tx, "SELECT state FROM contacts WHERE id = ?", said.id.as_str())?;
        let Some(known) = known else { return Ok(true) };
        let mut after = known.clone();
        after.learn(said, key, self.said.chat.created_at);
        Ok(known.fields() != after.fields())
    }
}

/// The fields of a chat that are compared. Names are left out because deliveries bring them, and waits because messages decide them.
fn comparable(fields: &ChatFields) -> impl PartialEq + use<> {
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

/// Finds the assignments of a chat that no delivery has told.
#[derive(Debug)]
pub struct FindTransfers {
    pub chat: ChatId,
    /// Earlier assignments are not looked for.
    pub from: Timestamp,
    /// When the chat was assigned, and to whom.
    pub said: Vec<(Timestamp, RefId)>,
}

/// A delivery that tells of an assignment may carry a time this much earlier than the one in the chat's history.
const EARLIER: SignedDuration = SignedDuration::from_secs(2);

impl Query for FindTransfers {
    type Answer = Vec<(Timestamp, RefId)>;

    fn answer(mut self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        // A delivery that shows the agent as owner before the next assignment has told of this one.
        let mut select = tx.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM timeline WHERE chat_id = ?1 AND owner_id = ?2 AND at >= ?3 AND at < ?4)",
        )?;
        self.said.sort();
        let mut news = Vec::new();
        for (index, (at, member)) in self.said.iter().enumerate() {
            let until = self.said.get(index + 1).map_or(i64::MAX, |(next, _)| to_nanos(*next));
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

/// Loads what a comparison starts from.
#[derive(Debug, Clone, Copy)]
pub struct LoadSweepStart;

/// What a comparison starts from.
#[derive(Debug, Clone, Default)]
pub struct SweepStart {
    /// Up to when everything was known.
    pub progress: LinkProgress,
    pub has_chats: bool,
    pub alerts: Vec<LinkAlert>,
}

impl Query for LoadSweepStart {
    type Answer = SweepStart;

    fn answer(self, tx: &Transaction<'_>) -> Result<SweepStart, ReadError> {
        let has_chats =
            tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM chats)")?.query_row([], |row| row.get(0))?;
        // Alerts that cannot be read are raised again by the next check.
        let alerts = link::load_alerts(tx).unwrap_or_default();
        Ok(SweepStart { progress: link::load(tx)?, has_chats, alerts })
    }
}
