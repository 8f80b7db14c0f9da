//! Metrics that are pushed: whatever happened, a screen holds what REST would answer, and is told only what changed.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use umbler_hub::facade::testing::clock;

use super::metrics::ask_as;
use super::support::boards::{Held, names};
use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, Screen, hub_with};

/// A moment as the provider writes it.
fn written(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn ago(seconds: i64) -> Timestamp {
    clock::now() - SignedDuration::from_secs(seconds)
}

/// A delivery whose event and message happened then.
fn dated(delivery: Delivery, at: Timestamp) -> Delivery {
    delivery.set("/EventDate", json!(written(at))).message_field("EventAtUTC", json!(written(at)))
}

fn in_sector(delivery: Delivery, sector: &str) -> Delivery {
    delivery.chat_field("Sector", json!({ "Id": sector, "Name": format!("Setor {sector}") }))
}

fn posts(hub: &Hub, delivery: &Delivery) -> i64 {
    hub.provider().posts(delivery);
    hub.json("/health")["seq"].as_i64().expect("a position")
}

/// Posts a question that counts on every board; its position.
fn fence(hub: &Hub, chat: &str) -> i64 {
    let tags = json!([{ "Id": "fence", "Name": "fence" }]);
    let question = in_sector(Delivery::message(chat), "sales").owner("ana").chat_field("Tags", tags);
    posts(hub, &dated(question, ago(20)))
}

/// A hub whose metrics have begun while nothing was stored. On a busy machine they begin late; what they then find is
/// history, which they may count before they say its position, and no frame tells a position alone.
fn ready_hub(settings: &[(&str, &str)]) -> Hub {
    let hub = hub_with(settings);
    let is_guarded = settings.iter().any(|(name, _)| *name == "JWT_SECRET");
    let admin = is_guarded.then(|| token(json!({ "sub": "root", "role": "admin" })));
    ask_as(&hub, admin.as_deref().unwrap_or_default(), "/live");
    hub
}

/// A hub in whose zone it is noon now: no day turns while a test counts what happened today, at whatever hour it runs.
fn hub_at_noon(settings: &[(&str, &str)]) -> Hub {
    let ahead = 12 - TimeZone::UTC.to_datetime(clock::now()).hour();
    // POSIX counts these zones the other way round.
    let zone = format!("Etc/GMT{:+}", -ahead);
    ready_hub(&[settings, &[("TIMEZONE", &zone)]].concat())
}

fn follows(hub: &Hub, channels: &[&str]) -> (Screen, Held) {
    (hub.screen().watching(channels), Held::default())
}

#[test]
fn the_first_frame_is_whole_and_then_come_the_cells_that_changed() {
    let hub = hub_at_noon(&[]);
    let (mut screen, mut held) = follows(&hub, &["metrics:live", "metrics:agents"]);
    held.reaches(&mut screen, &["metrics:live", "metrics:agents"], 0);
    let seq = posts(&hub, &dated(Delivery::message("a").owner("ana"), ago(60)));
    held.reaches(&mut screen, &["metrics:live", "metrics:agents"], seq);
    let asked = ago(40);
    hub.provider().posts(&dated(Delivery::message("b").owner("ana"), asked));
    let frame = loop {
        let frame = screen.hears("metrics_update");
        held.takes(&frame);
        if frame["channel"] == "metrics:agents" {
            break frame;
        }
    };
    assert_eq!(frame["full"], false);
    assert_eq!(frame["rebuilding"], Value::Null);
    let live = &frame["live"]["rows"];
    let mut columns: Vec<&str> = live[0].as_object().expect("a row").keys().map(String::as_str).collect();
    columns.sort_unstable();
    let changed = ["averageWaitSince", "id", "open", "unanswered", "unattended", "waiting", "windowOpen"];
    assert_eq!(columns, changed, "the longest wait is the same, and nothing is idle");
    assert_eq!((&live[0]["id"], &live[0]["open"]), (&json!("ana"), &json!(2)));
    let of_today = frame["today"]["rows"].as_array().expect("rows");
    let messages: Vec<&Value> = of_today.iter().filter(|row| row["metric"] == "messagesIn").collect();
    assert_eq!(messages, [&json!({ "id": "ana", "metric": "messagesIn", "n": 2 })]);
    // A chat that closes takes its agent's row away.
    for chat in ["a", "b"] {
        let close = Delivery::of_type("ChatClosed", chat).owner("ana").closed(0);
        hub.provider().posts(&dated(close.chat_field("ClosedAtUTC", json!(written(ago(5)))), ago(5)));
    }
    held.reads_until(&mut screen, |held| held.0["metrics:agents"].live.is_empty());
    assert_eq!(held.today("metrics:agents", "ana", "closed", "n"), 2);
    assert_eq!(held.0["metrics:agents"].whole, 1);
}

#[derive(Debug, Clone)]
enum Step {
    Says(u8, u8),
    Replies(u8, u8),
    Moves(u8, u8),
    Tags(u8, Vec<u8>),
    Closes(u8),
    Names(u8, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let chat = 0..6_u8;
    prop_oneof![
        4 => (chat.clone(), 0..3_u8).prop_map(|(chat, owner)| Step::Says(chat, owner)),
        3 => (chat.clone(), 0..3_u8).prop_map(|(chat, owner)| Step::Replies(chat, owner)),
        2 => (chat.clone(), 0..2_u8).prop_map(|(chat, sector)| Step::Moves(chat, sector)),
        1 => (chat.clone(), proptest::collection::vec(0..3_u8, 0..3)).prop_map(|(chat, tags)| Step::Tags(chat, tags)),
        2 => chat.prop_map(Step::Closes),
        1 => (0..3_u8, any::<bool>()).prop_map(|(agent, named)| Step::Names(agent, named)),
    ]
}

/// What happens, far from every moment at which a number changes by itself.
fn happens(hub: &Hub, step: &Step, at: Timestamp, admin: &str) {
    let name = |chat: u8| format!("chat-{chat}");
    let agent = |owner: u8| format!("agent-{owner}");
    let delivery = match step {
        Step::Says(chat, owner) => Delivery::message(&name(*chat)).owner(&agent(*owner)),
        Step::Replies(chat, owner) => {
            Delivery::message(&name(*chat)).by_member(&agent(*owner)).owner(&agent(*owner)).waiting(false)
        }
        Step::Moves(chat, sector) => {
            let sector = ["sales", "support"][usize::from(*sector)];
            in_sector(Delivery::of_type("ChatSectorChanged", &name(*chat)), sector)
        }
        Step::Tags(chat, tags) => {
            let tags: Vec<Value> = tags.iter().map(|tag| json!({ "Id": format!("tag-{tag}") })).collect();
            Delivery::of_type("ChatTagChanged", &name(*chat)).chat_field("Tags", json!(tags))
        }
        Step::Closes(chat) => Delivery::of_type("ChatClosed", &name(*chat))
            .closed(0)
            .chat_field("ClosedAtUTC", json!(written(at))),
        Step::Names(owner, named) => {
            return hub.names(&agent(*owner), named.then_some("Ana Exemplo"), admin);
        }
    };
    hub.provider().posts(&dated(delivery, at));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_screen_holds_what_rest_answers_to_its_token(
        steps in proptest::collection::vec((step(), 0..25_i64), 1..60),
    ) {
        let hub = ready_hub(&[("JWT_SECRET", SECRET)]);
        let admin = token(json!({ "sub": "root", "role": "admin" }));
        let tokens = [
            admin.clone(),
            token(json!({ "sub": "vera", "role": "viewer" })),
            token(json!({ "sub": "eva", "role": "agent", "sectors": ["sales"] })),
            token(json!({ "sub": "bia", "role": "supervisor", "members": ["agent-1", "ana"] })),
        ];
        let names = names();
        let (early, late) = tokens.split_at(3);
        let join = |token: &String| {
            (hub.screen().signed_in(token).watching(&names), Held::default(), token.clone())
        };
        let mut screens: Vec<_> = early.iter().map(join).collect();
        let half = steps.len() / 2;
        for (number, (step, minutes)) in steps.iter().enumerate() {
            if number == half {
                screens.extend(late.iter().map(join));
            }
            happens(&hub, step, ago(minutes * 60 + 20), &admin);
        }
        let seq = fence(&hub, "fence");
        for (screen, held, token) in &mut screens {
            held.reaches(screen, &names, seq);
            held.equals_rest(&hub, token);
        }
    }
}

#[test]
fn each_sees_the_numbers_of_their_own_eyes_and_others_once_their_token_is_another() {
    let hub = hub_at_noon(&[("JWT_SECRET", SECRET)]);
    let admin = token(json!({ "sub": "root", "role": "admin" }));
    let agent = |sector: &str| token(json!({ "sub": "eva", "role": "agent", "sectors": [sector] }));
    hub.names("ana", Some("Ana Exemplo"), &admin);
    hub.provider().posts(&in_sector(dated(Delivery::message("a").owner("ana"), ago(60)), "sales"));
    hub.provider().posts(&in_sector(dated(Delivery::message("b").owner("ana"), ago(60)), "sales"));
    let seq = posts(&hub, &in_sector(dated(Delivery::message("c").owner("ana"), ago(60)), "support"));
    let board = ["metrics:agents"];
    let watch = |token: &str| (hub.screen().signed_in(token).watching(&board), Held::default());
    for (token, name, open) in [
        (&admin, "Ana Exemplo", 3),
        (&token(json!({ "sub": "vera", "role": "viewer" })), "A•••", 3),
        (&agent("sales"), "Ana Exemplo", 2),
        (&agent("nowhere"), "", 0),
    ] {
        let (mut screen, mut held) = watch(token);
        held.reaches(&mut screen, &board, seq);
        if open == 0 {
            assert!(held.0[board[0]].live.is_empty() && held.0[board[0]].today.is_empty());
        } else {
            assert_eq!(held.live(board[0], "ana", "name"), name);
            assert_eq!(held.live(board[0], "ana", "open"), open);
            assert_eq!(held.today(board[0], "ana", "messagesIn", "name"), name);
        }
    }
    let (mut screen, mut held) = watch(&agent("sales"));
    held.reaches(&mut screen, &board, seq);
    screen.says("authenticate", json!({ "token": agent("support") }));
    held.reads_until(&mut screen, |held| held.0[board[0]].whole == 2);
    assert_eq!(held.live(board[0], "ana", "open"), 1, "whole, and of the other sector");
    // A chat of the old sector is no news any more.
    hub.provider().posts(&in_sector(dated(Delivery::message("d").owner("ana"), ago(60)), "sales"));
    let seq = posts(&hub, &in_sector(dated(Delivery::message("e").owner("ana"), ago(60)), "support"));
    held.reaches(&mut screen, &board, seq);
    assert_eq!(held.live(board[0], "ana", "open"), 2);
    held.equals_rest(&hub, &agent("support"));
}

#[test]
fn whoever_is_revoked_is_told_no_number_more() {
    let hub = ready_hub(&[("JWT_SECRET", SECRET)]);
    let admin = token(json!({ "sub": "root", "role": "admin" }));
    let board = ["metrics:live"];
    let watch = |token: &str| (hub.screen().signed_in(token).watching(&board), Held::default());
    let (mut revoked, mut last) = watch(&token(json!({ "sub": "eva", "role": "admin" })));
    let (mut other, mut others) = watch(&admin);
    let seq = fence(&hub, "a");
    last.reaches(&mut revoked, &board, seq);
    let bearer = format!("Bearer {admin}");
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    let answer = hub.provider().post_to("/api/umbler/revocations", &headers, r#"{"user":"eva"}"#);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let seq = fence(&hub, "b");
    others.reaches(&mut other, &board, seq);
    let heard = revoked.hears_until_it_breaks();
    assert!(heard.iter().all(|envelope| envelope["event"] != "metrics_update"), "{heard:?}");
}

#[test]
fn a_name_that_is_given_stands_on_the_board_at_once() {
    let hub = ready_hub(&[]);
    let (mut screen, mut held) = follows(&hub, &["metrics:agents"]);
    posts(&hub, &dated(Delivery::message("a").owner("ana"), ago(60)));
    held.reads_until(&mut screen, |held| {
        held.0.get("metrics:agents").is_some_and(|tables| !tables.live.is_empty())
    });
    assert_eq!(held.live("metrics:agents", "ana", "name"), Value::Null);
    hub.names("ana", Some("Ana Exemplo"), "none");
    held.reads_until(&mut screen, |held| held.live("metrics:agents", "ana", "name") == "Ana Exemplo");
}

#[test]
fn time_alone_changes_numbers_and_is_told() {
    let hub = hub_at_noon(&[]);
    let (mut screen, mut held) = follows(&hub, &["metrics:live"]);
    let board = "metrics:live";
    held.reaches(&mut screen, &[board], 0);
    // In a few seconds one turns idle and the window of another closes; no delivery says so.
    posts(&hub, &dated(Delivery::message("a"), ago(30 * 60 - 5)));
    posts(&hub, &dated(Delivery::message("b"), ago(24 * 60 * 60 - 5)));
    let idle_and_open = |held: &Held| (held.live(board, "", "idle"), held.live(board, "", "windowOpen"));
    held.reads_until(&mut screen, |held| idle_and_open(held) == (json!(2), json!(1)));
    // What a clock that runs ahead has dated later happened when it was received. Only one of the others is of today.
    posts(&hub, &dated(Delivery::message("c"), clock::now() + SignedDuration::from_hours(1)));
    held.reads_until(&mut screen, |held| held.today(board, "", "messagesIn", "n") == 2);
    held.equals_rest(&hub, "");
}

#[test]
fn whoever_stops_following_hears_no_more_and_whoever_follows_again_is_told_all() {
    let hub = ready_hub(&[]);
    let (mut screen, mut held) = follows(&hub, &["metrics:live"]);
    let (mut other, mut others) = follows(&hub, &["metrics:live"]);
    held.reaches(&mut screen, &["metrics:live"], 0);
    others.reaches(&mut other, &["metrics:live"], 0);
    screen.says("unsubscribe_updates", json!({ "channels": ["metrics:live"] }));
    assert_eq!(screen.hears("unsubscribed")["channels"], json!(["metrics:live"]));
    let seq = fence(&hub, "a");
    others.reaches(&mut other, &["metrics:live"], seq);
    assert!(screen.catches_up().is_empty(), "what went to the other would be here");
    let mut screen = screen.watching(&["metrics:live"]);
    let frame = screen.hears("metrics_update");
    assert_eq!((&frame["full"], &frame["asOfSeq"]), (&json!(true), &json!(seq)));
}

#[test]
fn a_screen_that_stops_reading_is_shown_the_newest_board_when_it_reads_again() {
    let hub = ready_hub(&[]);
    let mut sleeper = hub.screen().watching(&["updates", "metrics:live"]);
    let mut held = Held::default();
    held.reaches(&mut sleeper, &["metrics:live"], 0);
    let (mut awake, mut seen) = follows(&hub, &["metrics:live"]);
    // Until it is more than the kernel's buffers and the session's queue hold together.
    let text = "x".repeat(60_000);
    let is_behind = || hub.counter("umbler_hub_sessions_behind_total") > 0;
    while !is_behind() {
        hub.provider().posts(&dated(Delivery::message("a").text(&text), ago(20)));
    }
    // A few only: who reads nothing for too long is closed.
    let mut seq = 0;
    for number in 0..3 {
        seq = fence(&hub, &format!("late-{number}"));
        seen.reaches(&mut awake, &["metrics:live"], seq);
    }
    held.reaches(&mut sleeper, &["metrics:live"], seq);
    let (slow, fast) = (&held.0["metrics:live"], &seen.0["metrics:live"]);
    assert!(slow.frames < fast.frames, "{} of {}", slow.frames, fast.frames);
    assert!(slow.whole >= 2, "what it missed came whole");
    held.equals_rest(&hub, "");
    // And it goes on with changes.
    let (frames, whole) = (slow.frames, slow.whole);
    let seq = fence(&hub, "b");
    held.reaches(&mut sleeper, &["metrics:live"], seq);
    assert!(held.0["metrics:live"].frames > frames);
    assert_eq!(held.0["metrics:live"].whole, whole);
}

#[test]
fn a_storm_of_deliveries_is_told_at_most_ten_times_a_second() {
    let hub = ready_hub(&[]);
    let (mut screen, mut held) = follows(&hub, &["metrics:live"]);
    held.reaches(&mut screen, &["metrics:live"], 0);
    let begun = std::time::Instant::now();
    for number in 0..400 {
        hub.provider().posts(&dated(Delivery::message(&format!("chat-{}", number % 7)), ago(20)));
    }
    let seq = fence(&hub, "last");
    held.reaches(&mut screen, &["metrics:live"], seq);
    let tenths = begun.elapsed().as_millis() / 100;
    let frames = held.0["metrics:live"].frames as u128;
    assert!((2..=tenths + 3).contains(&frames), "{frames} frames in {tenths} tenths of a second");
    held.equals_rest(&hub, "");
}

#[test]
fn other_hours_leave_every_board_as_rest_has_it() {
    let hub = ready_hub(&[]);
    let names = names();
    let (mut screen, mut held) = follows(&hub, &names);
    for number in 0..30 {
        posts(&hub, &dated(Delivery::message(&format!("chat-{number}")).owner("ana"), ago(60)));
    }
    let mut settings = hub.json("/api/umbler/settings")["settings"].clone();
    settings["businessHours"] = json!({ "monday": [["09:00", "12:00"]] });
    let answer = hub.put("/api/umbler/settings", &[], &settings);
    assert_eq!(answer.status, 200, "{}", answer.text);
    // History that is computed anew may hold a delivery before it says so, and then that changes no number any more.
    hub.caught_up_metrics();
    let seq = fence(&hub, "fence");
    held.reaches(&mut screen, &names, seq);
    assert!(held.0.values().all(|tables| tables.rebuilding.is_null()));
    held.equals_rest(&hub, "");
}
