//! What REST answers: every list, every filter, every page, through real HTTP.

use serde_json::{Value, json};

use super::support::keys::now;
use super::support::provider::moment;
use super::support::town::{line, settle};
use super::support::{Delivery, Hub, spawn_hub};

fn town() -> Hub {
    let hub = spawn_hub();
    settle(&hub);
    hub
}

/// The ids of a list, in its order.
fn ids(hub: &Hub, path: &str) -> Vec<String> {
    let answer = hub.json(&format!("/api/umbler{path}"));
    let list = answer.as_object().expect("an object").values().find_map(Value::as_array).expect("a list");
    list.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

/// The answer with what differs from run to run taken out.
fn whole(hub: &Hub, path: &str) -> Value {
    let mut answer = hub.json(&format!("/api/umbler{path}"));
    mask(&mut answer);
    answer
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match name.as_str() {
                    "epoch" => *field = json!("(random)"),
                    "nextCursor" if !field.is_null() => *field = json!("(opaque)"),
                    "lastAt" | "receivedAt" | "lastDeliveryAt" | "minutesSince" | "timestamp" => {
                        *field = json!("(now)");
                    }
                    "minutes" => *field = json!("(of now)"),
                    "silenceSeconds" => *field = json!("(seconds)"),
                    _ => mask(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_row_answers_in_its_documented_shape() {
    let hub = town();
    hub.provider().post(json!({ "EventId": "odd", "Type": "ChatRated", "Payload": {} }).to_string());
    hub.provider().post("{}");
    for (name, path) in [
        ("contacts", "/contacts?limit=2"),
        ("contact", "/contacts/contact-of-ana"),
        ("contact_chats", "/contacts/contact-of-ana/chats"),
        ("chats", "/chats?limit=2"),
        ("chat", "/chats/bruno"),
        ("chat_messages", "/chats/bruno/messages"),
        ("messages", "/messages?limit=2"),
        ("updates", "/updates?after=6&limit=2"),
        ("webhook_status", "/webhook/status"),
    ] {
        insta::assert_json_snapshot!(format!("rest_{name}"), whole(&hub, path));
    }
}

#[test]
fn counters_count_everything_but_open_waiting_and_today_leave_groups_and_colleagues_out() {
    let hub = town();
    let mut expected = json!({
        "totalContacts": 5, "totalMessages": 7, "totalChats": 5,
        "openChats": 2, "waitingChats": 1, "messagesToday": 0, "asOfSeq": 7,
    });
    assert_eq!(hub.json("/api/umbler/stats"), expected);
    // Those were written on 2 March 2026; these two are today's, and one of them is a group's.
    let now = jiff::Timestamp::from_second(now()).expect("a moment").to_string();
    for (chat, contact_type) in [("ana", "DirectMessage"), ("grupo", "Group")] {
        let delivery = line(chat, 30, "today")
            .event_id(&format!("today-{chat}"))
            .message_id(&format!("today-{chat}"))
            .set("/EventDate", json!(now))
            .message_field("EventAtUTC", json!(now))
            .set("/Payload/Content/Contact/ContactType", json!(contact_type));
        hub.provider().posts(&delivery);
    }
    for (name, value) in [("totalMessages", 9), ("messagesToday", 1), ("asOfSeq", 9)] {
        expected[name] = json!(value);
    }
    assert_eq!(hub.json("/api/umbler/stats"), expected);
}

#[test]
fn contacts_are_found_filtered_and_sorted() {
    let hub = town();
    for (query, expected) in [
        ("", &["bruno", "time", "grupo", "carla", "ana"][..]),
        ("?sort=lastInteraction&order=asc", &["ana", "carla", "grupo", "time", "bruno"]),
        ("?sort=name", &["ana", "bruno", "carla", "grupo", "time"]),
        ("?sort=name&order=desc", &["time", "grupo", "carla", "bruno", "ana"]),
        ("?sort=createdAt", &["time", "grupo", "carla", "bruno", "ana"]),
        ("?sort=createdAt&order=asc", &["ana", "bruno", "carla", "grupo", "time"]),
        ("?tag=vip", &["ana"]),
        ("?tag=hot", &[]),
        ("?search=AGUAS", &["ana"]),
        ("?search=%C3%A1guas", &["ana"]),
        ("?search=%2B55%20(11)%2090000-0004", &["carla"]),
        ("?search=br&order=desc", &["bruno"]),
        ("?search=", &["bruno", "time", "grupo", "carla", "ana"]),
        ("?search=%25", &[]),
        ("?limit=2&page=2", &["grupo", "carla"]),
        ("?limit=2&page=4", &[]),
    ] {
        let expected: Vec<String> = expected.iter().map(|chat| format!("contact-of-{chat}")).collect();
        assert_eq!(ids(&hub, &format!("/contacts{query}")), expected, "{query}");
    }
}

#[test]
fn chats_are_found_filtered_and_sorted() {
    let hub = town();
    for (query, expected) in [
        ("", &["bruno", "time", "grupo", "carla", "ana"][..]),
        ("?status=open", &["bruno", "time", "grupo", "ana"]),
        ("?status=waiting", &["time", "grupo", "ana"]),
        ("?status=closed", &["carla"]),
        ("?kind=direct", &["bruno", "carla", "ana"]),
        ("?kind=group", &["grupo"]),
        ("?kind=internal", &["time"]),
        ("?sector=sales", &["ana"]),
        ("?owner=bia", &["bruno"]),
        ("?channel=line-2", &["bruno"]),
        ("?tag=hot", &["ana"]),
        ("?tag=vip", &[]),
        ("?search=brasa", &["bruno"]),
        ("?status=open&kind=direct&sort=name", &["ana", "bruno"]),
        ("?sort=createdAt&order=asc&limit=1", &["ana"]),
        ("?sector=SALES", &[]),
    ] {
        assert_eq!(ids(&hub, &format!("/chats{query}")), expected, "{query}");
    }
    assert_eq!(ids(&hub, "/contacts/contact-of-carla/chats?status=open"), [""; 0]);
    assert_eq!(ids(&hub, "/contacts/contact-of-carla/chats?status=closed"), ["carla"]);
}

#[test]
fn messages_are_found_and_filtered() {
    let hub = town();
    let number = |id: &String| id.trim_start_matches("message-0").to_owned();
    let minute = |minute: i64| moment(minute * 60).replace(':', "%3A");
    for (query, expected) in [
        (String::new(), "7654321"),
        ("?chatId=bruno".into(), "732"),
        ("?contactId=contact-of-ana".into(), "1"),
        ("?contactId=ana".into(), ""),
        ("?source=Member".into(), "3"),
        ("?source=contact".into(), ""),
        ("?search=ORCAMENTO".into(), "1"),
        ("?search=100%25".into(), "7"),
        ("?search=o_".into(), "7"),
        (format!("?since={}", minute(4)), "7654"),
        (format!("?until={}", minute(4)), "321"),
        (format!("?since={}&until={}", minute(3), minute(5)), "43"),
        ("?since=2026-03-02T10%3A07%3A00-03%3A00".into(), "7"),
        ("?limit=3&page=2".into(), "432"[..].into()),
    ] {
        let found: String = ids(&hub, &format!("/messages{query}")).iter().map(number).collect();
        assert_eq!(found, expected, "{query}");
    }
    let of_bruno =
        |query| ids(&hub, &format!("/chats/bruno/messages{query}")).iter().map(number).collect::<String>();
    assert_eq!(of_bruno(""), "732", "the oldest last");
    assert_eq!(of_bruno("?source=Contact&search=certo"), "7");
    assert_eq!(of_bruno("?limit=2&page=2"), "2");
}

#[test]
fn a_cursor_goes_on_where_it_was_whatever_was_inserted_meanwhile() {
    let hub = town();
    for (list, expected) in [
        ("/contacts?limit=2", &["bruno", "time", "grupo", "carla", "ana"][..]),
        ("/chats?limit=2", &["bruno", "time", "grupo", "carla", "ana"]),
        ("/messages?limit=3", &["07", "06", "05", "04", "03", "02", "01"]),
        ("/chats/bruno/messages?limit=1", &["07", "03", "02"]),
    ] {
        let (mut seen, mut cursor, mut number) = (Vec::new(), String::new(), 40);
        loop {
            let path = format!("{list}{cursor}");
            let page = hub.json(&format!("/api/umbler{path}"));
            seen.extend(ids(&hub, &path));
            // A newcomer at the front of every list while somebody pages through it.
            number += 1;
            let id = format!("{}-{number}", list.len());
            let fresh = line(&id, number, "Zuleica").event_id(&id).message_id(&format!("message-{id}"));
            hub.provider().posts(&fresh);
            let Some(next) = page["nextCursor"].as_str() else { break };
            assert_eq!(page["page"], if cursor.is_empty() { json!(1) } else { Value::Null }, "{path}");
            cursor = format!("&cursor={next}");
        }
        let seen: Vec<&str> = seen
            .iter()
            .map(|id| id.trim_start_matches("contact-of-").trim_start_matches("message-"))
            .filter(|id| !id.contains('-'))
            .collect();
        assert_eq!(seen, expected, "{list}");
    }
}

#[test]
fn the_numbers_below_a_list_add_up() {
    let hub = town();
    for (query, total, page, limit, pages, more) in [
        ("", 5, 1, 50, 1, false),
        ("?limit=2", 5, 1, 2, 3, true),
        ("?limit=2&page=3", 5, 3, 2, 3, false),
        ("?limit=5", 5, 1, 5, 1, false),
        ("?limit=200&search=nobody", 0, 1, 200, 0, false),
        ("?limit=1&page=1000000", 5, 1_000_000, 1, 5, false),
    ] {
        let answer = hub.json(&format!("/api/umbler/contacts{query}"));
        let numbers = json!([answer["total"], answer["page"], answer["limit"], answer["totalPages"]]);
        assert_eq!(numbers, json!([total, page, limit, pages]), "{query}");
        assert_eq!(answer["nextCursor"].is_string(), more, "{query}");
    }
}

#[test]
fn updates_are_the_envelopes_of_the_socket_in_order() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["updates"]);
    settle(&hub);
    let heard: Vec<Value> = (0..7).map(|_| screen.hears_anything()).collect();
    let read = |query: &str| hub.json(&format!("/api/umbler/updates{query}"));
    let epoch = hub.json("/health")["epoch"].clone();
    assert_eq!(read(""), json!({ "updates": heard, "next": 7, "seq": 7, "epoch": epoch }));
    assert_eq!(read("?after=2&limit=3")["updates"], json!(heard[2..5]));
    assert_eq!(read("?after=2&limit=3")["next"], 5, "ask on from here");
    assert_eq!(read("?after=7"), json!({ "updates": [], "next": 7, "seq": 7, "epoch": epoch }));
    let epoch = epoch.as_str().expect("text");
    assert_eq!(read(&format!("?after=5&limit=1000&epoch={epoch}"))["updates"], json!(heard[5..]));
    hub.get("/api/umbler/updates?after=5&epoch=another").refuses(410, "epoch_changed");
    let error = hub.get("/api/umbler/updates?after=8").refuses(400, "bad_parameter");
    assert_eq!(error["parameter"], "after");
}

#[test]
fn ids_are_case_sensitive_and_may_hold_anything() {
    let hub = spawn_hub();
    for (chat, escaped) in
        [("a/b?c", "a%2Fb%3Fc"), ("ção 100%", "%C3%A7%C3%A3o%20100%25"), ("Ab", "Ab"), ("aB", "aB")]
    {
        hub.provider().posts(&Delivery::message(chat));
        assert_eq!(hub.json(&format!("/api/umbler/chats/{escaped}"))["chat"]["id"], chat);
        assert_eq!(ids(&hub, &format!("/messages?chatId={escaped}")).len(), 1, "{chat}");
        let contact = hub.json(&format!("/api/umbler/contacts/contact-of-{escaped}"));
        assert_eq!(contact["contact"]["id"], format!("contact-of-{chat}"));
    }
    for unknown in ["ab", "AB", "nobody", "%FF", &"x".repeat(2_000)] {
        for path in ["/chats/{}", "/chats/{}/messages", "/contacts/{}", "/contacts/{}/chats"] {
            hub.get(&format!("/api/umbler{}", path.replace("{}", unknown))).refuses(404, "not_found");
        }
    }
}

#[test]
fn the_webhook_status_tells_how_deliveries_fared() {
    let hub = spawn_hub();
    let empty = hub.json("/api/umbler/webhook/status");
    assert_eq!((&empty["lastDeliveryAt"], &empty["silenceSeconds"]), (&Value::Null, &Value::Null));
    settle(&hub);
    settle(&hub);
    let odd = |number: i64| json!({ "EventId": format!("odd-{number}"), "Type": "ChatRated", "Payload": {} });
    for number in 0..51 {
        hub.provider().post(odd(number).to_string());
    }
    hub.provider().post("{}");
    let status = hub.json("/api/umbler/webhook/status");
    let counted = ["accepted", "duplicates", "ignored", "undecodable"].map(|name| status[name].clone());
    assert_eq!(counted, [json!(58), json!(7), json!(1), json!(51)]);
    let undecodable = status["recentUndecodable"].as_array().expect("a list");
    assert_eq!(undecodable.len(), 50, "the newest only");
    assert_eq!((&undecodable[0]["eventId"], &undecodable[0]["seq"]), (&json!("odd-50"), &json!(58)));
    assert!(undecodable[0]["reason"].as_str().expect("a reason").contains("ChatRated"), "{}", undecodable[0]);
    let health = hub.json("/health");
    assert_eq!(health["lastWebhookAt"], status["lastDeliveryAt"]);
    assert_eq!(hub.provider().post("[]").status, 400);
    let minutes = hub.json("/api/umbler/webhook/status")["minutes"].clone();
    let sum = |name| minutes.as_array().expect("a list").iter().map(|minute| minute[name].as_u64()).sum();
    assert_eq!((sum("taken"), sum("refused")), (Some(66), Some(1)), "{minutes}");
}
