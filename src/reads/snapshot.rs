//! The state that a screen begins with, all of it at one position.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Transaction;

use super::chats::ListChats;
use super::contacts::ListContacts;
use super::messages::ListMessages;
use super::stats::ScopedStats;
use super::visible_placements::VisiblePlacements;
use super::{Query, ReadError};
use crate::auth::Scope;
use crate::domain::Seq;
use crate::journal::head::epoch;
use crate::protocol::{ChatShape, ContactShape, MessageShape, SnapshotLimits, StatsShape};

/// Asks for the latest contacts, the open chats and the latest messages at one position.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The most rows of each kind.
    pub limits: SnapshotLimits,
    /// The present, which decides what counts as today.
    pub now: Timestamp,
    /// Time zone in which today began.
    pub zone: TimeZone,
    pub scope: Arc<Scope>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotAnswer {
    /// Position of the journal: everything up to it is included, and nothing after it.
    pub seq: Seq,
    pub epoch: String,
    pub stats: StatsShape,
    /// Contacts, those with the latest interaction first.
    pub contacts: Vec<ContactShape>,
    /// Open chats of every kind, latest activity first.
    pub chats: Vec<ChatShape>,
    /// Messages of all chats, newest first.
    pub messages: Vec<MessageShape>,
    /// Which of the lists `contacts`, `chats` and `messages` were cut at their limit.
    pub truncated: Vec<&'static str>,
}

impl Query for Snapshot {
    type Answer = SnapshotAnswer;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let seen = VisiblePlacements::of(tx, &self.scope)?;
        let counters = ScopedStats { now: self.now, zone: self.zone, scope: Arc::clone(&self.scope) };
        let stats =
            if self.scope.is_unlimited() { counters.answer(tx)? } else { counters.over(tx, &seen)? };
        let contacts = ListContacts::latest(self.limits.contacts, &self.scope).rows(tx, &seen, None)?;
        let chats = ListChats::open(self.limits.chats, &self.scope).rows(tx, &seen, None)?;
        let messages = ListMessages::latest(self.limits.messages, &self.scope).rows(tx, &seen, None)?;
        let lists = [("contacts", contacts.more), ("chats", chats.more), ("messages", messages.more)];
        Ok(SnapshotAnswer {
            seq: Seq(stats.as_of_seq),
            epoch: epoch(tx)?,
            stats,
            contacts: contacts.items,
            chats: chats.items,
            messages: messages.items,
            truncated: lists.into_iter().filter(|(_, more)| *more).map(|(name, _)| name).collect(),
        })
    }
}
