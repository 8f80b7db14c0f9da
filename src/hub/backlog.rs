//! What is queued for one session: counted up by the hub, down by the session.
//!
//! The session is not polled while its peer does not read, so its own mailbox tells nobody how full it is.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Messages that may wait in a session's mailbox. One commit is one message, so this is a number of commits:
/// at the busiest measured pace (about 500 commits a second) half a second of not reading.
pub const MESSAGES_MAX: usize = 256;
/// Bytes that may wait in a session's mailbox, besides what the kernel holds.
pub const BYTES_MAX: usize = 1024 * 1024;

/// Counters of one session's queue.
#[derive(Debug, Default)]
pub struct Backlog {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    /// The session missed something and gets nothing more until it has read what it has.
    behind: AtomicBool,
}

impl Backlog {
    /// Counts a message in, unless it would break a bound. An empty queue takes any one message: a snapshot may be
    /// larger than the bound, and a session that could never get it would ask for it for ever.
    pub fn try_add(&self, bytes: usize) -> bool {
        // Only the hub adds, so reading before adding is no race; the session only ever subtracts.
        let messages = self.messages.load(Ordering::Relaxed);
        let full = messages >= MESSAGES_MAX || self.bytes.load(Ordering::Relaxed) + bytes > BYTES_MAX;
        if messages > 0 && full {
            return false;
        }
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        true
    }

    /// Counts a message out.
    pub fn subtract(&self, bytes: usize) {
        self.messages.fetch_sub(1, Ordering::AcqRel);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// True where nothing waits.
    pub fn is_empty(&self) -> bool {
        self.messages.load(Ordering::Acquire) == 0
    }

    /// Marks the session as behind, or as current again.
    pub fn set_behind(&self, behind: bool) {
        self.behind.store(behind, Ordering::Release);
    }

    /// True where the session missed something.
    pub fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Acquire)
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
}
