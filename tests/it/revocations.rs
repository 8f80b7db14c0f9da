//! Users whose tokens do not count any more.

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::support::hub::Answer;
use super::support::keys::{SECRET, now, token};
use super::support::{Hub, Screen, hub_with, spawn_hub};

const PATH: &str = "/api/umbler/revocations";

fn guarded() -> Hub {
    hub_with(&[("JWT_SECRET", SECRET)])
}

fn bearer(claims: Value) -> String {
    format!("Bearer {}", token(claims))
}

fn admin() -> String {
    bearer(json!({ "sub": "root", "role": "admin", "iat": now() }))
}

/// A token of this user that was made so many seconds ago.
fn aged(sub: &str, seconds: i64) -> String {
    token(json!({ "sub": sub, "iat": now() - seconds }))
}

fn posts(hub: &Hub, authorization: &str, body: &str) -> Answer {
    let headers = [("authorization", authorization), ("content-type", "application/json")];
    hub.provider().post_to(PATH, &headers, body)
}

fn revokes(hub: &Hub, body: &Value) -> Value {
    let answer = posts(hub, &admin(), &body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn status(hub: &Hub, token: &str) -> u16 {
    hub.get_with("/api/umbler/stats", &[("authorization", &format!("Bearer {token}"))]).status
}

fn listed(hub: &Hub, query: &str) -> Value {
    let answer = hub.get_with(&format!("{PATH}{query}"), &[("authorization", &admin())]);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn still_here(screen: &mut Screen) -> bool {
    screen.catches_up().is_empty()
}

#[test]
fn a_revoked_users_sockets_end_at_once_and_their_tokens_count_nowhere() {
    let hub = guarded();
    let old = aged("ana", 100);
    let mut sockets = [hub.screen().signed_in(&old), hub.screen().signed_in(&token(json!({ "sub": "ana" })))];
    let mut eve = hub.screen().signed_in(&aged("eve", 100)).watching(&["updates"]);
    let revoked = revokes(&hub, &json!({ "user": "ana" }));
    assert_eq!(revoked["sessionsClosed"], 2);
    assert_eq!(
        hub.json("/health")["sessions"],
        1,
        "forgotten before the answer, whether their peers read or not"
    );
    let in_force = &revoked["revocation"];
    assert_eq!((&in_force["user"], &in_force["revokedBy"]), (&json!("ana"), &json!("root")));
    for socket in &mut sockets {
        assert_eq!(socket.is_closed_with(), 4500);
    }
    let refused = hub.get_with("/api/umbler/stats", &[("authorization", &format!("Bearer {old}"))]);
    assert!(refused.refuses(401, "unauthorized")["message"].as_str().expect("text").contains("revoked"));
    let mut again = hub.screen();
    again.says("authenticate", json!({ "token": old }));
    again.hears_error("unauthorized");
    again.says("authenticate", json!({ "token": token(json!({ "sub": "ana" })) }));
    again.hears_error("unauthorized");
    // A newer token lets the user in again, on the same socket.
    again.says("authenticate", json!({ "token": aged("ana", -1) }));
    again.hears("authenticated");
    assert_eq!(status(&hub, &aged("ana", -1)), 200);
    // Nobody else notices.
    assert_eq!(status(&hub, &aged("eve", 100)), 200);
    hub.provider().says("a", "for eve");
    eve.hears_update("new_message");
}

#[test]
fn only_tokens_from_before_the_moment_end() {
    let hub = guarded();
    let mut before = hub.screen().signed_in(&aged("ana", 60));
    let mut after = hub.screen().signed_in(&aged("ana", 20));
    let mut refreshed = hub.screen().signed_in(&aged("ana", 60));
    refreshed.says("authenticate", json!({ "token": aged("ana", 20) }));
    refreshed.hears("authenticated");
    let moment = Timestamp::from_second(now() - 40).expect("a moment").to_string();
    let revoked = revokes(&hub, &json!({ "user": "ana", "issuedBefore": moment }));
    assert_eq!(
        (&revoked["sessionsClosed"], &revoked["revocation"]["issuedBefore"]),
        (&json!(1), &json!(moment))
    );
    assert_eq!(before.is_closed_with(), 4500);
    assert!(still_here(&mut after) && still_here(&mut refreshed));
    assert_eq!((status(&hub, &aged("ana", 60)), status(&hub, &aged("ana", 20))), (401, 200));
    // At the moment itself a token counts, and a second before it does not.
    let at = |seconds: i64| token(json!({ "sub": "ana", "iat": seconds }));
    let second = moment.parse::<Timestamp>().expect("a moment").as_second();
    assert_eq!((status(&hub, &at(second - 1)), status(&hub, &at(second))), (401, 200));
    // An earlier moment takes nothing back.
    let again = revokes(&hub, &json!({ "user": "ana", "issuedBefore": "2020-01-01T00:00:00Z" }));
    assert_eq!(again["revocation"]["issuedBefore"], moment);
    assert_eq!(status(&hub, &aged("ana", 60)), 401);
}

#[test]
fn a_revocation_outlives_kill_9() {
    let hub = guarded();
    let old = aged("ana", 100);
    assert_eq!(status(&hub, &old), 200);
    let in_force = revokes(&hub, &json!({ "user": "ana" }))["revocation"].clone();
    let hub = hub.restarted();
    assert_eq!(status(&hub, &old), 401);
    assert_eq!(listed(&hub, ""), json!({ "revocations": [in_force], "total": 1 }));
    hub.screen().says("authenticate", json!({ "token": old }));
    assert_eq!(status(&hub, &aged("eve", 100)), 200);
}

#[test]
fn the_list_has_the_newest_first_and_may_be_narrowed() {
    let hub = guarded();
    for user in ["a", "b", "c"] {
        revokes(&hub, &json!({ "user": user }));
    }
    let users = |query: &str| {
        let list = listed(&hub, query);
        let users = list["revocations"].as_array().expect("a list").iter().map(|one| one["user"].clone());
        (users.collect::<Vec<_>>(), list["total"].as_i64().expect("a number"))
    };
    assert_eq!(users(""), (vec![json!("c"), json!("b"), json!("a")], 3));
    assert_eq!(users("?limit=1"), (vec![json!("c")], 3));
    assert_eq!(users("?user=b"), (vec![json!("b")], 1));
    assert_eq!(users("?user=d"), (vec![], 0));
    for query in ["?limit=0", "?limit=1001", "?page=1"] {
        let answer = hub.get_with(&format!("{PATH}{query}"), &[("authorization", &admin())]);
        answer.refuses(400, "bad_parameter");
    }
}

#[test]
fn only_admins_revoke_and_only_what_is_well_said() {
    let hub = guarded();
    let good = r#"{"user":"ana"}"#;
    hub.get(PATH).refuses(401, "unauthorized");
    posts(&hub, "Bearer nonsense", good).refuses(401, "unauthorized");
    for role in ["supervisor", "agent", "viewer"] {
        let authorization = bearer(json!({ "sub": "s", "role": role }));
        posts(&hub, &authorization, good).refuses(403, "forbidden");
        hub.get_with(PATH, &[("authorization", &authorization)]).refuses(403, "forbidden");
    }
    let long = json!({ "user": "x".repeat(257) }).to_string();
    let ahead = json!({ "user": "a", "issuedBefore": Timestamp::from_second(now() + 90).expect("a moment") })
        .to_string();
    for (body, parameter) in [
        ("{}", "user"),
        (r#"{"user":7}"#, "user"),
        (r#"{"user":""}"#, "user"),
        (long.as_str(), "user"),
        (r#"{"user":"a","issuedBefore":"soon"}"#, "issuedBefore"),
        (r#"{"user":"a","issuedBefore":7}"#, "issuedBefore"),
        (ahead.as_str(), "issuedBefore"),
        (r#"{"user":"a","until":"2026-01-01T00:00:00Z"}"#, "until"),
    ] {
        let error = posts(&hub, &admin(), body).refuses(400, "bad_parameter");
        assert_eq!(error["parameter"], parameter, "{body}");
    }
    for body in ["", "[]", "nonsense", &"[".repeat(4_000)] {
        posts(&hub, &admin(), body).refuses(400, "bad_request");
    }
    posts(&hub, &admin(), &format!("{}{}", good, " ".repeat(4_096 - good.len()))).json();
    posts(&hub, &admin(), &format!("{}{}", good, " ".repeat(4_097 - good.len())))
        .refuses(413, "body_too_large");
    let with = |name: &str, value: &str| {
        hub.provider().post_to(PATH, &[("authorization", &admin()), (name, value)], good)
    };
    with("content-type", "text/plain").refuses(415, "unsupported_type");
    with("content-encoding", "gzip").refuses(415, "unsupported_type");
    let headers =
        [("authorization", &*admin()), ("content-type", "application/json"), ("content-encoding", "gzip")];
    hub.provider().post_to(PATH, &headers, good).refuses(415, "unsupported_encoding");
    assert_eq!(listed(&hub, "")["total"], 1, "none of these but the one with blanks");
}

#[test]
fn a_revocation_that_cannot_be_stored_is_refused_and_does_nothing() {
    let hub = guarded();
    let old = aged("ana", 100);
    let intruder = Connection::open(hub.database()).expect("the database");
    intruder.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let refused = posts(&hub, &admin(), r#"{"user":"ana"}"#);
    refused.refuses(503, "unavailable");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(status(&hub, &old), 200);
    intruder.execute_batch("ROLLBACK").expect("unlocked");
    while hub.get("/health/ready").status == 503 {}
    revokes(&hub, &json!({ "user": "ana" }));
    assert_eq!(status(&hub, &old), 401);
}

#[test]
fn without_a_key_there_is_nobody_to_revoke_but_it_is_kept_for_later() {
    let hub = spawn_hub();
    let mut screen = hub.screen();
    let answer = posts(&hub, "", r#"{"user":"anonymous"}"#).json();
    assert_eq!(
        (&answer["sessionsClosed"], &answer["revocation"]["revokedBy"]),
        (&json!(0), &json!("anonymous"))
    );
    assert!(still_here(&mut screen));
    assert_eq!(hub.get("/api/umbler/stats").status, 200);
}

#[test]
fn an_event_stream_of_a_revoked_user_ends_like_a_socket() {
    let hub = guarded();
    let authorization = format!("Bearer {}", aged("ana", 100));
    let open = || {
        let request = hub.agent().get(hub.url("/api/umbler/stream")).header("authorization", &authorization);
        request.call().expect("the hub answers")
    };
    let mut stream = open();
    assert_eq!(stream.status(), 200);
    // The hub knows of it once it was counted.
    while hub.json("/health")["sessions"] != 1 {}
    assert_eq!(revokes(&hub, &json!({ "user": "ana" }))["sessionsClosed"], 1);
    let said = stream.body_mut().read_to_string().expect("it ends");
    assert!(said.contains(r#""event":"closed""#) && said.contains("4500"), "{said}");
    assert_eq!(open().status(), 401);
}
