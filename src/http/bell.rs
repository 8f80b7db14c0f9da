//! Wakes threads that wait for something to do, and tells them when the hub stops.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The hub is stopping, so nobody should wait any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopping;

#[derive(Default)]
pub struct Bell {
    state: Mutex<BellState>,
    rung: Condvar,
}

#[derive(Default)]
struct BellState {
    /// How often it was rung.
    rings: u64,
    stopping: bool,
}

impl Bell {
    /// Wakes all threads that wait.
    pub fn ring(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).rings += 1;
        self.rung.notify_all();
    }

    /// Ends all waiting, because the hub is stopping.
    pub fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopping = true;
        self.rung.notify_all();
    }

    /// Waits for this time, or until it was rung more often than `seen`. Returns how often it was rung.
    pub fn wait(&self, time: Duration, seen: u64) -> Result<u64, Stopping> {
        let until = Instant::now() + time;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.stopping {
                return Err(Stopping);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.rings > seen {
                return Ok(state.rings);
            }
            state = self.rung.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
