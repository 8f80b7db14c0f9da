//! Whether the stream that answers is known to be the one that this hub has followed.
//!
//! # Contract
//!
//! 1. It is doubted at every connect, while there is no connection, and whenever it seems to end too early. Until it is known again,
//!    nothing is taken from it, and what it acknowledges counts for nothing.
//! 2. It is known by the last record that was taken from it ([`identify`](super::stream::identify)).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::journal::StreamPlace;

/// What is known of the stream, as all threads see it.
#[derive(Debug, Default)]
pub struct StreamIdentity {
    is_known: AtomicBool,
    doubts: AtomicU64,
    /// The last record that was taken, which may still wait to be applied; `None` before the database is opened.
    taken: Mutex<Option<StreamPlace>>,
}

impl StreamIdentity {
    pub fn note(&self, is_known: bool) {
        if !is_known {
            self.doubts.fetch_add(1, Ordering::AcqRel);
        }
        self.is_known.store(is_known, Ordering::Release);
    }

    pub fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Acquire)
    }

    /// Grows with every doubt, so that what came before one is told from what comes after it.
    pub fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::Acquire)
    }

    pub fn note_taken(&self, place: StreamPlace) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    pub fn taken(&self) -> Option<StreamPlace> {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
