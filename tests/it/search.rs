//! Search: what was delivered is found at once, by those who may see it, and shown where.

use serde_json::{Value, json};

use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, hub_with, spawn_hub};

/// An address with this question.
fn path(asked: &str, more: &str) -> String {
    let asked: String = form_urlencoded::byte_serialize(asked.as_bytes()).collect();
    format!("/api/umbler/search?q={asked}{more}")
}

fn finds(hub: &Hub, asked: &str) -> Value {
    hub.json(&path(asked, ""))
}

fn finds_as(hub: &Hub, token: &str, asked: &str) -> Value {
    let answer = hub.get_with(&path(asked, ""), &[("authorization", &format!("Bearer {token}"))]);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn messages(found: &Value) -> Vec<&str> {
    found["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|it| it["message"]["id"].as_str().expect("an id"))
        .collect()
}

fn contacts(found: &Value) -> Vec<&str> {
    found["contacts"]
        .as_array()
        .expect("contacts")
        .iter()
        .map(|it| it["contact"]["id"].as_str().expect("an id"))
        .collect()
}

fn named(chat: &str, name: &str, phone: &str) -> Delivery {
    Delivery::message(chat)
        .set("/Payload/Content/Contact/Name", json!(name))
        .set("/Payload/Content/Contact/PhoneNumber", json!(phone))
}

#[test]
fn a_message_is_found_as_soon_as_its_delivery_was_acknowledged() {
    let hub = spawn_hub();
    for at in 0..20 {
        let (id, word) = (format!("m{at}"), format!("palavra{at}x"));
        hub.provider().posts(&Delivery::message("a").message_id(&id).text(&format!("uma {word} nova")));
        let found = finds(&hub, &word);
        assert_eq!(messages(&found), [id], "{found}");
        assert_eq!((&found["asOfSeq"], &found["complete"]), (&json!(at + 1), &json!(true)));
    }
}

#[test]
fn accents_beginnings_and_phrases_find_what_a_person_means() {
    let hub = spawn_hub();
    for (id, text) in [
        ("1", "A NOTA fiscal do João não chegou"),
        ("2", "Bom dia! Segue a nota"),
        ("3", "dia bom para notar"),
    ] {
        hub.provider().posts(&Delivery::message("a").message_id(id).text(text));
    }
    for (asked, ids) in [
        ("nota", vec!["3", "2", "1"]),
        ("\"nota\"", vec!["2", "1"]),
        ("joao nao", vec!["1"]),
        ("JOÃO fisc", vec!["1"]),
        ("\"bom dia\"", vec!["2"]),
        ("bom dia", vec!["3", "2"]),
        ("ota", vec![]),
        ("nota OR recibo", vec![]),
        ("?!", vec![]),
    ] {
        assert_eq!(messages(&finds(&hub, asked)), ids, "{asked}");
    }
}

#[test]
fn a_find_shows_where_it_is_in_plain_pieces() {
    let hub = spawn_hub();
    let text = "<b>Olá</b>, o João?";
    hub.provider().posts(&named("a", "João da Silva", "+5511987654321").message_id("m").text(text));
    let found = finds(&hub, "joa");
    assert_eq!(
        found["messages"][0]["highlight"],
        json!({
            "text": [
                { "text": "<b>Olá</b>, o ", "match": false },
                { "text": "Joã", "match": true },
                { "text": "o?", "match": false },
            ],
            "cutBefore": false,
            "cutAfter": false,
        })
    );
    assert_eq!(found["messages"][0]["message"]["text"], text);
    assert_eq!(found["messages"][0]["contactName"], "João da Silva");
    assert_eq!(found["messages"][0]["contactPhone"], found["contacts"][0]["contact"]["phone"]);
    assert_eq!(
        found["contacts"][0]["highlight"],
        json!({ "name": [{ "text": "Joã", "match": true }, { "text": "o da Silva", "match": false }], "phone": null })
    );
    assert_eq!(
        finds(&hub, "(11) 9876")["contacts"][0]["highlight"]["phone"],
        json!([
            { "text": "+55", "match": false },
            { "text": "119876", "match": true },
            { "text": "54321", "match": false },
        ])
    );
}

#[test]
fn an_edited_text_a_renamed_contact_and_a_deleted_message_are_found_as_they_are_now() {
    let hub = spawn_hub();
    hub.provider()
        .posts(&named("a", "Antes Souza", "+5511900000001").message_id("m").text("antigamente").at(1));
    assert_eq!(contacts(&finds(&hub, "antes")), ["contact-of-a"]);
    let edit = json!({ "Content": "hojeemdia", "SenderAtUTC": "2026-03-02T13:00:05Z" });
    hub.provider().posts(
        &named("a", "Depois Souza", "+5511900000001")
            .message_id("m")
            .text("antigamente")
            .message_field("LatestEdit", edit)
            .at(1)
            .emitted_at(6),
    );
    let shown = hub.json("/api/umbler/messages")["messages"][0]["text"].clone();
    let (old, new) = (finds(&hub, "antigamente"), finds(&hub, "hojeemdia"));
    assert_eq!(shown, "hojeemdia", "the fixture's edit is understood");
    assert_eq!((messages(&old).len(), messages(&new)), (0, vec!["m"]));
    assert_eq!(contacts(&finds(&hub, "antes")), Vec::<&str>::new());
    assert_eq!(contacts(&finds(&hub, "depois")), ["contact-of-a"]);
}

#[test]
fn pages_follow_each_other_without_gap_or_repetition() {
    let hub = spawn_hub();
    for at in 0..25 {
        hub.provider()
            .posts(&Delivery::message(&format!("c{at}")).message_id(&format!("m{at}")).text("igual"));
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = hub.json(&path("igual", &format!("&in=messages&limit=10{cursor}")));
        assert_eq!(contacts(&page).len(), 0);
        seen.extend(messages(&page).into_iter().map(str::to_owned));
        let Some(next) = page["nextCursor"]["messages"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, (0..25).rev().map(|at| format!("m{at}")).collect::<Vec<_>>());
    let first = hub.json(&path("igual", "&limit=3"));
    let next = first["nextCursor"]["messages"].as_str().expect("more");
    let refused = hub.get(&path("outra", &format!("&in=messages&cursor={next}")));
    assert_eq!(refused.refuses(400, "bad_parameter")["parameter"], "cursor");
    let refused = hub.get(&path("igual", &format!("&cursor={next}")));
    assert_eq!(refused.refuses(400, "bad_parameter")["parameter"], "cursor");
}

#[test]
fn a_search_finds_nothing_that_the_token_may_not_see() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let in_sector = |delivery: Delivery, sector: &str| {
        delivery.chat_field("Sector", json!({ "Id": sector, "Name": sector })).text("segredo comum")
    };
    // More than one look of finds that are not seen stand before the one that is.
    hub.provider().posts(&in_sector(named("b", "Comum Dois", "+5511900000002"), "sales").message_id("seen"));
    for at in 0..600 {
        let id = format!("hidden{at}");
        hub.provider().posts(&in_sector(named("a", "Comum Um", "+5511900000001"), "support").message_id(&id));
    }
    let private = named("p", "Comum Privado", "+5511900000003").message_id("private");
    hub.provider().posts(&in_sector(private, "sales").chat_field("Private", json!(true)));

    let found =
        finds_as(&hub, &token(json!({ "sub": "bia", "role": "agent", "sectors": ["sales"] })), "comum");
    assert_eq!((messages(&found), contacts(&found)), (vec!["seen"], vec!["contact-of-b"]), "{found}");
    assert_eq!(found["nextCursor"], json!({ "contacts": null, "messages": null }));
    let found = finds_as(&hub, &token(json!({ "sub": "root", "role": "admin" })), "comum");
    assert_eq!((messages(&found)[0], contacts(&found).len()), ("private", 3));
    let found = finds_as(&hub, &token(json!({ "sub": "caio", "role": "agent" })), "comum priv");
    assert_eq!(contacts(&found), Vec::<&str>::new());
    for asked in ["comum", "0002", "segredo"] {
        let found = finds_as(&hub, &token(json!({ "sub": "vera" })), asked);
        assert_eq!((&found["contacts"], &found["messages"]), (&json!([]), &json!([])), "viewers: {asked}");
        assert_eq!(found["nextCursor"], json!({ "contacts": null, "messages": null }));
    }
    assert_eq!(hub.get(&path("comum", "")).status, 401);
}

#[test]
fn an_index_that_was_deleted_is_built_anew_and_one_that_is_kept_goes_on() {
    let hub = spawn_hub();
    hub.provider().posts(&Delivery::message("a").message_id("1").text("primeira"));
    assert_eq!(messages(&finds(&hub, "primeira")), ["1"]);
    let hub = hub.restarted();
    hub.provider().posts(&Delivery::message("a").message_id("2").text("segunda"));
    assert_eq!(messages(&finds(&hub, "segunda")), ["2"]);
    let mut hub = hub;
    hub.kill();
    for file in ["hub.db.search", "hub.db.search-wal", "hub.db.search-shm"] {
        std::fs::remove_file(hub.home().join(file)).expect("the index lies beside the database");
    }
    let hub = hub.started_again();
    assert_eq!(messages(&finds(&hub, "primeira")), ["1"]);
    assert_eq!(messages(&finds(&hub, "segunda")), ["2"]);
}

#[test]
fn a_search_out_of_its_bounds_is_refused_by_name() {
    let hub = spawn_hub();
    let long = "a".repeat(201);
    for (query, parameter) in [
        ("", "q"),
        ("?q=", "q"),
        (&*format!("?q={long}"), "q"),
        ("?q=a&in=chats", "in"),
        ("?q=a&limit=201", "limit"),
        ("?q=a&limit=0", "limit"),
        ("?q=a&in=messages&cursor=x", "cursor"),
        ("?q=a&page=2", "page"),
    ] {
        let refused = hub.get(&format!("/api/umbler/search{query}"));
        assert_eq!(refused.refuses(400, "bad_parameter")["parameter"], parameter, "{query}");
    }
    assert_eq!(hub.get(&format!("/api/umbler/search?q={}", &long[1..])).status, 200);
}
