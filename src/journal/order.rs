//! Assigns positions to records. A hub on its own counts them. Hubs of a cluster share an order: there a
//! position is that of the record in their stream. Positions of a stored history that is applied again are
//! passed to [`Apply`](super::apply::Apply) directly.

use jiff::Timestamp;
use rusqlite::Connection;

use super::append::Append;
use super::entry::SUM_BYTES;
use super::meta;
use crate::domain::Seq;
use crate::domain::register::{from_nanos, to_nanos};

/// Key in `meta` of the place up to which the stream of a cluster is applied. Missing in the database of a hub
/// on its own.
const PLACE_KEY: &str = "stream_place";

/// An order of records that several hubs share. Records that are appended come back to the writer of every
/// hub, through its [`WriterFeed`](super::queue::WriterFeed), at the same positions.
pub trait SharedOrder: Send + Sync {
    /// Takes a record. If that is not possible, the sender is told at once.
    fn append(&self, append: Append);

    /// A hub took the duties at this position. Called before those who wait for records of the batch are answered.
    fn duties_taken(&self, position: Seq);

    /// Number of records that wait for their position.
    fn waiting(&self) -> usize;

    /// Everything up to this position is stored by this hub.
    fn applied(&self, position: Seq);

    /// The record at this position cannot be stored by this hub, for a reason that does not pass by itself. It is tried again and
    /// again.
    fn stands_at(&self, position: Seq, why: &str);

    /// Takes no more records. Drops the writer's feed once those that wait are settled.
    fn close(&self);
}

/// A position in a stream, and what stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamPlace {
    pub position: Seq,
    /// Check sum of the record; `None` where the stream begins behind this position.
    pub sum: Option<[u8; SUM_BYTES]>,
    /// The time of receipt that the record was given here, so that those behind it are not given earlier ones. `None` where the
    /// stream begins behind this position.
    pub at: Option<Timestamp>,
}

impl StreamPlace {
    /// The place up to which the stream is applied in this database; `None` if it belongs to no cluster.
    pub fn load(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        Ok(meta::get(connection, PLACE_KEY)?.as_deref().and_then(Self::parse))
    }

    /// Stores it, in the transaction that applies the records up to there.
    pub fn store(self, connection: &Connection) -> rusqlite::Result<()> {
        let sum = self.sum.map_or_else(|| "-".to_owned(), |sum| format!("{:016x}", u64::from_be_bytes(sum)));
        let at = self.at.map_or_else(|| "-".to_owned(), |at| to_nanos(at).to_string());
        meta::put(connection, PLACE_KEY, &format!("{} {sum} {at}", self.position.0))
    }

    /// From now on the database belongs to no cluster.
    pub fn forget(connection: &Connection) -> rusqlite::Result<()> {
        meta::remove(connection, PLACE_KEY)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let (position, sum, at) = (parts.next()?, parts.next()?, parts.next());
        let sum = if sum == "-" { None } else { Some(u64::from_str_radix(sum, 16).ok()?.to_be_bytes()) };
        let at = at.and_then(|nanos| nanos.parse().ok()).map(from_nanos);
        Some(Self { position: Seq(position.parse().ok()?), sum, at })
    }
}

/// Counts positions. A record that makes no event leaves its position to the next one.
#[derive(Debug)]
pub struct LocalOrder {
    newest: Seq,
    committed: Seq,
}

impl LocalOrder {
    /// Counts on from the newest position that is stored.
    pub fn after(newest: Seq) -> Self {
        Self { newest, committed: newest }
    }

    /// The newest position that was taken.
    pub fn newest(&self) -> Seq {
        self.newest
    }

    /// The position for the next event.
    pub fn next(&self) -> Seq {
        Seq(self.newest.0 + 1)
    }

    /// Notes that an event has taken this position.
    pub fn take(&mut self, position: Seq) {
        debug_assert!(position > self.newest, "positions grow");
        self.newest = position;
    }

    /// Notes that the positions are durable. Returns the newest if there is a new one.
    pub fn commit(&mut self) -> Option<Seq> {
        let before = std::mem::replace(&mut self.committed, self.newest);
        (self.newest > before).then_some(self.newest)
    }

    /// Takes back the positions since the last commit.
    pub fn roll_back(&mut self) {
        self.newest = self.committed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_was_stored_is_read_back_until_it_is_forgotten() {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)").unwrap();
        assert_eq!(StreamPlace::load(&database).unwrap(), None);
        for sum in [None, Some([0; SUM_BYTES]), Some([0, 1, 2, 3, 4, 5, 6, 255])] {
            let at = sum.map(|_| from_nanos(1_772_456_400_000_000_007));
            let place = StreamPlace { position: Seq(7_001), sum, at };
            place.store(&database).unwrap();
            assert_eq!(StreamPlace::load(&database).unwrap(), Some(place));
        }
        StreamPlace::forget(&database).unwrap();
        assert_eq!(StreamPlace::load(&database).unwrap(), None);
    }
}
