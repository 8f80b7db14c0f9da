//! How this hub fares in its cluster. The thread of the cluster writes it; health, metrics and duties read it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::halt::Halt;
use super::identity::StreamIdentity;
use super::roster::{FORGOTTEN_AFTER, Peer, Roster};
use super::trust::Trust;

/// How long a hub stays ready without a connection to NATS.
pub const CUT_OFF_MAX: Duration = Duration::from_secs(10);
/// How long a hub that is behind the stream stays ready.
pub const BEHIND_MAX: Duration = Duration::from_secs(10);
/// Positions that a hub may be behind the stream and still be ready.
pub const BEHIND_POSITIONS_MAX: i64 = 20_000;

/// How this hub fares. Clones share it.
#[derive(Debug, Clone)]
pub struct ClusterState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    node: String,
    stream: String,
    connected: AtomicBool,
    identity: StreamIdentity,
    caught_up: AtomicBool,
    applied: AtomicI64,
    newest: AtomicI64,
    inbox_records: AtomicU64,
    inbox_bytes: AtomicU64,
    replicas: AtomicUsize,
    replicas_current: AtomicUsize,
    /// Until when this hub has the duties that only one has.
    owner_until: Mutex<Option<tokio::time::Instant>>,
    sessions: AtomicU64,
    other_ready: AtomicBool,
    trust: Trust,
    peers: Mutex<Roster>,
    times: Mutex<Since>,
    halt: Halt,
    trouble: Mutex<Option<String>>,
}

/// Since when something is so; `None` where it is not.
#[derive(Debug)]
struct Since {
    cut_off: Option<Instant>,
    /// A position that is not applied yet, and when the stream was first seen to have it.
    behind: Option<(i64, Instant)>,
    inbox_filled: Option<Instant>,
    /// The last look that told how far the stream has come began then.
    looked: Option<Instant>,
}

/// What health shows and metrics count, at one moment.
#[derive(Debug, Clone)]
pub struct ClusterReport {
    pub node: String,
    pub stream: String,
    pub connected: bool,
    pub ready: bool,
    pub applied: i64,
    pub newest: i64,
    /// Seconds for which this hub has been behind the stream; 0 if it is not.
    pub lag_seconds: u64,
    pub inbox: u64,
    pub inbox_bytes: u64,
    /// Seconds since when the inbox has not been empty; 0 if it is.
    pub inbox_seconds: u64,
    pub replicas: usize,
    pub replicas_current: usize,
    /// True where this hub has the duties that only one has.
    pub owner: bool,
    /// Number of the rules in force in the cluster.
    pub rules: u32,
    /// Sessions that are connected to this hub.
    pub sessions: u64,
    pub peers: Vec<Peer>,
    /// The position from which on another hub stored something else than this one; `None` where none did.
    pub diverged_from: Option<i64>,
    /// By how many whole seconds this hub's clock is ahead of the NATS server's; negative where it is behind.
    pub clock_ahead_seconds: i64,
    pub halted: Option<String>,
}

impl ClusterState {
    pub fn new(node: &str, stream: &str) -> Self {
        let times = Since { cut_off: Some(Instant::now()), behind: None, inbox_filled: None, looked: None };
        Self(Arc::new(Inner {
            node: node.to_owned(),
            stream: stream.to_owned(),
            connected: AtomicBool::new(false),
            identity: StreamIdentity::default(),
            caught_up: AtomicBool::new(false),
            applied: AtomicI64::new(0),
            newest: AtomicI64::new(0),
            inbox_records: AtomicU64::new(0),
            inbox_bytes: AtomicU64::new(0),
            replicas: AtomicUsize::new(0),
            replicas_current: AtomicUsize::new(0),
            owner_until: Mutex::new(None),
            sessions: AtomicU64::new(0),
            other_ready: AtomicBool::new(false),
            trust: Trust::default(),
            peers: Mutex::new(Roster::default()),
            times: Mutex::new(times),
            halt: Halt::default(),
            trouble: Mutex::new(None),
        }))
    }

    /// Without a connection the stream may be put back to an older state, so it must be found to be the right one again.
    pub fn note_connected(&self, is_connected: bool) {
        if !is_connected {
            self.identity().note(false);
        }
        self.0.connected.store(is_connected, Ordering::Release);
        let mut times = locked(&self.0.times);
        times.cut_off = if is_connected { None } else { times.cut_off.or(Some(Instant::now())) };
    }

    pub fn is_connected(&self) -> bool {
        self.0.connected.load(Ordering::Acquire)
    }

    /// The last thing that the connection complained of, for the error of a start without one.
    pub fn note_trouble(&self, what: String) {
        *locked(&self.0.trouble) = Some(what);
    }

    pub fn trouble(&self) -> String {
        locked(&self.0.trouble).clone().unwrap_or_else(|| "it does not answer".to_owned())
    }

    /// Whether the stream is known to be that of the database.
    pub fn identity(&self) -> &StreamIdentity {
        &self.0.identity
    }

    /// True while records may be published: there is a connection, and the stream is the right one.
    pub fn is_open(&self) -> bool {
        self.is_connected() && self.identity().is_known() && !self.halt().takes_nothing()
    }

    /// Whether it applies what the stream has, and why not.
    pub fn halt(&self) -> &Halt {
        &self.0.halt
    }

    /// What is known of whether this hub may be trusted.
    pub fn trust(&self) -> &Trust {
        &self.0.trust
    }

    pub fn note_applied(&self, position: i64) {
        self.0.applied.fetch_max(position, Ordering::AcqRel);
        self.note_newest(position);
        self.halt().note_stored(position);
    }

    pub fn applied(&self) -> i64 {
        self.0.applied.load(Ordering::Acquire)
    }

    /// The stream has this position.
    pub fn note_newest(&self, position: i64) {
        self.0.newest.fetch_max(position, Ordering::AcqRel);
        let mut times = locked(&self.0.times);
        // Read under the lock: two threads note positions, and the last to come here must see what both noted.
        let (applied, newest) = (self.applied(), self.newest());
        // While many records come, some are always on their way. So it counts for how long one of them has been.
        times.behind = match times.behind {
            Some((waits, since)) if applied < waits => Some((waits, since)),
            Some(_) | None => (applied < newest).then(|| (newest, Instant::now())),
        };
    }

    pub fn newest(&self) -> i64 {
        self.0.newest.load(Ordering::Acquire)
    }

    /// A look that began then told how far the stream has come.
    pub fn note_looked(&self, began: Instant) {
        locked(&self.0.times).looked = Some(began);
    }

    /// False if the stream is known not to have had this position at a moment.
    pub fn may_have(&self, position: i64, at: Instant) -> bool {
        position <= self.newest() || locked(&self.0.times).looked.is_none_or(|looked| looked < at)
    }

    /// What the stream held when this hub started is applied.
    pub fn note_caught_up(&self) {
        self.0.caught_up.store(true, Ordering::Release);
    }

    pub fn note_inbox(&self, records: u64, bytes: u64) {
        self.0.inbox_records.store(records, Ordering::Release);
        self.0.inbox_bytes.store(bytes, Ordering::Release);
        let mut times = locked(&self.0.times);
        times.inbox_filled = if records > 0 { times.inbox_filled.or(Some(Instant::now())) } else { None };
    }

    pub fn inbox_records(&self) -> u64 {
        self.0.inbox_records.load(Ordering::Acquire)
    }

    pub fn inbox_bytes(&self) -> u64 {
        self.0.inbox_bytes.load(Ordering::Acquire)
    }

    pub fn note_replicas(&self, all: usize, current: usize) {
        self.0.replicas.store(all, Ordering::Release);
        self.0.replicas_current.store(current, Ordering::Release);
    }

    /// How many NATS servers keep the stream; 0 before that is known.
    pub fn replicas(&self) -> usize {
        self.0.replicas.load(Ordering::Acquire)
    }

    /// Until then this hub has the lease of the duties.
    pub fn note_owner_until(&self, until: tokio::time::Instant) {
        *locked(&self.0.owner_until) = Some(until);
    }

    /// True while this hub has the lease, and nobody took the duties since it did.
    pub fn is_owner(&self) -> bool {
        self.has_lease() && self.trust().is_fence_in_force()
    }

    pub fn has_lease(&self) -> bool {
        locked(&self.0.owner_until).is_some_and(|until| tokio::time::Instant::now() < until)
    }

    /// What the other hubs say of themselves now.
    pub fn note_peers(&self, told: Vec<Peer>) {
        locked(&self.0.peers).note(told, Instant::now());
    }

    pub fn note_sessions(&self, sessions: usize) {
        self.0.sessions.store(sessions as u64, Ordering::Release);
    }

    /// For how long this hub has been without the stream: cut off from it, or halted.
    pub fn cut_off_for(&self) -> Duration {
        let cut_off = locked(&self.0.times).cut_off;
        let since = cut_off.into_iter().chain(self.halt().since()).min();
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// For how long what this hub shows may have been older than what the stream has.
    pub fn out_of_step_for(&self) -> Duration {
        self.cut_off_for().max(self.behind_for())
    }

    /// For how long a record that the stream has has not been applied here.
    fn behind_for(&self) -> Duration {
        locked(&self.0.times).behind.map_or(Duration::ZERO, |(_, since)| since.elapsed())
    }

    /// True if this hub shows what the stream has, or is about to.
    pub fn is_ready(&self) -> bool {
        !self.halt().is_on()
            && self.0.caught_up.load(Ordering::Acquire)
            && self.cut_off_for() < CUT_OFF_MAX
            && self.behind_for() < BEHIND_MAX
            && self.newest() - self.applied() < BEHIND_POSITIONS_MAX
    }

    /// Another hub says that it is ready, although this one is cut off.
    pub fn note_other_ready(&self, is_ready: bool) {
        self.0.other_ready.store(is_ready, Ordering::Release);
    }

    /// True if screens are better off at another hub.
    pub fn sends_screens_away(&self) -> bool {
        self.cut_off_for() >= CUT_OFF_MAX && self.0.other_ready.load(Ordering::Acquire)
    }

    /// The other hubs that were heard of within the last minute.
    pub fn peers(&self) -> Vec<Peer> {
        let roster = locked(&self.0.peers);
        roster.peers().iter().filter(|peer| peer.heard.elapsed() < FORGOTTEN_AFTER).cloned().collect()
    }

    pub fn report(&self) -> ClusterReport {
        let inbox_age = locked(&self.0.times).inbox_filled.map_or(Duration::ZERO, |since| since.elapsed());
        ClusterReport {
            node: self.0.node.clone(),
            stream: self.0.stream.clone(),
            connected: self.is_connected(),
            ready: self.is_ready(),
            applied: self.applied(),
            newest: self.newest(),
            lag_seconds: self.behind_for().as_secs(),
            inbox: self.inbox_records(),
            inbox_bytes: self.inbox_bytes(),
            inbox_seconds: inbox_age.as_secs(),
            replicas: self.replicas(),
            replicas_current: self.0.replicas_current.load(Ordering::Acquire),
            owner: self.is_owner(),
            rules: self.trust().rules(),
            sessions: self.0.sessions.load(Ordering::Acquire),
            peers: self.peers(),
            diverged_from: self.trust().diverged_from(),
            clock_ahead_seconds: self.trust().clock_ahead_seconds(),
            halted: self.halt().why(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::domain::Seq;

    #[test]
    fn a_hub_that_has_applied_everything_is_not_behind_whichever_thread_noted_it_last() {
        let (state, together) = (ClusterState::new("a", "hub"), Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for position in 1..=20_000 {
                    together.wait();
                    state.note_newest(position);
                    together.wait();
                    assert_eq!(state.behind_for(), Duration::ZERO, "at {position}");
                }
            });
            for position in 1..=20_000 {
                together.wait();
                state.note_applied(position);
                together.wait();
            }
        });
    }

    #[test]
    fn a_hub_that_applies_as_fast_as_records_come_is_not_behind() {
        let state = ClusterState::new("a", "hub");
        let waits = |state: &ClusterState| locked(&state.0.times).behind.map(|(position, _)| position);
        state.note_newest(2);
        assert_eq!(waits(&state), Some(2));
        state.note_newest(4);
        state.note_applied(1);
        assert_eq!(waits(&state), Some(2), "it counts from the first of them");
        state.note_applied(2);
        assert_eq!(waits(&state), Some(4), "that one is applied; others came meanwhile");
        state.note_applied(4);
        assert_eq!(waits(&state), None);
    }

    #[test]
    fn a_hub_that_is_halted_is_not_open_whatever_is_found_of_the_stream() {
        let state = ClusterState::new("a", "hub");
        state.note_connected(true);
        state.halt().begin_at(Seq(7), "cannot be read");
        // A look at the stream that began before ends after it.
        state.identity().note(true);
        assert!(!state.is_open() && state.halt().gives_copies());
        state.halt().resume_behind(Seq(7));
        assert!(state.is_open());
        state.halt().begin("it differs".to_owned());
        state.identity().note(true);
        assert!(!state.is_open() && !state.halt().gives_copies());
    }

    #[test]
    fn a_hub_that_cannot_store_a_record_goes_on_publishing_and_is_halted_until_it_is_stored() {
        let state = ClusterState::new("a", "hub");
        state.note_connected(true);
        state.identity().note(true);
        state.halt().stand_at(Seq(7), "cannot be stored");
        assert!(state.is_open() && state.halt().is_on() && !state.halt().gives_copies());
        assert_eq!(state.halt().at(), Some(Seq(7)));
        state.note_applied(6);
        assert!(state.halt().is_on());
        state.note_applied(7);
        assert!(!state.halt().is_on() && state.cut_off_for() == Duration::ZERO);
        state.halt().stand_at(Seq(8), "cannot be stored");
        state.halt().begin("it differs".to_owned());
        state.note_applied(8);
        assert!(state.halt().is_on() && !state.is_open(), "the weightier reason stays");
    }
}
