//! Two agents who do the same thing in the same instant: everybody is told the same, whichever delivery comes first.

use serde_json::{Value, json};

use super::metrics::ask;
use super::support::{Delivery, Hub, spawn_hub};

const DAY: &str = "from=2026-03-02T03:00:00Z&until=2026-03-03T03:00:00Z";

/// A chat in which a customer waits.
fn waits() -> Delivery {
    Delivery::message("a").event_id("asks").message_id("asks").at(0).waiting(true)
}

/// An agent takes the chat in the same instant as another one.
fn takes(agent: &str) -> Delivery {
    Delivery::of_type("MemberTransfer", "a")
        .event_id(&format!("{agent}-takes"))
        .emitted_at(10)
        .owner(agent)
        .waiting(false)
}

/// An agent answers in the same instant as another one.
fn answers(agent: &str) -> Delivery {
    let reply =
        Delivery::message("a").event_id(&format!("{agent}-answers")).message_id(&format!("of-{agent}"));
    reply.at(20).text(agent).by_member(agent).owner(agent).waiting(false)
}

/// Hubs that got the deliveries in both orders, and one that got them on two connections at once.
fn hubs(first: &Delivery, second: &Delivery) -> Vec<Hub> {
    let orders = [[first, second], [second, first]];
    let mut hubs: Vec<Hub> = orders
        .into_iter()
        .map(|order| {
            let hub = spawn_hub();
            hub.provider().posts(&waits());
            for delivery in order {
                hub.provider().posts(delivery);
            }
            hub
        })
        .collect();
    let hub = spawn_hub();
    hub.provider().posts(&waits());
    std::thread::scope(|scope| {
        for delivery in [first, second] {
            let hub = &hub;
            scope.spawn(move || hub.provider().posts(delivery));
        }
    });
    hubs.push(hub);
    hubs
}

/// What all hubs say, which must be the same.
fn say(hubs: &[Hub], what: impl Fn(&Hub) -> Value) -> Value {
    let said: Vec<Value> = hubs.iter().map(what).collect();
    assert!(said.iter().all(|one| *one == said[0]), "{said:#?}");
    said[0].clone()
}

/// A metric of the day by agent: agent and number.
fn by_agent(hub: &Hub, metric: &str) -> Value {
    let rows = ask(hub, &format!("/agents?{DAY}&metric={metric}")).json()["rows"].clone();
    let rows = rows.as_array().expect("rows").iter().filter(|row| row["n"] != 0);
    rows.map(|row| json!([row["id"], row["n"]])).collect()
}

#[test]
fn a_chat_that_two_agents_take_in_one_instant_has_one_owner_and_waits_no_longer() {
    let hubs = hubs(&takes("ana"), &takes("bia"));
    let chat = say(&hubs, |hub| {
        let chat = hub.json("/api/umbler/chats/a")["chat"].clone();
        json!({ "owner": chat["owner"]["id"], "status": chat["status"] })
    });
    assert!(["ana", "bia"].map(Value::from).contains(&chat["owner"]), "{chat}");
    assert_eq!(chat["status"], "open", "{chat}");
    // The owner who lost it is in the chat's history, once.
    let transfers = say(&hubs, |hub| {
        let timeline = hub.json("/api/umbler/chats/a/timeline")["timeline"].clone();
        let steps = timeline.as_array().expect("a timeline").iter();
        steps.filter(|step| step["type"] == "transferred").count().into()
    });
    assert_eq!(transfers, 2);
    // Screens that were told both ends with the same.
    for hub in &hubs {
        let shown = hub.screen().snapshot()["chats"][0]["owner"]["id"].clone();
        assert_eq!(shown, chat["owner"]);
    }
}

#[test]
fn two_agents_who_answer_in_one_instant_both_wrote_and_the_wait_is_answered_once() {
    let hubs = hubs(&answers("ana"), &answers("bia"));
    let texts = say(&hubs, |hub| {
        let messages = hub.json("/api/umbler/chats/a/messages")["messages"].clone();
        messages.as_array().expect("messages").iter().map(|message| message["text"].clone()).collect()
    });
    assert_eq!(texts.as_array().map(Vec::len), Some(3), "{texts}");
    for metric in ["firstResponse", "replyTime"] {
        let counted = say(&hubs, |hub| by_agent(hub, metric));
        let counted = counted.as_array().expect("rows");
        assert_eq!((counted.len(), &counted[0][1]), (1, &json!(1)), "{metric}: {counted:?}");
    }
    let wrote = say(&hubs, |hub| by_agent(hub, "messagesMember"));
    assert_eq!(wrote.as_array().map(Vec::len), Some(2), "each of both wrote one: {wrote}");
    let waiting = say(&hubs, |hub| hub.json("/api/umbler/chats/a")["chat"]["status"].clone());
    assert_eq!(waiting, "open");
}
