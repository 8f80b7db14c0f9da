//! How many chats were open at moments along a period.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::filter::Filter;
use super::stab::{OpenCounts, Stab};
use crate::derived::analytics::Progress;
use crate::reads::{Query, ReadError};

/// Counts open chats at several moments.
#[derive(Debug, Clone)]
pub struct Trend {
    /// Applied to where a chat stood at each moment.
    pub filter: Filter,
    /// Beginnings of the periods, in ascending order.
    pub points: Vec<Timestamp>,
}

/// Open chats at several moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trended {
    /// How far the facts have followed the journal.
    pub progress: Progress,
    /// One row for each moment that was asked for.
    pub rows: Vec<(Timestamp, OpenCounts)>,
}

impl Query for Trend {
    type Answer = Trended;

    /// Reads each interval once: it is added at the first moment that it contains, and subtracted at the
    /// first after it.
    fn answer(self, tx: &Transaction<'_>) -> Result<Trended, ReadError> {
        let progress = Progress::read(tx)?;
        let mut moves = vec![OpenCounts::default(); self.points.len()];
        let mut note = |place: usize, marks, by| {
            if let Some(counts) = moves.get_mut(place) {
                counts.add(marks, by);
            }
        };
        let mut before = None;
        for (begin, at) in self.points.iter().enumerate() {
            let stab = Stab { at: *at, not_at: before, filter: &self.filter };
            stab.each_span(tx, |marks, ended| {
                let end = self.points.partition_point(|point| *point < ended);
                note(begin, marks, 1);
                note(end, marks, -1);
            })?;
            before = Some(*at);
        }
        let mut now = OpenCounts::default();
        let rows = self.points.iter().zip(moves).map(|(at, moved)| {
            now = now.moved(moved);
            (*at, now)
        });
        Ok(Trended { progress, rows: rows.collect() })
    }
}
