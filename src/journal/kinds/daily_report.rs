//! The daily report: an update like the others, so that it is posted, recovered and counted like them, and how far reports
//! were mailed, which is no event.

use rusqlite::Connection;

use super::{NewEvent, Outcome};
use crate::domain::{Audience, EventId, Seq};
use crate::journal::append::Ack;
use crate::journal::entry::Entry;
use crate::journal::fault::StoreError;
use crate::journal::meta;
use crate::journal::recorded::HubEffect;
use crate::protocol::alerts::SideUpdate;
use crate::protocol::daily_report::{DAILY_REPORT, DailyReportData, DailyReportShape};

/// Key in `meta` of the position up to which reports were mailed.
pub const MAILED_KEY: &str = "daily_report_mailed_seq";

/// The id of a day's report. A second one with it changes nothing, so each day is reported once.
pub fn id_of(day: jiff::civil::Date) -> EventId {
    EventId::from(format!("report:{day}"))
}

/// Tells a report to those whom no token limits to a part of the chats.
pub(in crate::journal) fn apply<'a>(
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    report: &DailyReportShape,
) -> Result<Outcome<'a>, StoreError> {
    let data = DailyReportData::new(id, report);
    let frame = serde_json::to_string(&SideUpdate::new(seq, entry.at, data))?;
    Ok(NewEvent::new(DAILY_REPORT, Audience::default(), frame.into()).with(HubEffect::Reported).into())
}

/// Stores the position up to which reports were mailed.
pub(in crate::journal) fn note_mailed(
    connection: &Connection,
    seq: Seq,
) -> Result<Outcome<'static>, StoreError> {
    meta::put_position(connection, MAILED_KEY, seq)?;
    Ok(Outcome::NoEvent(Ack::ignored(None)))
}
