//! Sectors, lines and tags that deliveries do not name get their names from the provider's lists, and an admin may name them otherwise.

use std::time::Instant;

use serde_json::{Value, json};
use umbler_hub::facade::testing::{ApiFault, FakeApi};

use super::support::api::{api, deliver, linked, rechecked};
use super::support::keys::{SECRET, token};
use super::support::{Answer, Delivery, Hub, PATIENCE};

/// An entry of a list of the provider.
fn item(id: &str, name: &str) -> Value {
    json!({ "id": id, "name": name })
}

/// A delivery of a chat in a sector without a name.
fn in_sector(chat: &str, sector: &str) -> Delivery {
    Delivery::message(chat).chat_field("Sector", json!({ "Id": sector })).chat_field("Tags", json!([]))
}

fn names(hub: &Hub, query: &str) -> Vec<Value> {
    hub.json(&format!("/api/umbler/names?{query}"))["names"].as_array().expect("a list").clone()
}

/// What the hub says of one thing.
fn name(hub: &Hub, what: &str, id: &str) -> Value {
    names(hub, &format!("what={what}")).into_iter().find(|name| name["id"] == id).unwrap_or_default()
}

fn waits_for_name(hub: &Hub, what: &str, id: &str, expected: &Value) {
    let begun = Instant::now();
    while name(hub, what, id)["name"] != *expected {
        assert!(begun.elapsed() < PATIENCE, "{}", name(hub, what, id));
        std::thread::yield_now();
    }
}

fn gives(hub: &Hub, what: &str, id: &str, name: &Value) -> Answer {
    hub.put("/api/umbler/names", &[], &json!({ "what": what, "id": id, "name": name }))
}

fn asked(api: &FakeApi, route: &str) -> usize {
    api.requests().iter().filter(|request| request.route == route).count()
}

#[test]
fn a_sector_without_a_name_is_asked_for_at_once_and_every_screen_is_told_its_name() {
    let api = api();
    api.world(|world| (world.sectors, world.tags, world.channels) = (Vec::new(), Vec::new(), Vec::new()));
    let hub = linked(&api, &[]);
    rechecked(&hub);
    api.world(|world| {
        world.sectors = vec![item("sector-1", "Vendas"), item("sector-2", "Suporte")];
        world.tags = vec![item("tag-1", "Urgente")];
    });
    let mut screen = hub.screen().watching(&["updates"]);
    let delivery = in_sector("ana", "sector-1").chat_field("Tags", json!([{ "Id": "tag-1" }]));
    deliver(&api, &hub, &[delivery.bytes()]);
    assert_eq!(screen.hears("umbler_update")["chat"]["sector"], json!({ "id": "sector-1", "name": null }));
    assert_eq!(names(&hub, "known=false").len(), 2);
    // Nobody asks for a check. A read of the names within the last minute delays it.
    rechecked(&hub);
    let told = screen.hears_update("names_updated")["data"]["names"].clone();
    assert_eq!(told, json!([{ "what": "sector", "id": "sector-1" }, { "what": "sector", "id": "sector-2" }]));
    let told = screen.hears_update("names_updated")["data"]["names"].clone();
    assert_eq!(told, json!([{ "what": "tag", "id": "tag-1" }]));
    let urgent = json!({ "what": "tag", "id": "tag-1", "name": "Urgente", "origin": "provider" });
    assert_eq!(name(&hub, "tag", "tag-1"), urgent);
    assert_eq!(name(&hub, "sector", "sector-1")["name"], "Vendas");
    assert_eq!(names(&hub, "known=false"), [] as [Value; 0]);
    assert_eq!(hub.json("/api/umbler/link")["directory"]["names"], 3);

    let before = hub.json("/health")["seq"].clone();
    rechecked(&hub);
    assert_eq!(hub.json("/health")["seq"], before, "known names are not told again");
    let told = names(&hub, "");
    let hub = hub.restarted();
    assert_eq!(names(&hub, ""), told, "they survive a restart");
}

#[test]
fn an_id_that_the_provider_does_not_know_is_not_asked_for_again_and_again() {
    let api = api();
    let hub = linked(&api, &[]);
    rechecked(&hub);
    hub.provider().posts(&in_sector("ana", "sector-of-nobody"));
    rechecked(&hub);
    let before = asked(&api, "sectors");
    // The second id would be asked for at once if a minute had passed, and so would the first one if it counted as new.
    let hub = hub.restarted();
    rechecked(&hub);
    let after_start = asked(&api, "sectors");
    assert!(after_start > before);
    // The link looks for what has no name every five seconds.
    let until = Instant::now() + std::time::Duration::from_secs(7);
    while Instant::now() < until {
        hub.json("/health");
        std::thread::yield_now();
    }
    assert_eq!(asked(&api, "sectors"), after_start);
    assert_eq!(name(&hub, "sector", "sector-of-nobody")["name"], Value::Null);
}

#[test]
fn a_name_that_an_admin_set_wins_until_it_is_taken_back() {
    let api = api();
    api.world(|world| world.sectors = vec![item("sector-1", "Vendas")]);
    let hub = linked(&api, &[]);
    hub.provider().posts(&in_sector("ana", "sector-1"));
    rechecked(&hub);
    let mut screen = hub.screen().watching(&["updates"]);
    let given = gives(&hub, "sector", "sector-1", &json!("Comercial"));
    assert_eq!(given.status, 200, "{}", given.text);
    let entry = |name: &str, origin: &str| json!({ "what": "sector", "id": "sector-1", "name": name, "origin": origin });
    assert_eq!(given.json()["name"], entry("Comercial", "admin"));
    assert_eq!(
        screen.hears_update("names_updated")["data"]["names"],
        json!([{ "what": "sector", "id": "sector-1" }])
    );
    assert_eq!(gives(&hub, "sector", "sector-1", &json!("Comercial")).json()["seq"], Value::Null);

    // Neither the provider's list nor a delivery changes it.
    api.world(|world| world.sectors = vec![item("sector-1", "Vendas e compras")]);
    rechecked(&hub);
    let told = in_sector("ana", "sector-1").chat_field("Sector", json!({ "Id": "sector-1", "Name": "Loja" }));
    hub.provider().posts(&told);
    assert_eq!(name(&hub, "sector", "sector-1"), entry("Comercial", "admin"));
    let timeline = hub.json("/api/umbler/chats/ana/timeline").to_string();
    assert!(
        timeline.contains("Comercial") && !timeline.contains("Vendas"),
        "histories say it too: {timeline}"
    );

    let taken_back = gives(&hub, "sector", "sector-1", &Value::Null).json();
    assert_eq!(taken_back["name"]["origin"], "provider");
    waits_for_name(&hub, "sector", "sector-1", &taken_back["name"]["name"]);
}

#[test]
fn a_list_is_read_to_its_end_also_where_the_provider_ignores_pages() {
    let api = api();
    let tags: Vec<Value> =
        (0..25).map(|number| item(&format!("tag-{number}"), &format!("Tag {number}"))).collect();
    api.world(|world| (world.sectors, world.channels, world.tags) = (Vec::new(), Vec::new(), tags));
    api.behave(|behavior| behavior.names_take_max = 10);
    let hub = linked(&api, &[]);
    rechecked(&hub);
    assert_eq!(names(&hub, "what=tag").len(), 25);

    api.world(|world| world.tags.push(item("tag-new", "New")));
    api.behave(|behavior| (behavior.skip_is_ignored, behavior.names_take_max) = (true, 5));
    let before = asked(&api, "tags");
    rechecked(&hub);
    assert_eq!(asked(&api, "tags"), before + 2, "a page that repeats what is known ends the list");
    assert_eq!(names(&hub, "what=tag").len(), 25);
}

#[test]
fn a_list_that_the_token_may_not_see_does_not_hold_up_the_others() {
    let api = api();
    api.world(|world| world.tags = vec![item("tag-1", "Urgente")]);
    api.fail("sectors", &ApiFault::Status(403), 100);
    let hub = linked(&api, &[]);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert_eq!(name(&hub, "tag", "tag-1")["name"], "Urgente");
}

#[test]
fn only_admins_name_things_and_what_is_wrong_is_said() {
    let api = api();
    let hub = linked(&api, &[("JWT_SECRET", SECRET)]);
    let bearer = |role: &str| format!("Bearer {}", token(json!({ "sub": "x", "role": role })));
    let put =
        |role: &str, body: &Value| hub.put("/api/umbler/names", &[("authorization", &*bearer(role))], body);
    hub.provider().posts(&in_sector("ana", "sector-1"));
    let body = json!({ "what": "sector", "id": "sector-1", "name": "Vendas" });
    put("supervisor", &body).refuses(403, "forbidden");
    assert_eq!(put("admin", &body).status, 200);
    let long = "x".repeat(201);
    for (wrong, parameter) in [
        (json!({ "what": "team", "id": "sector-1", "name": "Vendas" }), "what"),
        (json!({ "what": "sector", "id": "", "name": "Vendas" }), "id"),
        (json!({ "what": "sector", "id": "sector-1", "name": " " }), "name"),
        (json!({ "what": "sector", "id": "sector-1", "name": long }), "name"),
    ] {
        let error = put("admin", &wrong).refuses(400, "bad_parameter");
        assert_eq!(error["parameter"], parameter, "{error}");
    }
    put("admin", &json!({ "what": "tag", "id": "sector-1", "name": "Vendas" })).refuses(404, "not_found");
    // Who does not see all chats is told of the sectors and lines of the own ones.
    hub.provider().posts(&in_sector("bob", "sector-2"));
    let limited = token(json!({ "sub": "y", "role": "agent", "sectors": ["sector-2"] }));
    let limited =
        hub.get_with("/api/umbler/names?what=sector", &[("authorization", &format!("Bearer {limited}"))]);
    let ids: Vec<Value> =
        limited.json()["names"].as_array().expect("a list").iter().map(|name| name["id"].clone()).collect();
    assert_eq!(ids, ["sector-2"]);
    let listed = hub.get_with("/api/umbler/names", &[("authorization", &bearer("viewer"))]);
    assert_eq!(listed.json()["names"].as_array().map(Vec::len).map(|count| count > 0), Some(true));
}
