//! The newest updates, kept in memory for clients that reconnect. Thousands of screens that reconnect after a
//! restart need no read from the database.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::Seq;
use crate::journal::Recorded;

/// The most bytes of updates that are kept in memory.
pub const RING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The newest updates, in order. Bounded in number and bytes.
#[derive(Debug)]
pub struct Ring {
    events: VecDeque<Arc<Recorded>>,
    bytes: usize,
    updates_max: usize,
    /// The ring holds every update after this position.
    begins_after: Seq,
}

impl Ring {
    /// A ring with the newest `events` of a journal whose newest position is `newest`.
    pub fn new(updates_max: usize, events: &[Arc<Recorded>], newest: Seq) -> Self {
        let mut ring = Self { events: VecDeque::new(), bytes: 0, updates_max, begins_after: newest };
        if let Some(first) = events.first() {
            ring.begins_after = Seq(first.seq.0 - 1);
        }
        ring.add(events);
        ring
    }

    /// Adds the updates of a commit, and drops the oldest beyond the bounds.
    pub fn add(&mut self, events: &[Arc<Recorded>]) {
        for event in events {
            self.bytes += event.weight();
            self.events.push_back(Arc::clone(event));
        }
        while self.events.len() > self.updates_max || self.bytes > RING_BYTES_MAX {
            let Some(gone) = self.events.pop_front() else { break };
            self.bytes -= gone.weight();
            self.begins_after = gone.seq;
        }
    }

    /// Replaces the updates that have the same positions as these.
    pub fn replace(&mut self, blanked: &[Arc<Recorded>]) {
        for event in blanked {
            if let Ok(place) = self.events.binary_search_by_key(&event.seq, |known| known.seq)
                && let Some(known) = self.events.get_mut(place)
            {
                self.bytes = self.bytes - known.weight() + event.weight();
                *known = Arc::clone(event);
            }
        }
    }

    /// True if the ring holds every update after `position`.
    pub fn reaches_back_to(&self, position: Seq) -> bool {
        position >= self.begins_after
    }

    /// The updates after `position`, in order.
    pub fn after(&self, position: Seq) -> impl Iterator<Item = &Arc<Recorded>> {
        let from = self.events.partition_point(|event| event.seq <= position);
        self.events.range(from..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: i64) -> Arc<Recorded> {
        Arc::new(Recorded::new(Seq(seq), "{}".into(), None, Vec::new()))
    }

    fn seqs(ring: &Ring, after: i64) -> Vec<i64> {
        ring.after(Seq(after)).map(|event| event.seq.0).collect()
    }

    #[test]
    fn it_keeps_the_newest_and_knows_how_far_back_it_reaches() {
        let mut ring = Ring::new(3, &[event(4), event(5)], Seq(5));
        assert!(ring.reaches_back_to(Seq(3)) && !ring.reaches_back_to(Seq(2)));
        ring.add(&[event(6), event(7)]);
        assert_eq!(seqs(&ring, 0), [5, 6, 7]);
        assert_eq!(seqs(&ring, 6), [7]);
        assert!(ring.reaches_back_to(Seq(4)) && !ring.reaches_back_to(Seq(3)));
    }

    #[test]
    fn an_empty_one_begins_at_the_present() {
        let ring = Ring::new(3, &[], Seq(9));
        assert!(ring.reaches_back_to(Seq(9)) && !ring.reaches_back_to(Seq(8)));
    }
}
