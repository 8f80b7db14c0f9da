//! What each kind of record changes, in one file for each kind. None of them chooses a position or writes
//! rows of the journal: they are given the position of the record, and return the event that it makes.
//!
//! # Contract
//!
//! 1. **Deterministic.** The outcome depends on the record and the stored state alone: no clock, no
//!    randomness, no setting, no bound of a batch.

mod update;
pub mod deliveries;
pub mod notices;
pub mod members;
pub mod names;
pub mod settings;
pub mod alerts;
pub mod revocations;
pub mod link;
pub mod outbox;
pub mod daily_report;
pub mod erasures;
pub mod retention;
pub mod duties;
pub mod rules;

use bytestring::ByteString;

use super::append::Ack;
use super::erasures::Erased;
use super::recorded::{HubEffect, Recorded};
use crate::domain::{Audience, MessageId, StatsDelta};
use crate::protocol::MessageSummary;

/// The outcome of applying a record.
pub(super) enum Outcome<'a> {
    /// The record makes an event.
    Event(Box<NewEvent<'a>>),
    /// The record makes no event. The state may have changed nevertheless.
    NoEvent(Ack),
}

impl<'a> From<NewEvent<'a>> for Outcome<'a> {
    fn from(event: NewEvent<'a>) -> Self {
        Self::Event(Box::new(event))
    }
}

/// An event, to be written at the record's position.
pub(super) struct NewEvent<'a> {
    /// The provider's type of a delivery. For other records the same as `update_type`.
    pub(super) event_type: &'a str,
    /// Type of the update that screens are sent.
    pub(super) update_type: &'static str,
    /// When it happened, in nanoseconds since 1970; `None` if the provider did not say.
    pub(super) event_at: Option<i64>,
    /// Why a delivery was kept raw; `None` if it was not.
    pub(super) reason: Option<String>,
    pub(super) audience: Audience,
    /// The newest messages of the contact's other chats, in the order of [`Audience::elsewhere`].
    pub(super) elsewhere: Vec<Option<MessageSummary>>,
    pub(super) frame: ByteString,
    /// What changes in the hub's memory.
    pub(super) effect: HubEffect,
    pub(super) delta: StatsDelta,
    /// Messages whose words must be removed from earlier updates.
    pub(super) deleted: Vec<MessageId>,
    /// Earlier updates that were changed.
    pub(super) blanked: Vec<Recorded>,
    /// Positions of updates that can no longer be made again.
    pub(super) touched: Vec<i64>,
    /// What an erasure blanked, in rows.
    pub(super) erased: Option<Erased>,
    /// The body to store, where not all of the delivery may be kept.
    pub(super) reduced: Option<Vec<u8>>,
    /// The body to store of another record, where it says what must not be kept.
    pub(super) without_words: Option<Vec<u8>>,
}

impl NewEvent<'_> {
    /// An event that changes no counters. Only deliveries change any.
    fn new(update_type: &'static str, audience: Audience, frame: ByteString) -> Self {
        Self {
            event_type: update_type,
            update_type,
            event_at: None,
            reason: None,
            audience,
            elsewhere: Vec::new(),
            frame,
            effect: HubEffect::None,
            delta: StatsDelta::default(),
            deleted: Vec::new(),
            blanked: Vec::new(),
            touched: Vec::new(),
            erased: None,
            reduced: None,
            without_words: None,
        }
    }

    /// The same event with a change of the hub's memory.
    fn with(self, effect: HubEffect) -> Self {
        Self { effect, ..self }
    }
}
