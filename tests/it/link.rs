//! The link to Umbler's API: names of agents, the check of the webhook, `check --umbler`, and a hub without a token.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use umbler_hub::facade::testing::{ApiFault, FakeApi, OrderWord, TOKEN};
use umbler_hub::facade::testing::{Day, clock};

use super::support::api::{ago, api, deliver, deliveries, linked, lose, rechecked};
use super::support::hub::command;
use super::support::keys::{SECRET, token};
use super::support::receiver::Receiver;
use super::support::{Delivery, Hub, spawn_hub};

/// An agent of the simulated team.
const BIA: &str = "Z4ELwFoR_gAGENT1";
/// The organization of the simulated team.
const ORGANIZATION: &str = "Z4ELwFoR_gORGANI";

#[test]
fn without_a_token_the_api_is_not_asked_and_everything_else_works() {
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
fn agents_get_their_names_and_pictures_from_umbler() {
    let api = api();
    api.behave(|behavior| behavior.refuses_with = Some(403));
    let hub = linked(&api, &[]);
    assert_eq!(rechecked(&hub)["state"], "not_allowed");
    let delivery = Delivery::message("ana").owner(BIA);
    hub.provider().posts(&delivery);
    lose(&api, &[delivery.bytes()]);
    let mut screen = hub.screen().watching(&["updates"]);
    api.behave(|behavior| behavior.refuses_with = None);
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
fn a_name_that_an_admin_set_stays_and_known_names_are_not_told_again() {
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
    assert_eq!(hub.json("/health")["seq"], before, "known names are not told again");
}

#[test]
fn who_is_online_is_told_by_the_names_of_the_directory_and_to_those_who_see_everything() {
    let api = api();
    api.world(|world| {
        world.online = vec![json!({ "id": BIA, "displayName": "Bia" }), json!({ "id": "new" })];
    });
    let hub = linked(&api, &[("JWT_SECRET", SECRET)]);
    let bearer = |claims: Value| format!("Bearer {}", token(claims));
    let admin = bearer(json!({ "sub": "root", "role": "admin" }));
    let named = json!({ "name": "Beatriz" });
    hub.put(&format!("/api/umbler/members/{BIA}"), &[("authorization", &admin)], &named);
    let online = |claims: Value| {
        let headers = [("authorization", &*bearer(claims))];
        hub.get_with("/api/umbler/link", &headers).json()["online"]["agents"].clone()
    };
    let recheck = || {
        let headers = [("authorization", &*admin)];
        while hub.provider().post_to("/api/umbler/link/recheck", &headers, "").json()["finished"] != true {}
    };
    recheck();
    let expected = json!([{ "id": BIA, "name": "Beatriz" }, { "id": "new", "name": null }]);
    assert_eq!(online(json!({ "sub": "eva", "role": "supervisor" })), expected);
    for limited in [json!({ "role": "agent", "sectors": ["s"] }), json!({ "role": "viewer" })] {
        let mut claims = limited;
        claims["sub"] = json!("x");
        assert_eq!(online(claims.clone()), Value::Null, "{claims}");
    }

    // Not to be allowed to see it hinders nothing else, and what is not known is not told.
    api.fail("members-online", &ApiFault::Status(403), 1);
    recheck();
    let link = hub.get_with("/api/umbler/link", &[("authorization", &admin)]).json();
    assert_eq!((&link["online"], &link["state"]), (&Value::Null, &json!("ok")), "{link}");
    recheck();
    assert_eq!(online(json!({ "sub": "eva", "role": "supervisor" })), expected);
}

/// Sets up a webhook at the provider that posts everything to this address.
fn posts_to(api: &FakeApi, url: &str, paused: bool) {
    let channels = api.world(|world| world.channels.clone());
    let channels: Vec<Value> = channels.iter().map(|channel| json!({ "id": channel["id"] })).collect();
    let events = umbler_hub::facade::rules::KNOWN_TYPES;
    let entry = json!({ "id": "1", "name": "Hub", "url": url, "paused": paused, "forChannels": channels, "events": events });
    api.world(|world| world.webhooks = vec![entry]);
}

#[test]
fn the_hub_tells_whether_umbler_posts_everything_to_it() {
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
    api.fail("webhooks", &ApiFault::Status(403), 1);
    let link = rechecked(&hub);
    assert_eq!(
        (&link["webhook"]["finding"], &link["state"]),
        (&json!("not_allowed"), &json!("ok")),
        "{link}"
    );
}

#[test]
fn a_problem_is_told_once_to_screens_and_to_the_alert_webhook_and_so_is_its_end() {
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
    assert_eq!(rechecked(&hub)["alerts"], alerts, "they keep their beginning");
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
fn a_morning_without_messages_raises_no_alert() {
    let api = api();
    let hub = linked(&api, &[]);
    let link = rechecked(&hub);
    assert_eq!(link["silence"], json!({ "finding": "quiet", "lost": 0 }), "{link}");
}

#[test]
fn a_token_of_several_organizations_needs_the_setting_that_names_one() {
    let api = api();
    api.behave(|behavior| behavior.organizations = 2);
    let hub = linked(&api, &[]);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "undecided", "{link}");
    assert!(link["reason"].as_str().expect("a reason").contains("UMBLER_ORGANIZATION_ID"), "{link}");
    let organization = api.world(|world| world.organization.clone());
    let hub = linked(&api, &[("UMBLER_ORGANIZATION_ID", &organization)]);
    assert_eq!(rechecked(&hub)["state"], "ok");
}

#[test]
fn a_redirect_and_a_huge_answer_are_refused() {
    let api = api();
    let elsewhere = super::support::api::api();
    api.fail("chats", &ApiFault::Redirect(format!("{}/v1/chats/", elsewhere.url())), 1);
    let hub = linked(&api, &[]);
    let link = rechecked(&hub);
    assert!(matches!(link["state"].as_str(), Some("unreachable" | "ok")), "{link}");
    assert!(elsewhere.requests().is_empty(), "the token is sent nowhere else");
    api.fail("chats", &ApiFault::Huge, 1);
    let link = rechecked(&hub);
    assert_eq!(link["state"], "unreachable", "{link}");
    assert!(link["reason"].as_str().expect("a reason").contains("bytes"), "{link}");
    assert_eq!(rechecked(&hub)["state"], "ok");
}

#[test]
fn a_webhook_with_an_id_or_type_of_the_hubs_own_is_ignored() {
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
fn viewers_do_not_see_names_of_lines_and_only_admins_may_request_a_recheck() {
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
    api.fail("chats", &ApiFault::Reset, 1);
    let hub = linked(&api, &[("RUST_LOG", "trace")]);
    deliver(&api, &hub, &deliveries(&mut Day::new(2, ago(900)), ago(900), ago(200), 20));
    rechecked(&hub);
    api.behave(|behavior| behavior.refuses_with = Some(401));
    assert_eq!(rechecked(&hub)["state"], "not_allowed");
    assert!(!hub.log().contains(TOKEN), "the token is in the log");
    let told = format!("{}{}", hub.get("/metrics").text, hub.get("/api/umbler/link").text);
    assert!(!told.contains(TOKEN));
}

/// Runs `check --umbler` against an API. Returns whether it succeeded, and its output.
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
fn a_check_asks_every_route_once_and_says_which_assumptions_hold() {
    let api = api();
    lose(&api, &deliveries(&mut Day::new(6, ago(5_000)), ago(5_000), ago(200), 400));
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
    assert!(row(&said, "messagesFrom").contains("included: true"), "{said}");

    api.behave(|behavior| behavior.order = OrderWord::Ignored);
    let (fine, said) = check(&api, &[]);
    assert!(!fine && row(&said, "chatsOrder").contains("FAILS"), "{said}");
    assert!(said.contains("UMBLER_API_DIALECT"), "{said}");

    api.behave(|behavior| behavior.refuses_with = Some(403));
    let (fine, said) = check(&api, &[]);
    assert!(!fine && said.contains("the plan has no API"), "{said}");
}

#[test]
fn a_file_corrects_a_wrong_assumption() {
    let api = api();
    lose(&api, &deliveries(&mut Day::new(6, ago(5_000)), ago(5_000), ago(200), 400));
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("dialect.json");
    let path = path.to_str().expect("a path");
    std::fs::write(path, r#"{"chatsOrder":{"SortBy":"Activity"}}"#).expect("written");
    let (fine, said) = check(&api, &[("UMBLER_API_DIALECT", path)]);
    assert!(!fine && said.contains("chatsOrder"), "the API does not know this order: {said}");
    std::fs::write(path, r#"{"chatsOrder":{"ChatOrderBy":"LastMessage"},"messagesTake":50}"#)
        .expect("written");
    let (fine, said) = check(&api, &[("UMBLER_API_DIALECT", path)]);
    assert!(fine, "{said}");
    let asked = api.requests().into_iter().rfind(|seen| seen.route == "relative-messages").expect("asked");
    assert!(asked.query.contains(&("Take".to_owned(), "50".to_owned())), "{asked:?}");
    std::fs::write(path, r#"{"order":"x"}"#).expect("written");
    let (fine, said) = check(&api, &[("UMBLER_API_DIALECT", path)]);
    assert!(!fine && said.contains("UMBLER_API_DIALECT") && said.contains("order"), "{said}");
}

#[test]
fn a_simulation_offers_an_api_and_loses_the_given_share_of_deliveries() {
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

#[test]
fn the_api_of_a_simulation_knows_all_of_its_past_before_a_webhook_brings_it() {
    // This receiver answers nothing, so that the simulation waits with its first deliveries.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let home = tempfile::tempdir().expect("a folder");
    let begun = clock::now();
    let mut tool = command(home.path());
    tool.args(["simulate", "--url", &url, "--backfill", "6", "--api", "127.0.0.1:0"]);
    let mut tool = tool.stdout(Stdio::piped()).spawn().expect("it runs");
    let mut said =
        BufReader::new(tool.stdout.take().expect("its output is piped")).lines().map_while(Result::ok);
    let api = said.find_map(|line| Some(line.split_once("API_URL=")?.1.to_owned()));
    let newest = api.map(|api| newest_activity(&api));
    tool.kill().expect("it runs");
    tool.wait().expect("it was started");
    let newest = newest.expect("its API has an address").expect("chats with their times");
    assert!(newest > begun - SignedDuration::from_mins(30), "{newest}");
}

/// When the newest of the chats that an API knows was active; `None` where it does not say so.
fn newest_activity(api: &str) -> Option<Timestamp> {
    let path = format!("{api}/v1/chats/?organizationId={ORGANIZATION}&ChatState=All&Take=100");
    let answer = ureq::get(path).header("authorization", format!("Bearer {TOKEN}")).call().ok()?;
    let answer: Value = serde_json::from_reader(answer.into_body().into_reader()).ok()?;
    let active = |chat: &Value| chat["eventAtUTC"].as_str()?.parse().ok();
    answer["items"].as_array()?.iter().filter_map(active).max()
}
