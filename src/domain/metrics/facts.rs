//! The facts that all metrics of a period are made of: what happened in one chat, from when to when, and which
//! agent it counts for.

use jiff::Timestamp;

use super::cycles::{Cycle, cycles};
use super::history::{History, Said, Speaker, State, closes, state_at};
use super::metric::Metric;
use crate::domain::{MessageRole, RefId};

/// One occurrence of a metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    pub metric: Metric,
    /// The moment that decides into which period the fact falls. Sector and line are those of this moment.
    pub end: Timestamp,
    /// When the duration began; equal to `end` for a metric that only counts.
    pub start: Timestamp,
    /// The agent that the fact counts for; `None`: no agent.
    pub agent: Option<RefId>,
    pub sector: Option<RefId>,
    pub channel: Option<RefId>,
    /// The tags of the chat at the end of the cycle.
    pub tags: Vec<RefId>,
}

/// Every fact of a chat.
pub fn facts(history: &History) -> Vec<Fact> {
    let states = history.states();
    let cycles = cycles(history, &states);
    let mut told = Told { states: &states, cycles: &cycles, facts: Vec::new() };
    if let Some(cycle) = cycles.first() {
        let owner = cycle.first_owner().map(|(_, owner)| owner.clone());
        told.count(Metric::Created, cycle.start, owner);
    }
    for (index, cycle) in cycles.iter().enumerate() {
        tell_cycle(cycle, messages_of(history, &cycles, index), &mut told);
    }
    tell_replies(history, &states, &mut told);
    for message in history.messages.iter().filter(|message| message.role != MessageRole::Note) {
        tell_message(message, &mut told);
    }
    told.facts
}

struct Told<'a> {
    states: &'a [State],
    cycles: &'a [Cycle],
    facts: Vec<Fact>,
}

impl Told<'_> {
    fn span(&mut self, metric: Metric, start: Timestamp, end: Timestamp, agent: Option<RefId>) {
        let state = state_at(self.states, end);
        self.facts.push(Fact {
            metric,
            end,
            start: start.min(end),
            agent,
            sector: state.and_then(|state| state.sector.clone()),
            channel: state.and_then(|state| state.channel.clone()),
            tags: self.tags_at(end),
        });
    }

    fn count(&mut self, metric: Metric, at: Timestamp, agent: Option<RefId>) {
        self.span(metric, at, at, agent);
    }

    fn owner_at(&self, at: Timestamp) -> Option<RefId> {
        state_at(self.states, at).and_then(|state| state.owner.clone())
    }

    fn tags_at(&self, at: Timestamp) -> Vec<RefId> {
        let later = self.cycles.partition_point(|cycle| cycle.start <= at);
        let cycle = self.cycles.get(later.saturating_sub(1));
        let end = cycle.and_then(|cycle| self.states.get(cycle.states.end.checked_sub(1)?));
        end.map(|state| state.tags.clone()).unwrap_or_default()
    }
}

/// The messages of one cycle. Those of the first cycle begin with the chat; those after a close belong to no
/// cycle.
fn messages_of<'a>(history: &'a History, cycles: &[Cycle], index: usize) -> &'a [Said] {
    let Some(cycle) = cycles.get(index) else { return &[] };
    let messages = &history.messages;
    let before = |moment: Timestamp| messages.partition_point(|message| message.moment < moment);
    let from = before(cycle.first_moment);
    let last = cycle.last_moment.unwrap_or(Timestamp::MAX);
    let mut until = messages.partition_point(|message| message.moment <= last);
    if let Some(next) = cycles.get(index + 1) {
        until = until.min(before(next.first_moment));
    }
    messages.get(from..until.max(from)).unwrap_or_default()
}

fn tell_cycle(cycle: &Cycle, messages: &[Said], told: &mut Told<'_>) {
    let owner_at_close = cycle.owners.last().and_then(|(_, owner)| owner.clone());
    if cycle.reopened {
        let owner = cycle.owners.first().and_then(|(_, owner)| owner.clone());
        told.count(Metric::Reopened, cycle.start, owner);
    }
    tell_first_response(cycle, messages, told);
    if let Some((at, owner)) = cycle.first_owner() {
        told.span(Metric::QueueTime, cycle.start_before(at), at, Some(owner.clone()));
    }
    tell_transfers(cycle, told);
    let Some(close) = cycle.close else { return };
    told.count(Metric::Closed, close, owner_at_close.clone());
    told.span(Metric::Resolution, cycle.start, close, owner_at_close.clone());
    if let Some((at, _)) = cycle.first_owner() {
        told.span(Metric::HandlingTime, at, close, owner_at_close.clone());
    }
    let said = |role| messages.iter().any(|message| message.role == role);
    if said(MessageRole::Customer) && !said(MessageRole::Reply) {
        told.count(Metric::Abandoned, close, owner_at_close);
    }
}

/// A cycle that the team began has no first response, because there was nobody to respond to.
fn tell_first_response(cycle: &Cycle, messages: &[Said], told: &mut Told<'_>) {
    let Some(index) = messages.iter().position(|message| message.role == MessageRole::Reply) else { return };
    let (before, rest) = messages.split_at(index);
    let Some(reply) = rest.first() else { return };
    if before.iter().any(|message| message.role == MessageRole::Customer) {
        let agent = reply.agent.clone().or_else(|| told.owner_at(reply.at));
        told.span(Metric::FirstResponse, cycle.start_before(reply.at), reply.at, agent);
    }
}

fn tell_transfers(cycle: &Cycle, told: &mut Told<'_>) {
    let mut had: Option<&RefId> = None;
    for (at, owner) in cycle.owners.iter().filter_map(|(at, owner)| Some((*at, owner.as_ref()?))) {
        if let Some(before) = had.filter(|before| *before != owner) {
            told.count(Metric::Transferred, at, Some(before.clone()));
        }
        had = Some(owner);
    }
}

fn tell_replies(history: &History, states: &[State], told: &mut Told<'_>) {
    let mut closes = closes(states).into_iter().peekable();
    let mut unanswered = None;
    for message in &history.messages {
        // A message with the exact time of a close counts as written before it.
        while closes.next_if(|close| *close < message.moment).is_some() {
            unanswered = None;
        }
        match message.role {
            MessageRole::Customer => unanswered = unanswered.or(Some(message.at)),
            MessageRole::Reply => {
                if let Some(since) = unanswered.take() {
                    let agent = message.agent.clone().or_else(|| told.owner_at(message.at));
                    told.span(Metric::ReplyTime, since, message.at, agent);
                }
            }
            MessageRole::Note | MessageRole::Undelivered | MessageRole::Other => {}
        }
    }
}

fn tell_message(message: &Said, told: &mut Told<'_>) {
    match message.speaker {
        Speaker::Contact => told.count(Metric::MessagesIn, message.at, told.owner_at(message.at)),
        Speaker::Member => {
            let agent = message.agent.clone().or_else(|| told.owner_at(message.at));
            told.count(Metric::MessagesMember, message.at, agent);
        }
        Speaker::Bot => told.count(Metric::MessagesBot, message.at, None),
        Speaker::External => told.count(Metric::MessagesExternal, message.at, None),
        Speaker::Unknown => {}
    }
}
