//! The numbers of a board, and how they are encoded: all of them, or only the cells that changed.

use std::collections::BTreeMap;

use bytestring::ByteString;
use jiff::Timestamp;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::cells::{STATISTICS, live_columns, ticks};
use super::dimension::Dimension;
use super::table::GroupKey;
use crate::derived::analytics::Progress;
use crate::domain::metrics::Metric;
use crate::protocol::Board;
use crate::protocol::event::{ServerEvent, encode};

/// The cells of each row, in the order of the board's columns.
pub(super) type BoardRows<K> = BTreeMap<K, Vec<Value>>;

/// The numbers of a board at one moment.
#[derive(Debug, PartialEq)]
pub struct BoardNumbers {
    /// How far the facts behind the numbers had followed the journal.
    pub progress: Progress,
    pub now: Timestamp,
    /// The last midnight before `now`: the beginning of today.
    pub from: Timestamp,
    pub(super) live: BoardRows<GroupKey>,
    pub(super) today: BoardRows<(GroupKey, Metric)>,
}

/// What each row of a board stands for; `None` if the board has one row for everything.
pub(super) fn dimension(board: Board) -> Option<Dimension> {
    match board {
        Board::Live => None,
        Board::Agents => Some(Dimension::Agent),
        Board::Sectors => Some(Dimension::Sector),
        Board::Channels => Some(Dimension::Channel),
        Board::Tags => Some(Dimension::Tag),
    }
}

pub(super) fn whole(board: Board, numbers: &BoardNumbers) -> ByteString {
    encode(ServerEvent::MetricsUpdate, None, numbers.now, &BoardFrame { board, before: None, numbers })
}

/// Encodes the cells that changed; `None` if none did.
pub(super) fn changes(board: Board, before: &BoardNumbers, numbers: &BoardNumbers) -> Option<ByteString> {
    let same = before.live == numbers.live
        && before.today == numbers.today
        && before.from == numbers.from
        && before.progress.rebuilding == numbers.progress.rebuilding;
    let frame = BoardFrame { board, before: Some(before), numbers };
    (!same).then(|| encode(ServerEvent::MetricsUpdate, None, numbers.now, &frame))
}

struct BoardFrame<'a> {
    board: Board,
    before: Option<&'a BoardNumbers>,
    numbers: &'a BoardNumbers,
}

impl Serialize for BoardFrame<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let has_name = dimension(self.board).is_some();
        let name = has_name.then_some("name");
        let live = BoardPart {
            before: self.before.map(|before| &before.live),
            now: &self.numbers.live,
            columns: name.into_iter().chain(live_columns().filter(|column| !ticks(column))).collect(),
            has_name,
        };
        let today = BoardPart {
            before: self.before.map(|before| &before.today),
            now: &self.numbers.today,
            columns: name.into_iter().chain(STATISTICS).collect(),
            has_name,
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("channel", self.board.as_str())?;
        map.serialize_entry("full", &self.before.is_none())?;
        map.serialize_entry("asOfSeq", &self.numbers.progress.as_of)?;
        map.serialize_entry("rebuilding", &rebuilding(self.numbers.progress))?;
        map.serialize_entry("now", &self.numbers.now)?;
        map.serialize_entry("from", &self.numbers.from)?;
        map.serialize_entry("live", &live)?;
        map.serialize_entry("today", &today)?;
        map.end()
    }
}

/// Progress of a rebuild of the history, as JSON; `None` if none is running.
pub fn rebuilding(progress: Progress) -> Option<Value> {
    progress.rebuilding.map(|(done, total)| serde_json::json!({ "done": done, "total": total }))
}

/// What identifies a row on the wire.
trait RowKey: Ord {
    /// Writes the key's fields into the row's object.
    fn put<M: SerializeMap>(&self, has_name: bool, map: &mut M) -> Result<(), M::Error>;

    /// The entry in `gone`, for a row that no longer exists.
    fn gone(&self) -> Value;
}

fn id(key: &GroupKey) -> Value {
    if let GroupKey::Id(id) = key { Value::from(id.as_str()) } else { Value::Null }
}

impl RowKey for GroupKey {
    fn put<M: SerializeMap>(&self, has_name: bool, map: &mut M) -> Result<(), M::Error> {
        if has_name { map.serialize_entry("id", &id(self)) } else { Ok(()) }
    }

    fn gone(&self) -> Value {
        id(self)
    }
}

impl RowKey for (GroupKey, Metric) {
    fn put<M: SerializeMap>(&self, has_name: bool, map: &mut M) -> Result<(), M::Error> {
        self.0.put(has_name, map)?;
        map.serialize_entry("metric", self.1.as_str())
    }

    fn gone(&self) -> Value {
        serde_json::json!({ "id": id(&self.0), "metric": self.1.as_str() })
    }
}

struct BoardPart<'a, K> {
    before: Option<&'a BoardRows<K>>,
    now: &'a BoardRows<K>,
    columns: Vec<&'static str>,
    has_name: bool,
}

impl<K: RowKey> Serialize for BoardPart<'_, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let gone =
            self.before.into_iter().flat_map(BoardRows::keys).filter(|key| !self.now.contains_key(key));
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("rows", &BoardPartRows(self))?;
        map.serialize_entry("gone", &gone.map(RowKey::gone).collect::<Vec<_>>())?;
        map.end()
    }
}

struct BoardPartRows<'a, K>(&'a BoardPart<'a, K>);

impl<K: RowKey> Serialize for BoardPartRows<'_, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let part = self.0;
        let mut rows = serializer.serialize_seq(None)?;
        for (key, cells) in part.now {
            let known = part.before.and_then(|before| before.get(key));
            if known != Some(cells) {
                rows.serialize_element(&BoardPartRow { part, key, cells, known })?;
            }
        }
        rows.end()
    }
}

struct BoardPartRow<'a, K> {
    part: &'a BoardPart<'a, K>,
    key: &'a K,
    cells: &'a [Value],
    known: Option<&'a Vec<Value>>,
}

impl<K: RowKey> Serialize for BoardPartRow<'_, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.key.put(self.part.has_name, &mut map)?;
        for (place, (column, cell)) in self.part.columns.iter().zip(self.cells).enumerate() {
            if self.known.is_none_or(|known| known.get(place) != Some(cell)) {
                map.serialize_entry(column, cell)?;
            }
        }
        map.end()
    }
}
