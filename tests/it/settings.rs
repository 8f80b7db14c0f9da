//! Settings that an admin edits: whole, checked field by field, and told to every screen.

use jiff::SignedDuration;
use rusqlite::Connection;
use serde_json::{Value, json};
use umbler_hub::facade::testing::clock;

use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, hub_with, spawn_hub};

const PATH: &str = "/api/umbler/settings";

fn whole() -> Value {
    json!({
        "businessHours": { "monday": [["13:00", "18:00"], ["08:00", "12:00"]], "sunday": [["00:00", "24:00"]] },
        "holidays": [{ "date": "2026-12-25", "name": "Natal" }, { "date": "2026-01-01", "name": "Ano novo" }],
        "thresholds": {
            "default": {
                "waitingWarnSeconds": 60, "waitingSeconds": 120, "idleSeconds": null,
                "firstResponseNearSeconds": 0, "firstResponseSeconds": 31_536_000, "windowClosingSeconds": 86_400,
            },
            "sectors": { "sales": { "waitingSeconds": null }, "empty": {} },
        },
    })
}

fn puts(hub: &Hub, body: &Value) -> Value {
    let answer = hub.put(PATH, &[], body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

#[test]
fn while_nobody_saved_any_they_are_the_defaults_of_the_hub() {
    let hub = hub_with(&[("BUSINESS_HOURS", "Mon 09:00-17:30"), ("TIMEZONE", "America/Manaus")]);
    let answer = hub.json(PATH);
    assert_eq!(
        (&answer["seq"], &answer["updatedAt"], &answer["updatedBy"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let closed = json!([]);
    assert_eq!(
        answer["settings"],
        json!({
            "timeZone": "America/Manaus",
            "businessHours": {
                "monday": [["09:00", "17:30"]], "tuesday": closed, "wednesday": closed, "thursday": closed,
                "friday": closed, "saturday": closed, "sunday": closed,
            },
            "holidays": [],
            "thresholds": {
                "default": {
                    "waitingWarnSeconds": 300, "waitingSeconds": 900, "idleSeconds": 1_800,
                    "firstResponseNearSeconds": 240, "firstResponseSeconds": 300, "windowClosingSeconds": 3_600,
                },
                "sectors": {},
            },
            "idleMinutes": 30,
        })
    );
    // What was read can be sent back as it is.
    let saved = puts(&hub, &answer["settings"]);
    assert_eq!((&saved["settings"], &saved["seq"]), (&answer["settings"], &json!(1)));
}

#[test]
fn what_is_saved_is_told_to_every_screen_and_survives_a_kill() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["chat:a"]);
    let mut counters = hub.screen().watching(&["stats"]);
    counters.hears("umbler_stats");
    let saved = puts(&hub, &whole());
    let settings = &saved["settings"];
    assert_eq!(settings["businessHours"]["monday"], json!([["08:00", "12:00"], ["13:00", "18:00"]]));
    assert_eq!(settings["holidays"][0]["name"], "Ano novo", "in their order");
    assert_eq!(settings["thresholds"]["sectors"], json!({ "sales": { "waitingSeconds": null } }));
    assert_eq!(settings["thresholds"]["default"], whole()["thresholds"]["default"]);
    assert_eq!(saved["updatedBy"]["id"], "anonymous");
    assert_eq!(settings["idleMinutes"], 30, "what was left out");
    let update = screen.hears_update("settings_updated");
    assert_eq!((&update["seq"], &update["data"]["settings"]), (&saved["seq"], settings));
    assert!(update["data"]["eventId"].as_str().expect("an id").starts_with("settings:"));
    assert!(counters.catches_up().iter().all(|envelope| envelope["event"] != "umbler_update"));

    // The same again changes nothing.
    assert_eq!(puts(&hub, &whole()), saved);
    let hub = hub.restarted();
    assert_eq!(hub.json(PATH), saved);
    assert_eq!(hub.json("/api/umbler/updates?after=0")["updates"][0]["data"]["settings"], *settings);
    assert_eq!(hub.json("/health")["seq"], saved["seq"]);
}

#[test]
fn every_wrong_field_is_named_and_nothing_is_saved() {
    let hub = spawn_hub();
    let mut body = whole();
    body["timeZone"] = json!("UTC");
    body["businessHours"] = json!({ "monday": [["8:00", "12:00"]], "tuesday": [["08:00", "12:00"], ["11:00", "13:00"]], "funday": [], "friday": 1 });
    body["holidays"] = json!([{ "date": "2026-02-30", "name": "" }, { "date": "2026-01-01", "name": "a" }, { "date": "2026-01-01", "name": "b" }, 7]);
    body["thresholds"]["default"]["idleSeconds"] = json!(1.5);
    body["thresholds"]["default"]["windowClosingSeconds"] = json!(86_401);
    body["thresholds"]["default"].as_object_mut().expect("an object").remove("waitingSeconds");
    body["thresholds"]["sectors"] = json!({ "s": { "waitingSeconds": -1, "x": 1 }, "t": [] });
    body["idleMinutes"] = json!(0);
    body["views"] = json!([
        { "name": " ", "address": "https://elsewhere.example/" }, { "name": "a", "address": "/live" },
        { "name": "a", "address": "/live?wall" }, { "name": "b", "address": "/chats", "whose": "mine" },
        { "name": "c", "address": "/chats?search=Zulmira" },
    ]);
    body["dailyReport"] = json!({ "at": "7:30", "language": "fr", "to": "a@b" });
    body["more"] = json!(1);
    let error = hub.put(PATH, &[], &body).refuses(400, "bad_parameter");
    assert_eq!(error["parameter"], "timeZone");
    let message = error["message"].as_str().expect("a text");
    for path in [
        "timeZone ",
        "businessHours.monday[0] ",
        "businessHours.tuesday has ranges that overlap",
        "businessHours.friday must be a list",
        "businessHours.funday is not known here",
        "holidays[0].name ",
        "holidays[0].date ",
        "holidays[2].date is there twice",
        "holidays[3] must be an object",
        "thresholds.default.waitingSeconds is missing",
        "thresholds.default.idleSeconds must be whole seconds",
        "thresholds.default.windowClosingSeconds must be whole seconds from 0 to 86400",
        "thresholds.sectors.s.waitingSeconds must be",
        "thresholds.sectors.s.x is not known here",
        "thresholds.sectors.t must be an object",
        "idleMinutes must be whole minutes from 1 to 1440",
        "views[0].name must have 1 to 60 characters",
        "views[0].address must be an address like",
        "views[2].name is there twice",
        "views[3].whose is not known here",
        "views[4].address must not contain a search",
        "dailyReport.at must be a time of day like 07:30",
        "dailyReport.language must be pt-BR or en",
        "dailyReport.to is not known here",
        "more is not known here",
    ] {
        assert!(message.contains(path), "{path:?} is missing: {message}");
    }
    assert_eq!(message.matches("timeZone").count(), 1, "{message}");
    for body in [json!({}), json!({ "businessHours": {} }), json!({ "businessHours": {}, "thresholds": {} })]
    {
        hub.put(PATH, &[], &body).refuses(400, "bad_parameter");
    }
    assert_eq!(hub.json(PATH)["seq"], Value::Null);
    assert_eq!(hub.json("/health")["seq"], 0);
}

#[test]
fn lists_end_at_their_bounds() {
    let hub = spawn_hub();
    let with = |sectors: usize| {
        let mut body = whole();
        let own: serde_json::Map<String, Value> =
            (0..sectors).map(|number| (format!("s{number}"), json!({ "idleSeconds": 1 }))).collect();
        body["thresholds"]["sectors"] = json!(own);
        body
    };
    hub.put(PATH, &[], &with(1_001)).refuses(400, "bad_parameter");
    puts(&hub, &with(1_000));
    let spans = |count: usize| {
        let mut body = whole();
        let spans: Vec<Value> = (0..count)
            .map(|n| {
                json!([
                    format!("{:02}:{:02}", n / 2, n % 2 * 30),
                    format!("{:02}:{:02}", n / 2, n % 2 * 30 + 10)
                ])
            })
            .collect();
        body["businessHours"]["monday"] = json!(spans);
        body
    };
    hub.put(PATH, &[], &spans(25)).refuses(400, "bad_parameter");
    puts(&hub, &spans(24));
    let views = |count: usize| {
        let mut body = whole();
        let views = (0..count).map(|number| json!({ "name": format!("View {number}"), "address": "/live" }));
        body["views"] = views.collect();
        body
    };
    hub.put(PATH, &[], &views(51)).refuses(400, "bad_parameter");
    puts(&hub, &views(50));
    let holidays = |count: usize| {
        let mut body = whole();
        let first = jiff::civil::date(2026, 1, 1);
        let days: Vec<Value> = first
            .series(jiff::Span::new().days(1))
            .take(count)
            .map(|date| json!({ "date": date, "name": "x" }))
            .collect();
        body["holidays"] = json!(days);
        body
    };
    hub.put(PATH, &[], &holidays(1_001)).refuses(400, "bad_parameter");
    puts(&hub, &holidays(1_000));
    let mut long = whole();
    long["holidays"][0]["name"] = json!("x".repeat(300_000));
    hub.put(PATH, &[], &long).refuses(413, "body_too_large");
}

#[test]
fn settings_are_read_by_everybody_and_changed_by_admins() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let of = |role: &str| token(json!({ "sub": role, "name": "Ana", "role": role }));
    let header = |token: &str| format!("Bearer {token}");
    assert_eq!(hub.get(PATH).status, 401);
    for role in ["supervisor", "agent", "viewer"] {
        let bearer = header(&of(role));
        hub.put(PATH, &[("authorization", &bearer)], &whole()).refuses(403, "forbidden");
        assert_eq!(hub.get_with(PATH, &[("authorization", &bearer)]).json()["seq"], Value::Null);
    }
    let mut viewer = hub.screen().signed_in(&of("viewer")).watching(&["updates"]);
    let saved = hub.put(PATH, &[("authorization", &header(&of("admin")))], &whole()).json();
    assert_eq!(saved["updatedBy"], json!({ "id": "admin", "name": "Ana" }));
    let masked = json!({ "id": "admin", "name": "A•••" });
    let update = viewer.hears_update("settings_updated");
    assert_eq!(update["data"]["updatedBy"], masked);
    assert_eq!(update["data"]["settings"], saved["settings"]);
    let read = hub.get_with(PATH, &[("authorization", &header(&of("viewer")))]).json();
    assert_eq!((&read["updatedBy"], &read["settings"]), (&masked, &saved["settings"]));
}

/// The median reply time of the first Monday of March 2026, in milliseconds, once the metrics have caught up.
fn median_reply(hub: &Hub, clock: &str) -> Value {
    hub.caught_up_metrics();
    let day = "from=2026-03-02T03:00:00Z&until=2026-03-03T03:00:00Z";
    let asked = format!("/api/umbler/metrics/summary?{day}&metric=replyTime&clock={clock}");
    hub.json(&asked)["rows"][0]["medianMs"].clone()
}

#[test]
fn business_time_is_counted_anew_in_the_hours_that_were_saved() {
    let hub = spawn_hub();
    // From 10:00 in São Paulo, when everybody works.
    hub.provider().posts(&Delivery::message("a").at(0));
    hub.provider().posts(&Delivery::message("a").at(600).by_member("agent"));
    let saves = |hours: Value, holidays: Value| {
        let mut settings = hub.json(PATH)["settings"].clone();
        settings.as_object_mut().expect("an object").remove("timeZone");
        (settings["businessHours"], settings["holidays"]) = (hours, holidays);
        puts(&hub, &settings);
    };
    assert_eq!(median_reply(&hub, "business"), 600_000);
    saves(json!({ "monday": [["08:00", "10:04"]] }), json!([]));
    assert_eq!(median_reply(&hub, "business"), 240_000);
    saves(json!({ "monday": [["08:00", "18:00"]] }), json!([{ "date": "2026-03-02", "name": "Feriado" }]));
    assert_eq!(median_reply(&hub, "business"), 0);
    assert_eq!(median_reply(&hub, "wall"), 600_000);
    let hub = hub.restarted();
    assert_eq!(median_reply(&hub, "business"), 0, "after a restart too");
}

#[test]
fn what_is_idle_is_what_the_settings_say_and_at_once() {
    let hub = spawn_hub();
    let at = format!("{:.3}", clock::now() - SignedDuration::from_mins(20));
    let delivery = Delivery::message("a").set("/EventDate", json!(at));
    hub.provider().posts(&delivery.message_field("EventAtUTC", json!(at)));
    let idle = |hub: &Hub| {
        hub.caught_up_metrics();
        let explained = hub.json("/api/umbler/metrics/live?explain=true&metric=idle");
        let counted = hub.json("/api/umbler/metrics/live")["rows"][0]["idle"].clone();
        assert_eq!(explained["total"], counted);
        (counted, explained["rule"].as_str().expect("a rule").to_owned())
    };
    let says = |count: i64, minutes: i64| {
        let rule = format!("open chats without a public message either way for {minutes} minutes");
        (json!(count), rule)
    };
    assert_eq!(idle(&hub), says(0, 30), "while nobody saved anything");
    let mut settings = whole();
    for (minutes, count) in [(10, 1), (1_440, 0), (1, 1)] {
        settings["idleMinutes"] = json!(minutes);
        assert_eq!(puts(&hub, &settings)["settings"]["idleMinutes"], minutes);
        assert_eq!(idle(&hub), says(count, minutes));
    }
    settings["idleMinutes"] = json!(2.0);
    assert_eq!(puts(&hub, &settings)["settings"]["idleMinutes"], 2, "a whole number, however it is written");
    settings["idleMinutes"] = json!(1);
    puts(&hub, &settings);
    let hub = hub.restarted();
    assert_eq!(idle(&hub), says(1, 1), "after a restart too");
    puts(&hub, &whole());
    assert_eq!(idle(&hub), says(0, 30), "left out, it is the default again");
    for wrong in [json!(0), json!(1_441), json!(1.5), json!("30"), Value::Null] {
        settings["idleMinutes"] = wrong;
        let error = hub.put(PATH, &[], &settings).refuses(400, "bad_parameter");
        assert_eq!(error["parameter"], "idleMinutes");
    }
}

#[test]
fn a_whole_number_may_be_written_with_a_point() {
    let hub = spawn_hub();
    let mut settings = whole();
    settings["idleMinutes"] = json!(90.0);
    settings["thresholds"]["default"]["idleSeconds"] = json!(7_200.0);
    let saved = &puts(&hub, &settings)["settings"];
    assert_eq!(saved["idleMinutes"], 90);
    assert_eq!(saved["thresholds"]["default"]["idleSeconds"], 7_200);
}

#[test]
fn what_somebody_else_saved_meanwhile_is_not_overwritten() {
    let hub = spawn_hub();
    let read = hub.get(PATH);
    assert_eq!((read.header("etag"), &read.json()["seq"]), (Some("\"0\""), &Value::Null));
    let idle_after = |minutes: u16| {
        let mut settings = whole();
        settings["idleMinutes"] = json!(minutes);
        settings
    };
    let puts_if = |tag: &str, minutes: u16| hub.put(PATH, &[("if-match", tag)], &idle_after(minutes));
    let first = puts_if("\"0\"", 1);
    assert_eq!((first.status, first.header("etag")), (200, Some("\"1\"")));
    puts_if("\"0\"", 2).refuses(412, "settings_changed");
    puts_if("\"7\"", 1).refuses(412, "settings_changed");
    assert_eq!(hub.json(PATH), first.json(), "nothing was saved");
    assert_eq!(hub.json("/health")["seq"], 1);
    assert_eq!(puts_if("\"1\"", 3).header("etag"), Some("\"2\""));
    assert_eq!(puts_if("*", 4).status, 200);
    assert_eq!(hub.put(PATH, &[], &idle_after(5)).status, 200, "whoever does not ask overwrites");
    for wrong in ["4", "W/\"3\"", "\"3\", \"5\"", "\"x\""] {
        puts_if(wrong, 6).refuses(412, "settings_changed");
    }

    // Of several who read the same, one saves.
    let saved: Vec<u16> = std::thread::scope(|scope| {
        let puts_if = &puts_if;
        let lanes: Vec<_> =
            (10..14).map(|minutes| scope.spawn(move || puts_if("\"4\"", minutes).status)).collect();
        lanes.into_iter().map(|lane| lane.join().expect("no panic")).collect()
    });
    assert_eq!(saved.iter().filter(|status| **status == 200).count(), 1, "{saved:?}");
    assert_eq!(saved.iter().filter(|status| **status == 412).count(), 3, "{saved:?}");
}

#[test]
fn settings_that_an_older_hub_saved_lack_a_newer_alert_which_is_off_and_can_be_saved_as_they_are() {
    let mut hub = spawn_hub();
    puts(&hub, &whole());
    hub.stop();
    let database = Connection::open(hub.database()).expect("the database");
    let without =
        "UPDATE settings SET value = json_remove(value, '$.thresholds.default.windowClosingSeconds')";
    assert_eq!(database.execute(without, []).expect("changed"), 1);
    drop(database);

    let hub = hub.started_again();
    let read = hub.json(PATH)["settings"].clone();
    let mut expected = whole()["thresholds"]["default"].clone();
    expected["windowClosingSeconds"] = Value::Null;
    assert_eq!(read["thresholds"]["default"], expected);
    assert_eq!(puts(&hub, &read)["settings"], read);
    assert_eq!(hub.restarted().json(PATH)["settings"], read);
}

#[test]
fn views_of_the_team_keep_their_order_and_go_where_they_are_left_out() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["updates"]);
    let views = json!([{ "name": "Late ones", "address": "/chats?wait=late" }, { "name": "A", "address": "/live?wall" }]);
    let mut body = whole();
    body["views"] = views.clone();
    assert_eq!(puts(&hub, &body)["settings"]["views"], views);
    assert_eq!(screen.hears_update("settings_updated")["data"]["settings"]["views"], views);
    let hub = hub.restarted();
    assert_eq!(hub.json(PATH)["settings"]["views"], views);
    let settings = puts(&hub, &whole())["settings"].clone();
    assert!(settings.get("views").is_none(), "none: {settings}");
}
