//! Compares a database with its lineage marker before anything is written to it. If rows that were committed
//! are missing, that is an error and never a fresh start.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::head::{EPOCH_KEY, last_seq};
use super::lineage::{Marker, MarkerState};
use super::meta;
use crate::domain::Seq;
use crate::sqlite::files::beside;

/// What is lost according to the files. Checked before SQLite opens them, because SQLite would create a
/// missing file and delete a log that has no database.
pub fn of_files(path: &Path, remembered: &MarkerState) -> Option<String> {
    let length = fs::metadata(path).map(|metadata| metadata.len()).ok();
    if length.is_some_and(|length| length > 0) {
        return None;
    }
    let state = if length.is_none() { "is missing" } else { "was emptied" };
    match remembered {
        MarkerState::Marker(marker) if marker.seq > Seq(0) => {
            Some(format!("the file {state}, and {}", committed(marker)))
        }
        MarkerState::Unreadable => {
            Some(format!("the file {state}, and the marker that tells how much it held cannot be read"))
        }
        MarkerState::Marker(_) | MarkerState::Nothing => {
            let log = fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
            log.then(|| format!("the file {state}, and its write-ahead log is there"))
        }
    }
}

/// What is lost according to the rows. Checked before the schema is upgraded.
pub fn of_rows(connection: &Connection, remembered: &MarkerState) -> rusqlite::Result<Option<String>> {
    let MarkerState::Marker(marker) = remembered else { return Ok(None) };
    let Some((epoch, newest)) = history(connection)? else {
        let lost = format!("its tables are gone, and {}", committed(marker));
        return Ok((marker.seq > Seq(0)).then_some(lost));
    };
    if epoch.as_ref().is_some_and(|epoch| *epoch != marker.epoch) {
        let epoch = epoch.unwrap_or_default();
        return Ok(Some(format!(
            "it holds another history (epoch {epoch}, {newest} deliveries), and {}",
            committed(marker)
        )));
    }
    let lost = format!("its history ends at delivery {newest}, and {}", committed(marker));
    Ok((newest < marker.seq).then_some(lost))
}

/// Epoch and newest position of a database; `None` if it is empty.
pub fn history(connection: &Connection) -> rusqlite::Result<Option<(Option<String>, Seq)>> {
    let tables: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('journal', 'meta')",
        [],
        |row| row.get(0),
    )?;
    if tables < 2 {
        return Ok(None);
    }
    Ok(Some((meta::get(connection, EPOCH_KEY)?, last_seq(connection)?)))
}

fn committed(marker: &Marker) -> String {
    format!("{} deliveries were committed (epoch {})", marker.seq, marker.epoch)
}
