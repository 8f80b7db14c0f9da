//! What is wrong with a question is told by name, and nothing is bent into shape.

use serde_json::json;

use super::support::spawn_hub;

const CONTACTS: &str = "/contacts";
const CHATS: &str = "/chats";
const MESSAGES: &str = "/messages";
const UPDATES: &str = "/updates";

#[test]
fn a_parameter_out_of_range_or_unknown_is_refused_by_its_name() {
    let hub = spawn_hub();
    hub.provider().says("a", "hello");
    let long = "x".repeat(257);
    let wordy = "x".repeat(201);
    for (path, query, parameter) in [
        (CONTACTS, "limit=0", "limit"),
        (CONTACTS, "limit=201", "limit"),
        (CONTACTS, "limit=-1", "limit"),
        (CONTACTS, "limit=%2B5", "limit"),
        (CONTACTS, "limit=1.5", "limit"),
        (CONTACTS, "limit=", "limit"),
        (CONTACTS, "limit=99999999999999999999", "limit"),
        (CONTACTS, "page=0", "page"),
        (CONTACTS, "page=1000001", "page"),
        (CONTACTS, "page=one", "page"),
        (CONTACTS, "cursor=nonsense", "cursor"),
        (CONTACTS, "cursor=", "cursor"),
        (CONTACTS, "sort=phone", "sort"),
        (CONTACTS, "sort=Name", "sort"),
        (CONTACTS, "order=up", "order"),
        (CONTACTS, "tag=", "tag"),
        (CONTACTS, &format!("search={wordy}"), "search"),
        (CONTACTS, "search=%FF", "search"),
        (CONTACTS, "limit=1&limit=2", "limit"),
        (CONTACTS, "Limit=1", "Limit"),
        (CONTACTS, "status=open", "status"),
        (CONTACTS, "x", "x"),
        (CHATS, "status=all", "status"),
        (CHATS, "kind=grupo", "kind"),
        (CHATS, &format!("sector={long}"), "sector"),
        (CHATS, &format!("owner={long}"), "owner"),
        (CHATS, &format!("channel={long}"), "channel"),
        (CHATS, &format!("tag={long}"), "tag"),
        (CHATS, "chatId=a", "chatId"),
        ("/contacts/contact-of-a/chats", "status=all", "status"),
        ("/contacts/contact-of-a", "limit=1", "limit"),
        ("/chats/a", "limit=1", "limit"),
        ("/chats/a/messages", "chatId=a", "chatId"),
        ("/chats/a/messages", "sort=name", "sort"),
        ("/chats/a/messages", "limit=201", "limit"),
        (MESSAGES, "since=yesterday", "since"),
        (MESSAGES, "since=2026-03-02", "since"),
        (MESSAGES, "until=2026-03-02T10:00:00", "until"),
        (MESSAGES, "since=2026-03-02T10:00:01Z&until=2026-03-02T10:00:00Z", "until"),
        (MESSAGES, &format!("chatId={long}"), "chatId"),
        (MESSAGES, &format!("contactId={long}"), "contactId"),
        (MESSAGES, "source=", "source"),
        (UPDATES, "after=-1", "after"),
        (UPDATES, "after=2", "after"),
        (UPDATES, "after=x", "after"),
        (UPDATES, "limit=0", "limit"),
        (UPDATES, "limit=1001", "limit"),
        (UPDATES, "epoch=", "epoch"),
        (UPDATES, "page=1", "page"),
        ("/stats", "today=1", "today"),
        ("/webhook/status", "limit=1", "limit"),
    ] {
        let error = hub.get(&format!("/api/umbler{path}?{query}")).refuses(400, "bad_parameter");
        assert_eq!(error["parameter"], parameter, "{path}?{query}: {error}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    }
    for (path, query) in [
        (CONTACTS, "limit=1"),
        (CONTACTS, "limit=200&page=1000000"),
        (CONTACTS, &format!("search={}", &wordy[1..])),
        (CHATS, &format!("sector={}", &long[1..])),
        (UPDATES, "after=1&limit=1000"),
        (UPDATES, "after=0&limit=1"),
    ] {
        assert_eq!(hub.get(&format!("/api/umbler{path}?{query}")).status, 200, "{path}?{query}");
    }
}

#[test]
fn every_wrong_parameter_is_named_at_once() {
    let hub = spawn_hub();
    let wrong = "limit=0&status=all&at=2026-03-02T13:00:00Z&order=asc&x=1&tag=a&tag=b";
    let error = hub.get(&format!("/api/umbler{CHATS}?{wrong}")).refuses(400, "bad_parameter");
    assert_eq!(error["parameter"], "tag", "the first");
    let message = error["message"].as_str().expect("a text");
    assert_eq!(
        message,
        "tag is given twice; limit must be a whole number from 1 to 200; status must be one of open, waiting, closed; \
         x is not known here"
    );
    let error = hub.get("/api/umbler/search?in=all&limit=x").refuses(400, "bad_parameter");
    assert_eq!(error["message"], "limit must be a whole number from 1 to 200; q is missing");
    // As many as anybody reads, however many there are.
    let many: Vec<String> = (0..2_000).map(|number| format!("x{number}")).collect();
    let error = hub.get(&format!("/api/umbler{CHATS}?{}", many.join("&"))).refuses(400, "bad_parameter");
    assert_eq!(error["message"].as_str().expect("a text").matches("is not known here").count(), 50);
}

#[test]
fn a_wrong_question_is_refused_before_it_is_known_whether_its_subject_exists() {
    let hub = spawn_hub();
    for path in ["/contacts/x", "/contacts/x/chats", "/chats/x", "/chats/x/messages"] {
        hub.get(&format!("/api/umbler{path}?nonsense=1")).refuses(400, "bad_parameter");
        hub.get(&format!("/api/umbler{path}")).refuses(404, "not_found");
    }
}

#[test]
fn a_page_and_a_cursor_exclude_each_other_and_a_cursor_fits_its_own_list() {
    let hub = spawn_hub();
    for chat in ["a", "b", "c"] {
        hub.provider().says(chat, "hello");
    }
    let cursor = |list: &str| {
        let answer = hub.json(&format!("/api/umbler{list}"));
        answer["nextCursor"].as_str().unwrap_or_else(|| panic!("{list}: {answer}")).to_owned()
    };
    let contacts = cursor("/contacts?limit=1");
    assert_eq!(hub.json(&format!("/api/umbler/contacts?limit=1&cursor={contacts}"))["page"], json!(null));
    assert_eq!(hub.get(&format!("/api/umbler/contacts?limit=2&cursor={contacts}")).status, 200);
    let by_name = cursor("/contacts?limit=1&sort=name");
    for (path, cursor) in [
        ("/contacts?page=1", &contacts),
        ("/contacts?sort=name", &contacts),
        ("/contacts?order=asc", &contacts),
        ("/contacts?search=a", &contacts),
        ("/contacts?limit=1", &by_name),
        ("/chats?limit=1", &contacts),
        ("/messages?limit=1", &contacts),
        ("/chats/a/messages?limit=1", &cursor("/messages?limit=1")),
        ("/contacts?limit=1", &contacts[1..].to_owned()),
    ] {
        let error = hub.get(&format!("/api/umbler{path}&cursor={cursor}")).refuses(400, "bad_parameter");
        assert_eq!(error["parameter"], "cursor", "{path}");
    }
}
