//! Alerts and settings on the wire, and the updates that report their changes. Those updates have positions
//! like all others, so clients recover and count them in the same way.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shapes::NamedShape;
use crate::domain::{EventId, Seq, TeamSettings};

/// The type of the update after an admin saved settings.
pub const SETTINGS_UPDATED: &str = "settings_updated";

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertChange {
    /// The deadline of the alert passed.
    Raised,
    /// The reason of the alert is gone.
    Cleared,
    Acknowledged,
}

impl AlertChange {
    pub const ALL: [Self; 3] = [Self::Raised, Self::Cleared, Self::Acknowledged];

    /// The type of the update that reports the change.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "alert_raised",
            Self::Cleared => "alert_cleared",
            Self::Acknowledged => "alert_acknowledged",
        }
    }
}

/// An alert: a deadline of a chat that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Alert)]
pub struct AlertShape {
    /// Consists of the kind, the chat and `since`, so the same deadline has one id for ever.
    pub id: String,
    /// Which kind of deadline passed: `waiting_warn`, `waiting`, `idle` and so on.
    pub kind: String,
    /// The chat that the alert is about.
    pub chat_id: String,
    /// Name of the contact that the chat is held with; null where it is not known.
    pub contact_name: Option<String>,
    /// The sector of the chat.
    pub sector: Option<NamedShape>,
    /// The agent who has the chat.
    pub owner: Option<NamedShape>,
    /// The moment from which the deadline is counted.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When the deadline of the alert passed.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: Timestamp,
    /// When the hub raised the alert.
    #[schema(value_type = String, format = DateTime)]
    pub raised_at: Timestamp,
    /// When the reason of the alert was gone; null while it stands.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cleared_at: Option<Timestamp>,
    /// When somebody acknowledged the alert; null while nobody has.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub acknowledged_at: Option<Timestamp>,
    /// Who acknowledged the alert; null while nobody has.
    pub acknowledged_by: Option<NamedShape>,
}

/// An update that does not come from a delivery, at its position.
#[derive(Debug, Serialize)]
pub struct SideUpdate<T> {
    event: &'static str,
    seq: Seq,
    timestamp: Timestamp,
    data: T,
}

impl<T> SideUpdate<T> {
    /// `timestamp` is when the hub accepted what the update reports.
    pub fn new(seq: Seq, timestamp: Timestamp, data: T) -> Self {
        Self { event: "umbler_update", seq, timestamp, data }
    }
}

/// What happened to an alert.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AlertUpdated)]
pub struct AlertData<'a> {
    /// An id that the hub made; it begins with `alert:`.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// The type of the update: `alert_raised`, `alert_cleared` or `alert_acknowledged`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// The alert as it is now.
    alert: &'a AlertShape,
}

impl<'a> AlertData<'a> {
    pub fn new(event_id: &'a EventId, change: AlertChange, alert: &'a AlertShape) -> Self {
        let word = change.as_str();
        Self { event_id, update_type: word, changes: [word], chat: None, contact: None, alert }
    }
}

/// The settings of the hub that admins may edit.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Settings)]
pub struct SettingsShape {
    /// The time zone of the hub, from the setting `TIMEZONE`. It cannot be changed here.
    pub time_zone: String,
    /// The settings that an admin edits.
    #[serde(flatten)]
    pub values: TeamSettings,
}

/// The content of the update after an admin saved settings.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SettingsUpdated)]
pub struct SettingsData<'a> {
    /// An id that the hub made; it begins with `settings:`.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// The type of the update: `settings_updated`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// All settings as they are now.
    settings: SettingsShape,
    /// The admin who saved them.
    updated_by: NamedShape,
}

impl<'a> SettingsData<'a> {
    pub fn new(event_id: &'a EventId, settings: SettingsShape, updated_by: NamedShape) -> Self {
        let (update_type, changes) = (SETTINGS_UPDATED, [SETTINGS_UPDATED]);
        Self { event_id, update_type, changes, chat: None, contact: None, settings, updated_by }
    }
}
