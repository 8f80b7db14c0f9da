//! A playback that has begun.

use std::sync::Arc;
use std::time::Duration;

use super::PlaybackNext;
use super::pace::{Pace, Upcoming, UpcomingUpdate};
use crate::domain::Seq;
use crate::journal::Recorded;
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
    /// Updates whose text changed during a read, which may have begun before that was written.
    blanked: Vec<Arc<Recorded>>,
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
            blanked: Vec::new(),
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
        for event in std::mem::take(&mut self.blanked) {
            self.replace(&event);
        }
    }

    /// Replaces updates that were not sent yet, because their text has changed.
    pub(super) fn blank(&mut self, blanked: &[Arc<Recorded>]) {
        for event in blanked {
            self.replace(event);
        }
        if self.waits == Waits::Disk {
            self.blanked.extend(blanked.iter().cloned());
        }
    }

    fn replace(&mut self, event: &Recorded) {
        let updates = &mut self.upcoming.updates;
        let Ok(place) = updates.binary_search_by_key(&event.seq, |update| update.seq) else { return };
        match (event.seen_by(&self.view.scope), updates.get_mut(place)) {
            (Some(frame), Some(update)) => update.frame = frame,
            (Some(_) | None, _) => drop(updates.remove(place)),
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
        // This read begins after them.
        self.blanked.clear();
        PlaybackNext::Read(ReadPlayback { view: Arc::clone(&self.view), left: self.left }, self.number)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::auth::{Identity, Scope};
    use crate::domain::Audience;
    use crate::reads::playback::PlaybackUpdate;

    fn playing() -> Playing {
        let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let scope = Arc::new(Scope::of(&Identity::anonymous()));
        let view = PlaybackView { from, until, channels: [].into(), scope };
        let left = PlaybackRange { after: Seq(0), end: Seq(9) };
        Playing::new(1, Arc::new(view), left, Speed::default())
    }

    fn part(seqs: &[i64]) -> PlaybackPart {
        let update = |seq: &i64| PlaybackUpdate {
            seq: Seq(*seq),
            at: Timestamp::UNIX_EPOCH,
            frame: "um Xilofone".into(),
        };
        PlaybackPart { updates: seqs.iter().map(update).collect(), until: Seq(9) }
    }

    fn blanked(seq: i64) -> [Arc<Recorded>; 1] {
        [Arc::new(Recorded::new(Seq(seq), "blank".into(), Some(Audience::default()), Vec::new()))]
    }

    fn frames(playing: &Playing) -> Vec<&str> {
        playing.upcoming.updates.iter().map(|update| &*update.frame).collect()
    }

    #[test]
    fn what_was_read_ahead_and_is_erased_before_it_is_played_is_played_blank() {
        let mut playing = playing();
        playing.take(part(&[2, 4, 6]));
        playing.blank(&blanked(4));
        playing.blank(&blanked(5));
        assert_eq!(frames(&playing), ["um Xilofone", "blank", "um Xilofone"]);
    }

    #[test]
    fn what_is_erased_while_it_is_read_is_played_blank_too() {
        let mut playing = playing();
        drop(playing.read());
        playing.blank(&blanked(4));
        playing.take(part(&[2, 4]));
        assert_eq!(frames(&playing), ["um Xilofone", "blank"]);
    }
}
