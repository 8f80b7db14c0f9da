//! Deadlines are events: raised at their second, cleared when their reason is gone, kept like any update.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use umbler_hub::facade::testing::clock;

use super::support::hub::Answer;
use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, Screen, hub_with, spawn_hub};

const SETTINGS: &str = "/api/umbler/settings";
const ALERTS: &str = "/api/umbler/alerts";

/// So long ago, as the provider writes it.
fn ago(seconds: i64) -> String {
    format!("{:.3}", clock::now() - SignedDuration::from_secs(seconds))
}

/// A delivery whose event and message happened so many seconds ago.
pub(super) fn dated(delivery: Delivery, seconds: i64) -> Delivery {
    let at = ago(seconds);
    delivery.set("/EventDate", json!(at)).message_field("EventAtUTC", json!(at))
}

/// A customer who wrote so many seconds ago, on WhatsApp.
pub(super) fn question(chat: &str, seconds: i64) -> Delivery {
    dated(Delivery::message(chat), seconds).chat_field("WaitingSinceUTC", json!(ago(seconds)))
}

/// An agent who answers now.
pub(super) fn answer(chat: &str) -> Delivery {
    dated(Delivery::message(chat).by_member("bia").waiting(false), 0)
        .chat_field("WaitingSinceUTC", Value::Null)
}

fn in_sector(delivery: Delivery, id: &str) -> Delivery {
    delivery.chat_field("Sector", json!({ "Id": id, "Name": id }))
}

/// Thresholds of which only these are set.
pub(super) fn thresholds(only: &[(&str, u32)]) -> Value {
    let names = [
        "waitingWarnSeconds",
        "waitingSeconds",
        "idleSeconds",
        "firstResponseNearSeconds",
        "firstResponseSeconds",
        "windowClosingSeconds",
    ];
    let mut all = json!({});
    for name in names {
        let set = only.iter().find(|(known, _)| *known == name).map(|(_, seconds)| *seconds);
        all[name] = json!(set);
    }
    all
}

pub(super) fn saves(hub: &Hub, bearer: Option<&str>, default: &Value, sectors: &Value) -> Value {
    let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", *bearer)).collect();
    let body = json!({ "businessHours": {}, "thresholds": { "default": default, "sectors": sectors } });
    let answer = hub.put(SETTINGS, &headers, &body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// The thresholds that are proposed while nobody saved any.
fn saves_the_proposal(hub: &Hub) {
    let proposed = hub.json(SETTINGS)["settings"]["thresholds"]["default"].clone();
    saves(hub, None, &proposed, &json!({}));
}

pub(super) fn listed(hub: &Hub, query: &str) -> Vec<Value> {
    hub.json(&format!("{ALERTS}{query}"))["alerts"].as_array().expect("a list").clone()
}

fn kinds(alerts: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> = alerts.iter().map(|alert| alert["kind"].as_str().expect("a kind")).collect();
    kinds.sort_unstable();
    kinds
}

/// The next update must be this one; its alert.
fn hears_alert(screen: &mut Screen, update_type: &str) -> Value {
    let update = screen.hears_update(update_type);
    let data = &update["data"];
    assert_eq!((&data["chat"], &data["contact"]), (&Value::Null, &Value::Null));
    assert_eq!(data["changes"], json!([update_type]));
    data["alert"].clone()
}

pub(super) fn acknowledges(hub: &Hub, id: &str, bearer: &str) -> Answer {
    let escaped: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    let headers = [("authorization", bearer)];
    hub.provider().post_to(&format!("{ALERTS}/{escaped}/acknowledge"), &headers, "")
}

fn bearer(claims: &Value) -> String {
    format!("Bearer {}", token(claims.clone()))
}

fn moment(alert: &Value, field: &str) -> Timestamp {
    alert[field].as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{field}: {alert}"))
}

#[test]
fn a_wait_that_passed_its_threshold_is_told_at_once_and_taken_back_with_the_answer() {
    let hub = spawn_hub();
    saves_the_proposal(&hub);
    let mut screen = hub.screen().watching(&["updates"]);
    hub.provider().posts(&question("a", 400));
    screen.hears_update("new_message");
    let heard: Vec<Value> = (0..3).map(|_| hears_alert(&mut screen, "alert_raised")).collect();
    assert_eq!(kinds(&heard), ["first_response_missed", "first_response_near", "waiting_warn"]);
    let by_id = |mut alerts: Vec<Value>| {
        alerts.sort_by_key(|alert| alert["id"].to_string());
        alerts
    };
    assert_eq!(by_id(heard.clone()), by_id(listed(&hub, "")), "the list says the same");

    let warning = heard.iter().find(|alert| alert["kind"] == "waiting_warn").expect("a warning");
    let chat = &hub.json("/api/umbler/chats/a")["chat"];
    assert_eq!(warning["since"], chat["waitingSince"]);
    assert_eq!(warning["chatId"], "a");
    assert_eq!(warning["contactName"], chat["contactName"]);
    assert!(warning["contactName"].is_string());
    assert_eq!(warning["sector"], chat["sector"]);
    let due = moment(warning, "dueAt");
    assert_eq!(due.duration_since(moment(warning, "since")), SignedDuration::from_secs(300));
    assert!(moment(warning, "raisedAt") > due);
    for nothing in ["clearedAt", "acknowledgedAt", "acknowledgedBy"] {
        assert!(warning[nothing].is_null(), "{nothing}");
    }

    hub.provider().posts(&answer("a"));
    screen.hears_update("new_message");
    let gone: Vec<Value> = (0..3).map(|_| hears_alert(&mut screen, "alert_cleared")).collect();
    assert_eq!(kinds(&gone), kinds(&heard));
    assert!(gone.iter().all(|alert| moment(alert, "clearedAt") >= moment(alert, "raisedAt")));
    assert_eq!(listed(&hub, ""), [] as [Value; 0]);
    assert_eq!(listed(&hub, "?state=cleared").len(), 3);
    assert_eq!(listed(&hub, "?state=all&kind=waiting_warn").len(), 1);
    assert_eq!(listed(&hub, "?state=all&chatId=other"), [] as [Value; 0]);
    assert!(screen.catches_up().iter().all(|envelope| envelope["event"] != "umbler_update"));
}

#[test]
fn an_alert_comes_by_itself_and_not_before_its_second() {
    let hub = spawn_hub();
    saves(&hub, None, &thresholds(&[("waitingSeconds", 2)]), &json!({}));
    let mut screen = hub.screen().watching(&["chat:a"]);
    hub.provider().posts(&question("a", 0));
    screen.hears_update("new_message");
    let alert = hears_alert(&mut screen, "alert_raised");
    assert_eq!(alert["kind"], "waiting");
    assert!(moment(&alert, "raisedAt") >= moment(&alert, "dueAt"), "{alert}");
}

#[test]
fn what_is_over_for_more_than_a_day_raises_nothing() {
    let hub = spawn_hub();
    saves_the_proposal(&hub);
    let mut screen = hub.screen().watching(&["updates"]);
    hub.provider().posts(&question("old", 2 * 86_400));
    hub.provider().posts(&question("new", 310));
    screen.hears_update("new_message");
    screen.hears_update("new_message");
    assert_eq!(hears_alert(&mut screen, "alert_raised")["chatId"], "new");
    assert_eq!(listed(&hub, "?state=all&chatId=old"), [] as [Value; 0]);
}

#[test]
fn silence_and_a_closing_window_are_told_too() {
    let hub = spawn_hub();
    let only = thresholds(&[("idleSeconds", 60), ("windowClosingSeconds", 3_600)]);
    saves(&hub, None, &only, &json!({}));
    let mut screen = hub.screen().watching(&["updates"]);
    let asked = 23 * 3_600 + 60;
    hub.provider().posts(&question("a", asked));
    screen.hears_update("new_message");
    let heard = [hears_alert(&mut screen, "alert_raised"), hears_alert(&mut screen, "alert_raised")];
    assert_eq!(kinds(&heard), ["idle", "window_closing"]);
    // An answer ends the silence, and not the customer's window.
    hub.provider().posts(&answer("a"));
    screen.hears_update("new_message");
    assert_eq!(hears_alert(&mut screen, "alert_cleared")["kind"], "idle");
    // Who is no WhatsApp contact has no window.
    let elsewhere = question("b", asked)
        .chat_field("Channel", json!({ "Id": "i", "Name": "i", "ChannelType": "Instagram" }));
    hub.provider().posts(&elsewhere);
    screen.hears_update("new_message");
    assert_eq!(hears_alert(&mut screen, "alert_raised")["kind"], "idle");
    hub.provider().posts(&question("a", 0));
    screen.hears_update("new_message");
    assert_eq!(hears_alert(&mut screen, "alert_cleared")["kind"], "window_closing");
}

#[test]
fn a_closed_chat_takes_its_alerts_along_and_a_group_has_none() {
    let hub = spawn_hub();
    saves_the_proposal(&hub);
    let mut screen = hub.screen().watching(&["updates"]);
    hub.provider().posts(&question("g", 400).set("/Payload/Content/Contact/ContactType", json!("Group")));
    hub.provider().posts(&question("a", 400));
    screen.hears_update("new_message");
    screen.hears_update("new_message");
    for _ in 0..3 {
        assert_eq!(hears_alert(&mut screen, "alert_raised")["chatId"], "a");
    }
    let closed = Delivery::of_type("ChatClosed", "a").closed(0);
    hub.provider().posts(&closed.set("/EventDate", json!(ago(0))).chat_field("ClosedAtUTC", json!(ago(0))));
    screen.hears_update("chat_closed");
    for _ in 0..3 {
        hears_alert(&mut screen, "alert_cleared");
    }
}

#[test]
fn a_kill_raises_nothing_twice_and_forgets_nothing() {
    let hub = spawn_hub();
    saves(&hub, None, &thresholds(&[("waitingSeconds", 60), ("idleSeconds", 4)]), &json!({}));
    let mut screen = hub.screen().watching(&["updates"]);
    let epoch = screen.welcome["epoch"].clone();
    hub.provider().posts(&question("a", 100));
    screen.hears_update("new_message");
    hub.provider().posts(&question("b", 3));
    let waiting = loop {
        let envelope = screen.hears_anything();
        let alert = &envelope["data"]["alert"];
        if alert["kind"] == "waiting" {
            break alert.clone();
        }
    };
    // The silence of b is over while the hub is down, or just before, or just after: it is told once.
    let hub = hub.restarted();
    let mut screen = hub.screen();
    let subscribed = screen.comes_back(&["updates"], 0, &epoch);
    assert_eq!(subscribed["recovered"], true);
    let mut raised = Vec::new();
    while !raised.iter().any(|alert: &Value| alert["chatId"] == "b" && alert["kind"] == "idle") {
        let envelope = screen.hears_anything();
        if envelope["data"]["type"] == "alert_raised" {
            raised.push(envelope["data"]["alert"].clone());
        }
    }
    let mut ids: Vec<&str> = raised.iter().map(|alert| alert["id"].as_str().expect("an id")).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), count), (3, 3), "{raised:#?}");
    assert!(raised.contains(&waiting));
    assert_eq!(listed(&hub, "").len(), 3);
    // And it is taken back by the hub that came after.
    hub.provider().posts(&answer("a"));
    screen.hears_update("new_message");
    hears_alert(&mut screen, "alert_cleared");
    hears_alert(&mut screen, "alert_cleared");
    assert_eq!(listed(&hub, "?kind=waiting"), [] as [Value; 0]);
    assert_eq!(listed(&hub, "?chatId=b&kind=idle").len(), 1);
}

#[test]
fn other_thresholds_hold_at_once_and_by_sector() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["updates"]);
    saves(&hub, None, &thresholds(&[]), &json!({}));
    screen.hears_update("settings_updated");
    for (chat, sector) in [("a", "sales"), ("b", "support")] {
        hub.provider().posts(&in_sector(question(chat, 200), sector));
        screen.hears_update("new_message");
    }
    let default = thresholds(&[("waitingSeconds", 150)]);
    saves(&hub, None, &default, &json!({ "support": { "waitingSeconds": 3_600, "idleSeconds": 100 } }));
    screen.hears_update("settings_updated");
    let mut heard = [hears_alert(&mut screen, "alert_raised"), hears_alert(&mut screen, "alert_raised")];
    heard.sort_by_key(|alert| alert["chatId"].to_string());
    assert_eq!(
        heard.each_ref().map(|alert| (&alert["chatId"], &alert["kind"])),
        [(&json!("a"), &json!("waiting")), (&json!("b"), &json!("idle"))]
    );
    assert_eq!(listed(&hub, "?sector=support").len(), 1);
    // A chat that moves has the thresholds of where it is.
    let moved = Delivery::of_type("ChatSectorChanged", "a").set("/EventDate", json!(ago(0)));
    hub.provider().posts(&in_sector(moved, "support"));
    screen.hears_update("chat_sector_changed");
    assert_eq!(hears_alert(&mut screen, "alert_cleared")["kind"], "waiting");
    assert_eq!(hears_alert(&mut screen, "alert_raised")["kind"], "idle");
    // Taken away and set again, it is the same alert, raised anew.
    let id = listed(&hub, "?chatId=b")[0]["id"].clone();
    saves(&hub, None, &thresholds(&[]), &json!({}));
    screen.hears_update("settings_updated");
    hears_alert(&mut screen, "alert_cleared");
    hears_alert(&mut screen, "alert_cleared");
    saves(&hub, None, &thresholds(&[]), &json!({ "support": { "idleSeconds": 100 } }));
    screen.hears_update("settings_updated");
    let again = [hears_alert(&mut screen, "alert_raised"), hears_alert(&mut screen, "alert_raised")];
    assert!(again.iter().any(|alert| alert["id"] == id));
}

#[test]
fn an_alert_is_seen_by_those_who_see_its_chat() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let admin = bearer(&json!({ "sub": "root", "role": "admin" }));
    saves(&hub, Some(&admin), &thresholds(&[("waitingSeconds", 60)]), &json!({}));
    let of = |sub: &str, role: &str, sectors: &[&str]| {
        token(json!({ "sub": sub, "role": role, "sectors": sectors }))
    };
    let (sales, support) = (of("ana", "agent", &["sales"]), of("bia", "agent", &["support"]));
    let viewer = of("vera", "viewer", &["sales"]);
    let mut screens =
        [&sales, &support, &viewer].map(|token| hub.screen().signed_in(token).watching(&["updates"]));
    hub.provider().posts(&in_sector(question("a", 100), "sales"));
    let [at_sales, at_support, at_viewer] = &mut screens;
    at_sales.hears_update("new_message");
    let alert = hears_alert(at_sales, "alert_raised");
    at_viewer.hears_update("new_message");
    let masked = hears_alert(at_viewer, "alert_raised");
    let whole = alert["contactName"].as_str().expect("a name").to_owned();
    let first = whole.chars().next().expect("a letter");
    assert_eq!(masked["contactName"], format!("{first}•••"));
    assert_eq!(masked["id"], alert["id"]);

    let list = |token: &str| {
        let answer = hub.get_with(ALERTS, &[("authorization", &format!("Bearer {token}"))]).json();
        (answer["total"].clone(), answer["alerts"].clone())
    };
    assert_eq!(list(&sales), (json!(1), json!([alert])));
    assert_eq!(list(&viewer), (json!(1), json!([masked])));
    assert_eq!(list(&support), (json!(0), json!([])));

    // Who takes note of it: whoever sees the chat, but no viewer.
    let id = alert["id"].as_str().expect("an id");
    acknowledges(&hub, id, &format!("Bearer {viewer}")).refuses(403, "forbidden");
    acknowledges(&hub, id, &format!("Bearer {support}")).refuses(404, "not_found");
    acknowledges(&hub, "waiting:a:1", &format!("Bearer {sales}")).refuses(404, "not_found");
    let noted = acknowledges(&hub, id, &format!("Bearer {sales}")).json();
    assert_eq!(noted["alert"]["acknowledgedBy"], json!({ "id": "ana", "name": null }));
    let update = at_sales.hears_update("alert_acknowledged");
    assert_eq!((&update["seq"], &update["data"]["alert"]), (&noted["seq"], &noted["alert"]));
    hears_alert(at_viewer, "alert_acknowledged");
    let again = acknowledges(&hub, id, &format!("Bearer {sales}")).json();
    assert_eq!((&again["seq"], &again["alert"]), (&Value::Null, &noted["alert"]));

    // A chat that moves takes its alerts along, and nothing was heard of them at support before.
    let moved = Delivery::of_type("ChatSectorChanged", "a").set("/EventDate", json!(ago(0)));
    hub.provider().posts(&in_sector(moved, "support"));
    at_support.hears_update("chat_entered");
    at_sales.hears_update("chat_gone");
    assert_eq!(list(&sales).0, 0);
    assert_eq!(list(&support).1, json!([listed_as(&hub, &support)]));
    hub.provider().posts(&in_sector(answer("a"), "support"));
    // The clearing is told to those who see the chat now.
    let mut heard = Vec::new();
    while heard.last() != Some(&json!("alert_cleared")) {
        let envelope = at_support.hears_anything();
        heard.push(envelope["data"]["type"].clone());
    }
    assert!(at_sales.catches_up().iter().all(|envelope| envelope["event"] != "umbler_update"));
}

fn listed_as(hub: &Hub, token: &str) -> Value {
    let answer = hub.get_with(ALERTS, &[("authorization", &format!("Bearer {token}"))]).json();
    assert_eq!(answer["alerts"][0]["sector"]["id"], "support");
    answer["alerts"][0].clone()
}

#[test]
fn a_parameter_of_alerts_that_is_wrong_is_named() {
    let hub = spawn_hub();
    for (query, name) in [
        ("state=open", "state"),
        ("kind=late", "kind"),
        ("sector=", "sector"),
        ("limit=0", "limit"),
        ("x=1", "x"),
    ] {
        let error = hub.get(&format!("{ALERTS}?{query}")).refuses(400, "bad_parameter");
        assert_eq!(error["parameter"], name);
    }
}

#[test]
fn nobody_is_alarmed_by_thresholds_that_nobody_chose() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["updates"]);
    hub.provider().posts(&question("a", 400));
    screen.hears_update("new_message");
    assert!(hub.json(SETTINGS)["updatedAt"].is_null());
    assert_eq!(listed(&hub, "?state=all"), [] as [Value; 0]);
    saves_the_proposal(&hub);
    screen.hears_update("settings_updated");
    assert_eq!(hears_alert(&mut screen, "alert_raised")["chatId"], "a", "and with them at once");
}
