//! Deadlines of a chat. They follow from the times of the chat and the thresholds of its sector, and from
//! nothing else.

use jiff::{SignedDuration, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::chat::Chat;
use super::facts::ChatLine;
use super::ids::{ChatId, RefId};

/// After a customer's last message WhatsApp lets a team write freely for this long.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// Since when a chat is silent, for the idle alert and the idle metric: the last message that [ends a
/// silence](super::MessageRole::ends_silence), or the creation of a chat without one. `None` where neither is known.
pub fn quiet_since(last_message_at: Option<Timestamp>, created_at: Option<Timestamp>) -> Option<Timestamp> {
    last_message_at.or(created_at)
}

/// The kinds of alerts, each for one deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// A customer has waited for long.
    WaitingWarn,
    /// A customer has waited for too long.
    Waiting,
    /// Nobody has written for long.
    Idle,
    /// The first reply is due soon.
    FirstResponseNear,
    /// The first reply is overdue.
    FirstResponseMissed,
    /// The 24 hours after the customer's last message end soon.
    WindowClosing,
}

/// The seconds of each kind of alert, in the order of [`AlertKind::ALL`]; `None`: the alert is off.
pub type Limits = [Option<u32>; AlertKind::ALL.len()];

impl Serialize for AlertKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for AlertKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::from_word(&word).ok_or_else(|| D::Error::custom(format!("no kind of alert is called {word:?}")))
    }
}

impl AlertKind {
    pub const ALL: [Self; 6] = [
        Self::WaitingWarn,
        Self::Waiting,
        Self::Idle,
        Self::FirstResponseNear,
        Self::FirstResponseMissed,
        Self::WindowClosing,
    ];

    /// The kind as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WaitingWarn => "waiting_warn",
            Self::Waiting => "waiting",
            Self::Idle => "idle",
            Self::FirstResponseNear => "first_response_near",
            Self::FirstResponseMissed => "first_response_missed",
            Self::WindowClosing => "window_closing",
        }
    }

    /// The kind with this name on the wire.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The name of the kind's threshold in the settings.
    pub fn threshold(self) -> &'static str {
        match self {
            Self::WaitingWarn => "waitingWarnSeconds",
            Self::Waiting => "waitingSeconds",
            Self::Idle => "idleSeconds",
            Self::FirstResponseNear => "firstResponseNearSeconds",
            Self::FirstResponseMissed => "firstResponseSeconds",
            Self::WindowClosing => "windowClosingSeconds",
        }
    }

    /// The largest threshold in seconds: a year, or all of the 24 hours for the alert of their end.
    pub fn seconds_max(self) -> u32 {
        match self {
            Self::WindowClosing => 86_400,
            Self::WaitingWarn
            | Self::Waiting
            | Self::Idle
            | Self::FirstResponseNear
            | Self::FirstResponseMissed => 365 * 86_400,
        }
    }

    /// The threshold in seconds while no admin has set another.
    pub fn default_seconds(self) -> u32 {
        match self {
            Self::WaitingWarn | Self::FirstResponseMissed => 300,
            Self::Waiting => 900,
            Self::Idle => 1_800,
            Self::FirstResponseNear => 240,
            Self::WindowClosing => 3_600,
        }
    }
}

/// The times of a chat from which its deadlines are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clocks {
    pub chat: ChatId,
    /// The sector whose thresholds apply; `None`: the default ones.
    pub sector: Option<RefId>,
    /// True for open direct chats. Other chats have no deadlines.
    pub runs: bool,
    /// When the first unanswered customer message was written.
    pub waiting_since: Option<Timestamp>,
    /// Like `waiting_since`, or the end of a bot where that is later. `None` where a human has replied since
    /// the chat was created or last closed, and while a bot runs.
    pub unanswered_since: Option<Timestamp>,
    pub quiet_since: Option<Timestamp>,
    /// When the customer wrote last; `None` outside WhatsApp, where the 24 hours do not apply.
    pub window_since: Option<Timestamp>,
}

/// A deadline. Its alert is raised at `due_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    pub kind: AlertKind,
    /// The moment from which the deadline is counted.
    pub since: Timestamp,
    /// When the alert is raised.
    pub due_at: Timestamp,
    /// When the alert ends by itself; `None`: it does not.
    pub until: Option<Timestamp>,
}

impl Clocks {
    pub fn of(chat: &Chat) -> Self {
        let waiting_since = chat.waiting_since();
        let bot_at_work = chat.bot_running.get().copied().unwrap_or(false);
        let is_whatsapp = chat.channel.get().is_some_and(ChatLine::is_whatsapp);
        Self {
            chat: chat.id.clone(),
            sector: chat.sector.flat().map(|sector| sector.id.clone()),
            runs: chat.is_open() && chat.is_direct(),
            waiting_since,
            unanswered_since: waiting_since
                .filter(|_| !chat.is_answered() && !bot_at_work)
                .map(|since| chat.bot_seen_at.map_or(since, |seen| seen.max(since))),
            quiet_since: quiet_since(chat.last_public_at, chat.created_at),
            window_since: chat.last_customer_at.filter(|_| is_whatsapp),
        }
    }

    /// The moment from which a kind is counted; `None` where the chat has no such deadline.
    pub fn since(&self, kind: AlertKind) -> Option<Timestamp> {
        let since = match kind {
            AlertKind::WaitingWarn | AlertKind::Waiting => self.waiting_since,
            AlertKind::FirstResponseNear | AlertKind::FirstResponseMissed => self.unanswered_since,
            AlertKind::Idle => self.quiet_since,
            AlertKind::WindowClosing => self.window_since,
        };
        since.filter(|_| self.runs)
    }

    /// All deadlines of the chat, past and future.
    pub fn deadlines(&self, limits: &Limits) -> impl Iterator<Item = Deadline> {
        AlertKind::ALL.into_iter().zip(*limits).filter_map(|(kind, seconds)| {
            let (since, seconds) = (self.since(kind)?, i64::from(seconds?));
            let after = |span: SignedDuration| since.checked_add(span).unwrap_or(Timestamp::MAX);
            let span = SignedDuration::from_secs(seconds);
            if kind == AlertKind::WindowClosing {
                return Some(Deadline {
                    kind,
                    since,
                    due_at: after(WINDOW - span),
                    until: Some(after(WINDOW)),
                });
            }
            Some(Deadline { kind, since, due_at: after(span), until: None })
        })
    }
}

impl Deadline {
    /// True where the alert is raised and has not ended at `now`.
    pub fn stands_at(&self, now: Timestamp) -> bool {
        self.due_at <= now && self.until.is_none_or(|until| now < until)
    }

    /// When [`stands_at`](Self::stands_at) changes next while nothing happens in the chat.
    pub fn turns_after(&self, now: Timestamp) -> Option<Timestamp> {
        if now < self.due_at { Some(self.due_at) } else { self.until.filter(|until| now < *until) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::{ChatFacts, ChatLine};
    use crate::domain::order::{Close, MessagePosition};
    use crate::domain::register::EventKey;
    use crate::domain::settings::{LimitTable, Thresholds};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    /// A delivery at a minute that says nothing but what is added.
    fn hear(chat: &mut Chat, minutes: i64, say: impl FnOnce(&mut ChatFacts)) {
        let mut facts = ChatFacts {
            id: chat.id.clone(),
            contact_id: None,
            kind: None,
            channel: None,
            sector: None,
            owner: None,
            members: None,
            tags: None,
            open: None,
            waiting: None,
            private: None,
            bot_running: None,
            created_at: None,
            closed_at: None,
            active_at: None,
        };
        say(&mut facts);
        chat.learn(&facts, &EventKey { at: at(minutes), event: minutes.to_string().into() });
    }

    fn line(kind: &str) -> ChatLine {
        ChatLine { id: "l".into(), name: None, channel_type: Some(kind.to_owned()) }
    }

    /// The position of a message at a minute.
    fn message(minutes: i64) -> MessagePosition {
        MessagePosition { at: at(minutes), created_at: None, id: "m".into() }
    }

    /// A WhatsApp chat in which a customer wrote at minute 0.
    fn chat() -> Chat {
        let mut chat = Chat::new("a".into());
        hear(&mut chat, 0, |facts| facts.channel = Some(line("WhatsappApi")));
        chat.unanswered = Some(message(0));
        chat.last_customer_at = Some(at(0));
        chat.last_public_at = Some(at(0));
        chat
    }

    /// What stands at a minute, by the default thresholds.
    fn stand(chat: &Chat, minutes: i64) -> Vec<&'static str> {
        let table = LimitTable::new(&Thresholds::default());
        let deadlines = Clocks::of(chat).deadlines(table.of(None)).collect::<Vec<_>>();
        deadlines.iter().filter(|due| due.stands_at(at(minutes))).map(|due| due.kind.as_str()).collect()
    }

    #[test]
    fn each_deadline_passes_at_its_minute() {
        let chat = chat();
        let waits = ["waiting_warn", "first_response_near", "first_response_missed"];
        assert_eq!(stand(&chat, 3), [""; 0]);
        assert_eq!(stand(&chat, 4), ["first_response_near"]);
        assert_eq!(stand(&chat, 5), waits);
        assert_eq!(stand(&chat, 15).len(), 4);
        assert_eq!(stand(&chat, 30).len(), 5);
        assert_eq!(stand(&chat, 23 * 60).len(), 6, "an hour before the 24 hours are over");
        assert_eq!(stand(&chat, 24 * 60).len(), 5, "a window that has closed is not closing");
    }

    #[test]
    fn an_answer_ends_the_wait_and_begins_the_silence_anew() {
        let mut chat = chat();
        (chat.unanswered, chat.last_reply) = (None, Some(message(10)));
        chat.last_public_at = Some(at(10));
        assert_eq!(stand(&chat, 39), [""; 0]);
        assert_eq!(stand(&chat, 40), ["idle"]);
        // Another question is not the first one.
        chat.unanswered = Some(message(50));
        assert_eq!(stand(&chat, 55), ["waiting_warn", "idle"]);
        // After a close it is the first one of a new cycle.
        chat.last_close = Some(Close { at: at(45), told_at: at(45) });
        assert_eq!(stand(&chat, 55).len(), 4);
    }

    #[test]
    fn a_bot_at_work_owes_no_first_response_and_its_end_begins_it() {
        let mut chat = chat();
        hear(&mut chat, 10, |facts| facts.bot_running = Some(true));
        assert_eq!(stand(&chat, 14), ["waiting_warn"]);
        hear(&mut chat, 11, |facts| facts.bot_running = Some(false));
        assert_eq!(stand(&chat, 13), ["waiting_warn"]);
        assert_eq!(stand(&chat, 14), ["waiting_warn", "first_response_near"]);
    }

    #[test]
    fn closed_chats_groups_and_other_lines_have_none_or_fewer() {
        let mut closed = chat();
        hear(&mut closed, 1, |facts| facts.open = Some(false));
        assert_eq!(stand(&closed, 60), [""; 0]);
        let mut group = chat();
        hear(&mut group, 1, |facts| facts.kind = Some(crate::domain::ChatKind::Group));
        assert_eq!(stand(&group, 60), [""; 0]);
        let mut other = chat();
        hear(&mut other, 1, |facts| facts.channel = Some(line("Instagram")));
        assert_eq!(stand(&other, 23 * 60).len(), 5);
    }
}
