//! Nobody sees what their token does not allow: on the socket, in replays, in snapshots, over REST, in totals.

use serde_json::{Value, json};

use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, Screen, hub_with};

fn guarded() -> Hub {
    hub_with(&[("JWT_SECRET", SECRET)])
}

fn in_sector(sector: &str) -> String {
    token(json!({ "sub": "bia", "role": "agent", "sectors": [sector] }))
}

fn viewer() -> String {
    token(json!({ "sub": "vera" }))
}

fn admin() -> String {
    token(json!({ "sub": "root", "role": "admin" }))
}

fn message(chat: &str, sector: &str) -> Delivery {
    Delivery::message(chat).chat_field("Sector", json!({ "Id": sector, "Name": sector }))
}

fn screen(hub: &Hub, token: &str) -> Screen {
    hub.screen().signed_in(token).watching(&["updates"])
}

fn get(hub: &Hub, token: &str, path: &str) -> Value {
    let answer =
        hub.get_with(&format!("/api/umbler{path}"), &[("authorization", &format!("Bearer {token}"))]);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

fn status(hub: &Hub, token: &str, path: &str) -> u16 {
    hub.get_with(&format!("/api/umbler{path}"), &[("authorization", &format!("Bearer {token}"))]).status
}

#[test]
fn a_screen_hears_its_own_sector_and_no_other() {
    let hub = guarded();
    let mut sales = screen(&hub, &in_sector("sales"));
    let mut everything = screen(&hub, &admin());
    hub.provider().posts(&message("a", "support"));
    hub.provider().posts(&message("b", "sales"));
    assert_eq!(sales.hears_update("new_message")["data"]["chat"]["id"], "b");
    assert_eq!(everything.hears_updates_until(2), [1, 2]);
}

#[test]
fn a_chat_that_is_handed_over_is_gone_here_and_whole_there() {
    let hub = guarded();
    let mut sales = screen(&hub, &in_sector("sales"));
    let mut support = screen(&hub, &in_sector("support"));
    hub.provider().posts(&message("a", "sales"));
    sales.hears_update("new_message");
    hub.provider().posts(&message("a", "support").text("now with you"));

    let gone = sales.hears_update("chat_gone");
    assert_eq!(gone["data"]["chat"], json!({ "id": "a" }));
    assert_eq!(gone["data"]["contact"], json!({ "id": "contact-of-a" }));
    assert!(!gone.to_string().contains("now with you") && !gone.to_string().contains("support"), "{gone}");

    let entered = support.hears_update("chat_entered");
    assert_eq!(entered["data"]["chat"]["sector"]["id"], "support");
    assert_eq!(entered["data"]["changes"][0], "chat_entered");
    assert_eq!(entered["data"]["message"]["text"], "now with you");
    assert!(!entered.to_string().contains("sales"), "where it was is not told: {entered}");

    // What a screen held before does not come again.
    hub.provider().posts(&message("a", "support"));
    support.hears_update("new_message");
    assert!(sales.catches_up().is_empty());
}

#[test]
fn a_replay_tells_the_same_as_the_live_updates_did() {
    for in_memory in ["4096", "1"] {
        let hub = hub_with(&[("JWT_SECRET", SECRET), ("UPDATES_IN_MEMORY", in_memory)]);
        let mut live = screen(&hub, &in_sector("sales"));
        let welcome = live.welcome.clone();
        for (chat, sector) in
            [("a", "sales"), ("b", "support"), ("a", "support"), ("b", "sales"), ("c", "support")]
        {
            hub.provider().posts(&message(chat, sector));
        }
        let sent: Vec<Value> = (0..3).map(|_| live.hears_anything()).collect();
        let types: Vec<&str> =
            sent.iter().map(|update| update["data"]["type"].as_str().expect("a type")).collect();
        assert_eq!(types, ["new_message", "chat_gone", "chat_entered"]);
        let mut back = hub.screen().signed_in(&in_sector("sales"));
        assert_eq!(
            back.comes_back(&["updates"], 0, &welcome["epoch"])["replayed"],
            3,
            "{in_memory} in memory"
        );
        assert_eq!(sent, (0..3).map(|_| back.hears_anything()).collect::<Vec<_>>());
        let polled = get(&hub, &in_sector("sales"), "/updates?after=0");
        assert_eq!((&polled["updates"], &polled["next"]), (&json!(sent), &json!(5)));
    }
}

#[test]
fn a_private_chat_is_gone_for_those_who_are_not_in_it() {
    let hub = guarded();
    let agent = token(json!({ "sub": "caio", "role": "agent" }));
    let member = token(json!({ "sub": "bia", "role": "agent", "members": ["member-bia"] }));
    let mut other = screen(&hub, &agent);
    let mut own = screen(&hub, &member);
    hub.provider().posts(&Delivery::message("a").owner("member-bia"));
    other.hears_update("new_message");
    own.hears_update("new_message");
    hub.provider().posts(&Delivery::message("a").owner("member-bia").chat_field("Private", json!(true)));
    other.hears_update("chat_gone");
    own.hears_update("new_message");
    assert_eq!(status(&hub, &agent, "/chats/a"), 404);
    assert_eq!(status(&hub, &member, "/chats/a"), 200);
}

#[test]
fn rest_totals_and_snapshots_end_where_the_scope_ends() {
    let hub = guarded();
    hub.provider().posts(&message("a", "sales"));
    hub.provider().posts(&message("a", "sales"));
    hub.provider().posts(&message("b", "support"));
    let sales = in_sector("sales");
    let stats = get(&hub, &sales, "/stats");
    assert_eq!(
        (&stats["totalContacts"], &stats["totalChats"], &stats["totalMessages"]),
        (&json!(1), &json!(1), &json!(2))
    );
    for (path, list, total) in
        [("/contacts", "contacts", 1), ("/chats", "chats", 1), ("/messages", "messages", 2)]
    {
        let page = get(&hub, &sales, path);
        assert_eq!(
            (page[list].as_array().expect("a list").len(), &page["total"]),
            (total, &json!(total)),
            "{path}"
        );
    }
    for path in ["/chats/b", "/chats/b/messages", "/contacts/contact-of-b", "/contacts/contact-of-b/chats"] {
        assert_eq!(status(&hub, &sales, path), 404, "{path}");
    }
    let mut screen = screen(&hub, &sales);
    let snapshot = screen.snapshot();
    assert_eq!(snapshot["stats"], stats);
    assert_eq!(snapshot["chats"], get(&hub, &sales, "/chats")["chats"]);
    assert_eq!(snapshot["contacts"], get(&hub, &sales, "/contacts")["contacts"]);
    assert_eq!(snapshot["recentMessages"], get(&hub, &sales, "/messages")["messages"]);
    assert!(!snapshot.to_string().contains("contact-of-b"));
    screen.says("subscribe_updates", json!({ "channels": ["stats"] }));
    screen.hears("subscribed");
    assert_eq!(screen.hears("umbler_stats"), stats);
}

#[test]
fn a_viewer_sees_names_and_phones_masked_and_no_texts_wherever_they_stand() {
    let hub = guarded();
    let mut live = screen(&hub, &viewer());
    let fixtures = [
        "01_message_text_contact.json",
        "09_message_location.json",
        "10_message_contact_card.json",
        "06c_message_image_ready.json",
        "12_message_edit.json",
        "14_message_group.json",
        "22_unknown_event_type.json",
    ];
    let mut secrets = std::collections::BTreeSet::new();
    for file in fixtures {
        hub.provider().posts_fixture(file);
    }
    let open = get(&hub, &admin(), "/messages?limit=200");
    for message in open["messages"].as_array().expect("a list") {
        secrets.extend(message["text"].as_str().map(str::to_owned));
        secrets.extend(message["file"]["url"].as_str().map(str::to_owned));
        secrets.extend(message["location"]["address"].as_str().map(str::to_owned));
    }
    for contact in get(&hub, &admin(), "/contacts")["contacts"].as_array().expect("a list") {
        secrets.extend(
            ["name", "phone", "pictureUrl"]
                .iter()
                .filter_map(|key| contact[*key].as_str())
                .map(str::to_owned),
        );
    }
    assert!(secrets.len() > 5, "{secrets:?}");
    let heard: Vec<Value> = (0..fixtures.len()).map(|_| live.hears_anything()).collect();
    let mut shown = vec![json!(heard), live.snapshot()];
    for path in ["/contacts", "/chats", "/messages", "/updates?after=0", "/webhook/status"] {
        shown.push(get(&hub, &viewer(), path));
    }
    assert_eq!(shown[0], shown[5]["updates"]);
    for value in &shown {
        for secret in &secrets {
            assert!(!value.to_string().contains(secret.as_str()), "{secret:?} in {value}");
        }
    }
    let contact =
        &shown[2]["contacts"].as_array().expect("a list").iter().find(|c| c["phone"] == "+55 11 •••• 0001");
    assert!(contact.is_some(), "{}", shown[2]);
    assert_eq!(get(&hub, &viewer(), "/contacts?search=a")["total"], 0);
    assert_eq!(get(&hub, &viewer(), "/messages?search=a")["total"], 0);
    assert_eq!(status(&hub, &viewer(), "/contacts?sort=name"), 400);
}

#[test]
fn a_contact_that_is_renamed_elsewhere_is_renamed_here() {
    let hub = guarded();
    let shared = |chat: &str, sector: &str, name: &str| {
        message(chat, sector)
            .set("/Payload/Content/Contact/Id", json!("shared"))
            .set("/Payload/Content/Contact/Name", json!(name))
    };
    let mut sales = screen(&hub, &in_sector("sales"));
    hub.provider().posts(&shared("a", "sales", "Ana"));
    sales.hears_update("new_message");
    hub.provider().posts(&shared("b", "support", "Ana Exemplo").text("only for support"));
    let renamed = sales.hears_update("contact_updated");
    assert_eq!(renamed["data"]["contact"]["lastMessage"]["chatId"], "a", "the newest that this screen sees");
    assert_eq!(renamed["data"]["contact"]["name"], "Ana Exemplo");
    assert_eq!(renamed["data"]["chat"], Value::Null);
    assert!(!renamed.to_string().contains("only for support"), "{renamed}");
}

#[test]
fn a_contact_that_stays_when_one_of_its_chats_goes_is_told_as_it_looks_now() {
    let hub = guarded();
    let shared =
        |chat: &str, sector: &str| message(chat, sector).set("/Payload/Content/Contact/Id", json!("shared"));
    let mut sales = screen(&hub, &in_sector("sales"));
    hub.provider().posts(&shared("a", "sales").text("stays"));
    hub.provider().posts(&shared("b", "sales").text("goes"));
    sales.hears_update("new_message");
    assert_eq!(sales.hears_update("new_message")["data"]["contact"]["lastMessage"]["text"], "goes");
    hub.provider().posts(&shared("b", "support"));
    let gone = sales.hears_update("chat_gone");
    assert_eq!(gone["data"]["contactGone"], false);
    assert_eq!(gone["data"]["contact"]["lastMessage"]["text"], "stays");
    assert_eq!(gone["data"]["contact"], get(&hub, &in_sector("sales"), "/contacts")["contacts"][0]);
}

#[test]
fn a_token_that_allows_something_else_makes_the_screen_begin_anew() {
    let hub = guarded();
    hub.provider().posts(&message("a", "sales"));
    let mut screen = screen(&hub, &in_sector("sales"));
    let before = screen.snapshot()["scope"].clone();
    screen.says("authenticate", json!({ "token": in_sector("support") }));
    let heard: Vec<Value> = (0..2).map(|_| screen.hears_anything()).collect();
    let resync = heard.iter().find(|envelope| envelope["event"] == "resync_required").expect("a word of it");
    assert_eq!(resync["data"]["reason"], "scope_changed");
    let snapshot = screen.snapshot();
    assert_ne!(snapshot["scope"], before);
    assert_eq!(snapshot["chats"], json!([]));

    let mut away = hub.screen().signed_in(&in_sector("support"));
    away.says("subscribe_updates", json!({ "since": 0, "epoch": snapshot["epoch"], "scope": before }));
    assert_eq!(away.hears("subscribed")["reason"], "scope_changed");
}

#[test]
fn a_notice_reaches_the_screens_of_its_user_and_is_recovered() {
    let hub = guarded();
    let notify = |token: &str, body: Value| {
        let headers =
            [("authorization", format!("Bearer {token}")), ("content-type", "application/json".to_owned())];
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        hub.provider().post_to("/api/umbler/notify", &headers, body.to_string())
    };
    let bia = token(json!({ "sub": "bia", "role": "agent" }));
    let mut own = hub.screen().signed_in(&bia).watching(&["user:bia", "updates"]);
    let mut other = screen(&hub, &admin());
    let answer = notify(&admin(), json!({ "user": "bia", "data": { "text": "come" }, "id": "n1" }));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json(), json!({ "status": "accepted", "eventId": "notify:n1", "seq": 1 }));
    assert_eq!(
        notify(&admin(), json!({ "user": "bia", "data": 1, "id": "n1" })).json()["status"],
        "duplicate"
    );
    let update = own.hears_update("notification");
    assert_eq!((&update["seq"], &update["data"]["data"]), (&json!(1), &json!({ "text": "come" })));
    hub.provider().says("a", "a fence");
    other.hears_update("new_message");

    let mut back = hub.screen().signed_in(&bia);
    let epoch = back.welcome["epoch"].clone();
    assert_eq!(back.comes_back(&["user:bia"], 0, &epoch)["replayed"], 1);
    assert_eq!(back.hears_update("notification"), update);
    assert_eq!(get(&hub, &bia, "/updates?after=0&limit=1")["updates"], json!([update]));
    assert_eq!(get(&hub, &admin(), "/updates?after=0")["updates"].as_array().expect("a list").len(), 1);

    notify(&bia, json!({ "user": "bia", "data": 1 })).refuses(403, "forbidden");
    let error = notify(&admin(), json!({ "data": 1 })).refuses(400, "bad_parameter");
    assert_eq!(error["parameter"], "user");
    notify(&admin(), json!({ "user": "bia", "data": "x".repeat(40_000) })).refuses(413, "body_too_large");
    let mut stranger = hub.screen().signed_in(&token(json!({ "sub": "caio", "role": "agent" })));
    stranger.says("subscribe_updates", json!({ "channels": ["user:bia"] }));
    stranger.hears_error("forbidden");
}
