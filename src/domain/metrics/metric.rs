//! The table of metrics: their names and rules.

/// A metric over a period. The numbers are stored and must not change; the order is that of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Metric {
    /// From the start of a cycle to its first reply.
    FirstResponse = 1,
    /// From the first unanswered customer message to each reply.
    ReplyTime = 2,
    /// From the start of a cycle to its first owner.
    QueueTime = 3,
    /// From the first owner to the close.
    HandlingTime = 4,
    /// From the start of a cycle to its close.
    Resolution = 5,
    /// Chats that were created in the period.
    Created = 6,
    /// Cycles that began with a reopening.
    Reopened = 7,
    /// Cycles that were closed in the period.
    Closed = 8,
    /// Cycles that were closed with a waiting customer and without a reply.
    Abandoned = 9,
    /// Owners who were replaced by another one.
    Transferred = 10,
    MessagesIn = 11,
    /// Public messages that agents wrote.
    MessagesMember = 12,
    /// Public messages that bots wrote.
    MessagesBot = 13,
    /// Public messages that systems outside Umbler Talk wrote.
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

    /// The metric as it is written on the wire.
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

    /// The metric with this name on the wire.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == word)
    }

    /// True where the metric has durations; the others only count.
    pub fn is_duration(self) -> bool {
        self <= Self::Resolution
    }

    /// The number by which the metric is stored.
    pub fn number(self) -> i64 {
        i64::from(self as u8)
    }

    /// The rule of the metric in one sentence.
    pub fn rule(self) -> &'static str {
        match self {
            Self::FirstResponse => {
                "from the cycle's start, or from the last hand-over by a bot before the reply, to the cycle's first human, \
                 public reply after a message of the customer"
            }
            Self::ReplyTime => "from the first unanswered customer message to each human, public reply",
            Self::QueueTime => {
                "from the cycle's start, or from the last hand-over by a bot before that, to the moment at which the cycle \
                 gets its first owner"
            }
            Self::HandlingTime => "from the moment at which the cycle gets its first owner to its close",
            Self::Resolution => "from the cycle's start to its close",
            Self::Created => "each chat, when it was created",
            Self::Reopened => "each time that a closed chat was open again",
            Self::Closed => "each time that a chat was closed",
            Self::Abandoned => {
                "each close with an unanswered customer message and without a human, public reply in its cycle"
            }
            Self::Transferred => {
                "each change of owner within a cycle, counted for the agent who had the chat before"
            }
            Self::MessagesIn => "each message of the customer, reactions left out",
            Self::MessagesMember => "each public message of an agent, reactions left out",
            Self::MessagesBot => "each public message of a bot, reactions left out",
            Self::MessagesExternal => "each public message of a system outside Talk, reactions left out",
        }
    }
}
