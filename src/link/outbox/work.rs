//! What each thread does: takes what is due from the board, does one step, and records what came of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::board::{NextStep, OutboxBoard, OutboxStep, OutboxTask, TASKS_MAX, Tries};
use super::follow_times::{self, FOLLOWED_FOR};
use super::provider::Provider;
use super::rows::{AtWork, OneAtWork};
use super::verdict::{SendVerdict, judge};
use crate::domain::sending::{NotNow, TEXT_ERASED, may_write};
use crate::domain::{EventId, MessageId};
use crate::http::link::LinkHandle;
use crate::hub::AckStatus;
use crate::journal::outbox::{OutboxAttempt, OutboxResult, OutboxRow};
use crate::journal::{Payload, own_id};
use crate::link::archive::Archive;
use crate::link::client::{Client, Posted};
use crate::link::fault::LinkError;
use crate::link::{Sending, panics, shifted};
use crate::protocol::outbox::{OutboxReason, OutboxState};
use crate::umbler::api::{RequestBuilder, ToSend};

/// How often it is looked for messages that nobody rang for.
const REFILL_EVERY: Duration = Duration::from_secs(5);
/// The pause before something is tried again that the hub itself could not do.
const HUB_PAUSE: Duration = Duration::from_secs(1);
/// A message is looked for this long after its answer did not come.
const FIRST_LOOK: Duration = Duration::from_secs(1);

pub(super) struct Worker {
    pub(super) client: Client,
    pub(super) archive: Archive,
    pub(super) handle: LinkHandle,
    pub(super) board: Arc<Mutex<OutboxBoard>>,
    pub(super) provider: Provider,
    pub(super) sending: Sending,
}

impl Worker {
    /// Works until the hub ends.
    pub(super) fn run(self) {
        let mut heard = 0;
        panics::repeat("umbler-outbox", &self.handle, || {
            heard = self.step(heard)?;
            Ok(())
        });
    }

    /// Does what is due, or waits. The only error is the hub's end.
    fn step(&self, heard: u64) -> Result<u64, LinkError> {
        self.handle.check()?;
        let rest = {
            let mut board = self.board();
            self.refill(&mut board, heard)?;
            match board.take(Instant::now()) {
                Ok(task) => {
                    drop(board);
                    let mut taken = TakenTask { worker: self, id: &task.id, next: None };
                    taken.next = Some(self.work(&task)?);
                    return Ok(heard);
                }
                Err(rest) => rest.unwrap_or(REFILL_EVERY).min(REFILL_EVERY),
            }
        };
        Ok(self.handle.outbox().wait(rest, heard)?)
    }

    fn work(&self, task: &OutboxTask) -> Result<NextStep, LinkError> {
        match &task.step {
            OutboxStep::Send(tried) => self.send(task, tried.clone()),
            OutboxStep::Look { since, looks } => self.look(task, *since, *looks),
            OutboxStep::Follow { asks } => self.follow(task, *asks),
        }
    }

    fn board(&self) -> MutexGuard<'_, OutboxBoard> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts on the board what waits in the database, where somebody rang or nobody looked for a while. A message that is being handed
    /// over, and by none of these threads, may have arrived: a former life of the hub did, or a thread that panicked.
    fn refill(&self, board: &mut OutboxBoard, ring: u64) -> Result<(), LinkError> {
        let now = Instant::now();
        if board.is_full() || !board.is_to_refill(ring, now, REFILL_EVERY) {
            return Ok(());
        }
        let is_first = !board.is_taken_up;
        let sent_since = is_first.then(|| shifted(self.provider.now(), -FOLLOWED_FOR));
        let rows = match self.archive.ask(AtWork { most: TASKS_MAX, sent_since }) {
            Ok(rows) => rows,
            Err(LinkError::Stopping) => return Err(LinkError::Stopping),
            Err(error) => {
                log::warn!("the outbox cannot be read: {error}");
                return Ok(());
            }
        };
        for row in rows {
            if row.shape.state == OutboxState::Sending && board.has(&row.shape.id) {
                // One of these threads hands it over now.
                continue;
            }
            if let Some((step, due)) = self.first_step(&row, is_first, now)? {
                let shape = row.shape;
                let order = (shape.queued_at, shape.id.clone());
                board.add(OutboxTask { id: shape.id, chat: shape.chat_id, order, step, due });
            }
        }
        board.is_taken_up = true;
        Ok(())
    }

    fn first_step(&self, row: &OutboxRow, is_first: bool, now: Instant) -> Result<NextStep, LinkError> {
        let look = OutboxStep::Look { since: now, looks: 0 };
        match row.shape.state {
            OutboxState::Queued => Ok(Some((OutboxStep::Send(Tries::default()), now))),
            OutboxState::Unclear => Ok(Some((look, now))),
            OutboxState::Sending => {
                let what = if is_first { "the hub ended meanwhile" } else { "the hub had a fault meanwhile" };
                log::warn!("whether a message arrived is not known ({what}); it is looked for");
                let detail = Some(what.to_owned());
                self.record(row, row.shape.attempts, Became { detail, ..Became::of(OutboxState::Unclear) })?;
                Ok(Some((look, now)))
            }
            OutboxState::Sent if is_first => Ok(follow_times::taken_up(row, self.provider.now(), now)),
            OutboxState::Sent | OutboxState::Failed | OutboxState::Unconfirmed | OutboxState::Discarded => {
                Ok(None)
            }
        }
    }

    fn send(&self, task: &OutboxTask, tried: Tries) -> Result<NextStep, LinkError> {
        let again = |tried| Ok(Some((OutboxStep::Send(tried), Instant::now() + HUB_PAUSE)));
        let (row, chat) = match self.archive.ask(OneAtWork(task.id.clone())) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(LinkError::Stopping) => return Err(LinkError::Stopping),
            Err(_) => return again(tried),
        };
        // Where the outcome of an attempt came too late, the attempt is this hub's, or nobody's.
        let is_proposed = tried.proposed.as_ref().is_some_and(|(attempt, _)| is_attempt(&row, *attempt));
        if row.shape.state != OutboxState::Queued && !is_proposed {
            return Ok(None);
        }
        let Some(text) = row.shape.text.as_deref() else {
            // Erased while it waited for its next try. An empty message must not go out instead.
            let detail = Some(TEXT_ERASED.to_owned());
            self.record(&row, row.shape.attempts, Became { detail, ..Became::of(OutboxState::Failed) })?;
            return Ok(None);
        };
        let allowed = chat.map_or(Ok(()), |chat| may_write(&chat, row.shape.private, self.provider.now()));
        if let Err(not_now) = allowed {
            let reason = match not_now {
                NotNow::ChatClosed => OutboxReason::ChatClosed,
                NotNow::WindowClosed(_) => OutboxReason::WindowClosed,
            };
            self.record(&row, row.shape.attempts, Became::failed(reason, None))?;
            return Ok(None);
        }
        let tried = Tries { begun: Some(tried.begun.unwrap_or_else(Instant::now)), ..tried };
        let requests = match panics::caught("looking whether a message arrived before", || self.ready(&row)) {
            Ok(Ready::Found(message)) => {
                self.record(&row, row.shape.attempts, Became::sent(message))?;
                return Ok(follow_times::first(&row));
            }
            Ok(Ready::Send(requests)) => requests,
            Err(LinkError::Stopping) => return Err(LinkError::Stopping),
            Err(error) => return self.settle(&row, None, tried, &Posted::NotConnected(error.to_string())),
        };
        let proposal = match tried.proposed.clone() {
            Some(proposal) if is_proposed || proposal.0 == row.shape.attempts + 1 => proposal,
            Some(_) | None => (row.shape.attempts + 1, own_id("outbox")),
        };
        let attempt = match self.begin_attempt(&row, &proposal) {
            Ok(Some(attempt)) => attempt,
            Ok(None) => return Ok(None),
            Err(LinkError::Stopping) => return Err(LinkError::Stopping),
            Err(error) => {
                log::warn!("it is not known yet whether an attempt to send was recorded: {error}");
                return again(Tries { proposed: Some(proposal), ..tried });
            }
        };
        let posted = self.client.post(&requests.send(&ToSend {
            chat: &row.shape.chat_id,
            text,
            private: row.shape.private,
            prefix: row.shape.prefix.as_deref(),
            temp_id: &row.shape.temp_id,
        }))?;
        if let Posted::Answered { date: Some(date), .. } = &posted {
            self.provider.note_clock(*date);
        }
        self.settle(&row, Some(attempt), tried, &posted)
    }

    /// What is to be known before a message is handed over. One that was not found after an earlier attempt is looked for
    /// again, because it may have appeared since.
    fn ready(&self, row: &OutboxRow) -> Result<Ready, LinkError> {
        let requests = self.provider.requests()?;
        if row.since.is_some()
            && let Some(message) = self.find(row)?
        {
            return Ok(Ready::Found(message));
        }
        Ok(Ready::Send(Box::new(requests)))
    }

    /// Records an attempt under this id, and returns its number. `None`: something else became of the message, so it must not be
    /// sent. Recording it again under the same id finds it.
    fn begin_attempt(
        &self,
        row: &OutboxRow,
        (attempt, id): &(u32, EventId),
    ) -> Result<Option<u32>, LinkError> {
        let attempt = *attempt;
        let since = self.provider.since_now();
        let record = OutboxAttempt { id: row.shape.id.clone(), attempt, since };
        let ack = self.archive.record(Payload::OutboxAttempt(record), Some(id.clone()))?;
        match (ack.status, ack.seq) {
            (AckStatus::Accepted, _) => Ok(Some(attempt)),
            // It was recorded when it was proposed before. Something may have become of it since.
            (AckStatus::Duplicate, Some(_)) => {
                let now = self.archive.ask(OneAtWork(row.shape.id.clone()))?;
                Ok(now.filter(|(row, _)| is_attempt(row, attempt)).map(|_| attempt))
            }
            (AckStatus::Duplicate | AckStatus::Ignored | AckStatus::Outdated, _) => Ok(None),
        }
    }

    /// Records what follows from a try. `begun_attempt`: the attempt that was recorded for it.
    fn settle(
        &self,
        row: &OutboxRow,
        begun_attempt: Option<u32>,
        tried: Tries,
        posted: &Posted,
    ) -> Result<NextStep, LinkError> {
        let now = Instant::now();
        let begun = tried.begun.unwrap_or(now);
        let attempt = begun_attempt.unwrap_or(row.shape.attempts);
        let look = Some((OutboxStep::Look { since: now, looks: 0 }, now + FIRST_LOOK));
        let unclear = |reason: String| Became { detail: Some(reason), ..Became::of(OutboxState::Unclear) };
        match judge(posted, tried.failures, begun, now, rand::random()) {
            SendVerdict::Sent(message) => {
                if self.record(row, attempt, Became::sent(message))? {
                    return Ok(follow_times::first(row));
                }
                // The provider names a message that another entry sent.
                self.record(row, attempt, unclear("the answer names another message".to_owned()))?;
                Ok(look)
            }
            SendVerdict::Refused(words) => {
                self.record(row, attempt, Became::failed(OutboxReason::Refused, Some(words)))?;
                Ok(None)
            }
            SendVerdict::Unreachable(reason) => {
                self.record(row, attempt, Became::failed(OutboxReason::Unreachable, Some(reason)))?;
                Ok(None)
            }
            SendVerdict::Again(pause, reason) => {
                if begun_attempt.is_some() {
                    // Recorded, so that a hub that is restarted during the pause knows that nothing was accepted.
                    let waits = Became { detail: Some(reason), ..Became::of(OutboxState::Queued) };
                    self.record(row, attempt, waits)?;
                }
                let proposed = tried.proposed.filter(|_| begun_attempt.is_none());
                let next = Tries { failures: tried.failures + 1, proposed, ..tried };
                Ok(Some((OutboxStep::Send(next), now + pause)))
            }
            SendVerdict::Unclear(reason) => {
                log::warn!("whether a message arrived is not known ({reason}); it is looked for");
                self.record(row, attempt, unclear(reason))?;
                Ok(look)
            }
        }
    }

    /// Records what became of an attempt, however long that takes. False where something else became of it.
    pub(super) fn record(&self, row: &OutboxRow, attempt: u32, outcome: Became) -> Result<bool, LinkError> {
        let Became { state, message, reason, detail } = outcome;
        let result = OutboxResult { id: row.shape.id.clone(), attempt, state, message, reason, detail };
        let id = own_id("outbox");
        loop {
            match self.archive.record(Payload::OutboxResult(result.clone()), Some(id.clone())) {
                Ok(ack) => return Ok(ack.seq.is_some()),
                Err(LinkError::Stopping) => return Err(LinkError::Stopping),
                Err(error) => {
                    log::warn!("what became of a message cannot be recorded yet: {error}");
                    self.handle.pause(HUB_PAUSE)?;
                }
            }
        }
    }
}

/// True while this attempt of a message is under way.
fn is_attempt(row: &OutboxRow, attempt: u32) -> bool {
    row.shape.state == OutboxState::Sending && row.shape.attempts == attempt
}

/// A message that a thread has taken from the board. It goes back when this is dropped.
struct TakenTask<'a> {
    worker: &'a Worker,
    id: &'a str,
    /// What its step led to; `None`: it did not end.
    next: Option<NextStep>,
}

impl Drop for TakenTask<'_> {
    fn drop(&mut self) {
        let mut board = self.worker.board();
        match self.next.take() {
            Some(next) => board.put_back(self.id, next),
            None => board.put_back_after_panic(self.id, Instant::now() + HUB_PAUSE),
        }
    }
}

/// What is known before a message is handed over.
enum Ready {
    /// An earlier attempt made this message after all.
    Found(MessageId),
    Send(Box<RequestBuilder>),
}

/// What became of an attempt.
pub(super) struct Became {
    pub(super) state: OutboxState,
    pub(super) message: Option<MessageId>,
    pub(super) reason: Option<OutboxReason>,
    pub(super) detail: Option<String>,
}

impl Became {
    pub(super) fn of(state: OutboxState) -> Self {
        Self { state, message: None, reason: None, detail: None }
    }

    pub(super) fn sent(message: MessageId) -> Self {
        Self { message: Some(message), ..Self::of(OutboxState::Sent) }
    }

    fn failed(reason: OutboxReason, detail: Option<String>) -> Self {
        Self { reason: Some(reason), detail, ..Self::of(OutboxState::Failed) }
    }
}
