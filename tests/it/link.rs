//! The link to Umbler's API: who the agents are, whether webhooks are posted here, and what happens without it.

use std::process::Stdio;

use serde_json::{Value, json};
use umbler_hub::facade::testing::Day;
use umbler_hub::facade::testing::{ApiFault, FakeApi, OrderWord, TOKEN};

use super::support::api::{ago, api, come, deliveries, get_lost, linked, rechecked};
use super::support::hub::command;
use super::support::keys::{SECRET, token};
use super::support::receiver::Receiver;
use super::support::{Delivery, Hub, spawn_hub};

/// An agent of the simulated team.
const BIA: &str = "Z4ELwFoR_gAGENT1";

#[test]
fn without_a_token_nothing_is_asked_and_everything_else_works() {
    let hub = spawn_hub();
    assert_eq!(hub.json("/health")["link"], "off");
    let link = hub.json("/api/umbler/link");
    assert_eq!((&link["state"], &link["completeUntil"]), (&json!("off"), &Value::Null), "{link}");
    hub.provider().post_to("/api/umbler/link/recheck", &[], "").refuses(400, "bad_request");
    hub.provider().says("ana", "hello");
}

fn member(hub: &Hub, id: &str) -> Value {
    let list = hub.json("/api/umbler/members?limit=200")["members"].clone();
    list.as_array().expect("a list").iter().find(|member| member["id"] == id).cloned().unwrap_or_default()
}

#[test]
fn agents_have_the_names_and_pictures_that_umbler_has_for_them() {
    let api = api();
    api.ways(|ways| ways.refuses_with = Some(403));
    let hub = linked(&api, &[]);
    assert_eq!(rechecked(&hub)["state"], "not_allowed");
    let delivery = Delivery::message("ana").owner(BIA);
    hub.provider().posts(&delivery);
    get_lost(&api, &[delivery.bytes()]);
    let mut screen = hub.screen().watching(&["updates"]);
    api.ways(|ways| ways.refuses_with = None);
    let link = rechecked(&hub);
    assert_eq!(link["directory"]["members"], 6, "{link}");
    assert_eq!(screen.hears_update("link_updated")["data"]["linkAlerts"], json!([]));
    assert_eq!(screen.hears_update("member_updated")["data"]["members"].as_array().map(Vec::len), Some(6));
    let bia = member(&hub, BIA);
    assert_eq!((&bia["name"], &bia["origin"]), (&json!("Bia"), &json!("provider")), "{bia}");
    assert_eq!(bia["photoUrl"], "https://files.example.com/Bia.png");
    assert_eq!(hub.json("/api/umbler/chats/ana")["chat"]["owner"]["name"], "Bia");
}

#[test]
fn a_name_that_an_admin_set_stays_and_the_same_names_are_told_once() {
    let api = api();
    let hub = linked(&api, &[]);
    rechecked(&hub);
    hub.put(&format!("/api/umbler/members/{BIA}"), &[], &json!({ "name": "Beatriz" }));
    let before = hub.json("/health")["seq"].clone();
    let hub = hub.restarted();
    let link = rechecked(&hub);
    assert_eq!(link["directory"]["members"], 6, "{link}");
    assert_eq!(member(&hub, BIA)["name"], "Beatriz");
    assert_eq!(member(&hub, BIA)["origin"], "admin");
    assert_eq!(hub.json("/health")["seq"], before, "what is known is not told again");
}

/// How the provider posts to this address.
fn posts_to(api: &FakeApi, url: &str, paused: bool) {
    let channels = api.world(|world| world.channels.clone());
    let channels: Vec<Value> = channels.iter().map(|channel| json!({ "id": channel["id"] })).collect();
    let events = umbler_hub::facade::rules::KNOWN_TYPES;
    let entry = json!({ "id": "1", "name": "Hub", "url": url, "paused": paused, "forChannels": channels, "events": events });
    api.world(|world| world.webhooks = vec![entry]);
}

#[test]
fn it_is_told_whether_umbler_posts_everything_here() {
    let api = api();
    let hub = linked(&api, &[("UMBLER_WEBHOOK_URL", "https://hub.example/api/umbler/webhook")]);
    let finding = |hub: &Hub| rechecked(hub)["webhook"]["finding"].clone();
    assert_eq!(finding(&hub), "missing");
    posts_to(&api, "https://hub.example/api/umbler/webhook?token=a-secret-of-it", false);
    assert_eq!(finding(&hub), "ok");
    posts_to(&api, "https://hub.example/api/umbler/webhook?token=a-secret-of-it", true);
    assert_eq!(finding(&hub), "paused");
    let told = hub.get("/api/umbler/link").text;
    assert!(!told.contains("a-secret-of-it"), "{told}");
    api.fails("webhooks", &ApiFault::Status(403), 1);
    let link = rechecked(&hub);
    assert_eq!(
        (&link["webhook"]["finding"], &link["state"]),
        (&json!("not_allowed"), &json!("ok")),
        "{link}"
    );
}

#[test]
fn what_is_wrong_is_told_to_screens_and_to_the_alert_webhook_once_until_it_is_over() {
    let (api, receiver) = (api(), Receiver::new());
    let url = format!("http://{}/alerts", receiver.address());
    posts_to(&api, "https://hub.example/w", false);
    let settings = [
        ("UMBLER_WEBHOOK_URL", "https://hub.example/w"),
        ("ALERT_WEBHOOK_URL", url.as_str()),
        ("ALERT_WEBHOOK_SECRET", "a secret of enough bytes"),
    ];
    let hub = linked(&api, &settings);
    assert_eq!(rechecked(&hub)["alerts"], json!([]));
    let mut screen = hub.screen().watching(&["updates"]);
    posts_to(&api, "https://hub.example/w", true);
    let alerts = rechecked(&hub)["alerts"].clone();
    assert_eq!(
        (alerts[0]["kind"].clone(), alerts.as_array().map(Vec::len)),
        (json!("webhook_paused"), Some(1))
    );
    assert_eq!(rechecked(&hub)["alerts"], alerts, "since the same moment");
    posts_to(&api, "https://hub.example/w", false);
    assert_eq!(rechecked(&hub)["alerts"], json!([]));
    let told = [screen.hears_update("link_updated"), screen.hears_update("link_updated")];
    assert_eq!(told.clone().map(|update| update["data"]["linkAlerts"].clone()), [alerts, json!([])]);
    for update in told {
        let posted = receiver.hears();
        assert_eq!(serde_json::from_str::<Value>(&posted.body).expect("JSON"), update);
        posted.answers(200);
    }
}

#[test]
fn a_quiet_morning_is_no_loss() {
    let api = api();
    let hub = linked(&api, &[]);
    let link = rechecked(&hub);
    assert_eq!(link["silence"], json!({ "finding": "quiet", "lost": 0 }), "{link}");
}

#[test]
fn a_token_of_several_organizations_needs_to_be_told_which() {
    let api = api();
    api.ways(|ways| ways.organizations = 2);
    let hub = linked(&api, &[]);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "undecided", "{link}");
    assert!(link["reason"].as_str().expect("a reason").contains("UMBLER_ORGANIZATION_ID"), "{link}");
    let organization = api.world(|world| world.organization.clone());
    let hub = linked(&api, &[("UMBLER_ORGANIZATION_ID", &organization)]);
    assert_eq!(rechecked(&hub)["state"], "ok");
}

#[test]
fn a_redirect_and_an_answer_without_end_are_refused() {
    let api = api();
    let elsewhere = super::support::api::api();
    api.fails("chats", &ApiFault::Redirect(format!("{}/v1/chats/", elsewhere.url())), 1);
    let hub = linked(&api, &[]);
    let link = rechecked(&hub);
    assert!(matches!(link["state"].as_str(), Some("unreachable" | "ok")), "{link}");
    assert!(elsewhere.seen().is_empty(), "the token goes nowhere else");
    api.fails("chats", &ApiFault::Huge, 1);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "unreachable", "{link}");
    assert!(link["reason"].as_str().expect("a reason").contains("bytes"), "{link}");
    assert_eq!(rechecked(&hub)["state"], "ok");
}

#[test]
fn what_only_the_hub_may_say_is_ignored_where_a_webhook_says_it() {
    let hub = spawn_hub();
    for prefix in ["reconcile:", "notify:", "directory:", "settings:", "alert:", "link:"] {
        let answer = hub.provider().posts(&Delivery::message("ana").event_id(&format!("{prefix}x")));
        assert_eq!((&answer["status"], &answer["seq"]), (&json!("ignored"), &Value::Null), "{answer}");
    }
    let answer = hub.provider().posts(&Delivery::message("ana").set("/Type", json!("HubReconcile")));
    assert_eq!(answer["status"], "ignored", "{answer}");
    assert_eq!(hub.json("/health")["seq"], 0);
}

#[test]
fn viewers_are_not_told_of_lines_and_only_admins_have_it_looked_at() {
    let api = api();
    let other = json!({ "id": "2", "name": "CRM", "url": "https://crm.example/", "paused": false, "forChannels": [], "events": [] });
    api.world(|world| world.webhooks = vec![other]);
    let hub = linked(&api, &[("JWT_SECRET", SECRET), ("UMBLER_WEBHOOK_URL", "https://hub.example/w")]);
    let bearer = |claims: Value| format!("Bearer {}", token(claims));
    let (admin, viewer) =
        (bearer(json!({ "sub": "root", "role": "admin" })), bearer(json!({ "sub": "v", "role": "viewer" })));
    let recheck =
        |who: &str| hub.provider().post_to("/api/umbler/link/recheck", &[("authorization", who)], "");
    assert_eq!(recheck(&viewer).status, 403);
    let link = recheck(&admin).json()["link"].clone();
    assert_eq!(link["webhook"]["otherApplications"], json!(["CRM"]), "{link}");
    let seen = hub.get_with("/api/umbler/link", &[("authorization", &viewer)]).json();
    assert_eq!((&seen["webhook"]["otherApplications"], &seen["state"]), (&json!([]), &json!("ok")), "{seen}");
}

#[test]
fn the_log_of_the_link_at_trace_level_holds_no_token() {
    let api = api();
    api.fails("chats", &ApiFault::Reset, 1);
    let hub = linked(&api, &[("RUST_LOG", "trace")]);
    come(&api, &hub, &deliveries(&mut Day::new(2, ago(900)), ago(900), ago(200), 20));
    rechecked(&hub);
    api.ways(|ways| ways.refuses_with = Some(401));
    assert_eq!(rechecked(&hub)["state"], "not_allowed");
    assert!(!hub.log().contains(TOKEN), "the token is in the log");
    let told = format!("{}{}", hub.get("/metrics").text, hub.get("/api/umbler/link").text);
    assert!(!told.contains(TOKEN));
}

/// Runs `check --umbler` against an API: whether all is well, and what it said.
fn check(api: &FakeApi, more: &[(&str, &str)]) -> (bool, String) {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = command(home.path());
    command.args(["check", "--umbler"]).env("UMBLER_API_URL", api.url()).env("UMBLER_API_TOKEN", TOKEN);
    command.envs(more.iter().copied());
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn a_check_asks_every_route_once_and_tells_which_guesses_hold() {
    let api = api();
    get_lost(&api, &deliveries(&mut Day::new(6, ago(5_000)), ago(5_000), ago(200), 400));
    let (fine, said) = check(&api, &[]);
    assert!(fine, "{said}");
    assert!(!said.contains(TOKEN), "{said}");
    let row =
        |said: &str, of: &str| said.lines().find(|line| line.starts_with(of)).unwrap_or_default().to_owned();
    for of in [
        "members/me",
        "chatsOrder",
        "chatsAll",
        "take",
        "skip",
        "messagesFrom",
        "messagesBefore",
        "memberPicture",
    ] {
        assert!(row(&said, of).contains("holds"), "{of}: {said}");
    }
    assert!(row(&said, "messagesFrom").contains("counted in: true"), "{said}");

    api.ways(|ways| ways.order = OrderWord::Ignored);
    let (fine, said) = check(&api, &[]);
    assert!(!fine && row(&said, "chatsOrder").contains("FAILS"), "{said}");
    assert!(said.contains("UMBLER_API_DIALECT"), "{said}");

    api.ways(|ways| ways.refuses_with = Some(403));
    let (fine, said) = check(&api, &[]);
    assert!(!fine && said.contains("the plan has no API"), "{said}");
}

#[test]
fn a_wrong_guess_is_mended_by_a_file() {
    let api = api();
    get_lost(&api, &deliveries(&mut Day::new(6, ago(5_000)), ago(5_000), ago(200), 400));
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("dialect.json");
    let path = path.to_str().expect("a path");
    std::fs::write(path, r#"{"chatsOrder":{"SortBy":"Activity"}}"#).expect("written");
    let (fine, said) = check(&api, &[("UMBLER_API_DIALECT", path)]);
    assert!(!fine && said.contains("chatsOrder"), "an order that nobody knows: {said}");
    std::fs::write(path, r#"{"chatsOrder":{"ChatOrderBy":"LastMessage"},"messagesTake":50}"#)
        .expect("written");
    let (fine, said) = check(&api, &[("UMBLER_API_DIALECT", path)]);
    assert!(fine, "{said}");
    let asked = api.seen().into_iter().rfind(|seen| seen.route == "relative-messages").expect("asked");
    assert!(asked.query.contains(&("Take".to_owned(), "50".to_owned())), "{asked:?}");
    std::fs::write(path, r#"{"order":"x"}"#).expect("written");
    let (fine, said) = check(&api, &[("UMBLER_API_DIALECT", path)]);
    assert!(!fine && said.contains("UMBLER_API_DIALECT") && said.contains("order"), "{said}");
}

#[test]
fn a_simulated_team_has_an_api_and_loses_as_many_deliveries_as_it_is_told() {
    let hub = spawn_hub();
    let mut tool = command(hub.home());
    tool.args(["simulate", "--url", &hub.url(""), "--seed", "3", "--count", "200", "--rate", "0"]);
    let output = tool.args(["--api", "127.0.0.1:0", "--drop", "50"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("UMBLER_API_URL=http://127.0.0.1:") && said.contains("UMBLER_API_TOKEN="),
        "{said}"
    );
    let came = hub.json("/health")["seq"].as_i64().expect("a position");
    assert!((60..140).contains(&came), "{came}");
}
