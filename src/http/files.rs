//! What the edge and the link share about files of messages: who waits for which, and what the provider said lately.
//!
//! # Contract
//!
//! 1. However many wait for the file of a message, the provider is asked once.
//! 2. An answer is kept for [`KEPT`], in memory alone: addresses of files expire, and the next answer may have another one.
//! 3. Bounds: [`WAITING_MAX`] messages are waited for, [`KNOWN_MAX`] answers are kept.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::bell::Stopping;

/// How long an answer of the provider counts.
pub const KEPT: Duration = Duration::from_mins(10);
/// The same where the file had not come yet.
const PENDING_KEPT: Duration = Duration::from_secs(10);
/// Messages whose files are waited for at the same time. A page of a conversation shows less than this.
pub const WAITING_MAX: usize = 500;
/// Answers that are kept, about 300 bytes each.
pub const KNOWN_MAX: usize = 10_000;

/// What the provider says of the file of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFound {
    At(String),
    /// The provider has no address of it yet.
    Pending,
    /// The provider does not know the message, or gave no address of its file for half an hour.
    Unavailable,
    /// The provider cannot be asked now.
    Unreachable,
}

impl FileFound {
    fn counts_for(&self) -> Duration {
        match self {
            Self::At(_) | Self::Unavailable => KEPT,
            Self::Pending => PENDING_KEPT,
            Self::Unreachable => Duration::ZERO,
        }
    }
}

/// How a question about a file begins.
pub enum FileQuestion {
    /// The provider answered it lately.
    Known(FileFound),
    /// The provider is asked; its answer comes here.
    Waits(oneshot::Receiver<FileFound>),
    Off,
    /// Too many are waited for.
    Full,
}

#[derive(Clone, Default)]
pub struct FileDesk(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    is_on: bool,
    is_stopping: bool,
    queue: VecDeque<String>,
    waiting: HashMap<String, Vec<oneshot::Sender<FileFound>>>,
    known: HashMap<String, (FileFound, Instant)>,
}

impl FileDesk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A link runs that answers questions. It takes over those that the one before it was asking when it ended.
    pub fn open(&self) {
        let mut state = self.lock();
        state.is_on = true;
        state.queue = state.waiting.keys().cloned().collect();
    }

    /// Asks for the file of a message.
    pub fn ask(&self, message: &str, now: Instant) -> FileQuestion {
        let mut state = self.lock();
        if !state.is_on || state.is_stopping {
            return FileQuestion::Off;
        }
        if let Some((found, until)) = state.known.get(message)
            && *until > now
        {
            return FileQuestion::Known(found.clone());
        }
        let (sender, receiver) = oneshot::channel();
        if let Some(waiting) = state.waiting.get_mut(message) {
            waiting.push(sender);
            return FileQuestion::Waits(receiver);
        }
        if state.waiting.len() >= WAITING_MAX {
            return FileQuestion::Full;
        }
        state.waiting.insert(message.to_owned(), vec![sender]);
        state.queue.push_back(message.to_owned());
        self.0.woken.notify_all();
        FileQuestion::Waits(receiver)
    }

    /// The next message whose file somebody waits for; `None` where nobody does for this time.
    pub fn next(&self, rest: Duration) -> Result<Option<String>, Stopping> {
        let until = Instant::now() + rest;
        let mut state = self.lock();
        loop {
            if state.is_stopping {
                return Err(Stopping);
            }
            let left = until.saturating_duration_since(Instant::now());
            let next = state.queue.pop_front();
            if next.is_some() || left.is_zero() {
                return Ok(next);
            }
            let waited = self.0.woken.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
        }
    }

    /// Tells everybody who waits what the provider said.
    pub fn answer(&self, message: &str, found: &FileFound, now: Instant) {
        let mut state = self.lock();
        if !found.counts_for().is_zero() {
            if state.known.len() >= KNOWN_MAX {
                state.known.retain(|_, (_, until)| *until > now);
            }
            if state.known.len() >= KNOWN_MAX {
                state.known.clear();
            }
            state.known.insert(message.to_owned(), (found.clone(), now + found.counts_for()));
        }
        for sender in state.waiting.remove(message).unwrap_or_default() {
            // Whoever gave up waiting needs no answer.
            drop(sender.send(found.clone()));
        }
    }

    /// The hub ends: nobody is answered any more.
    pub fn stop(&self) {
        let mut state = self.lock();
        state.is_stopping = true;
        state.waiting.clear();
        self.0.woken.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(desk: &FileDesk, message: &str, now: Instant) -> oneshot::Receiver<FileFound> {
        match desk.ask(message, now) {
            FileQuestion::Waits(receiver) => receiver,
            FileQuestion::Known(_) | FileQuestion::Off | FileQuestion::Full => {
                panic!("{message} is not asked for")
            }
        }
    }

    #[test]
    fn many_who_wait_for_one_file_have_the_provider_asked_once_and_its_answer_is_kept() {
        let (desk, now) = (FileDesk::default(), Instant::now());
        assert!(matches!(desk.ask("m", now), FileQuestion::Off));
        desk.open();
        let mut all = [waits(&desk, "m", now), waits(&desk, "m", now)];
        assert_eq!(desk.next(Duration::ZERO), Ok(Some("m".to_owned())));
        assert_eq!(desk.next(Duration::ZERO), Ok(None));
        let found = FileFound::At("https://files.example.com/m".to_owned());
        desk.answer("m", &found, now);
        for receiver in &mut all {
            assert_eq!(receiver.try_recv(), Ok(found.clone()));
        }
        assert!(matches!(desk.ask("m", now + KEPT / 2), FileQuestion::Known(known) if known == found));
        assert!(matches!(desk.ask("m", now + KEPT), FileQuestion::Waits(_)), "it is asked again");
    }

    #[test]
    fn files_that_are_waited_for_and_answers_that_are_kept_have_bounds() {
        let (desk, now) = (FileDesk::default(), Instant::now());
        desk.open();
        for number in 0..WAITING_MAX {
            drop(waits(&desk, &format!("m{number}"), now));
        }
        assert!(matches!(desk.ask("one more", now), FileQuestion::Full));
        for number in 0..=KNOWN_MAX {
            desk.answer(&format!("k{number}"), &FileFound::Unavailable, now);
        }
        assert!(desk.lock().known.len() <= KNOWN_MAX);
        desk.stop();
        assert_eq!(desk.next(Duration::ZERO), Err(Stopping));
    }

    #[test]
    fn a_file_that_an_ended_link_was_asking_for_is_asked_for_by_the_next_link() {
        let (desk, now) = (FileDesk::default(), Instant::now());
        desk.open();
        drop(waits(&desk, "m", now));
        assert_eq!(desk.next(Duration::ZERO), Ok(Some("m".to_owned())));
        // Another hub of the cluster does the duties for a while. The link that was asking ends without an answer.
        desk.open();
        let mut waits = waits(&desk, "m", now);
        assert_eq!(desk.next(Duration::ZERO), Ok(Some("m".to_owned())));
        desk.answer("m", &FileFound::Pending, now);
        assert_eq!(waits.try_recv(), Ok(FileFound::Pending));
    }
}
