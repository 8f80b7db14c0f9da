//! Pages of rows that a limited scope sees, ordered by time. The cost depends on the page, not on the length
//! of the history.
//!
//! If the scope sees much, the list is walked as for an admin, and invisible rows are skipped: at most
//! [`SKIPPED`] rows for each one on the page. If it sees little, or nothing recent, the chats of each
//! placement, which an index keeps in order, are merged: one look-up for each placement, and one step for
//! each row.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};

use rusqlite::{Transaction, params};

use super::ReadError;
use super::page::{FoundRow, Order, Walk};
use super::visible_placements::VisiblePlacements;
use crate::domain::order::FINER_NANOS;

/// Rows that are looked at for each row of the page before the walk is given up for a merge.
const SKIPPED: usize = 8;
/// Rows of a placement that are read at once.
const CHUNK: usize = 32;

/// The part of a list that makes up a page.
struct PageRange {
    /// Time and tie-breaker of the last row before the page; for the first page, beyond every row.
    after: (i64, String),
    offset: usize,
    wanted: usize,
}

/// The rows of a page, while it is filled.
struct PageSpots {
    spots: Vec<FoundRow>,
    to_skip: usize,
    wanted: usize,
}

/// A page of the chats that a scope sees, by latest activity. `accept` may leave some out, and may replace
/// the `rowid` by that of a row in another table. `open` is `None` if both open and closed chats are wanted.
pub(super) fn chats(
    tx: &Transaction<'_>,
    seen: &VisiblePlacements<'_>,
    walk: &Walk<'_>,
    open: Option<bool>,
    mut accept: impl FnMut(&mut FoundRow) -> Result<bool, ReadError>,
) -> Result<Vec<FoundRow>, ReadError> {
    let range = PageRange::of(walk)?;
    if seen.is_much()
        && let Some(spots) = skip_unseen_chats(tx, seen, walk.order, &range, open, &mut accept)?
    {
        return Ok(spots);
    }
    let mut found = PageSpots::new(&range);
    let mut merge = Merge::begin(tx, seen, walk.order, open, &range.after)?;
    while !found.is_full() {
        let Some(mut spot) = merge.next()? else { break };
        if accept(&mut spot)? {
            found.add(spot);
        }
    }
    Ok(found.spots)
}

/// A page of the messages that a scope sees, the newest first.
pub(super) fn messages(
    tx: &Transaction<'_>,
    seen: &VisiblePlacements<'_>,
    walk: &Walk<'_>,
) -> Result<Vec<FoundRow>, ReadError> {
    let range = PageRange::of(walk)?;
    if seen.is_much()
        && let Some(spots) = messages_of_visible(tx, seen, &range)?
    {
        return Ok(spots);
    }
    let mut newest = Newest::begin(tx, &range);
    let mut merge = Merge::begin(tx, seen, Order::Desc, None, &(i64::MAX, String::new()))?;
    while let Some(chat) = merge.next()? {
        if newest.is_older(chat.time()) {
            break;
        }
        newest.add_chat(&chat.tie)?;
    }
    // In these chats some messages are newer than the activity by which the merge orders them.
    let mut late = tx.prepare_cached(
        "SELECT late_message_at, id, placement_id FROM chats INDEXED BY chats_late
         WHERE late_message_at IS NOT NULL ORDER BY late_message_at DESC",
    )?;
    let mut rows = late.query([])?;
    while let Some(row) = rows.next()? {
        if newest.is_older(row.get(0)?) {
            break;
        }
        if seen.holds(row.get(2)?) {
            newest.add_chat(&row.get::<_, String>(1)?)?;
        }
    }
    Ok(newest.into_page(range.offset))
}

impl PageRange {
    fn of(walk: &Walk<'_>) -> Result<Self, ReadError> {
        let begin = match walk.order {
            Order::Asc => i64::MIN,
            Order::Desc => i64::MAX,
        };
        Ok(Self {
            after: walk.after()?.unwrap_or((begin, String::new())),
            offset: walk.offset(),
            // One row more tells whether there is another page.
            wanted: usize::try_from(walk.limit).unwrap_or(usize::MAX).saturating_add(1),
        })
    }

    /// Rows that are looked at before the walk is given up.
    fn skipped_max(&self) -> usize {
        self.offset.saturating_add(self.wanted).saturating_mul(SKIPPED)
    }
}

impl PageSpots {
    fn new(range: &PageRange) -> Self {
        Self { spots: Vec::new(), to_skip: range.offset, wanted: range.wanted }
    }

    fn is_full(&self) -> bool {
        self.spots.len() >= self.wanted
    }

    fn add(&mut self, spot: FoundRow) {
        if self.to_skip > 0 {
            self.to_skip -= 1;
        } else {
            self.spots.push(spot);
        }
    }
}

/// `None` if the page could not be filled within the bound.
fn skip_unseen_chats(
    tx: &Transaction<'_>,
    seen: &VisiblePlacements<'_>,
    order: Order,
    range: &PageRange,
    open: Option<bool>,
    accept: &mut impl FnMut(&mut FoundRow) -> Result<bool, ReadError>,
) -> Result<Option<Vec<FoundRow>>, ReadError> {
    let (direction, beyond) = order.words();
    let (index, only_open) = match open {
        Some(true) => ("chats_open_by_activity", "open = 1 AND"),
        Some(false) | None => ("chats_by_activity", ""),
    };
    let mut select = tx.prepare_cached(&format!(
        "SELECT last_activity_at, id, rowid, placement_id, open FROM chats INDEXED BY {index}
         WHERE {only_open} (last_activity_at, id) {beyond} (?1, ?2)
         ORDER BY last_activity_at {direction}, id {direction}"
    ))?;
    let mut rows = select.query(params![range.after.0, range.after.1])?;
    let mut found = PageSpots::new(range);
    for _ in 0..range.skipped_max() {
        let Some(row) = rows.next()? else { return Ok(Some(found.spots)) };
        let is_asked_for = open.is_none() || open == Some(row.get(4)?);
        if !is_asked_for || !seen.holds(row.get(3)?) {
            continue;
        }
        let mut spot = FoundRow::read(row)?;
        if accept(&mut spot)? {
            found.add(spot);
        }
        if found.is_full() {
            return Ok(Some(found.spots));
        }
    }
    Ok(None)
}

/// Walks all messages from the newest on, and collects those of visible placements until the page is full. `None` if too many
/// others lie between, so that another way is cheaper.
fn messages_of_visible(
    tx: &Transaction<'_>,
    seen: &VisiblePlacements<'_>,
    range: &PageRange,
) -> Result<Option<Vec<FoundRow>>, ReadError> {
    let mut select = tx.prepare_cached(
        "SELECT messages.order_at, messages.order_tie, messages.rowid, chats.placement_id
         FROM messages INDEXED BY messages_by_time CROSS JOIN chats ON chats.id = messages.chat_id
         WHERE (messages.order_at, messages.order_tie) < (?1, ?2)
         ORDER BY messages.order_at DESC, messages.order_tie DESC",
    )?;
    let mut rows = select.query(params![range.after.0, range.after.1])?;
    let mut found = PageSpots::new(range);
    for _ in 0..range.skipped_max() {
        let Some(row) = rows.next()? else { return Ok(Some(found.spots)) };
        if seen.holds(row.get(3)?) {
            found.add(FoundRow::read(row)?);
        }
        if found.is_full() {
            return Ok(Some(found.spots));
        }
    }
    Ok(None)
}

/// Merges the chats of many placements into one order.
struct Merge<'a> {
    tx: &'a Transaction<'a>,
    order: Order,
    sql: String,
    sources: Vec<Source>,
    /// For each source the chat that comes next. The greatest is the next of all.
    next: BinaryHeap<MergeHead>,
}

/// The open or the closed chats of one placement.
struct Source {
    placement: i64,
    open: bool,
    /// Chats that follow the one in `Merge::next`.
    ahead: VecDeque<FoundRow>,
    /// There are no chats after those in `ahead`.
    is_read: bool,
}

/// The next chat of a source. The greatest comes first.
struct MergeHead {
    spot: FoundRow,
    source: usize,
    order: Order,
}

impl<'a> Merge<'a> {
    fn begin(
        tx: &'a Transaction<'_>,
        seen: &VisiblePlacements<'_>,
        order: Order,
        open: Option<bool>,
        after: &(i64, String),
    ) -> Result<Self, ReadError> {
        let (direction, beyond) = order.words();
        let sql = format!(
            "SELECT last_activity_at, id, rowid FROM chats INDEXED BY chats_by_placement
             WHERE placement_id = ?1 AND open = ?2 AND (last_activity_at, id) {beyond} (?3, ?4)
             ORDER BY last_activity_at {direction}, id {direction}"
        );
        let mut merge = Self { tx, order, sql, sources: Vec::new(), next: BinaryHeap::new() };
        let both = [true, false].into_iter().filter(|is_open| open.is_none_or(|open| open == *is_open));
        for (placement, open) in seen.placements().iter().flat_map(|id| both.clone().map(|open| (*id, open)))
        {
            let mut source = Source { placement, open, ahead: VecDeque::new(), is_read: false };
            source.read_ahead(tx, &merge.sql, (after.0, &after.1), 1)?;
            merge.sources.push(source);
            merge.offer(merge.sources.len() - 1);
        }
        Ok(merge)
    }

    fn next(&mut self) -> Result<Option<FoundRow>, ReadError> {
        let Some(MergeHead { spot, source: number, .. }) = self.next.pop() else { return Ok(None) };
        if let Some(source) = self.sources.get_mut(number)
            && source.ahead.is_empty()
            && !source.is_read
        {
            source.read_ahead(self.tx, &self.sql, (spot.time(), &spot.tie), CHUNK)?;
        }
        self.offer(number);
        Ok(Some(spot))
    }

    fn offer(&mut self, number: usize) {
        if let Some(spot) = self.sources.get_mut(number).and_then(|source| source.ahead.pop_front()) {
            self.next.push(MergeHead { spot, source: number, order: self.order });
        }
    }
}

impl Source {
    fn read_ahead(
        &mut self,
        tx: &Transaction<'_>,
        sql: &str,
        after: (i64, &str),
        count: usize,
    ) -> Result<(), ReadError> {
        let mut select = tx.prepare_cached(sql)?;
        let mut rows = select.query(params![self.placement, self.open, after.0, after.1])?;
        for _ in 0..count {
            let Some(row) = rows.next()? else {
                self.is_read = true;
                break;
            };
            self.ahead.push_back(FoundRow::read(row)?);
        }
        Ok(())
    }
}

impl Ord for MergeHead {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let ascending = self.spot.place().cmp(&other.spot.place());
        match self.order {
            Order::Asc => ascending.reverse(),
            Order::Desc => ascending,
        }
    }
}

impl PartialOrd for MergeHead {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for MergeHead {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for MergeHead {}

/// Collects the newest messages of several chats, before a point in time.
struct Newest<'a> {
    tx: &'a Transaction<'a>,
    before: &'a (i64, String),
    wanted: usize,
    /// The oldest is on top, so that a newer message can take its place.
    found: BinaryHeap<Reverse<(i64, String, i64)>>,
    chats: HashSet<String>,
}

impl<'a> Newest<'a> {
    fn begin(tx: &'a Transaction<'_>, range: &'a PageRange) -> Self {
        let wanted = range.offset.saturating_add(range.wanted);
        Self { tx, before: &range.after, wanted, found: BinaryHeap::new(), chats: HashSet::new() }
    }

    /// True if nothing that happened at `time` or before belongs on the page. A message is ordered within
    /// the second in which it happened.
    fn is_older(&self, time: i64) -> bool {
        let stands = time.saturating_add(FINER_NANOS);
        self.found.len() >= self.wanted
            && self.found.peek().is_some_and(|Reverse((oldest, ..))| stands < *oldest)
    }

    fn add_chat(&mut self, id: &str) -> Result<(), ReadError> {
        if !self.chats.insert(id.to_owned()) {
            return Ok(());
        }
        let mut select = self.tx.prepare_cached(
            "SELECT order_at, order_tie, rowid FROM messages INDEXED BY messages_of_chat
             WHERE chat_id = ?1 AND (order_at, order_tie) < (?2, ?3) ORDER BY order_at DESC, order_tie DESC",
        )?;
        let mut rows = select.query(params![id, self.before.0, self.before.1])?;
        while let Some(row) = rows.next()? {
            let message = (row.get(0)?, row.get(1)?, row.get(2)?);
            if self.found.len() < self.wanted {
                self.found.push(Reverse(message));
            } else if self.found.peek().is_some_and(|Reverse(oldest)| message > *oldest) {
                self.found.pop();
                self.found.push(Reverse(message));
            } else {
                break;
            }
        }
        Ok(())
    }

    fn into_page(self, offset: usize) -> Vec<FoundRow> {
        let newest_first = self.found.into_sorted_vec();
        let page = newest_first.into_iter().skip(offset);
        page.map(|Reverse((at, tie, rowid))| FoundRow::at(at, tie, rowid)).collect()
    }
}
