//! How a cluster begins and ends, and which hubs may be part of it.

use serde_json::json;

use super::cluster::{cluster, posted, until, until_ready};
use super::support::hub::{command, refuses_to_serve, start_in};
use super::support::nats::{Synced, copy_of, nats, servers};
use super::support::spawn_hub;

const SECRET: &str = "a secret that only the hubs of the cluster know";

#[test]
fn a_cluster_that_begins_with_a_database_goes_on_with_its_epoch_and_positions() {
    let Some(nats) = nats() else { return };
    let home = tempfile::tempdir().expect("a folder");
    let hub = start_in(home);
    let mut screen = hub.screen().watching(&["updates"]);
    let epoch = screen.welcome["epoch"].clone();
    for _ in 0..3 {
        hub.provider().says("c1", "alone");
    }
    screen.hears_updates_until(3);
    let database = hub.database();
    let mut hub = hub;
    hub.stop();
    let member = copy_of(database.parent().expect("a folder"));
    nats.begin(member.path(), &[]);
    let hub = nats.hub("a", member, &[]);
    until_ready(&hub);
    let mut screen = hub.screen();
    let answer = screen.comes_back(&["updates"], 2, &epoch);
    assert_eq!((&answer["recovered"], &answer["epoch"]), (&json!(true), &epoch));
    assert_eq!(screen.hears_updates_until(3), [3]);
    let together = posted(&hub, "c1");
    assert!(together > 3);
    assert_eq!(screen.hears_updates_until(together), [together]);
}

#[test]
fn a_hub_without_a_database_gets_a_copy_of_another_hubs() {
    let Some(nats) = nats() else { return };
    let hub = nats.hub("a", nats.begun(), &[]);
    let port = hub.address().port().to_string();
    let url = format!("http://{}", hub.address());
    let mut settings = nats.settings("a");
    settings.extend([
        ("PORT", port),
        ("NODE_URL", url),
        ("CLUSTER_SECRET", SECRET.to_owned()),
        ("MAX_SESSIONS", "9".to_owned()),
    ]);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut hub = hub;
    hub.stop();
    let hub = hub.started_again_with(&settings);
    until_ready(&hub);
    for _ in 0..30 {
        hub.provider().says("c1", "before the other came");
    }
    // Other hubs know of it within seconds.
    let new = tempfile::tempdir().expect("a folder");
    let wrong = [("CLUSTER_SECRET", "another secret of at least thirty-two bytes")];
    until("the hub has told of itself", || {
        let mut command = command(new.path());
        command.envs(nats.settings("b")).envs(wrong);
        let (_, said) = refuses_to_serve(&mut command);
        said.contains("a: http") && said.contains("401")
    });
    let other = nats.hub("b", new, &[("CLUSTER_SECRET", SECRET)]);
    until_ready(&other);
    assert_eq!(other.json("/api/umbler/stats")["totalMessages"], 30);
    let path = "/api/umbler/updates?after=0&limit=1000";
    assert_eq!(hub.json(path)["updates"], other.json(path)["updates"]);
    assert_eq!(hub.get("/cluster/snapshot").status, 401);
}

#[test]
fn a_database_of_another_history_is_refused_and_says_so() {
    let Some(nats) = nats() else { return };
    let home = nats.begun();
    let copy = copy_of(home.path());
    let hub = nats.hub("a", home, &[]);
    until_ready(&hub);
    hub.provider().says("c1", "in the stream");
    // The same name and servers, and another stream: its positions are not those of this database.
    nats.begin(tempfile::tempdir().expect("a folder").path(), &["--replace"]);
    let mut command = command(copy.path());
    let (code, said) = refuses_to_serve(command.envs(nats.settings("b")));
    assert_eq!(code, Some(1));
    assert!(said.contains("another history than the stream") && said.contains("docs/cluster.md"), "{said}");
    // The one that ran notices, applies nothing of it, and takes deliveries in all the same.
    until("the running hub has stopped", || cluster(&hub)["halted"].is_string());
    assert_eq!(hub.get("/health/ready").status, 503);
    assert_eq!(hub.provider().says("c1", "kept")["seq"], json!(null));
    assert_eq!(cluster(&hub)["inbox"], 1);
}

#[test]
fn a_database_belongs_to_its_cluster_until_it_leaves() {
    let Some(nats) = nats() else { return };
    let home = nats.begun();
    let mut hub = nats.hub("a", home, &[]);
    until_ready(&hub);
    let together = posted(&hub, "c1");
    let epoch = hub.json("/health")["epoch"].clone();
    hub.stop();
    let (_, said) = refuses_to_serve(&mut command(hub.home()));
    assert!(said.contains("belongs to a cluster; set NATS_URL"), "{said}");
    let (succeeded, said) = nats.tool(hub.home(), &["cluster", "leave"]);
    assert!(succeeded, "{said}");
    let alone = hub.started_again_with(&[]);
    assert_eq!(alone.json("/health")["epoch"], epoch);
    assert_eq!(posted(&alone, "c1"), together + 1);
    let mut alone = alone;
    alone.stop();
    let (_, said) = refuses_to_serve(command(alone.home()).envs(nats.settings("a")));
    assert!(said.contains("belongs to no cluster; begin one with it"), "{said}");
}

#[test]
fn a_hub_with_other_settings_than_its_cluster_is_refused_by_their_names() {
    let Some(nats) = nats() else { return };
    let home = nats.begun();
    for (name, value) in
        [("TIMEZONE", "UTC"), ("UPDATES_RETAINED", "5000"), ("BUSINESS_HOURS", "Mon 08:00-09:00")]
    {
        let mut command = command(home.path());
        let (code, said) = refuses_to_serve(command.envs(nats.settings("a")).env(name, value));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&format!("{name}: the cluster has ")), "{said}");
    }
}

#[test]
fn a_server_that_does_not_sync_is_refused_where_that_can_be_seen() {
    let Some(nats) = servers(1, Synced::Seldom) else { return };
    let home = nats.begun();
    let mut command = command(home.path());
    command.envs(nats.settings("a")).env("NATS_MONITOR_URL", nats.monitor_url());
    let (_, said) = refuses_to_serve(&mut command);
    assert!(said.contains("sync_interval: always"), "{said}");
}

#[test]
fn a_stream_must_be_begun_and_is_not_replaced_by_mistake() {
    let Some(nats) = nats() else { return };
    let home = tempfile::tempdir().expect("a folder");
    let (_, said) = refuses_to_serve(command(home.path()).envs(nats.settings("a")));
    assert!(said.contains("there is no stream umbler-hub"), "{said}");
    let begun = nats.begun();
    let (succeeded, said) = nats.tool(home.path(), &["cluster", "begin"]);
    assert!(!succeeded && said.contains("--replace"), "{said}");
    drop(begun);
}

#[test]
fn of_two_hubs_with_one_name_the_later_one_halts_and_says_so() {
    let Some(nats) = nats() else { return };
    let home = nats.begun();
    let copy = copy_of(home.path());
    let first = nats.hub("a", home, &[]);
    until_ready(&first);
    until("it has told of itself", || cluster(&first)["duties"] == true);
    let mut second = nats.hub("a", copy, &[]);
    until("the second halts", || cluster(&second)["halted"].is_string());
    let why = cluster(&second)["halted"].to_string();
    assert!(why.contains("NODE_NAME") && why.contains("another hub"), "{why}");
    assert_eq!(second.provider().says("c1", "kept")["seq"], json!(null));
    assert!(cluster(&first)["halted"].is_null());
    // With a name of its own it is one of the cluster, and its inbox is published.
    second.stop();
    let settings = nats.settings("b");
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let second = second.started_again_with(&settings);
    until_ready(&second);
    until("its inbox is published", || cluster(&second)["inbox"] == 0);
    assert!(cluster(&first)["halted"].is_null());
    // A hub that is killed and comes back finds what it told before.
    until_ready(&second.restarted());
}

#[test]
fn a_hub_that_is_not_in_a_cluster_says_nothing_of_one() {
    let hub = spawn_hub();
    assert!(hub.json("/health").get("cluster").is_none());
    assert_eq!(hub.get("/cluster/snapshot").status, 404);
    assert_eq!(hub.counter("umbler_hub_cluster_ready"), 0);
}
