//! The table of metrics: names and rules.

/// A metric over a period. The number is stored; the order is the one of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Metric {
    /// The cycle's start to its first reply.
    FirstResponse = 1,
    /// The first unanswered customer message to each reply.
    ReplyTime = 2,
    /// The cycle's start to its first owner.
    QueueTime = 3,
    /// The first owner to the close.
    HandlingTime = 4,
    /// The cycle's start to its close.
    Resolution = 5,
    /// Chats created.
    Created = 6,
    /// Cycles that began with a reopening.
    Reopened = 7,
    /// Cycles that ended.
    Closed = 8,
    /// Cycles that ended with a waiting customer and no reply.
    Abandoned = 9,
    /// Owners that gave way to another.
    Transferred = 10,
    /// Messages of customers.
    MessagesIn = 11,
    /// Messages of agents.
    MessagesMember = 12,
    /// Messages of bots.
    MessagesBot = 13,
    /// Messages of systems outside Talk.
    MessagesExternal = 14,
}

impl Metric {
    /// Every metric, in the order of answers.
    pub const ALL: [Self; 14] = [
        Self::FirstResponse,
        Self::ReplyTime,
        Self::QueueTime,
        Self::HandlingTime,
        Self::Resolution,
        Self::Created,
        Self::Reopened,
        Self::Closed,
        Self::Abandoned,
        Self::Transferred,
        Self::MessagesIn,
        Self::MessagesMember,
        Self::MessagesBot,
        Self::MessagesExternal,
    ];

    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstResponse => "firstResponse",
            Self::ReplyTime => "replyTime",
            Self::QueueTime => "queueTime",
            Self::HandlingTime => "handlingTime",
            Self::Resolution => "resolution",
            Self::Created => "created",
            Self::Reopened => "reopened",
            Self::Closed => "closed",
            Self::Abandoned => "abandoned",
            Self::Transferred => "transferred",
            Self::MessagesIn => "messagesIn",
            Self::MessagesMember => "messagesMember",
            Self::MessagesBot => "messagesBot",
            Self::MessagesExternal => "messagesExternal",
        }
    }

    /// The metric of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == word)
    }

    /// True where it has durations; others only count.
    pub fn is_duration(self) -> bool {
        self <= Self::Resolution
    }

    /// How it is stored.
    pub fn number(self) -> i64 {
        i64::from(self as u8)
    }

    /// The rule in one sentence.
    pub fn rule(self) -> &'static str {
        match self {
            Self::FirstResponse => {
                "the cycle's first human, public reply, a customer having written before it, minus the cycle's start \
                 or the last moment before it at which a bot handed over"
            }
            Self::ReplyTime => "each human, public reply minus the first unanswered customer message",
            Self::QueueTime => {
                "the cycle's first owner minus the cycle's start or the last moment before it at which a bot handed over"
            }
            Self::HandlingTime => "the close minus the cycle's first owner",
            Self::Resolution => "the close minus the cycle's start",
            Self::Created => "each chat, when it was created",
            Self::Reopened => "each time that a closed chat was open again",
            Self::Closed => "each time that a chat was closed",
            Self::Abandoned => {
                "each close with an unanswered customer message and without a human, public reply in its cycle"
            }
            Self::Transferred => {
                "each owner other than the last one of the same cycle, counted for who had the chat before"
            }
            Self::MessagesIn => "each message of the customer, reactions left out",
            Self::MessagesMember => "each public message of an agent, reactions left out",
            Self::MessagesBot => "each public message of a bot, reactions left out",
            Self::MessagesExternal => "each public message of a system outside Talk, reactions left out",
        }
    }
}
