//! What was said: deleted messages, empty texts, reactions; and names that show nothing.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::stream::Stream;
use super::support::keys::{SECRET, token};
use super::support::provider::{fault_lines, moment};
use super::support::{Delivery, Hub, hub_with, spawn_hub};

/// The message with this id, as REST shows it.
fn message(hub: &Hub, id: &str) -> Value {
    let page = hub.json("/api/umbler/messages?limit=200");
    let found = page["messages"].as_array().expect("messages").iter().find(|message| message["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {page}")).clone()
}

/// The emojis on a message.
fn emojis(hub: &Hub, id: &str) -> Vec<String> {
    let message = message(hub, id);
    let reactions = message["reactions"].as_array().expect("reactions").iter();
    reactions.map(|reaction| reaction["emoji"].as_str().expect("an emoji").to_owned()).collect()
}

/// Everything that the hub answers to whoever asks for chats, contacts, messages, updates, the past or a search.
fn all_answers(hub: &Hub, chat: &str, searches: &[&str]) -> String {
    let mut paths: Vec<String> = [
        "/api/umbler/messages?limit=200",
        "/api/umbler/chats?limit=200",
        "/api/umbler/contacts?limit=200",
        "/api/umbler/updates?after=0&limit=1000",
        "/api/umbler/webhook/status",
    ]
    .map(str::to_owned)
    .into();
    paths.extend([
        format!("/api/umbler/chats/{chat}"),
        format!("/api/umbler/chats/{chat}/messages"),
        format!("/api/umbler/chats/{chat}/timeline"),
        "/api/umbler/chats?at=2026-03-03T00:00:00Z".to_owned(),
    ]);
    let mut answers: String = paths.iter().map(|path| hub.json(path).to_string()).collect();
    let contact = hub.json(&format!("/api/umbler/chats/{chat}"))["chat"]["contactId"].clone();
    let export = format!("/api/umbler/contacts/{}/personal-data", contact.as_str().expect("a contact"));
    for path in [&export, &format!("{export}?format=html")] {
        let answer = hub.get(path);
        assert_eq!(answer.status, 200, "{path}");
        answers += &answer.text;
    }
    // Whatever it says of a chat that was not there yet.
    answers += &hub.get(&format!("/api/umbler/chats/{chat}?at=2026-03-03T00:00:00Z")).text;
    let mut screen = hub.screen();
    answers += &screen.snapshot().to_string();
    // What is kept of the updates comes again, on a socket and on a stream.
    let epoch = screen.welcome["epoch"].clone();
    if screen.comes_back(&["updates"], 0, &epoch)["recovered"] == true {
        let heard = screen.catches_up();
        let last = &heard.last().expect("an update")["seq"];
        let position = format!("{}:0", epoch.as_str().expect("an epoch"));
        answers += &streamed(hub, &[("last-event-id", &position)], |told| told["seq"] == *last);
        answers += &Value::Array(heard.clone()).to_string();
    }
    answers += &streamed(hub, &[], |told| told["event"] == "umbler_data");
    for word in searches {
        for path in ["search?q", "messages?search"] {
            let found = hub.json(&format!("/api/umbler/{path}={word}"));
            assert_eq!(found["messages"], json!([]), "{path}={word}");
        }
    }
    answers
}

/// What an event stream tells, up to and including its last envelope.
fn streamed(hub: &Hub, headers: &[(&str, &str)], is_last: impl Fn(&Value) -> bool) -> String {
    let mut stream = Stream::open(hub, "", headers);
    let mut told = String::new();
    loop {
        let envelope = stream.next().expect("the stream goes on");
        told += &envelope.to_string();
        if is_last(&envelope) {
            return told;
        }
    }
}

/// A deletion as the provider tells it.
fn deleted(delivery: Delivery) -> Delivery {
    delivery.message_field("Content", Value::Null).message_field("IsDeleted", json!(true))
}

#[test]
fn a_deleted_message_is_shown_nowhere_and_found_by_nothing() {
    let hub = spawn_hub();
    hub.provider().posts_lines("deleted-message-shown.ndjson");
    let answers = all_answers(&hub, "del1", &["SENHA", "OUTRA", "123", "456"]);
    assert!(!answers.contains("SENHA"), "{answers}");
    for id in ["delm1", "delm3"] {
        let deleted = message(&hub, id);
        assert_eq!((&deleted["text"], &deleted["deleted"]), (&Value::Null, &json!(true)), "{deleted}");
    }
    let last = &hub.json("/api/umbler/chats/del2")["chat"]["lastMessage"];
    assert_eq!((&last["id"], &last["text"], &last["deleted"]), (&json!("delm3"), &Value::Null, &json!(true)));
    assert_eq!(message(&hub, "delm2")["replyTo"]["id"], "delm1", "what answers it stays an answer to it");
}

#[test]
fn nothing_of_a_deleted_message_stays_whatever_it_carried_and_whatever_comes_later() {
    let hub = spawn_hub();
    let whole = |at| {
        Delivery::message("a")
            .message_id("m")
            .at(1)
            .emitted_at(at)
            .text("GEHEIM1")
            .message_field(
                "File",
                json!({ "Url": "https://files.example/GEHEIM2", "OriginalName": "GEHEIM3.pdf",
                "ContentType": "application/pdf", "OriginalSizeBytes": 5, "Caption": "GEHEIM4",
                "Transcription": "GEHEIMA" }),
            )
            .message_field(
                "Location",
                json!({ "Latitude": 1, "Longitude": 2, "Name": "GEHEIM5", "Address": "GEHEIM6" }),
            )
            .message_field("Contacts", json!([{ "Name": "GEHEIM7", "PhoneNumbers": ["GEHEIM8"] }]))
            .message_field("LatestEdit", json!({ "Content": "GEHEIM9", "SenderAtUTC": moment(3) }))
    };
    hub.provider().posts(&whole(2));
    assert_eq!(message(&hub, "m")["text"], "GEHEIM9");
    for path in ["search?q", "messages?search"] {
        let found = hub.json(&format!("/api/umbler/{path}=GEHEIM9"));
        assert_eq!(found["messages"].as_array().map(Vec::len), Some(1), "until then it is found: {found}");
    }
    hub.provider().posts(&deleted(Delivery::message("a").message_id("m").at(1).emitted_at(5)));
    let gone = message(&hub, "m");
    // A late delivery, an edit and a file that come after the deletion.
    hub.provider().posts(&whole(4));
    hub.provider().posts(
        &whole(9).message_field("LatestEdit", json!({ "Content": "GEHEIM0", "SenderAtUTC": moment(8) })),
    );
    assert_eq!(message(&hub, "m"), gone);
    let nothing = ["text", "editedAt", "file", "location"].map(|field| gone[field].clone());
    assert_eq!(
        (nothing, &gone["contacts"]),
        ([Value::Null, Value::Null, Value::Null, Value::Null], &json!([]))
    );
    let answers = all_answers(&hub, "a", &["GEHEIM1", "GEHEIM9", "GEHEIM0"]);
    assert!(!answers.contains("GEHEIM"), "{answers}");
    // After a restart the updates come from the disk.
    let hub = hub.restarted();
    let answers = all_answers(&hub, "a", &[]);
    assert!(!answers.contains("GEHEIM"), "{answers}");
}

#[test]
fn what_is_said_in_a_recording_is_shown_once_the_provider_wrote_it_down() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let tells = |at, words: Value| {
        let file = json!({ "Url": "https://files.example/a.ogg", "ContentType": "audio/ogg", "Transcription": words });
        let recording = Delivery::message("a").message_id("m").at(1).emitted_at(at);
        hub.provider().posts(&recording.message_field("File", file));
    };
    let shown_to = |role: &str| {
        let authorization = format!("Bearer {}", token(json!({ "sub": role, "role": role })));
        let page = hub.get_with("/api/umbler/messages?limit=1", &[("authorization", &authorization)]).json();
        page["messages"][0]["file"].get("transcription").cloned()
    };
    tells(2, Value::Null);
    assert_eq!(shown_to("agent"), None);
    tells(3, json!("Oi, tudo bem?"));
    assert_eq!(shown_to("agent"), Some(json!("Oi, tudo bem?")));
    assert_eq!(shown_to("viewer"), None, "masked, as texts are");
}

#[test]
fn a_screen_that_comes_back_after_a_deletion_is_not_told_what_was_said() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let admin = token(json!({ "sub": "lead", "role": "admin" }));
    let limited = token(json!({ "sub": "bia", "role": "agent", "sectors": ["other"] }));
    // Two chats of one contact: the update of each tells the newest message of the other to whom only that one is seen.
    let here =
        |id: &str| Delivery::message("here").message_id(id).set("/Payload/Content/Contact/Id", json!("c"));
    let there = |id: &str| {
        Delivery::message("there")
            .message_id(id)
            .set("/Payload/Content/Contact/Id", json!("c"))
            .chat_field("Sector", json!({ "Id": "other", "Name": "Other" }))
    };
    hub.provider().posts(&there("first").text("harmless").at(1));
    hub.provider().posts(&there("m").text("GEHEIM").at(2));
    hub.provider().posts(&here("beside").text("beside").at(3));
    hub.provider().posts(&deleted(there("m").at(2).emitted_at(4)));
    let mut heard = Vec::new();
    for token in [&admin, &limited] {
        let mut screen = hub.screen().signed_in(token);
        let epoch = screen.welcome["epoch"].clone();
        let subscribed = screen.comes_back(&["updates"], 0, &epoch);
        assert_eq!(subscribed["recovered"], true, "{subscribed}");
        heard.extend(screen.catches_up());
    }
    let told = Value::Array(heard.clone()).to_string();
    assert!(told.contains("harmless") && !told.contains("GEHEIM"), "{told}");
    let positions =
        |heard: &[Value]| -> Vec<i64> { heard.iter().filter_map(|update| update["seq"].as_i64()).collect() };
    assert!(positions(&heard).starts_with(&[1, 2, 3, 4]), "every position is still there");
    let second = heard.iter().find(|update| update["seq"] == 2).expect("the second update");
    let shown = &second["data"]["message"];
    assert_eq!(
        (&shown["id"], &shown["deleted"], &second["data"]["type"]),
        (&json!("m"), &json!(true), &json!("new_message"))
    );
}

#[test]
fn a_stored_update_that_cannot_be_read_does_not_hold_up_a_deletion() {
    let mut hub = spawn_hub();
    hub.provider().posts(&Delivery::message("a").message_id("m").text("GEHEIM").at(1));
    hub.kill();
    let database = Connection::open(hub.database()).expect("the database");
    let spoil = r#"UPDATE frames SET frame = '{"id":"m","text":"GEHEIM"'"#;
    assert_eq!(database.execute(spoil, []).expect("spoilt"), 1);
    drop(database);
    let hub = hub.started_again();
    hub.provider().posts(&deleted(Delivery::message("a").message_id("m").at(1).emitted_at(2)));
    assert_eq!(message(&hub, "m")["deleted"], true);
    assert!(!hub.restarted().get("/api/umbler/updates?after=1").text.contains("GEHEIM"));
}

#[test]
fn words_of_messages_that_an_older_hub_knew_as_deleted_are_gone_after_the_upgrade() {
    let home = tempfile::tempdir().expect("a folder");
    let database = Connection::open(home.path().join("hub.db")).expect("a database");
    database.execute_batch(include_str!("../fixtures/databases/first-schema.sql")).expect("the dump");
    database.pragma_update(None, "user_version", 1).expect("set");
    // As older hubs kept it: the text beside the mark, in the message and in the updates that had told it.
    let (id, text): (String, String) = database
        .query_row(
            "SELECT id, json_extract(state, '$.text.v') FROM messages WHERE json_extract(state, '$.text.v') IS NOT NULL LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .expect("a text");
    let mark = "UPDATE messages SET state = json_set(state, '$.deleted', json('true')) WHERE id = ?1";
    database.execute(mark, [&id]).expect("marked");
    let told: bool = database
        .query_row("SELECT EXISTS (SELECT 1 FROM frames WHERE instr(frame, ?1) > 0)", [&text], |row| {
            row.get(0)
        })
        .expect("a look");
    assert!(told, "some update tells {text:?}");
    drop(database);
    let hub = super::support::hub::start_in(home);
    let deleted = message(&hub, &id);
    assert_eq!((&deleted["text"], &deleted["deleted"]), (&Value::Null, &json!(true)));
    let chat = deleted["chatId"].as_str().expect("a chat");
    let answers = all_answers(&hub, chat, &[]);
    assert!(!answers.contains(&text), "{text}: {answers}");
}

#[test]
fn an_empty_text_hides_no_caption_and_keeps_out_no_later_text() {
    let hub = spawn_hub();
    hub.provider().posts_lines("caption-empty-content.ndjson");
    assert_eq!(message(&hub, "capm1")["text"], "Comprovante do PIX");
    assert_eq!(message(&hub, "capm2")["text"], "Comprovante tarde");
    let found = hub.json("/api/umbler/search?q=comprovante");
    assert_eq!(found["messages"].as_array().expect("messages").len(), 2, "{found}");
    for (number, unseen) in ["", " \n", "\u{200e}", "\u{2800}", "\u{3164}"].into_iter().enumerate() {
        let id = format!("unseen-{number}");
        let file = json!({ "Url": null, "ContentType": "image/png", "Caption": "a legenda" });
        hub.provider()
            .posts(&Delivery::message("b").message_id(&id).text(unseen).message_field("File", file));
        assert_eq!(message(&hub, &id)["text"], "a legenda", "{unseen:?}");
    }
    hub.provider().posts(&Delivery::message("c").message_id("only").text("\u{200b}"));
    assert_eq!(message(&hub, "only")["text"], Value::Null);
}

#[test]
fn in_a_direct_chat_a_person_has_one_reaction_and_none_after_taking_it_back() {
    let hub = spawn_hub();
    let lines = fault_lines("reaction-replaced-removed.ndjson");
    let lines: Vec<&str> = lines.lines().collect();
    for (line, expected) in lines.iter().zip([vec![], vec!["👍"], vec!["❤️"], vec![]]) {
        assert_eq!(hub.provider().post(line).status, 200);
        assert_eq!(emojis(&hub, "rm1"), expected);
    }
    let backwards = spawn_hub();
    for line in lines.iter().rev() {
        assert_eq!(backwards.provider().post(line).status, 200);
    }
    assert_eq!(emojis(&backwards, "rm1"), [""; 0]);
}

#[test]
fn reactions_of_one_second_stand_in_the_order_in_which_the_provider_made_them() {
    let hub = spawn_hub();
    let reacted = |id: &str, emoji: &str, source: &str| {
        let reaction =
            json!({ "Id": id, "Emoji": emoji, "Source": source, "EventAtUTC": moment(5), "MessageId": "m" });
        Delivery::of_type("Message", "a").chat_field("LastMessageReaction", reaction)
    };
    hub.provider().posts(&Delivery::message("a").message_id("m"));
    // As bytes the second id is the larger one; as text it is the smaller one.
    hub.provider().posts(&reacted("aaWK0VoR_gAHAAQ0", "❤️", "Contact"));
    hub.provider().posts(&reacted("aaWK0VoR_gAHAAQH", "👍", "Contact"));
    hub.provider().posts(&reacted("aaWK0VoR_gAHAAQA", "🎉", "Member"));
    let mut shown = emojis(&hub, "m");
    shown.sort();
    assert_eq!(shown, ["❤️", "🎉"], "each person has one");
}

#[test]
fn in_a_group_everybody_has_a_reaction_of_their_own() {
    let hub = spawn_hub();
    let group = |id: &str| {
        Delivery::message("g")
            .message_id(id)
            .set("/Payload/Content/Contact/ContactType", json!("GroupMessage"))
    };
    let reaction = |id: &str, emoji: &str, at| json!({ "Id": id, "Emoji": emoji, "Source": "Contact", "EventAtUTC": moment(at), "MessageId": "m" });
    let both = json!([reaction("r1", "👍", 5), reaction("r2", "❤️", 6)]);
    hub.provider().posts(&group("m").message_field("Reactions", both));
    assert_eq!(emojis(&hub, "m"), ["👍", "❤️"]);
    hub.provider().posts(&group("m").message_field("Reactions", json!([reaction("r1", "", 5)])));
    assert_eq!(emojis(&hub, "m"), ["❤️"], "taken back in the same second");
}

#[test]
fn a_name_that_shows_nothing_is_none_and_the_phone_stands_for_it() {
    let hub = spawn_hub();
    hub.provider().posts_lines("blank-names.ndjson");
    for id in ["bl1", "bl2", "bl3", "bl4"] {
        let chat = &hub.json(&format!("/api/umbler/chats/{id}"))["chat"];
        assert_eq!(
            (&chat["contactName"], &chat["contactPhone"]),
            (&Value::Null, &json!("+5511900000001")),
            "{chat}"
        );
        let contact = &hub.json(&format!("/api/umbler/contacts/ct-{id}"))["contact"];
        assert_eq!(contact["name"], Value::Null, "{contact}");
        let behind = hub.json("/api/umbler/metrics/live?explain=true&metric=open");
        let rows = behind["rows"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["chatId"] == id).expect("the chat is open");
        assert_eq!((&row["contactName"], &row["contactPhone"]), (&Value::Null, &json!("+5511900000001")));
    }
    let unseen = "\u{2066}\u{feff}\u{2069}";
    hub.provider().posts(
        &Delivery::message("a")
            .chat_field("Sector", json!({ "Id": "s", "Name": unseen }))
            .chat_field("Channel", json!({ "Id": "l", "Name": unseen, "ChannelType": "WhatsappApi" }))
            .chat_field("Tags", json!([{ "Id": "t", "Name": unseen }]))
            .by_member("bia")
            .message_field("SentByOrganizationMember", json!({ "Id": "bia", "Name": unseen })),
    );
    let chat = &hub.json("/api/umbler/chats/a")["chat"];
    for named in [&chat["sector"], &chat["channel"], &chat["tags"][0]] {
        assert_eq!(named["name"], Value::Null, "{chat}");
    }
    let refused = hub.put("/api/umbler/members/bia", &[], &json!({ "name": unseen }));
    assert_eq!(refused.status, 400, "{}", refused.text);
    let real = Delivery::message("a").set("/Payload/Content/Contact/Name", json!("\u{200e}Ana"));
    hub.provider().posts(&real);
    assert_eq!(
        hub.json("/api/umbler/chats/a")["chat"]["contactName"],
        "\u{200e}Ana",
        "a visible letter makes a name"
    );
}
