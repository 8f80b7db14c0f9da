//! When it is asked how far a message came.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::board::{NextStep, OutboxStep};
use crate::journal::outbox::OutboxRow;

/// When it is asked, after the message was handed over.
const ASKED_AFTER: [Duration; 4] =
    [Duration::from_secs(30), Duration::from_mins(2), Duration::from_mins(10), Duration::from_hours(1)];
/// A message that was handed over longer ago is not followed.
pub(super) const FOLLOWED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// The first time that it is asked; a note has no states.
pub(super) fn first(row: &OutboxRow) -> NextStep {
    (!row.shape.private).then(|| (OutboxStep::Follow { asks: 0 }, Instant::now() + ASKED_AFTER[0]))
}

/// The next time that it is asked for a message that a former life of the hub handed over.
pub(super) fn taken_up(row: &OutboxRow, now: Timestamp, instant: Instant) -> NextStep {
    let since = row.shape.attempted_at?;
    let age = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    let asks = ASKED_AFTER.iter().position(|after| *after > age)?;
    Some((OutboxStep::Follow { asks }, instant + ASKED_AFTER[asks].saturating_sub(age)))
}

/// The time after this one.
pub(super) fn next(asks: usize) -> NextStep {
    let (this, after) = (ASKED_AFTER.get(asks)?, ASKED_AFTER.get(asks + 1)?);
    Some((OutboxStep::Follow { asks: asks + 1 }, Instant::now() + after.saturating_sub(*this)))
}
