//! Updates after a position, for clients that poll or fill a gap.
//!
//! Frames are returned as they were sent. An answer ends at the requested number of updates or at
//! [`ANSWER_BYTES_MAX`], and its `next` says where to go on.

use std::sync::Arc;

use rusqlite::{Row, Transaction};

use super::{Query, ReadError};
use crate::auth::Scope;
use crate::domain::Seq;
use crate::journal::Recorded;
use crate::journal::head::{epoch, last_seq};
use crate::protocol::Channel;

/// Positions that one answer examines. A limited scope may see few of them.
const EXAMINED_MAX: usize = 20_000;

/// Bytes of frames after which an answer ends early. A thousand frames with long texts would be tens of MiB.
pub const ANSWER_BYTES_MAX: usize = 8 * 1_024 * 1_024;

/// Lists the updates after a position, in order.
#[derive(Debug, Clone)]
pub struct ListUpdates {
    /// The last position that the client has; 0 if it has none.
    pub after: Seq,
    /// 1 to 1000.
    pub limit: u32,
    /// Epoch of `after`; `None` if the client did not name it.
    pub epoch: Option<String>,
    pub scope: Arc<Scope>,
    /// The `sub` whose notices are included.
    pub user: String,
}

/// The updates after a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateList {
    /// The `umbler_update` envelopes as they were sent, in order.
    pub frames: Vec<String>,
    /// The last position examined: continue after this.
    pub next: Seq,
    /// The newest position of the journal.
    pub seq: Seq,
    pub epoch: String,
}

impl Query for ListUpdates {
    type Answer = UpdateList;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let epoch = epoch(tx)?;
        if self.epoch.as_ref().is_some_and(|said| *said != epoch) {
            return Err(ReadError::EpochChanged);
        }
        let seq = last_seq(tx)?;
        if self.after > seq {
            return Err(ReadError::PositionAhead);
        }
        if is_expired(tx, self.after, seq)? {
            return Err(ReadError::Expired);
        }
        let (frames, cut_at) = self.frames(tx)?;
        Ok(UpdateList { frames, next: cut_at.unwrap_or(seq), seq, epoch })
    }
}

/// True if retention has deleted the frame of a position after `after`.
fn is_expired(tx: &Transaction<'_>, after: Seq, seq: Seq) -> Result<bool, ReadError> {
    let oldest: Option<i64> =
        tx.prepare_cached("SELECT min(seq) FROM frames")?.query_row([], |row| row.get(0))?;
    // Frames expire from the oldest on, so only what lies before the oldest kept frame is lost. Later
    // positions without a frame are normal.
    let mut lost = tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM journal WHERE seq > ? AND seq < ?)")?;
    Ok(lost.query_row([after.0, oldest.unwrap_or(seq.0 + 1)], |row| row.get(0))?)
}

impl ListUpdates {
    /// The frames, and the last position examined if there may be more.
    fn frames(&self, tx: &Transaction<'_>) -> Result<(Vec<String>, Option<Seq>), ReadError> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut frames = Vec::new();
        let (mut bytes, mut examined) = (0, 0);
        let mut statement = tx.prepare_cached(RECORDED_AFTER)?;
        let mut rows = statement.query([self.after.0])?;
        while let Some(row) = rows.next()? {
            let recorded = recorded(row)?;
            let meant =
                recorded.is_public() || recorded.channels().any(|on| on == Channel::User(self.user.clone()));
            frames.extend(meant.then(|| recorded.seen_by(&self.scope)).flatten().map(String::from));
            (bytes, examined) = (bytes + recorded.frame.len(), examined + 1);
            if frames.len() == limit || bytes >= ANSWER_BYTES_MAX || examined == EXAMINED_MAX {
                return Ok((frames, Some(recorded.seq)));
            }
        }
        Ok((frames, None))
    }
}

const RECORDED_AFTER: &str = "SELECT frames.seq, frames.frame, journal.audience, frames.elsewhere FROM frames
     JOIN journal ON journal.seq = frames.seq WHERE frames.seq > ? ORDER BY frames.seq";

pub(super) fn recorded(row: &Row<'_>) -> Result<Recorded, ReadError> {
    let audience = row.get_ref(2)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    let audience = audience.map(serde_json::from_str).transpose()?;
    let elsewhere = row.get_ref(3)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    let elsewhere = elsewhere.map(serde_json::from_str).transpose()?.unwrap_or_default();
    Ok(Recorded::new(Seq(row.get(0)?), row.get::<_, String>(1)?.into(), audience, elsewhere))
}

/// Loads the updates after a position, for the hub to send again.
#[derive(Debug, Clone, Copy)]
pub struct LoadUpdates {
    /// The range begins after this position.
    pub after: Seq,
    /// The most updates to load.
    pub updates_max: usize,
    /// Bytes of frames after which no more is read.
    pub bytes_max: usize,
}

/// Consecutive updates of the journal.
#[derive(Debug, Clone)]
pub struct UpdateRange {
    /// The range begins after this position.
    pub after: Seq,
    /// The last position examined. Positions up to here that are not in `events` never had an update.
    pub until: Seq,
    /// The events, by growing position.
    pub events: Vec<Arc<Recorded>>,
}

impl Query for LoadUpdates {
    type Answer = UpdateRange;

    fn answer(self, tx: &Transaction<'_>) -> Result<UpdateRange, ReadError> {
        let seq = last_seq(tx)?;
        if is_expired(tx, self.after, seq)? {
            return Err(ReadError::Expired);
        }
        let mut stretch = UpdateRange { after: self.after, until: seq, events: Vec::new() };
        let mut bytes = 0;
        let mut statement = tx.prepare_cached(RECORDED_AFTER)?;
        let mut rows = statement.query([self.after.0])?;
        while let Some(row) = rows.next()? {
            let recorded = recorded(row)?;
            bytes += recorded.weight();
            stretch.until = recorded.seq;
            stretch.events.push(Arc::new(recorded));
            if stretch.events.len() == self.updates_max || bytes >= self.bytes_max {
                return Ok(stretch);
            }
        }
        stretch.until = seq;
        Ok(stretch)
    }
}

/// Loads as many of the newest updates as a hub keeps in memory, so that resuming after a restart needs no
/// disk.
#[derive(Debug, Clone, Copy)]
pub struct LoadNewest {
    /// The most updates to load.
    pub updates_max: usize,
    /// The most bytes of frames to load.
    pub bytes_max: usize,
}

impl Query for LoadNewest {
    type Answer = Vec<Arc<Recorded>>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut statement = tx.prepare_cached(
            "SELECT frames.seq, frames.frame, journal.audience, frames.elsewhere FROM frames
             JOIN journal ON journal.seq = frames.seq ORDER BY frames.seq DESC LIMIT ?",
        )?;
        let mut rows = statement.query([i64::try_from(self.updates_max).unwrap_or(i64::MAX)])?;
        let (mut events, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let recorded = recorded(row)?;
            bytes += recorded.weight();
            if bytes > self.bytes_max {
                break;
            }
            events.push(Arc::new(recorded));
        }
        events.reverse();
        Ok(events)
    }
}
