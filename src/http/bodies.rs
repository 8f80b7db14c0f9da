//! Bounds the memory of large deliveries that arrive at the same time: a thousand connections with 10 MiB each
//! would take 10 GB. A body gets its whole share before it is read, so that none waits with half of it;
//! meanwhile its sender is held back by its own connection. Parsing and compressing a body takes several times
//! its size, so no more of them are worked on at once than there are cores. Small bodies need neither, so large
//! ones never delay them.

use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Most bytes of large bodies in memory at the same time, besides what parsing and compressing takes.
pub const LARGE_BODIES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes up to which a body is small. Nearly all deliveries are.
pub const SMALL_BODY_BYTES_MAX: usize = 64 * 1024;
/// Seconds that a large body waits for its share, and again for its turn.
pub const SHARE_SECONDS_MAX: u64 = 4;
/// Bytes of one permit of the semaphore.
const PERMIT_BYTES: usize = 1024;

/// The memory that large bodies share.
#[derive(Debug)]
pub struct Bodies {
    shares: Semaphore,
    turns: Semaphore,
}

impl Default for Bodies {
    fn default() -> Self {
        Self {
            shares: Semaphore::new(LARGE_BODIES_BYTES_MAX / PERMIT_BYTES),
            turns: Semaphore::new(available_parallelism().map_or(1, NonZero::get)),
        }
    }
}

impl Bodies {
    /// Takes a share for a body of this size, which is returned when the delivery has been answered. `None`
    /// where others do not return theirs in time.
    pub async fn share(&self, bytes: usize, within: Duration) -> Option<SemaphorePermit<'_>> {
        let permits = bytes.min(LARGE_BODIES_BYTES_MAX).div_ceil(PERMIT_BYTES);
        let share = self.shares.acquire_many(u32::try_from(permits).unwrap_or(u32::MAX));
        tokio::time::timeout(within, share).await.ok()?.ok()
    }

    /// Waits for a turn to parse and compress a large body, which is returned when that is done. `None` where
    /// none comes in time.
    pub async fn turn(&self, within: Duration) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout(within, self.turns.acquire()).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn a_body_waits_for_its_share_and_is_refused_where_none_comes_free() {
        let bodies = Bodies::default();
        let all = bodies.share(LARGE_BODIES_BYTES_MAX, Duration::ZERO).await.unwrap();
        assert!(bodies.share(1, Duration::ZERO).await.is_none(), "one byte more than the bound");
        let patient = bodies.share(1, Duration::from_mins(1));
        let (found, ()) = futures_util::join!(patient, async { drop(all) });
        assert!(found.is_some(), "it came free in time");
        drop(found);
        let all = bodies.share(LARGE_BODIES_BYTES_MAX + 1, Duration::ZERO).await;
        assert!(all.is_some(), "no body is too large for ever");
    }
}
