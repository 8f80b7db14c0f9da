//! Alerts and settings on the wire, and the updates that tell them: updates like the others, so that they are recovered
//! and counted like them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shapes::NamedShape;
use crate::domain::{EventId, Seq, Settings};

/// The type of an update that tells other settings.
pub const SETTINGS_UPDATED: &str = "settings_updated";

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertChange {
    /// Its deadline passed.
    Raised,
    /// Its reason is gone.
    Cleared,
    /// Somebody took note of it.
    Acknowledged,
}

impl AlertChange {
    /// The whole table.
    pub const ALL: [Self; 3] = [Self::Raised, Self::Cleared, Self::Acknowledged];

    /// The type of the update that tells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "alert_raised",
            Self::Cleared => "alert_cleared",
            Self::Acknowledged => "alert_acknowledged",
        }
    }
}

/// A deadline that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Alert)]
pub struct AlertShape {
    /// Made of kind, chat and `since`.
    pub id: String,
    /// Which deadline.
    pub kind: String,
    /// Of which chat.
    pub chat_id: String,
    /// Who the chat is held with.
    pub contact_name: Option<String>,
    /// The sector that the chat stands in.
    pub sector: Option<NamedShape>,
    /// The agent it is assigned to.
    pub owner: Option<NamedShape>,
    /// What the deadline is counted from.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it passed.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: Timestamp,
    /// When the hub said so.
    #[schema(value_type = String, format = DateTime)]
    pub raised_at: Timestamp,
    /// When its reason was gone.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cleared_at: Option<Timestamp>,
    /// When somebody took note of it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub acknowledged_at: Option<Timestamp>,
    /// Who that was.
    pub acknowledged_by: Option<NamedShape>,
}

/// An update beside those of deliveries, at its position.
#[derive(Debug, Serialize)]
pub struct SideUpdate<T> {
    event: &'static str,
    seq: Seq,
    timestamp: Timestamp,
    data: T,
}

impl<T> SideUpdate<T> {
    /// An update at its position; `timestamp` is when the hub took it in.
    pub fn new(seq: Seq, timestamp: Timestamp, data: T) -> Self {
        Self { event: "umbler_update", seq, timestamp, data }
    }
}

/// What happened to an alert.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AlertUpdated)]
pub struct AlertData<'a> {
    /// `alert:` and an id of its own.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// `alert_raised`, `alert_cleared` or `alert_acknowledged`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// The alert as it is now.
    alert: &'a AlertShape,
}

impl<'a> AlertData<'a> {
    /// What happened to an alert.
    pub fn new(event_id: &'a EventId, change: AlertChange, alert: &'a AlertShape) -> Self {
        let word = change.as_str();
        Self { event_id, update_type: word, changes: [word], chat: None, contact: None, alert }
    }
}

/// The settings of the hub.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Settings)]
pub struct SettingsShape {
    /// The setting `TIMEZONE`; not changed here.
    pub time_zone: String,
    /// What an admin edits.
    #[serde(flatten)]
    pub values: Settings,
}

/// Other settings from here on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SettingsUpdated)]
pub struct SettingsData<'a> {
    /// `settings:` and an id of its own.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// `settings_updated`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// All of them.
    settings: SettingsShape,
    /// Who saved them.
    updated_by: NamedShape,
}

impl<'a> SettingsData<'a> {
    /// Other settings.
    pub fn new(event_id: &'a EventId, settings: SettingsShape, updated_by: NamedShape) -> Self {
        let (update_type, changes) = (SETTINGS_UPDATED, [SETTINGS_UPDATED]);
        Self { event_id, update_type, changes, chat: None, contact: None, settings, updated_by }
    }
}
