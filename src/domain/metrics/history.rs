//! The input of the metrics: one chat's timeline and messages, and the state of the chat at any moment.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::{Close, MessageRole, RefId};

/// What one delivery said of the chat's state. An outer `None` means not said, an inner `None` that there is
/// none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEntry {
    /// When the delivery was emitted.
    pub at: Timestamp,
    /// True where the chat is open, false where it is closed.
    pub open: Option<bool>,
    /// When the chat was closed; `None` where the delivery does not show it closed.
    pub closed_at: Option<Timestamp>,
    pub owner: Option<Option<RefId>>,
    pub sector: Option<Option<RefId>>,
    pub channel: Option<RefId>,
    /// The chat's own tags, always the complete list.
    pub tags: Option<Vec<RefId>>,
    /// True while a bot answers in the chat.
    pub bot_running: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The customer, or a member of a group.
    Contact,
    Member,
    /// A bot of the provider.
    Bot,
    /// A system outside Umbler Talk.
    External,
    /// A word that is not known. It counts as our side, so that it cannot make a customer wait.
    Unknown,
}

impl Speaker {
    /// The speaker for the provider's `Source`.
    pub fn of(source: Option<&str>) -> Self {
        match source {
            Some("Contact") => Self::Contact,
            Some("Member") => Self::Member,
            Some("Bot") => Self::Bot,
            Some("External") => Self::External,
            _ => Self::Unknown,
        }
    }
}

/// One message that is not a reaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// When the message happened. Durations are counted from it.
    pub at: Timestamp,
    /// When the message happened, in the precision of the order of messages. It decides which of two came
    /// first.
    pub moment: Timestamp,
    pub speaker: Speaker,
    /// What the message means for the times of its chat.
    pub role: MessageRole,
    /// The agent who wrote the message; `None`: not an agent.
    pub agent: Option<RefId>,
}

/// What the metrics read of one chat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// When the chat was created; `None` where that is not known.
    pub created_at: Option<Timestamp>,
    /// The timeline, in the chat's order.
    pub entries: Vec<StateEntry>,
    /// The messages, in their order.
    pub messages: Vec<Said>,
}

/// The state of a chat from one entry of its timeline to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The moment from which on the chat was in this state.
    pub at: Timestamp,
    /// True until a delivery says that the chat is closed.
    pub open: bool,
    /// True where this delivery itself says that the chat is closed.
    pub says_closed: bool,
    /// When the chat was closed, as the delivery says.
    pub closed_at: Option<Timestamp>,
    pub owner: Option<RefId>,
    pub sector: Option<RefId>,
    pub channel: Option<RefId>,
    pub tags: Vec<RefId>,
    /// True while a bot answers in the chat.
    pub bot_running: bool,
}

impl History {
    /// The states of the chat, one for each entry of its timeline.
    pub fn states(&self) -> Vec<State> {
        let mut states: Vec<State> = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let mut state = states.last().cloned().unwrap_or_else(|| State::unknown(entry.at));
            state.hear(entry);
            states.push(state);
        }
        states
    }
}

/// The moments at which the chat was closed, in the precision of the order of messages. A close that later
/// deliveries repeat counts once.
pub fn closes(states: &[State]) -> Vec<Timestamp> {
    let told = states.iter().filter(|state| !state.open);
    let told = told.filter_map(|state| Some(Close { at: state.closed_at?, told_at: state.at }));
    let mut closes: BTreeMap<Timestamp, Option<Close>> = BTreeMap::new();
    for close in told {
        Close::keep_latest(closes.entry(close.at).or_default(), close);
    }
    let mut moments: Vec<_> = closes.into_values().flatten().map(|close| close.moment()).collect();
    moments.sort_unstable();
    moments
}

impl State {
    fn unknown(at: Timestamp) -> Self {
        Self {
            at,
            open: true,
            says_closed: false,
            closed_at: None,
            owner: None,
            sector: None,
            channel: None,
            tags: Vec::new(),
            bot_running: false,
        }
    }

    fn hear(&mut self, entry: &StateEntry) {
        fn keep<T: Clone>(known: &mut T, said: Option<&T>) {
            if let Some(said) = said {
                known.clone_from(said);
            }
        }
        self.at = entry.at;
        self.closed_at = entry.closed_at;
        self.says_closed = entry.open == Some(false);
        keep(&mut self.open, entry.open.as_ref());
        keep(&mut self.owner, entry.owner.as_ref());
        keep(&mut self.sector, entry.sector.as_ref());
        keep(&mut self.tags, entry.tags.as_ref());
        keep(&mut self.bot_running, entry.bot_running.as_ref());
        if entry.channel.is_some() {
            self.channel.clone_from(&entry.channel);
        }
    }
}

/// The state at a moment. Before the first entry the chat is taken to have been as that entry says.
pub fn state_at(states: &[State], at: Timestamp) -> Option<&State> {
    let later = states.partition_point(|state| state.at <= at);
    states.get(later.saturating_sub(1))
}
