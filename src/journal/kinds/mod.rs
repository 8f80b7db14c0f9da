//! What each kind of record changes, one file a kind. None of them takes a position or writes the journal's own rows: they
//! are told the position that the record has, and return the event that it makes.
//!
//! # Contract
//!
//! 1. **Deterministic.** What a kind does follows from the record and from the stored state, and from nothing else: no clock,
//!    no randomness, no setting, no bound of a batch.

mod update;
pub mod deliveries;
pub mod notices;
pub mod members;
pub mod settings;
pub mod alerts;
pub mod revocations;
pub mod link;

use bytestring::ByteString;

use super::append::Ack;
use super::recorded::News;
use crate::domain::{Audience, MessageId, StatsDelta};
use crate::protocol::MessageSummary;

/// What a record did.
pub(super) enum Outcome<'a> {
    /// It makes an event.
    Event(Box<NewEvent<'a>>),
    /// It makes none; the state may have changed all the same.
    NoEvent(Ack),
}

impl<'a> From<NewEvent<'a>> for Outcome<'a> {
    fn from(event: NewEvent<'a>) -> Self {
        Self::Event(Box::new(event))
    }
}

/// An event that is to be written at the record's position.
pub(super) struct NewEvent<'a> {
    /// The provider's type of a delivery; of all others the type of the update.
    pub(super) event_type: &'a str,
    /// What the update that tells it is called.
    pub(super) update_type: &'static str,
    /// When it happened, where the provider said so: nanoseconds since 1970.
    pub(super) event_at: Option<i64>,
    /// Why a delivery was not understood.
    pub(super) reason: Option<String>,
    /// Whom it concerns.
    pub(super) audience: Audience,
    /// The newest messages of the contact's other chats, in the order of the audience's `elsewhere`.
    pub(super) elsewhere: Vec<Option<MessageSummary>>,
    /// The encoded update.
    pub(super) frame: ByteString,
    /// What the hub's memory learns.
    pub(super) news: News,
    /// How the counters move.
    pub(super) delta: StatsDelta,
    /// Messages whose words are to be taken out of earlier updates.
    pub(super) deleted: Vec<MessageId>,
}

impl NewEvent<'_> {
    /// An event that moves no counters: all but deliveries.
    fn new(update_type: &'static str, audience: Audience, frame: ByteString) -> Self {
        Self {
            event_type: update_type,
            update_type,
            event_at: None,
            reason: None,
            audience,
            elsewhere: Vec::new(),
            frame,
            news: News::None,
            delta: StatsDelta::default(),
            deleted: Vec::new(),
        }
    }

    /// The same, with news for the hub.
    fn with(self, news: News) -> Self {
        Self { news, ..self }
    }
}
