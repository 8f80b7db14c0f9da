//! Deliveries of which only a part is kept: what was read of them, without what was erased or is too old.
//!
//! The bytes as the provider posted them are gone. What is left is enough to apply the delivery again, so a
//! rebuild makes the same chats, contacts and messages. It does not make the same update, because that told
//! what is gone: a rebuild takes over the stored one.

use std::borrow::Cow;
use std::io;

use serde::{Deserialize, Serialize};

use super::entry::{Entry, ZSTD_LEVEL};
use crate::domain::{Delivery, DeliveryBody, EventId, Facts};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept<'a> {
    event_type: Cow<'a, str>,
    /// What was read of it; `None` if it was not understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    facts: Option<Cow<'a, Facts>>,
    /// Why it was not understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
}

/// The compressed body of a delivery of which only `facts` are kept; `None` for one that was not understood.
pub fn encode(delivery: &Delivery, facts: Option<&Facts>) -> io::Result<Vec<u8>> {
    let reason = match &delivery.body {
        DeliveryBody::Unrecognized { reason } => Some(Cow::Borrowed(&**reason)),
        DeliveryBody::Understood(_) => None,
    };
    let event_type = Cow::Borrowed(&*delivery.event_type);
    let kept = Kept { event_type, facts: facts.map(Cow::Borrowed), reason };
    zstd::bulk::compress(&serde_json::to_vec(&kept)?, ZSTD_LEVEL)
}

/// Reads the decompressed body of a record.
pub(super) fn decode(text: &[u8], entry: &Entry) -> serde_json::Result<Delivery> {
    let Kept { event_type, facts, reason } = serde_json::from_slice(text)?;
    let body = match facts {
        Some(facts) => DeliveryBody::Understood(Box::new(facts.into_owned())),
        None => DeliveryBody::Unrecognized { reason: reason.unwrap_or_default().into_owned() },
    };
    Ok(Delivery {
        event_id: entry.id.clone().unwrap_or_else(|| EventId::from("")),
        event_type: event_type.into_owned(),
        attempt: entry.attempt,
        received_at: entry.at,
        body,
    })
}
