//! How much is queued for one session. The hub adds to the count and the session subtracts, so the hub knows
//! what is left without asking.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Messages that may wait for a session. Each commit is one message: at the highest pace that was measured
/// (about 500 commits a second) this is half a second without reading.
pub const MESSAGES_MAX: usize = 256;
/// Bytes that may wait for a session, not counting what the kernel holds.
pub const BYTES_MAX: usize = 1024 * 1024;

/// Counters of one session's queue.
///
/// Sequentially consistent, because hub and session meet here. The hub asks to be told and then checks
/// whether the queue is empty; the session empties it and then checks whether the hub asked. With a weaker
/// ordering both could miss the other.
#[derive(Debug, Default)]
pub struct Backlog {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    /// The hub asked to be told when the queue is empty.
    awaited: AtomicBool,
}

impl Backlog {
    /// Counts a message that is queued. Returns false, without counting it, if that would exceed a bound.
    /// An empty queue takes any one message: a snapshot may be larger than the bound, and a session that
    /// could never get it would ask again for ever.
    pub fn try_add(&self, bytes: usize) -> bool {
        // Only the hub adds, and the session only subtracts, so reading before adding is not a race.
        let messages = self.messages.load(Ordering::SeqCst);
        let full = messages >= MESSAGES_MAX || self.bytes.load(Ordering::SeqCst) + bytes > BYTES_MAX;
        if messages > 0 && full {
            return false;
        }
        self.messages.fetch_add(1, Ordering::SeqCst);
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
        true
    }

    /// Counts a message that was read. Returns true if the queue is now empty and the hub must be told.
    pub fn subtract(&self, bytes: usize) -> bool {
        self.bytes.fetch_sub(bytes, Ordering::SeqCst);
        let left = self.messages.fetch_sub(1, Ordering::SeqCst) - 1;
        left == 0 && self.awaited.swap(false, Ordering::SeqCst)
    }

    /// Number of messages that wait.
    pub fn messages(&self) -> usize {
        self.messages.load(Ordering::SeqCst)
    }

    pub fn is_empty(&self) -> bool {
        self.messages.load(Ordering::SeqCst) == 0
    }

    /// Asks to be told when the queue is empty. Returns true if it already is.
    pub fn await_empty(&self) -> bool {
        self.awaited.store(true, Ordering::SeqCst);
        self.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_ends_at_its_bound_of_messages_and_of_bytes() {
        let backlog = Backlog::default();
        for _ in 0..MESSAGES_MAX {
            assert!(backlog.try_add(1));
        }
        assert!(!backlog.try_add(1), "one message more than the bound");
        let backlog = Backlog::default();
        assert!(backlog.try_add(BYTES_MAX));
        assert!(!backlog.try_add(1), "one byte more than the bound");
        backlog.subtract(BYTES_MAX);
        assert!(backlog.is_empty());
        assert!(backlog.try_add(BYTES_MAX + 1), "an empty queue takes any one message");
        assert!(!backlog.try_add(0), "and then it is full");
    }

    #[test]
    fn the_hub_is_told_once_when_the_queue_is_empty_and_it_asked() {
        let backlog = Backlog::default();
        assert!(backlog.try_add(1) && backlog.try_add(1));
        assert!(!backlog.await_empty());
        assert!(!backlog.subtract(1), "one is left");
        assert!(backlog.subtract(1));
        assert!(backlog.try_add(1));
        assert!(!backlog.subtract(1), "nobody asked again");
        assert!(backlog.await_empty(), "told at once");
    }
}
