//! The present state of a chat.
//!
//! Each field is a register of its own: it holds what the newest delivery that said something of it said. A
//! late delivery changes a field only where no newer one did, so any order of deliveries ends in the same chat.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::facts::{ChatFacts, ChatKind, ChatLine, Named};
use super::ids::{ChatId, ContactId, RefId};
use super::order::{Close, MessagePosition, OrderKey};
use super::register::{EventKey, Register, keep_earliest, keep_latest};

/// Whether a chat is open, in the provider's waiting list, or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChatStatus {
    /// Open, and not in the waiting list.
    Open,
    /// Open and in the waiting list.
    Waiting,
    /// A closed chat is never waiting.
    Closed,
}

/// What is known of one chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    pub id: ChatId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<RefId>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub contact_id: Register<ContactId>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub kind: Register<ChatKind>,
    /// The WhatsApp line, or other account, that the chat runs on.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub channel: Register<ChatLine>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub sector: Register<Option<Named>>,
    /// The agent who has the chat. A closed chat keeps its last one.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub owner: Register<Option<Named>>,
    /// The agents who take part in the chat.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub members: Register<Vec<Named>>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub tags: Register<Vec<Named>>,
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub open: Register<bool>,
    /// True where the provider has the chat in its waiting list.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub waiting: Register<bool>,
    /// True where only its members, admins and supervisors see the chat.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub private: Register<bool>,
    /// Closing time as the provider says it.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub provider_closed_at: Register<Option<Timestamp>>,
    /// True while a bot answers in the chat.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub bot_running: Register<bool>,
    /// When the latest delivery that showed a running bot was emitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_seen_at: Option<Timestamp>,
    /// The earliest creation time that any delivery gave.
    pub created_at: Option<Timestamp>,
    /// The latest `EventAtUTC` of all deliveries.
    pub active_at: Option<Timestamp>,
    /// The latest close. What a customer wrote before it does not wait for an answer.
    #[serde(default)]
    pub last_close: Option<Close>,
    /// When the chat was closed, by the first of the consecutive timeline entries that show it closed; `None`
    /// while it is open.
    pub closed_since: Option<Timestamp>,
    /// The last human, public reply.
    #[serde(default)]
    pub last_reply: Option<MessagePosition>,
    /// The first customer message after both the last reply and the last close.
    #[serde(default)]
    pub unanswered: Option<MessagePosition>,
    /// When a customer wrote last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_customer_at: Option<Timestamp>,
    /// When the newest message was written that is neither a private note nor a reaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_public_at: Option<Timestamp>,
    /// The newest message that is not a reaction.
    pub last_message: Option<MessagePosition>,
    /// The number of stored messages.
    #[serde(default)]
    pub message_count: i64,
}

/// The fields of a chat that an update may report as changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatFields {
    pub contact_id: Option<ContactId>,
    pub kind: ChatKind,
    /// The WhatsApp line, or other account, that the chat runs on.
    pub channel: Option<ChatLine>,
    pub sector: Option<Named>,
    /// The agent who has the chat.
    pub owner: Option<Named>,
    /// The agents who take part in the chat.
    pub members: Vec<Named>,
    pub tags: Vec<Named>,
    pub status: ChatStatus,
    pub open: bool,
    /// True where the provider has the chat in its waiting list.
    pub waiting: bool,
    /// True where only its members, admins and supervisors see the chat.
    pub private: bool,
    /// When the first unanswered customer message was written.
    pub waiting_since: Option<Timestamp>,
    pub created_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
}

impl Chat {
    /// A chat of which only the id is known.
    pub fn new(id: ChatId) -> Self {
        Self {
            id,
            organization: None,
            contact_id: Register::default(),
            kind: Register::default(),
            channel: Register::default(),
            sector: Register::default(),
            owner: Register::default(),
            members: Register::default(),
            tags: Register::default(),
            open: Register::default(),
            waiting: Register::default(),
            private: Register::default(),
            provider_closed_at: Register::default(),
            bot_running: Register::default(),
            bot_seen_at: None,
            created_at: None,
            active_at: None,
            last_close: None,
            closed_since: None,
            last_reply: None,
            unanswered: None,
            last_customer_at: None,
            last_public_at: None,
            last_message: None,
            message_count: 0,
        }
    }

    /// Takes what a delivery says of the chat. Fields that depend on messages are set by
    /// [`absorb`](super::absorb()).
    pub fn learn(&mut self, facts: &ChatFacts, key: &EventKey) {
        self.contact_id.hear(facts.contact_id.clone(), key);
        self.kind.hear(facts.kind, key);
        self.channel.hear(facts.channel.clone(), key);
        self.sector.hear(facts.sector.clone(), key);
        self.owner.hear(facts.owner.clone(), key);
        self.members.hear(facts.members.clone(), key);
        self.tags.hear(facts.tags.clone(), key);
        self.open.hear(facts.open, key);
        self.waiting.hear(facts.waiting, key);
        self.private.hear(facts.private, key);
        self.provider_closed_at.hear(facts.closed_at, key);
        self.bot_running.hear(facts.bot_running, key);
        keep_latest(&mut self.bot_seen_at, facts.bot_running.filter(|runs| *runs).map(|_runs| key.at));
        keep_earliest(&mut self.created_at, facts.created_at);
        keep_latest(&mut self.active_at, facts.active_at);
        if facts.open == Some(false) {
            let told = Close { at: closing_time(facts, key), told_at: key.at };
            Close::keep_latest(&mut self.last_close, told);
        }
    }

    /// A chat counts as open until a delivery says that it is closed.
    pub fn is_open(&self) -> bool {
        self.open.get().copied().unwrap_or(true)
    }

    /// True for an open chat in the waiting list. A closed chat is never waiting.
    pub fn is_waiting(&self) -> bool {
        self.is_open() && self.waiting.get().copied().unwrap_or(false)
    }

    pub fn status(&self) -> ChatStatus {
        match (self.is_open(), self.is_waiting()) {
            (false, _) => ChatStatus::Closed,
            (true, true) => ChatStatus::Waiting,
            (true, false) => ChatStatus::Open,
        }
    }

    /// A chat counts as direct until a delivery names another kind of contact.
    pub fn kind(&self) -> ChatKind {
        self.kind.get().copied().unwrap_or(ChatKind::Direct)
    }

    /// Only direct chats count in the metrics.
    pub fn is_direct(&self) -> bool {
        self.kind() == ChatKind::Direct
    }

    /// The earliest place in the order of messages at which a wait may begin: after the last human reply and
    /// after the last close. A message with the exact time of the close counts as written before it. `None`
    /// where there was no reply and no close.
    pub fn wait_floor(&self) -> Option<OrderKey> {
        let reply = self.last_reply.as_ref().map(MessagePosition::key);
        let close = self.last_close.map(|close| OrderKey::after_all_of(close.moment()));
        reply.max(close)
    }

    /// True where a human replied and the chat was not closed since.
    pub fn is_answered(&self) -> bool {
        let moment = self.last_reply.as_ref().map(|reply| reply.key().at);
        moment.is_some() && moment > self.last_close.map(|close| close.moment())
    }

    /// When the first unanswered customer message was written. The provider's own time does not count: its
    /// waiting list also holds chats that a human has answered.
    pub fn waiting_since(&self) -> Option<Timestamp> {
        self.unanswered.as_ref().filter(|_| self.is_open()).map(|message| message.at)
    }

    /// The closing time that the provider gave, else the time of the first timeline entry that shows the chat
    /// closed.
    pub fn closed_at(&self) -> Option<Timestamp> {
        if self.is_open() {
            return None;
        }
        self.provider_closed_at.flat().copied().or(self.closed_since)
    }

    /// The later of the provider's last activity and the newest message.
    pub fn last_activity_at(&self) -> Option<Timestamp> {
        self.active_at.max(self.last_message.as_ref().map(|position| position.at)).or(self.created_at)
    }

    /// The fields that are compared before and after a delivery.
    pub fn fields(&self) -> ChatFields {
        ChatFields {
            contact_id: self.contact_id.get().cloned(),
            kind: self.kind(),
            channel: self.channel.get().cloned(),
            sector: self.sector.flat().cloned(),
            owner: self.owner.flat().cloned(),
            members: self.members.get().cloned().unwrap_or_default(),
            tags: self.tags.get().cloned().unwrap_or_default(),
            status: self.status(),
            open: self.is_open(),
            waiting: self.is_waiting(),
            private: self.private.get().copied().unwrap_or(false),
            waiting_since: self.waiting_since(),
            created_at: self.created_at,
            closed_at: self.closed_at(),
        }
    }
}

/// The closing time that a delivery with a closed chat gives.
pub fn closing_time(facts: &ChatFacts, key: &EventKey) -> Timestamp {
    facts.closed_at.flatten().or(facts.active_at).unwrap_or(key.at)
}
