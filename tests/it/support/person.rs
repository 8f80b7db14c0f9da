//! A person whose data are to be erased: everything that the hub may store of one, in words that nothing else contains.

use std::time::Instant;

use rusqlite::Connection;
use serde_json::json;

use super::hub::Hub;
use super::provider::{Delivery, moment};
use super::{Answer, PATIENCE};

/// The contact of the chat `maria`.
pub const CONTACT: &str = "contact-of-maria";

/// Words of the person that must be gone afterwards, as they come and as they are folded.
pub const WORDS: [&str; 15] = [
    "Zulmira",
    "zulmira",
    "Quixote",
    "quixote",
    "987654321",
    "xilofone",
    "Xilofone",
    "berimbau",
    "cavaquinho.pdf",
    "tamborim",
    "zabumba",
    "Rua do Agogô",
    "Pandeiro",
    "pandeiro",
    "ganza.example",
];

/// Posts everything about the person, and something of somebody else.
pub fn lives(hub: &Hub) {
    for delivery in [
        said(1, "m1").text("quero um Xilofone").set("/Payload/Content/Contact/Name", json!("Pandeiro Antigo")),
        said(2, "m2").text("foto").message_field(
            "File",
            json!({ "Url": "https://ganza.example/f", "OriginalName": "cavaquinho.pdf", "ContentType": "application/pdf",
                "Transcription": "fala de um tamborim" }),
        ),
        said(3, "m3").text("aqui").message_field(
            "Location",
            json!({ "Latitude": -23.5, "Longitude": -46.6, "Name": "Casa", "Address": "Rua do Agogô 7" }),
        ),
        said(4, "m4")
            .text("segue")
            .message_field("Contacts", json!([{ "Name": "Pandeiro", "PhoneNumbers": ["+5511900000077"] }])),
        said(5, "m1").text("quero um Xilofone").message_field(
            "LatestEdit",
            json!({ "Content": "quero um berimbau", "SenderAtUTC": moment(5) }),
        ),
        said(6, "m5").text("pois não, zabumba!").by_member("bia").owner("bia"),
        said(7, "m6").text("outra linha").chat("maria2").set("/Payload/Content/Contact/Id", json!(CONTACT)),
        Delivery::message("joao").at(8).text("sou outra pessoa"),
        said(9, "none").without_message().chat_field(
            "LastMessageReaction",
            json!({ "MessageId": "unknown-yet", "Id": "r1", "Emoji": "🪕", "Source": "Contact", "EventAtUTC": moment(9) }),
        ),
    ] {
        hub.provider().posts(&delivery);
    }
    // One that is not understood, and one that is no delivery.
    let odd = json!({ "EventId": "odd", "Type": "ChatRated", "Payload": { "who": "Pandeiro Antigo" } });
    assert_eq!(hub.provider().post(odd.to_string()).status, 200);
    assert_eq!(hub.provider().post(json!({ "who": "+5511987654321" }).to_string()).status, 200);
}

/// A message of the person, or one to them.
pub fn said(second: i64, message: &str) -> Delivery {
    Delivery::message("maria")
        .event_id(&format!("event-{second}-{message}"))
        .at(second)
        .message_id(message)
        .set("/Payload/Content/Contact/Name", json!("Zulmira Quixote"))
        .set("/Payload/Content/Contact/PhoneNumber", json!("+5511987654321"))
        .set("/Payload/Content/Contact/ProfilePictureUrl", json!("https://ganza.example/p"))
        .set("/Payload/Content/Contact/Tags", json!([{ "Id": "t1", "Name": "xilofone" }]))
}

/// Asks for the erasure.
pub fn erases(hub: &Hub, more: &str, headers: &[(&str, &str)]) -> Answer {
    hub.delete(&format!("/api/umbler/contacts/{CONTACT}/personal-data?reason=pedido+17{more}"), headers)
}

/// Where words of the person are still found: in the bytes of any file beside the database, and in compressed bodies.
pub fn traces(hub: &Hub, but: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(hub.home()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if !path.is_file() || but.contains(&&*name) {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        for word in WORDS {
            if bytes.windows(word.len()).any(|part| part == word.as_bytes()) {
                found.push(format!("{name}: {word}"));
            }
        }
    }
    let database = Connection::open(hub.database()).expect("the database");
    for table in ["raw_deliveries", "ignored_deliveries"] {
        let mut select = database.prepare(&format!("SELECT body FROM {table}")).expect("a table");
        let bodies = select.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        for body in bodies {
            let text = zstd::decode_all(body.expect("a body").as_slice()).expect("zstd");
            let text = String::from_utf8(text).expect("JSON");
            found.extend(
                WORDS.iter().filter(|word| text.contains(**word)).map(|word| format!("{table}: {word}")),
            );
        }
    }
    found
}

/// Waits until nothing of the person is found in any file.
pub fn is_gone(hub: &Hub, but: &[&str]) {
    let begun = Instant::now();
    loop {
        let left = traces(hub, but);
        if left.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "still there: {left:?}");
        std::thread::yield_now();
    }
}
