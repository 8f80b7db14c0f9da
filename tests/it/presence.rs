//! Who is on which screen, told to those who follow it.

use serde_json::{Value, json};

use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, Screen, hub_with};

fn guarded() -> Hub {
    hub_with(&[("JWT_SECRET", SECRET)])
}

fn agent(sub: &str, sector: &str) -> String {
    token(json!({ "sub": sub, "name": sub, "role": "agent", "sectors": [sector] }))
}

fn users(data: &Value) -> Vec<(String, u64)> {
    let users = data["users"].as_array().expect("a list").iter();
    let mut users: Vec<_> = users
        .map(|user| (user["id"].as_str().expect("an id").to_owned(), user["tabs"].as_u64().expect("a count")))
        .collect();
    users.sort();
    users
}

/// The newest word on this user among the updates up to now.
fn newest(watcher: &mut Screen, user: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    loop {
        let update = watcher.hears("presence_update");
        let found =
            update["users"].as_array().expect("a list").iter().find(|one| one["id"] == user && is_it(one));
        if let Some(found) = found {
            return found.clone();
        }
    }
}

#[test]
fn whoever_follows_presence_is_told_who_is_there_and_who_comes_and_goes() {
    let hub = guarded();
    let _bia = hub.screen().signed_in(&agent("bia", "sales"));
    let mut watcher = hub.screen().signed_in(&token(json!({ "sub": "root", "role": "admin" })));
    watcher.says("subscribe_updates", json!({ "channels": ["presence"] }));
    watcher.hears("subscribed");
    let all = watcher.hears("presence_update");
    assert_eq!(all["full"], true);
    assert_eq!(users(&all), [("bia".to_owned(), 1), ("root".to_owned(), 1)]);
    let bia = all["users"].as_array().expect("a list").iter().find(|user| user["id"] == "bia").expect("bia");
    assert_eq!((&bia["name"], &bia["role"], &bia["chats"]), (&json!("bia"), &json!("agent"), &json!([])));

    let second = hub.screen().signed_in(&agent("bia", "sales"));
    newest(&mut watcher, "bia", |bia| bia["tabs"] == 2);
    drop(second);
    newest(&mut watcher, "bia", |bia| bia["tabs"] == 1);
}

#[test]
fn the_chat_in_view_is_told_to_those_who_may_see_it() {
    let hub = guarded();
    let in_sector = |sector: &str| Delivery::message("a").chat_field("Sector", json!({ "Id": sector }));
    hub.provider().posts(&in_sector("sales"));
    let mut bia = hub.screen().signed_in(&agent("bia", "sales"));
    bia.sends(r#"{"event":"set_presence","id":7,"data":{"chat":"a"}}"#);
    assert_eq!(bia.hears("presence_set"), json!({ "chat": "a" }));
    bia.says("set_presence", json!({ "chat": "unknown" }));
    bia.hears_error("bad_request");
    let chats_seen_by = |token: &str| {
        let mut screen = hub.screen().signed_in(token).watching(&["presence"]);
        let all = screen.hears("presence_update");
        let users = all["users"].as_array().expect("a list").iter();
        users.filter(|user| user["id"] == "bia").map(|user| user["chats"].clone()).next().expect("bia")
    };
    assert_eq!(chats_seen_by(&agent("caio", "sales")), json!(["a"]));
    assert_eq!(chats_seen_by(&agent("davi", "support")), json!([]));
    hub.provider().posts(&in_sector("support"));
    assert_eq!(chats_seen_by(&agent("davi", "support")), json!(["a"]), "the chat moved");
    bia.says("set_presence", json!({ "chat": null }));
    bia.hears("presence_set");
    assert_eq!(chats_seen_by(&agent("davi", "support")), json!([]));
}
