//! A range of the past that is played to a screen: found by its times, then counted and read in small steps,
//! as a scope sees it.
//!
//! Positions grow with the time of receipt, so the position of a moment is found by binary search. Deliveries
//! that arrive together may have swapped positions within [`DISORDER_MAX`]. So the range is widened by that
//! much on either side, and each update is checked by its own time.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytestring::ByteString;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};

use super::updates::recorded;
use super::{Query, ReadError};
use crate::auth::Scope;
use crate::domain::Seq;
use crate::domain::register::{from_nanos, to_nanos};
use crate::journal::head::last_seq;
use crate::protocol::Channel;

/// How far positions and times of receipt may be out of order: more than the number of deliveries that can
/// wait for the journal at once.
const DISORDER_MAX: i64 = 1_000;
/// Positions that one step of counting examines.
const COUNTED_MAX: usize = 5_000;
/// Positions that one read examines. A limited scope may see few of them.
const EXAMINED_MAX: usize = 5_000;
/// The most updates that one read returns.
pub const PART_UPDATES_MAX: usize = 500;
/// Bytes of frames after which a read ends.
pub const PART_BYTES_MAX: usize = 1024 * 1024;

/// A period of the past, and what of it is played.
#[derive(Debug, Clone)]
pub struct PlaybackView {
    pub from: Timestamp,
    /// Last moment of receipt, included.
    pub until: Timestamp,
    pub channels: BTreeSet<Channel>,
    pub scope: Arc<Scope>,
}

impl PlaybackView {
    fn spans(&self, received_at: i64) -> bool {
        (to_nanos(self.from)..=to_nanos(self.until)).contains(&received_at)
    }
}

/// Range of positions that is still to be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaybackRange {
    /// The range begins after this position.
    pub after: Seq,
    /// The last position of the range.
    pub end: Seq,
}

impl PlaybackRange {
    /// True if nothing is left.
    pub fn is_empty(&self) -> bool {
        self.after >= self.end
    }
}

/// Finds the positions of a period.
#[derive(Debug, Clone, Copy)]
pub struct LocatePlayback {
    pub from: Timestamp,
    /// Last moment of receipt, included.
    pub until: Timestamp,
}

/// Where a period lies in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Located {
    /// All of it is kept.
    At(PlaybackRange),
    /// Some updates of the period are no longer kept.
    Lost {
        /// When the oldest kept update was received; `None` if none is kept.
        kept_from: Option<Timestamp>,
    },
}

impl Query for LocatePlayback {
    type Answer = Located;

    fn answer(self, tx: &Transaction<'_>) -> Result<Located, ReadError> {
        let newest = last_seq(tx)?.0;
        let first = first_received(tx, to_nanos(self.from), newest)?;
        let beyond = first_received(tx, to_nanos(self.until).saturating_add(1), newest)?;
        let after = (first - 1 - DISORDER_MAX).max(0);
        let end = (beyond - 1 + DISORDER_MAX).min(newest);
        let place = PlaybackRange { after: Seq(after), end: Seq(end) };
        if is_lost(tx, place, self)? {
            let kept_from: Option<i64> = tx
                .prepare_cached("SELECT received_at FROM journal WHERE seq = (SELECT min(seq) FROM frames)")?
                .query_row([], |row| row.get(0))
                .optional()?;
            return Ok(Located::Lost { kept_from: kept_from.map(from_nanos) });
        }
        Ok(Located::At(place))
    }
}

/// True if retention, which deletes the oldest frames first, has deleted some of the period.
fn is_lost(tx: &Transaction<'_>, place: PlaybackRange, span: LocatePlayback) -> Result<bool, ReadError> {
    let oldest: Option<i64> =
        tx.prepare_cached("SELECT min(seq) FROM frames")?.query_row([], |row| row.get(0))?;
    let kept_from = oldest.unwrap_or(place.end.0 + 1);
    let mut lost = tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM journal WHERE seq > ? AND seq < ? AND received_at BETWEEN ? AND ?)",
    )?;
    let span = (place.after.0, kept_from, to_nanos(span.from), to_nanos(span.until));
    Ok(lost.query_row(span, |row| row.get(0))?)
}

/// The first position that was received at this moment or later; `newest + 1` if there is none.
fn first_received(tx: &Transaction<'_>, moment: i64, newest: i64) -> Result<i64, ReadError> {
    let mut looked_at =
        tx.prepare_cached("SELECT received_at FROM journal WHERE seq >= ? ORDER BY seq LIMIT 1")?;
    let (mut low, mut high) = (1, newest + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let received_at: i64 = looked_at.query_row([middle], |row| row.get(0))?;
        if received_at < moment {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// Counts the updates in the first part of a range.
#[derive(Debug, Clone)]
pub struct CountPlayback {
    pub view: Arc<PlaybackView>,
    /// Range that is left to count.
    pub left: PlaybackRange,
}

impl Query for CountPlayback {
    /// Number of updates, and the last position examined.
    type Answer = (usize, Seq);

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut statement = tx.prepare_cached(
            // The frame, most of a row, is not needed to tell who sees an update.
            "SELECT frames.seq, '', journal.audience, NULL, journal.received_at FROM frames
             JOIN journal ON journal.seq = frames.seq WHERE frames.seq > ? AND frames.seq <= ? ORDER BY frames.seq",
        )?;
        let mut rows = statement.query([self.left.after.0, self.left.end.0])?;
        let (mut updates, mut examined) = (0, 0);
        while let Some(row) = rows.next()? {
            let event = recorded(row)?;
            let counts = self.view.spans(row.get(4)?)
                && event.is_on(&self.view.channels)
                && event.is_seen_by(&self.view.scope);
            updates += usize::from(counts);
            examined += 1;
            if examined == COUNTED_MAX {
                return Ok((updates, event.seq));
            }
        }
        Ok((updates, self.left.end))
    }
}

/// Reads the updates in the first part of a range.
#[derive(Debug, Clone)]
pub struct ReadPlayback {
    pub view: Arc<PlaybackView>,
    /// Range that is left to read.
    pub left: PlaybackRange,
}

/// The updates of the first part of a range.
#[derive(Debug)]
pub struct PlaybackPart {
    /// In order. May be empty although more are left.
    pub updates: Vec<PlaybackUpdate>,
    /// The last position examined: go on after this.
    pub until: Seq,
}

/// One update, as the scope sees it.
#[derive(Debug)]
pub struct PlaybackUpdate {
    pub seq: Seq,
    /// When the delivery was received.
    pub at: Timestamp,
    pub frame: ByteString,
}

impl Query for ReadPlayback {
    type Answer = PlaybackPart;

    fn answer(self, tx: &Transaction<'_>) -> Result<PlaybackPart, ReadError> {
        // Updates that were kept when the playback began may have expired meanwhile.
        if is_lost(tx, self.left, LocatePlayback { from: self.view.from, until: self.view.until })? {
            return Err(ReadError::Expired);
        }
        let mut statement = tx.prepare_cached(
            "SELECT frames.seq, frames.frame, journal.audience, frames.elsewhere, journal.received_at FROM frames
             JOIN journal ON journal.seq = frames.seq WHERE frames.seq > ? AND frames.seq <= ? ORDER BY frames.seq",
        )?;
        let mut rows = statement.query([self.left.after.0, self.left.end.0])?;
        let mut part = PlaybackPart { updates: Vec::new(), until: self.left.end };
        let (mut bytes, mut examined) = (0, 0);
        while let Some(row) = rows.next()? {
            let event = recorded(row)?;
            let received_at: i64 = row.get(4)?;
            let is_meant = self.view.spans(received_at) && event.is_on(&self.view.channels);
            if let Some(frame) = is_meant.then(|| event.seen_by(&self.view.scope)).flatten() {
                bytes += frame.len();
                part.updates.push(PlaybackUpdate { seq: event.seq, at: from_nanos(received_at), frame });
            }
            examined += 1;
            let is_full = part.updates.len() == PART_UPDATES_MAX || bytes >= PART_BYTES_MAX;
            if is_full || examined == EXAMINED_MAX {
                part.until = event.seq;
                break;
            }
        }
        Ok(part)
    }
}
