//! Reads the deadlines and alerts that the hub begins with. Damage there must not keep deliveries from being
//! accepted.

use rusqlite::Transaction;

use crate::config::Config;
use crate::domain;
use crate::domain::settings::Thresholds;
use crate::hub::deadlines::AlertsAtStart;
use crate::reads::{GetSettings, LoadDeadlines, Query, ReadError};
use crate::telemetry::causes::chain;
use crate::telemetry::integrity::Integrity;

/// The stored deadlines and alerts; none where they cannot be read.
pub fn at_start(tx: &Transaction<'_>, settings: &Config, integrity: &Integrity) -> AlertsAtStart {
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
    // Where the saved settings cannot be read, no alert is raised by default thresholds that nobody chose.
    let nothing_saved =
        || domain::TeamSettings { thresholds: Thresholds::none(), ..settings.editable_defaults() };
    let settings = saved.map_or_else(nothing_saved, |saved| saved.settings);
    AlertsAtStart { settings, clocks, standing }
}
