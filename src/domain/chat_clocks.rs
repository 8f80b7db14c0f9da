//! What of a chat follows from all of its messages.

use super::chat::Chat;
use super::store::Store;

/// Sets what follows from all messages of a chat, because one of them has moved or means something else now.
pub fn set_clocks_anew<S: Store>(chat: &mut Chat, store: &mut S) -> Result<(), S::Error> {
    chat.last_reply = store.last_reply(&chat.id)?;
    chat.unanswered = store.first_customer_message_after(&chat.id, chat.wait_floor().as_ref())?;
    chat.last_customer_at = store.last_customer_at(&chat.id)?;
    chat.last_public_at = store.last_public_at(&chat.id)?;
    chat.last_message = store.newest_message(&chat.id)?;
    Ok(())
}
