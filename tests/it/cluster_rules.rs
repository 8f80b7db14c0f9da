//! Rules of applying records in a cluster whose hubs are of different releases.

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json};
use umbler_hub::facade::journal::{Origin, Payload, RULES, RULES_OLDEST, Record, RulesRaise, load_blocks};

use super::cluster::{cluster, operates, posted, until, until_ready, until_shown};
use super::cluster_fences::publishes;
use super::support::hub::{command, refuses_to_serve};
use super::support::keys::now;
use super::support::nats::{Nats, copy_of, nats};
use super::support::{Delivery, Hub};

/// Has a cluster apply records by these rules from here on, as the hub with the duties does.
fn raises(nats: &Nats, number: u32) -> i64 {
    let at = Timestamp::from_second(now()).expect("a time");
    let raise = Payload::Rules(RulesRaise { number });
    let record = Record::new(raise, None, Origin::Hub, at).expect("memory");
    publishes(nats, "rules", record.entry.encode())
}

/// Has the stream tell that these rules are in force.
fn tells(nats: &Nats, number: u32) {
    operates(nats, async |context| {
        let mut config =
            context.get_stream("umbler-hub").await.expect("a stream").cached_info().config.clone();
        config.metadata.insert("rules".to_owned(), number.to_string());
        context.update_stream(config).await.expect("it is told");
    });
}

/// The rules that the stream tells.
fn told(nats: &Nats) -> String {
    operates(nats, async |context| {
        let stream = context.get_stream("umbler-hub").await.expect("a stream");
        stream.cached_info().config.metadata["rules"].clone()
    })
}

#[test]
fn a_hub_stops_at_rules_that_its_release_does_not_know_and_takes_deliveries_all_the_same() {
    let Some(nats) = nats() else { return };
    let hub = nats.hub("a", nats.begun(), &[]);
    until_ready(&hub);
    assert_eq!(cluster(&hub)["rules"], RULES);
    let before = posted(&hub, "c1");
    let at = raises(&nats, RULES + 1);
    assert!(at > before);
    until("it stands there", || cluster(&hub)["halted"].is_string());
    let why = cluster(&hub)["halted"].as_str().expect("words").to_owned();
    let said = format!(
        "the record at position {at} cannot be read: it puts rules {} into force, and this release knows them up to \
         {RULES}: upgrade this hub",
        RULES + 1
    );
    assert!(why.starts_with(&said), "{why}");
    let answer = hub.provider().says("c1", "meanwhile");
    assert_eq!((&answer["status"], &answer["seq"]), (&"accepted".into(), &Value::Null), "{answer}");
}

#[test]
fn a_hub_does_not_start_in_a_cluster_whose_rules_its_release_does_not_know() {
    let Some(nats) = nats() else { return };
    let home = nats.begun();
    for (number, what) in
        [(RULES + 1, "upgrade this hub"), (RULES_OLDEST - 1, "upgrade all hubs to a release between")]
    {
        tells(&nats, number);
        let (_, said) = refuses_to_serve(command(home.path()).envs(nats.settings("a")));
        let known = format!(
            "the cluster applies records by rules {number}, and this release knows {RULES_OLDEST} to {RULES}: {what}"
        );
        assert!(said.contains(&known), "{said}");
    }
    tells(&nats, RULES);
    until_ready(&nats.hub("a", home, &[]));
}

#[test]
fn hubs_of_a_new_release_apply_by_the_rules_of_the_one_before_until_theirs_are_in_force() {
    let Some(nats) = nats() else { return };
    let home = nats.begun();
    // As a release left it that knew only these.
    let database = Connection::open(home.path().join("hub.db")).expect("the database");
    let older = "UPDATE meta SET value = ?1 WHERE key = 'cluster_rules'";
    assert_eq!(database.execute(older, [RULES_OLDEST.to_string()]).expect("SQL"), 1);
    drop(database);
    tells(&nats, RULES_OLDEST);
    let copy = copy_of(home.path());
    let hubs = [nats.hub("a", home, &[]), nats.hub("b", copy, &[])];
    hubs.iter().for_each(until_ready);
    assert!(hubs.iter().all(|hub| cluster(hub)["rules"] == RULES_OLDEST));
    // Rules 7 store what is said in recordings.
    let recording = |hub: &Hub, message: &str| {
        let file = json!({ "Url": "https://files.example/a.ogg", "Transcription": "oi" });
        hub.provider()
            .posts(&Delivery::message("recordings").message_id(message).message_field("File", file));
    };
    recording(&hubs[0], "before");
    let before = posted(&hubs[0], "c1");
    let raised = raises(&nats, RULES);
    let after = posted(&hubs[1], "c1");
    recording(&hubs[1], "after");
    assert!(before < raised && raised < after);
    let hubs = hubs.map(|hub| {
        until_shown(&hub, after);
        assert_eq!(cluster(&hub)["rules"], RULES);
        // It goes on by them after a start.
        let hub = hub.restarted();
        until_ready(&hub);
        assert_eq!(cluster(&hub)["rules"], RULES);
        let heard = |id| {
            let page = hub.json("/api/umbler/chats/recordings/messages");
            let mut messages = page["messages"].as_array().expect("a list").iter();
            let found = messages.find(|message| message["id"] == id);
            found.map(|message| message["file"]["transcription"].clone())
        };
        until("it shows both", || heard("after").is_some());
        assert_eq!([heard("before"), heard("after")], [Some(Value::Null), Some("oi".into())]);
        hub
    });
    until("the stream tells it to hubs that have no database yet", || told(&nats) == RULES.to_string());
    let blocks = hubs.map(|mut hub| {
        hub.stop();
        load_blocks(&Connection::open(hub.database()).expect("the database")).expect("blocks")
    });
    assert_eq!(blocks[0], blocks[1]);
    let rules: Vec<u32> = blocks[0].iter().map(|block| block.rules).collect();
    assert_eq!(rules, [RULES_OLDEST, RULES]);
}

#[test]
fn rules_that_are_in_force_already_change_nothing() {
    let Some(nats) = nats() else { return };
    let home = nats.begun();
    let copy = copy_of(home.path());
    let hubs = [nats.hub("a", home, &[]), nats.hub("b", copy, &[])];
    hubs.iter().for_each(until_ready);
    let before = posted(&hubs[0], "c1");
    raises(&nats, RULES);
    let after = posted(&hubs[1], "c1");
    assert_eq!(after, before + 2, "the record took a position");
    for hub in &hubs {
        until_shown(hub, after);
        assert_eq!((&cluster(hub)["rules"], &cluster(hub)["halted"]), (&RULES.into(), &Value::Null));
    }
    until("they tell each other which rules they know", || {
        hubs.iter().all(|hub| cluster(hub)["peers"][0]["rules"] == RULES)
    });
}
