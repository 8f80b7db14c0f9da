//! What became of the provider's deliveries. A body contains what customers wrote, so only one that was not understood is
//! ever shown, and only to those who ask for it by its position.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Query, ReadError};
use crate::domain::register::from_nanos;
use crate::umbler::reconcile;

/// The most undecodable, and the most ignored, deliveries that are listed.
pub const LISTED_MAX: u32 = 50;

/// Most bytes of a body that are shown. Enough for any delivery of the usual kinds.
pub const BODY_SHOWN_BYTES_MAX: usize = 256 * 1024;

/// The raw body of a delivery that was not understood; `None` for any other position.
#[derive(Debug, Clone, Copy)]
pub struct GetUndecodable(pub i64);

/// A delivery that was not understood, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UndecodableBody {
    /// Its position in the journal.
    pub seq: i64,
    /// What could not be understood.
    pub reason: String,
    /// When the hub received it.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// The body as the provider posted it, up to 256 KiB of it.
    pub body: String,
    /// How many bytes the body has.
    pub bytes: usize,
}

impl Query for GetUndecodable {
    type Answer = Option<UndecodableBody>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Self::Answer, ReadError> {
        let mut select = tx.prepare_cached(
            "SELECT reason, received_at, body FROM journal JOIN raw_deliveries ON raw_deliveries.seq = journal.seq
             WHERE journal.seq = ? AND reason IS NOT NULL",
        )?;
        let found = select.query_row([self.0], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
        });
        let Some((reason, received_at, body)) = found.optional()? else { return Ok(None) };
        let body = zstd::stream::decode_all(body.as_slice()).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Blob, Box::new(error))
        })?;
        let shown = &body[..body.len().min(BODY_SHOWN_BYTES_MAX)];
        Ok(Some(UndecodableBody {
            seq: self.0,
            reason,
            received_at: from_nanos(received_at),
            // A character that the bound cuts in two, or that is no UTF-8, is shown as a replacement.
            body: String::from_utf8_lossy(shown).into_owned(),
            bytes: body.len(),
        }))
    }
}

/// Asks what became of the deliveries.
#[derive(Debug, Clone, Copy)]
pub struct WebhookStatus;

/// What became of the deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookReport {
    /// When the last delivery was received, with whatever outcome.
    pub last_delivery_at: Option<Timestamp>,
    /// Sorted by type, then by outcome.
    pub counts: Vec<DeliveryCount>,
    /// The latest that were not understood, at most [`LISTED_MAX`].
    pub unrecognized: Vec<UnrecognizedDelivery>,
    /// The latest without `EventId` or `Type`, at most [`LISTED_MAX`].
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
    /// The provider's `Type`, as it was received.
    #[serde(rename = "type")]
    pub event_type: String,
    /// `accepted`, `duplicate`, `unrecognized` or `ignored`.
    pub outcome: String,
    pub count: i64,
    /// When the last one was received.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// A delivery that has a position but was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnrecognizedDelivery {
    /// Its position in the journal.
    pub seq: i64,
    /// The provider's `EventId`.
    pub event_id: String,
    /// The provider's `Type`, as it was received.
    #[serde(rename = "type")]
    pub event_type: String,
    /// What could not be understood.
    pub reason: String,
    /// When the hub received it.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
}

/// A JSON object without `EventId` or `Type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IgnoredDelivery {
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
