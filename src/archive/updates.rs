//! Updates after a position, for clients that poll or fill a gap.
//!
//! A frame is handed out as it was sent. Bounds: the asked number of updates, and [`ANSWER_BYTES_MAX`]; a
//! shorter answer is told by its `next`.

use rusqlite::Transaction;

use super::{ArchiveError, Query, epoch, last_seq};
use crate::domain::Seq;

/// Bytes of frames after which an answer ends early: a thousand frames of long texts would weigh tens of MiB.
pub const ANSWER_BYTES_MAX: usize = 8 * 1_024 * 1_024;

/// The updates after a position, in order.
#[derive(Debug, Clone)]
pub struct ListUpdates {
    /// The last position that the client has; 0 for all.
    pub after: Seq,
    /// Updates at most, 1 to 1000.
    pub limit: u32,
    /// The life of the journal that `after` belongs to; `None` where the client does not say.
    pub epoch: Option<String>,
}

/// What came after a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updates {
    /// The `umbler_update` envelopes as they were sent, in order.
    pub frames: Vec<String>,
    /// The last position examined: ask on from here.
    pub next: Seq,
    /// The newest position.
    pub seq: Seq,
    /// The life of the journal.
    pub epoch: String,
}

impl Query for ListUpdates {
    type Answer = Updates;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ArchiveError> {
        let epoch = epoch(tx)?;
        if self.epoch.as_ref().is_some_and(|said| *said != epoch) {
            return Err(ArchiveError::EpochChanged);
        }
        let seq = last_seq(tx)?;
        if self.after > seq {
            return Err(ArchiveError::PositionAhead);
        }
        if is_expired(tx, self.after, seq)? {
            return Err(ArchiveError::Expired);
        }
        let (frames, cut_at) = frames(tx, self.after, self.limit)?;
        Ok(Updates { frames, next: cut_at.unwrap_or(seq), seq, epoch })
    }
}

/// True where a position after `after` lost its frame to retention.
fn is_expired(tx: &Transaction<'_>, after: Seq, seq: Seq) -> Result<bool, ArchiveError> {
    let oldest: Option<i64> =
        tx.prepare_cached("SELECT min(seq) FROM frames")?.query_row([], |row| row.get(0))?;
    // Frames expire from the oldest on, so only what lies before the oldest kept one is lost. Single missing
    // frames after it are holes, which are normal.
    let mut lost = tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM journal WHERE seq > ? AND seq < ?)")?;
    Ok(lost.query_row([after.0, oldest.unwrap_or(seq.0 + 1)], |row| row.get(0))?)
}

/// The frames, and the last one's position where there may be more.
fn frames(tx: &Transaction<'_>, after: Seq, limit: u32) -> Result<(Vec<String>, Option<Seq>), ArchiveError> {
    let limit_usize = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut statement =
        tx.prepare_cached("SELECT seq, frame FROM frames WHERE seq > ? ORDER BY seq LIMIT ?")?;
    let mut rows = statement.query([after.0, i64::from(limit)])?;
    let mut frames = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let frame: String = row.get(1)?;
        bytes += frame.len();
        frames.push(frame);
        if frames.len() == limit_usize || bytes >= ANSWER_BYTES_MAX {
            return Ok((frames, Some(Seq(row.get(0)?))));
        }
    }
    Ok((frames, None))
}
