//! What the HTTP handlers share with the thread of the link to Umbler's API: its status, and a way to request a recheck.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::bell::{Bell, Stopping};
use super::files::FileDesk;
use crate::auth::Secret;
use crate::cluster::duties::Duties;
use crate::protocol::LinkShape;
use crate::protocol::link::WebhookFinding;

/// A handle on the link, for its own thread and for those who ask about it, and the term of the threads that have it.
#[derive(Clone)]
pub struct LinkHandle(Arc<Inner>, Arc<Term>);

/// How long threads of the link work: until they are told that it is over, or the link is no longer a duty of this hub.
#[derive(Default)]
struct Term {
    over: AtomicBool,
    duties: Duties,
}

impl Term {
    /// A term does not begin again: what was begun may have been done by another hub meanwhile.
    fn is_over(&self) -> bool {
        if !self.duties.are_mine() {
            self.over.store(true, Ordering::Release);
        }
        self.over.load(Ordering::Acquire)
    }
}

struct Inner {
    status: watch::Sender<LinkStatus>,
    control: Mutex<Control>,
    /// Notified when `control` has changed.
    changed: Condvar,
    outbox: Bell,
    files: FileDesk,
    keeper: OnceLock<Arc<dyn LinkKeeper>>,
}

#[derive(Debug, Clone, Default)]
struct LinkStatus {
    shape: LinkShape,
    /// The newest recheck request that is finished. Requests are numbered from 1.
    finished: u64,
}

#[derive(Default)]
struct Control {
    /// The number of the newest recheck request.
    requests: u64,
    stopping: bool,
    /// Days of a backfill that somebody asked for and that has not begun.
    backfill: Option<u32>,
}

/// Where the token of the API comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenSource {
    /// The setting `UMBLER_API_TOKEN`, or its file.
    Environment,
    /// An admin entered it on the dashboard.
    Stored,
}

/// Why a token was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdoptError {
    /// `UMBLER_API_TOKEN` is set, and wins.
    Environment,
    /// Umbler refuses it with 401 or 403.
    Refused,
    /// Umbler cannot be asked, or another request of an admin is being carried out; and why.
    Unreachable(String),
    /// The file cannot be written, and why.
    Unwritable(String),
}

/// Why no webhook was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterError {
    /// There is no token.
    NotLinked,
    /// `UMBLER_WEBHOOK_URL` is not set, so the hub does not know how the provider reaches it.
    NoAddress,
    /// The token belongs to several organizations, or to none.
    Undecided,
    /// A new webhook would not help: what the check of the webhooks found.
    Exists(WebhookFinding),
    /// The token may not see or create webhooks.
    NotAllowed,
    /// Umbler refused it, in its words.
    Refused(String),
    /// Umbler cannot be asked, or another request of an admin is being carried out; and why.
    Unreachable(String),
}

/// Keeps the token of the API, and does with it what an admin asks for.
pub trait LinkKeeper: Send + Sync {
    /// `None`: there is no token.
    fn source(&self) -> Option<TokenSource>;

    /// Tests a token, stores it and starts the link with it. Returns false if the link was running and uses it from now on. Waits for
    /// the API's answer.
    fn adopt(&self, token: Secret) -> Result<bool, AdoptError>;

    /// Creates a webhook at the provider for all lines that no webhook posts here, with this secret. Returns the names of the lines.
    /// Waits for the API's answers.
    fn register_webhook(&self, secret: Option<&Secret>) -> Result<Vec<String>, RegisterError>;
}

impl Default for LinkHandle {
    fn default() -> Self {
        let (status, control) = (watch::Sender::default(), Mutex::default());
        Self(
            Arc::new(Inner {
                status,
                control,
                changed: Condvar::new(),
                outbox: Bell::default(),
                files: FileDesk::default(),
                keeper: OnceLock::new(),
            }),
            Arc::default(),
        )
    }
}

impl LinkHandle {
    /// A handle for threads that work while these duties are this hub's.
    pub fn for_a_term(&self, duties: Duties) -> Self {
        Self(Arc::clone(&self.0), Arc::new(Term { over: AtomicBool::default(), duties }))
    }

    /// True once the threads that have this handle are to end, although the hub goes on.
    pub fn is_term_over(&self) -> bool {
        self.1.is_over()
    }

    /// How far this hub's clock is ahead, at least, of the one that stamps records.
    pub fn ahead_of_stamps(&self) -> SignedDuration {
        self.1.duties.ahead_of_stamps()
    }

    /// Ends the threads that have this handle or a clone of it.
    pub fn end_term(&self) {
        {
            // Locked, so that a thread which has just looked whether it is over is waiting when it is woken.
            let _control = self.0.control.lock().unwrap_or_else(PoisonError::into_inner);
            self.1.over.store(true, Ordering::Release);
        }
        self.0.changed.notify_all();
        self.0.outbox.ring();
    }

    /// Fails once the hub stops, or the term of this handle has ended.
    pub fn check(&self) -> Result<(), Stopping> {
        let is_over = self.1.is_over();
        let control = self.0.control.lock().unwrap_or_else(PoisonError::into_inner);
        if is_over || control.stopping { Err(Stopping) } else { Ok(()) }
    }

    pub fn shape(&self) -> LinkShape {
        self.0.status.borrow().shape.clone()
    }

    pub fn update(&self, change: impl FnOnce(&mut LinkShape)) {
        self.0.status.send_modify(|status| change(&mut status.shape));
    }

    /// Requests that all jobs of the link run now. Returns the number of the request.
    pub fn request_recheck(&self) -> u64 {
        let mut control = self.0.control.lock().unwrap_or_else(PoisonError::into_inner);
        control.requests += 1;
        self.0.changed.notify_all();
        control.requests
    }

    /// Requests a recheck and waits at most so long for it. Returns whether it has finished, and how the link is then.
    pub async fn recheck(&self, wait: Duration) -> (bool, LinkShape) {
        let mut status = self.0.status.subscribe();
        let request = self.request_recheck();
        match timeout(wait, status.wait_for(|status| status.finished >= request)).await {
            // What was waited for is locked while it is looked at. Asking for the status meanwhile would lock it twice, and for ever
            // if the link's thread wants to write in between.
            Ok(Ok(status)) => (true, status.shape.clone()),
            Ok(Err(_)) | Err(_) => (false, self.shape()),
        }
    }

    /// Marks the recheck requests up to this number as finished.
    pub fn finish_rechecks(&self, request: u64) {
        self.0.status.send_modify(|status| status.finished = status.finished.max(request));
    }

    /// Who keeps the token of the API; `None` while the hub starts.
    pub fn keeper(&self) -> Option<Arc<dyn LinkKeeper>> {
        self.0.keeper.get().cloned()
    }

    /// Names who keeps the token of the API. Only the first call counts.
    pub fn kept_by(&self, keeper: Arc<dyn LinkKeeper>) {
        drop(self.0.keeper.set(keeper));
    }

    /// True where there is a token. If the link is off nevertheless, another hub of the cluster has it, or this one has just taken
    /// the duties.
    pub fn has_token(&self) -> bool {
        self.keeper().is_some_and(|keeper| keeper.source().is_some())
    }

    /// Forgets how the link was: another hub of the cluster has it now.
    pub fn give_up(&self) {
        self.update(|link| *link = LinkShape::default());
    }

    /// Where files of messages are asked for.
    pub fn files(&self) -> &FileDesk {
        &self.0.files
    }

    /// Asks for a backfill of so many days. Where one is running, it ends first; of several requests the longest counts.
    pub fn order_backfill(&self, days: u32) {
        let mut control = self.0.control.lock().unwrap_or_else(PoisonError::into_inner);
        control.backfill = control.backfill.max(Some(days));
        self.0.changed.notify_all();
    }

    /// The days of a backfill that somebody asked for, once.
    pub fn take_backfill(&self) -> Option<u32> {
        self.0.control.lock().unwrap_or_else(PoisonError::into_inner).backfill.take()
    }

    /// Ends all waiting, because the hub is stopping.
    pub fn stop(&self) {
        self.0.control.lock().unwrap_or_else(PoisonError::into_inner).stopping = true;
        self.0.changed.notify_all();
        self.0.outbox.stop();
        self.0.files.stop();
    }

    /// Rung when a message waits to be sent.
    pub fn outbox(&self) -> &Bell {
        &self.0.outbox
    }

    /// Waits for this time. A recheck request does not shorten it; the hub's stop does.
    pub fn pause(&self, time: Duration) -> Result<(), Stopping> {
        self.rest(time, |_control| false).map(|_request| ())
    }

    /// Waits for this time, or until there is a recheck request after `seen` or a backfill to begin. Returns the newest request.
    pub fn wait(&self, time: Duration, seen: u64) -> Result<u64, Stopping> {
        self.rest(time, |control| control.requests > seen || control.backfill.is_some())
    }

    fn rest(&self, time: Duration, is_woken: impl Fn(&Control) -> bool) -> Result<u64, Stopping> {
        let until = Instant::now() + time;
        let mut control = self.0.control.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if control.stopping || self.1.is_over() {
                return Err(Stopping);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || is_woken(&control) {
                return Ok(control.requests);
            }
            let waited = self.0.changed.wait_timeout(control, left).unwrap_or_else(PoisonError::into_inner);
            control = waited.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, TryRecvError, channel};
    use std::thread;

    use super::*;

    #[actix_rt::test]
    async fn a_thread_that_finishes_a_recheck_and_goes_on_at_once_holds_nobody_up() {
        let handle = LinkHandle::default();
        let link = handle.clone();
        let worker = thread::spawn(move || {
            let mut seen = 0;
            while let Ok(request) = link.wait(Duration::from_mins(1), seen) {
                seen = request;
                link.finish_rechecks(seen);
                for _ in 0..20 {
                    link.update(|shape| shape.reason = Some("goes on".to_owned()));
                }
            }
        });
        for _ in 0..5_000 {
            assert!(handle.recheck(Duration::from_mins(1)).await.0);
        }
        handle.stop();
        worker.join().expect("the thread ends");
    }

    /// The next handle, taken without a sleep: its thread must begin to wait while the term is being ended.
    fn next(handles: &Receiver<LinkHandle>) -> Option<LinkHandle> {
        loop {
            match handles.try_recv() {
                Ok(handle) => return Some(handle),
                Err(TryRecvError::Empty) => std::hint::spin_loop(),
                Err(TryRecvError::Disconnected) => return None,
            }
        }
    }

    #[test]
    fn a_thread_that_begins_to_wait_just_when_its_term_ends_does_not_wait() {
        let (hand, handles) = channel::<LinkHandle>();
        let (tell, told) = channel();
        let worker = thread::spawn(move || {
            while let Some(handle) = next(&handles) {
                tell.send(handle.pause(Duration::from_hours(1))).expect("it is heard");
            }
        });
        for round in 0..40_000 {
            let handle = LinkHandle::default().for_a_term(Duties::default());
            hand.send(handle.clone()).expect("it works");
            (0..round % 100).for_each(|_| std::hint::spin_loop());
            handle.end_term();
            assert_eq!(told.recv(), Ok(Err(Stopping)));
        }
        drop(hand);
        worker.join().expect("the thread ends");
    }
}
