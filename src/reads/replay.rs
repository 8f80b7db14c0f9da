//! A stretch of the past, for a screen that has it played: found by its moments, counted and read in small steps, as a
//! token sees it.
//!
//! Positions grow with the time of receipt, so a moment is found by halving, and history is not gone through for it.
//! Deliveries that come at once may swap places within [`DISORDER_MAX`] positions: so much more is looked at on either
//! side, and each update goes by its own time.

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

/// How far positions and times of receipt may run apart: more than the deliveries that wait for the journal at once.
const DISORDER_MAX: i64 = 1_000;
/// Positions that one step of counting looks at.
const COUNTED_MAX: usize = 5_000;
/// Positions that one read looks at: a limited scope may see few of many.
const EXAMINED_MAX: usize = 5_000;
/// Updates that one read brings.
pub const PART_UPDATES_MAX: usize = 500;
/// Bytes of frames after which a read ends.
pub const PART_BYTES_MAX: usize = 1024 * 1024;

/// Who looks at which stretch.
#[derive(Debug, Clone)]
pub struct PastView {
    /// What was received from this moment on.
    pub from: Timestamp,
    /// Up to and with this one.
    pub until: Timestamp,
    /// On these channels.
    pub channels: BTreeSet<Channel>,
    /// Whose eyes.
    pub scope: Arc<Scope>,
}

impl PastView {
    fn spans(&self, received_at: i64) -> bool {
        (to_nanos(self.from)..=to_nanos(self.until)).contains(&received_at)
    }
}

/// Where a stretch lies, or what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastPlace {
    /// It begins after this position.
    pub after: Seq,
    /// Its last position.
    pub end: Seq,
}

impl PastPlace {
    /// True where nothing is left.
    pub fn is_empty(&self) -> bool {
        self.after >= self.end
    }
}

/// Finds a stretch.
#[derive(Debug, Clone, Copy)]
pub struct LocatePast {
    /// What was received from this moment on.
    pub from: Timestamp,
    /// Up to and with this one.
    pub until: Timestamp,
}

/// Where a stretch was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Located {
    /// Here.
    At(PastPlace),
    /// Some of it is not kept any more.
    Lost {
        /// When the oldest kept update was received.
        kept_from: Option<Timestamp>,
    },
}

impl Query for LocatePast {
    type Answer = Located;

    fn answer(self, tx: &Transaction<'_>) -> Result<Located, ReadError> {
        let newest = last_seq(tx)?.0;
        let first = first_received(tx, to_nanos(self.from), newest)?;
        let beyond = first_received(tx, to_nanos(self.until).saturating_add(1), newest)?;
        let after = (first - 1 - DISORDER_MAX).max(0);
        let end = (beyond - 1 + DISORDER_MAX).min(newest);
        let place = PastPlace { after: Seq(after), end: Seq(end) };
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

/// True where an update of the stretch lost its frame to retention, which begins with the oldest.
fn is_lost(tx: &Transaction<'_>, place: PastPlace, span: LocatePast) -> Result<bool, ReadError> {
    let oldest: Option<i64> =
        tx.prepare_cached("SELECT min(seq) FROM frames")?.query_row([], |row| row.get(0))?;
    let kept_from = oldest.unwrap_or(place.end.0 + 1);
    let mut lost = tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM journal WHERE seq > ? AND seq < ? AND received_at BETWEEN ? AND ?)",
    )?;
    let span = (place.after.0, kept_from, to_nanos(span.from), to_nanos(span.until));
    Ok(lost.query_row(span, |row| row.get(0))?)
}

/// The first position that was received at this moment or later; the one after the newest where none was.
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

/// Counts the next updates of a stretch.
#[derive(Debug, Clone)]
pub struct CountPast {
    /// Who looks.
    pub view: Arc<PastView>,
    /// What is left.
    pub left: PastPlace,
}

impl Query for CountPast {
    /// How many, and the last position that was looked at.
    type Answer = (usize, Seq);

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut statement = tx.prepare_cached(
            // Who sees an update does not hang on its text, which is most of it.
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

/// Reads the next updates of a stretch.
#[derive(Debug, Clone)]
pub struct ReadPast {
    /// Who looks.
    pub view: Arc<PastView>,
    /// What is left.
    pub left: PastPlace,
}

/// What a read brought.
#[derive(Debug)]
pub struct PastPart {
    /// In order; may be none although more are left.
    pub updates: Vec<PastUpdate>,
    /// The last position that was looked at.
    pub until: Seq,
}

/// One update, as it is seen.
#[derive(Debug)]
pub struct PastUpdate {
    /// Its position.
    pub seq: Seq,
    /// When it was received.
    pub at: Timestamp,
    /// The envelope.
    pub frame: ByteString,
}

impl Query for ReadPast {
    type Answer = PastPart;

    fn answer(self, tx: &Transaction<'_>) -> Result<PastPart, ReadError> {
        // What was there when the replay began may have expired meanwhile.
        if is_lost(tx, self.left, LocatePast { from: self.view.from, until: self.view.until })? {
            return Err(ReadError::Expired);
        }
        let mut statement = tx.prepare_cached(
            "SELECT frames.seq, frames.frame, journal.audience, frames.elsewhere, journal.received_at FROM frames
             JOIN journal ON journal.seq = frames.seq WHERE frames.seq > ? AND frames.seq <= ? ORDER BY frames.seq",
        )?;
        let mut rows = statement.query([self.left.after.0, self.left.end.0])?;
        let mut part = PastPart { updates: Vec::new(), until: self.left.end };
        let (mut bytes, mut examined) = (0, 0);
        while let Some(row) = rows.next()? {
            let event = recorded(row)?;
            let received_at: i64 = row.get(4)?;
            let is_meant = self.view.spans(received_at) && event.is_on(&self.view.channels);
            if let Some(frame) = is_meant.then(|| event.seen_by(&self.view.scope)).flatten() {
                bytes += frame.len();
                part.updates.push(PastUpdate { seq: event.seq, at: from_nanos(received_at), frame });
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
