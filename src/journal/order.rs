//! Assigns positions to records. A hub on its own counts them. Hubs of a cluster share an order: there a
//! position is that of the record in their stream. Positions of a stored history that is applied again are
//! passed to [`Apply`](super::apply::Apply) directly.

use super::append::Append;
use crate::domain::Seq;

/// An order of records that several hubs share. Records that are appended come back to the writer of every
/// hub, through its [`WriterFeed`](super::queue::WriterFeed), at the same positions.
pub trait SharedOrder: Send + Sync {
    /// Takes a record. If that is not possible, the sender is told at once.
    fn append(&self, append: Append);

    /// A hub took the duties at this position. Called before those who wait for records of the batch are answered.
    fn duties_taken(&self, position: Seq);

    /// Other rules are in force.
    fn rules_raised(&self, number: u32);

    /// Number of records that wait for their position.
    fn waiting(&self) -> usize;

    /// Everything up to this position is stored by this hub.
    fn applied(&self, position: Seq);

    /// The record at this position cannot be stored by this hub, for a reason that does not pass by itself. It is tried again and
    /// again.
    fn stands_at(&self, position: Seq, why: &str);

    /// Takes no more records. Drops the writer's feed once those that wait are settled.
    fn close(&self);
}

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
