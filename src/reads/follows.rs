//! What the readers of derived files have in common: they can be waited for.

use crate::domain::Seq;

/// Readers of a file that follows the journal behind.
pub trait Follows {
    /// How far the file has come.
    type Position;

    /// Waits until everything up to `newest` is in it, for a bounded time; where it is then.
    fn reach(&self, newest: Seq) -> impl Future<Output = Self::Position> + Send;
}
