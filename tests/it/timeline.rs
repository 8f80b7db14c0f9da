//! What happened to a chat: every transition once, at its time, with the names of today, for those who saw it.

use serde_json::{Value, json};

use super::support::keys::{SECRET, token};
use super::support::provider::moment;
use super::support::{Delivery, Hub, hub_with, spawn_hub};

const TIMELINE: &str = "/api/umbler/chats/a/timeline";

fn at(seconds: i64) -> Delivery {
    Delivery::message("a").at(seconds).chat_field("Sector", json!({ "Id": "sales", "Name": "Vendas" }))
}

/// Type by type, the oldest first.
fn types(timeline: &Value) -> Vec<&str> {
    let all = timeline["timeline"].as_array().expect("a timeline").iter().rev();
    all.map(|it| it["type"].as_str().expect("a type")).collect()
}

fn as_whom(hub: &Hub, token: &str, path: &str) -> (u16, Value) {
    let answer = hub.get_with(path, &[("authorization", &format!("Bearer {token}"))]);
    (answer.status, answer.json())
}

#[test]
fn a_chat_tells_what_happened_to_it_with_names_and_times() {
    let hub = spawn_hub();
    let tag = |id: &str| json!([{ "Id": id, "Name": format!("Etiqueta {id}") }]);
    let bot = |status: &str| json!([{ "Id": "bot", "Status": status }]);
    hub.names("member-bia", Some("Bia Nunes"), "");
    for delivery in [
        at(1).waiting(true),
        at(2).waiting(true).chat_field("Bots", bot("Running")),
        at(4).waiting(false).owner("member-bia").chat_field("Bots", bot("Finished")),
        at(5).waiting(false).owner("member-bia").chat_field("Tags", tag("x")),
        at(6).waiting(false).owner("member-caio").chat_field("Tags", json!([])),
        // Late: it falls into its place.
        at(3).waiting(true).chat_field("Private", json!(true)).chat_field("Bots", bot("Running")),
        at(7).owner("member-caio").closed(7),
    ] {
        hub.provider().posts(&delivery);
    }
    let timeline = hub.json(TIMELINE);
    assert_eq!(
        types(&timeline),
        [
            "opened",
            "sector_changed",
            "waiting_started",
            "bot_started",
            "made_private",
            "transferred",
            "made_public",
            "bot_stopped",
            "waiting_ended",
            "tags_added",
            "transferred",
            "tags_removed",
            "closed",
        ]
    );
    let transferred: Vec<&Value> = timeline["timeline"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|it| it["type"] == "transferred")
        .collect();
    let event = hub.json("/api/umbler/updates?after=0")["updates"][5]["data"]["eventId"].clone();
    assert_eq!(
        *transferred[0],
        json!({
            "at": transferred[0]["at"],
            "eventId": event,
            "type": "transferred",
            "from": { "id": "member-bia", "name": "Bia Nunes" },
            "to": { "id": "member-caio", "name": null },
            "tags": [],
        })
    );
    assert_eq!(transferred[0]["at"].as_str().map(|at| &at[..19]), Some(&moment(6)[..19]));
    let of = |kind: &str| {
        timeline["timeline"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|it| it["type"] == kind)
            .expect("it")
            .clone()
    };
    assert_eq!(of("sector_changed")["to"], json!({ "id": "sales", "name": "Vendas" }));
    assert_eq!(of("tags_removed")["tags"][0]["id"], "x");
    assert_eq!(timeline["total"], 13);

    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = hub.json(&format!("{TIMELINE}?limit=5{cursor}"));
        paged.extend(page["timeline"].as_array().expect("a page").clone());
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(Value::Array(paged), timeline["timeline"]);
    assert_eq!(hub.json(&format!("{TIMELINE}?limit=5&page=3"))["timeline"].as_array().map(Vec::len), Some(3));
    assert_eq!(hub.get("/api/umbler/chats/none/timeline").status, 404);
    assert_eq!(hub.get(&format!("{TIMELINE}?search=x")).refuses(400, "bad_parameter")["parameter"], "search");
}

#[test]
fn a_token_is_told_what_happened_where_it_may_look_and_that_the_chat_came_and_went() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let admin = token(json!({ "sub": "root", "role": "admin" }));
    hub.names("member-bia", Some("Bia Nunes"), &admin);
    let support =
        |delivery: Delivery| delivery.chat_field("Sector", json!({ "Id": "support", "Name": "Suporte" }));
    hub.provider().posts(&support(at(1)).owner("member-bia"));
    hub.provider().posts(&support(at(2)).owner("member-caio"));
    hub.provider().posts(&at(3).owner("member-caio"));
    hub.provider().posts(&at(4).owner("member-bia"));
    let sales = token(json!({ "sub": "ana", "role": "agent", "sectors": ["sales"] }));
    let (_, timeline) = as_whom(&hub, &sales, TIMELINE);
    assert_eq!(types(&timeline), ["entered", "transferred"]);
    assert!(!timeline.to_string().contains("support"), "where it was is not told: {timeline}");
    let elsewhere = token(json!({ "sub": "eva", "role": "agent", "sectors": ["support"] }));
    assert_eq!(as_whom(&hub, &elsewhere, TIMELINE).0, 404);
    let (_, masked) = as_whom(&hub, &token(json!({ "sub": "vera" })), TIMELINE);
    assert_eq!(masked["timeline"][0]["to"]["name"], "B•••");
    assert_eq!(hub.get(TIMELINE).status, 401);
}
