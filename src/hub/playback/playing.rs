//! A playback that has begun.

use std::sync::Arc;
use std::time::Duration;

use super::PlaybackNext;
use super::pace::{Pace, Upcoming, UpcomingUpdate};
use crate::domain::Seq;
use crate::protocol::Speed;
use crate::reads::{PlaybackPart, PlaybackRange, PlaybackView, ReadPlayback};

/// A playback that has begun.
#[derive(Debug)]
pub struct Playing {
    number: u64,
    pub(super) view: Arc<PlaybackView>,
    /// Range that was not read yet.
    pub(super) left: PlaybackRange,
    pace: Pace,
    pub(super) upcoming: Upcoming,
    /// Position of the last update that was sent.
    pub(super) sent: Seq,
    pub(super) waits: Waits,
    /// Failed reads in a row.
    pub(super) reads_failed: u32,
}

/// What a playback is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// The screen to read what it was sent.
    Screen,
    /// The next update to become due.
    Clock,
    Disk,
}

impl Playing {
    /// A playback of which nothing was read yet.
    pub(super) fn new(number: u64, view: Arc<PlaybackView>, left: PlaybackRange, speed: Speed) -> Self {
        let pace = Pace::new(view.from, speed);
        Self {
            number,
            view,
            left,
            pace,
            upcoming: Upcoming::default(),
            sent: Seq(0),
            waits: Waits::Screen,
            reads_failed: 0,
        }
    }

    /// True if this is the playback with this number, and it waits for this.
    pub(super) fn waits_with(&self, number: u64, waits: Waits) -> bool {
        self.number == number && self.waits == waits
    }

    /// Takes over the updates that were read.
    pub(super) fn take(&mut self, part: PlaybackPart) {
        self.reads_failed = 0;
        self.left.after = part.until;
        for update in part.updates {
            let due = self.pace.due(update.at);
            self.upcoming.updates.push_back(UpcomingUpdate { seq: update.seq, due, frame: update.frame });
        }
    }

    /// Drops the first updates, which were sent.
    pub(super) fn note_sent(&mut self, count: usize) {
        if let Some(last) = self.upcoming.updates.drain(..count).next_back() {
            self.sent = last.seq;
        }
    }

    pub(super) fn wait(&mut self, wait: Duration) -> PlaybackNext {
        self.waits = Waits::Clock;
        PlaybackNext::Wait(wait, self.number)
    }

    /// Continues once more was read.
    pub(super) fn read(&mut self) -> PlaybackNext {
        self.waits = Waits::Disk;
        PlaybackNext::Read(ReadPlayback { view: Arc::clone(&self.view), left: self.left }, self.number)
    }
}
