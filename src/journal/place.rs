//! The place up to which a database has applied the stream of its cluster.

use jiff::Timestamp;
use rusqlite::Connection;

use super::entry::SUM_BYTES;
use super::meta;
use crate::domain::Seq;
use crate::domain::register::{from_nanos, to_nanos};

/// Key in `meta` of the place up to which the stream of a cluster is applied. Missing in the database of a hub
/// on its own.
const PLACE_KEY: &str = "stream_place";

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
