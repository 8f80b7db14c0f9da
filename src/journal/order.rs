//! Gives records their positions. A hub that stands alone counts them itself; positions that come from elsewhere, such as
//! those of a stored history that is applied again, are given to [`Apply`](super::apply::Apply) directly.

use crate::domain::Seq;

/// Counts positions: a record that makes no event leaves its position to the next one.
#[derive(Debug)]
pub struct LocalOrder {
    newest: Seq,
    committed: Seq,
}

impl LocalOrder {
    /// Goes on after `newest`.
    pub fn after(newest: Seq) -> Self {
        Self { newest, committed: newest }
    }

    /// The newest position that was taken.
    pub fn newest(&self) -> Seq {
        self.newest
    }

    /// The position that the next event takes.
    pub fn next(&self) -> Seq {
        Seq(self.newest.0 + 1)
    }

    /// A record took this position.
    pub fn take(&mut self, position: Seq) {
        debug_assert!(position > self.newest, "positions grow");
        self.newest = position;
    }

    /// What was taken is durable; returns the newest position where it is another one than before.
    pub fn commit(&mut self) -> Option<Seq> {
        let before = std::mem::replace(&mut self.committed, self.newest);
        (self.newest > before).then_some(self.newest)
    }

    /// What was taken since the last commit is taken back.
    pub fn roll_back(&mut self) {
        self.newest = self.committed;
    }
}
