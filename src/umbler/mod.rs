//! The only place that knows the provider's JSON: bytes in, a [`Delivery`] in our words out.
//!
//! # Contract
//!
//! 1. Any JSON object is accepted; only what is not a JSON object is refused.
//! 2. Keys match whatever their case. Where an object has several spellings, the PascalCase key wins.
//! 3. Everything but ids is optional. A wrong type in an optional field counts as absent.
//! 4. Base64 of media is skipped, never copied.
//! 5. Nothing happened later than it was received: a time in the future is read as the time of receipt. That
//!    time is stored, so that a delivery that is read again says the same.

pub mod json;
pub mod message;
pub mod chat;
pub mod api;
pub mod reconcile;

use jiff::Timestamp;

use crate::domain::{Delivery, DeliveryBody, EventId};
use json::{Object, TEXT_BYTES_MAX};

/// Longest `EventId` and `Type`, in bytes. The provider's have 16, and at most 24.
const NAME_BYTES_MAX: usize = 256;

/// The types of events that are understood.
pub const KNOWN_TYPES: [&str; 8] = [
    "Message",
    "MessageFileUploaded",
    "NewChat",
    "ChatClosed",
    "MemberTransfer",
    "ChatSectorChanged",
    "ChatPrivateStatusChanged",
    "ChatTagChanged",
];

/// The result of reading a posted body.
#[derive(Debug)]
pub enum Reading {
    /// A delivery with an id and a type.
    Event(Box<Delivery>),
    /// A JSON object that is not an event.
    Ignored {
        /// Which part of an event is missing, or may not be used by the provider.
        reason: String,
        /// The id, where there is one.
        event_id: Option<EventId>,
    },
}

/// The body is not a JSON object, so nothing of it is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a JSON object: {reason}")]
pub struct NotAnObject {
    /// What the body is instead.
    pub reason: String,
}

/// Reads what somebody posted. An id or a type that only the hub's own records have makes it no event, or whoever posts could
/// keep the hub from recording what is to have that id.
pub fn read_posted(
    body: &[u8],
    attempt: Option<u32>,
    received_at: Timestamp,
) -> Result<Reading, NotAnObject> {
    let reading = read(body, attempt, received_at)?;
    let Reading::Event(delivery) = reading else { return Ok(reading) };
    let Delivery { event_id, event_type, .. } = &*delivery;
    if reconcile::is_own(Some(event_id.as_str()), Some(event_type)) {
        let reason = "EventId or Type is one that only the hub itself uses".to_owned();
        return Ok(Reading::Ignored { reason, event_id: Some(event_id.clone()) });
    }
    Ok(Reading::Event(delivery))
}

/// Reads a delivery of the hub's own.
pub fn read_own(body: &[u8], received_at: Timestamp) -> Result<Reading, NotAnObject> {
    read_with(body, None, received_at, &[reconcile::TYPE])
}

/// Reads a posted body. `attempt` is the value of the provider's `x-attempt` header.
pub fn read(body: &[u8], attempt: Option<u32>, received_at: Timestamp) -> Result<Reading, NotAnObject> {
    read_with(body, attempt, received_at, &KNOWN_TYPES)
}

fn read_with(
    body: &[u8],
    attempt: Option<u32>,
    received_at: Timestamp,
    known_types: &[&str],
) -> Result<Reading, NotAnObject> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let envelope = Object::parse(body, received_at).map_err(|reason| NotAnObject { reason })?;
    let name = |key| envelope.text(key).filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX);
    let event_id = name("EventId").map(EventId::from);
    let (Some(event_id), Some(event_type)) = (event_id.clone(), name("Type")) else {
        let missing = if event_id.is_none() { "EventId" } else { "Type" };
        let reason = format!("{missing} is missing, or no text of 1 to {NAME_BYTES_MAX} bytes");
        return Ok(Reading::Ignored { reason, event_id });
    };
    let body = understand(&envelope, &event_id, &event_type, received_at, known_types).map_or_else(
        |reason| DeliveryBody::Unrecognized { reason },
        |facts| DeliveryBody::Understood(Box::new(facts)),
    );
    Ok(Reading::Event(Box::new(Delivery { event_id, event_type, attempt, received_at, body })))
}

fn understand(
    envelope: &Object<'_>,
    event_id: &EventId,
    event_type: &str,
    received_at: Timestamp,
    known_types: &[&str],
) -> Result<crate::domain::Facts, String> {
    if !known_types.contains(&event_type) {
        let shown: String = event_type.chars().take(60).collect();
        return Err(format!("the type {shown:?} is not known"));
    }
    let payload = envelope.object("Payload").ok_or("Payload is missing or no object")?;
    let content = payload.object("Content").ok_or("Payload.Content is missing or no object")?;
    for message in ["Message", "LastMessage"] {
        if content.object(message).is_some_and(|message| message.is_too_long("Content")) {
            return Err(format!("{message}.Content has more than {} KiB", TEXT_BYTES_MAX / 1024));
        }
    }
    let sent = chat::Sent { event_id, event_type, at: envelope.time("EventDate"), received_at };
    chat::facts(&content, &sent).ok_or_else(|| "Payload.Content.Id is missing".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reading(body: &str) -> Result<Reading, NotAnObject> {
        read(body.as_bytes(), None, "2026-03-02T14:00:00Z".parse().unwrap())
    }

    fn understood(body: &str) -> crate::domain::Facts {
        match reading(body).unwrap() {
            Reading::Event(delivery) => match delivery.body {
                DeliveryBody::Understood(facts) => *facts,
                DeliveryBody::Unrecognized { reason } => panic!("{reason}"),
            },
            Reading::Ignored { reason, .. } => panic!("{reason}"),
        }
    }

    #[test]
    fn what_is_no_object_is_refused_and_what_is_no_event_is_ignored() {
        for body in ["", "null", "[]", "7", "\"x\"", "{", "{}x", "event=ack&token=x", "{\"a\":\u{1}}"] {
            assert!(reading(body).is_err(), "{body:?}");
        }
        assert!(read(b"{\"a\":\"\xff\"}", None, Timestamp::UNIX_EPOCH).is_err(), "not UTF-8");
        for (body, missing) in [
            ("{}", "EventId"),
            (r#"{"EventId":7,"Type":"Message"}"#, "EventId"),
            (r#"{"EventId":"","Type":"Message"}"#, "EventId"),
            (r#"{"EventId":"e"}"#, "Type"),
        ] {
            let Reading::Ignored { reason, .. } = reading(body).unwrap() else { panic!("{body}") };
            assert!(reason.starts_with(missing), "{reason}");
        }
    }

    #[test]
    fn a_content_that_is_not_understood_is_kept_with_the_reason() {
        for (body, expected) in [
            (r#"{"EventId":"e","Type":"ChatRated"}"#, "\"ChatRated\" is not known"),
            (r#"{"EventId":"e","Type":"Message"}"#, "Payload is missing"),
            (r#"{"EventId":"e","Type":"Message","Payload":{"Content":null}}"#, "Payload.Content is missing"),
            (
                r#"{"EventId":"e","Type":"Message","Payload":{"Content":{"Id":9}}}"#,
                "Payload.Content.Id is missing",
            ),
        ] {
            let Reading::Event(delivery) = reading(body).unwrap() else { panic!("{body}") };
            let DeliveryBody::Unrecognized { reason } = delivery.body else { panic!("{body}") };
            assert!(reason.contains(expected), "{reason}");
        }
    }

    #[test]
    fn a_text_that_no_one_can_have_written_is_not_decoded() {
        let body = |key: &str, bytes: usize| {
            let text = "a".repeat(bytes - 2);
            format!(
                r#"{{"EventId":"e","Type":"Message","Payload":{{"Content":{{"Id":"c","LastMessage":{{"Id":"m","{key}":"{text}"}}}}}}}}"#
            )
        };
        let longest = understood(&body("Content", TEXT_BYTES_MAX));
        assert_eq!(longest.messages[0].text.as_ref().map(String::len), Some(TEXT_BYTES_MAX - 2));
        let Reading::Event(delivery) = reading(&body("Content", TEXT_BYTES_MAX + 1)).unwrap() else {
            panic!()
        };
        let DeliveryBody::Unrecognized { reason } = delivery.body else { panic!("understood") };
        assert_eq!(reason, "LastMessage.Content has more than 256 KiB");
        assert_eq!(understood(&body("MessageType", TEXT_BYTES_MAX + 1)).messages[0].message_type, None);
    }

    #[test]
    fn keys_match_whatever_their_case_and_pascal_case_wins() {
        let facts = understood(
            r#"{"eventid":"no","EventId":"e","TYPE":"Message","payload":{"content":{"iD":"c","open":true,"Open":false}}}"#,
        );
        assert_eq!(facts.key.event.as_str(), "e");
        assert_eq!(facts.chat.open, Some(false));
    }

    #[test]
    fn a_wrong_type_counts_as_absent_and_odd_json_elsewhere_does_no_harm() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        let facts = understood(&format!(
            r#"{{"EventId":"e","Type":"Message","Payload":{{"Content":{{"Id":"c","Open":"yes","Sector":7,
            "Tags":{{}},"CreatedAtUTC":"soon","Deep":{deep},"Huge":1e999,
            "LastMessage":{{"Id":"m","Content":"cut \ud83d here","MessageState":5}}}}}}}}"#
        ));
        assert_eq!(facts.chat.open, None);
        assert_eq!(facts.chat.sector, None);
        assert_eq!(facts.chat.tags, None);
        assert_eq!(facts.chat.created_at, None);
        assert_eq!(facts.messages[0].text.as_deref(), Some("cut \u{fffd}\u{fffd}\u{fffd} here"));
        assert_eq!(facts.messages[0].state, None);
    }

    #[test]
    fn seven_fraction_digits_survive() {
        let facts = understood(
            r#"{"EventId":"e","Type":"Message","EventDate":"2026-03-02T13:00:06.1000004Z","Payload":{"Content":{"Id":"c"}}}"#,
        );
        assert_eq!(facts.key.at.to_string(), "2026-03-02T13:00:06.1000004Z");
    }

    #[test]
    fn no_time_is_later_than_the_receipt() {
        let later = "2036-11-28T13:00:00Z";
        let facts = understood(&format!(
            r#"{{"EventId":"e","Type":"Message","EventDate":"{later}","Payload":{{"Content":{{"Id":"c",
            "EventAtUTC":"{later}","CreatedAtUTC":"{later}","ClosedAtUTC":"{later}",
            "Contact":{{"Id":"k","LastActiveUTC":"{later}","CreatedAtUTC":"{later}"}},
            "LastMessageReaction":{{"MessageId":"n","Id":"r","Emoji":"x","EventAtUTC":"{later}"}},
            "LastMessage":{{"Id":"m","EventAtUTC":"{later}","CreatedAtUTC":"{later}",
            "LatestEdit":{{"Content":"y","SenderAtUTC":"{later}"}},
            "Reactions":[{{"Id":"s","Emoji":"x","EventAtUTC":"{later}"}}]}}}}}}}}"#
        ));
        let told = format!("{facts:?}");
        assert!(!told.contains("2036"), "{told}");
        assert_eq!(told.matches("2026-03-02T14:00:00Z").count(), 11, "{told}");
    }

    proptest! {
        #[test]
        fn no_body_makes_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
            drop(read(&body, None, Timestamp::UNIX_EPOCH));
        }

        #[test]
        fn no_damaged_delivery_makes_the_reader_panic(at in 0..3_000usize, byte in any::<u8>(), cut in 0..3_000usize) {
            let mut body = include_bytes!("../../tests/fixtures/deliveries/11a_message_reaction_chat_level.json").to_vec();
            let length = body.len();
            body[at % length] = byte;
            drop(read(&body, None, Timestamp::UNIX_EPOCH));
            body.truncate(cut % length);
            drop(read(&body, None, Timestamp::UNIX_EPOCH));
        }
    }
}
