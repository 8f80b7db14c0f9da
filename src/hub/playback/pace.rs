//! When the updates of a playback are due on the screen's clock. Plain arithmetic: the time is a parameter.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytestring::ByteString;
use jiff::Timestamp;

use crate::domain::Seq;
use crate::hub::sessions::outbox::CHUNK_BYTES;
use crate::protocol::Speed;

/// The longest wait for the next update, however long nothing happened: nobody watches a night pass.
pub const SILENCE_MAX: Duration = Duration::from_secs(5);
/// If a playback is later than this, its clock is set back instead of hurrying. So a screen that reads slowly
/// slows the playback down.
pub const LATE_MAX: Duration = Duration::from_secs(1);

/// Translates times of the past into time since the playback began.
#[derive(Debug)]
pub struct Pace {
    speed: Speed,
    /// The latest time that was translated.
    last: Timestamp,
    /// When `last` is due, counted from the beginning of the playback.
    due: Duration,
}

impl Pace {
    /// A playback that begins at this time.
    pub fn new(from: Timestamp, speed: Speed) -> Self {
        Self { speed, last: from, due: Duration::ZERO }
    }

    /// When the next update, received at `at`, is due. If it was received before the update ahead of it,
    /// it is due with that one, because the order is by position.
    pub fn due(&mut self, at: Timestamp) -> Duration {
        let silence = Duration::try_from(at.duration_since(self.last)).unwrap_or_default();
        self.last = self.last.max(at);
        let silence = silence.as_secs_f64() / self.speed.factor();
        self.due += Duration::from_secs_f64(silence.min(SILENCE_MAX.as_secs_f64()));
        self.due
    }
}

/// An update that will be sent.
#[derive(Debug)]
pub struct UpcomingUpdate {
    pub seq: Seq,
    /// Time since the playback began.
    pub due: Duration,
    pub frame: ByteString,
}

/// What to do with the updates that were read.
#[derive(Debug, PartialEq, Eq)]
pub enum PaceStep {
    /// Send this many, from the first.
    Send(usize),
    /// Nothing is due for this long.
    Wait(Duration),
    Empty,
}

/// A screen's clock, and the updates that wait for it.
#[derive(Debug, Default)]
pub struct Upcoming {
    /// When the clock began, moved forward whenever the screen was slow; `None` before the first step.
    began: Option<Instant>,
    pub updates: VecDeque<UpcomingUpdate>,
}

impl Upcoming {
    pub fn step(&mut self, now: Instant) -> PaceStep {
        let Some(first) = self.updates.front() else { return PaceStep::Empty };
        let began = self.began.get_or_insert(now);
        let elapsed = now.saturating_duration_since(*began);
        if elapsed < first.due {
            return PaceStep::Wait(first.due.saturating_sub(elapsed));
        }
        let late = elapsed.saturating_sub(first.due);
        if late > LATE_MAX {
            *began += late;
        }
        let elapsed = now.saturating_duration_since(*began);
        let mut bytes = 0;
        let due = self.updates.iter().take_while(|update| {
            let fits = update.due <= elapsed && bytes < CHUNK_BYTES;
            bytes += update.frame.len();
            fits
        });
        PaceStep::Send(due.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_772_456_400_000 + milliseconds).unwrap()
    }

    fn dues(speed: f64, moments: &[i64]) -> Vec<u128> {
        let mut pace = Pace::new(at(0), Speed::new(speed).unwrap());
        moments.iter().map(|moment| pace.due(at(*moment)).as_micros()).collect()
    }

    #[test]
    fn what_lay_apart_lies_apart_by_the_same_over_the_speed() {
        assert_eq!(dues(1.0, &[100, 400, 400, 1_000]), [100_000, 400_000, 400_000, 1_000_000]);
        assert_eq!(dues(10.0, &[100, 400, 1_000]), [10_000, 40_000, 100_000]);
        assert_eq!(dues(0.1, &[100, 400]), [1_000_000, 4_000_000]);
        assert_eq!(dues(1_000.0, &[100, 400]), [100, 400]);
    }

    #[test]
    fn a_silence_is_five_seconds_at_most_on_the_screens_clock() {
        let hour = 3_600_000;
        assert_eq!(dues(1.0, &[hour, hour + 500, 3 * hour]), [5_000_000, 5_500_000, 10_500_000]);
        assert_eq!(dues(1_000.0, &[hour, 3 * hour]), [3_600_000, 8_600_000], "an hour is short enough there");
    }

    #[test]
    fn what_came_earlier_than_the_one_before_it_is_due_with_that_one() {
        assert_eq!(dues(1.0, &[1_000, 400, 1_200]), [1_000_000, 1_000_000, 1_200_000]);
    }

    fn upcoming(dues_ms: &[u64]) -> Upcoming {
        let updates = dues_ms.iter().enumerate().map(|(place, due)| UpcomingUpdate {
            seq: Seq(i64::try_from(place).unwrap()),
            due: Duration::from_millis(*due),
            frame: "{}".into(),
        });
        Upcoming { began: None, updates: updates.collect() }
    }

    #[test]
    fn what_is_due_goes_out_together_and_the_rest_waits() {
        let start = Instant::now();
        let later = |ms| start + Duration::from_millis(ms);
        let mut upcoming = upcoming(&[0, 0, 300, 700]);
        assert_eq!(upcoming.step(start), PaceStep::Send(2));
        upcoming.updates.drain(..2);
        assert_eq!(upcoming.step(later(100)), PaceStep::Wait(Duration::from_millis(200)));
        assert_eq!(upcoming.step(later(800)), PaceStep::Send(2), "it is a little late, and hurries");
        upcoming.updates.clear();
        assert_eq!(upcoming.step(later(900)), PaceStep::Empty);
    }

    #[test]
    fn a_screen_that_was_slow_has_the_rest_as_far_apart_as_it_was() {
        let start = Instant::now();
        let mut upcoming = upcoming(&[0, 1_000, 3_000]);
        assert_eq!(upcoming.step(start), PaceStep::Send(1));
        upcoming.updates.pop_front();
        let woken = start + Duration::from_mins(1);
        assert_eq!(upcoming.step(woken), PaceStep::Send(1), "not both at once");
        upcoming.updates.pop_front();
        assert_eq!(upcoming.step(woken), PaceStep::Wait(Duration::from_secs(2)));
    }

    #[test]
    fn no_more_goes_out_at_once_than_a_chunk() {
        let mut upcoming = upcoming(&[0, 0, 0]);
        for update in &mut upcoming.updates {
            update.frame = "x".repeat(CHUNK_BYTES / 2).into();
        }
        assert_eq!(upcoming.step(Instant::now()), PaceStep::Send(2));
        upcoming.updates[0].frame = "x".repeat(2 * CHUNK_BYTES).into();
        assert_eq!(upcoming.step(Instant::now()), PaceStep::Send(1), "one goes, however large");
    }
}
