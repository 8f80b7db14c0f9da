//! Why a hub applies nothing more of the stream, and until when.
//!
//! # Contract
//!
//! 1. A hub that is halted takes nothing from the stream and publishes nothing: deliveries go into its inbox.
//! 2. One that stands at a record which it cannot store still publishes, because another hub may be able to. It goes on once the record
//!    is stored, or skipped and the hub started again.
//! 3. The first reason stays, but that of a record which is tried again gives way to any other.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::domain::Seq;

/// Whether this hub is halted, as all threads see it.
#[derive(Debug, Default)]
pub struct Halt(Mutex<Option<Halted>>);

/// Why a hub applies nothing more.
#[derive(Debug)]
struct Halted {
    why: String,
    /// The record that it stands at, where that is the reason.
    at: Option<Seq>,
    /// That record can be read, and it is tried again and again to store it. Others may be able to, so it is published as before.
    is_tried: bool,
    /// Since when it has applied nothing, for whichever reason.
    since: Instant,
}

impl Halt {
    /// Nothing more is taken from the stream until a person has done something.
    pub fn begin(&self, why: String) {
        self.stop(why, None, false);
    }

    /// Nothing more is taken from the stream until an operator has this record skipped.
    pub fn begin_at(&self, position: Seq, what: &str) {
        self.stop(ways_out(position, what), Some(position), false);
    }

    /// Nothing more is applied until this record can be stored, or an operator has it skipped.
    pub fn stand_at(&self, position: Seq, what: &str) {
        if !self.is_on() {
            self.stop(ways_out(position, what), Some(position), true);
        }
    }

    fn stop(&self, why: String, at: Option<Seq>, is_tried: bool) {
        log::error!("this hub applies nothing more of the stream: {why}");
        let mut known = self.known();
        if known.as_ref().is_none_or(|known| known.is_tried) {
            let since = known.as_ref().map_or_else(Instant::now, |known| known.since);
            *known = Some(Halted { why, at, is_tried, since });
        }
    }

    pub fn is_on(&self) -> bool {
        self.known().is_some()
    }

    /// True where this hub is halted, and does not even try.
    pub fn takes_nothing(&self) -> bool {
        self.known().as_ref().is_some_and(|halted| !halted.is_tried)
    }

    /// True if what this hub stored can be trusted: it is not halted, or only at a record that it cannot read.
    pub fn gives_copies(&self) -> bool {
        self.known().as_ref().is_none_or(|halted| halted.at.is_some() && !halted.is_tried)
    }

    /// The record that this hub stands at, where one halts it.
    pub fn at(&self) -> Option<Seq> {
        self.known().as_ref().and_then(|halted| halted.at)
    }

    /// What a person is told of it; `None` while all is well.
    pub fn why(&self) -> Option<String> {
        self.known().as_ref().map(|halted| halted.why.clone())
    }

    /// Since when nothing has been applied, whichever reason came first.
    pub fn since(&self) -> Option<Instant> {
        self.known().as_ref().map(|halted| halted.since)
    }

    /// Goes on behind a record that halted this hub.
    pub fn resume_behind(&self, position: Seq) {
        let mut halted = self.known();
        if halted.as_ref().is_some_and(|halted| halted.at == Some(position)) {
            log::warn!("the record at position {position} is skipped, as an operator decided");
            *halted = None;
        }
    }

    /// A record that could not be stored is stored.
    pub fn note_stored(&self, position: i64) {
        let mut halted = self.known();
        if halted.as_ref().is_some_and(|halted| halted.is_tried && halted.at <= Some(Seq(position))) {
            log::info!("the record that this hub stood at is stored");
            *halted = None;
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<Halted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an operator is told of a record that a hub stands at.
fn ways_out(position: Seq, what: &str) -> String {
    format!(
        "the record at position {position} {what}; if another hub goes on behind it, see docs/cluster.md; if all stand at it, \
         umbler-hub cluster skip {position} has them pass over it"
    )
}
