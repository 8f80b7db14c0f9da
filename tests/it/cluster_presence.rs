//! Who is present at one hub of a cluster is seen at the others, by those who may see it.

use serde_json::{Value, json};

use super::cluster::until;
use super::cluster_across::pair;
use super::support::keys::{SECRET, token};
use super::support::nats::nats;
use super::support::{Delivery, Hub, Screen};

fn agent(sub: &str, sector: &str) -> String {
    token(json!({ "sub": sub, "name": sub, "role": "agent", "sectors": [sector] }))
}

fn root() -> String {
    token(json!({ "sub": "root", "role": "admin" }))
}

/// A screen of this token that follows presence.
fn watching(hub: &Hub, token: &str) -> Screen {
    hub.screen().signed_in(token).watching(&["presence"])
}

/// Reads until this is told of a user. Nobody is named as gone meanwhile.
fn hears_of(screen: &mut Screen, user: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    loop {
        let update = screen.hears("presence_update");
        assert!(!update["left"].as_array().expect("a list").contains(&json!(user)), "{update}");
        let users = update["users"].as_array().expect("a list");
        if let Some(found) = users.iter().find(|one| one["id"] == user && is_it(one)) {
            return found.clone();
        }
    }
}

/// Reads until a user is named as gone.
fn hears_gone(screen: &mut Screen, user: &str) {
    while !screen.hears("presence_update")["left"].as_array().expect("a list").contains(&json!(user)) {}
}

fn looks_at(screen: &mut Screen, chat: &str) {
    screen.says("set_presence", json!({ "chat": chat }));
    while screen.hears_anything()["event"] != "presence_set" {}
}

#[test]
fn whoever_looks_at_a_chat_at_one_hub_is_seen_at_the_other_by_those_who_may() {
    let Some(nats) = nats() else { return };
    let [one, mut other] = pair(&nats, &[("JWT_SECRET", SECRET)]);
    let delivery = Delivery::message("c1").chat_field("Sector", json!({ "Id": "sales" }));
    let seq = one.provider().posts(&delivery)["seq"].clone();
    until("the other has the chat", || other.json("/health")["seq"] == seq);

    let mut ana = watching(&one, &root());
    let mut eva = watching(&one, &agent("eva", "support"));
    let mut bia = watching(&other, &agent("bia", "sales"));
    looks_at(&mut bia, "c1");
    let told = hears_of(&mut ana, "bia", |bia| bia["chats"] == json!(["c1"]));
    assert_eq!((&told["name"], &told["role"], &told["tabs"]), (&json!("bia"), &json!("agent"), &json!(1)));
    // Who may not see the chat was told at the same time that she is there, and not where.
    let heard = eva.catches_up();
    let users = heard.iter().flat_map(|update| update["data"]["users"].as_array().expect("a list"));
    let of_bia: Vec<&Value> = users.filter(|user| user["id"] == "bia").collect();
    assert!(!of_bia.is_empty() && of_bia.iter().all(|bia| bia["chats"] == json!([])), "{of_bia:?}");
    // Each sees the other.
    looks_at(&mut ana, "c1");
    hears_of(&mut bia, "root", |root| root["chats"] == json!(["c1"]));
    // Screens at both are one user.
    let second = watching(&one, &agent("bia", "sales"));
    hears_of(&mut ana, "bia", |bia| bia["tabs"] == 2);
    drop(second);
    hears_of(&mut ana, "bia", |bia| bia["tabs"] == 1);
    // The chat moves out of her sector, into that of eva.
    let moved = Delivery::message("c1").chat_field("Sector", json!({ "Id": "support" }));
    one.provider().posts(&moved);
    hears_of(&mut eva, "bia", |bia| bia["chats"] == json!(["c1"]));

    // The hub is killed, and cannot say so: within fifteen seconds nobody is there any more.
    other.kill();
    hears_gone(&mut ana, "bia");
    hears_gone(&mut eva, "bia");
}

#[test]
fn the_screens_of_a_hub_that_ends_in_order_count_as_closed_at_once() {
    let Some(nats) = nats() else { return };
    let [one, mut other] = pair(&nats, &[("JWT_SECRET", SECRET)]);
    let mut ana = watching(&one, &root());
    let _bia = watching(&other, &agent("bia", "sales"));
    hears_of(&mut ana, "bia", |bia| bia["tabs"] == 1);
    other.stop();
    hears_of(&mut ana, "bia", |bia| bia["tabs"] == 0);
    // As after a reload, she is back before she counts as gone.
    let _back = watching(&one, &agent("bia", "sales"));
    hears_of(&mut ana, "bia", |bia| bia["tabs"] == 1);
}
