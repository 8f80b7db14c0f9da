//! Sends updates of the journal to another system: one after the other, each until the system takes it or it is given up.
//!
//! # Contract
//!
//! 1. It reads what is durable, and only the receiver can delay it. The hub never waits for it.
//! 2. At least once: the position is stored after each update, so that a restart continues from there.
//! 3. **Bounded.** After [`Receiver::TRIES_MAX`] tries, or if the receiver refuses it for good, an update is skipped, and the log
//!    says so.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use super::follower::{Projection, Step};
use crate::cluster::duties::{DUTY_WAIT, Duties};
use crate::domain::Seq;
use crate::journal::head::last_seq;
use crate::journal::meta;
use crate::sqlite::DbError;
use crate::sqlite::open::DatabaseReader;

/// How often the journal is read without a wake.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(30);
/// How long to wait after the database or the journal did not answer.
pub const FAULT_PAUSE: Duration = Duration::from_secs(1);
/// Page cache in KiB. One row is read now and then.
const CACHE_KIB: i64 = 1_024;

/// The outcome of storing a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreOutcome {
    Durable,
    /// The journal accepts nothing at the moment.
    NotNow,
    /// The hub is shutting down.
    Ending,
}

/// Stores the position up to which updates were sent.
pub type StorePosition = Box<dyn FnMut(Seq) -> StoreOutcome + Send>;

/// Why an update was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// It may be taken later.
    ForNow(String),
    ForGood(String),
}

/// The system that updates are sent to.
pub trait Receiver: Send + 'static {
    /// Name of the thread, also used in the log.
    const NAME: &'static str;
    /// True if deliveries have priority when CPU time is short.
    const GIVES_WAY: bool = true;
    /// The key under which the position is stored.
    const POSITION_KEY: &'static str;
    /// The query for position and update of the next one to send after the position `?1`.
    const NEXT: &'static str;
    /// How often one update is tried.
    const TRIES_MAX: u32;
    /// An update, as it is sent.
    type Item: Send;

    /// Makes of an update what is sent. `None`: that is impossible, which was logged, and the update is skipped.
    fn prepare(
        &self,
        database: &Connection,
        seq: Seq,
        update: String,
    ) -> rusqlite::Result<Option<Self::Item>>;

    fn send(&self, seq: Seq, item: &Self::Item) -> Result<(), Refusal>;

    /// Logs that an update is tried again.
    fn note_retry(&self, seq: Seq, reason: &str);

    /// Logs that an update is skipped.
    fn note_skipped(&self, seq: Seq, reason: &str);

    /// How long to wait after a try that failed; `tries` have failed before it.
    fn pause(tries: u32) -> Duration;
}

/// Sends what is in the journal to one receiver.
pub struct Forwarder<R: Receiver> {
    receiver: R,
    reader: DatabaseReader,
    store: StorePosition,
    next_action: NextAction<R::Item>,
    /// The newest position when this hub started. In a cluster it gets the duties later, and what comes in between is to be sent.
    started_at: Option<Seq>,
    /// The update that was tried last without success, and how often.
    failed: (Seq, u32),
    duties: Duties,
}

/// What the next step does.
enum NextAction<T> {
    /// Read the position that was stored last.
    Beginning,
    /// Look for the next update after this position.
    Looking(Seq),
    Sending {
        seq: Seq,
        item: T,
    },
    Storing(Seq),
}

impl<R: Receiver> Forwarder<R> {
    /// `store` is called on the follower's thread, and may block.
    pub fn new(receiver: R, database: PathBuf, store: StorePosition, duties: Duties) -> Self {
        Self {
            receiver,
            reader: DatabaseReader::new(database, CACHE_KIB),
            store,
            next_action: NextAction::Beginning,
            started_at: None,
            failed: (Seq(0), 0),
            duties,
        }
    }

    /// Continues from the stored position. At the very first start this is the newest one of then: earlier updates are not sent.
    fn begin(&mut self, started_at: Seq) -> rusqlite::Result<NextAction<R::Item>> {
        let stored = meta::position(self.reader.connection()?, R::POSITION_KEY)?;
        Ok(stored.map_or(NextAction::Storing(started_at), NextAction::Looking))
    }

    /// The newest position when this hub started.
    fn started_at(&mut self) -> rusqlite::Result<Seq> {
        if let Some(seq) = self.started_at {
            return Ok(seq);
        }
        let newest = last_seq(self.reader.connection()?)?;
        self.started_at = Some(newest);
        Ok(newest)
    }

    /// The next update to send, or the position up to which there is none.
    fn next(&mut self, after: Seq) -> rusqlite::Result<NextAction<R::Item>> {
        let connection = self.reader.connection()?;
        // Read first. What is committed between the two queries is found the next time.
        let newest = last_seq(connection)?;
        let found: Option<(i64, String)> = connection
            .prepare_cached(R::NEXT)?
            .query_row([after.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let found = found.map(|(seq, update)| (Seq(seq), update));
        let (failed, _) = self.failed;
        if failed > after && found.as_ref().is_none_or(|(seq, _)| *seq != failed) {
            self.receiver.note_skipped(failed, "the update is not kept any more");
            return Ok(NextAction::Storing(failed));
        }
        let Some((seq, update)) = found else { return Ok(NextAction::Looking(newest)) };
        Ok(match self.receiver.prepare(connection, seq, update)? {
            Some(item) => NextAction::Sending { seq, item },
            None => NextAction::Storing(seq),
        })
    }

    /// Tries to send an update. After the last try, or if it is refused for good, it is skipped.
    fn send(&mut self, seq: Seq, item: &R::Item) -> Step {
        let tries = if self.failed.0 == seq { self.failed.1 } else { 0 };
        let reason = match self.receiver.send(seq, item) {
            Ok(()) => {
                self.next_action = NextAction::Storing(seq);
                return Step::More;
            }
            Err(Refusal::ForNow(reason)) if tries + 1 < R::TRIES_MAX => reason,
            Err(Refusal::ForNow(reason) | Refusal::ForGood(reason)) => {
                self.receiver.note_skipped(seq, &reason);
                self.next_action = NextAction::Storing(seq);
                return Step::More;
            }
        };
        if tries == 0 {
            self.receiver.note_retry(seq, &reason);
        }
        self.failed = (seq, tries + 1);
        // It is read again for the next try: a person in it may have been erased meanwhile.
        self.next_action = NextAction::Looking(Seq(seq.0 - 1));
        Step::Pause(R::pause(tries))
    }

    fn store(&mut self, seq: Seq) -> Step {
        match (self.store)(seq) {
            StoreOutcome::Durable => {
                self.next_action = NextAction::Looking(seq);
                Step::More
            }
            StoreOutcome::NotNow => {
                self.next_action = NextAction::Storing(seq);
                Step::Pause(FAULT_PAUSE)
            }
            StoreOutcome::Ending => Step::End,
        }
    }
}

impl<R: Receiver> Projection for Forwarder<R> {
    const NAME: &'static str = R::NAME;
    const GIVES_WAY: bool = R::GIVES_WAY;

    fn step(&mut self) -> Result<Step, DbError> {
        let started_at = self.started_at()?;
        if !self.duties.are_mine() {
            // Another hub of the cluster sends, and stores how far it came.
            self.next_action = NextAction::Beginning;
            return Ok(Step::Pause(DUTY_WAIT));
        }
        match std::mem::replace(&mut self.next_action, NextAction::Beginning) {
            NextAction::Beginning => self.next_action = self.begin(started_at)?,
            NextAction::Looking(after) => {
                // Where reading fails, the next step looks again.
                self.next_action = NextAction::Looking(after);
                self.next_action = self.next(after)?;
                if matches!(self.next_action, NextAction::Looking(_)) {
                    return Ok(Step::Rest(LOOK_INTERVAL));
                }
            }
            NextAction::Sending { seq, item } => return Ok(self.send(seq, &item)),
            NextAction::Storing(seq) => return Ok(self.store(seq)),
        }
        Ok(Step::More)
    }

    fn fail(&mut self, _told: &DbError) -> Step {
        self.reader.close();
        Step::Pause(FAULT_PAUSE)
    }
}
