//! What an open chat contributes to the live metrics, as far as that does not change with time alone.

use jiff::Timestamp;

use super::cycles::cycles;
use super::history::{History, Said, Speaker, closes};
use crate::domain::{MessageRole, deadlines};

/// What is known of an open chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// When the present cycle began.
    pub since: Timestamp,
    /// True where no first reply is due: a human replied in this cycle, or only our side has written in it.
    pub attended: bool,
    /// True while a bot answers and no human has replied since it began.
    pub with_bot: bool,
    /// True where the last public message that was received is ours.
    pub ours_last: bool,
    /// The first customer message after both the last reply and the last close; `None` where all are answered.
    pub unanswered_since: Option<Timestamp>,
    pub quiet_since: Option<Timestamp>,
    /// The customer's last message that is not deleted. It begins the 24 hours in which WhatsApp lets the team
    /// write freely.
    pub last_customer_at: Option<Timestamp>,
}

/// The live state of a chat; `None` where it is closed.
pub fn live(history: &History) -> Option<Live> {
    let states = history.states();
    let now = states.last().filter(|state| state.open)?;
    let cycles = cycles(history, &states);
    let cycle = cycles.last()?;
    let public: Vec<&Said> = history.messages.iter().filter(|message| message.role.ends_silence()).collect();
    let replied = public.iter().rposition(|message| message.role == MessageRole::Reply);
    let last_reply = replied.and_then(|index| public.get(index)).map(|reply| reply.moment);
    let since_reply = public.get(replied.map_or(0, |index| index + 1)..).unwrap_or_default();
    let closed = closes(&states).last().copied();
    let asks = |message: &&&Said| message.role == MessageRole::Customer && Some(message.moment) > closed;
    let unanswered = since_reply.iter().find(asks);

    let running = states.iter().rev().take_while(|state| state.bot_running).last();
    let bot_since = running.map(|state| state.at.max(cycle.start));
    let last = public.last();
    let opens_window = |message: &&&Said| message.role.opens_window();
    Some(Live {
        since: cycle.start,
        attended: last_reply.is_some_and(|at| at >= cycle.first_moment) || is_ours_alone(history, closed),
        with_bot: now.bot_running && bot_since.is_some_and(|since| last_reply.is_none_or(|at| at < since)),
        ours_last: last.is_some_and(|message| message.speaker != Speaker::Contact),
        unanswered_since: unanswered.map(|message| message.at),
        quiet_since: deadlines::quiet_since(last.map(|message| message.at), history.created_at),
        last_customer_at: public.iter().rev().find(opens_window).map(|message| message.at),
    })
}

/// True where somebody wrote since the last close, and it was never the customer. This counts from the close,
/// because a campaign that reopens a chat is older than the delivery that shows the chat open, with which the
/// cycle begins.
fn is_ours_alone(history: &History, closed: Option<Timestamp>) -> bool {
    let is_said = |message: &&Said| message.role != MessageRole::Note && Some(message.moment) > closed;
    let mut said = history.messages.iter().filter(is_said).peekable();
    said.peek().is_some() && said.all(|message| message.speaker != Speaker::Contact)
}
