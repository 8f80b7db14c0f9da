//! `umbler-hub simulate` stands in for the provider: its API lists its webhook, and its deliveries come late, or never, as it is told.

use std::process::Output;

use serde_json::json;

use super::support::api::{api, linked, rechecked};
use super::support::hub::command;
use super::support::{Hub, spawn_hub};

fn simulates(hub: &Hub, url: &str, more: &[&str]) -> Output {
    let mut tool = command(hub.home());
    tool.args(["simulate", "--url", url, "--seed", "3", "--api", "127.0.0.1:0"]);
    tool.args(more).output().expect("it runs")
}

#[test]
fn deliveries_that_come_late_come_in_another_order_and_all_of_them() {
    let hub = spawn_hub();
    let more = ["--count", "60", "--rate", "0", "--delay", "2"];
    let output = simulates(&hub, &hub.url(""), &more);
    assert!(output.status.success(), "{output:?}");
    let counts = hub.json("/api/umbler/webhook/status");
    let came =
        counts["accepted"].as_u64().unwrap_or_default() + counts["duplicates"].as_u64().unwrap_or_default();
    assert_eq!(came, 60, "{counts}");
}

#[test]
fn a_strict_provider_gives_up_on_a_hub_that_is_away_and_pauses_its_webhook() {
    let hub = spawn_hub();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let output = simulates(&hub, &format!("http://{free}"), &["--count", "60", "--rate", "0", "--strict"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.matches("has paused its webhook").count(), 1, "{said}");
}

#[test]
fn the_api_of_the_simulated_team_lists_its_webhook_and_shows_when_it_is_paused() {
    let api = api();
    let url = "http://127.0.0.1:3001/api/umbler/webhook";
    api.world(|world| {
        world.posts_to(url);
        world.has_pictures_at(&api.url());
    });
    let hub = linked(&api, &[("UMBLER_WEBHOOK_URL", url)]);
    let link = rechecked(&hub);
    assert_eq!((&link["webhook"]["finding"], &link["alerts"]), (&json!("ok"), &json!([])), "{link}");
    let members = hub.json("/api/umbler/members?limit=200")["members"].clone();
    let picture = members[0]["photoUrl"].as_str().expect("a picture").to_owned();
    let answer = hub.agent().get(&picture).call().expect("an answer");
    assert_eq!(answer.headers()["content-type"], "image/svg+xml");
    api.world(|world| {
        world.pause_webhooks();
    });
    assert_eq!(rechecked(&hub)["webhook"]["finding"], "paused");
}
