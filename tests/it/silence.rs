//! One definition of silence and of the 24 hours of free answers, for the alert and for the metric.

use serde_json::{Value, json};

use super::alerts::{dated, listed, question, saves, thresholds};
use super::support::{Delivery, Hub, spawn_hub};

/// The chats behind a live metric, in order.
fn behind(hub: &Hub, metric: &str) -> Vec<Value> {
    hub.caught_up_metrics();
    let rows = hub.json(&format!("/api/umbler/metrics/live?explain=true&metric={metric}"))["rows"].clone();
    let mut chats: Vec<Value> =
        rows.as_array().expect("rows").iter().map(|row| row["chatId"].clone()).collect();
    chats.sort_by_key(Value::to_string);
    chats
}

/// The chats of which alerts of a kind stand, in order.
fn alerted(hub: &Hub, kind: &str) -> Vec<Value> {
    let mut chats: Vec<Value> =
        listed(hub, &format!("?kind={kind}")).iter().map(|alert| alert["chatId"].clone()).collect();
    chats.sort_by_key(Value::to_string);
    chats
}

#[test]
fn a_private_note_ends_no_silence_and_a_deleted_message_opens_no_window_in_alert_and_metric_alike() {
    let hub = spawn_hub();
    let provider = hub.provider();
    for chat in ["plain", "noted"] {
        provider.posts(&question(chat, 3_000));
        provider.posts(&dated(Delivery::message(chat).by_member("bia").waiting(false), 2_400));
    }
    provider.posts(&dated(
        Delivery::message("noted").by_member("bia").message_field("IsPrivate", json!(true)),
        60,
    ));
    for chat in ["closing", "taken-back"] {
        provider.posts(&question(chat, 84_600).message_id(&format!("m-{chat}")));
    }
    let gone =
        question("taken-back", 84_600).message_id("m-taken-back").message_field("IsDeleted", json!(true));
    provider.posts(&gone);
    saves(&hub, None, &thresholds(&[("idleSeconds", 1_800), ("windowClosingSeconds", 3_600)]), &json!({}));
    let silent = [json!("closing"), json!("noted"), json!("plain"), json!("taken-back")];
    while alerted(&hub, "window_closing").is_empty() || alerted(&hub, "idle").len() < silent.len() {}
    assert_eq!((alerted(&hub, "idle"), behind(&hub, "idle")), (silent.to_vec(), silent.to_vec()));
    assert_eq!(alerted(&hub, "window_closing"), [json!("closing")]);
    assert_eq!(behind(&hub, "windowOpen"), [json!("closing"), json!("noted"), json!("plain")]);
}
