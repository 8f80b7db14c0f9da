//! A record together with its parsed content, as the writer needs it.

use std::io;

use jiff::Timestamp;

use super::entry::{Entry, Kind, Origin, ZSTD_LEVEL};
use super::payload::{Payload, RulesRaise};
use super::reduced;
use super::rules::RULES;
use crate::domain::EventId;
use crate::umbler::{self, NotAnObject, Reading};

/// Estimated size of a parsed record without its texts and compressed bytes.
const OVERHEAD_BYTES: usize = 4_096;
/// Estimated size in memory of a parsed record of the hub, as a multiple of its JSON.
const PARSED_TIMES: usize = 8;

/// A record together with its parsed content.
#[derive(Debug)]
pub struct Record {
    pub entry: Entry,
    pub payload: Payload,
    /// Size in the queue, in bytes. A text of 10 MiB may compress to almost nothing, but is held in full.
    pub weight: usize,
}

/// Why a stored record cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("its bytes cannot be decompressed")]
    Compressed(#[from] io::Error),
    /// A delivery is not a JSON object.
    #[error(transparent)]
    NotAnObject(#[from] NotAnObject),
    /// A record of the hub itself cannot be parsed.
    #[error("it cannot be read")]
    Json(#[from] serde_json::Error),
    /// A newer release put rules into force that are not known here.
    #[error("it puts rules {0} into force, and this release knows them up to {RULES}: upgrade this hub")]
    Rules(u32),
}

impl Record {
    /// A post of the provider. `raw` is the compressed body, whose length was `body_bytes`.
    pub fn posted(
        reading: Reading,
        raw: Vec<u8>,
        body_bytes: usize,
        attempt: Option<u32>,
        at: Timestamp,
    ) -> Self {
        let (id, payload) = match reading {
            Reading::Event(delivery) => (Some(delivery.event_id.clone()), Payload::Delivery(delivery)),
            Reading::Ignored { reason, event_id } => {
                (event_id.clone(), Payload::Ignored { reason, event_id })
            }
        };
        let weight = raw.len() + body_bytes + OVERHEAD_BYTES;
        let entry =
            Entry { kind: Kind::Delivery, id, at, origin: Origin::Provider, attempt, fence: None, body: raw };
        Self { entry, payload, weight }
    }

    /// A delivery that the hub made of what the provider's API answered.
    pub fn reconciled(body: &[u8], at: Timestamp) -> Result<Self, RecordError> {
        let reading = umbler::read_own(body, at)?;
        let raw = zstd::bulk::compress(body, ZSTD_LEVEL)?;
        let mut record = Self::posted(reading, raw, body.len(), None, at);
        record.entry.origin = Origin::Hub;
        Ok(record)
    }

    /// A record of the hub itself. Fails only if memory is short, which passes.
    pub fn new(payload: Payload, id: Option<EventId>, origin: Origin, at: Timestamp) -> io::Result<Self> {
        let (kind, text) = match &payload {
            Payload::Delivery(_) | Payload::Ignored { .. } => {
                return Err(io::Error::other("a delivery is recorded as it was posted"));
            }
            Payload::Notice(notice) => (Kind::Notice, serde_json::to_vec(notice)?),
            Payload::Members(members) => (Kind::Members, serde_json::to_vec(members)?),
            Payload::Names(names) => (Kind::Names, serde_json::to_vec(names)?),
            Payload::Settings(settings) => (Kind::Settings, serde_json::to_vec(settings)?),
            Payload::Alert(alert) => (Kind::Alert, serde_json::to_vec(alert)?),
            Payload::Revocation(revocation) => (Kind::Revocation, serde_json::to_vec(revocation)?),
            Payload::AlertsPosted(seq) => (Kind::AlertsPosted, serde_json::to_vec(seq)?),
            Payload::Link(progress) => (Kind::Link, serde_json::to_vec(progress)?),
            Payload::LinkAlerts(alerts) => (Kind::LinkAlerts, serde_json::to_vec(alerts)?),
            Payload::Outbox(request) => (Kind::Outbox, serde_json::to_vec(request)?),
            Payload::OutboxAttempt(attempt) => (Kind::OutboxAttempt, serde_json::to_vec(attempt)?),
            Payload::OutboxResult(result) => (Kind::OutboxResult, serde_json::to_vec(result)?),
            Payload::DailyReport(report) => (Kind::DailyReport, serde_json::to_vec(report)?),
            Payload::ReportsMailed(seq) => (Kind::ReportsMailed, serde_json::to_vec(seq)?),
            Payload::Erasure(request) => (Kind::Erasure, serde_json::to_vec(request)?),
            Payload::Retention(step) => (Kind::Retention, serde_json::to_vec(step)?),
            Payload::DeliveryCounts(counts) => (Kind::DeliveryCounts, serde_json::to_vec(counts)?),
            Payload::Duty(taking) => (Kind::Duty, serde_json::to_vec(taking)?),
            Payload::Rules(raise) => (Kind::Rules, serde_json::to_vec(raise)?),
        };
        let body = zstd::bulk::compress(&text, ZSTD_LEVEL)?;
        let weight = body.len() + text.len() * PARSED_TIMES + OVERHEAD_BYTES;
        Ok(Self { entry: Entry { kind, id, at, origin, attempt: None, fence: None, body }, payload, weight })
    }

    pub fn read(entry: Entry) -> Result<Self, RecordError> {
        let text = zstd::stream::decode_all(entry.body.as_slice())?;
        let payload = match entry.kind {
            Kind::Delivery => {
                let reading = match entry.origin {
                    Origin::Hub => umbler::read_own(&text, entry.at)?,
                    Origin::Provider | Origin::User(_) => umbler::read(&text, entry.attempt, entry.at)?,
                };
                let record = Self::posted(reading, Vec::new(), text.len(), entry.attempt, entry.at);
                let weight = record.weight + entry.body.len();
                return Ok(Self {
                    payload: record.payload,
                    entry: Entry { id: record.entry.id, ..entry },
                    weight,
                });
            }
            Kind::Notice => Payload::Notice(serde_json::from_slice(&text)?),
            Kind::Members => Payload::Members(serde_json::from_slice(&text)?),
            Kind::Names => Payload::Names(serde_json::from_slice(&text)?),
            Kind::Settings => Payload::Settings(serde_json::from_slice(&text)?),
            Kind::Alert => Payload::Alert(serde_json::from_slice(&text)?),
            Kind::Revocation => Payload::Revocation(serde_json::from_slice(&text)?),
            Kind::AlertsPosted => Payload::AlertsPosted(serde_json::from_slice(&text)?),
            Kind::Link => Payload::Link(serde_json::from_slice(&text)?),
            Kind::LinkAlerts => Payload::LinkAlerts(serde_json::from_slice(&text)?),
            Kind::Outbox => Payload::Outbox(serde_json::from_slice(&text)?),
            Kind::OutboxAttempt => Payload::OutboxAttempt(serde_json::from_slice(&text)?),
            Kind::OutboxResult => Payload::OutboxResult(serde_json::from_slice(&text)?),
            Kind::DailyReport => Payload::DailyReport(serde_json::from_slice(&text)?),
            Kind::ReportsMailed => Payload::ReportsMailed(serde_json::from_slice(&text)?),
            Kind::Reduced => Payload::Delivery(Box::new(reduced::decode(&text, &entry)?)),
            Kind::Erasure => Payload::Erasure(serde_json::from_slice(&text)?),
            Kind::Retention => Payload::Retention(serde_json::from_slice(&text)?),
            Kind::DeliveryCounts => Payload::DeliveryCounts(serde_json::from_slice(&text)?),
            Kind::Duty => Payload::Duty(serde_json::from_slice(&text)?),
            Kind::Rules => Payload::Rules(known_rules(serde_json::from_slice(&text)?)?),
        };
        let weight = entry.body.len() + text.len() * PARSED_TIMES + OVERHEAD_BYTES;
        Ok(Self { entry, payload, weight })
    }
}

/// What follows would be applied otherwise than by the other hubs.
fn known_rules(raise: RulesRaise) -> Result<RulesRaise, RecordError> {
    if raise.number > RULES { Err(RecordError::Rules(raise.number)) } else { Ok(raise) }
}

/// A unique id that no delivery can have: `NAMESPACE:` followed by random digits.
pub fn own_id(namespace: &str) -> EventId {
    EventId::from(format!("{namespace}:{:032x}", rand::random::<u128>()))
}
