//! Asks how far a message came, where no webhook tells it.

use jiff::Timestamp;
use serde_json::json;

use super::board::{NextStep, OutboxTask};
use super::follow_times;
use super::rows::{KnownMessage, OneAtWork};
use super::work::Worker;
use crate::domain::message::{DELIVERED_RANK, state_rank};
use crate::domain::{ChatId, ChatMessage, MessageId};
use crate::link::client::ApiAnswer;
use crate::link::fault::LinkError;
use crate::link::panics;
use crate::umbler::api::{MessageItem, sending};
use crate::umbler::reconcile;

impl Worker {
    pub(super) fn follow(&self, task: &OutboxTask, asks: usize) -> Result<NextStep, LinkError> {
        match panics::caught("following a message", || self.ask_how_far(task)) {
            Ok(true) => Ok(None),
            Ok(false) => Ok(follow_times::next(asks)),
            Err(LinkError::Stopping) => Err(LinkError::Stopping),
            Err(error) => {
                log::debug!("how far a message came cannot be asked: {error}");
                Ok(follow_times::next(asks))
            }
        }
    }

    /// True where nothing more is to be asked.
    fn ask_how_far(&self, task: &OutboxTask) -> Result<bool, LinkError> {
        let row = self.archive.ask(OneAtWork(task.id.clone()))?;
        let Some(id) = row.and_then(|(row, _)| row.shape.message_id) else { return Ok(true) };
        let id = MessageId::from(id);
        let Some(known) = self.archive.ask(KnownMessage(id.clone()))? else {
            // Not even the message itself was brought.
            self.take_in_message(&task.chat, &id)?;
            return Ok(false);
        };
        if has_come_far(&known) {
            return Ok(true);
        }
        let asked = self.client.ask_once(&self.provider.requests()?.states(&id), sending::states);
        let states = match asked {
            Ok(ApiAnswer { said, .. }) => said,
            // Perhaps there is no such route; the message itself has its state, too.
            Err(LinkError::Refused { .. }) => {
                self.take_in_message(&task.chat, &id)?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        let furthest = states.into_iter().max_by_key(|state| state_rank(state));
        let known_rank = known.state.as_deref().map_or(0, state_rank);
        let Some(state) = furthest.filter(|state| state_rank(state) > known_rank) else { return Ok(false) };
        let at = format!("{:.7}", known.at);
        let text = json!({ "id": id, "messageState": state, "eventAtUTC": at }).to_string();
        self.take_in(&task.chat, MessageItem { id, at: known.at, text }, known.at)?;
        Ok(state_rank(&state) >= DELIVERED_RANK)
    }

    fn take_in_message(&self, chat: &str, id: &MessageId) -> Result<(), LinkError> {
        let request = self.provider.requests()?.message(id);
        let ApiAnswer { said, received_at, .. } = self.client.ask_once(&request, sending::one_message)?;
        self.take_in(chat, said, received_at)
    }

    /// What the provider says of a message enters by the one door.
    fn take_in(&self, chat: &str, item: MessageItem, at: Timestamp) -> Result<(), LinkError> {
        let chat = ChatId::from(chat);
        let items = [item];
        let facts = reconcile::read_messages(&chat, &items, at);
        let said: Vec<_> = items.iter().zip(&facts).collect();
        if let Some(composed) = reconcile::messages(&chat, &said) {
            self.archive.reconcile(&composed, "message", 1)?;
        }
        Ok(())
    }
}

fn has_come_far(known: &ChatMessage) -> bool {
    known.state.as_deref().is_some_and(|state| state_rank(state) >= DELIVERED_RANK)
}
