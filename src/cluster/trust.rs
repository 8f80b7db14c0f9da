//! Whether a hub of a cluster may be trusted: if it has the duties, if its clock is right, if it stored what the others did, and
//! which records all of them pass over. The thread of the cluster writes it, beside the other state.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::SignedDuration;
use tokio::sync::Notify;

use crate::domain::Seq;

/// How far a hub's clock may be ahead of the NATS server's.
pub const AHEAD_MAX: SignedDuration = SignedDuration::from_secs(2);
/// A hub whose clock is off by this much takes no duties. What a smaller difference makes late or early, such as an alert, is no harm;
/// a cluster without duties is.
pub const DUTIES_OFF_MAX: SignedDuration = SignedDuration::from_mins(1);

/// What is known of whether this hub may be trusted.
#[derive(Debug, Default)]
pub struct Trust {
    /// The position at which this hub took the duties last; 0: never.
    fence: AtomicI64,
    /// The position at which any hub took them last.
    duties_taken: AtomicI64,
    /// Number of the rules in force in the cluster.
    rules: AtomicU32,
    /// Records that every hub passes over, by position.
    skips: Mutex<BTreeSet<i64>>,
    /// The position from which on another hub stored something else than this one; 0: none did.
    diverged_from: AtomicI64,
    /// By how many milliseconds this hub's clock is ahead of the NATS server's; negative where it is behind.
    clock_ahead_ms: AtomicI64,
    /// That was measured.
    is_clock_known: AtomicBool,
    /// The database of this hub is of no use, and its next start can get another.
    ends: Notify,
    /// Another hub of the cluster has the name of this one, and began earlier.
    is_name_taken: AtomicBool,
}

impl Trust {
    /// This hub has taken the duties at this position.
    pub fn note_fence(&self, position: Seq) {
        self.fence.store(position.0, Ordering::Release);
        log::info!("this hub has taken the duties of the cluster at position {position}");
    }

    /// What this hub proposes as the owner of the duties carries this.
    pub fn fence(&self) -> Seq {
        Seq(self.fence.load(Ordering::Acquire))
    }

    /// A hub has taken the duties at this position.
    pub fn note_duties_taken(&self, position: Seq) {
        self.duties_taken.store(position.0, Ordering::Release);
    }

    pub fn duties_taken(&self) -> Seq {
        Seq(self.duties_taken.load(Ordering::Acquire))
    }

    /// True if no other hub has taken the duties since this one did.
    pub fn is_fence_in_force(&self) -> bool {
        self.fence() > Seq(0) && self.fence() == self.duties_taken()
    }

    /// These rules are in force in the cluster.
    pub fn note_rules(&self, number: u32) {
        self.rules.store(number, Ordering::Release);
    }

    /// The rules by which this hub applies records.
    pub fn rules(&self) -> u32 {
        self.rules.load(Ordering::Acquire)
    }

    /// Notes which records an operator has skipped.
    pub fn note_skips(&self, positions: BTreeSet<i64>) {
        *self.skips.lock().unwrap_or_else(PoisonError::into_inner) = positions;
    }

    pub fn is_to_skip(&self, position: Seq) -> bool {
        self.skips.lock().unwrap_or_else(PoisonError::into_inner).contains(&position.0)
    }

    /// Notes from which position on another hub stored something else than this one; `None` where none did.
    pub fn note_diverged(&self, from: Option<Seq>) {
        self.diverged_from.store(from.unwrap_or_default().0, Ordering::Release);
    }

    pub fn diverged_from(&self) -> Option<i64> {
        Some(self.diverged_from.load(Ordering::Acquire)).filter(|from| *from > 0)
    }

    /// Notes how far this hub's clock is ahead of the NATS server's.
    pub fn note_clock_ahead(&self, ahead: SignedDuration) {
        let ms = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        let was = self.clock_ahead_ms.swap(ms, Ordering::AcqRel);
        self.is_clock_known.store(true, Ordering::Release);
        let is_off = |ms| SignedDuration::from_millis(ms).abs() >= AHEAD_MAX;
        if is_off(ms) && !is_off(was) {
            log::error!(
                "the clock of this hub differs from the NATS server's by {} s; set it right: until then it takes no duties",
                ms / 1_000
            );
        }
    }

    /// How far this hub's clock is ahead of the NATS server's; negative where it is behind, and zero before that is known.
    pub fn clock_ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.clock_ahead_ms.load(Ordering::Acquire))
    }

    /// The same in whole seconds.
    pub fn clock_ahead_seconds(&self) -> i64 {
        self.clock_ahead().as_secs()
    }

    /// Whether the clock of this hub may decide what is due and what is old enough to be deleted, for all hubs; `None` before that is
    /// known.
    pub fn is_clock_right(&self) -> Option<bool> {
        let is_known = self.is_clock_known.load(Ordering::Acquire);
        is_known.then(|| self.clock_ahead().abs() < DUTIES_OFF_MAX)
    }

    /// The hub is to end now, because its next start can get a copy of another hub's database in place of its own.
    pub fn end_to_begin_anew(&self) {
        self.ends.notify_one();
    }

    /// Waits until it is to end for that.
    pub async fn ends_to_begin_anew(&self) {
        self.ends.notified().await;
    }

    /// Another hub that began earlier has the name of this one.
    pub fn note_name_taken(&self) {
        self.is_name_taken.store(true, Ordering::Release);
    }

    pub fn is_name_taken(&self) -> bool {
        self.is_name_taken.load(Ordering::Acquire)
    }
}
