//! What the log of records holds of the link to the provider, of backups, and of what is to be forgotten: erasures, steps of
//! deleting by age, and deliveries of which only a part is kept.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use umbler_hub::facade::journal::{
    BackfillProgress, Entry, ErasureRequest, Kind, LinkAlert, LinkProgress, OutcomeCount, Payload, Retained,
    RetentionStep, reduced_body,
};
use umbler_hub::facade::rules::{DeliveryBody, Reading, read};

use super::log::{own, posted_entry};
use super::provider::Delivery;

/// How far the link is, with an update and without one, and what is wrong with it: there, the same again, and over.
pub fn link_entries(number: usize, at: Timestamp, id: &dyn Fn(&str) -> String) -> Vec<Entry> {
    let backfill = BackfillProgress {
        days: 30,
        begun_at: at,
        ended_at: None,
        part: 1,
        after: Some(format!("chat-{}", number % 4).as_str().into()),
        done: number as u64,
        total: Some(700),
        messages: 3,
        skipped: 1,
        next_days: None,
    };
    let known =
        |backfill| Payload::Link(LinkProgress { complete_until: Some(at), available_from: None, backfill });
    let lost = json!([{ "kind": "deliveries_lost", "since": at.to_string(), "count": number }]);
    let lost: Vec<LinkAlert> = serde_json::from_value(lost).expect("an alert");
    let alerts = |name: &str, alerts| own(Payload::LinkAlerts(alerts), Some(&id(name)), at);
    vec![
        own(known(None), None, at),
        alerts("lost", lost.clone()),
        alerts("lost-again", lost),
        own(known(Some(backfill)), Some(&id("backfill")), at),
        alerts("found", Vec::new()),
    ]
}

/// A backup's counts of deliveries, one of them of a type that did not occur, between deliveries that are counted too.
pub fn counts_entries(number: usize, at: Timestamp, posted: [Entry; 2]) -> Vec<Entry> {
    let count = |event_type: &str, outcome: &str| OutcomeCount {
        event_type: event_type.to_owned(),
        outcome: outcome.to_owned(),
        count: i64::try_from(number).expect("small"),
        last_at: at,
    };
    let counts = vec![count("Message", "duplicate"), count("", "ignored"), count("OnlyThere", "duplicate")];
    let [first, second] = posted;
    vec![first.clone(), first, own(Payload::DeliveryCounts(counts), None, at), second.clone(), second]
}

/// A delivery that was reduced before it came, understood or not, as from a backup.
pub fn reduced_entries(at: Timestamp, posted: &[Delivery]) -> Vec<Entry> {
    posted.iter().map(|delivery| reduced_entry(&delivery.bytes(), at)).collect()
}

fn reduced_entry(body: &[u8], at: Timestamp) -> Entry {
    let Reading::Event(delivery) = read(body, None, at).expect("an object") else { panic!("an event") };
    let facts = match &delivery.body {
        DeliveryBody::Understood(facts) => Some(&**facts),
        DeliveryBody::Unrecognized { .. } => None,
    };
    let body_left = reduced_body(&delivery, facts).expect("memory");
    Entry { kind: Kind::Reduced, body: body_left, ..posted_entry(body, None, at) }
}

/// Erasures of contacts, at times with chats that were theirs, for good or until they write again, and a notice that names one.
pub fn erasure_entries(
    number: usize,
    at: Timestamp,
    id: &dyn Fn(&str) -> String,
    known: &[String],
) -> Vec<Entry> {
    let erasure = |name: &str, contact: &str, block: bool| {
        let request = ErasureRequest {
            contact: contact.into(),
            former_chats: if block { vec!["chat-1".into(), "chat-2".into()] } else { Vec::new() },
            reason: "asked for".to_owned(),
            block,
        };
        own(Payload::Erasure(request), Some(&id(name)), at)
    };
    let one_of_these = &known[number % known.len()];
    vec![
        erasure("erasure", &format!("contact-{}", number / 18 % 2), number % 4 == 1),
        erasure("of-the-day", one_of_these, number % 8 == 5),
        erasure("of-nobody", "nobody", false),
    ]
}

/// Steps of deleting by age, more of them than there is to do at times. Bounds of time are before the newest delivery.
pub fn retention_entries(number: usize, at: Timestamp) -> Vec<Entry> {
    let step = |what, minutes: i64| {
        let step = RetentionStep { what, before: at - SignedDuration::from_mins(minutes) };
        own(Payload::Retention(step), None, at)
    };
    let raw = step(Retained::Raw, 90);
    let texts = step(Retained::Texts, 20);
    if number.is_multiple_of(4) {
        vec![raw.clone(), texts.clone(), texts.clone(), raw, texts.clone(), texts]
    } else {
        vec![texts.clone(), texts]
    }
}

/// The contact of a posted delivery, if it names one.
pub fn contact_of(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body.pointer("/Payload/Content/Contact/Id").and_then(Value::as_str).map(str::to_owned)
}
