//! Reads what the hub takes up of deadlines and alerts. Damage there must not keep deliveries from being taken in.

use rusqlite::Transaction;

use crate::config::Settings;
use crate::domain;
use crate::domain::settings::Thresholds;
use crate::hub::deadlines::AlertsAtStart;
use crate::reads::{GetSettings, LoadDeadlines, Query, ReadError};
use crate::telemetry::causes::chain;
use crate::telemetry::integrity::Integrity;

/// Deadlines and alerts as they stand in the database; none of them where it cannot be read.
pub fn at_start(tx: &Transaction<'_>, settings: &Settings, integrity: &Integrity) -> AlertsAtStart {
    let note = |what: &str, error: &ReadError| {
        let error = chain(error);
        log::error!("{what} cannot be read: {error}");
        integrity.note_damage(format!("{what} cannot be read: {error}"));
    };
    let saved = GetSettings.answer(tx).unwrap_or_else(|error| {
        note("the settings that were saved", &error);
        None
    });
    let (clocks, standing) = LoadDeadlines.answer(tx).unwrap_or_else(|error| {
        note("the deadlines of open chats", &error);
        Default::default()
    });
    // Nobody is alarmed by thresholds that nobody chose.
    let nothing_saved =
        || domain::Settings { thresholds: Thresholds::none(), ..settings.editable_defaults() };
    let settings = saved.map_or_else(nothing_saved, |saved| saved.settings);
    AlertsAtStart { settings, clocks, standing }
}
