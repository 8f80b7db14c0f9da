//! What happens to NATS: servers end, are killed, are cut off and have no room, under load. Nothing that was acknowledged
//! is lost or shown twice, and no delivery is refused. The table of `docs/cluster.md` says which test shows which row.

use async_nats::jetstream;
use serde_json::{Value, json};

use super::cluster::{cluster, operates, until, until_ready};
use super::support::line::Line;
use super::support::load::{Load, show_all_once};
use super::support::nats::{Nats, Synced, copy_of, nats, servers};
use super::support::{Delivery, Hub};

/// The name of the stream where nobody chose another.
const STREAM: &str = "umbler-hub";

/// Two hubs that are in step.
fn pair(nats: &Nats) -> [Hub; 2] {
    let home = nats.begun();
    let copy = copy_of(home.path());
    let hubs = [nats.hub("a", home, &[]), nats.hub("b", copy, &[])];
    hubs.iter().for_each(until_ready);
    hubs
}

/// Waits until all servers have all of the stream.
fn until_whole(hub: &Hub, nats: &Nats) {
    until("all servers have all", || cluster(hub)["replicasCurrent"] == nats.count());
}

#[test]
fn servers_that_are_restarted_in_turn_cost_nothing() {
    let Some(mut nats) = servers(3, Synced::Always) else { return };
    let [one, other] = pair(&nats);
    let load = Load::on(&[&one, &other]);
    for number in 0..nats.count() {
        load.goes_on_for(20);
        nats.stop_one(number);
        load.goes_on_for(20);
        nats.restart_one(number);
        until_whole(&one, &nats);
    }
    assert_eq!(load.untaken(), 0, "no delivery is refused");
    show_all_once(&[&one, &other], &load.finish());
}

#[test]
fn deliveries_are_taken_while_two_of_three_servers_are_gone() {
    let Some(mut nats) = servers(3, Synced::Always) else { return };
    let [one, other] = pair(&nats);
    let load = Load::on(&[&one, &other]);
    load.goes_on_for(20);
    let leader = nats.leader(STREAM);
    nats.kill_one(leader);
    nats.kill_one((leader + 1) % 3);
    until("deliveries wait", || cluster(&one)["inbox"] != 0 && cluster(&other)["inbox"] != 0);
    load.goes_on_for(20);
    nats.restart_one(leader);
    until("two servers are enough", || cluster(&one)["inbox"] == 0);
    nats.restart_one((leader + 1) % 3);
    assert_eq!(load.untaken(), 0, "no delivery is refused");
    show_all_once(&[&one, &other], &load.finish());
    until_whole(&one, &nats);
}

#[test]
fn a_hub_that_starts_while_two_of_three_servers_are_gone_takes_deliveries_in() {
    let Some(mut nats) = servers(3, Synced::Always) else { return };
    let [one, other] = pair(&nats);
    let leader = nats.leader(STREAM);
    nats.kill_one(leader);
    nats.kill_one((leader + 1) % 3);
    // It has a connection to the third, which cannot say how the stream is.
    let one = one.restarted();
    let delivery = Delivery::message("c1");
    assert_eq!(one.provider().posts(&delivery)["seq"], Value::Null);
    nats.restart_one(leader);
    nats.restart_one((leader + 1) % 3);
    show_all_once(&[&one, &other], &[delivery.id().to_owned()]);
}

#[test]
fn all_servers_killed_at_once_lose_nothing_that_was_acknowledged() {
    let Some(mut nats) = servers(3, Synced::Always) else { return };
    let [one, other] = pair(&nats);
    let load = Load::on(&[&one, &other]);
    for _ in 0..2 {
        load.goes_on_for(50);
        nats.kill();
        load.goes_on_for(20);
        nats.restart();
    }
    assert_eq!(load.untaken(), 0, "no delivery is refused");
    show_all_once(&[&one, &other], &load.finish());
}

#[test]
fn all_servers_and_hubs_killed_at_once_lose_nothing_that_was_acknowledged() {
    let Some(mut nats) = servers(3, Synced::Always) else { return };
    let [mut one, mut other] = pair(&nats);
    let load = Load::on(&[&one, &other]);
    load.goes_on_for(100);
    nats.kill();
    // Some are in inboxes by now, and others are on their way.
    load.goes_on_for(20);
    one.kill();
    other.kill();
    let ids = load.finish();
    nats.restart();
    let [one, other] = [one, other].map(Hub::started_again);
    show_all_once(&[&one, &other], &ids);
}

#[test]
fn a_leader_that_is_cut_off_from_the_other_servers_costs_nothing() {
    let Some(nats) = servers(3, Synced::Always) else { return };
    let [one, other] = pair(&nats);
    let load = Load::on(&[&one, &other]);
    load.goes_on_for(20);
    let cut_off = nats.leader(STREAM);
    nats.halt_one(cut_off);
    // Who sits on the server that stands still has no connection, and the others have another leader.
    load.goes_on_for(20);
    until("there is another leader", || nats.leader(STREAM) != cut_off);
    load.goes_on_for(20);
    nats.resume_one(cut_off);
    load.goes_on_for(20);
    assert_eq!(load.untaken(), 0, "no delivery is refused");
    show_all_once(&[&one, &other], &load.finish());
    until_whole(&one, &nats);
}

#[test]
fn a_hub_that_is_cut_off_takes_deliveries_in_and_says_that_it_is_not_ready() {
    let Some(nats) = nats() else { return };
    let line = Line::to(nats.address());
    let home = nats.begun();
    let copy = copy_of(home.path());
    let one = nats.hub("a", home, &[]);
    let other = nats.hub("b", copy, &[("NATS_URL", &format!("nats://{}", line.address()))]);
    [&one, &other].into_iter().for_each(until_ready);
    line.cut();
    until("it knows", || cluster(&other)["connected"] == false);
    let at_both = Delivery::message("c1").text("posted again elsewhere, because the answer was lost");
    assert_eq!(other.provider().posts(&at_both)["seq"], Value::Null);
    let taken = one.provider().posts(&at_both);
    assert_eq!((&taken["status"], taken["seq"].is_i64()), (&json!("accepted"), true));
    until("it is not ready", || other.get("/health/ready").status == 503);
    assert_eq!(other.get("/health/live").status, 200);
    assert_eq!(one.get("/health/ready").status, 200);
    let later = Delivery::message("c1").text("after that");
    assert_eq!(other.provider().posts(&later)["status"], "accepted");
    line.mend();
    until_ready(&other);
    show_all_once(&[&one, &other], &[at_both.id().to_owned(), later.id().to_owned()]);
}

#[test]
fn a_delivery_whose_publishing_had_an_unknown_outcome_is_in_the_stream_once() {
    let Some(nats) = nats() else { return };
    let [one, other] = pair(&nats);
    // Taking them is a record of its own.
    until("one has the duties", || [&one, &other].iter().any(|hub| cluster(hub)["duties"] == true));
    let before = cluster(&one)["newest"].as_i64().expect("a position");
    // What is sent to it is on its way, and there is no answer.
    nats.halt_one(0);
    let delivery = Delivery::message("c1");
    assert_eq!(one.provider().posts(&delivery)["seq"], Value::Null);
    nats.resume_one(0);
    until("it is published", || cluster(&one)["inbox"] == 0);
    let last = one.provider().says("c1", "the next")["seq"].as_i64().expect("a position");
    assert_eq!(last, before + 2, "the stream has it once, and the next");
    show_all_once(&[&one, &other], &[delivery.id().to_owned()]);
}

/// Sets how large the stream may become, as an operator does; `None`: as it is now.
fn limit_stream(nats: &Nats, bytes_max: Option<i64>) {
    operates(nats, async |context| {
        let mut stream = context.get_stream(STREAM).await.expect("the stream");
        let info = stream.info().await.expect("what it is");
        let now = i64::try_from(info.state.bytes).expect("few");
        let config = jetstream::stream::Config { max_bytes: bytes_max.unwrap_or(now), ..info.config.clone() };
        context.update_stream(config).await.expect("the stream is changed");
    });
}

#[test]
fn a_full_stream_is_as_one_that_is_away_and_goes_on_once_it_has_room() {
    let Some(nats) = nats() else { return };
    let [one, other] = pair(&nats);
    let mut ids = Vec::new();
    let mut posts = |hub: &Hub, is_stored_only: bool| {
        let delivery = Delivery::message("c1");
        let answer = hub.provider().posts(&delivery);
        assert_eq!((&answer["status"], answer["seq"].is_null()), (&json!("accepted"), is_stored_only));
        ids.push(delivery.id().to_owned());
    };
    posts(&one, false);
    limit_stream(&nats, None);
    posts(&one, true);
    posts(&other, true);
    let notice = json!({ "user": "bia", "data": ["anything"] }).to_string();
    let json = [("content-type", "application/json")];
    one.provider().post_to("/api/umbler/notify", &json, notice).refuses(503, "unavailable");
    limit_stream(&nats, Some(-1));
    until("there is room", || cluster(&one)["inbox"] == 0 && cluster(&other)["inbox"] == 0);
    posts(&other, false);
    show_all_once(&[&one, &other], &ids);
}

/// The stream as it was before anything was in it, as a backup would bring it back: the same epoch and settings.
fn empty_stream(nats: &Nats) {
    operates(nats, async |context| {
        let mut stream = context.get_stream(STREAM).await.expect("the stream");
        let config = stream.info().await.expect("what it is").config.clone();
        context.delete_stream(STREAM).await.expect("deleted");
        context.create_stream(config).await.expect("made");
    });
}

#[test]
fn a_stream_that_ends_before_what_is_applied_is_waited_for_and_gets_nothing() {
    let Some(nats) = nats() else { return };
    let hub = nats.hub("a", nats.begun(), &[]);
    until_ready(&hub);
    for _ in 0..5 {
        hub.provider().says("c1", "before");
    }
    until("it has the duties", || cluster(&hub)["duties"] == true);
    let applied = cluster(&hub)["applied"].clone();
    empty_stream(&nats);
    // Before it has noticed: where the stream puts it now, this hub has stored something else.
    assert_eq!(hub.provider().says("c1", "at once")["seq"], Value::Null);
    until("it has noticed", || hub.log().contains("deliveries go into the inbox until it has more"));
    assert_eq!(hub.provider().says("c1", "kept")["seq"], Value::Null);
    until("it waits no longer", || cluster(&hub)["halted"].is_string());
    let state = cluster(&hub);
    assert!(
        state["halted"].as_str().is_some_and(|text| text.contains("the stream ends at position ")),
        "{state}"
    );
    assert_eq!((&state["inbox"], &state["applied"]), (&json!(2), &applied));
}
