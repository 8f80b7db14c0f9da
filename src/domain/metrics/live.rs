//! What an open chat contributes to the live metrics, as far as no clock is needed for it.

use jiff::Timestamp;

use super::cycles::cycles;
use super::history::{History, Said, Speaker, closes};
use crate::domain::Role;

/// An open chat, now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// When its cycle began.
    pub since: Timestamp,
    /// A human replied in this cycle.
    pub answered: bool,
    /// A bot runs, and no human has replied since it began.
    pub with_bot: bool,
    /// The last public message that somebody received is ours.
    pub ours_last: bool,
    /// The first customer message that no human answered since the last reply and the last close.
    pub unanswered_since: Option<Timestamp>,
    /// The last public message.
    pub last_message_at: Option<Timestamp>,
    /// The last message of the customer.
    pub last_customer_at: Option<Timestamp>,
}

/// The live state of a chat; `None` where it is closed.
pub fn live(history: &History) -> Option<Live> {
    let states = history.states();
    let now = states.last().filter(|state| state.open)?;
    let cycles = cycles(history, &states);
    let cycle = cycles.last()?;
    let public: Vec<&Said> = history.messages.iter().filter(|message| !message.private).collect();
    let replied = public.iter().rposition(|message| message.role == Role::Reply);
    let last_reply = replied.and_then(|index| public.get(index)).map(|reply| reply.moment);
    let since_reply = public.get(replied.map_or(0, |index| index + 1)..).unwrap_or_default();
    let closed = closes(&states).last().copied();
    let asks = |message: &&&Said| message.role == Role::Customer && Some(message.moment) > closed;
    let unanswered = since_reply.iter().find(asks);

    let running = states.iter().rev().take_while(|state| state.bot_running).last();
    let bot_since = running.map(|state| state.at.max(cycle.start));
    let last = public.last();
    let last_received = public.iter().rev().find(|message| message.role != Role::Undelivered);
    let from_customer = |message: &&&Said| message.speaker == Speaker::Contact;
    Some(Live {
        since: cycle.start,
        answered: last_reply.is_some_and(|at| at >= cycle.first_moment),
        with_bot: now.bot_running && bot_since.is_some_and(|since| last_reply.is_none_or(|at| at < since)),
        ours_last: last_received.is_some_and(|message| message.speaker != Speaker::Contact),
        unanswered_since: unanswered.map(|message| message.at),
        last_message_at: last.map(|message| message.at),
        last_customer_at: public.iter().rev().find(from_customer).map(|message| message.at),
    })
}
