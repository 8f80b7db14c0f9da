//! What the database holds of records that have no position, made into records again: for a backup, which finds all others by
//! their positions.
//!
//! # Contract
//!
//! 1. Every kind is answered for: one that is added does not compile until it is said here how it gets into a backup.
//! 2. Applied behind what a copy holds, they make what the database has. They never take anything back, so it does no harm to
//!    apply them again, or to a copy that is newer.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::entry::{Entry, Kind, Origin};
use super::kinds::{alerts, daily_report, duties, link, revocations};
use super::payload::{OutcomeCount, Payload};
use super::records::StoredRecord;
use super::rows::NO_BYTES;
use super::{meta, retention_progress};
use crate::domain::Seq;
use crate::domain::register::{from_nanos, to_nanos};

/// The present state of one kind, as records. Empty for those that are found by their positions, and for objects that are no
/// events, which [`ignored_after`] finds one by one.
pub fn of_kind(connection: &Connection, kind: Kind) -> rusqlite::Result<Vec<Payload>> {
    let position = |key| meta::position(connection, key);
    Ok(match kind {
        Kind::Revocation => revocations::load(connection)?.into_iter().map(Payload::Revocation).collect(),
        Kind::AlertsPosted => position(alerts::SENT_KEY)?.map(Payload::AlertsPosted).into_iter().collect(),
        Kind::ReportsMailed => {
            position(daily_report::MAILED_KEY)?.map(Payload::ReportsMailed).into_iter().collect()
        }
        Kind::Link => some(link::load(connection)?).map(Payload::Link).into_iter().collect(),
        Kind::Retention => {
            retention_progress::begun_steps(connection)?.into_iter().map(Payload::Retention).collect()
        }
        Kind::DeliveryCounts => {
            some(uneventful_counts(connection)?).map(Payload::DeliveryCounts).into_iter().collect()
        }
        Kind::Duty => duties::load(connection)?.map(Payload::Duty).into_iter().collect(),
        // A restored hub is on its own, and applies by the newest rules that it knows.
        Kind::Rules
        | Kind::Delivery
        | Kind::Reduced
        | Kind::Notice
        | Kind::Members
        | Kind::Names
        | Kind::Settings
        | Kind::Alert
        | Kind::LinkAlerts
        | Kind::Outbox
        | Kind::OutboxAttempt
        | Kind::OutboxResult
        | Kind::Erasure
        | Kind::DailyReport => Vec::new(),
    })
}

/// What there is; `None` for what a new database has.
fn some<T: Default + PartialEq>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}

/// How often deliveries were repeated or ignored. The others are counted when they are applied.
fn uneventful_counts(connection: &Connection) -> rusqlite::Result<Vec<OutcomeCount>> {
    let mut select = connection.prepare_cached(
        "SELECT event_type, outcome, count, last_at FROM delivery_counts WHERE outcome IN ('duplicate', 'ignored')
         ORDER BY event_type, outcome",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(OutcomeCount {
            event_type: row.get(0)?,
            outcome: row.get(1)?,
            count: row.get(2)?,
            last_at: from_nanos(row.get(3)?),
        })
    };
    select.query_map([], read)?.collect()
}

/// Objects that are no events.
#[derive(Debug)]
pub struct IgnoredObjects {
    pub records: Vec<StoredRecord>,
    /// The number of the newest row that was looked at.
    pub last: i64,
    /// There are more than fit.
    pub is_full: bool,
}

/// The objects behind a row, until they have so many bytes. Those that were blanked are left out.
pub fn ignored_after(
    connection: &Connection,
    row: i64,
    bytes_max: usize,
) -> rusqlite::Result<IgnoredObjects> {
    let mut select = connection
        .prepare_cached("SELECT id, received_at, body FROM ignored_deliveries WHERE id > ?1 ORDER BY id")?;
    let mut rows = select.query([row])?;
    let mut found = IgnoredObjects { records: Vec::new(), last: row, is_full: false };
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        if bytes >= bytes_max {
            found.is_full = true;
            break;
        }
        found.last = row.get(0)?;
        let body: Vec<u8> = row.get(2)?;
        if body == NO_BYTES {
            continue;
        }
        bytes += body.len();
        let at = from_nanos(row.get(1)?);
        let entry = Entry {
            kind: Kind::Delivery,
            id: None,
            at,
            origin: Origin::Provider,
            attempt: None,
            fence: None,
            body,
        };
        found.records.push(StoredRecord { seq: Seq(0), entry, reason: None });
    }
    Ok(found)
}

/// The newest row of objects that are no events; with a moment, of those that were received before it.
pub fn newest_ignored(connection: &Connection, before: Option<Timestamp>) -> rusqlite::Result<i64> {
    let mut select = connection.prepare_cached(
        "SELECT coalesce(max(id), 0) FROM ignored_deliveries WHERE ?1 IS NULL OR received_at < ?1",
    )?;
    select.query_row([before.map(to_nanos)], |row| row.get(0))
}

/// True if an object that is no event is stored already.
pub(super) fn is_kept(connection: &Connection, entry: &Entry) -> rusqlite::Result<bool> {
    let mut select = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM ignored_deliveries WHERE received_at = ?1 AND body = ?2)",
    )?;
    select.query_row(params![to_nanos(entry.at), entry.body], |row| row.get(0))
}
