//! Looks for a message of which it is not known whether it arrived: among what is known here, and among what the provider has.

use std::time::{Duration, Instant};

use jiff::SignedDuration;

use super::board::{NextStep, OutboxStep, OutboxTask};
use super::find::{Lost, find};
use super::follow_times;
use super::rows::{KnownSince, OneAtWork, Taken};
use super::work::{Became, Worker};
use crate::domain::{ChatId, MessageId};
use crate::journal::outbox::OutboxRow;
use crate::link::client::ApiAnswer;
use crate::link::fault::LinkError;
use crate::link::{panics, shifted};
use crate::protocol::outbox::{OutboxReason, OutboxState};
use crate::telemetry::clock;
use crate::umbler::api::MessagesPage;
use crate::umbler::api::sending::SentItem;

/// The pause after the first look; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// How far ahead of our clock the newest message may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

impl Worker {
    pub(super) fn look(&self, task: &OutboxTask, since: Instant, looks: u32) -> Result<NextStep, LinkError> {
        let now = Instant::now();
        let again = |looks: u32| {
            let pause = PAUSE_MIN.saturating_mul(2_u32.saturating_pow(looks)).min(PAUSE_MAX);
            Some((OutboxStep::Look { since, looks: looks + 1 }, now + pause))
        };
        let row = match self.archive.ask(OneAtWork(task.id.clone())) {
            Ok(Some((row, _))) if row.shape.state == OutboxState::Unclear => row,
            Ok(_) => return Ok(None),
            Err(LinkError::Stopping) => return Err(LinkError::Stopping),
            Err(_) => return Ok(again(looks)),
        };
        let found = match panics::caught("looking for a message", || self.find(&row)) {
            Err(LinkError::Stopping) => return Err(LinkError::Stopping),
            found => found,
        };
        if let Ok(Some(message)) = &found
            && self.record(&row, row.shape.attempts, Became::sent(message.clone()))?
        {
            return Ok(follow_times::first(&row));
        }
        if now.saturating_duration_since(since) < self.sending.look_for {
            return Ok(again(looks));
        }
        let detail = match found {
            Ok(_) => row.shape.detail.clone(),
            Err(error) => Some(error.to_string()),
        };
        let reason = Some(OutboxReason::NotFound);
        let outcome = Became { reason, detail, ..Became::of(OutboxState::Unconfirmed) };
        self.record(&row, row.shape.attempts, outcome)?;
        Ok(None)
    }

    /// The provider's message that the newest attempt made.
    pub(super) fn find(&self, row: &OutboxRow) -> Result<Option<MessageId>, LinkError> {
        let Some(since) = self.provider.since(row) else { return Ok(None) };
        let chat = ChatId::from(row.shape.chat_id.as_str());
        let known = self.archive.ask(KnownSince { chat: chat.clone(), since })?;
        if let Some(found) = self.find_among(row, &known)? {
            return Ok(Some(found));
        }
        let until = shifted(clock::now(), self.provider.clock_ahead() + AHEAD);
        let request = self.provider.requests()?.messages(chat.as_str(), until);
        let ApiAnswer { said, date, received_at } = self.client.ask_once(&request, MessagesPage::read)?;
        if let Some(date) = date {
            self.provider.note_clock(date);
        }
        // By this hub's clock, if that is slow, the message would be from the future, and its time would not count.
        let received_at = shifted(received_at, self.provider.clock_ahead());
        let items: Vec<SentItem> =
            said.items.iter().filter_map(|item| SentItem::of(item, received_at)).collect();
        self.find_among(row, &items)
    }

    fn find_among(&self, row: &OutboxRow, items: &[SentItem]) -> Result<Option<MessageId>, LinkError> {
        let Some(since) = self.provider.since(row) else { return Ok(None) };
        let of = items.iter().map(|item| item.id.clone()).collect();
        let taken = self.archive.ask(Taken { of, by: row.shape.id.clone() })?;
        let lost = Lost {
            temp_id: &row.shape.temp_id,
            text: row.shape.text.as_deref().unwrap_or_default(),
            prefix: row.shape.prefix.as_deref(),
            private: row.shape.private,
            since,
        };
        Ok(find(&lost, items, &taken))
    }
}
