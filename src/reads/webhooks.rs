//! How the provider's deliveries fared. Never shows a raw body: it holds what customers wrote.

use jiff::Timestamp;
use rusqlite::Transaction;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Query, ReadError};
use crate::domain::register::from_nanos;
use crate::umbler::reconcile;

/// Undecodable and ignored deliveries that are shown, the newest first.
pub const LISTED_MAX: u32 = 50;

/// Tell how the deliveries fared.
#[derive(Debug, Clone, Copy)]
pub struct WebhookStatus;

/// How the deliveries fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookReport {
    /// When the last delivery came, whatever became of it.
    pub last_delivery_at: Option<Timestamp>,
    /// By type, then outcome.
    pub counts: Vec<DeliveryCount>,
    /// The latest ones that were not understood, at most [`LISTED_MAX`].
    pub unrecognized: Vec<UnrecognizedDelivery>,
    /// The latest ones without `EventId` or `Type`, at most [`LISTED_MAX`].
    pub ignored: Vec<IgnoredDelivery>,
}

impl WebhookReport {
    /// How many deliveries had this outcome, over all types.
    pub fn total(&self, outcome: &str) -> i64 {
        self.counts.iter().filter(|count| count.outcome == outcome).map(|count| count.count).sum()
    }
}

/// How many deliveries of one type had one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryCount {
    /// The provider's `Type`, as it came.
    #[serde(rename = "type")]
    pub event_type: String,
    /// `accepted`, `duplicate`, `unrecognized` or `ignored`.
    pub outcome: String,
    /// How many.
    pub count: i64,
    /// When the last of them came.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// A delivery that has a position but was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnrecognizedDelivery {
    /// Its position.
    pub seq: i64,
    /// The provider's id.
    pub event_id: String,
    /// The provider's `Type`, as it came.
    #[serde(rename = "type")]
    pub event_type: String,
    /// What was not understood.
    pub reason: String,
    /// When the hub received it.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
}

/// A JSON object that is no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IgnoredDelivery {
    /// Which part is missing.
    pub reason: String,
    /// When the hub received it.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
}

impl Query for WebhookStatus {
    type Answer = WebhookReport;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let counts = counts(tx)?;
        Ok(WebhookReport {
            // What the hub asked for itself does not show that webhooks come.
            last_delivery_at: counts
                .iter()
                .filter(|count| count.event_type != reconcile::TYPE)
                .map(|count| count.last_at)
                .max(),
            counts,
            unrecognized: unrecognized(tx)?,
            ignored: ignored(tx)?,
        })
    }
}

fn counts(tx: &Transaction<'_>) -> Result<Vec<DeliveryCount>, ReadError> {
    let mut statement = tx.prepare_cached(
        "SELECT event_type, outcome, count, last_at FROM delivery_counts ORDER BY event_type, outcome",
    )?;
    let counts = statement.query_map([], |row| {
        Ok(DeliveryCount {
            event_type: row.get(0)?,
            outcome: row.get(1)?,
            count: row.get(2)?,
            last_at: from_nanos(row.get(3)?),
        })
    })?;
    Ok(counts.collect::<Result<_, _>>()?)
}

fn unrecognized(tx: &Transaction<'_>) -> Result<Vec<UnrecognizedDelivery>, ReadError> {
    let mut statement = tx.prepare_cached(
        "SELECT seq, event_id, event_type, reason, received_at FROM journal INDEXED BY journal_unrecognized
         WHERE reason IS NOT NULL ORDER BY seq DESC LIMIT ?",
    )?;
    let deliveries = statement.query_map([LISTED_MAX], |row| {
        Ok(UnrecognizedDelivery {
            seq: row.get(0)?,
            event_id: row.get(1)?,
            event_type: row.get(2)?,
            reason: row.get(3)?,
            received_at: from_nanos(row.get(4)?),
        })
    })?;
    Ok(deliveries.collect::<Result<_, _>>()?)
}

fn ignored(tx: &Transaction<'_>) -> Result<Vec<IgnoredDelivery>, ReadError> {
    let mut statement =
        tx.prepare_cached("SELECT reason, received_at FROM ignored_deliveries ORDER BY id DESC LIMIT ?")?;
    let deliveries = statement.query_map([LISTED_MAX], |row| {
        Ok(IgnoredDelivery { reason: row.get(0)?, received_at: from_nanos(row.get(1)?) })
    })?;
    Ok(deliveries.collect::<Result<_, _>>()?)
}
