//! Divides a chat's history into cycles: from its creation or reopening to its close.

use std::ops::Range;

use jiff::Timestamp;

use super::history::{History, Said, State};
use crate::domain::{Close, MessageRole, RefId};

/// One cycle of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    pub start: Timestamp,
    /// Where the cycle begins in the order of messages. Earlier messages belong to an earlier cycle or to none.
    pub first_moment: Timestamp,
    /// When the chat was closed; `None` while it is open.
    pub close: Option<Timestamp>,
    /// Where the cycle ends in the order of messages. Later messages belong to a later cycle or to none. `None`
    /// while the chat is open.
    pub last_moment: Option<Timestamp>,
    /// True where the cycle began with a reopening.
    pub reopened: bool,
    /// Indices of the cycle's states, including those after the close.
    pub states: Range<usize>,
    /// The owners and since when each had the chat; `None`: nobody had it.
    pub owners: Vec<(Timestamp, Option<RefId>)>,
    /// The moments at which a bot stopped while the chat was open.
    pub handovers: Vec<Timestamp>,
}

impl Cycle {
    pub fn first_owner(&self) -> Option<(Timestamp, &RefId)> {
        self.owners.iter().find_map(|(at, owner)| Some((*at, owner.as_ref()?)))
    }

    /// The start of what is measured up to `until`: the cycle's own start, or the last moment before `until` at
    /// which a bot handed over.
    pub fn start_before(&self, until: Timestamp) -> Timestamp {
        let handed_over = self.handovers.iter().rev().find(|at| **at <= until);
        handed_over.map_or(self.start, |at| self.start.max(*at))
    }
}

/// The cycles of a chat, in order; empty where nothing is known of it.
pub fn cycles(history: &History, states: &[State]) -> Vec<Cycle> {
    let Some(first) = states.first() else { return Vec::new() };
    let start = first_start(history, first);
    let mut cycles = vec![Cycle::begin(start, Timestamp::MIN, false, 0)];
    let mut was_open = true;
    for (index, state) in states.iter().enumerate() {
        if state.open && !was_open {
            let closed = cycles.last().and_then(|cycle| cycle.close);
            let (start, first_moment) = reopening(history, states, index);
            let start = closed.map_or(start, |closed| start.max(closed));
            cycles.push(Cycle::begin(start, first_moment, true, index));
        }
        let before = index.checked_sub(1).and_then(|before| states.get(before));
        if let Some(cycle) = cycles.last_mut() {
            cycle.follow(state, before, was_open);
            cycle.states.end = index + 1;
        }
        was_open = state.open;
    }
    cycles
}

fn first_start(history: &History, first: &State) -> Timestamp {
    let earliest = history.messages.first().map_or(first.at, |message| message.at.min(first.at));
    history.created_at.unwrap_or(earliest)
}

/// When a chat was reopened, and where that is in the order of messages: at the first message after the last
/// delivery that showed the chat closed, else at the delivery that showed it open.
fn reopening(history: &History, states: &[State], index: usize) -> (Timestamp, Timestamp) {
    let Some(open) = states.get(index).map(|state| state.at) else { return (Timestamp::MIN, Timestamp::MIN) };
    // Deliveries that say nothing of it, such as a message that was found later, stand at times of their own.
    let says_closed = states.iter().take(index).rev().find(|state| state.says_closed);
    let closed = says_closed.map_or(Timestamp::MIN, |state| state.at);
    let speaks = |message: &&Said| matches!(message.role, MessageRole::Customer | MessageRole::Reply);
    let after = history.messages.partition_point(|message| message.moment <= closed);
    let between = history.messages.iter().skip(after).take_while(|message| message.moment <= open);
    let first = between.filter(speaks).map(|message| (message.at, message.moment)).next();
    first.unwrap_or((open, open))
}

impl Cycle {
    fn begin(start: Timestamp, first_moment: Timestamp, reopened: bool, index: usize) -> Self {
        Self {
            start,
            first_moment,
            close: None,
            last_moment: None,
            reopened,
            states: index..index,
            owners: Vec::new(),
            handovers: Vec::new(),
        }
    }

    fn follow(&mut self, state: &State, before: Option<&State>, was_open: bool) {
        if was_open && !state.open {
            let close = Close { at: state.closed_at.unwrap_or(state.at), told_at: state.at };
            self.close = Some(close.at.max(self.start));
            self.last_moment = Some(close.moment().max(self.start));
        }
        if self.states.is_empty() {
            self.owners.push((self.start, state.owner.clone()));
            return;
        }
        if state.open && before.is_some_and(|before| before.bot_running && !state.bot_running) {
            self.handovers.push(state.at);
        }
        let changed = self.owners.last().is_none_or(|(_, owner)| *owner != state.owner);
        // A change after the close is nobody's work.
        if changed && (state.open || was_open) {
            self.owners.push((state.at.max(self.start), state.owner.clone()));
        }
    }
}
