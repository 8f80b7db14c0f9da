//! What one hub of a cluster does for all, and what all of them do for one.

use serde_json::json;

use super::alerts::{listed, question, saves, thresholds};
use super::cluster::{cluster, until};
use super::cluster_across::{pair, peer};
use super::link_files::picture;
use super::support::api::{api, deliver, link_settings, rechecked};
use super::support::keys::{SECRET, now, token};
use super::support::nats::nats;
use super::support::{Delivery, Hub};

#[test]
fn a_revocation_at_one_hub_ends_the_users_sessions_at_all() {
    let Some(nats) = nats() else { return };
    let [one, other] = pair(&nats, &[("JWT_SECRET", SECRET)]);
    let old = token(json!({ "sub": "ana", "iat": now() - 100 }));
    let mut screen = other.screen().signed_in(&old);
    let admin = format!("Bearer {}", token(json!({ "sub": "root", "role": "admin", "iat": now() })));
    let headers = [("authorization", admin.as_str()), ("content-type", "application/json")];
    let body = json!({ "user": "ana" }).to_string();
    let answer = one.provider().post_to("/api/umbler/revocations", &headers, body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(screen.is_closed_with(), 4500);
    let bearer = format!("Bearer {old}");
    for hub in [&one, &other] {
        assert_eq!(hub.get_with("/api/umbler/stats", &[("authorization", &bearer)]).status, 401);
    }
}

#[test]
fn a_revocation_counts_the_sessions_that_it_ends_at_all_hubs() {
    let Some(nats) = nats() else { return };
    let [one, other] = pair(&nats, &[("JWT_SECRET", SECRET)]);
    until("the one knows the other", || peer(&one)["ready"] == true);
    let admin = format!("Bearer {}", token(json!({ "sub": "root", "role": "admin", "iat": now() })));
    let headers = [("authorization", admin.as_str()), ("content-type", "application/json")];
    let mut users = (0..).map(|number| format!("user-{number}"));
    until("a report comes in time", || {
        let user = users.next().expect("a name");
        let old = token(json!({ "sub": user, "iat": now() - 100 }));
        let _screens = [&one, &other, &other].map(|hub| hub.screen().signed_in(&old));
        let body = json!({ "user": user }).to_string();
        let answer = one.provider().post_to("/api/umbler/revocations", &headers, body).json();
        let closed = answer["sessionsClosed"].as_u64().expect("a number");
        // On a machine with much to do the other may have no time for it within a second.
        assert!(closed == 3 || closed == 1, "{answer}");
        closed == 3
    });
}

#[test]
fn an_alert_is_raised_once_and_shown_at_all_hubs() {
    let Some(nats) = nats() else { return };
    let [one, other] = pair(&nats, &[]);
    until("one hub has the duties", || [&one, &other].iter().any(|hub| cluster(hub)["duties"] == true));
    let mut screens = [&one, &other].map(|hub| hub.screen().watching(&["updates"]));
    saves(&one, None, &thresholds(&[("waitingWarnSeconds", 60)]), &json!({}));
    one.provider().posts(&question("c1", 120));
    for screen in &mut screens {
        screen.hears_update("settings_updated");
        screen.hears_update("new_message");
        screen.hears_update("alert_raised");
    }
    // Had the other hub raised it, too, it would be heard before this.
    other.provider().says("c2", "later");
    for screen in &mut screens {
        screen.hears_update("new_message");
    }
    assert_eq!(listed(&one, ""), listed(&other, ""));
}

#[test]
fn the_duties_of_a_hub_that_is_killed_are_taken_by_another() {
    let Some(nats) = nats() else { return };
    let [one, other] = pair(&nats, &[]);
    let has_duties = |hub: &Hub| cluster(hub)["duties"] == true;
    until("one hub has the duties", || has_duties(&one) || has_duties(&other));
    let (mut owner, heir) = if has_duties(&one) { (one, other) } else { (other, one) };
    assert!(!has_duties(&heir), "one of them only");
    owner.kill();
    until("the other has them", || has_duties(&heir));
    saves(&heir, None, &thresholds(&[("waitingWarnSeconds", 60)]), &json!({}));
    heir.provider().posts(&question("c1", 120));
    until("the alert is raised", || listed(&heir, "").len() == 1);
}

#[test]
fn a_hub_without_the_duties_says_that_another_has_the_link() {
    let Some(nats) = nats() else { return };
    let api = api();
    let url = api.url();
    let [one, other] = pair(&nats, &link_settings(&url));
    let has_duties = |hub: &Hub| cluster(hub)["duties"] == true;
    until("one hub has the duties", || has_duties(&one) || has_duties(&other));
    let (owner, other) = if has_duties(&one) { (one, other) } else { (other, one) };
    rechecked(&owner);
    let json = [("content-type", "application/json")];
    let asks = |path: &str, body: &str| {
        let answer = other.provider().post_to(&format!("/api/umbler/link/{path}"), &json, body);
        answer.refuses(503, "unavailable")["message"].clone()
    };
    for (path, body) in [("recheck", ""), ("backfill", r#"{"days":7}"#)] {
        assert_eq!(
            asks(path, body),
            "another hub of the cluster has the link to Umbler: ask the one with the duties"
        );
    }
    deliver(&api, &other, &[picture("photo", 10).bytes()]);
    let file = "/api/umbler/messages/photo/file?format=json";
    other.get(file).refuses(503, "unavailable");
    // The one with the duties asks, and then every hub has the address.
    let picture = format!("{url}/pictures/a.svg");
    api.world(|world| world.files.insert("photo".to_owned(), picture.clone()));
    until("the owner has it", || owner.get(file).status == 200 && owner.json(file)["url"] == picture);
    until("the other has it", || other.get(file).status == 200);
    assert_eq!(other.json(file), json!({ "state": "ready", "url": picture }));
}

#[test]
fn a_question_waits_for_the_position_that_it_names() {
    let Some(nats) = nats() else { return };
    let [one, other] = pair(&nats, &[]);
    for round in 0..20 {
        let chat = format!("c{round}");
        let seq = one.provider().posts(&Delivery::message(&chat))["seq"].as_i64().expect("a position");
        let after = seq.to_string();
        let answer = other.get_with(&format!("/api/umbler/chats/{chat}"), &[("x-umbler-hub-after", &after)]);
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let answer = other.get_with("/api/umbler/stats", &[("x-umbler-hub-after", "1000000")]);
    answer.refuses(503, "unavailable");
    let answer = other.get_with("/api/umbler/stats", &[("x-umbler-hub-after", "soon")]);
    assert_eq!(answer.refuses(400, "bad_parameter")["parameter"], "X-Umbler-Hub-After");
}

#[test]
fn a_screen_whose_position_no_hub_has_is_told_so_after_a_while() {
    let Some(nats) = nats() else { return };
    let [one, _other] = pair(&nats, &[]);
    let epoch = one.json("/health")["epoch"].clone();
    let asked = json!({ "channels": ["updates"], "since": 1_000_000, "epoch": epoch });
    until("the hub has seen where the stream ends", || {
        let mut screen = one.screen();
        screen.says("subscribe_updates", asked.clone());
        let envelope = screen.hears_anything();
        // On a machine with much to do it may not have seen it in time.
        if envelope["event"] == "going_away" {
            return false;
        }
        let answer = &envelope["data"];
        assert_eq!((&answer["recovered"], &answer["reason"]), (&json!(false), &json!("position_ahead")));
        true
    });
}
