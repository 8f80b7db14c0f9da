//! A chat: its present state, read off the newest delivery that spoke of each part.
//!
//! Each field is a register of its own, so a late delivery changes a field only where nothing newer
//! spoke of it, and any order of deliveries ends in the same chat.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::facts::{Channel, ChatFacts, Named};
use super::ids::{ChatId, ContactId, RefId};
use super::order::{Close, MessagePosition, OrderKey};
use super::register::{EventKey, Register, keep_earliest, keep_latest};

/// Who a chat is held with; only direct chats count in support metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChatKind {
    /// One customer.
    Direct,
    /// A WhatsApp group.
    Group,
    /// Colleagues among themselves (`MemberDirectMessage`, `MemberGroup`).
    Internal,
}

impl ChatKind {
    /// The whole table.
    pub const ALL: [Self; 3] = [Self::Direct, Self::Group, Self::Internal];

    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
            Self::Internal => "internal",
        }
    }
}

/// Where a chat stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChatStatus {
    /// Open, and not in the waiting list.
    Open,
    /// Open and in the waiting list.
    Waiting,
    /// Closed.
    Closed,
}

/// What is known of one chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// The provider's id.
    pub id: ChatId,
    /// The organization it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<RefId>,
    /// Who it is held with.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub contact_id: Register<ContactId>,
    /// Direct, group or internal.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub kind: Register<ChatKind>,
    /// The line it runs on.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub channel: Register<Channel>,
    /// The sector it stands in.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub sector: Register<Option<Named>>,
    /// The agent it is assigned to; a closed chat keeps its last one.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub owner: Register<Option<Named>>,
    /// Everyone in it.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub members: Register<Vec<Named>>,
    /// Its own tags.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub tags: Register<Vec<Named>>,
    /// Open or closed.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub open: Register<bool>,
    /// In the waiting list.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub waiting: Register<bool>,
    /// Seen by its members only.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub private: Register<bool>,
    /// The provider's own waiting clock.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub provider_waiting_since: Register<Option<Timestamp>>,
    /// The provider's own closing time.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub provider_closed_at: Register<Option<Timestamp>>,
    /// A bot is running.
    #[serde(default, skip_serializing_if = "Register::is_unheard")]
    pub bot_running: Register<bool>,
    /// The latest delivery that showed a bot at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_seen_at: Option<Timestamp>,
    /// The earliest creation time said.
    pub created_at: Option<Timestamp>,
    /// The latest `EventAtUTC`.
    pub active_at: Option<Timestamp>,
    /// The latest close; what a customer wrote before it is not waiting for an answer.
    #[serde(default)]
    pub last_close: Option<Close>,
    /// Where the present closed stretch of its timeline begins; `None` while open.
    pub closed_since: Option<Timestamp>,
    /// The last human, public reply.
    #[serde(default)]
    pub last_reply: Option<MessagePosition>,
    /// The first customer message after the last reply and the last close.
    #[serde(default)]
    pub unanswered: Option<MessagePosition>,
    /// The newest customer message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_customer_at: Option<Timestamp>,
    /// The newest message that is neither a private note nor a reaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_public_at: Option<Timestamp>,
    /// The newest message.
    pub last_message: Option<MessagePosition>,
    /// How many messages are stored.
    #[serde(default)]
    pub message_count: i64,
}

/// The fields of a chat that an update may report as changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatFields {
    /// Who it is held with.
    pub contact_id: Option<ContactId>,
    /// Direct, group or internal.
    pub kind: ChatKind,
    /// The line it runs on.
    pub channel: Option<Channel>,
    /// The sector it stands in.
    pub sector: Option<Named>,
    /// The agent it is assigned to.
    pub owner: Option<Named>,
    /// Everyone in it.
    pub members: Vec<Named>,
    /// Its own tags.
    pub tags: Vec<Named>,
    /// Open, waiting or closed.
    pub status: ChatStatus,
    /// Open or closed.
    pub open: bool,
    /// In the waiting list.
    pub waiting: bool,
    /// Seen by its members only.
    pub private: bool,
    /// The first unanswered customer message.
    pub waiting_since: Option<Timestamp>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

impl Chat {
    /// A chat of which nothing is known but the id.
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
            provider_waiting_since: Register::default(),
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

    /// Adds what a delivery says of it. Clocks that need the messages are set by the caller.
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
        self.provider_waiting_since.hear(facts.waiting_since, key);
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

    /// A chat that no delivery called closed is open.
    pub fn is_open(&self) -> bool {
        self.open.get().copied().unwrap_or(true)
    }

    /// In the waiting list; a closed chat waits for nobody.
    pub fn is_waiting(&self) -> bool {
        self.is_open() && self.waiting.get().copied().unwrap_or(false)
    }

    /// Open, waiting or closed.
    pub fn status(&self) -> ChatStatus {
        match (self.is_open(), self.is_waiting()) {
            (false, _) => ChatStatus::Closed,
            (true, true) => ChatStatus::Waiting,
            (true, false) => ChatStatus::Open,
        }
    }

    /// Direct until a contact type says otherwise.
    pub fn kind(&self) -> ChatKind {
        self.kind.get().copied().unwrap_or(ChatKind::Direct)
    }

    /// Counts in support metrics.
    pub fn is_direct(&self) -> bool {
        self.kind() == ChatKind::Direct
    }

    /// Where a wait may begin: after the last human reply and after the last close. A message of the very instant of the
    /// close was written before it. `None` where there was neither.
    pub fn wait_floor(&self) -> Option<OrderKey> {
        let reply = self.last_reply.as_ref().map(MessagePosition::key);
        let close = self.last_close.map(|close| OrderKey::after_all_of(close.moment()));
        reply.max(close)
    }

    /// A human replied, and the chat was not closed since.
    pub fn is_answered(&self) -> bool {
        let moment = self.last_reply.as_ref().map(|reply| reply.key().at);
        moment.is_some() && moment > self.last_close.map(|close| close.moment())
    }

    /// The first unanswered customer message; where the chat waits without one, the provider's own clock.
    pub fn waiting_since(&self) -> Option<Timestamp> {
        if !self.is_open() {
            return None;
        }
        let unanswered = self.unanswered.as_ref().map(|message| message.at);
        unanswered
            .or_else(|| self.is_waiting().then(|| self.provider_waiting_since.flat().copied()).flatten())
    }

    /// The provider's closing time, else where the closed stretch of the timeline begins.
    pub fn closed_at(&self) -> Option<Timestamp> {
        if self.is_open() {
            return None;
        }
        self.provider_closed_at.flat().copied().or(self.closed_since)
    }

    /// The latest of the provider's activity and the newest message.
    pub fn last_activity_at(&self) -> Option<Timestamp> {
        self.active_at.max(self.last_message.as_ref().map(|position| position.at)).or(self.created_at)
    }

    /// For comparing before with after.
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

/// When a delivery that shows a chat closed says it was closed.
pub fn closing_time(facts: &ChatFacts, key: &EventKey) -> Timestamp {
    facts.closed_at.flatten().or(facts.active_at).unwrap_or(key.at)
}
