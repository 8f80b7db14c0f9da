//! What readers of derived files have in common: one can wait until the file has followed the journal.

use crate::domain::Seq;

/// Readers of a file that follows the journal.
pub trait Follows {
    /// How far the file has come.
    type Position;

    /// Waits, for a bounded time, until the file has followed the journal up to `newest`. Returns how far
    /// it has come.
    fn reach(&self, newest: Seq) -> impl Future<Output = Self::Position> + Send;
}
