//! What the hub's own outbox says of messages: who sent one, and which one is only a second copy.

use jiff::{SignedDuration, Timestamp};

use super::chat::Chat;
use super::chat_clocks::set_clocks_anew;
use super::deadlines::{Clocks, WINDOW};
use super::ids::MessageId;
use super::message::ChatMessage;
use super::sender::{OutboxFact, SentBy};
use super::store::Store;

/// The provider may show what was sent twice, the second time as if it came from outside: within this long of sending.
pub const ECHO_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// The longest text of a message that goes out, in characters: WhatsApp's own bound.
pub const TEXT_CHARS_MAX: usize = 4_096;

/// Why a message failed that was erased while it waited: the hub's own words, which tell nothing of anybody.
pub const TEXT_ERASED: &str = "its text was erased";

/// Why nothing may be written into a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNow {
    ChatClosed,
    /// WhatsApp's 24 hours after the customer's last message ended then.
    WindowClosed(Timestamp),
}

/// Until when a team may write freely in a chat; `None`: as long as it is open, as far as is known.
pub fn window_until(chat: &Chat) -> Option<Timestamp> {
    Clocks::of(chat).window_since.map(|since| since.checked_add(WINDOW).unwrap_or(Timestamp::MAX))
}

/// Whether a message may go out, or a note be made, at a moment. Where it is not known when the customer wrote last, the
/// provider decides. Notes do not leave the team, so no window closes for them.
pub fn may_write(chat: &Chat, private: bool, now: Timestamp) -> Result<(), NotNow> {
    if !chat.is_open() {
        return Err(NotNow::ChatClosed);
    }
    match window_until(chat).filter(|until| !private && *until <= now) {
        Some(until) => Err(NotNow::WindowClosed(until)),
        None => Ok(()),
    }
}

impl ChatMessage {
    /// Takes what the outbox knows of it.
    pub fn note_outgoing(&mut self, outgoing: OutboxFact) {
        match outgoing {
            OutboxFact::Sent(by) => self.sent_by = Some(by),
            OutboxFact::Echo(of) => self.echo_of = Some(of),
        }
    }
}

/// Notes who sent a message through the hub, where it was known before that; returns the message and its chat as they
/// are now. `None`: it is not known yet, or nothing changes.
pub fn note_sender<S: Store>(
    id: &MessageId,
    by: SentBy,
    store: &mut S,
) -> Result<Option<(ChatMessage, Chat)>, S::Error> {
    let Some(before) = store.message(id)?.filter(|known| known.sent_by.is_none()) else { return Ok(None) };
    let Some(mut chat) = store.chat(&before.chat_id)? else { return Ok(None) };
    let mut after = before.clone();
    after.note_outgoing(OutboxFact::Sent(by));
    store.put_message(&after, false)?;
    if before.role() != after.role() {
        set_clocks_anew(&mut chat, store)?;
        store.put_chat(&chat)?;
    }
    Ok(Some((after, chat)))
}

/// True where a message says what was sent: the text alone, or behind its prefix on the same line or the next.
pub fn says_the_same(said: &str, prefix: Option<&str>, text: &str) -> bool {
    let (said, text) = (said.trim(), text.trim());
    let behind = prefix.and_then(|prefix| said.strip_prefix(prefix.trim()));
    said == text || behind.is_some_and(|rest| rest.trim_start() == text)
}

/// True where two moments are no further apart than an echo comes.
pub fn is_echo_of_moment(sent_at: Timestamp, at: Timestamp) -> bool {
    at.duration_since(sent_at).abs() <= ECHO_WITHIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_with_its_prefix_and_without() {
        assert!(says_the_same("Olá! ", Some("*Bia:*"), "Olá!"));
        assert!(says_the_same("*Bia:*\nOlá!", Some("*Bia:*"), "Olá!"));
        assert!(says_the_same("*Bia:* Olá!", Some("*Bia:*"), "Olá!"));
        assert!(!says_the_same("*Ana:*\nOlá!", Some("*Bia:*"), "Olá!"));
        assert!(!says_the_same("Olá!!", None, "Olá!"));
    }

    #[test]
    fn an_echo_comes_within_a_minute() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(is_echo_of_moment(at(0), at(60)) && is_echo_of_moment(at(60), at(0)));
        assert!(!is_echo_of_moment(at(0), at(61)));
    }
}
