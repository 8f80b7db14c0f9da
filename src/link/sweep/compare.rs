//! Finds what the provider knows and the hub does not. Only a difference that would change something on a screen counts. It is
//! found by absorbing the provider's answer into a copy of what is stored, with the same rules as for a delivery.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Transaction};
use serde::de::DeserializeOwned;

use crate::domain::register::{EventKey, from_nanos, to_nanos};
use crate::domain::{
    Chat, ChatId, ChatMessage, Contact, EventId, Facts, MessageFacts, MessageId, Named, RefId,
};
use crate::journal::{LinkProgress, forgetting_of, link};
use crate::link::shifted;
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
        let chat: Option<Chat> = state(tx, "SELECT state FROM chats WHERE id = ?", self.chat.as_str())?;
        let forgetting = forgetting_of(tx, chat.as_ref().and_then(|chat| chat.contact_id.get()))?;
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
                Some(known) if known.chat_id == self.chat => {
                    let mut said = said.clone();
                    if forgetting.takes_content(known.at) {
                        said.forget_content();
                    }
                    if would_change(&known, &said) {
                        missing.news.push(index);
                    }
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

/// Asks whether the hub knows messages of a chat that the provider does not show. The time includes `from` and excludes `before`.
#[derive(Debug)]
pub struct KnowsHidden {
    pub chat: ChatId,
    pub from: Timestamp,
    pub before: Timestamp,
    /// The messages that the provider shows. The hub may know one of them by an earlier time, if the provider's clock is ahead.
    pub shown: HashSet<MessageId>,
}

impl Query for KnowsHidden {
    type Answer = bool;

    fn answer(self, tx: &Transaction<'_>) -> Result<bool, ReadError> {
        let mut select =
            tx.prepare_cached("SELECT id, state FROM messages WHERE chat_id = ?1 AND at >= ?2 AND at < ?3")?;
        let bounds = rusqlite::params![self.chat.as_str(), to_nanos(self.from), to_nanos(self.before)];
        let mut rows = select.query(bounds)?;
        while let Some(row) = rows.next()? {
            let (id, state): (String, String) = (row.get(0)?, row.get(1)?);
            if self.shown.contains(&MessageId::from(id)) {
                continue;
            }
            // A message that was deleted is hidden by whoever deleted it.
            let known: ChatMessage = serde_json::from_str(&state)?;
            if !known.deleted {
                return Ok(true);
            }
        }
        Ok(false)
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
        if comparable(&known) == comparable(&after) && !self.changes_contact(tx, &known, &key)? {
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
    fn changes_contact(&self, tx: &Transaction<'_>, chat: &Chat, key: &EventKey) -> Result<bool, ReadError> {
        let Some(said) = &self.said.contact else { return Ok(false) };
        if forgetting_of(tx, Some(&said.id))?.takes_person(chat.last_customer_at) {
            return Ok(false);
        }
        let known: Option<Contact> = state(tx, "SELECT state FROM contacts WHERE id = ?", said.id.as_str())?;
        let Some(known) = known else { return Ok(true) };
        let mut after = known.clone();
        after.learn(said, key, self.said.chat.created_at);
        Ok(known.fields().in_any_order() != after.fields().in_any_order())
    }
}

/// The fields of a chat that are compared. Names are left out because deliveries bring them, and waits because messages decide them.
fn comparable(chat: &Chat) -> impl PartialEq + use<> {
    let fields = chat.fields();
    let id = |named: &Option<Named>| named.as_ref().map(|named| named.id.clone());
    let ids = |list: &[Named]| {
        let mut ids: Vec<RefId> = list.iter().map(|named| named.id.clone()).collect();
        ids.sort();
        ids
    };
    (
        (fields.open, fields.waiting, fields.private, fields.closed_at),
        (id(&fields.owner), id(&fields.sector), ids(&fields.tags), fields.contact_id.clone()),
        // No delivery is sent when a bot comes to its end; members decide who sees a private chat.
        (chat.bot_running.get().copied().unwrap_or(false), ids(&fields.members)),
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
    /// How far the provider's clock is ahead of the hub's: deliveries carry the hub's time where theirs is later.
    pub clock_ahead: SignedDuration,
}

/// A delivery that tells of an assignment may carry a time this much earlier than the one in the chat's history.
const EARLIER: SignedDuration = SignedDuration::from_secs(2);
/// A delivery that shows the agent this much later has told of the assignment closely enough. One that comes later still, such as the
/// customer's next message after an hour without webhooks, says who has the chat, but not since when.
const LATER: SignedDuration = SignedDuration::from_secs(30);

impl Query for FindTransfers {
    type Answer = Vec<(Timestamp, RefId)>;

    fn answer(mut self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut is_told = tx.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM timeline WHERE chat_id = ?1 AND owner_id = ?2 AND at >= ?3 AND at < ?4)",
        )?;
        let mut newest_before = tx.prepare_cached(
            "SELECT at, owner_id FROM timeline WHERE chat_id = ?1 AND at < ?2 AND owner_id IS NOT NULL
             ORDER BY at DESC, event_id DESC LIMIT 1",
        )?;
        self.said.sort();
        let mut news: Vec<(Timestamp, RefId)> = Vec::new();
        for (index, (at, member)) in self.said.iter().enumerate() {
            let next = self.said.get(index + 1).map_or(Timestamp::MAX, |(next, _)| *next);
            let from = shifted(shifted(*at, -EARLIER), -self.clock_ahead);
            let until = next.min(shifted(*at, LATER));
            let bounds = (self.chat.as_str(), member.as_str(), to_nanos(from), to_nanos(until));
            if *at < self.from || is_told.query_row(bounds, |row| row.get(0))? {
                continue;
            }
            let owner = newest_before
                .query_row((self.chat.as_str(), to_nanos(*at)), |row| {
                    Ok((from_nanos(row.get(0)?), RefId::from(row.get::<_, String>(1)?)))
                })
                .optional()?;
            // Whoever has the chat already is not assigned to it. An assignment that was found just now counts, too.
            let owner = owner.max(news.last().cloned()).map(|(_, owner)| owner);
            if owner.as_ref() != Some(member) {
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
