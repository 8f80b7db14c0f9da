//! Assigns positions to records. A hub on its own counts them. Positions from elsewhere, such as those of a
//! stored history that is applied again, are passed to [`Apply`](super::apply::Apply) directly.

use crate::domain::Seq;

/// Counts positions. A record that makes no event leaves its position to the next one.
#[derive(Debug)]
pub struct LocalOrder {
    newest: Seq,
    committed: Seq,
}

impl LocalOrder {
    /// Counts on from the newest position that is stored.
    pub fn after(newest: Seq) -> Self {
        Self { newest, committed: newest }
    }

    /// The newest position that was taken.
    pub fn newest(&self) -> Seq {
        self.newest
    }

    /// The position for the next event.
    pub fn next(&self) -> Seq {
        Seq(self.newest.0 + 1)
    }

    /// Notes that an event has taken this position.
    pub fn take(&mut self, position: Seq) {
        debug_assert!(position > self.newest, "positions grow");
        self.newest = position;
    }

    /// Notes that the positions are durable. Returns the newest if there is a new one.
    pub fn commit(&mut self) -> Option<Seq> {
        let before = std::mem::replace(&mut self.committed, self.newest);
        (self.newest > before).then_some(self.newest)
    }

    /// Takes back the positions since the last commit.
    pub fn roll_back(&mut self) {
        self.newest = self.committed;
    }
}
