//! The directory of agents: names that the provider never sends, everywhere at once.

use serde_json::{Value, json};

use super::support::hub::{Answer, command};
use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, hub_with, spawn_hub};

const PATH: &str = "/api/umbler/members";

fn imports(hub: &Hub, csv: impl AsRef<[u8]>) -> Answer {
    hub.provider().post_to(&format!("{PATH}/import"), &[("content-type", "text/csv; charset=utf-8")], csv)
}

fn puts(hub: &Hub, id: &str, entry: &Value) -> Value {
    let answer = hub.put(&format!("{PATH}/{id}"), &[], entry);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// A chat that ana owns and answered in, with bia beside her.
fn conversation(chat: &str) -> Delivery {
    Delivery::message(chat)
        .by_member("ana")
        .owner("ana")
        .waiting(false)
        .chat_field("OrganizationMembers", json!([{ "Id": "ana" }, { "Id": "bia" }]))
}

fn listed(hub: &Hub, query: &str) -> Vec<Value> {
    hub.json(&format!("{PATH}{query}"))["members"].as_array().expect("a list").clone()
}

#[test]
fn a_name_that_is_given_stands_everywhere_at_once() {
    let hub = spawn_hub();
    hub.provider().posts(&conversation("a").message_id("m1"));
    let mut screen = hub.screen().watching(&["updates"]);
    // One that follows a single chat shows its owner, too.
    let mut narrow = hub.screen().watching(&["chat:a"]);
    let mut counters = hub.screen().watching(&["stats"]);
    counters.hears("umbler_stats");

    let entry = json!({ "name": "Ana Souza", "photoUrl": "https://x.example/a.png", "sectorId": "sales" });
    let answer = puts(&hub, "ana", &entry);
    let member = json!({ "id": "ana", "name": "Ana Souza", "photoUrl": "https://x.example/a.png", "sectorId": "sales" });
    assert_eq!(answer["member"], member);
    for screen in [&mut screen, &mut narrow] {
        let update = screen.hears_update("member_updated");
        assert_eq!(update["seq"], answer["seq"]);
        let data = &update["data"];
        assert_eq!(data["members"], json!([member]));
        assert_eq!((&data["chat"], &data["contact"]), (&Value::Null, &Value::Null));
        assert!(data["eventId"].as_str().expect("an id").starts_with("directory:"));
    }
    assert!(counters.catches_up().iter().all(|envelope| envelope["event"] != "umbler_update"));

    // What is sent from here on carries it, old values included.
    hub.provider().posts(&conversation("a").message_id("m2").owner("bia"));
    let update = screen.hears_update("new_message");
    let data = &update["data"];
    assert_eq!(data["chat"]["owner"], json!({ "id": "bia", "name": null }));
    assert_eq!(
        data["chat"]["members"],
        json!([{ "id": "ana", "name": "Ana Souza" }, { "id": "bia", "name": null }])
    );
    assert_eq!(data["message"]["author"]["name"], "Ana Souza");
    assert_eq!(data["previous"]["owner"]["name"], "Ana Souza");

    // So does what was stored before.
    let snapshot = screen.snapshot();
    assert_eq!(snapshot["chats"][0]["members"][0]["name"], "Ana Souza");
    let authors = snapshot["recentMessages"].as_array().expect("a list").iter();
    assert_eq!(authors.map(|message| &message["author"]["name"]).collect::<Vec<_>>(), ["Ana Souza"; 2]);
    assert_eq!(hub.json("/api/umbler/chats/a")["chat"]["members"][0]["name"], "Ana Souza");
    assert_eq!(hub.json("/api/umbler/messages")["messages"][1]["author"]["name"], "Ana Souza");
    let kept = hub.json("/api/umbler/updates?after=0")["updates"].clone();
    assert_eq!(kept[1]["data"]["members"], json!([member]));
}

#[test]
fn the_directory_survives_a_kill_and_is_replayed_like_any_update() {
    let hub = spawn_hub();
    hub.provider().posts(&conversation("a"));
    let mut screen = hub.screen();
    let epoch = screen.welcome["epoch"].clone();
    puts(&hub, "ana", &json!({ "name": "Ana" }));
    let hub = hub.restarted();
    let mut screen_again = hub.screen();
    let subscribed = screen_again.comes_back(&["updates"], 1, &epoch);
    assert_eq!((&subscribed["recovered"], &subscribed["replayed"]), (&json!(true), &json!(1)));
    assert_eq!(screen_again.hears_update("member_updated")["data"]["members"][0]["name"], "Ana");
    // The writer has read it again, too.
    hub.provider().posts(&conversation("b"));
    assert_eq!(screen_again.hears_update("new_message")["data"]["chat"]["owner"]["name"], "Ana");
    assert!(screen.hears_until_it_breaks().is_empty());
}

#[test]
fn ids_that_occur_are_listed_without_a_name_until_they_get_one() {
    let hub = spawn_hub();
    hub.provider().posts(&conversation("a").by_member("zoe"));
    let unknown = |id: &str| json!({ "id": id, "name": null, "photoUrl": null, "sectorId": null, "known": false, "updatedAt": null, "origin": null });
    assert_eq!(listed(&hub, ""), [unknown("ana"), unknown("bia"), unknown("zoe")]);
    puts(&hub, "bia", &json!({ "name": "Bia" }));
    puts(&hub, "nobody", &json!({ "name": "Ávila" }));
    let ids = |query: &str| listed(&hub, query).iter().map(|m| m["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(""), ["ana", "zoe", "nobody", "bia"], "who lacks a name comes first, then by name");
    assert_eq!(ids("?known=false"), ["ana", "zoe"]);
    assert_eq!(ids("?known=true"), ["nobody", "bia"]);
    assert_eq!(ids("?search=AVI"), ["nobody"], "without accents and case");
    assert_eq!(ids("?search=zo"), ["zoe"], "by id, too");
    let page = hub.json(&format!("{PATH}?limit=3"));
    assert_eq!((&page["total"], &page["totalPages"]), (&json!(4), &json!(2)));
    let cursor = page["nextCursor"].as_str().expect("more");
    assert_eq!(ids(&format!("?limit=3&cursor={cursor}")), ["bia"]);

    // Who is taken out stays in the list only where they occur.
    for id in ["bia", "nobody"] {
        assert_eq!(hub.delete(&format!("{PATH}/{id}"), &[]).status, 200);
        hub.delete(&format!("{PATH}/{id}"), &[]).refuses(404, "not_found");
    }
    assert_eq!(ids(""), ["ana", "bia", "zoe"]);
    assert_eq!(hub.json("/api/umbler/chats/a")["chat"]["members"][1], json!({ "id": "bia", "name": null }));
}

#[test]
fn an_import_is_one_update_and_all_or_nothing() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["updates"]);
    let wrong = imports(&hub, "id;name\nana;Ana\nbia;\n;Caio\n").refuses(400, "bad_request");
    assert_eq!(wrong["message"], "line 3: name is missing; line 4: id is missing");
    assert_eq!(listed(&hub, ""), [] as [Value; 0]);

    let csv =
        "\u{feff}name;sectorId;id;photoUrl\r\nAna;sales;ana;\r\n\"Bia; B.\";;bia;https://x.example/b.png\r\n";
    let answer = imports(&hub, csv);
    assert_eq!(answer.json(), json!({ "entries": 2, "seq": 1 }), "{}", answer.text);
    let told = screen.hears_update("member_updated");
    assert_eq!(
        told["data"]["members"],
        json!([
            { "id": "ana", "name": "Ana", "photoUrl": null, "sectorId": "sales" },
            { "id": "bia", "name": "Bia; B.", "photoUrl": "https://x.example/b.png", "sectorId": null },
        ])
    );
    assert_eq!(imports(&hub, csv).json()["seq"], Value::Null, "what changes nothing is told to nobody");
    // Of the next one only what changed.
    assert_eq!(imports(&hub, "id,name\nana,Ana,\n".replace(",\n", "\n") + "caio,Caio\n").json()["seq"], 2);
    let told = screen.hears_update("member_updated");
    let ids: Vec<&Value> =
        told["data"]["members"].as_array().expect("a list").iter().map(|m| &m["id"]).collect();
    assert_eq!(ids, ["ana", "caio"], "ana lost her sector");

    let post = |kind: &str, body: Vec<u8>| {
        hub.provider().post_to(&format!("{PATH}/import"), &[("content-type", kind)], body)
    };
    post("application/json", b"id,name\n".to_vec()).refuses(415, "unsupported_type");
    post("text/csv", vec![b'a'; 256 * 1024 + 1]).refuses(413, "body_too_large");
}

#[test]
fn the_largest_import_is_told_in_one_frame() {
    let hub = spawn_hub();
    let mut screen = hub.screen().watching(&["updates"]);
    let csv = rows_within(256 * 1024);
    assert_eq!(imports(&hub, &csv).json()["seq"], 1);
    assert_eq!(
        screen.hears_update("member_updated")["data"]["members"].as_array().expect("a list").len(),
        2_000
    );
}

/// As many rows as a file may have, of what takes most when it is written as JSON, in as many bytes.
fn rows_within(bytes: usize) -> String {
    let mut csv = "id,name\n".to_owned();
    for at in 0..2_000 {
        let room = (bytes - csv.len()) / (2_000 - at);
        let quotes = "\"\"".repeat(room.saturating_sub(9) / 2);
        csv.extend([&at.to_string(), ",\"", &*quotes, "x\"\n"]);
    }
    csv
}

#[test]
fn a_full_directory_takes_nobody_more_and_keeps_who_is_there() {
    let hub = spawn_hub();
    for file in 0..10 {
        let csv = (0..2_000).fold("id,name\n".to_owned(), |csv, at| csv + &format!("{file}-{at},n\n"));
        assert_eq!(imports(&hub, csv).status, 200);
    }
    let refused = hub.put(&format!("{PATH}/more"), &[], &json!({ "name": "n" }));
    assert_eq!(refused.refuses(400, "bad_request")["message"], "the directory is full");
    puts(&hub, "0-0", &json!({ "name": "another name" }));
    assert_eq!(hub.delete(&format!("{PATH}/0-1"), &[]).status, 200);
    puts(&hub, "more", &json!({ "name": "n" }));
    assert_eq!(hub.json(PATH)["total"], 20_000);
}

#[test]
fn admins_write_everybody_reads_and_viewers_see_masks() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let of = |role: &str| format!("Bearer {}", token(json!({ "sub": role, "role": role })));
    hub.provider().posts(&conversation("a"));
    let entry = json!({ "name": "Ana", "photoUrl": "https://x.example/a.png" });
    let path = format!("{PATH}/ana");
    for role in ["supervisor", "agent", "viewer"] {
        let authorization = of(role);
        let headers = [("authorization", &*authorization)];
        hub.put(&path, &headers, &entry).refuses(403, "forbidden");
        hub.delete(&path, &headers).refuses(403, "forbidden");
        let headers = [("authorization", &*authorization), ("content-type", "text/csv")];
        hub.provider().post_to(&format!("{PATH}/import"), &headers, "id,name\n").refuses(403, "forbidden");
    }
    let mut viewer =
        hub.screen().signed_in(&token(json!({ "sub": "v", "role": "viewer" }))).watching(&["updates"]);
    let mut agent = hub
        .screen()
        .signed_in(&token(json!({ "sub": "a", "role": "agent", "sectors": ["elsewhere"] })))
        .watching(&["updates"]);
    assert_eq!(hub.put(&path, &[("authorization", &of("admin"))], &entry).status, 200);
    let masked = json!([{ "id": "ana", "name": "A•••", "photoUrl": null, "sectorId": null }]);
    assert_eq!(viewer.hears_update("member_updated")["data"]["members"], masked);
    assert_eq!(agent.hears_update("member_updated")["data"]["members"][0]["name"], "Ana");

    hub.provider().posts(&conversation("a").owner("bia"));
    let seen = viewer.hears_update("new_message")["data"].clone();
    assert_eq!(seen["chat"]["members"][0]["name"], "A•••");
    assert_eq!(seen["message"]["author"]["name"], "A•••");
    assert_eq!(seen["previous"]["owner"], json!({ "id": "ana", "name": "A•••" }));
    assert_eq!(viewer.snapshot()["chats"][0]["members"][0]["name"], "A•••");

    let list = |role: &str, query: &str| {
        hub.get_with(&format!("{PATH}{query}"), &[("authorization", &of(role))]).json()["members"].clone()
    };
    assert_eq!(
        (&list("agent", "")[1]["name"], &list("viewer", "")[0]["name"]),
        (&json!("Ana"), &json!("A•••"))
    );
    assert_eq!(list("viewer", "?search=ana"), json!([]), "what is masked is not found");
    // Whoever has no entry is listed to those who see one of their chats.
    let limited =
        format!("Bearer {}", token(json!({ "sub": "a", "role": "agent", "sectors": ["elsewhere"] })));
    let seen = hub.get_with(PATH, &[("authorization", &limited)]).json();
    assert_eq!((&seen["total"], &seen["members"][0]["id"]), (&json!(1), &json!("ana")));
}

#[test]
fn a_wrong_entry_is_refused_by_the_name_of_its_field() {
    let hub = spawn_hub();
    for (entry, parameter) in [
        (json!({}), "name"),
        (json!({ "name": " " }), "name"),
        (json!({ "name": 5 }), "name"),
        (json!({ "name": "a\u{7}b" }), "name"),
        (json!({ "name": "x".repeat(201) }), "name"),
        (json!({ "name": "Ana", "photoUrl": "javascript:alert(1)" }), "photoUrl"),
        (json!({ "name": "Ana", "sectorId": "x".repeat(257) }), "sectorId"),
        (json!({ "name": "Ana", "role": "admin" }), "role"),
    ] {
        let refused = hub.put(&format!("{PATH}/ana"), &[], &entry).refuses(400, "bad_parameter");
        assert_eq!(refused["parameter"], parameter, "{entry}");
    }
    hub.put(&format!("{PATH}/{}", "x".repeat(257)), &[], &json!({ "name": "Ana" })).refuses(404, "not_found");
    let blank = hub.put(&format!("{PATH}/%20ana"), &[], &json!({ "name": "Ana" }));
    assert_eq!(blank.refuses(400, "bad_parameter")["parameter"], "id");
    hub.get(&format!("{PATH}?role=x")).refuses(400, "bad_parameter");
    hub.get(&format!("{PATH}/import")).refuses(405, "method_not_allowed");
    assert_eq!(hub.json("/health")["seq"], 0, "nothing was written");
    assert_eq!(hub.json("/health")["lastWebhookAt"], Value::Null);
    puts(&hub, "ana", &json!({ "name": "Ana" }));
    let health = hub.json("/health");
    assert_eq!((&health["seq"], &health["lastWebhookAt"]), (&json!(1), &Value::Null), "no delivery came");
}

#[test]
fn a_customer_in_a_group_keeps_the_name_that_came() {
    let hub = spawn_hub();
    let group = Delivery::message("g")
        .message_field("FromContact", json!({ "Id": "ana", "Name": "Customer" }))
        .message_field("SentByOrganizationMember", Value::Null);
    hub.provider().posts(&group);
    puts(&hub, "ana", &json!({ "name": "Ana" }));
    assert_eq!(hub.json("/api/umbler/messages")["messages"][0]["author"]["name"], "Customer");
}

#[test]
fn pages_of_allowed_origins_may_change_the_directory() {
    let hub = spawn_hub();
    for method in ["PUT", "DELETE"] {
        let request = ureq::http::Request::builder()
            .method("OPTIONS")
            .uri(hub.url(&format!("{PATH}/ana")))
            .header("origin", "http://localhost:5173")
            .header("access-control-request-method", method)
            .body(())
            .expect("a request");
        assert_eq!(hub.agent().run(request).expect("the hub answers").status(), 200, "{method}");
    }
}

#[test]
fn the_command_line_imports_a_file_into_a_running_hub() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let file = hub.home().join("agents.csv");
    let run = |secret: Option<&str>| {
        let mut tool = command(hub.home());
        tool.args(["members", "import"]).arg(&file).args(["--url", &hub.url("")]);
        tool.envs(secret.map(|secret| ("JWT_SECRET", secret)));
        let output = tool.output().expect("the binary runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    std::fs::write(&file, "id,name\nana,Ana\nbia,\n,Caio\n").expect("written");
    let (done, _, error) = run(Some(SECRET));
    assert!(!done && error.contains("line 3: name is missing\nline 4: id is missing"), "{error}");
    std::fs::write(&file, "id,name\nana,Ana\nbia,Bia\n").expect("written");
    let (done, _, error) = run(None);
    assert!(!done && error.contains("nothing was imported"), "{error}");
    assert_eq!(run(Some(SECRET)).1, "2 entries: sent to every screen at position 1\n");
    assert_eq!(run(Some(SECRET)).1, "2 entries: nothing changed\n");
}
