//! What the edge and the link to Umbler's API share: how the link is, for whoever asks, and a bell that has it look at once.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::protocol::LinkShape;

/// How the link is, and the bell.
#[derive(Clone)]
pub struct LinkDesk(Arc<Inner>);

struct Inner {
    told: watch::Sender<Told>,
    bell: Mutex<Bell>,
    rung: Condvar,
}

/// How the link is, and how often it looked at everything that the bell asks for.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub shape: LinkShape,
    /// Counts the rings that were answered.
    pub answered: u64,
}

#[derive(Default)]
struct Bell {
    rings: u64,
    stopping: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopping;

impl Default for LinkDesk {
    fn default() -> Self {
        Self(Arc::new(Inner { told: watch::Sender::default(), bell: Mutex::default(), rung: Condvar::new() }))
    }
}

impl LinkDesk {
    pub fn shape(&self) -> LinkShape {
        self.0.told.borrow().shape.clone()
    }

    /// Tells how the link is now.
    pub fn tell(&self, change: impl FnOnce(&mut LinkShape)) {
        self.0.told.send_modify(|told| change(&mut told.shape));
    }

    /// Has the link look at everything at once; how it is once it did comes through the channel.
    pub fn ring(&self) -> (u64, watch::Receiver<Told>) {
        let told = self.0.told.subscribe();
        let mut bell = self.0.bell.lock().unwrap_or_else(PoisonError::into_inner);
        bell.rings += 1;
        self.0.rung.notify_all();
        (bell.rings, told)
    }

    /// The rings up to this one were answered.
    pub fn answer(&self, ring: u64) {
        self.0.told.send_modify(|told| told.answered = told.answered.max(ring));
    }

    /// The hub ends: nobody waits any more.
    pub fn stop(&self) {
        self.0.bell.lock().unwrap_or_else(PoisonError::into_inner).stopping = true;
        self.0.rung.notify_all();
    }

    /// Waits; a ring does not shorten it, the hub's end does.
    pub fn pause(&self, time: Duration) -> Result<(), Stopping> {
        self.wait(time, u64::MAX).map(|_ring| ())
    }

    /// Waits, but no longer than until there is a later ring than `heard`. Returns the newest one.
    pub fn wait(&self, time: Duration, heard: u64) -> Result<u64, Stopping> {
        let until = Instant::now() + time;
        let mut bell = self.0.bell.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if bell.stopping {
                return Err(Stopping);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || bell.rings > heard {
                return Ok(bell.rings);
            }
            let waited = self.0.rung.wait_timeout(bell, left).unwrap_or_else(PoisonError::into_inner);
            bell = waited.0;
        }
    }
}
