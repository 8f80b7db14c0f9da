//! What webhooks lost is told as it was: since when, by whom, how much, and nothing else.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::support::api::{
    ago, api, complete_until, deliver, emitted, linked, lose, message_ids, rechecked, said,
};
use super::support::{Delivery, Hub};

/// A delivery that tells of the chat without a message: with an agent, or put back to the queue.
fn transfer(chat: &str, owner: Option<&str>, seconds: i64) -> Delivery {
    let transfer = emitted(Delivery::of_type("MemberTransfer", chat), seconds);
    owner.map_or(transfer.clone(), |owner| transfer.owner(owner))
}

/// To whom a chat was given and since when, to the second, in order. `null`: back to the queue.
fn transfers(hub: &Hub, chat: &str) -> Vec<(String, Value)> {
    let story = hub.json(&format!("/api/umbler/chats/{chat}/timeline"))["timeline"].clone();
    let steps = story.as_array().expect("a list").iter().rev().filter(|step| step["type"] == "transferred");
    let second = |step: &Value| step["at"].as_str().expect("a moment")[..19].to_owned();
    steps.map(|step| (second(step), step["to"]["id"].clone())).collect()
}

/// When a delivery was emitted, to the second.
fn second_of(delivery: &Delivery) -> String {
    delivery.0["EventDate"].as_str().expect("a moment")[..19].to_owned()
}

#[test]
fn a_chat_that_was_assigned_and_put_back_while_the_hub_was_down_is_without_an_agent() {
    let api = api();
    let hub = linked(&api, &[]);
    deliver(&api, &hub, &[said("ana", 900).bytes()]);
    let lost = [transfer("ana", Some("bia"), 600), transfer("ana", None, 300)];
    lose(&api, &[lost[0].bytes(), lost[1].bytes()]);

    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    let told = transfers(&hub, "ana");
    let owners: Vec<&Value> = told.iter().map(|(_, owner)| owner).collect();
    assert_eq!(owners, [&json!("bia"), &Value::Null], "to the agent and back");
    assert_eq!(told[0].0, second_of(&lost[0]));
    assert_eq!(hub.json("/api/umbler/chats/ana")["chat"]["owner"], Value::Null);
}

#[test]
fn a_lost_assignment_counts_from_when_it_was_made_although_a_later_message_shows_the_agent() {
    let api = api();
    let hub = linked(&api, &[]);
    deliver(&api, &hub, &[said("ana", 900).owner("caio").bytes(), said("davi", 900).bytes()]);
    let to_bia = transfer("ana", Some("bia"), 600);
    let back = transfer("ana", Some("caio"), 500);
    let first = transfer("davi", Some("bia"), 600);
    lose(&api, &[to_bia.bytes(), back.bytes(), first.bytes()]);
    // Webhooks come again, and show who has the chats by now.
    deliver(&api, &hub, &[said("ana", 100).owner("caio").bytes(), said("davi", 100).owner("bia").bytes()]);

    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    let told = [(second_of(&to_bia), json!("bia")), (second_of(&back), json!("caio"))];
    assert_eq!(transfers(&hub, "ana")[1..], told, "the first one is Caio's own");
    assert_eq!(transfers(&hub, "davi"), [(second_of(&first), json!("bia"))]);
    let seq = hub.json("/health")["seq"].clone();
    rechecked(&hub);
    assert_eq!(hub.json("/health")["seq"], seq, "nothing is found a second time");
}

#[test]
fn messages_from_before_the_hub_was_linked_were_not_lost() {
    let api = api();
    // The past of two chats. One is active when the hub is linked, the other one later.
    let past: Vec<_> = ["ana", "bia"]
        .iter()
        .flat_map(|chat| (0..5).map(|number| said(chat, 200_000 + number).bytes()))
        .collect();
    lose(&api, &past);
    lose(&api, &[said("ana", 4_000).bytes()]);
    let hub = linked(&api, &[]);
    let link = rechecked(&hub);
    assert_eq!((&link["silence"]["lost"], &link["alerts"]), (&json!(0), &json!([])), "{link}");

    deliver(&api, &hub, &[said("bia", 300).bytes()]);
    let link = rechecked(&hub);
    assert_eq!((&link["silence"]["lost"], &link["alerts"]), (&json!(0), &json!([])), "{link}");
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()), "they are known nevertheless");

    lose(&api, &[said("bia", 200).bytes()]);
    let link = rechecked(&hub);
    assert_eq!(link["silence"]["lost"], 1, "this one is lost: {link}");
}

#[test]
fn one_chat_that_cannot_be_read_does_not_hold_up_the_others() {
    let api = api();
    let hub = linked(&api, &[]);
    let until = complete_until(&rechecked(&hub));
    // The list begins with the newest.
    lose(&api, &[said("ana", 400).bytes(), said("bia", 300).bytes(), said("caio", 350).bytes()]);
    api.behave(|behavior| behavior.hides_chat = Some("bia"));
    let link = rechecked(&hub);
    assert_eq!(message_ids(&hub).len(), 2, "{link}");
    assert_eq!(link["state"], "not_allowed", "{link}");
    assert_eq!(complete_until(&link), until, "not everything is known");
    assert_eq!(link["silence"]["finding"], "deliveries_lost", "what was found had been lost: {link}");
    assert_eq!(link["alerts"][0]["count"], 2, "{link}");

    api.behave(|behavior| behavior.hides_chat = None);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert_eq!(message_ids(&hub), api.world(|world| world.message_ids()));
    assert!(complete_until(&link) >= until, "{link}");
}

#[test]
fn a_providers_clock_that_is_ahead_hides_no_messages_and_no_later_loss() {
    let api = api();
    let hub = linked(&api, &[]);
    api.behave(|behavior| behavior.clock_ahead = SignedDuration::from_hours(1));
    // A message of the provider's now is stored as of its receipt.
    deliver(&api, &hub, &[said("ana", -1_800).bytes()]);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "ok", "{link}");
    assert_eq!(link["availableFrom"], Value::Null, "nothing is hidden: {link}");
    assert!(complete_until(&link) <= Some(ago(0)), "what is still to come is not known: {link}");
}

#[test]
fn a_bot_that_came_to_its_end_without_a_webhook_leaves_the_customer_waiting_for_the_team() {
    let api = api();
    let hub = linked(&api, &[]);
    let bot =
        |status: &str| json!([{ "BotId": "b", "BotTitle": "Menu", "BotInstanceId": "i", "Status": status }]);
    deliver(&api, &hub, &[said("ana", 900).chat_field("Bots", bot("Running")).bytes()]);
    let waits = || hub.json("/api/umbler/metrics/live")["rows"].clone();
    let before = waits();
    lose(&api, &[transfer("ana", None, 600).chat_field("Bots", bot("Complete")).bytes()]);
    let link = rechecked(&hub);
    assert_eq!(link["sweep"]["states"], 1, "{link}");
    assert_ne!(waits(), before, "the board shows it");
    let seq = hub.json("/health")["seq"].clone();
    rechecked(&hub);
    assert_eq!(hub.json("/health")["seq"], seq, "it is no difference any more");
}

#[test]
fn an_erased_person_is_known_again_once_they_write_and_not_because_others_repeat_the_name() {
    let api = api();
    let hub = linked(&api, &[]);
    let named = |delivery: Delivery| delivery.set("/Payload/Content/Contact/Name", json!("Zulmira Quixote"));
    let name = || hub.json("/api/umbler/contacts/contact-of-ana")["contact"]["name"].clone();
    deliver(&api, &hub, &[named(said("ana", 600)).bytes()]);
    assert_eq!(name(), "Zulmira Quixote");
    let erased = hub.delete("/api/umbler/contacts/contact-of-ana/personal-data?reason=pedido+17", &[]);
    assert_eq!(erased.status, 200, "{}", erased.text);

    let link = rechecked(&hub);
    assert_eq!(name(), Value::Null, "Umbler still has the name: {link}");
    assert_eq!((&link["sweep"]["messages"], &link["sweep"]["states"]), (&json!(0), &json!(0)), "{link}");
    let tagged = emitted(named(Delivery::of_type("ChatTagChanged", "ana")), 0);
    deliver(&api, &hub, &[tagged.bytes()]);
    assert_eq!(name(), Value::Null, "an agent changed a tag");
    deliver(&api, &hub, &[named(said("ana", 0)).bytes()]);
    assert_eq!(name(), "Zulmira Quixote", "the customer writes again");
}
