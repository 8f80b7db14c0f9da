//! What the rules read: one chat's timeline and its messages, and the state that follows from them at any moment.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::{Close, RefId, Role};

/// What one delivery said of the chat's state; `None`: not said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When the delivery was emitted.
    pub at: Timestamp,
    /// Open or closed.
    pub open: Option<bool>,
    /// When it was closed, where it says that it is.
    pub closed_at: Option<Timestamp>,
    /// The owner, or that there is none.
    pub owner: Option<Option<RefId>>,
    /// The sector, or that there is none.
    pub sector: Option<Option<RefId>>,
    /// The line.
    pub channel: Option<RefId>,
    /// The chat's tags, all of them.
    pub tags: Option<Vec<RefId>>,
    /// A bot runs.
    pub bot_running: Option<bool>,
}

/// Whose message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The customer.
    Contact,
    /// An agent.
    Member,
    /// A bot.
    Bot,
    /// A system outside Talk.
    External,
    /// A word that is not known; counts as ours, so that no customer is invented.
    Unknown,
}

impl Speaker {
    /// The speaker of a source, as the provider writes it.
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

/// One message that is no reaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// When it happened: what durations are counted from.
    pub at: Timestamp,
    /// When it happened, as fine as the order of messages knows it: what comes first is read off this.
    pub moment: Timestamp,
    /// By whom.
    pub speaker: Speaker,
    /// What it means for the clocks of its chat.
    pub role: Role,
    /// The agent who wrote it.
    pub agent: Option<RefId>,
}

/// One chat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// When it was created, where that is known.
    pub created_at: Option<Timestamp>,
    /// Its timeline, in the order of the chat.
    pub entries: Vec<Entry>,
    /// Its messages, in the order of messages.
    pub messages: Vec<Said>,
}

/// The state of a chat from one entry of its timeline to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Since when.
    pub at: Timestamp,
    /// A chat that no delivery called closed is open.
    pub open: bool,
    /// When the delivery says that it was closed.
    pub closed_at: Option<Timestamp>,
    /// The owner.
    pub owner: Option<RefId>,
    /// The sector.
    pub sector: Option<RefId>,
    /// The line.
    pub channel: Option<RefId>,
    /// The tags.
    pub tags: Vec<RefId>,
    /// A bot runs.
    pub bot_running: bool,
}

impl History {
    /// The states that the timeline says, one after the other.
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

/// The moments at which a chat was closed, in order, as the order of messages knows them. A close that later deliveries
/// tell again is one close.
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
            closed_at: None,
            owner: None,
            sector: None,
            channel: None,
            tags: Vec::new(),
            bot_running: false,
        }
    }

    fn hear(&mut self, entry: &Entry) {
        fn keep<T: Clone>(known: &mut T, said: Option<&T>) {
            if let Some(said) = said {
                known.clone_from(said);
            }
        }
        self.at = entry.at;
        self.closed_at = entry.closed_at;
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

/// The state at a moment; what was before the first entry is taken to have been like it.
pub fn state_at(states: &[State], at: Timestamp) -> Option<&State> {
    let later = states.partition_point(|state| state.at <= at);
    states.get(later.saturating_sub(1))
}
