//! The hub with the duties stands still, or its proposals come late: nothing is done twice, and nothing is left behind.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::json;
use umbler_hub::facade::journal::{AlertKey, AlertRequest, DutyTaking, Entry, Origin, Payload, Record};
use umbler_hub::facade::rules::{AlertKind, Seq};
use umbler_hub::facade::testing::{ApiFault, Echo};

use super::alerts::{listed, question, saves, thresholds};
use super::cluster::{cluster, operates, posted, until, until_ready, until_shown};
use super::cluster_across::pair;
use super::cluster_hubs_fail::FAKETIME;
use super::support::Hub;
use super::support::api::{api, link_settings};
use super::support::faults::skip;
use super::support::keys::now;
use super::support::nats::{Nats, copy_of, nats};
use super::support::sending::{SENDING, Sending, hears_entry};

fn has_duties(hub: &Hub) -> bool {
    cluster(hub)["duties"] == true
}

/// The hub that has the duties, and the other one.
fn owner_and_heir([one, other]: [Hub; 2]) -> (Hub, Hub) {
    until("one hub has the duties", || has_duties(&one) || has_duties(&other));
    if has_duties(&one) { (one, other) } else { (other, one) }
}

#[test]
fn an_owner_that_stood_still_does_nothing_that_the_next_one_did() {
    let Some(nats) = nats() else { return };
    let (owner, heir) = owner_and_heir(pair(&nats, &[]));
    let mut screen = heir.screen().watching(&["updates"]);
    saves(&heir, None, &thresholds(&[("waitingWarnSeconds", 60)]), &json!({}));
    screen.hears_update("settings_updated");
    // The owner has set its clock for the alert when it is stopped.
    let last = heir.provider().posts(&question("c1", 50))["seq"].as_i64().expect("a position");
    screen.hears_update("new_message");
    until_shown(&owner, last);
    owner.stand_still(true);
    until("the other has the duties", || has_duties(&heir));
    screen.hears_update("alert_raised");
    owner.stand_still(false);
    assert!(!has_duties(&owner), "it knows that it stood still");
    let last = posted(&owner, "c2");
    until_shown(&heir, last);
    // Had the other one raised it again, or cleared it, that would be heard before this.
    screen.hears_update("new_message");
    assert_eq!(listed(&owner, ""), listed(&heir, ""));
    assert_eq!(listed(&heir, "").len(), 1);
}

/// Publishes bytes as a hub publishes a record.
pub fn publishes(nats: &Nats, kind: &str, bytes: Vec<u8>) -> i64 {
    operates(nats, async |stream| {
        let sent = stream.publish(format!("hub.umbler-hub.{kind}"), bytes.into()).await.expect("sent");
        i64::try_from(sent.await.expect("stored").sequence).expect("small")
    })
}

#[test]
fn a_proposal_of_an_earlier_owner_is_applied_by_no_hub() {
    let Some(nats) = nats() else { return };
    let (owner, other) = owner_and_heir(pair(&nats, &[]));
    saves(&owner, None, &thresholds(&[("waitingWarnSeconds", 60)]), &json!({}));
    owner.provider().posts(&question("c1", 120));
    until("the alert is raised", || listed(&other, "").len() == 1);
    let since = listed(&other, "")[0]["since"].as_str().and_then(|text| text.parse().ok()).expect("a time");
    let alert = AlertKey { kind: AlertKind::WaitingWarn, chat: "c1".into(), since };
    let clear = |id: &str, fence| {
        let payload = Payload::Alert(AlertRequest::Clear(alert.clone()));
        let at = Timestamp::from_second(now()).expect("a time");
        let record = Record::new(payload, Some(id.into()), Origin::Hub, at).expect("memory");
        Entry { fence, ..record.entry }.encode()
    };
    publishes(&nats, "alert", clear("alert:late", Some(Seq(1_000_000))));
    let last = posted(&owner, "c2");
    until_shown(&other, last);
    for hub in [&owner, &other] {
        assert_eq!(listed(hub, "").len(), 1, "nothing was cleared");
    }
    // The same without a fence does something, so it was the fence.
    publishes(&nats, "alert", clear("alert:fresh", None));
    let last = posted(&owner, "c2");
    until_shown(&other, last);
    // The owner raises it again at once, because the customer still waits.
    let log = owner.log();
    assert_eq!(log.matches("was proposed by a hub that no longer has the duties").count(), 1, "{log}");
    let updates = other.json("/api/umbler/updates?after=0&limit=1000")["updates"].to_string();
    assert_eq!(updates.matches("\"type\":\"alert_cleared\"").count(), 1, "{updates}");
}

#[test]
fn an_alert_that_was_proposed_too_late_is_raised_once_its_hub_has_the_duties_again() {
    let Some(nats) = nats() else { return };
    let (owner, other) = owner_and_heir(pair(&nats, &[]));
    saves(&owner, None, &thresholds(&[("waitingWarnSeconds", 60)]), &json!({}));
    let (_, said) = nats.tool(owner.home(), &["cluster", "compare"]);
    let fence = said.lines().next().and_then(|line| line.rsplit(' ').next()).expect("the duties");
    let after = Seq(fence.parse().expect("a position"));
    owner.stand_still(true);
    let mut last = other.provider().posts(&question("c1", 120))["seq"].as_i64().expect("a position");
    // More than one transaction takes, so the owner sees the question before it sees that it has the duties no longer.
    for _ in 0..300 {
        last = posted(&other, "c2");
    }
    let taking = DutyTaking { by: "nobody-1".to_owned(), after, taken_at: None };
    let at = Timestamp::from_second(now()).expect("a time");
    let record = Record::new(Payload::Duty(taking), None, Origin::Hub, at).expect("memory");
    publishes(&nats, "duty", record.entry.encode());
    owner.stand_still(false);
    until_shown(&owner, last);
    until("the alert is raised", || listed(&other, "").len() == 1);
}

#[test]
fn a_message_whose_attempt_was_recorded_too_late_is_sent_once() {
    let Some(nats) = nats() else { return };
    let api = Arc::new(api());
    let url = api.url();
    let settings: Vec<_> = link_settings(&url).into_iter().chain(SENDING).collect();
    let hub = nats.hub("a", nats.begun(), &settings);
    until_ready(&hub);
    until("it has the duties", || has_duties(&hub));
    let sending = Sending::of(hub, api);
    sending.chat("ana", 60);
    sending.api.fail("messages", &ApiFault::Status(429), 1);
    let mut screen = sending.hub.screen().watching(&["updates"]);
    let id = sending.sends("ana", "Olá");
    for state in ["queued", "sending", "queued"] {
        assert_eq!(hears_entry(&mut screen)["state"], state);
    }
    // The second attempt is due in a second. The stream takes it, but this hub cannot store it before its sender gives up.
    let database = Connection::open(sending.hub.database()).expect("the database");
    database.execute_batch("BEGIN IMMEDIATE").expect("it is locked");
    until("its sender gives up", || sending.hub.log().contains("not known yet whether an attempt"));
    database.execute_batch("ROLLBACK").expect("it is unlocked");
    let entry = sending.becomes(&id, &["sent"]);
    assert_eq!((&entry["attempts"], sending.api.sent().len()), (&json!(2), 1), "{entry}");
}

#[test]
fn a_message_that_a_killed_owner_was_handing_over_is_found_by_the_next_one() {
    let Some(nats) = nats() else { return };
    let api = Arc::new(api());
    // No webhook and no comparison brings it: it is found among what the provider has.
    api.behave(|behavior| behavior.echo = Echo::Never);
    let url = api.url();
    let settings: Vec<_> = link_settings(&url).into_iter().chain(SENDING).collect();
    let home = nats.begun();
    let copy = copy_of(home.path());
    let owner = nats.hub("a", home, &settings);
    until("it has the duties", || has_duties(&owner));
    let heir = nats.hub("b", copy, &settings);
    until_ready(&heir);
    let sending = Sending::of(owner, Arc::clone(&api));
    sending.chat("ana", 60);
    sending.api.fail("messages", &ApiFault::Slow(Duration::from_mins(1)), 1);
    let id = sending.sends("ana", "Olá");
    until("the provider has it", || sending.api.sent().len() == 1);
    drop(sending.killed());
    let sending = Sending::of(heir, api);
    let entry = sending.becomes(&id, &["sent", "unconfirmed", "failed"]);
    assert_eq!((&entry["state"], sending.api.sent().len()), (&json!("sent"), 1), "{entry}");
}

#[test]
fn a_hub_whose_clock_is_wrong_takes_no_duties_although_no_other_hub_runs() {
    let Some(nats) = nats() else { return };
    if !Path::new(FAKETIME).exists() {
        return skip("faketime is not installed");
    }
    let home = nats.begun();
    let copy = copy_of(home.path());
    let ahead = [("LD_PRELOAD", FAKETIME), ("FAKETIME", "+365d"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let wrong = nats.hub("a", home, &ahead);
    until_ready(&wrong);
    until("it takes the duties, or says why not", || {
        has_duties(&wrong) || wrong.log().contains("takes no duties")
    });
    assert!(!has_duties(&wrong));
    let right = nats.hub("b", copy, &[]);
    until("the other takes them", || has_duties(&right));
    until("it was looked at again", || cluster(&wrong)["clockAheadSeconds"].as_i64() > Some(360 * 86_400));
    assert!(!has_duties(&wrong));
}
